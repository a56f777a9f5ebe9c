"""Tests of the description of a split."""
import os
import threading
import time

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from datasets import dataset_utils
from datasets import image_dataset
from datasets.conversion import dataset_writer

_SPEC = image_dataset.ImageDataset(
    name='toy', file_pattern='toy_%s_*', splits_to_sizes={
        'train': 100, 'test': 50}, num_classes=7,
    items_to_descriptions={'image': 'an image', 'label': 'its class'},
    image_shape=(2, 2, 1), channels=1)


def _convert(directory, name='toy', counts=(('train', 5), ('test', 2))):
  with dataset_writer.DatasetWriter(str(directory), name, 1) as writer:
    for split, count in counts:
      writer.write_images(
          split, ['%s_%s_%d' % (name, split, k) for k in range(2)],
          np.zeros([count, 2, 2, 1], np.uint8), np.zeros(count, np.int64))
    writer.publish(['cat', 'dog'])


def _get(directory, split='train', **arguments):
  return _SPEC.get_split(split, str(directory), **arguments)


def test_published_numbers_without_info(tmp_path):
  dataset = _get(tmp_path)
  assert dataset.data_sources == str(tmp_path / 'toy_train_*')
  assert (dataset.num_samples, dataset.num_classes) == (100, 7)
  assert dataset.labels_to_names is None
  assert dataset.reader is tf.TFRecordReader
  assert dataset.items_to_descriptions == {
      'image': 'an image', 'label': 'its class'}


@pytest.mark.parametrize('directory', [None, '', '/no/such/directory'])
def test_directory_need_not_exist(directory):
  """A network can be exported for a dataset that is elsewhere."""
  assert _SPEC.get_split('test', directory).num_samples == 50


def test_numbers_of_what_was_converted(tmp_path):
  _convert(tmp_path)
  dataset = _get(tmp_path)
  assert (dataset.num_samples, dataset.num_classes) == (5, 2)
  assert dataset.labels_to_names == {0: 'cat', 1: 'dog'}
  assert _get(tmp_path, 'test').num_samples == 2


def test_pattern_for_a_part_of_the_files(tmp_path):
  _convert(tmp_path)
  assert _get(tmp_path, file_pattern='toy_%s_0').num_samples == 3
  dataset = _get(tmp_path, file_pattern='mine_%s')
  assert dataset.num_samples == 100
  assert dataset.data_sources == str(tmp_path / 'mine_train')


def test_pattern_without_the_split(tmp_path):
  with pytest.raises(ValueError, match="file_pattern is 'x': it must contain"):
    _get(tmp_path, file_pattern='x')


def test_reader_is_passed_on(tmp_path):
  assert _get(tmp_path, reader=tf.TextLineReader).reader is tf.TextLineReader


def test_names_of_labels_file_and_else_of_info(tmp_path):
  _convert(tmp_path)
  dataset_utils.write_label_file({0: 'kitten', 1: 'puppy'}, str(tmp_path))
  assert _get(tmp_path).labels_to_names == {0: 'kitten', 1: 'puppy'}
  os.remove(tmp_path / 'labels.txt')
  assert _get(tmp_path).labels_to_names == {0: 'cat', 1: 'dog'}


@pytest.mark.parametrize('split,hint', [
    ('tests', r'did you mean test\?'), ('validation', 'toy has no split'),
    ('', 'Its splits are: train, test')])
def test_unknown_split_names_the_splits(tmp_path, split, hint):
  for where in '', '/dataset_info.json':
    with pytest.raises(ValueError, match=hint + '.*') as caught:
      _get(tmp_path, split)
    assert str(caught.value).endswith(
        'Its splits are: train, test (in %s%s)' % (tmp_path, where))
    _convert(tmp_path)


def test_split_that_was_not_converted(tmp_path):
  _convert(tmp_path, counts=[('train', 3)])
  with pytest.raises(ValueError, match="no split 'test'.* are: train"):
    _get(tmp_path, 'test')


def test_empty_split(tmp_path):
  _convert(tmp_path, counts=[('train', 3), ('test', 0)])
  with pytest.raises(ValueError, match="the split 'test' of toy is empty"):
    _get(tmp_path, 'test')


def test_directory_of_another_dataset(tmp_path):
  _convert(tmp_path, name='pets')
  with pytest.raises(ValueError, match=(
      "info.json describes the dataset 'pets', not 'toy': give another "
      'dataset_dir, or dataset_name=pets')):
    _get(tmp_path)


def test_damaged_info(tmp_path):
  (tmp_path / 'dataset_info.json').write_text('{')
  with pytest.raises(ValueError, match='dataset_info.json cannot be read'):
    _get(tmp_path)


def test_reader_waits_while_files_are_moved(tmp_path):
  _convert(tmp_path)
  (tmp_path / '.toy.publishing').mkdir()
  end = threading.Timer(0.3, (tmp_path / '.toy.publishing').rmdir)
  start = time.time()
  end.start()
  assert _get(tmp_path).num_samples == 5
  assert time.time() - start > 0.2
  end.join()


def test_stopped_publishing_is_an_error(tmp_path, monkeypatch):
  monkeypatch.setattr(image_dataset, '_MAX_WAIT_SECS', 0.1)
  (tmp_path / '.toy.publishing').mkdir()
  with pytest.raises(ValueError, match='run it once more to finish'):
    _get(tmp_path)


def test_decoded_example(tmp_path):
  _convert(tmp_path)
  dataset = _get(tmp_path)
  record = next(tf.python_io.tf_record_iterator(
      dataset.data_sources.replace('*', '0')))
  assert sorted(dataset.decoder.list_items()) == ['image', 'label']
  image, label = dataset.decoder.decode(record, ['image', 'label'])
  assert image.shape.as_list() == [2, 2, 1] and image.dtype == tf.uint8
  assert label.shape.as_list() == [] and label.dtype == tf.int64
