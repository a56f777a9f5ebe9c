"""ResNet v2: residual units with normalization before each convolution.

K. He, X. Zhang, S. Ren, J. Sun: Identity mappings in deep residual networks
(2016), https://arxiv.org/abs/1603.05027. The shortcut is never normalized, so
the root block and the last convolution of a unit have biases, and the features
are normalized once at the end (scope `postnorm`).
"""
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import contrib_scopes
from nets import layouts
from nets import normalization
from nets import resnet_utils

resnet_arg_scope = resnet_utils.resnet_arg_scope


@slim.add_arg_scope
def bottleneck(inputs, depth, depth_bottleneck, stride, rate=1,
               outputs_collections=None, scope=None):
  """Builds a unit; arguments and result are as of `resnet_v1.bottleneck`."""
  with tf.variable_scope(scope, 'bottleneck_v2', [inputs]) as sc:
    preact = normalization.batch_norm(
        inputs, activation_fn=tf.nn.relu, scope='preact')
    if layouts.channels(inputs) == depth:
      shortcut = resnet_utils.subsample(inputs, stride, 'shortcut')
    else:
      shortcut = slim.conv2d(
          preact, depth, [1, 1], stride=stride, activation_fn=None,
          normalizer_fn=None, scope='shortcut')
    net = slim.conv2d(preact, depth_bottleneck, [1, 1], stride=1, scope='conv1')
    net = resnet_utils.conv2d_same(
        net, depth_bottleneck, 3, stride, rate=rate, scope='conv2')
    net = slim.conv2d(net, depth, [1, 1], stride=1, activation_fn=None,
                      normalizer_fn=None, scope='conv3')
    return slim.utils.collect_named_outputs(
        outputs_collections, sc.name, shortcut + net)


def resnet_v2_block(scope, base_depth, num_units, stride):
  """Returns a block of units; see `resnet_v1.resnet_v1_block`."""
  return resnet_utils.bottleneck_block(
      scope, bottleneck, base_depth, num_units, stride)


@contrib_scopes.reach
def resnet_v2(inputs, blocks, num_classes=None, is_training=True,
              global_pool=True, output_stride=None, include_root_block=True,
              spatial_squeeze=True, reuse=None, scope=None):
  """Builds a ResNet v2 of any blocks, as `resnet_v2_block` makes them.

  Arguments, results and errors are those of `resnet_v1.resnet_v1`, without
  `store_non_strided_activations`.
  """
  resnet_utils.check_output_stride(output_stride, blocks, include_root_block)
  with resnet_utils.network_scope(scope, 'resnet_v2', inputs, bottleneck,
                                  is_training, reuse) as scopes:
    net = inputs
    if include_root_block:
      # The first unit normalizes its input.
      with slim.arg_scope([slim.conv2d], activation_fn=None,
                          normalizer_fn=None):
        net = resnet_utils.root_block(net)
    net = resnet_utils.stack_in_network(
        net, blocks, output_stride, include_root_block)
    net = normalization.batch_norm(
        net, activation_fn=tf.nn.relu, scope='postnorm')
    return resnet_utils.classify(
        net, scopes, num_classes, global_pool, spatial_squeeze)


resnet_v2.default_image_size = 224


def resnet_v2_50(inputs, num_classes=None, is_training=True, global_pool=True,
                 output_stride=None, spatial_squeeze=True, reuse=None,
                 scope='resnet_v2_50'):
  """Builds ResNet v2 of 50 layers, designed for 224x224, with 2048 features.

  The published weights were trained with Inception preprocessing at 299x299.
  `output_stride` is None, 4, 8, 16 or 32; for the others see `resnet_v2`.
  """
  return resnet_v2(
      inputs, resnet_utils.blocks_of(50, resnet_v2_block), num_classes,
      is_training, global_pool, output_stride, spatial_squeeze=spatial_squeeze,
      reuse=reuse, scope=scope)


def resnet_v2_101(inputs, num_classes=None, is_training=True, global_pool=True,
                  output_stride=None, spatial_squeeze=True, reuse=None,
                  scope='resnet_v2_101'):
  """Builds ResNet v2 of 101 layers; see `resnet_v2_50`."""
  return resnet_v2(
      inputs, resnet_utils.blocks_of(101, resnet_v2_block), num_classes,
      is_training, global_pool, output_stride, spatial_squeeze=spatial_squeeze,
      reuse=reuse, scope=scope)


def resnet_v2_152(inputs, num_classes=None, is_training=True, global_pool=True,
                  output_stride=None, spatial_squeeze=True, reuse=None,
                  scope='resnet_v2_152'):
  """Builds ResNet v2 of 152 layers; see `resnet_v2_50`."""
  return resnet_v2(
      inputs, resnet_utils.blocks_of(152, resnet_v2_block), num_classes,
      is_training, global_pool, output_stride, spatial_squeeze=spatial_squeeze,
      reuse=reuse, scope=scope)


def resnet_v2_200(inputs, num_classes=None, is_training=True, global_pool=True,
                  output_stride=None, spatial_squeeze=True, reuse=None,
                  scope='resnet_v2_200'):
  """Builds ResNet v2 of 200 layers; see `resnet_v2_50`."""
  return resnet_v2(
      inputs, resnet_utils.blocks_of(200, resnet_v2_block), num_classes,
      is_training, global_pool, output_stride, spatial_squeeze=spatial_squeeze,
      reuse=reuse, scope=scope)


for _network in (resnet_v2_50, resnet_v2_101, resnet_v2_152, resnet_v2_200):
  _network.default_image_size = 224
