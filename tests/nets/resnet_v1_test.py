"""Tests of what is ResNet v1's own; resnet_utils_test has the common part."""
import inspect

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import resnet_utils
from nets import resnet_v1

_NETWORKS = {
    50: resnet_v1.resnet_v1_50,
    101: resnet_v1.resnet_v1_101,
    152: resnet_v1.resnet_v1_152,
    200: resnet_v1.resnet_v1_200,
}


def _trainable_parameters():
  return sum(variable.shape.num_elements()
             for variable in tf.trainable_variables())


def _run(*tensors):
  tf.set_random_seed(1)
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    return session.run(tensors)


def test_parameters_and_end_points_of_resnet_v1_50():
  with slim.arg_scope(resnet_v1.resnet_arg_scope()):
    logits, ends = resnet_v1.resnet_v1_50(tf.zeros([2, 224, 224, 3]), 1000)
  assert logits.shape.as_list() == [2, 1000]
  assert _trainable_parameters() == 25557032
  assert len(ends) == 77
  shapes = {name: net.shape.as_list() for name, net in ends.items()}
  assert shapes['resnet_v1_50/block1'] == [2, 28, 28, 256]
  assert shapes['resnet_v1_50/block4'] == [2, 7, 7, 2048]
  assert shapes['global_pool'] == [2, 1, 1, 2048]
  assert shapes['resnet_v1_50/logits'] == [2, 1, 1, 1000]
  assert shapes['resnet_v1_50/spatial_squeeze'] == [2, 1000]
  assert shapes['predictions'] == [2, 1000]
  assert len(tf.get_collection(tf.GraphKeys.UPDATE_OPS)) == 106


@pytest.mark.parametrize('depth', sorted(_NETWORKS))
def test_blocks_of_the_named_networks(monkeypatch, depth):
  calls = []
  monkeypatch.setattr(resnet_v1, 'resnet_v1',
                      lambda *args, **kwargs: calls.append((args, kwargs)))
  _NETWORKS[depth]('images', 5, False, output_stride=16)
  (images, blocks, num_classes, is_training, _, output_stride), options = (
      calls[0])
  assert (images, num_classes, is_training, output_stride) == (
      'images', 5, False, 16)
  assert options['scope'] == 'resnet_v1_%d' % depth
  assert tuple(len(block.args) for block in blocks) == (
      resnet_utils.UNITS[depth])
  assert [block.args[-1]['stride'] for block in blocks] == [2, 2, 2, 1]
  assert [block.args[0]['depth'] for block in blocks] == [256, 512, 1024, 2048]


@pytest.mark.parametrize('depth', sorted(_NETWORKS))
def test_names_sizes_and_order_of_arguments(depth):
  network = _NETWORKS[depth]
  assert network.__name__ == 'resnet_v1_%d' % depth
  assert network.default_image_size == 224
  assert network.__doc__
  arguments = list(inspect.signature(network).parameters)
  swapped = ['store_non_strided_activations', 'spatial_squeeze']
  assert arguments == (
      ['inputs', 'num_classes', 'is_training', 'global_pool', 'output_stride'] +
      (swapped if depth > 101 else swapped[::-1]) +
      ['min_base_depth', 'depth_multiplier', 'reuse', 'scope'])


def test_swapped_arguments_arrive_where_they_belong(monkeypatch):
  calls = []
  monkeypatch.setattr(resnet_v1, 'resnet_v1',
                      lambda *args, **kwargs: calls.append(kwargs))
  resnet_v1.resnet_v1_152('images', 5, True, False, 16, 'store', 'squeeze')
  resnet_v1.resnet_v1_50('images', 5, True, False, 16, 'squeeze', 'store')
  for options in calls:
    assert options['store_non_strided_activations'] == 'store'
    assert options['spatial_squeeze'] == 'squeeze'


def test_depth_multiplier_and_min_depth(monkeypatch):
  depths = []
  monkeypatch.setattr(
      resnet_v1, 'resnet_v1', lambda images, blocks, *args, **kwargs:
      depths.append([block.args[0]['depth_bottleneck'] for block in blocks]))
  resnet_v1.resnet_v1_50('images', depth_multiplier=0.5)
  resnet_v1.resnet_v1_50('images', depth_multiplier=0.01)
  resnet_v1.resnet_v1_50('images', depth_multiplier=0.01, min_base_depth=2)
  resnet_v1.resnet_v1_200('images', depth_multiplier=2)
  resnet_v1.resnet_v1_101('images', depth_multiplier=0, min_base_depth=5)
  assert depths == [[32, 64, 128, 256], [8, 8, 8, 8], [2, 2, 2, 5],
                    [128, 256, 512, 1024], [5, 5, 5, 5]]


def test_depth_multiplier_of_zero_builds_the_minimum_depth():
  _, ends = resnet_v1.resnet_v1_50(
      tf.zeros([1, 32, 32, 3]), depth_multiplier=0, min_base_depth=3)
  for block in range(1, 5):
    assert ends['resnet_v1_50/block%d' % block].shape.as_list()[-1] == 12


@pytest.mark.parametrize('network', _NETWORKS.values())
def test_depth_multiplier_must_not_be_negative(network):
  with pytest.raises(ValueError, match=(
      'depth_multiplier must be 0 or more, given -0.5')):
    network(tf.zeros([1, 32, 32, 3]), depth_multiplier=-0.5)


def _bottleneck(images, depth, **kwargs):
  with slim.arg_scope(resnet_v1.resnet_arg_scope()):
    with slim.arg_scope([slim.batch_norm], is_training=False):
      return resnet_v1.bottleneck(
          tf.constant(images), depth, depth_bottleneck=3, stride=1, **kwargs)


def test_unit_is_a_rectified_sum():
  images = np.random.RandomState(0).normal(size=[1, 4, 4, 8])
  net = _bottleneck(images.astype(np.float32), 8, scope='unit',
                    outputs_collections='units')
  assert net.op.type == 'Relu'
  assert list(slim.utils.convert_collection_to_dict('units')) == ['unit']
  conv3, = [op.outputs[0] for op in net.graph.get_operations()
            if op.name.startswith('unit/conv3/BatchNorm/FusedBatchNorm')]
  net, residual = _run(net, conv3)
  np.testing.assert_allclose(net, np.maximum(images + residual, 0), rtol=1e-4,
                             atol=1e-6)


def test_only_a_change_of_depth_makes_a_convolution_of_the_shortcut():
  images = np.zeros([1, 4, 4, 8], np.float32)
  _bottleneck(images, 8, scope='same')
  _bottleneck(images, 12, scope='wider')
  shortcuts = [variable.op.name for variable in tf.global_variables()
               if variable.op.name.endswith('shortcut/weights')]
  assert shortcuts == ['wider/shortcut/weights']


@pytest.mark.parametrize('depth', [8, 12])
def test_bounded_activations(depth):
  images = 100 * np.random.RandomState(0).normal(size=[1, 4, 4, 8])
  images = images.astype(np.float32)
  free = _bottleneck(images, depth, scope='unit')
  with tf.variable_scope(tf.get_variable_scope(), reuse=True):
    bounded = _bottleneck(images, depth, scope='unit',
                          use_bounded_activations=True)
  free, bounded = _run(free, bounded)
  assert free.max() > 6
  assert bounded.max() == 6 and bounded.min() == 0


def test_end_points_before_the_strides_of_the_network():
  blocks = [resnet_v1.resnet_v1_block('block1', 1, 1, stride=2),
            resnet_v1.resnet_v1_block('block2', 2, 1, stride=2)]
  with slim.arg_scope(resnet_v1.resnet_arg_scope()):
    net, ends = resnet_v1.resnet_v1(
        tf.zeros([1, 65, 65, 3]), blocks, global_pool=False, output_stride=8,
        store_non_strided_activations=True, scope='tiny')
  assert net.shape.as_list() == [1, 9, 9, 8]
  assert ends['tiny/block1'].shape.as_list() == [1, 17, 17, 4]
  assert ends['tiny/block2'].shape.as_list() == [1, 9, 9, 8]
