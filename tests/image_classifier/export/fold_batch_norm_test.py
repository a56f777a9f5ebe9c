"""Folding of batch normalization and constants."""
import collections

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from image_classifier.export import fold_batch_norm


def _frozen(build, shape=(None, 8, 8, 3)):
  """Returns the frozen graph of `build`, with random moments."""
  with tf.Graph().as_default() as graph, tf.Session() as session:
    tf.set_random_seed(0)
    output = tf.identity(build(tf.placeholder(
        tf.float32, shape, name='input')), name='output')
    session.run(tf.global_variables_initializer())
    for seed, variable in enumerate(tf.global_variables()):
      variable.load(np.random.RandomState(seed).uniform(
          0.5, 1.5, variable.shape.as_list()), session)
    return tf.graph_util.convert_variables_to_constants(
        session, graph.as_graph_def(), [output.op.name])


def _run(graph_def, images):
  with tf.Graph().as_default(), tf.Session() as session:
    tf.import_graph_def(graph_def, name='')
    return session.run('output:0', {'input:0': images})


def _folded(build, **arguments):
  """Folds, checks that the output is the same, and returns {op: count}."""
  frozen = _frozen(build, **arguments)
  folded = fold_batch_norm.fold(frozen, ['output'])
  shape = [2 if size is None else size for size in arguments.get(
      'shape', (None, 8, 8, 3))]
  images = np.random.RandomState(0).uniform(-1, 1, shape).astype(np.float32)
  expected = _run(frozen, images)
  np.testing.assert_allclose(
      _run(folded, images), expected, atol=1e-5 * np.abs(expected).max())
  assert {node.name for node in folded.node if node.op != 'Const'} <= {
      node.name for node in frozen.node}, 'names do not change'
  return collections.Counter(node.op for node in folded.node)


def _normalized(layer, *arguments, **others):
  def build(images):
    with slim.arg_scope([slim.batch_norm], is_training=False, scale=True):
      return layer(images, *arguments, normalizer_fn=slim.batch_norm, **others)
  return build


@pytest.mark.parametrize('fused', [True, False])
def test_a_convolution(fused):
  ops = _folded(_normalized(
      slim.conv2d, 4, 3, normalizer_params={'fused': fused}))
  assert ops == {'Placeholder': 1, 'Const': 2, 'Conv2D': 1, 'BiasAdd': 1,
                 'Relu': 1, 'Identity': 1}


def test_a_depthwise_convolution():
  for multiplier in (1, 2):
    ops = _folded(_normalized(
        slim.separable_conv2d, None, 3, depth_multiplier=multiplier))
    assert ops['BiasAdd'] == ops['DepthwiseConv2dNative'] == 1
    assert not ops['FusedBatchNormV3'] and not ops['FusedBatchNorm']


def test_a_convolution_over_time():
  ops = _folded(_normalized(slim.conv3d, 4, 3), shape=(None, 4, 8, 8, 3))
  assert ops['Conv3D'] == ops['BiasAdd'] == 1 and not ops['Mul']


def test_a_bias_and_steps_behind_it():
  ops = _folded(lambda images: 3.0 + 2.0 * (slim.conv2d(
      images, 4, 3, activation_fn=None) - [1.0, 2.0, 3.0, 4.0]))
  assert ops['BiasAdd'] == 1 and not ops['Mul'] + ops['AddV2'] + ops['Sub']


def test_constants():
  ops = _folded(lambda images: images * tf.sqrt(
      tf.constant([1.0, 4.0, 9.0]) + 1.0))
  assert ops == {'Placeholder': 1, 'Const': 1, 'Mul': 1, 'Identity': 1}


@pytest.mark.parametrize('build', [
    # The convolution has a second reader.
    lambda images: (lambda net: slim.batch_norm(net, is_training=False) + net)(
        slim.conv2d(images, 4, 3, activation_fn=None)),
    # Nothing to fold into.
    lambda images: slim.conv2d(slim.batch_norm(images, is_training=False), 2,
                               1),
    # The moments of the batch.
    _normalized(slim.conv2d, 4, 3, normalizer_params={
        'is_training': True}),
    # The offset is an image, not a number per channel.
    lambda images: slim.conv2d(images, 3, 3, activation_fn=None,
                               biases_initializer=None) + images])
def test_what_is_not_folded(build):
  ops = _folded(build)
  assert ops['FusedBatchNormV3'] + ops['FusedBatchNorm'] + ops['AddV2'] + ops[
      'Add'] >= 1


def test_fake_quantization_of_weights_stays():
  """Converters take the range of the weights from it."""
  ops = _folded(lambda images: tf.nn.conv2d(
      images, tf.fake_quant_with_min_max_args(
          tf.constant(0.3, shape=[1, 1, 3, 2]) * tf.constant([1.0, 2.0])),
      strides=[1, 1, 1, 1], padding='SAME') + [1.0, 2.0])
  assert ops['FakeQuantWithMinMaxArgs'] == 1 and not ops['Mul']


def test_shared_weights():
  def build(images):
    with tf.variable_scope('one'):
      first = slim.conv2d(images, 3, 1, scope='conv', activation_fn=None)
    with tf.variable_scope('one', reuse=True):
      second = slim.conv2d(2 * first, 3, 1, scope='conv', activation_fn=None)
    return 2.0 * second
  _folded(build)
