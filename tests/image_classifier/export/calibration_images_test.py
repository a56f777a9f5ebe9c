"""Pictures that exports are calibrated and verified with."""
import dataclasses
import io

import numpy as np
from PIL import Image
import pytest
import tensorflow.compat.v1 as tf

from datasets import dataset_utils
from image_classifier import options
from image_classifier.export import calibration_images

_LEVELS = (0, 64, 128, 192, 255)


def _options(folder, **changes):
  return dataclasses.replace(
      options.Export(), dataset_name='mnist', dataset_dir=str(folder),
      **changes)


def _write_digits(folder, split='train', levels=_LEVELS):
  """Writes a record file of even pictures; the dataset declares thousands."""
  path = str(folder / ('mnist_%s.tfrecord' % split))
  with tf.python_io.TFRecordWriter(path) as file:
    for level in levels:
      encoded = io.BytesIO()
      Image.fromarray(np.full([28, 28], level, np.uint8)).save(encoded, 'png')
      file.write(dataset_utils.image_to_tfexample(
          encoded.getvalue(), b'png', 28, 28, 0).SerializeToString())


def _levels(pictures):
  """Returns the grey of each picture, as it was before preprocessing."""
  assert pictures.dtype == np.float32
  return (pictures.mean(axis=(1, 2, 3)) * 128 + 128).round().tolist()


@pytest.mark.parametrize('number', [1, 3, 5])
def test_the_first_pictures_of_a_split(tmp_path, number):
  _write_digits(tmp_path)
  pictures = calibration_images.from_split(
      _options(tmp_path), 'lenet', 28, 0, number)
  assert pictures.shape == (number, 28, 28, 1)
  assert _levels(pictures) == list(_LEVELS[:number])


@pytest.mark.parametrize('there', [5, 20, 23])
def test_a_split_that_runs_out(tmp_path, there):
  """Fewer pictures than asked for, also where a batch ends at the end."""
  levels = list(range(10, 10 + there))
  _write_digits(tmp_path, levels=levels)
  pictures = calibration_images.from_split(
      _options(tmp_path), 'lenet', 28, 0, 1000)
  assert _levels(pictures) == levels


def test_more_than_a_batch_and_the_split_asked_for(tmp_path):
  _write_digits(tmp_path, 'test', range(50))
  pictures = calibration_images.from_split(
      _options(tmp_path, calibration_split='test'), 'lenet', 20, 0, 45)
  assert pictures.shape == (45, 20, 20, 1)
  assert _levels(pictures) == list(range(45))


def test_a_split_without_pictures(tmp_path):
  _write_digits(tmp_path, levels=())
  with pytest.raises(ValueError, match='The split train in .* holds no '
                     'picture. Choose another --calibration_split.'):
    calibration_images.from_split(_options(tmp_path), 'lenet', 28, 0, 10)


@pytest.mark.parametrize('split, message', [
    ('test', 'No record file matches .*mnist_test.tfrecord'),
    ('nothing', 'nothing')])
def test_a_split_that_is_not_there(tmp_path, split, message):
  _write_digits(tmp_path)
  with pytest.raises(ValueError, match=message):
    calibration_images.from_split(
        _options(tmp_path, calibration_split=split), 'lenet', 28, 0, 10)


@pytest.mark.parametrize('shape', [(16, 20, 3), (4, 9, 8, 1)])
def test_random_pictures_are_the_same_every_time(shape):
  pictures = calibration_images.random(shape, 3)
  assert pictures.shape == (3,) + shape and pictures.dtype == np.float32
  assert -1 <= pictures.min() < -0.5 and 0.5 < pictures.max() <= 1
  np.testing.assert_array_equal(pictures, calibration_images.random(shape, 3))
  assert (pictures[..., 0, 0, :] == pictures[..., 7, 7, :]).all(), 'smooth'
  assert (pictures[0] != pictures[1]).any()


@pytest.mark.parametrize('number, size, places', [
    (4, 2, [[0, 1], [2, 3]]), (3, 2, [[0, 1], [2, 0]]),
    (1, 4, [[0, 0, 0, 0]]), (2, 5, [[0, 1, 0, 1, 0]])])
def test_batches_are_filled_up(number, size, places):
  pictures = np.random.RandomState(0).uniform(size=[number, 2, 2, 3])
  found = calibration_images.batches(pictures, size)
  assert len(found) == len(places)
  for batch, expected in zip(found, places):
    np.testing.assert_array_equal(batch, pictures[expected])
