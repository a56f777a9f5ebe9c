"""Weights rounded to 8 bits so that their errors cancel."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from image_classifier.export import int8_rounding

_DRAWS = np.random.RandomState(0)
# Neighbours go together, places and channels.
_PICTURES = _DRAWS.normal(size=[40, 8, 8, 6]).astype(
    np.float32).cumsum(axis=1).cumsum(axis=3)
_CONV = _DRAWS.normal(size=[3, 3, 6, 5]).astype(np.float32)
_DEPTHWISE = _DRAWS.normal(size=[3, 3, 6, 2]).astype(np.float32)


def _round(weights, kind, batches=2, **arguments):
  """Returns rounded weights, and the outputs of (given, rounded, nearest)."""
  function = (tf.nn.conv2d if kind == 'Conv2D'
              else tf.nn.depthwise_conv2d_native)
  arguments = dict(dict(strides=[1, 1, 1, 1], padding='SAME'), **arguments)
  with tf.Graph().as_default() as graph, tf.Session() as session:
    images = tf.placeholder(tf.float32, [None, 8, 8, 6])
    net = function(images, tf.constant(weights, name='weights'), **arguments)
    found = int8_rounding.round_weights(
        graph.get_operations(), session, [
            {images: part} for part in np.split(_PICTURES, batches)])
    rounded = found.get('weights', weights)
    nearest = int8_rounding.nearest(weights, kind)
    outputs = session.run(
        [net] + [function(images, one, **arguments)
                 for one in (rounded, nearest)], {images: _PICTURES})
  return found, rounded, outputs


def _error(one, other):
  """Returns the error that a bias cannot take away."""
  errors = one - other
  return np.sqrt(np.mean(np.square(errors - errors.mean(axis=(0, 1, 2)))))


@pytest.mark.parametrize('weights, kind, arguments', [
    (_CONV, 'Conv2D', {}),
    (_CONV[:1, :1], 'Conv2D', {}),
    (_CONV, 'Conv2D', dict(strides=[1, 2, 2, 1], padding='VALID')),
    (_CONV, 'Conv2D', dict(dilations=[1, 2, 2, 1])),
    (_DEPTHWISE, 'DepthwiseConv2dNative', {})])
def test_errors_cancel(weights, kind, arguments):
  found, rounded, (exact, better, plain) = _round(weights, kind, **arguments)
  assert list(found) == ['weights']
  assert rounded.dtype == np.float32 and rounded.shape == weights.shape
  assert _error(better, exact) < 0.85 * _error(plain, exact)


@pytest.mark.parametrize('weights, kind', [
    (_CONV, 'Conv2D'), (_DEPTHWISE, 'DepthwiseConv2dNative')])
def test_converters_find_the_same_steps(weights, kind):
  """The largest weight of a channel stays, and all are whole steps of it."""
  _, rounded, _ = _round(weights, kind)
  axes = int8_rounding.SHARED_AXES[kind]
  largest = np.abs(weights).max(axis=axes)
  np.testing.assert_array_equal(np.abs(rounded).max(axis=axes), largest)
  steps = rounded / largest * 127
  np.testing.assert_allclose(steps, np.round(steps), atol=1e-4)
  assert np.abs(rounded - weights).max() < 3 * largest.max() / 127
  np.testing.assert_allclose(
      int8_rounding.nearest(rounded, kind), rounded, rtol=1e-6)


def test_batches_count_alike():
  np.testing.assert_array_equal(_round(_CONV, 'Conv2D', batches=1)[1],
                                _round(_CONV, 'Conv2D', batches=8)[1])


@pytest.mark.parametrize('kind, shape, steps', [
    ('Conv2D', [1, 1, 2, 2], [[127, 2], [64, 127]]),
    ('MatMul', [2, 2], [[127, 1], [64, 76]])])
def test_the_nearest_step(kind, shape, steps):
  """Channels of a convolution have steps of their own, a matrix has one.
  """
  weights = np.array([[127, 1.2], [63.6, 76.2]]).reshape(shape)
  own = np.array([1, 1 if kind == 'MatMul' else 76.2 / 127])
  np.testing.assert_allclose(
      int8_rounding.nearest(weights, kind),
      (np.array(steps) * own).reshape(shape))


def test_zeros_stay():
  for kind in ('Conv2D', 'MatMul'):
    weights = np.zeros([1, 1, 2, 2] if kind == 'Conv2D' else [2, 2])
    assert (int8_rounding.nearest(weights, kind) == 0).all()
  assert (_round(np.zeros([1, 1, 6, 2], np.float32), 'Conv2D')[1] == 0).all()


def test_what_is_left_alone():
  """Large kernels, and weights of two layers."""
  large = _DRAWS.normal(size=[15, 15, 6, 1]).astype(np.float32)
  assert not _round(large, 'Conv2D')[0]
  with tf.Graph().as_default() as graph, tf.Session() as session:
    images = tf.placeholder(tf.float32, [None, 8, 8, 6])
    weights = tf.constant(_DRAWS.normal(size=[1, 1, 6, 6]), tf.float32)
    for _ in range(2):
      images = tf.nn.conv2d(
          images, weights, strides=[1, 1, 1, 1], padding='SAME')
    assert not int8_rounding.round_weights(
        graph.get_operations(), session, [])
