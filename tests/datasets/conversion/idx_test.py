"""Tests of reading IDX files: whole ones, and every way to be wrong."""
import gzip
import os
import shutil

import numpy as np
import pytest

from datasets.conversion import idx
from tests.datasets.conversion import raw_files


def _read(folder):
  return idx.read_splits(str(folder), (28, 28), 10)


@pytest.mark.parametrize('packed', [True, False])
def test_reads_what_was_written(tmp_path, packed):
  values = np.arange(2 * 3 * 4, dtype=np.uint8).reshape([2, 3, 4])
  content = raw_files.idx_bytes(values)
  path = raw_files.write(
      tmp_path, 'x', gzip.compress(content) if packed else content)
  np.testing.assert_array_equal(idx.read(path, 3), values)


def test_reads_the_four_files(tmp_path):
  splits = raw_files.write_mnist(tmp_path)
  for split, (images, labels) in _read(tmp_path).items():
    np.testing.assert_array_equal(images[..., 0], splits[split][0])
    np.testing.assert_array_equal(labels, splits[split][1])


def test_files_unpacked_with_dots_and_a_folder_deeper(tmp_path):
  splits = raw_files.write_mnist(tmp_path / 'raw')
  for name in os.listdir(tmp_path / 'raw'):
    path = tmp_path / 'raw' / name
    unpacked = gzip.decompress(path.read_bytes())
    raw_files.write(tmp_path / 'raw', name[:-3].replace('-idx', '.idx'),
                    unpacked)
    os.remove(path)
  np.testing.assert_array_equal(
      _read(tmp_path)['test'][0][..., 0], splits['test'][0])


def test_missing_file_is_named_before_any_is_read(tmp_path):
  raw_files.write_mnist(tmp_path)
  raw_files.write(tmp_path, 'train-images-idx3-ubyte.gz', b'damaged')
  os.remove(tmp_path / 't10k-labels-idx1-ubyte.gz')
  with pytest.raises(FileNotFoundError, match='no t10k-labels-idx1-ubyte'):
    _read(tmp_path)


def test_truncated_gzip(tmp_path):
  raw_files.write_mnist(tmp_path)
  path = tmp_path / 'train-images-idx3-ubyte.gz'
  path.write_bytes(path.read_bytes()[:-100])
  with pytest.raises(ValueError, match='train-images.* is a damaged gzip file'):
    _read(tmp_path)


def test_gzip_with_a_changed_byte(tmp_path):
  raw_files.write_mnist(tmp_path)
  path = tmp_path / 'train-images-idx3-ubyte.gz'
  content = bytearray(path.read_bytes())
  content[len(content) // 2] ^= 1
  path.write_bytes(bytes(content))
  with pytest.raises(ValueError, match='train-images.* damaged gzip file'):
    _read(tmp_path)


@pytest.mark.parametrize('content,reason', [
    (b'', 'magic number is missing'),
    (b'\0\0\x08', 'magic number is 000008 and not 00000803'),
    (b'\0\0\x08\x01\0\0\0\x05hello', 'magic number is 00000801'),
    (b'\0\0\x0d\x03' + b'\0' * 12, 'magic number is 00000d03'),
    (b'\0\0\x08\x03\0\0\0\x01', 'ends within its header'),
    (b'\0\0\x08\x03' + b'\0\0\0\x02' * 3 + b'7 bytes',
     'announces 2 x 2 x 2 images, 8 bytes, and holds 7 bytes'),
    (b'\0\0\x08\x03' + b'\0\0\0\x02' * 3 + b'nine byte',
     '8 bytes, and holds more'),
    (b'\0\0\x08\x03' + b'\xff' * 12 + b'short', 'and holds 5 bytes'),
])
def test_what_is_not_an_idx_file_of_images(tmp_path, content, reason):
  path = raw_files.write(tmp_path, 'images', content)
  with pytest.raises(ValueError, match='images.*' + reason):
    idx.read(path, 3)


def test_labels_in_place_of_images(tmp_path):
  raw_files.write_mnist(tmp_path)
  shutil.copy(tmp_path / 'train-labels-idx1-ubyte.gz',
              tmp_path / 'train-images-idx3-ubyte.gz')
  with pytest.raises(ValueError, match='train-images.* no IDX file of image'):
    _read(tmp_path)


def _replace(folder, name, values):
  raw_files.write(folder, name, gzip.compress(raw_files.idx_bytes(values)))


def test_counts_that_differ(tmp_path):
  raw_files.write_mnist(tmp_path)
  _replace(tmp_path, 't10k-labels-idx1-ubyte.gz', np.zeros(19, np.uint8))
  with pytest.raises(ValueError, match='t10k-images.* holds 20 images and '
                     '.*t10k-labels.* 19 labels'):
    _read(tmp_path)


def test_label_out_of_range(tmp_path):
  raw_files.write_mnist(tmp_path)
  labels = np.zeros(20, np.uint8)
  labels[7] = 10
  _replace(tmp_path, 't10k-labels-idx1-ubyte.gz', labels)
  with pytest.raises(ValueError, match='t10k-labels.*: label 10 at index 7; '
                     'labels go from 0 to 9'):
    _read(tmp_path)


def test_no_images(tmp_path):
  raw_files.write_mnist(tmp_path, num_test=0)
  with pytest.raises(ValueError, match='t10k-images.* holds no images'):
    _read(tmp_path)


def test_images_of_another_size(tmp_path):
  raw_files.write_mnist(tmp_path)
  _replace(tmp_path, 't10k-images-idx3-ubyte.gz',
           np.zeros([20, 32, 30], np.uint8))
  with pytest.raises(ValueError, match='images of 32 x 30, not 28 x 28'):
    _read(tmp_path)
