"""Compares ways to start on directories of images, with one budget of epochs.

  python -m benchmarks.fine_tuning IMAGES... --checkpoint_path=mobilenet_v1
      [--seeds=1,2,3] [--epochs=5] [--images=600] [--held_out=0.75]
      [--size=96] [--results=FILE]

IMAGES has a subdirectory per class, or the IDX files of MNIST or Fashion-MNIST.
Of each, `--images` are taken, of the classes with 30 or more in turn, and the
part `--held_out` of them is held out. On the others mobilenet_v1 is trained,
for each seed:

  default flags      from the checkpoint, with --learning_rate=0.001 alone
  --preset=finetune  from the checkpoint, with the values of the preset
  from scratch       with --learning_rate=0.001 alone

and its last checkpoint evaluated on what was held out; so no run gains by the
choice of its best. Prints a row per directory with the accuracy in percent of
each seed and the mean, and by how much the preset is ahead of the default flags
with the same seed. `--results` keeps them: what is in it is not run again.
"""
import argparse
import contextlib
import io
import json
import os
import statistics
import sys
import tempfile

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')

# pylint: disable=wrong-import-position
import numpy as np
from PIL import Image

from datasets.conversion import convert_options
from datasets.conversion import idx
from image_classifier import options
from image_classifier.evaluate import evaluation
from image_classifier.train import loop
from slim_common import atomic_files
from slim_common import flags
from slim_common import runtime

_MODEL, _BATCH = 'mobilenet_v1', 16
_IDX = ('train-images-idx3-ubyte.gz', 'train-labels-idx1-ubyte.gz')
_IMAGE_FILES = ('.png', '.jpg', '.jpeg', '.gif', '.bmp', '.webp')
_MIN_OF_CLASS = 30
# Name of a way to the flags that are its own; True if it has a checkpoint.
_DEFAULT, _PRESET = 'default flags', '--preset=finetune'
WAYS = {
    _DEFAULT: (True, ['--learning_rate=0.001']),
    _PRESET: (True, [_PRESET]),
    'from scratch': (False, ['--learning_rate=0.001'])}


def main(argv=None):
  """Runs the program on the arguments `argv`, by default the command line."""
  arguments = _arguments(argv)
  runtime.start()
  results = _read(arguments.results)
  with tempfile.TemporaryDirectory() as directory:
    for source in arguments.images_of:
      name, data = _name(source), None
      for key, way, seed in _runs(name, arguments.seeds):
        if key in results:
          continue
        data = data or convert(
            source, os.path.join(directory, name), arguments.images,
            arguments.held_out)
        results[key] = accuracy(
            data, os.path.join(directory, key.replace(' ', '_')), way, seed,
            arguments)
        print('%s: %.1f %%' % (key, results[key]), flush=True)
        _write(arguments.results, results)
  names = [_name(each) for each in arguments.images_of]
  print(table(results, names))
  for line in ahead(results, names):
    print(line)


def _arguments(argv):
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
  parser.add_argument('images_of', nargs='+', metavar='IMAGES')
  parser.add_argument('--checkpoint_path', required=True)
  parser.add_argument('--seeds', default=[1, 2, 3], type=lambda text: [
      int(seed) for seed in text.split(',')])
  parser.add_argument('--epochs', type=int, default=5)
  parser.add_argument('--images', type=int, default=600)
  parser.add_argument('--held_out', type=float, default=0.75)
  parser.add_argument('--size', type=int, default=96)
  parser.add_argument('--results', metavar='FILE')
  return parser.parse_args(argv)


def _name(source):
  return os.path.basename(os.path.normpath(source))


def _runs(name, seeds):
  """Yields (key of the result, way, seed) of each training on a directory."""
  for way in WAYS:
    for seed in seeds:
      yield '%s, %s, seed %d' % (name, way, seed), way, seed


def convert(source, directory, count, held_out):
  """Converts a part of the images; returns the directory of the dataset."""
  images = directory + '-images'
  if os.path.exists(os.path.join(source, _IDX[0])):
    _write_idx(source, images, count)
  else:
    _link(source, images, count)
  with contextlib.redirect_stdout(io.StringIO()):
    convert_options.convert(convert_options.ConvertOptions(
        dataset_name='image_folder', dataset_dir=directory, source=images,
        validation_fraction=held_out, on_bad_image='skip'))
  return directory


def _write_idx(source, directory, count):
  """Writes the first images of IDX files as PNG, as many of each class."""
  images, labels = (
      idx.read(os.path.join(source, name), dimensions)
      for name, dimensions in zip(_IDX, (3, 1)))
  classes = np.unique(labels)
  for label in classes:
    parent = os.path.join(directory, '%d' % label)
    os.makedirs(parent)
    for index in np.flatnonzero(labels == label)[:count // len(classes)]:
      Image.fromarray(images[index]).save(
          os.path.join(parent, '%05d.png' % index))


def _link(source, directory, count):
  """Links images of a directory, of each class in turn, in a random order."""
  random = np.random.RandomState(0)
  found = {}
  for name in sorted(os.listdir(source)):
    files = sorted(
        os.path.join(parent, file)
        for parent, _, names in os.walk(os.path.join(source, name))
        for file in names if file.lower().endswith(_IMAGE_FILES))
    if len(files) >= _MIN_OF_CLASS:
      found[name] = [files[index] for index in random.permutation(len(files))]
  turns = sorted((turn, name) for name, files in found.items()
                 for turn in range(len(files)))
  for turn, name in turns[:count]:
    os.makedirs(os.path.join(directory, name), exist_ok=True)
    file = found[name][turn]
    os.symlink(os.path.realpath(file), os.path.join(
        directory, name, '%05d%s' % (turn, os.path.splitext(file)[1].lower())))


def accuracy(data, train_dir, way, seed, arguments):
  """Trains and evaluates; returns the accuracy in percent."""
  has_checkpoint, words = WAYS[way]
  config, _ = flags.parse([
      '--dataset_name=image_folder', '--dataset_dir=' + data,
      '--train_dir=' + train_dir, '--model_name=' + _MODEL,
      '--train_image_size=%d' % arguments.size, '--batch_size=%d' % _BATCH,
      '--num_epochs=%d' % arguments.epochs, '--seed=%d' % seed,
      # The preset's evaluations change no weight and take time.
      '--eval_every_epochs=0'] + words + (
          ['--checkpoint_path=' + arguments.checkpoint_path]
          if has_checkpoint else []), options.Train)
  with contextlib.redirect_stdout(io.StringIO()):
    if loop.train(config):
      sys.exit('Interrupted.')
    metrics = evaluation.evaluate(flags.replace(options.Evaluate(), dict(
        checkpoint_path=train_dir, dataset_name='image_folder',
        dataset_dir=data, dataset_split_name='validation', eval_dir='')))
  return 100 * float(metrics['Accuracy'])


def _read(path):
  if not path or not os.path.exists(path):
    return {}
  with open(path) as file:
    return json.load(file)


def _write(path, results):
  if path:
    with atomic_files.publish(path) as file:
      file.write(json.dumps(results, indent=1, sort_keys=True) + '\n')


def table(results, names):
  """Returns a Markdown table of all results {key: accuracy in percent}."""
  lines = ['| | %s |' % ' | '.join(WAYS), '|---' * (len(WAYS) + 1) + '|']
  for name in names:
    cells = []
    for way in WAYS:
      values = [results[key] for key in sorted(results)
                if key.startswith('%s, %s, ' % (name, way))]
      cells.append('%.1f (%s)' % (
          statistics.mean(values),
          ', '.join('%.1f' % each for each in values)) if values else '')
    lines.append('| %s | %s |' % (name, ' | '.join(cells)))
  return '\n'.join(lines)


def ahead(results, names):
  """Returns a list with a line about the preset against the default flags."""
  differences = [
      value - results[key.replace(_PRESET, _DEFAULT)]
      for key, value in results.items()
      if key.split(', ')[0] in names and _PRESET in key
      and key.replace(_PRESET, _DEFAULT) in results]
  if len(differences) < 2:
    return []
  return ['%s is ahead of %s in %d of %d pairs of the same seed, by %.1f '
          'points on average (standard error %.1f).' % (
              _PRESET, _DEFAULT, sum(each > 0 for each in differences),
              len(differences), statistics.mean(differences),
              statistics.stdev(differences) / len(differences) ** 0.5)]


if __name__ == '__main__':
  main()
