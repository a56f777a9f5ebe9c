import functools

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from preprocessing import lenet_preprocessing
from tests.preprocessing import numpy_ops


def _step(height, width, **kwargs):
  return functools.partial(
      lenet_preprocessing.preprocess_image, output_height=height,
      output_width=width, **kwargs)


@pytest.mark.parametrize('is_training, channels, size', [
    (True, 1, (28, 28)), (False, 1, (28, 28)), (False, 3, (35, 50))])
def test_crops_or_pads_and_scales(run, pixels, is_training, channels, size):
  image = pixels[:, :, :channels]
  result = run(_step(*size, is_training=is_training), image)
  assert result.dtype == np.float32
  np.testing.assert_array_equal(
      result, np.float32(numpy_ops.crop_or_pad(image, *size)) / 128 - 1)
  assert result.min() >= -1 and result.max() <= 0.9921875


@pytest.mark.parametrize('channels', [1, 3])
def test_grayscale(run, pixels, channels):
  image = pixels[:, :, :channels]
  luma = numpy_ops.LUMA if channels == 3 else [1]
  gray = run(_step(16, 20, use_grayscale=True), image)
  expected = numpy_ops.crop_or_pad(image.dot(luma)[..., None], 16, 20)
  np.testing.assert_allclose(gray, expected / 128 - 1, atol=1e-5)


def test_static_shape():
  image = tf.placeholder(tf.uint8, [None, None, 1])
  assert _step(28, 30)(image).shape.as_list() == [28, 30, 1]
  assert not tf.get_collection(tf.GraphKeys.SUMMARIES)


def test_size_that_does_not_fit():
  with pytest.raises(ValueError, match='height of the image to make is 0'):
    _step(0, 28)(tf.placeholder(tf.uint8, [None, None, 1]))
