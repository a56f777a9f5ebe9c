"""Bias correction for rounding to 8 bits."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from image_classifier.export import int8_calibration
from image_classifier.export import tflite
from image_classifier.inference import backends


def _graph(batch=None):
  """A random network with a depthwise convolution, as folding leaves it.

  Its weights are large and its output small, as behind a normalization that
  subtracts a large mean.
  """
  random = np.random.RandomState(0)
  depthwise = random.uniform(10, 20, [3, 3, 3, 4])
  offset = 3 - 0.9 * depthwise.sum(axis=(0, 1)).reshape(-1)
  pointwise = random.normal(0, 0.3, [12, 12])
  dense = random.normal(size=[12, 6])
  with tf.Graph().as_default() as graph:
    images = tf.placeholder(tf.float32, [batch, 8, 8, 3], name='input')
    net = tf.nn.relu6(tf.nn.bias_add(tf.nn.depthwise_conv2d(
        images, _constant(depthwise), [1, 1, 1, 1], 'VALID'),
                                     _constant(offset)))
    net += tf.nn.relu6(tf.nn.bias_add(tf.nn.conv2d(
        net, _constant(pointwise[None, None]), strides=[1, 1, 1, 1],
        padding='SAME'), _constant(np.ones(12))))
    net = tf.reshape(tf.nn.max_pool2d(net, 6, 6, 'VALID'), [-1, 12])
    logits = tf.nn.bias_add(tf.matmul(net, _constant(dense)),
                            _constant(np.zeros(6)), name='logits')
    tf.nn.softmax(logits, name='predictions')
    return graph.as_graph_def()


def _constant(values):
  return tf.constant(values, tf.float32)


def _images(number, seed=0):
  """Returns images of little contrast."""
  return np.random.RandomState(seed).uniform(
      0.8, 1, [number, 8, 8, 3]).astype(np.float32)


def _errors(directory, graph_def, images):
  """Returns the errors of a model in 8 bits on other images.

  They are the root mean square error, and that of the mean of each class.
  """
  path = directory / 'model.tflite'
  path.write_bytes(tflite.convert(
      graph_def, [1, 8, 8, 3], [image[None] for image in images]))
  others = _images(30, seed=1)
  expected = backends.load_graph_def(_graph()).run(others)[0]
  found = backends.load(str(path)).run(others)[0]
  errors = found - expected
  return (np.sqrt(np.mean(np.square(errors))),
          np.sqrt(np.mean(np.square(errors.mean(axis=0)))))


def test_the_error_falls(tmp_path, monkeypatch):
  error, mean = _errors(tmp_path, _graph(), _images(40))
  monkeypatch.setattr(
      int8_calibration, 'correct_biases', lambda graph_def, _: graph_def)
  error_before, mean_before = _errors(tmp_path, _graph(), _images(40))
  assert error < 0.6 * error_before and mean < 0.4 * mean_before


@pytest.mark.parametrize('batch', [None, 4])
def test_only_biases_change(batch):
  before = _graph(batch)
  after = int8_calibration.correct_biases(
      before, list(_images(8).reshape(2, 4, 8, 8, 3)))
  biases = {node.input[1] for node in before.node if node.op == 'BiasAdd'}
  changed = {node.name for node, other in zip(before.node, after.node)
             if node != other}
  assert len(biases) == 3 and changed == biases
  assert [node.name for node in before.node] == [
      node.name for node in after.node]


def _layer(weights, bias, kind=tf.nn.conv2d):
  """Returns the corrected bias of one convolution."""
  with tf.Graph().as_default() as graph:
    images = tf.placeholder(tf.float32, [None, 1, 1, 2], name='input')
    net = kind(images, tf.constant(weights, tf.float32),
               strides=[1, 1, 1, 1], padding='SAME')
    tf.nn.bias_add(net, tf.constant(bias, tf.float32, name='bias'))
  calibration = np.array([[[[[0, 1]]], [[[1, 1]]]]], np.float32)
  after = int8_calibration.correct_biases(graph.as_graph_def(), calibration)
  node = [node for node in after.node if node.name == 'bias'][0]
  return tf.make_ndarray(node.attr['value'].tensor)


def test_the_correction_is_the_mean_error_of_the_weights():
  """A step of 1 / 127: 0.5039 becomes 64 steps, 0.5 as well (63.5, even).

  The means of the images are 0.5 and 1, and 8 bits represent them exactly.
  """
  steps = np.array([[127, 63.3], [63.3, 127.0]])
  found = _layer((steps / 127).reshape(1, 1, 2, 2), [1.0, 2.0])
  np.testing.assert_allclose(
      found, [1 + 0.3 / 127, 2 + 0.5 * 0.3 / 127], atol=1e-5)


def test_depthwise_weights_have_a_scale_per_channel():
  found = _layer(np.array([1.0, 0.001]).reshape(1, 1, 2, 1), [1.0, 2.0],
                 tf.nn.depthwise_conv2d_native)
  np.testing.assert_allclose(found, [1.0, 2.0], atol=1e-5)


def test_weights_of_a_matrix_product_share_a_scale():
  def _product(images, weights, strides, padding):
    del strides, padding
    return tf.matmul(tf.reshape(images, [-1, 2]), weights[0, 0])
  found = _layer(np.array([[1, 0.001], [0, 0.0]]).reshape(1, 1, 2, 2),
                 [1.0, 2.0], _product)
  np.testing.assert_allclose(found, [1.0, 2.0], atol=1e-5)


def test_a_bias_that_two_layers_share_does_not_change():
  with tf.Graph().as_default() as graph:
    images = tf.placeholder(tf.float32, [None, 1, 1, 1], name='input')
    bias = tf.constant([0.1], name='bias')
    for scale in (0.3, 0.7):
      weights = tf.constant(scale, shape=[1, 1, 1, 1])
      images = tf.nn.bias_add(tf.nn.conv2d(
          images, weights, strides=[1, 1, 1, 1], padding='SAME'), bias)
  before = graph.as_graph_def()
  after = int8_calibration.correct_biases(
      before, [np.ones([1, 1, 1, 1], np.float32)])
  assert after == before


def test_activations_that_are_always_zero():
  """An empty range has no scale; such a layer does not change."""
  found = _layer(np.zeros([1, 1, 2, 2]), [0.0, 0.0])
  np.testing.assert_array_equal(found, [0.0, 0.0])


@pytest.mark.parametrize('kind, shape, steps', [
    ('Conv2D', [1, 1, 2, 2], [[127, 2], [64, 127]]),
    ('DepthwiseConv2dNative', [2, 1, 2, 1], [[127, 2], [64, 127]]),
    ('MatMul', [2, 2], [[127, 1], [64, 76]])])
def test_weights_are_rounded_to_the_nearest_step(kind, shape, steps):
  """Channels of a convolution have one scale each, a matrix has one."""
  weights = np.array([[127, 1.2], [63.6, 76.2]]).reshape(shape)
  scales = np.array([1, 1 if kind == 'MatMul' else 76.2 / 127])
  np.testing.assert_allclose(
      int8_calibration.round_weights(weights, kind),
      (np.array(steps) * scales).reshape(shape))


def test_weights_of_zero_stay_zero():
  for kind, shape in (('Conv2D', [1, 1, 2, 2]), ('MatMul', [2, 2])):
    assert not int8_calibration.round_weights(np.zeros(shape), kind).any()
