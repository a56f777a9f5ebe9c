"""Compares imported networks with the frameworks that their weights are of.

  python -m tests.import_weights.compare [SOURCE/NETWORK...]

For each row of the tables, the framework makes random weights and logits (in
its own environment, PYTHON_OF_FRAMEWORKS), the file is imported, and the
network's logits are compared. Prints a table as in nets/README.md; fails if a
difference exceeds 1e-4 of the largest logit, or 1e-4.
"""
import glob
import os
import subprocess
import sys
import tempfile

import numpy as np
import tensorflow.compat.v1 as tf

from image_classifier.import_weights import importing
from slim_common import runtime

_TOLERANCE = 1e-4


def main(wanted):
  """Compares all rows, or those that are wanted; returns the exit status."""
  runtime.start()
  rows = [(source, network) for source in importing.SOURCES
          for network in importing.module_of(source).ROWS]
  failed = []
  print('| source | network | variant | largest logit | largest difference |')
  print('|---|---|---|---|---|')
  for source, network in rows:
    name = '%s/%s' % (source, network)
    if wanted and name not in wanted and source not in wanted:
      continue
    variant, largest, difference = compare(source, network)
    print('| %s | %s | %s | %.3g | %.1e |' % (
        source, network, variant, largest, difference), flush=True)
    if not difference <= _TOLERANCE * max(1.0, largest):
      failed.append(name)
  for name in failed:
    print('%s differs too much.' % name)
  return int(bool(failed))


def compare(source, network):
  """Returns (variant, largest logit, largest difference) of a row."""
  with tempfile.TemporaryDirectory() as directory:
    subprocess.run(
        [os.environ.get('PYTHON_OF_FRAMEWORKS', sys.executable), '-W', 'ignore',
         '-m', 'tests.import_weights.make_weights', source, network, directory],
        check=True, stdout=subprocess.DEVNULL)
    weights, = glob.glob(os.path.join(directory, 'weights.*'))
    imported = importing.run(
        weights, network, os.path.join(directory, 'out'))
    if imported.source != source:
      # Both have the names of torchvision's ResNets.
      assert {imported.source, source} == {'torchvision', 'timm'}
    expected = np.load(os.path.join(directory, 'expected.npz'))
    built = imported.network
    with built.graph.as_default(), tf.Session() as session:
      tf.train.Saver().restore(session, imported.checkpoint)
      logits = session.run(built.logits, {
          built.images: expected['images'] / 127.5 - 1.0})
  return (imported.variant, np.abs(expected['logits']).max(),
          np.abs(logits - expected['logits']).max())


if __name__ == '__main__':
  sys.exit(main(sys.argv[1:]))
