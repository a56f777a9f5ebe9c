"""Measures how programs grow with the number of images, up to a million.

  python -m benchmarks.many_images [--numbers=10000,100000,1000000]
      [--dataset_dir=DIR]

For each number, 28 x 28 digits in PNG files of ten directories are made, and
these programs run on them as whole processes: the conversion to records, the
doctor (`download_and_convert_data.py --check`), a LeNet training of 20 steps,
and the evaluation of all of them. The table has wall-clock and CPU seconds,
images/s and the highest memory of a process. The start of a training must not
depend on the number, nor the memory of any. A million files take 4 GB in DIR.
"""
import argparse
import io
import os
import shutil
import sys
import tempfile

from benchmarks import common
from benchmarks import startup

_DIFFERENT, _CLASSES = 500, 10
_STEPS, _BATCH = 20, 100
_TEST_FRACTION = 0.5


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
      target.write(contents[chosen])


def commands(work):
  """Returns {program: arguments of Python}, in the order to run them."""
  images, records, model = (
      os.path.join(work, name) for name in ('images', 'records', 'model'))
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


def measure(number, directory):
  """Yields (program, its Turn) with so many images.

  Raises:
    ValueError: a program failed.
  """
  work = tempfile.mkdtemp(dir=directory)
  try:
    make_images(os.path.join(work, 'images'), number)
    for name, arguments in commands(work).items():
      program = startup.Program(
          name, [sys.executable] + arguments, directory)
      program.ask()
      if program.problem:
        raise ValueError('%s, %d images: %s' % (name, number, program.problem))
      yield name, program.turns[0]
  finally:
    shutil.rmtree(work)


def main():
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
  parser.add_argument(
      '--numbers', metavar='N,...', default=[10 ** 4, 10 ** 5, 10 ** 6],
      type=common.numbers)
  parser.add_argument('--dataset_dir', type=common.directory,
                      help='where to write temporary files')
  arguments = parser.parse_args()
  print('| images | program | seconds | CPU seconds | images/s | MiB |\n'
        '|---|---|---|---|---|---|')
  for number in arguments.numbers:
    for name, turn in measure(number, arguments.dataset_dir):
      print('| {:,} | {} | {:.1f} | {:.1f} | {:,.0f} | {} |'.format(
          number, name, turn.seconds, turn.cpu,
          images_of(name, number) / turn.seconds, turn.memory), flush=True)


if __name__ == '__main__':
  main()
