import functools

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from preprocessing.fast import color


def _plainly(image, delta, factor):
  """By TensorFlow's own steps."""
  image = tf.image.adjust_saturation(image / 255.0 + delta, factor)
  return tf.clip_by_value(image, 0.0, 1.0) * 2.0 - 1.0


# Brighter and darker than the range, without and with too much color.
@pytest.mark.parametrize('delta', [-0.12, 0.0, 0.12])
@pytest.mark.parametrize('factor', [0.0, 0.5, 1.5])
def test_as_by_steps(run, delta, factor):
  image = np.random.RandomState(0).uniform(0, 255, (9, 11, 3)).astype(
      np.float32)
  image[0] = 0
  image[1] = 255
  image[2] = image[2, :, :1]  # Gray.
  image[3, :, 0] = 0
  image[4] /= 20
  results = [run(functools.partial(step, delta=delta, factor=factor), image)
             for step in (color.brighten_and_saturate, _plainly)]
  np.testing.assert_allclose(*results, atol=2e-6)
  assert results[0].dtype == np.float32


def test_one_channel_has_no_saturation(run):
  image = np.float32([[0, 100], [200, 255]])[:, :, np.newaxis]
  step = functools.partial(
      color.brighten_and_saturate, delta=0.1, factor=1.5)
  np.testing.assert_allclose(
      run(step, image), np.clip(image / 255 + 0.1, 0, 1) * 2 - 1, atol=1e-6)
