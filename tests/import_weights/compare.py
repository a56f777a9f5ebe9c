"""Compares imported networks with the frameworks that their weights are of.

  python -m tests.import_weights.compare [SOURCE/NETWORK...]
  python -m tests.import_weights.compare --table

For each row of the tables, the framework makes random weights and logits (in
its own environment, PYTHON_OF_FRAMEWORKS), the file is imported, and the
network's logits are compared. What is imported from Keras goes back too, by
`export_inference_graph.py --keras`. Fails if a difference exceeds 1e-4 of the
largest logit, or 1e-4. The results are kept in compared.csv, of which --table
prints the table of nets/README.md.
"""
import csv
import glob
import os
import subprocess
import sys
import tempfile

import numpy as np
import tensorflow.compat.v1 as tf

from image_classifier.export import other_frameworks
from image_classifier.import_weights import importing
from slim_common import atomic_files
from slim_common import runtime
from tests.import_weights import make_weights

_TOLERANCE = 1e-4
RESULTS = os.path.join(os.path.dirname(__file__), 'compared.csv')
_COLUMNS = ('source', 'network', 'file', 'variant', 'largest', 'difference',
            'back')


def main(wanted):
  """Compares all rows, or those that are wanted; returns the exit status."""
  if wanted == ['--table']:
    print(table())
    return 0
  runtime.start()
  failed = []
  for source, network in rows():
    name = '%s/%s' % (source, network)
    if wanted and name not in wanted and source not in wanted:
      continue
    row = compare(source, network)
    print(_line(row), flush=True)
    tolerance = _TOLERANCE * max(1.0, float(row['largest']))
    if not all(float(row[column] or 0) <= tolerance  # Not so if it is NaN.
               for column in ('difference', 'back')):
      failed.append(name)
      continue
    _keep(row)
  for name in failed:
    print('%s differs too much.' % name)
  return int(bool(failed))


def rows():
  """Returns the (source, network) that a framework can be compared with."""
  return [(source, network) for source in importing.SOURCES
          for network in importing.module_of(source).ROWS
          if network in make_weights.NETWORKS[source]]


def compare(source, network):
  """Returns the row of a network: a dict with _COLUMNS."""
  with tempfile.TemporaryDirectory() as directory:
    _run('make', source, network, directory)
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
      back = ''
      if source == 'keras':
        other_frameworks.write_keras(
            os.path.join(directory, 'back.h5'), session, network)
        _run('back', source, network, directory)
        back = _difference(np.load(os.path.join(directory, 'back.npy')), logits)
  return dict(zip(_COLUMNS, (
      source, network, os.path.basename(weights).split('.', 1)[1],
      imported.variant, '%.3g' % np.abs(expected['logits']).max(),
      _difference(logits, expected['logits']), back)))


def _run(*words):
  subprocess.run(
      [os.environ.get('PYTHON_OF_FRAMEWORKS', sys.executable), '-W', 'ignore',
       '-m', 'tests.import_weights.make_weights'] + list(words),
      check=True, stdout=subprocess.DEVNULL)


def _difference(values, others):
  return '%.1e' % np.abs(values - others).max()


def _read():
  if not os.path.exists(RESULTS):
    return {}
  with open(RESULTS) as file:
    return {(row['source'], row['network']): row
            for row in csv.DictReader(file)}


def _keep(row):
  """Puts a row into compared.csv, in the order of the tables."""
  kept = _read()
  kept[row['source'], row['network']] = row
  with atomic_files.publish(RESULTS) as file:
    writer = csv.DictWriter(file, _COLUMNS, lineterminator='\n')
    writer.writeheader()
    writer.writerows(kept[key] for key in rows() if key in kept)


def table():
  """Returns the results as a table for nets/README.md."""
  lines = [
      '| source | network | variant | largest logit | largest difference '
      '| and back |', '|---|---|---|---|---|---|']
  kept = _read()
  for key in rows():
    lines.append(_line(kept[key]) if key in kept else (
        '| %s | %s | | | | |' % key))
  return '\n'.join(lines)


def _line(row):
  """Returns a row of the table."""
  return '| %s | %s | %s | %s | %s | %s |' % (
      '%s `.%s`' % (row['source'], row['file']), row['network'],
      '' if row['variant'] == 'slim' else row['variant'], row['largest'],
      row['difference'], row['back'])


if __name__ == '__main__':
  sys.exit(main(sys.argv[1:]))
