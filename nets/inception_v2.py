"""Inception V2: Inception with batch normalization.

S. Ioffe, C. Szegedy: Batch Normalization: Accelerating Deep Network Training
by Reducing Internal Covariate Shift (arXiv:1502.03167).
"""
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import contrib_scopes
from nets import inception_utils
from nets import layer_utils
from nets.inception_blocks import avg_pool
from nets.inception_blocks import build
from nets.inception_blocks import conv
from nets.inception_blocks import depth_scale
from nets.inception_blocks import max_pool
from nets.inception_blocks import mixed
from nets.inception_blocks import separable_conv

inception_v2_arg_scope = inception_utils.inception_arg_scope
trunc_normal = layer_utils.trunc_normal


def _mixed(scope, direct, reduce_1, conv_1, reduce_2, conv_2, projection,
           pool=avg_pool('AvgPool_0a_3x3')):
  """Returns a module, given the depths in the paper's order of columns."""
  return mixed(scope, [
      [conv('Conv2d_0a_1x1', direct, 1)],
      [conv('Conv2d_0a_1x1', reduce_1, 1, stddev=0.09),
       conv('Conv2d_0b_3x3', conv_1, 3)],
      [conv('Conv2d_0a_1x1', reduce_2, 1, stddev=0.09),
       conv('Conv2d_0b_3x3', conv_2, 3),
       conv('Conv2d_0c_3x3', conv_2, 3)],
      [pool, conv('Conv2d_0b_1x1', projection, 1, stddev=0.1)]])


def _reduction(scope, reduce_1, conv_1, reduce_2, conv_2):
  """Returns a module of stride 2."""
  return mixed(scope, [
      [conv('Conv2d_0a_1x1', reduce_1, 1, stddev=0.09),
       conv('Conv2d_1a_3x3', conv_1, 3, stride=2)],
      [conv('Conv2d_0a_1x1', reduce_2, 1, stddev=0.09),
       conv('Conv2d_0b_3x3', conv_2, 3),
       conv('Conv2d_1a_3x3', conv_2, 3, stride=2)],
      [max_pool('MaxPool_1a_3x3', stride=2)]])


_FIRST = {  # keyed by use_separable_conv
    True: separable_conv('Conv2d_1a_7x7', 64, 7, stride=2, stddev=1.0),  # 112 x 112 x 64
    False: conv('Conv2d_1a_7x7', 64, 7, stride=2, stddev=1.0),           # 112 x 112 x 64
}
_ROOT = [
    max_pool('MaxPool_2a_3x3', stride=2),      # 56 x 56 x 64
    conv('Conv2d_2b_1x1', 64, 1, stddev=0.1),  # 56 x 56 x 64
    conv('Conv2d_2c_3x3', 192, 3),             # 56 x 56 x 192
    max_pool('MaxPool_3a_3x3', stride=2),      # 28 x 28 x 192
]
_MODULES = [
    _mixed('Mixed_3b', 64, 64, 64, 64, 96, 32),        # 28 x 28 x 256
    _mixed('Mixed_3c', 64, 64, 96, 64, 96, 64),        # 28 x 28 x 320
    _reduction('Mixed_4a', 128, 160, 64, 96),          # 14 x 14 x 576
    _mixed('Mixed_4b', 224, 64, 96, 96, 128, 128),     # 14 x 14 x 576
    _mixed('Mixed_4c', 192, 96, 128, 96, 128, 128),    # 14 x 14 x 576
    _mixed('Mixed_4d', 160, 128, 160, 128, 160, 96),   # 14 x 14 x 576
    _mixed('Mixed_4e', 96, 128, 192, 160, 192, 96),    # 14 x 14 x 576
    _reduction('Mixed_5a', 128, 192, 192, 256),        # 7 x 7 x 1024
    _mixed('Mixed_5b', 352, 192, 320, 160, 224, 128),  # 7 x 7 x 1024
    _mixed('Mixed_5c', 352, 192, 320, 192, 224, 128,   # 7 x 7 x 1024
           pool=max_pool('MaxPool_0a_3x3')),
]


@contrib_scopes.reach
def inception_v2_base(inputs, final_endpoint='Mixed_5c', min_depth=16,
                      depth_multiplier=1.0, use_separable_conv=True,
                      data_format='NHWC', include_root_block=True, scope=None):
  """Builds Inception V2 up to an end point.

  Args:
    inputs: float32 [batch, height, width, channels] (or NCHW) in [-1, 1].
    final_endpoint: Conv2d_1a_7x7, MaxPool_2a_3x3, Conv2d_2b_1x1,
      Conv2d_2c_3x3, MaxPool_3a_3x3, Mixed_3b, Mixed_3c, Mixed_4a to Mixed_4e,
      Mixed_5a, Mixed_5b or Mixed_5c.
    min_depth: minimum depth of a layer.
    depth_multiplier: factor of the depths of all layers, above 0.
    use_separable_conv: whether the first convolution is separable, as in the
      published checkpoint.
    data_format: 'NHWC', or 'NCHW' without `use_separable_conv`; used by
      convolutions, pooling and concatenation. Batch normalization keeps NHWC
      by default and would normalize the columns of NCHW images: open
      `slim.arg_scope([slim.batch_norm], data_format='NCHW')` too. Inside
      `nets.layouts.scope('NCHW')`, which reaches all layers, leave it out.
    include_root_block: whether to build the five layers before Mixed_3b; if
      not, `inputs` replace their output, and they are no end points.
    scope: variable scope; InceptionV2, made unique, if None.

  Returns:
    net: float32 output of `final_endpoint`; of Mixed_5c
      [batch, height / 32, width / 32, 1024 * depth_multiplier].
    end_points: dict from name to tensor, up to `final_endpoint`.

  Raises:
    ValueError: `final_endpoint` is unknown, `depth_multiplier` is not above 0,
      or `data_format` is not available.
  """
  depth = depth_scale(depth_multiplier, min_depth)
  if data_format not in ('NHWC', 'NCHW'):
    raise ValueError('data_format must be NHWC or NCHW; given %s' % data_format)
  if use_separable_conv and data_format == 'NCHW':
    raise ValueError(
        'data_format=NCHW was given with use_separable_conv=True, which has '
        'NHWC only; give use_separable_conv=False or data_format=NHWC')
  rows = _MODULES
  if include_root_block:
    rows = [_FIRST[bool(use_separable_conv)]] + _ROOT + _MODULES
  return build(inputs, rows, final_endpoint, scope, 'InceptionV2', depth=depth,
               data_format=None if data_format == 'NHWC' else data_format)


@contrib_scopes.reach
def inception_v2(inputs, num_classes=1000, is_training=True,
                 dropout_keep_prob=0.8, min_depth=16, depth_multiplier=1.0,
                 prediction_fn=slim.softmax, spatial_squeeze=True, reuse=None,
                 scope='InceptionV2', global_pool=False):
  """Builds Inception V2.

  Arguments that are not listed are those of `inception_v1.inception_v1`.

  Args:
    inputs: float32 [batch, height, width, channels] in [-1, 1]; made
      for 224x224, other sizes work with `global_pool`, smaller ones without.
    min_depth: minimum depth of a layer.
    depth_multiplier: factor of the depths of all layers, above 0.
    global_pool: whether to pool over a whole map of any size, instead of
      windows of at most 7x7.

  Returns:
    net: float32 logits [batch, num_classes], or features
      [batch, 1, 1, 1024 * depth_multiplier].
    end_points: dict from name to tensor, with `Logits` and `Predictions`.

  Raises:
    ValueError: `depth_multiplier` is not above 0, or `inputs` do not fit
      `spatial_squeeze`.
  """
  with tf.variable_scope(
      scope, 'InceptionV2', [inputs], reuse=reuse) as scope, slim.arg_scope(
          [slim.batch_norm, slim.dropout], is_training=is_training):
    net, end_points = inception_v2_base(
        inputs, min_depth=min_depth, depth_multiplier=depth_multiplier,
        scope=scope)
    return inception_utils.convolutional_logits(
        net, end_points, num_classes, [7, 7], dropout_keep_prob, prediction_fn,
        spatial_squeeze, global_pool)


inception_v2.default_image_size = 224
