"""Images that exports are calibrated and verified with."""
import dataclasses
import io

import numpy as np
from PIL import Image
import pytest
import tensorflow.compat.v1 as tf

from datasets import dataset_utils
from datasets.reading import record_files
from image_classifier import options
from image_classifier.export import calibration_images

_LEVELS = (0, 64, 128, 192, 255)


def _options(directory, **changes):
  return dataclasses.replace(
      options.Export(), dataset_name='mnist', dataset_dir=str(directory),
      **changes)


def _write_digits(directory, split='train', levels=_LEVELS):
  """Writes a few images of one gray each; the dataset declares thousands."""
  path = str(directory / ('mnist_%s.tfrecord' % split))
  with tf.python_io.TFRecordWriter(path) as file:
    for level in levels:
      encoded = io.BytesIO()
      Image.fromarray(np.full([28, 28], level, np.uint8)).save(encoded, 'png')
      file.write(dataset_utils.image_to_tfexample(
          encoded.getvalue(), b'png', 28, 28, 0).SerializeToString())


def _levels(images):
  """Returns the gray of each image before preprocessing."""
  assert images.dtype == np.float32
  return (images.mean(axis=(1, 2, 3)) * 128 + 128).round().tolist()


@pytest.mark.parametrize('number', [1, 3, 5])
def test_the_first_images_of_a_split(tmp_path, number):
  _write_digits(tmp_path)
  images = calibration_images.load_split(
      _options(tmp_path), 'lenet', 28, 0, number)
  assert images.shape == (number, 28, 28, 1)
  assert _levels(images) == list(_LEVELS[:number])


@pytest.mark.parametrize('available', [5, 20, 23])
def test_a_split_with_too_few_images(tmp_path, available):
  """Fewer images than asked for, also where the last batch is full."""
  levels = list(range(10, 10 + available))
  _write_digits(tmp_path, levels=levels)
  images = calibration_images.load_split(
      _options(tmp_path), 'lenet', 28, 0, 1000)
  assert _levels(images) == levels


def test_a_split_without_images_elsewhere(tmp_path, monkeypatch):
  """Files on other machines are not asked for their size."""
  _write_digits(tmp_path, levels=())
  monkeypatch.setattr(record_files, '_check_readable', lambda files: None)
  with pytest.raises(ValueError) as error:
    calibration_images.load_split(_options(tmp_path), 'lenet', 28, 0, 1)
  assert str(error.value) == (
      'The split train in %s has no images. Choose another '
      '--calibration_split.' % tmp_path)


def test_more_than_a_batch_and_the_split_asked_for(tmp_path):
  _write_digits(tmp_path, 'test', range(50))
  images = calibration_images.load_split(
      _options(tmp_path, calibration_split='test'), 'lenet', 20, 0, 45)
  assert images.shape == (45, 20, 20, 1)
  assert _levels(images) == list(range(45))


def test_a_split_without_images(tmp_path):
  _write_digits(tmp_path, levels=())
  with pytest.raises(ValueError, match='mnist_train.tfrecord is empty. '
                     'Convert the data again, or check --dataset_dir.'):
    calibration_images.load_split(_options(tmp_path), 'lenet', 28, 0, 10)


@pytest.mark.parametrize('split, message', [
    ('test', 'No record file matches .*mnist_test.tfrecord'),
    ('nothing', 'nothing')])
def test_a_split_that_does_not_exist(tmp_path, split, message):
  _write_digits(tmp_path)
  with pytest.raises(ValueError, match=message):
    calibration_images.load_split(
        _options(tmp_path, calibration_split=split), 'lenet', 28, 0, 10)


@pytest.mark.parametrize('shape', [(16, 20, 3), (4, 9, 8, 1)])
def test_random_images_are_the_same_at_every_call(shape):
  images = calibration_images.random_images(shape, 3)
  assert images.shape == (3,) + shape and images.dtype == np.float32
  assert -1 <= images.min() < -0.5 and 0.5 < images.max() <= 1
  np.testing.assert_array_equal(
      images, calibration_images.random_images(shape, 3))
  assert (images[..., 0, 0, :] == images[..., 7, 7, :]).all(), 'smooth'
  assert (images[0] != images[1]).any()


@pytest.mark.parametrize('number, size, indices', [
    (4, 2, [[0, 1], [2, 3]]), (3, 2, [[0, 1], [2, 0]]),
    (1, 4, [[0, 0, 0, 0]]), (2, 5, [[0, 1, 0, 1, 0]])])
def test_batches_are_filled_up(number, size, indices):
  images = np.random.RandomState(0).uniform(size=[number, 2, 2, 3])
  found = calibration_images.split_into_batches(images, size)
  assert len(found) == len(indices)
  for batch, expected in zip(found, indices):
    np.testing.assert_array_equal(batch, images[expected])
