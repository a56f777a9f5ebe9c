"""The label files of ImageNet: synsets, their names, the validation labels.

A synset is a set of English words for one thing, such as n01440764. The files
are in datasets/; `scripts/make_imagenet_labels.py` made them.
"""
import os
import re

CLASSES_FILENAME = 'imagenet_lsvrc_2015_synsets.txt'
NAMES_FILENAME = 'imagenet_metadata.txt'
VALIDATION_FILENAME = 'imagenet_2012_validation_synset_labels.txt'
BACKGROUND = 'background'

_SYNSET = re.compile(r'n\d{8}$')
_DIRECTORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def bundled(filename):
  """Returns the path of one of the three files of this project."""
  return os.path.join(_DIRECTORY, filename)


def find(path):
  """Returns `path`, or the path of the project's file of that name.

  Raises:
    FileNotFoundError: neither exists.
  """
  if os.path.exists(path):
    return path
  if path in (CLASSES_FILENAME, NAMES_FILENAME, VALIDATION_FILENAME):
    return bundled(path)
  raise FileNotFoundError(
      'there is no %s; give the path of a file, or leave the flag out for '
      'the one that comes with this project' % path)


def is_synset(text):
  """Returns whether a text is a synset: n and eight digits."""
  return bool(_SYNSET.match(text))


def read_list(path):
  """Returns the list of synsets in a file of one per line.

  Raises:
    ValueError: a line is not a synset, or there is no line.
    OSError: the file cannot be read.
  """
  found = []
  for number, line in _lines(path):
    if not is_synset(line):
      raise ValueError('%s, line %d is %r: a line is a synset, such as '
                       'n01440764' % (path, number, line))
    found.append(line)
  if not found:
    raise ValueError('%s names no synset' % path)
  return found


def read_classes(path):
  """Returns the synsets of the classes; the first is class 1.

  Raises:
    ValueError: the file is damaged, or names a synset twice.
    OSError: the file cannot be read.
  """
  found = read_list(path)
  if len(set(found)) != len(found):
    twice = next(one for one in found if found.count(one) > 1)
    raise ValueError('%s names %s twice: a class has one line' % (path, twice))
  return found


def read_names(path):
  """Returns a dict of synset to class name, such as 'tench, Tinca tinca'.

  Raises:
    ValueError: a line is not synset, tab, words.
    OSError: the file cannot be read.
  """
  names = {}
  for number, line in _lines(path):
    synset, _, words = line.partition('\t')
    if not is_synset(synset) or not words:
      raise ValueError('%s, line %d is %r: a line is a synset, a tab and its '
                       'words' % (path, number, line))
    names[synset] = words
  return names


def class_names(classes, names):
  """Returns a list of the name of each class id; 0 is the background.

  Args:
    classes: list of synsets; the first is class 1.
    names: dict of synset to name.

  Raises:
    ValueError: a synset has no name.
  """
  nameless = [synset for synset in classes if synset not in names]
  if nameless:
    raise ValueError('no name is given for %d of the synsets, such as %s: add '
                     'them to --imagenet_metadata_file' % (
                         len(nameless), nameless[0]))
  return [BACKGROUND] + [names[synset] for synset in classes]


def _lines(path):
  """Yields (number, line) of the lines that are not blank."""
  with open(path, encoding='utf-8') as source:
    for number, line in enumerate(source, 1):
      line = line.strip()
      if line:
        yield number, line
