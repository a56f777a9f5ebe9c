r"""Sorts ImageNet's validation pictures into a folder for each synset.

  python datasets/preprocess_imagenet_validation_data.py DIRECTORY [LABELS]

DIRECTORY holds ILSVRC2012_val_00000001.JPEG to ILSVRC2012_val_00050000.JPEG,
as ILSVRC2012_img_val.tar does. LABELS has the synset of each on a line of its
own; left out, the list of this project is taken. A picture is renamed, not
copied, and never over another file. Nothing is moved unless every picture is
there exactly once; what an interrupted run has moved already counts.
"""
import dataclasses
import os
import sys
from typing import Tuple

if __name__ == '__main__':
  # Started as a file, it has its own folder where the project's should be.
  sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from datasets.imagenet_tools import synsets
from slim_common import flags
from slim_common import progress
from slim_common.flags import flag

_PICTURE = 'ILSVRC2012_val_%08d.JPEG'
_NAMES_SHOWN = 5


@dataclasses.dataclass(frozen=True)
class SortOptions:
  """Options of preprocess_imagenet_validation_data.py."""
  directory_and_labels: Tuple[str, ...] = flag(
      (), 'The folder of the pictures and, if not that of this project, the '
      'list of their synsets.', positional=True, required=True)


def run(directory, labels_file=None):
  """Sorts the pictures of a folder into folders inside it.

  Args:
    directory: the folder.
    labels_file: a list of synsets, one a line, for the pictures 1, 2, 3, ...;
      None for the project's.

  Returns:
    The number of pictures that were moved.

  Raises:
    ValueError: a picture is missing, stands there twice or has no label;
      nothing was moved.
    OSError: a folder or file cannot be read or moved.
  """
  labels = synsets.read_list(
      labels_file or synsets.bundled(synsets.VALIDATION_FILENAME))
  if not os.path.isdir(directory):
    raise FileNotFoundError('there is no folder %s' % directory)
  to_move = _plan(directory, labels)
  if len(to_move) < len(labels):
    print('%d of %d pictures are in their folders already' % (
        len(labels) - len(to_move), len(labels)))
  for synset in sorted({labels[number - 1] for number in to_move}):
    os.makedirs(os.path.join(directory, synset), exist_ok=True)
  with progress.Progress('sorting', len(to_move), 'pictures') as shown:
    for number in to_move:
      name = _PICTURE % number
      target = os.path.join(directory, labels[number - 1], name)
      if os.path.lexists(target):
        raise ValueError('%s has appeared meanwhile: it is left as it is. '
                         'Start again' % target)
      os.rename(os.path.join(directory, name), target)
      shown.add(1)
  return len(to_move)


def _plan(directory, labels):
  """Returns the numbers of the pictures to move; checks that all are there."""
  flat = set(os.listdir(directory))
  sorted_ones = {synset: _names_in(os.path.join(directory, synset))
                 for synset in set(labels)}
  to_move, missing, twice = [], [], []
  for number, synset in enumerate(labels, 1):
    name = _PICTURE % number
    is_flat, is_sorted = name in flat, name in sorted_ones[synset]
    if is_flat and is_sorted:
      twice.append(os.path.join(synset, name))
    elif is_flat:
      to_move.append(number)
    elif not is_sorted:
      missing.append(name)
  expected = {_PICTURE % number for number in range(1, len(labels) + 1)}
  unlabelled = sorted(name for name in flat - expected
                      if name.startswith('ILSVRC2012_val_'))
  for names, fault in ((missing, 'are missing'),
                       (twice, 'stand there twice, sorted and unsorted'),
                       (unlabelled, 'have no label')):
    if names:
      raise ValueError('%d of %d pictures in %s %s (%s%s): nothing was moved' %
                       (len(names), len(labels), directory, fault,
                        ', '.join(names[:_NAMES_SHOWN]),
                        ', ...' if len(names) > _NAMES_SHOWN else ''))
  return to_move


def _names_in(folder):
  if os.path.exists(folder) and not os.path.isdir(folder):
    raise ValueError('%s is a file; a folder of that name is needed: nothing '
                     'was moved' % folder)
  return set(os.listdir(folder)) if os.path.isdir(folder) else set()


def main(config):
  words = config.directory_and_labels
  if len(words) > 2:
    raise ValueError('%d words were given: type DIRECTORY, or DIRECTORY and '
                     'LABELS' % len(words))
  print('moved: %d pictures' % run(*words))


if __name__ == '__main__':
  flags.run(main, SortOptions, __doc__)
