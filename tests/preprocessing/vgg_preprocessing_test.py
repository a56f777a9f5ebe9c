import functools

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from preprocessing import vgg_preprocessing
from tests.preprocessing import numpy_ops

_MEANS = np.float32([123.68, 116.78, 103.94])
_preprocess = functools.partial(
    vgg_preprocessing.preprocess_image, output_height=14, output_width=12,
    resize_side_min=16, resize_side_max=32)


def _expected(image, side, height, width):
  resized = numpy_ops.resize_smaller_side(image, side)
  return numpy_ops.crop_or_pad(resized, height, width) - _MEANS


@pytest.mark.parametrize('turned', [False, True])
def test_evaluation(run, pixels, turned):
  image = pixels.transpose(1, 0, 2) if turned else pixels
  np.testing.assert_allclose(
      run(_preprocess, image), _expected(image, 16, 14, 12), atol=1e-2)
  step = functools.partial(
      vgg_preprocessing.preprocess_for_eval, output_height=14, output_width=12,
      resize_side=20)
  np.testing.assert_allclose(
      run(step, image), _expected(image, 20, 14, 12), atol=1e-2)


def test_evaluation_larger_than_the_side(run, pixels):
  # 28 is 24 * 256 / 224, rounded up.
  step = functools.partial(_preprocess, output_height=24, output_width=20)
  np.testing.assert_allclose(
      run(step, pixels), _expected(pixels, 28, 24, 20), atol=1e-2)


def test_evaluation_at_299():
  image = np.random.RandomState(0).randint(0, 256, (300, 400, 3), np.uint8)
  result = vgg_preprocessing.preprocess_image(tf.constant(image), 299, 299)
  assert result.shape.as_list() == [299, 299, 3]
  with tf.Session() as session:
    np.testing.assert_allclose(
        session.run(result), _expected(image, 342, 299, 299), atol=2e-2)


def test_evaluation_in_grayscale(run, pixels):
  gray = run(functools.partial(_preprocess, use_grayscale=True), pixels)
  expected = _expected(pixels, 16, 14, 12).dot(numpy_ops.LUMA)[..., None]
  np.testing.assert_allclose(gray, expected, atol=1e-2)


@pytest.mark.parametrize('use_grayscale, shape', [
    (False, (14, 12, 3)), (True, (14, 12, 1))])
def test_training(run_many, pixels, use_grayscale, shape):
  step = functools.partial(
      _preprocess, is_training=True, use_grayscale=use_grayscale)
  results = run_many(step, pixels, 12)
  # There are few crops in the smallest sizes: two results may agree.
  assert len({result.tobytes() for result in results}) > 8
  for result in results:
    assert (result.shape, result.dtype) == (shape, np.float32)
    assert -123.69 <= result.min() < result.max() <= 151.07


@pytest.mark.parametrize('size, sides', [
    # The whole width, 400 pixels, becomes 4/3 of the smaller side.
    (8, (16, 32)), (24, (28, 56))])
def test_range_of_sides(run_many, size, sides):
  ramp = np.uint8(np.arange(400) // 2)
  ramp = np.tile(ramp[None, :, None], (300, 1, 3))
  step = functools.partial(
      _preprocess, output_height=size, output_width=size, is_training=True)
  slopes = []
  for image in run_many(step, ramp, 60):
    columns = image.mean((0, 2))
    slopes.append(abs(columns[-1] - columns[0]) / (size - 1))
  found = 150 / np.array(slopes)
  assert sides[0] - 1 < found.min() < sides[0] * 1.2
  assert sides[1] * 0.85 < found.max() < sides[1] + 1


def test_training_follows_the_seed(run_many, pixels):
  step = functools.partial(_preprocess, is_training=True)
  first, again, other = [
      np.stack(run_many(step, pixels, 4, seed)) for seed in (5, 5, 6)]
  np.testing.assert_array_equal(first, again)
  assert np.any(first != other)


@pytest.mark.parametrize('is_training', [True, False])
def test_static_shape(is_training):
  image = tf.placeholder(tf.uint8, [None, None, 3])
  result = _preprocess(image, is_training=is_training)
  assert result.shape.as_list() == [14, 12, 3]
  assert not tf.get_collection(tf.GraphKeys.SUMMARIES)


def test_ranges_that_do_not_fit():
  image = tf.placeholder(tf.uint8, [None, None, 3])
  with pytest.raises(ValueError, match=(
      'resize_side_min is 40 and resize_side_max 32')):
    _preprocess(image, is_training=True, resize_side_min=40)
  with pytest.raises(ValueError, match='resize_side is 0; .* at least 1'):
    _preprocess(image, resize_side_min=0)
  with pytest.raises(ValueError, match='height of the image to make is 0'):
    _preprocess(image, output_height=0)
