"""Converts CIFAR-10: 50,000 small color images to train on, 10,000 to test.

Both published archives are read: the binary one, which is downloaded, and the
Python one, whose pickles are read without trusting them.

A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009.
"""
import os

import numpy as np

from datasets.conversion import dataset_writer
from datasets.conversion import downloads
from datasets.conversion import restricted_pickle

_SIZE, _CHANNELS = 32, 3
_PIXELS = _SIZE * _SIZE * _CHANNELS
_NUM_CLASSES = 10
_FILES = {'train': ['cifar10_train.tfrecord'],
          'test': ['cifar10_test.tfrecord']}
_BATCHES = {'train': ['data_batch_%d' % k for k in range(1, 6)],
            'test': ['test_batch']}
# Of those in a directory, the files that are read.
_SOURCE_FILES = ('data_batch_*', 'test_batch*', 'batches.meta*')

_PUBLISHED = downloads.Published(
    mirrors=('https://www.cs.toronto.edu/~kriz/',
             'http://www.cs.toronto.edu/~kriz/'),
    files=(
        downloads.RemoteFile(
            'cifar-10-binary.tar.gz', 170052171,
            'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd'),
    ))


def _read(directory):
  """Returns the class names, and images and labels of each split."""
  path, is_binary = _find(directory)
  read_batch = _read_binary_batch if is_binary else _read_python_batch
  splits = {}
  for split, names in _BATCHES.items():
    batches = [read_batch(os.path.join(path, name)) for name in names]
    images, labels = zip(*batches)
    splits[split] = np.concatenate(images), np.concatenate(labels)
  read_names = _read_binary_names if is_binary else _read_python_names
  return read_names(path), splits


def _find(directory):
  """Returns the directory of the batches, and whether they are binary."""
  for path in downloads.candidates(directory):
    for suffix in ('.bin', ''):
      if os.path.isfile(os.path.join(path, _BATCHES['test'][0] + suffix)):
        return path, bool(suffix)
  raise FileNotFoundError(
      '%s has neither test_batch.bin (of cifar-10-binary.tar.gz) nor '
      'test_batch (of cifar-10-python.tar.gz), nor has a directory in it' %
      directory)


def _read_binary_batch(path):
  """Reads records of a label and the pixels, one byte each."""
  path += '.bin'
  content = np.fromfile(path, np.uint8)
  if content.size % (1 + _PIXELS):
    raise ValueError('%s has %d bytes, not a multiple of %d (a label and %d '
                     'pixels): download it again' % (
                         path, content.size, 1 + _PIXELS, _PIXELS))
  records = content.reshape([-1, 1 + _PIXELS])
  return _images(path, records[:, 1:], records[:, 0])


def _read_python_batch(path):
  """Reads a pickled dict of `data` and `labels`."""
  content = restricted_pickle.load(path)
  data, labels = content.get(b'data'), content.get(b'labels')
  if not (isinstance(data, np.ndarray) and data.ndim == 2 and
          data.shape[1] == _PIXELS and isinstance(labels, list) and
          all(isinstance(label, int) for label in labels)):
    raise ValueError('%s is no batch of CIFAR-10: it lacks `data` of %d bytes '
                     'per image or `labels`' % (path, _PIXELS))
  if len(data) != len(labels):
    raise ValueError('%s holds %d images and %d labels' % (
        path, len(data), len(labels)))
  return _images(path, data, np.array(labels, dtype=object))


def _images(path, pixels, labels):
  """Returns images [count, 32, 32, 3] and labels of planes of pixels."""
  if not len(labels):
    raise ValueError('%s holds no images' % path)
  wrong = np.flatnonzero((labels < 0) | (labels >= _NUM_CLASSES))
  if wrong.size:
    raise ValueError('%s: label %d at index %d; labels go from 0 to %d' % (
        path, labels[wrong[0]], wrong[0], _NUM_CLASSES - 1))
  planes = pixels.reshape([-1, _CHANNELS, _SIZE, _SIZE])
  return planes.transpose([0, 2, 3, 1]), labels.astype(np.int64)


def _read_binary_names(directory):
  path = os.path.join(directory, 'batches.meta.txt')
  with open(path, 'rb') as source:
    return _class_names(path, source.read().split())


def _read_python_names(directory):
  path = os.path.join(directory, 'batches.meta')
  names = restricted_pickle.load(path).get(b'label_names') or []
  return _class_names(path, names)


def _class_names(path, names):
  """Returns the names of the classes, which may be bytes, as text."""
  try:
    names = [name.decode('utf-8') if isinstance(name, bytes) else name
             for name in names]
    different = len(set(names))
  except (UnicodeError, TypeError) as error:
    raise ValueError('%s holds no names of classes (%s): download it again' % (
        path, error))
  if different != _NUM_CLASSES or not all(
      isinstance(name, str) for name in names):
    raise ValueError('%s names %d classes, not %d' % (
        path, different, _NUM_CLASSES))
  return names


def run(dataset_dir, source=None, overwrite=False, num_workers=None,
        keep=False):
  """Writes `cifar10_{train,test}.tfrecord` and `labels.txt`.

  Args:
    source: a directory, archive or URL of the binary or the Python version;
      None to download the binary one.
    dataset_dir, overwrite, num_workers, keep: and the errors raised, as of
      `download_and_convert_mnist.run`.
  """
  dataset_writer.convert_images(
      'cifar10', _FILES, _PUBLISHED, _read, _SOURCE_FILES,
      dataset_dir, source, overwrite, num_workers, keep)
