"""ResNet v1: residual units with normalization after each convolution.

K. He, X. Zhang, S. Ren, J. Sun: Deep residual learning for image recognition
(2015), https://arxiv.org/abs/1512.03385.
"""
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import contrib_scopes
from nets import layouts
from nets import resnet_utils

resnet_arg_scope = resnet_utils.resnet_arg_scope


@slim.add_arg_scope
def bottleneck(inputs, depth, depth_bottleneck, stride, rate=1,
               outputs_collections=None, scope=None,
               use_bounded_activations=False):
  """Builds a unit: convolutions of 1x1, 3x3 and 1x1, added to a shortcut.

  Args:
    inputs: float32 [batch, height, width, channels].
    depth: channels of the result.
    depth_bottleneck: channels of the first two convolutions.
    stride: int, stride of the unit.
    rate: int, dilation of the 3x3 convolution.
    outputs_collections: collection that receives the result.
    scope: variable scope.
    use_bounded_activations: whether shortcut convolution, residual and result
      are bounded by 6, for quantized arithmetic.

  Returns:
    float32 [batch, ceil(height / stride), ceil(width / stride), depth].
  """
  bounded = use_bounded_activations
  with tf.variable_scope(scope, 'bottleneck_v1', [inputs]) as sc:
    if layouts.channels(inputs) == depth:
      shortcut = resnet_utils.subsample(inputs, stride, 'shortcut')
    else:
      shortcut = slim.conv2d(
          inputs, depth, [1, 1], stride=stride,
          activation_fn=tf.nn.relu6 if bounded else None, scope='shortcut')
    first, second = resnet_utils.strides_of_unit(stride)
    net = slim.conv2d(
        inputs, depth_bottleneck, [1, 1], stride=first, scope='conv1')
    net = resnet_utils.conv2d_same(
        net, depth_bottleneck, 3, second, rate=rate, scope='conv2')
    net = slim.conv2d(net, depth, [1, 1], stride=1, activation_fn=None,
                      scope='conv3')
    if bounded:
      net = tf.nn.relu6(shortcut + tf.clip_by_value(net, -6.0, 6.0))
    else:
      net = tf.nn.relu(shortcut + net)
    return slim.utils.collect_named_outputs(outputs_collections, sc.name, net)


def resnet_v1_block(scope, base_depth, num_units, stride):
  """Returns a block of bottleneck units.

  Args:
    scope: variable scope of the block.
    base_depth: channels inside the units; their output has four times as many.
    num_units: number of units.
    stride: stride of the last unit; the others have 1.
  """
  return resnet_utils.bottleneck_block(
      scope, bottleneck, base_depth, num_units, stride)


@contrib_scopes.reach
def resnet_v1(inputs, blocks, num_classes=None, is_training=True,
              global_pool=True, output_stride=None, include_root_block=True,
              spatial_squeeze=True, store_non_strided_activations=False,
              reuse=None, scope=None):
  """Builds a ResNet v1 of any blocks.

  For dense prediction (segmentation, detection) use `global_pool=False`,
  `spatial_squeeze=False`, an `output_stride`, and images whose height and
  width are one more than a multiple of it: 321 with 8 gives features of 41x41,
  whose corners are aligned with the corners of the image.

  Args:
    inputs: float32 [batch, height, width, channels].
    blocks: list of `resnet_utils.Block`, as `resnet_v1_block` makes them.
    num_classes: number of classes; None or 0 to return features instead.
    is_training: whether batch normalization is in training mode; None leaves
      it to an outer argument scope of `slim.batch_norm`.
    global_pool: whether to average the features over the image.
    output_stride: ratio of the size of the images to that of the features;
      strides beyond it are replaced by dilation. None for the product of all
      strides.
    include_root_block: whether to build the first convolution and pooling (of
      stride 4 together); if not, `inputs` replace their output.
    spatial_squeeze: whether to remove height and width of the logits, which
      must be 1.
    store_non_strided_activations: whether the end point of a block is taken
      before its stride.
    reuse: whether to reuse the variables of an earlier call with this scope.
    scope: variable scope.

  Returns:
    net: float32 logits [batch, num_classes], or [batch, h, w, num_classes] if
      not squeezed, or features [batch, h, w, channels]; h and w are 1 if
      pooled.
    end_points: dict from layer name to tensor.

  Raises:
    ValueError: `output_stride` cannot be reached with the strides of the
      blocks, or the logits cannot be squeezed.
  """
  resnet_utils.check_output_stride(output_stride, blocks, include_root_block)
  with resnet_utils.network_scope(scope, 'resnet_v1', inputs, bottleneck,
                                  is_training, reuse) as scopes:
    net = resnet_utils.root_block(inputs) if include_root_block else inputs
    net = resnet_utils.stack_in_network(
        net, blocks, output_stride, include_root_block,
        store_non_strided_activations=store_non_strided_activations)
    return resnet_utils.classify(
        net, scopes, num_classes, global_pool, spatial_squeeze)


resnet_v1.default_image_size = 224


def _blocks(num_layers, min_base_depth, depth_multiplier):
  """Returns blocks whose depths are scaled, but not below the minimum."""
  if depth_multiplier < 0:
    raise ValueError('depth_multiplier must be 0 or more, given %s.' %
                     depth_multiplier)
  return resnet_utils.blocks_of(
      num_layers, resnet_v1_block,
      lambda depth: max(int(depth * depth_multiplier), min_base_depth))


def resnet_v1_50(inputs, num_classes=None, is_training=True, global_pool=True,
                 output_stride=None, spatial_squeeze=True,
                 store_non_strided_activations=False, min_base_depth=8,
                 depth_multiplier=1, reuse=None, scope='resnet_v1_50'):
  """Builds ResNet v1 of 50 layers.

  Arguments that are not listed are those of `resnet_v1`.

  Args:
    inputs: float32 [batch, height, width, channels]; designed for 224x224.
    output_stride: None, 4, 8, 16 or 32.
    min_base_depth: minimum number of channels inside a unit.
    depth_multiplier: factor of the channels of all units, 0 or more; 0 gives
      all of them `min_base_depth`. The first convolution keeps its 64.

  Returns:
    What `resnet_v1` does; there are 2048 * depth_multiplier features.
  """
  return resnet_v1(
      inputs, _blocks(50, min_base_depth, depth_multiplier), num_classes,
      is_training, global_pool, output_stride, spatial_squeeze=spatial_squeeze,
      store_non_strided_activations=store_non_strided_activations,
      reuse=reuse, scope=scope)


def resnet_v1_101(inputs, num_classes=None, is_training=True, global_pool=True,
                  output_stride=None, spatial_squeeze=True,
                  store_non_strided_activations=False, min_base_depth=8,
                  depth_multiplier=1, reuse=None, scope='resnet_v1_101'):
  """Builds ResNet v1 of 101 layers; see `resnet_v1_50`."""
  return resnet_v1(
      inputs, _blocks(101, min_base_depth, depth_multiplier), num_classes,
      is_training, global_pool, output_stride, spatial_squeeze=spatial_squeeze,
      store_non_strided_activations=store_non_strided_activations,
      reuse=reuse, scope=scope)


# In the two deeper networks `store_non_strided_activations` precedes
# `spatial_squeeze`, as in TF-Slim: callers pass both by position.
def resnet_v1_152(inputs, num_classes=None, is_training=True, global_pool=True,
                  output_stride=None, store_non_strided_activations=False,
                  spatial_squeeze=True, min_base_depth=8, depth_multiplier=1,
                  reuse=None, scope='resnet_v1_152'):
  """Builds ResNet v1 of 152 layers; see `resnet_v1_50`."""
  return resnet_v1(
      inputs, _blocks(152, min_base_depth, depth_multiplier), num_classes,
      is_training, global_pool, output_stride, spatial_squeeze=spatial_squeeze,
      store_non_strided_activations=store_non_strided_activations,
      reuse=reuse, scope=scope)


def resnet_v1_200(inputs, num_classes=None, is_training=True, global_pool=True,
                  output_stride=None, store_non_strided_activations=False,
                  spatial_squeeze=True, min_base_depth=8, depth_multiplier=1,
                  reuse=None, scope='resnet_v1_200'):
  """Builds ResNet v1 of 200 layers; see `resnet_v1_50`."""
  return resnet_v1(
      inputs, _blocks(200, min_base_depth, depth_multiplier), num_classes,
      is_training, global_pool, output_stride, spatial_squeeze=spatial_squeeze,
      store_non_strided_activations=store_non_strided_activations,
      reuse=reuse, scope=scope)


for _network in (resnet_v1_50, resnet_v1_101, resnet_v1_152, resnet_v1_200):
  _network.default_image_size = 224
