"""Grad-CAM against NumPy, and on networks."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from image_classifier.inference import grad_cam
from nets import nets_factory


def test_against_numpy():
  """Logits are a linear function of the maps, so gradients are its weights."""
  random = np.random.RandomState(0)
  maps = random.normal(size=[3, 4, 5, 6]).astype(np.float32)
  weights = random.normal(size=[4, 5, 6, 7]).astype(np.float32)
  with tf.Graph().as_default(), tf.Session() as session:
    images = tf.placeholder(tf.float32, [None, 4, 5, 6])
    features = tf.identity(images)
    logits = tf.tensordot(features, weights, [[1, 2, 3], [0, 1, 2]])
    end_points = {'input': images, 'maps': features, 'logits': logits,
                  'pooled': tf.reduce_mean(features, [1, 2], keepdims=True),
                  'unused': tf.zeros([3, 4, 5, 6])}
    found = session.run(grad_cam.heat_map(
        logits, tf.nn.softmax(logits), end_points), {images: maps})
  chosen = np.tensordot(maps, weights, 3).argmax(axis=1)
  for k, best in enumerate(chosen):
    expected = (maps[k] * weights[..., best].mean(axis=(0, 1))).sum(axis=-1)
    np.testing.assert_allclose(found[k], np.maximum(expected, 0), atol=1e-5)
  assert found.max() > 0


@pytest.mark.parametrize('name, size, expected', [
    ('lenet', 28, (7, 7)), ('mobilenet_v1_025', 64, (2, 2))])
def test_the_last_spatial_end_point_of_networks(name, size, expected):
  with tf.Graph().as_default():
    images = tf.placeholder(tf.float32, [None, size, size, 3])
    logits, end_points = nets_factory.get_network_fn(name, 5)(images)
    heat = grad_cam.heat_map(logits, tf.nn.softmax(logits), end_points)
    assert tuple(heat.shape.as_list()[1:]) == expected


def test_no_spatial_end_point():
  logits = tf.zeros([1, 3])
  with pytest.raises(ValueError, match='--explain: the network has no end '
                     'point with height and width of 2 or more'):
    grad_cam.heat_map(logits, logits, {'a': tf.zeros([1, 1, 1, 3])})
