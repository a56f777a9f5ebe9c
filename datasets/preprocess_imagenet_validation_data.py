r"""Sorts ImageNet's validation images into one directory per synset.

  python datasets/preprocess_imagenet_validation_data.py DIRECTORY [LABELS]

DIRECTORY holds ILSVRC2012_val_00000001.JPEG to ILSVRC2012_val_00050000.JPEG,
as ILSVRC2012_img_val.tar does. LABELS has one synset per line; left out, the
list of this project is used. An image is renamed, not copied, and never over
another file. Nothing is moved unless every image is there exactly once; those
that an interrupted run has moved count.
"""
import dataclasses
import os
import sys
from typing import Tuple

if __name__ == '__main__':
  # Started as a file, the directory of the file is first on the path.
  sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from datasets.imagenet_tools import synsets
from slim_common import flags
from slim_common import progress
from slim_common.flags import flag

_IMAGE = 'ILSVRC2012_val_%08d.JPEG'
_NAMES_SHOWN = 5


@dataclasses.dataclass(frozen=True)
class SortOptions:
  """Options of preprocess_imagenet_validation_data.py."""
  directory_and_labels: Tuple[str, ...] = flag(
      (), 'Directory of the images and, if it is not that of this project, '
      'the file of their synsets.', positional=True, required=True)


def run(directory, labels_file=None):
  """Sorts the images of a directory into directories inside it.

  Args:
    directory: path of the directory.
    labels_file: path of a file of one synset per line, for the images 1, 2, 3,
      ...; None for the project's.

  Returns:
    The number of images that were moved.

  Raises:
    ValueError: an image is missing, is there twice or has no label; nothing
      was moved.
    OSError: a file cannot be read or moved.
  """
  labels = synsets.read_list(
      labels_file or synsets.bundled(synsets.VALIDATION_FILENAME))
  if not os.path.isdir(directory):
    raise FileNotFoundError('there is no directory %s' % directory)
  to_move = _plan(directory, labels)
  if len(to_move) < len(labels):
    print('%d of %d images are in their directories already' % (
        len(labels) - len(to_move), len(labels)))
  for synset in sorted({labels[number - 1] for number in to_move}):
    os.makedirs(os.path.join(directory, synset), exist_ok=True)
  with progress.Progress('sorting', len(to_move), 'images') as shown:
    for number in to_move:
      name = _IMAGE % number
      target = os.path.join(directory, labels[number - 1], name)
      if os.path.lexists(target):
        raise ValueError('%s has appeared meanwhile: it is left as it is. '
                         'Start again' % target)
      os.rename(os.path.join(directory, name), target)
      shown.add(1)
  return len(to_move)


def _plan(directory, labels):
  """Returns the numbers of the images to move; checks that all are there."""
  flat = set(os.listdir(directory))
  sorted_ones = {synset: _names_in(os.path.join(directory, synset))
                 for synset in set(labels)}
  to_move, missing, twice = [], [], []
  for number, synset in enumerate(labels, 1):
    name = _IMAGE % number
    is_flat, is_sorted = name in flat, name in sorted_ones[synset]
    if is_flat and is_sorted:
      twice.append(os.path.join(synset, name))
    elif is_flat:
      to_move.append(number)
    elif not is_sorted:
      missing.append(name)
  expected = {_IMAGE % number for number in range(1, len(labels) + 1)}
  unlabelled = sorted(name for name in flat - expected
                      if name.startswith('ILSVRC2012_val_'))
  for names, fault in ((missing, 'are missing'),
                       (twice, 'are there twice, sorted and unsorted'),
                       (unlabelled, 'have no label')):
    if names:
      raise ValueError('%d of %d images in %s %s (%s%s): nothing was moved' %
                       (len(names), len(labels), directory, fault,
                        ', '.join(names[:_NAMES_SHOWN]),
                        ', ...' if len(names) > _NAMES_SHOWN else ''))
  return to_move


def _names_in(directory):
  if os.path.exists(directory) and not os.path.isdir(directory):
    raise ValueError('%s is a file; a directory of that name is needed: '
                     'nothing was moved' % directory)
  return set(os.listdir(directory)) if os.path.isdir(directory) else set()


def main(config):
  words = config.directory_and_labels
  if len(words) > 2:
    raise ValueError('%d words were given: type DIRECTORY, or DIRECTORY and '
                     'LABELS' % len(words))
  print('moved: %d images' % run(*words))


if __name__ == '__main__':
  flags.run(main, SortOptions, __doc__)
