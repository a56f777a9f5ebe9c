"""Tests of what is ResNet v2's own; resnet_utils_test has the common part."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import resnet_utils
from nets import resnet_v2

_NETWORKS = {
    50: resnet_v2.resnet_v2_50,
    101: resnet_v2.resnet_v2_101,
    152: resnet_v2.resnet_v2_152,
    200: resnet_v2.resnet_v2_200,
}


def _run(*tensors):
  tf.set_random_seed(1)
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    return session.run(tensors)


def test_parameters_and_end_points_of_resnet_v2_50():
  with slim.arg_scope(resnet_v2.resnet_arg_scope()):
    logits, ends = resnet_v2.resnet_v2_50(tf.zeros([2, 299, 299, 3]), 1001)
  assert logits.shape.as_list() == [2, 1001]
  assert sum(variable.shape.num_elements()
             for variable in tf.trainable_variables()) == 25570409
  assert len(ends) == 77
  shapes = {name: net.shape.as_list() for name, net in ends.items()}
  assert shapes['resnet_v2_50/block1'] == [2, 38, 38, 256]
  assert shapes['resnet_v2_50/block4'] == [2, 10, 10, 2048]
  assert shapes['global_pool'] == [2, 1, 1, 2048]
  assert shapes['predictions'] == [2, 1001]
  assert len(tf.get_collection(tf.GraphKeys.UPDATE_OPS)) == 98


@pytest.mark.parametrize('depth', sorted(_NETWORKS))
def test_the_named_networks(monkeypatch, depth):
  calls = []
  monkeypatch.setattr(resnet_v2, 'resnet_v2',
                      lambda *args, **kwargs: calls.append((args, kwargs)))
  network = _NETWORKS[depth]
  network('images', 5, False, False, 16, False, True)
  (images, blocks, *rest), options = calls[0]
  assert [images] + rest == ['images', 5, False, False, 16]
  assert options == dict(spatial_squeeze=False, reuse=True,
                         scope='resnet_v2_%d' % depth)
  assert tuple(len(block.args) for block in blocks) == (
      resnet_utils.UNITS[depth])
  assert [block.args[-1]['stride'] for block in blocks] == [2, 2, 2, 1]
  assert [block.args[0]['depth'] for block in blocks] == [256, 512, 1024, 2048]
  assert network.__name__ == 'resnet_v2_%d' % depth
  assert network.default_image_size == 224
  assert network.__doc__


def _bottleneck(images, depth):
  with slim.arg_scope(resnet_v2.resnet_arg_scope()):
    with slim.arg_scope([slim.batch_norm], is_training=False):
      return resnet_v2.bottleneck(
          tf.constant(images), depth, depth_bottleneck=3, stride=1,
          scope='unit')


def _output_of(name):
  return tf.get_default_graph().get_tensor_by_name(name + ':0')


def test_unit_adds_to_its_input():
  images = np.random.RandomState(0).normal(size=[1, 4, 4, 8])
  images = images.astype(np.float32)
  net = _bottleneck(images, 8)
  net, preact, residual = _run(net, _output_of('unit/preact/Relu'),
                               _output_of('unit/conv3/BiasAdd'))
  # Variance 1 + 1.001e-5 of the untrained normalization.
  np.testing.assert_allclose(preact, np.maximum(images, 0), rtol=1e-4)
  np.testing.assert_allclose(net, images + residual, rtol=1e-4, atol=1e-6)


def test_shortcut_to_another_depth_starts_at_the_normalized_input():
  _bottleneck(np.zeros([1, 4, 4, 8], np.float32), 12)
  shortcut = tf.get_default_graph().get_operation_by_name(
      'unit/shortcut/Conv2D')
  assert shortcut.inputs[0].op.name == 'unit/preact/Relu'


def test_what_is_normalized_and_what_has_biases():
  blocks = [resnet_v2.resnet_v2_block('block', 1, 1, stride=1)]
  with slim.arg_scope(resnet_v2.resnet_arg_scope()):
    net, _ = resnet_v2.resnet_v2(
        tf.constant(np.random.RandomState(0).normal(
            size=[2, 16, 16, 3]).astype(np.float32)),
        blocks, global_pool=False, scope='tiny')
  unit = 'tiny/block/unit_1/bottleneck_v2/'
  names = {variable.op.name for variable in tf.trainable_variables()}
  biases = {name for name in names if name.endswith('/biases')}
  assert biases == {'tiny/conv1/biases', unit + 'shortcut/biases',
                    unit + 'conv3/biases'}
  gammas = {name for name in names if name.endswith('/gamma')}
  assert gammas == {unit + 'preact/gamma', unit + 'conv1/BatchNorm/gamma',
                    unit + 'conv2/BatchNorm/gamma', 'tiny/postnorm/gamma'}
  assert net.op.name == 'tiny/postnorm/Relu'
  features, = _run(net)
  assert features.min() == 0 < features.max()
