"""The values of torchvision's preprocessing; its crops are those of VGG."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from preprocessing import preprocessing_factory
from preprocessing import torchvision_preprocessing


def _run(image, **options):
  preprocess = preprocessing_factory.get_preprocessing('torchvision', **options)
  with tf.Session() as session:
    return session.run(preprocess(tf.constant(image), 8, 8))


@pytest.mark.parametrize('color', [[0, 0, 0], [255, 255, 255], [10, 100, 200]])
def test_values(color):
  image = np.tile(np.uint8(color), [300, 300, 1])
  expected = (np.array(color) / 255 - [0.485, 0.456, 0.406]) / [
      0.229, 0.224, 0.225]
  for is_training in False, True:
    result = _run(image, is_training=is_training)
    assert result.shape == (8, 8, 3)
    np.testing.assert_allclose(
        result, np.tile(expected, [8, 8, 1]), atol=1e-5)
  described = preprocessing_factory.describe('torchvision')
  np.testing.assert_allclose(
      (np.array(color) - described['mean']) * described['scale'], expected)


def test_grayscale():
  image = np.full([300, 300, 3], 255, np.uint8)
  result = _run(image, use_grayscale=True)
  assert result.shape == (8, 8, 1)
  np.testing.assert_allclose(result, 2.3985, atol=2e-3)


def test_augmentation_is_that_of_vgg():
  augmentation = preprocessing_factory.Augmentation(crop_min_area=0.5)
  image = np.zeros([300, 300, 3], np.uint8)
  result = _run(image, is_training=True, augmentation=augmentation)
  low = torchvision_preprocessing.EVALUATION['mean'][0] / 255 / 0.229
  np.testing.assert_allclose(result[..., 0], -low, atol=1e-5)
