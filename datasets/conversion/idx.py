"""Reads the IDX files of MNIST and of datasets in its format.

An IDX file is a magic number (two zero bytes, the type 8 for unsigned bytes,
the number of dimensions), each dimension as a big-endian 32-bit integer, and
the values (http://yann.lecun.com/exdb/mnist/, at the end of the page).
"""
import functools
import gzip
import operator
import os
import struct
import zlib

import numpy as np

from datasets.conversion import downloads

_GZIP_MAGIC = b'\x1f\x8b'
_GZIP_DAMAGE = (EOFError, zlib.error, OSError)
_BLOCK = 1 << 20
_KINDS = {1: 'labels', 3: 'images'}
# Patterns of the names of the files.
FILES = ('*-ubyte*',)
_STEMS = {'train': 'train', 'test': 't10k'}


def read(path, num_dimensions):
  """Returns the values of an IDX file of unsigned bytes.

  Args:
    path: path of the file, which can be compressed with gzip.
    num_dimensions: 1 for labels, 3 for images.

  Returns:
    A uint8 array of that many dimensions.

  Raises:
    ValueError: the file is damaged, is of another kind, or does not hold the
      number of bytes that it announces.
    OSError: the file cannot be opened.
  """
  with open(path, 'rb') as source:
    compressed = source.read(2) == _GZIP_MAGIC
  with (gzip.open(path) if compressed else open(path, 'rb')) as source:
    try:
      return _parse(source, path, num_dimensions)
    except _GZIP_DAMAGE as error:
      if not compressed:
        raise
      raise ValueError('%s is a damaged gzip file (%s): download it again'
                       % (path, error)) from error


def _parse(source, path, num_dimensions):
  header = source.read(4 + 4 * num_dimensions)
  magic = struct.pack('>HBB', 0, 8, num_dimensions)
  if header[:4] != magic:
    raise ValueError(
        '%s is no IDX file of %s: its magic number is %s and not %s' % (
            path, _KINDS[num_dimensions], header[:4].hex() or 'missing',
            magic.hex()))
  if len(header) < 4 + 4 * num_dimensions:
    raise ValueError('%s ends within its header' % path)
  shape = struct.unpack('>%dI' % num_dimensions, header[4:])
  announced = functools.reduce(operator.mul, shape)
  content = bytearray()
  # In blocks: the announced size can be any number.
  for block in iter(lambda: source.read(_BLOCK), b''):
    content += block
    if len(content) > announced:
      break
  if len(content) != announced:
    raise ValueError('%s announces %s %s, %d bytes, and holds %s' % (
        path, ' x '.join(map(str, shape)), _KINDS[num_dimensions], announced,
        'more' if len(content) > announced else '%d bytes' % len(content)))
  return np.frombuffer(content, np.uint8).reshape(shape)


def read_splits(directory, image_size, num_classes):
  """Reads the four files of MNIST or of a dataset in its format.

  Args:
    directory: holds `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, and
      the same for `t10k`, each compressed (`.gz`) or not, there or one
      directory deeper.
    image_size: (height, width) of the images.
    num_classes: number of classes; labels are less.

  Returns:
    A dict of 'train' and 'test' to (images, labels): uint8
    [count, height, width, 1] and uint8 [count].

  Raises:
    ValueError: a file is damaged, or two do not match; the message names them.
    OSError: a file does not exist.
  """
  # A missing file is found before a large one is read.
  paths = {split: (_find(directory, stem + '-images-idx3-ubyte'),
                   _find(directory, stem + '-labels-idx1-ubyte'))
           for split, stem in _STEMS.items()}
  return {split: _read_split(*paths[split], image_size, num_classes)
          for split in paths}


def _read_split(image_path, label_path, image_size, num_classes):
  labels = read(label_path, 1)
  images = read(image_path, 3)
  if len(images) != len(labels):
    raise ValueError('%s holds %d images and %s %d labels' % (
        image_path, len(images), label_path, len(labels)))
  if not len(images):
    raise ValueError('%s holds no images' % image_path)
  if images.shape[1:] != tuple(image_size):
    raise ValueError('%s holds images of %d x %d, not %d x %d' % (
        (image_path,) + images.shape[1:] + tuple(image_size)))
  wrong = np.flatnonzero(labels >= num_classes)
  if wrong.size:
    raise ValueError('%s: label %d at index %d; labels go from 0 to %d' % (
        label_path, labels[wrong[0]], wrong[0], num_classes - 1))
  return images[..., np.newaxis], labels


def _find(directory, name):
  """Returns the path of a file in a directory or one directory deeper.

  Some mirrors write the dash before `idx` as a dot.
  """
  names = [stem + suffix for stem in (name, name.replace('-idx', '.idx'))
           for suffix in ('.gz', '')]
  for parent in downloads.candidates(directory):
    for candidate in names:
      path = os.path.join(parent, candidate)
      if os.path.isfile(path):
        return path
  raise FileNotFoundError('%s has no %s (or .gz), nor has a directory in it' %
                          (directory, name))
