"""From raw files to a classified picture: the whole way, on bundled digits.

Runs the five programs one after another and shows every command, so that each
can be copied: convert, train, evaluate, export, classify. Takes about a minute
on two cores and needs no network.

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
import tempfile
import time

import numpy as np
from PIL import Image

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_SAMPLE = os.path.join(_ROOT, 'datasets', 'samples', 'mnist')
# Places in the sample's test part; the digits there are 7, 1, 8, 2 and 4.
_HELD_OUT = (7, 141, 358, 592, 864)
_STEPS = 800


def main():
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
  parser.add_argument(
      '--output_dir', default=os.path.join(tempfile.gettempdir(), 'quickstart'),
      help='directory of everything this makes (default: %(default)s); one '
      'left by an earlier quickstart is replaced')
  output = parser.parse_args().output_dir
  start = time.time()
  _make_room(output)
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
       json=results, sheet=os.path.join(output, 'sheet.png'))
  _compare(digits, results)
  print('\nDone in %.0f seconds. Everything is in %s:' % (
      time.time() - start, output))
  for path in (os.path.join(model, 'learning_curve.png'),
               os.path.join(output, 'sheet.png')):
    if os.path.exists(path):
      print('  ' + path)


def _make_room(output):
  """Removes what an earlier quickstart left; touches nothing else."""
  mark = os.path.join(output, '.quickstart')
  if os.path.isdir(output) and os.listdir(output):
    if not os.path.exists(mark):
      sys.exit('%s holds files that no quickstart has made; choose another '
               'directory with --output_dir.' % output)
    shutil.rmtree(output)
  os.makedirs(output, exist_ok=True)
  open(mark, 'w').close()


def _run(program, *words, **flags):
  """Shows a command and runs it; ends this program if it fails."""
  arguments = list(words) + [
      '--%s=%s' % (name, value) for name, value in flags.items()]
  print('\n$ python %s %s' % (
      program, ' '.join(shlex.quote(word) for word in arguments)), flush=True)
  status = subprocess.call(
      [sys.executable, os.path.join(_ROOT, program)] + arguments)
  if status:
    sys.exit(status)


def _save_held_out_digits(folder):
  """Writes digits of the sample's test part as PNG files.

  Returns:
    A list of (file, digit).
  """
  os.makedirs(folder)
  with gzip.open(os.path.join(_SAMPLE, 't10k-labels-idx1-ubyte.gz')) as file:
    labels = np.frombuffer(file.read(), np.uint8, offset=8)
  with gzip.open(os.path.join(_SAMPLE, 't10k-images-idx3-ubyte.gz')) as file:
    images = np.frombuffer(file.read(), np.uint8, offset=16)
  images = images.reshape(-1, 28, 28)
  digits = []
  for place in _HELD_OUT:
    file = os.path.join(folder, 'digit_%04d.png' % place)
    Image.fromarray(images[place]).save(file)
    digits.append((file, int(labels[place])))
  return digits


def _compare(digits, results):
  """Prints what the network saw next to the truth."""
  names = ('zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven',
           'eight', 'nine')
  with open(results) as file:
    seen = {row['file']: row['names'][0] for row in json.load(file)}
  print('\nseen    truth')
  for file, digit in digits:
    right = 'right' if seen[file] == names[digit] else 'WRONG'
    print('%-7s %-7s %s' % (seen[file], names[digit], right))


if __name__ == '__main__':
  main()
