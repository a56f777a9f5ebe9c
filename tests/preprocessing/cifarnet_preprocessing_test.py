import functools

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from preprocessing import cifarnet_preprocessing
from tests.preprocessing import numpy_ops


def _step(height=16, width=20, **kwargs):
  return functools.partial(
      cifarnet_preprocessing.preprocess_image, output_height=height,
      output_width=width, **kwargs)


def _summaries():
  return [tensor.op.name
          for tensor in tf.get_collection(tf.GraphKeys.SUMMARIES)]


@pytest.mark.parametrize('size', [(16, 20), (33, 50), (40, 12)])
def test_evaluation(run, pixels, size):
  expected = numpy_ops.standardize(numpy_ops.crop_or_pad(pixels, *size))
  np.testing.assert_allclose(run(_step(*size), pixels), expected, atol=1e-4)


def test_evaluation_in_grayscale(run, pixels):
  gray = pixels.dot(numpy_ops.LUMA)[..., None]
  expected = numpy_ops.standardize(numpy_ops.crop_or_pad(gray, 16, 20))
  np.testing.assert_allclose(
      run(_step(use_grayscale=True), pixels), expected, atol=1e-4)


@pytest.mark.parametrize('size, use_grayscale, channels', [
    ((16, 20), False, 3), ((45, 60), False, 3), ((16, 20), True, 1)])
def test_training(run_many, pixels, size, use_grayscale, channels):
  step = _step(*size, is_training=True, use_grayscale=use_grayscale)
  results = run_many(step, pixels, 8)
  assert len({result.tobytes() for result in results}) == 8
  for result in results:
    assert (result.shape, result.dtype) == (size + (channels,), np.float32)
    np.testing.assert_allclose(result.mean(), 0, atol=1e-4)
    np.testing.assert_allclose(result.std(), 1, atol=1e-4)


def test_training_crops_and_flips(run_many):
  # Standardized, a ramp is the same ramp from any crop inside it.
  ramp = np.tile(np.float32(np.arange(40))[None, :, None], (40, 1, 1))
  step = functools.partial(
      cifarnet_preprocessing.preprocess_for_train, output_height=8,
      output_width=8, padding=0)
  steps = np.tile(np.arange(8)[None, :, None], (8, 1, 1))
  expected = numpy_ops.standardize(steps)
  flipped = 0
  for result in run_many(step, ramp, 30):
    if result[0, 0, 0] > 0:
      flipped += 1
      result = result[:, ::-1]
    np.testing.assert_allclose(result, expected, atol=1e-3)
  assert 5 < flipped < 25


def test_padding_reaches_the_crop(run_many):
  image = np.full((8, 8, 1), 200, np.uint8)
  step = functools.partial(
      cifarnet_preprocessing.preprocess_for_train, output_height=8,
      output_width=8, padding=2)
  rows = set()
  for result in run_many(step, image, 40):
    middle = result[:, 4, 0]
    rows.add(int(np.sum(middle == middle[4])))
  assert rows == {6, 7, 8}


def test_training_follows_the_seed(run_many, pixels):
  first, again, other = [
      np.stack(run_many(_step(is_training=True), pixels, 4, seed))
      for seed in (5, 5, 6)]
  np.testing.assert_array_equal(first, again)
  assert np.any(first != other)


@pytest.mark.parametrize('is_training, names', [
    (True, ['image', 'distorted_image']), (False, ['image', 'resized_image'])])
def test_summaries(pixels, is_training, names):
  image = tf.constant(pixels)
  _step(is_training=is_training, add_image_summaries=False)(image)
  assert not _summaries()
  _step(is_training=is_training)(image)
  assert _summaries() == names


@pytest.mark.parametrize('is_training', [True, False])
def test_static_shape(is_training):
  image = tf.placeholder(tf.uint8, [None, None, 3])
  result = _step(is_training=is_training)(image)
  assert result.shape.as_list() == [16, 20, 3]


def test_arguments_that_do_not_fit():
  image = tf.placeholder(tf.uint8, [None, None, 3])
  with pytest.raises(ValueError, match='padding is -1; .* at least 0'):
    cifarnet_preprocessing.preprocess_for_train(image, 8, 8, padding=-1)
  for is_training in (True, False):
    with pytest.raises(ValueError, match='width of the image to make is 0'):
      _step(8, 0, is_training=is_training)(image)
