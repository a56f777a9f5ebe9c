r"""Collects ImageNet's boxes, one XML file per image, in one csv file.

  python datasets/process_bounding_boxes.py DIRECTORY [SYNSETS] \
      --output_file=imagenet_2012_bounding_boxes.csv

DIRECTORY holds, at any depth, the XML files of ILSVRC2012_bbox_train_v2.tar.gz;
SYNSETS is a file of one synset per line; images of others are left out. A line
is filename,xmin,ymin,xmax,ymax, as fractions of the image size in the XML file,
at which the box was drawn: from 0 to 1, in order, four decimals. Boxes without
extent are left out. Without --output_file the lines go to standard output; what
was left out is counted on standard error.
"""
import collections
import contextlib
import dataclasses
import math
import os
import sys
from typing import Optional, Tuple
import xml.etree.ElementTree

if __name__ == '__main__':
  # Started as a file, the directory of the file is first on the path.
  sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from datasets.conversion import worker_pool
from datasets.imagenet_tools import synsets
from slim_common import atomic_files
from slim_common import flags
from slim_common import progress
from slim_common.flags import flag

_FILES_PER_TASK = 256
_MAX_BYTES = 1 << 20
_BOX = ('xmin', 'ymin', 'xmax', 'ymax')
_NAMES_SHOWN = 20

# What is left out, as it is called in the output.
_UNREADABLE = 'XML files that cannot be read'
_OTHER = 'images of other synsets'
_EMPTY = 'boxes without extent'


@dataclasses.dataclass(frozen=True)
class BoxOptions:
  """Options of process_bounding_boxes.py."""
  directory_and_synsets: Tuple[str, ...] = flag(
      (), 'Directory of the XML files and, if not all are wanted, file of '
      'synsets.', positional=True, required=True)
  output_file: Optional[str] = flag(
      None, 'csv file, which appears when it is complete; left out, standard '
      'output.')
  num_workers: Optional[int] = flag(
      None, 'Number of processes; left out, one per core.', at_least=1)


def run(directory, synsets_file=None, output_file=None, num_workers=None):
  """Writes the boxes of a directory of XML files.

  Args:
    directory: path of the directory.
    synsets_file: path of a file of one synset per line; None for all.
    output_file: path of the csv file; None for standard output.
    num_workers: number of processes; None for one per core.

  Returns:
    A Counter of what was written and what was left out.

  Raises:
    ValueError: there is no box, or the list of synsets is damaged.
    OSError: a file cannot be read or written.
  """
  wanted = set(synsets.read_list(synsets_file)) if synsets_file else None
  paths = _find(directory)
  counts = collections.Counter()
  unreadable = []
  tasks = ((paths[at:at + _FILES_PER_TASK], wanted)
           for at in range(0, len(paths), _FILES_PER_TASK))
  output = (atomic_files.publish(output_file, encoding='utf-8', newline='')
            if output_file else contextlib.nullcontext(sys.stdout))
  with worker_pool.WorkerPool(num_workers) as workers, output as target, \
      progress.Progress(
          'reading boxes', len(paths), 'files', stream=sys.stderr) as shown:
    for lines, part, faults in workers.map(read_files, tasks):
      target.write(''.join(line + '\n' for line in lines))
      counts.update(part)
      unreadable += faults
      shown.add(sum(part[kind] for kind in ('files', _UNREADABLE, _OTHER)))
    for path, fault in unreadable[:_NAMES_SHOWN]:
      print('%s: %s' % (path, fault), file=sys.stderr)
    if len(unreadable) > _NAMES_SHOWN:
      print('... and %d more' % (len(unreadable) - _NAMES_SHOWN),
            file=sys.stderr)
    if not counts['boxes']:
      raise ValueError('the %d XML files in %s hold no box' % (
          len(paths), directory))
  return counts


def _find(directory):
  """Returns the paths of the XML files, sorted by name."""
  if not os.path.isdir(directory):
    raise FileNotFoundError('there is no directory %s' % directory)
  paths = [os.path.join(parent, name)
           for parent, _, names in os.walk(directory) for name in names
           if name.lower().endswith('.xml') and not name.startswith('.')]
  return sorted(paths, key=lambda path: (os.path.basename(path), path))


def read_files(paths, wanted):
  """Reads some XML files, in a worker.

  Args:
    paths: list of paths.
    wanted: set of synsets, or None for all.

  Returns:
    (lines, counts, faults): list of csv lines, Counter, and list of (path,
    reason).
  """
  lines, faults = [], []
  counts = collections.Counter()
  for path in paths:
    stem = os.path.splitext(os.path.basename(path))[0]
    if wanted is not None and stem.split('_')[0] not in wanted:
      counts[_OTHER] += 1
      continue
    try:
      boxes, num_empty = _read(path)
    except (OSError, ValueError, xml.etree.ElementTree.ParseError) as error:
      counts[_UNREADABLE] += 1
      faults.append((path, str(error)))
      continue
    counts.update({'files': 1, 'boxes': len(boxes), _EMPTY: num_empty})
    # Not the name inside the file, which is %s in some.
    lines += ['%s.JPEG,%s' % (stem, ','.join('%.4f' % value for value in box))
              for box in boxes]
  return lines, counts, faults


def _read(path):
  """Returns (list of boxes, number of empty ones) of an XML file.

  Raises:
    ValueError: it is no file of boxes.
    xml.etree.ElementTree.ParseError: it is not XML.
    OSError: it cannot be read.
  """
  with open(path, 'rb') as source:
    content = source.read(_MAX_BYTES + 1)
  if len(content) > _MAX_BYTES or b'<!ENTITY' in content or b'\0' in content:
    raise ValueError('no XML file of boxes: too large, or with entities')
  root = xml.etree.ElementTree.fromstring(content)
  width, height = (_number(root, 'size/' + name)
                   for name in ('width', 'height'))
  if width <= 0 or height <= 0:
    raise ValueError('its size is %g x %g' % (width, height))
  boxes, num_empty = [], 0
  for element in root.iter('bndbox'):
    xmin, ymin, xmax, ymax = (
        round(min(max(_number(element, name) / size, 0), 1), 4)
        for name, size in zip(_BOX, (width, height, width, height)))
    if xmin == xmax or ymin == ymax:
      num_empty += 1
    else:
      boxes.append((min(xmin, xmax), min(ymin, ymax),
                    max(xmin, xmax), max(ymin, ymax)))
  return boxes, num_empty


def _number(element, name):
  text = element.findtext(name)
  try:
    number = float(text)
  except (TypeError, ValueError):
    number = math.nan
  if not math.isfinite(number):
    raise ValueError('%s is %r, not a number' % (name, text))
  return number


def main(config):
  words = config.directory_and_synsets
  if len(words) > 2:
    raise ValueError('%d words were given: type DIRECTORY, or DIRECTORY and '
                     'SYNSETS' % len(words))
  counts = run(words[0], words[1] if len(words) > 1 else None,
               config.output_file, config.num_workers)
  print('%d boxes of %d images' % (counts['boxes'], counts['files']),
        file=sys.stderr)
  for words in (_EMPTY, _OTHER, _UNREADABLE):
    if counts[words]:
      print('left out: %d %s' % (counts[words], words), file=sys.stderr)


if __name__ == '__main__':
  flags.run(main, BoxOptions, __doc__)
