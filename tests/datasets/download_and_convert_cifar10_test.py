"""Tests of the conversion of CIFAR-10 from both published forms."""
import os
import pickle

import numpy as np
import pytest

from datasets import dataset_utils
from datasets import download_and_convert_cifar10
from tests.datasets import records
from tests.datasets.conversion import raw_files


def _run(tmp_path, source='source'):
  download_and_convert_cifar10.run(
      str(tmp_path / 'out'), str(tmp_path / source), num_workers=1)


@pytest.mark.parametrize('form', ['binary', 'python'])
def test_converted_images_are_the_sources(tmp_path, form):
  splits = raw_files.write_cifar10(tmp_path / 'source', form)
  before = records.snapshot(tmp_path / 'source')
  _run(tmp_path)
  out = tmp_path / 'out'
  assert sorted(os.listdir(out)) == [
      'cifar10_test.tfrecord', 'cifar10_train.tfrecord', 'dataset_info.json',
      'labels.txt']
  for split, count in (('train', 20), ('test', 4)):
    images, labels = records.pictures(out / ('cifar10_%s.tfrecord' % split))
    assert images.shape == (count, 32, 32, 3)
    np.testing.assert_array_equal(images, splits[split][0])
    np.testing.assert_array_equal(labels, splits[split][1])
  assert list(dataset_utils.read_label_file(str(out)).values()) == (
      raw_files.CIFAR10_NAMES)
  assert records.snapshot(tmp_path / 'source') == before


def test_both_forms_give_the_same_records(tmp_path):
  for form in ('binary', 'python'):
    raw_files.write_cifar10(tmp_path / form, form)
    download_and_convert_cifar10.run(
        str(tmp_path / (form + ' out')), str(tmp_path / form))
  assert (records.without_origin(tmp_path / 'binary out') ==
          records.without_origin(tmp_path / 'python out'))


@pytest.mark.parametrize('form', ['binary', 'python'])
def test_archive_as_source(tmp_path, form):
  folder = tmp_path / ('cifar-10-batches-' + form)
  splits = raw_files.write_cifar10(folder, form)
  raw_files.pack(str(folder), str(tmp_path / 'cifar.tar.gz'))
  _run(tmp_path, 'cifar.tar.gz')
  images, _ = records.pictures(tmp_path / 'out' / 'cifar10_test.tfrecord')
  np.testing.assert_array_equal(images, splits['test'][0])


def test_malicious_pickle_is_refused_by_name(tmp_path):
  class Evil:

    def __reduce__(self):
      return os.mkdir, (str(tmp_path / 'evil'),)

  raw_files.write_cifar10(tmp_path / 'source', 'python')
  raw_files.write(tmp_path / 'source', 'data_batch_3',
                  pickle.dumps({b'data': Evil()}, protocol=4))
  with pytest.raises(ValueError, match='data_batch_3 is refused: it asks for '
                     '(posix|nt).mkdir'):
    _run(tmp_path)
  assert os.listdir(tmp_path) == ['source']


def test_truncated_binary_batch(tmp_path):
  raw_files.write_cifar10(tmp_path / 'source', 'binary')
  path = tmp_path / 'source' / 'data_batch_2.bin'
  path.write_bytes(path.read_bytes()[:-1])
  with pytest.raises(ValueError, match='data_batch_2.bin has 12291 bytes, not '
                     'a multiple of 3073'):
    _run(tmp_path)


def test_empty_batch(tmp_path):
  raw_files.write_cifar10(tmp_path / 'source', 'binary')
  raw_files.write(tmp_path / 'source', 'test_batch.bin', b'')
  with pytest.raises(ValueError, match='test_batch.bin holds no images'):
    _run(tmp_path)


@pytest.mark.parametrize('form,name', [
    ('binary', 'data_batch_4.bin'), ('python', 'data_batch_4'),
    ('binary', 'batches.meta.txt'), ('python', 'batches.meta')])
def test_missing_file(tmp_path, form, name):
  raw_files.write_cifar10(tmp_path / 'source', form)
  os.remove(tmp_path / 'source' / name)
  with pytest.raises(FileNotFoundError, match=name):
    _run(tmp_path)


def test_folder_of_something_else(tmp_path):
  (tmp_path / 'source').mkdir()
  with pytest.raises(FileNotFoundError, match='has neither test_batch.bin .*'
                     'nor test_batch '):
    _run(tmp_path)


def test_label_out_of_range_in_a_binary_batch(tmp_path):
  raw_files.write_cifar10(tmp_path / 'source', 'binary')
  path = tmp_path / 'source' / 'test_batch.bin'
  content = bytearray(path.read_bytes())
  content[2 * 3073] = 10
  path.write_bytes(bytes(content))
  with pytest.raises(ValueError, match='test_batch.bin: label 10 at index 2; '
                     'labels go from 0 to 9'):
    _run(tmp_path)


_IMAGES = np.zeros([2, 3072], np.uint8)


@pytest.mark.parametrize('content,reason', [
    ({}, 'is no batch of CIFAR-10'),
    ({b'data': _IMAGES}, 'is no batch of CIFAR-10'),
    ({b'data': _IMAGES, b'labels': 'no'}, 'is no batch of CIFAR-10'),
    ({b'data': _IMAGES, b'labels': [0.5, 1]}, 'is no batch of CIFAR-10'),
    ({b'data': _IMAGES[:, 1:], b'labels': [0, 1]}, 'is no batch of CIFAR-10'),
    ({b'data': _IMAGES, b'labels': [0]}, 'holds 2 images and 1 labels'),
    ({b'data': _IMAGES, b'labels': [0, -1]}, 'label -1 at index 1'),
    ({b'data': _IMAGES, b'labels': [0, 10**30]}, 'label 10+ at index 1'),
    ({b'data': _IMAGES[:0], b'labels': []}, 'holds no images')])
def test_odd_python_batch(tmp_path, content, reason):
  raw_files.write_cifar10(tmp_path / 'source', 'python')
  raw_files.write(tmp_path / 'source', 'data_batch_5',
                  raw_files.python2_pickle(content))
  with pytest.raises(ValueError, match='data_batch_5.* ' + reason):
    _run(tmp_path)


def test_wrong_number_of_class_names(tmp_path):
  raw_files.write_cifar10(tmp_path / 'source', 'binary')
  raw_files.write(tmp_path / 'source', 'batches.meta.txt', b'cat\ndog\n')
  with pytest.raises(ValueError, match='batches.meta.txt names 2 classes, not '
                     '10'):
    _run(tmp_path)


def test_a_message_on_an_archive_names_it_and_no_hidden_directory(tmp_path):
  raw_files.write_cifar10(tmp_path / 'cifar', 'binary')
  raw_files.write(tmp_path / 'cifar', 'test_batch.bin', b'short')
  archive = raw_files.pack(str(tmp_path / 'cifar'), str(tmp_path / 'a.tar.gz'))
  with pytest.raises(ValueError, match='^%s/cifar/test_batch.bin has 5 bytes' %
                     archive):
    download_and_convert_cifar10.run(
        str(tmp_path / 'out'), archive, num_workers=1)
  (tmp_path / 'cifar' / 'test_batch.bin').unlink()
  archive = raw_files.pack(str(tmp_path / 'cifar'), str(tmp_path / 'a.tar.gz'))
  with pytest.raises(FileNotFoundError, match='^%s has neither' % archive):
    download_and_convert_cifar10.run(
        str(tmp_path / 'out'), archive, num_workers=1)
