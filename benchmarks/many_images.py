"""Measures how programs grow with the number of images, up to a million.

  python -m benchmarks.many_images [--numbers=10000,100000,1000000]
      [--rounds=7] [--dataset_dir=DIR] [--output_dir=DIR]

For each number, 28 x 28 digits in PNG files of ten directories are made, each
file with a comment of its own, so that no two are equal. In every round these
programs run on each number, as whole processes: the conversion to records, the
doctor (`download_and_convert_data.py --check`), a LeNet training of 20 steps,
and the evaluation of the tenth that is not for training. many_images.md and
many_images.png in the output directory have wall-clock and CPU seconds (median
and quartiles), images/s and the highest memory of a process. A million files
take 4 GB in the dataset directory, and a round with them five minutes.
"""
import argparse
import collections
import io
import os
import shutil
import struct
import sys
import tempfile
import zlib

from benchmarks import common
from benchmarks import startup
from benchmarks.contenders import turns

_DIFFERENT, _CLASSES = 500, 10
_STEPS, _BATCH = 20, 100
_TEST_FRACTION = 0.1
_HEAD = ('images', 'program', 'seconds (quartiles)', 'CPU seconds', 'images/s',
         'MiB')
_LAST_CHUNK = 12  # Bytes of it at the end of a PNG file.

Row = collections.namedtuple('Row', 'images program seconds cpu speed memory')
Row.__doc__ = """What a program took.

Attributes:
  images: number of all images.
  program: its name.
  seconds, cpu: `turns.Spread`s of wall-clock and CPU seconds.
  speed: images that it reads, by the median of seconds.
  memory: the highest in MiB.
"""


def _with_comment(png, comment):
  """Returns a PNG file with a comment."""
  chunk = b'tEXtComment\0' + comment.encode()
  return b''.join([
      png[:-_LAST_CHUNK], struct.pack('>I', len(chunk) - 4), chunk,
      struct.pack('>I', zlib.crc32(chunk)), png[-_LAST_CHUNK:]])


def make_images(directory, number):
  """Writes PNG files of the bundled digits, each again and again."""
  import numpy as np
  from PIL import Image

  from datasets.conversion import idx
  images, labels = idx.read_splits(
      common.DIGITS, (28, 28), _CLASSES)['train'][:2]
  contents = []
  for image in images[:_DIFFERENT]:
    target = io.BytesIO()
    Image.fromarray(np.squeeze(image)).save(target, 'PNG')
    contents.append(target.getvalue())
  for label in range(_CLASSES):
    os.makedirs(os.path.join(directory, 'digit %d' % label))
  for index in range(number):
    chosen = index % len(contents)
    path = os.path.join(
        directory, 'digit %d' % labels[chosen], '%07d.png' % index)
    with open(path, 'wb') as target:
      target.write(_with_comment(contents[chosen], str(index)))


def commands(images, records, model):
  """Returns {program: arguments of Python}, in the order to run them.

  Args:
    images, records, model: directories.
  """
  data = ['--dataset_name=image_folder', '--dataset_dir=' + records]
  return {
      'convert': ['download_and_convert_data.py', '--source=' + images,
                  '--validation_fraction=%g' % _TEST_FRACTION] + data,
      'doctor': ['download_and_convert_data.py', '--check'] + data,
      'train': ['train_image_classifier.py', '--model_name=lenet',
                '--preprocessing_name=lenet', '--train_dir=' + model,
                '--batch_size=%d' % _BATCH, '--clone_on_cpu',
                '--max_number_of_steps=%d' % _STEPS] + data,
      'evaluate': ['eval_image_classifier.py', '--checkpoint_path=' + model,
                   '--dataset_split_name=validation', '--eval_dir=',
                   '--batch_size=%d' % _BATCH] + data}


def images_of(program, number):
  """Returns how many of the images a program reads."""
  return {'train': _STEPS * _BATCH,
          'evaluate': int(number * _TEST_FRACTION)}.get(program, number)


def measure(numbers, rounds, directory):
  """Makes the images and runs all programs in turns.

  Args:
    numbers: list of numbers of images.
    rounds: how often to run each program with each number.
    directory: where to write temporary files; None for the system's.

  Returns:
    A list of `Row`s.

  Raises:
    ValueError: a program failed.
  """
  with tempfile.TemporaryDirectory(dir=directory) as work:
    places = {number: [os.path.join(work, str(number), name)
                       for name in ('images', 'records', 'model')]
              for number in numbers}
    for number in numbers:
      make_images(places[number][0], number)
    programs = {
        (number, name): startup.Program(name, [sys.executable] + command, work)
        for number in numbers
        for name, command in commands(*places[number]).items()}
    for turn in range(rounds):
      for number in numbers:
        for written in places[number][1:]:
          shutil.rmtree(written, ignore_errors=True)
        for name in commands(*places[number]):
          _ask(programs[number, name], number, turn)
  return [_row(number, name, program.turns)
          for (number, name), program in programs.items()]


def _ask(program, number, turn):
  """Runs a program; raises ValueError if it failed."""
  program.ask()
  if program.problem:
    raise ValueError('%s, %d images: %s' % (
        program.name, number, program.problem))
  print('round %d: %s, %d images: %.1f s' % (
      turn + 1, program.name, number, program.turns[-1].seconds),
        file=sys.stderr, flush=True)


def _row(number, name, taken):
  seconds = turns.spread([turn.seconds for turn in taken])
  return Row(number, name, seconds, turns.spread([turn.cpu for turn in taken]),
             images_of(name, number) / seconds.median,
             max(turn.memory for turn in taken))


def table(rows):
  """Yields the lines of the table."""
  yield '| %s |' % ' | '.join(_HEAD)
  yield '|---' * len(_HEAD) + '|'
  for row in rows:
    yield '| {:,} | {} | {} | {} | {:,.0f} | {} |'.format(
        row.images, row.program, *(
            '%.1f (%.1f to %.1f)' % spread for spread in (
                row.seconds, row.cpu)), row.speed, row.memory)


def draw(rows, path):
  """Draws seconds and memory by the number of images."""
  import matplotlib
  matplotlib.use('Agg')
  from matplotlib import pyplot
  figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.4))
  for name in collections.OrderedDict.fromkeys(row.program for row in rows):
    found = [row for row in rows if row.program == name]
    numbers = [row.images for row in found]
    axes[0].loglog(
        numbers, [row.seconds.median for row in found], 'o-', label=name)
    axes[1].semilogx(
        numbers, [row.memory for row in found], 'o-', label=name)
  for axis, title in zip(axes, ('seconds', 'highest memory, MiB')):
    axis.set_xlabel('images')
    axis.set_title(title, fontsize=10)
    axis.grid(alpha=0.3)
  axes[1].set_ylim(bottom=0)
  axes[0].legend()
  figure.tight_layout()
  figure.savefig(path, dpi=100)
  pyplot.close(figure)


def main():
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
  parser.add_argument(
      '--numbers', metavar='N,...', default=[10 ** 4, 10 ** 5, 10 ** 6],
      type=common.numbers)
  parser.add_argument('--rounds', type=common.count, default=7,
                      help='runs of each')
  parser.add_argument('--dataset_dir', type=common.directory,
                      help='where to write temporary files')
  parser.add_argument('--output_dir', type=common.directory, default='.',
                      help='default: this one')
  arguments = parser.parse_args()
  rows = measure(arguments.numbers, arguments.rounds, arguments.dataset_dir)
  lines = list(table(rows))
  print('\n'.join(lines))
  with open(os.path.join(
      arguments.output_dir, 'many_images.md'), 'w') as target:
    target.write('\n'.join(lines) + '\n')
  draw(rows, os.path.join(arguments.output_dir, 'many_images.png'))


if __name__ == '__main__':
  main()
