"""Runs the five programs on bundled digits, from raw files to class names.

Each command is shown, so that it can be copied: convert, train, evaluate,
export, classify. Takes about a minute on two cores and needs no network.

  python examples/quickstart.py [--output_dir=DIR]
"""
import argparse
import gzip
import json
import os
import shlex
import shutil
import subprocess
import sys
import time

import numpy as np
from PIL import Image

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_SAMPLE = os.path.join(_ROOT, 'datasets', 'samples', 'mnist')
# Indices in the sample's test split, of the digits 7, 1, 8, 2 and 4.
_HELD_OUT = (7, 141, 358, 592, 864)
_STEPS = 800


def main():
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
  parser.add_argument(
      '--output_dir', default='quickstart-output',
      help='directory of all files written (default: %(default)s); that of an '
      'earlier quickstart is replaced')
  output = parser.parse_args().output_dir
  start = time.time()
  _prepare_directory(output)
  print('Writing to %s.' % os.path.abspath(output))
  data, model, export = (
      os.path.join(output, name) for name in ('data', 'model', 'export'))

  _run('download_and_convert_data.py', dataset_name='mnist', dataset_dir=data,
       source=_SAMPLE)
  _run('train_image_classifier.py', dataset_name='mnist', dataset_dir=data,
       model_name='lenet', train_dir=model, max_number_of_steps=_STEPS,
       batch_size=50, optimizer='adam', learning_rate=0.001,
       learning_rate_decay_type='polynomial', end_learning_rate=0.00001,
       num_epochs_per_decay=10, weight_decay=0, log_every_n_steps=100, seed=1)
  _run('eval_image_classifier.py', dataset_name='mnist', dataset_dir=data,
       dataset_split_name='test', model_name='lenet', checkpoint_path=model,
       eval_dir=os.path.join(output, 'evaluation'))
  _run('export_inference_graph.py', dataset_name='mnist', dataset_dir=data,
       model_name='lenet', checkpoint_path=model, output_dir=export)
  digits = _save_held_out_digits(os.path.join(output, 'digits'))
  results = os.path.join(output, 'results.json')
  _run('classify_image.py', *[file for file, _ in digits],
       graph=os.path.join(export, 'frozen_inference_graph.pb'), top_k=1,
       output_json=results, contact_sheet=os.path.join(output, 'sheet.png'))
  _compare(digits, results)
  print('\nDone in %.0f seconds. Everything is in %s:' % (
      time.time() - start, os.path.abspath(output)))
  for path in (os.path.join(model, 'learning_curve.png'),
               os.path.join(output, 'sheet.png')):
    if os.path.exists(path):
      print('  ' + path)


def _prepare_directory(output):
  """Makes the directory; empties it only if a quickstart wrote it."""
  mark = os.path.join(output, '.quickstart')
  if os.path.isdir(output) and os.listdir(output):
    if not os.path.exists(mark):
      sys.exit('%s contains files that are not from a quickstart; choose '
               'another directory with --output_dir.' % output)
    shutil.rmtree(output)
  os.makedirs(output, exist_ok=True)
  open(mark, 'w').close()


def _run(program, *images, **flags):
  """Shows a command and runs it; ends this program if it fails."""
  arguments = list(images) + [
      '--%s=%s' % (name, value) for name, value in flags.items()]
  print('\n$ python %s %s' % (
      program, ' '.join(shlex.quote(word) for word in arguments)), flush=True)
  status = subprocess.call(
      [sys.executable, os.path.join(_ROOT, program)] + arguments)
  if status:
    sys.exit(status)


def _save_held_out_digits(directory):
  """Writes some test digits as PNG files; returns a list of (file, digit)."""
  os.makedirs(directory)
  with gzip.open(os.path.join(_SAMPLE, 't10k-labels-idx1-ubyte.gz')) as file:
    labels = np.frombuffer(file.read(), np.uint8, offset=8)
  with gzip.open(os.path.join(_SAMPLE, 't10k-images-idx3-ubyte.gz')) as file:
    images = np.frombuffer(file.read(), np.uint8, offset=16)
  images = images.reshape(-1, 28, 28)
  digits = []
  for index in _HELD_OUT:
    file = os.path.join(directory, 'digit_%04d.png' % index)
    Image.fromarray(images[index]).save(file)
    digits.append((file, int(labels[index])))
  return digits


def _compare(digits, results):
  """Prints the predicted and the true class of each digit."""
  names = ('zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven',
           'eight', 'nine')
  with open(results) as file:
    predicted = {row['file']: row['names'][0] for row in json.load(file)}
  print('\npredicted  label')
  for file, digit in digits:
    print('%-10s %-7s %s' % (
        predicted[file], names[digit],
        'right' if predicted[file] == names[digit] else 'WRONG'))


if __name__ == '__main__':
  main()
