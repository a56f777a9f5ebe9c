"""Finds the pictures of ImageNet and the boxes around what they show.

Pictures to train on lie in a folder a synset. Those to validate with do too,
or lie in one folder as their archive has them, ILSVRC2012_val_00000001.JPEG
and so on; then the project's list says what they show. Nothing is moved.
"""
import array
import collections
import math
import os
import re

from datasets.conversion import encoding
from datasets.imagenet_tools import synsets

_SUFFIXES = ('.jpeg', '.jpg', '.png')
_VALIDATION_NAME = re.compile(r'ILSVRC2012_val_(\d{8})\.JPEG$')
_NAMES_SHOWN = 5
_COLUMNS = 'filename,xmin,ymin,xmax,ymax'

# folder: below which the pictures lie; files: a list of (path below it,
# synset), sorted; skipped: a Counter of what was passed over, in words.
Pictures = collections.namedtuple('Pictures', 'folder files skipped')

# As in `shards`, and synset; text: the class in words; boxes: a list of (xmin,
# ymin, xmax, ymax), shares of the width and the height.
Picture = collections.namedtuple('Picture', 'path name label synset text boxes')


def find(folder, classes):
  """Finds the pictures of a split.

  Args:
    folder: of a folder a synset, or of the validation pictures as they come.
    classes: a list of synsets; folders of others are passed over.

  Returns:
    A `Pictures`.

  Raises:
    ValueError: there is no picture, or a validation picture without a label.
    OSError: the folder cannot be read.
  """
  if not os.path.isdir(folder):
    raise FileNotFoundError('there is no folder %s' % folder)
  skipped = collections.Counter()
  names = os.listdir(folder)
  known = set(classes)
  if any(_VALIDATION_NAME.match(name) for name in names):
    files = _flat(folder, names, known, skipped)
  else:
    files = []
    for name in sorted(names):
      if name not in known:
        skipped['folders of other classes' if synsets.is_synset(name) else
                'no folders of synsets'] += 1
        continue
      files += [(os.path.join(name, file_name), name) for file_name in
                _pictures_in(os.path.join(folder, name), skipped)]
  if not files:
    raise ValueError('%s holds no picture: it should have a folder for each '
                     'synset, such as %s, with JPEG files' % (
                         folder, classes[0]))
  return Pictures(folder, files, skipped)


def _pictures_in(folder, skipped):
  """Returns the sorted names of the pictures in a folder."""
  if not os.path.isdir(folder):
    raise ValueError('%s is a file, not the folder of a synset' % folder)
  names = sorted(os.listdir(folder))
  pictures = [name for name in names if not name.startswith('.') and
              name.lower().endswith(_SUFFIXES)]
  skipped['no pictures by name'] += len(names) - len(pictures)
  return pictures


def _flat(folder, names, known, skipped):
  """Returns (name, synset) of the validation pictures in one folder."""
  labels = synsets.read_list(synsets.bundled(synsets.VALIDATION_FILENAME))
  files = []
  for name in sorted(names):
    match = _VALIDATION_NAME.match(name)
    if not match:
      skipped['beside the validation pictures'] += 1
      continue
    if not 1 <= int(match.group(1)) <= len(labels):
      raise ValueError('%s has no label: the validation pictures are 1 to %d'
                       % (os.path.join(folder, name), len(labels)))
    synset = labels[int(match.group(1)) - 1]
    if synset in known:
      files.append((name, synset))
    else:
      skipped['pictures of other classes'] += 1
  if skipped:
    _check_not_half_sorted(folder, names)
  return files


def _check_not_half_sorted(folder, names):
  for name in names:
    if synsets.is_synset(name):
      raise ValueError(
          '%s holds validation pictures and the folder %s of a synset: an '
          'interrupted preprocess_imagenet_validation_data.py leaves it so. '
          'Run that once more' % (folder, name))


def check_counts(split, pictures, classes, expected, allow_subset):
  """Checks that a split is whole.

  Args:
    split: its name.
    pictures: a `Pictures`.
    classes: a list of synsets.
    expected: how many pictures there are in all.
    allow_subset: whether fewer or more are accepted; they are then printed.

  Raises:
    ValueError: there are fewer or more; the message says of which classes.
  """
  counts = collections.Counter(synset for _, synset in pictures.files)
  faults = []
  missing = [synset for synset in classes if not counts[synset]]
  if missing:
    faults.append('%d synsets have none (%s)' % (
        len(missing), _some(missing)))
  if len(pictures.files) != expected:
    faults.append('%d pictures, not %d' % (len(pictures.files), expected))
    per_class = expected // len(classes)
    uneven = ['%s has %d' % (synset, counts[synset]) for synset in classes
              if counts[synset] not in (0, per_class)]
    if expected == per_class * len(classes) and uneven:
      faults.append('not %d of each class (%s)' % (per_class, _some(uneven)))
  if not faults:
    return
  text = '%s in %s: %s' % (split, pictures.folder, '; '.join(faults))
  if not allow_subset:
    raise ValueError(text + '. Unpack the rest, or give --allow_subset to '
                     'convert what is there')
  print('Note: ' + text)


def _some(words):
  return ', '.join(words[:_NAMES_SHOWN]) + (
      ', ...' if len(words) > _NAMES_SHOWN else '')


def read_boxes(path):
  """Reads the boxes that `process_bounding_boxes.py` has written.

  Args:
    path: a text of lines filename,xmin,ymin,xmax,ymax; a picture may have
      several.

  Returns:
    A dict of file name to a list of (xmin, ymin, xmax, ymax), each 0 to 1.

  Raises:
    ValueError: a line is not of that form.
    OSError: the file cannot be read.
  """
  boxes = {}
  with open(path, encoding='utf-8') as source:
    for number, line in enumerate(source, 1):
      cells = line.strip().split(',')
      if cells == [''] or line.strip() == _COLUMNS:
        continue
      box = _box(cells)
      if not box:
        raise ValueError('%s, line %d is %r: a line is %s, with numbers from 0 '
                         'to 1' % (path, number, line.strip(), _COLUMNS))
      boxes.setdefault(cells[0], []).append(box)
  return boxes


def _box(cells):
  """Returns (xmin, ymin, xmax, ymax) of the cells of a line, or None."""
  try:
    box = tuple(float(cell) for cell in cells[1:])
  except ValueError:
    return None
  if (len(box) != 4 or not cells[0] or
      not all(math.isfinite(side) and 0 <= side <= 1 for side in box)):
    return None
  return box


def features_of(picture, verdict):
  """Returns the features of a picture's record.

  Args:
    picture: a `Picture`.
    verdict: the `image_checks.Verdict` on it.
  """
  features = encoding.box_features(picture.boxes)
  labels = array.array('q', [picture.label] * len(picture.boxes))
  features.update({
      'image/height': verdict.height,
      'image/width': verdict.width,
      'image/colorspace': b'RGB',
      'image/channels': 3,
      'image/class/label': picture.label,
      'image/class/synset': picture.synset.encode(),
      'image/class/text': picture.text.encode(),
      # The second name is the one that the dataset's reader asks for.
      'image/object/bbox/label': labels,
      'image/object/class/label': labels,
      'image/format': b'JPEG',
      'image/filename': os.path.basename(picture.name).encode(
          'utf-8', 'surrogateescape'),
      'image/encoded': verdict.content,
  })
  return features
