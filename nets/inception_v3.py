"""Inception V3.

C. Szegedy et al.: Rethinking the Inception Architecture for Computer Vision
(arXiv:1512.00567).
"""
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import contrib_scopes
from nets import inception_utils
from nets import layer_utils
from nets.inception_blocks import avg_pool
from nets.inception_blocks import build
from nets.inception_blocks import check_input
from nets.inception_blocks import conv
from nets.inception_blocks import depth_scale
from nets.inception_blocks import fork
from nets.inception_blocks import max_pool
from nets.inception_blocks import mixed
from nets.layer_utils import trunc_normal

inception_v3_arg_scope = inception_utils.inception_arg_scope


def _mixed_5(scope, projection, second=('Conv2d_0a_1x1', 'Conv2d_0b_5x5')):
  """Returns a module of the 35x35 maps: 1x1, 5x5, two 3x3, pooling."""
  return mixed(scope, [
      [conv('Conv2d_0a_1x1', 64, 1)],
      [conv(second[0], 48, 1), conv(second[1], 64, 5)],
      [conv('Conv2d_0a_1x1', 64, 1),
       conv('Conv2d_0b_3x3', 96, 3),
       conv('Conv2d_0c_3x3', 96, 3)],
      [avg_pool('AvgPool_0a_3x3'), conv('Conv2d_0b_1x1', projection, 1)]])


def _mixed_6(scope, inner):
  """Returns a module of the 17x17 maps, with factorized 7x7 convolutions."""
  return mixed(scope, [
      [conv('Conv2d_0a_1x1', 192, 1)],
      [conv('Conv2d_0a_1x1', inner, 1),
       conv('Conv2d_0b_1x7', inner, (1, 7)),
       conv('Conv2d_0c_7x1', 192, (7, 1))],
      [conv('Conv2d_0a_1x1', inner, 1),
       conv('Conv2d_0b_7x1', inner, (7, 1)),
       conv('Conv2d_0c_1x7', inner, (1, 7)),
       conv('Conv2d_0d_7x1', inner, (7, 1)),
       conv('Conv2d_0e_1x7', 192, (1, 7))],
      [avg_pool('AvgPool_0a_3x3'), conv('Conv2d_0b_1x1', 192, 1)]])


def _mixed_7(scope, second_fork):
  """Returns a module of the 8x8 maps, whose branches fork at their ends."""
  return mixed(scope, [
      [conv('Conv2d_0a_1x1', 320, 1)],
      [conv('Conv2d_0a_1x1', 384, 1),
       fork(conv('Conv2d_0b_1x3', 384, (1, 3)),
            conv(second_fork, 384, (3, 1)))],
      [conv('Conv2d_0a_1x1', 448, 1),
       conv('Conv2d_0b_3x3', 384, 3),
       fork(conv('Conv2d_0c_1x3', 384, (1, 3)),
            conv('Conv2d_0d_3x1', 384, (3, 1)))],
      [avg_pool('AvgPool_0a_3x3'), conv('Conv2d_0b_1x1', 192, 1)]])


# Some scopes look wrong (Conv_1_0c_5x5, 3x3 kernels called 1x1, 0b twice in
# Mixed_7b); they are those of the published checkpoint.
_ROWS = [
    conv('Conv2d_1a_3x3', 32, 3, stride=2, padding='VALID'),              # 149 x 149 x 32
    conv('Conv2d_2a_3x3', 32, 3, padding='VALID'),                        # 147 x 147 x 32
    conv('Conv2d_2b_3x3', 64, 3),                                         # 147 x 147 x 64
    max_pool('MaxPool_3a_3x3', stride=2, padding='VALID'),                # 73 x 73 x 64
    conv('Conv2d_3b_1x1', 80, 1, padding='VALID'),                        # 73 x 73 x 80
    conv('Conv2d_4a_3x3', 192, 3, padding='VALID'),                       # 71 x 71 x 192
    max_pool('MaxPool_5a_3x3', stride=2, padding='VALID'),                # 35 x 35 x 192
    _mixed_5('Mixed_5b', 32),                                             # 35 x 35 x 256
    _mixed_5('Mixed_5c', 64, second=('Conv2d_0b_1x1', 'Conv_1_0c_5x5')),  # 35 x 35 x 288
    _mixed_5('Mixed_5d', 64),                                             # 35 x 35 x 288
    mixed('Mixed_6a', [                                                   # 17 x 17 x 768
        [conv('Conv2d_1a_1x1', 384, 3, stride=2, padding='VALID')],
        [conv('Conv2d_0a_1x1', 64, 1),
         conv('Conv2d_0b_3x3', 96, 3),
         conv('Conv2d_1a_1x1', 96, 3, stride=2, padding='VALID')],
        [max_pool('MaxPool_1a_3x3', stride=2, padding='VALID')]]),
    _mixed_6('Mixed_6b', 128),                                            # 17 x 17 x 768
    _mixed_6('Mixed_6c', 160),                                            # 17 x 17 x 768
    _mixed_6('Mixed_6d', 160),                                            # 17 x 17 x 768
    _mixed_6('Mixed_6e', 192),                                            # 17 x 17 x 768
    mixed('Mixed_7a', [                                                   # 8 x 8 x 1280
        [conv('Conv2d_0a_1x1', 192, 1),
         conv('Conv2d_1a_3x3', 320, 3, stride=2, padding='VALID')],
        [conv('Conv2d_0a_1x1', 192, 1),
         conv('Conv2d_0b_1x7', 192, (1, 7)),
         conv('Conv2d_0c_7x1', 192, (7, 1)),
         conv('Conv2d_1a_3x3', 192, 3, stride=2, padding='VALID')],
        [max_pool('MaxPool_1a_3x3', stride=2, padding='VALID')]]),
    _mixed_7('Mixed_7b', 'Conv2d_0b_3x1'),                                # 8 x 8 x 2048
    _mixed_7('Mixed_7c', 'Conv2d_0c_3x1'),                                # 8 x 8 x 2048
]


@contrib_scopes.reach
def inception_v3_base(inputs, final_endpoint='Mixed_7c', min_depth=16,
                      depth_multiplier=1.0, scope=None):
  """Builds Inception V3 up to an end point.

  Args:
    inputs: float32 [batch, height, width, channels] in [-1, 1]; at
      least 75x75 for the whole table.
    final_endpoint: Conv2d_1a_3x3, Conv2d_2a_3x3, Conv2d_2b_3x3,
      MaxPool_3a_3x3, Conv2d_3b_1x1, Conv2d_4a_3x3, MaxPool_5a_3x3, Mixed_5b to
      Mixed_5d, Mixed_6a to Mixed_6e, or Mixed_7a to Mixed_7c.
    min_depth: minimum depth of a layer.
    depth_multiplier: factor of the depths of all layers, above 0.
    scope: variable scope; InceptionV3, made unique, if None.

  Returns:
    net: float32 output of `final_endpoint`; of Mixed_7c for 299x299 images
      [batch, 8, 8, 2048 * depth_multiplier].
    end_points: dict from name to tensor, up to `final_endpoint`.

  Raises:
    ValueError: `final_endpoint` is unknown, `depth_multiplier` is not above 0,
      or `inputs` are too small.
  """
  return build(inputs, _ROWS, final_endpoint, scope, 'InceptionV3',
               depth=depth_scale(depth_multiplier, min_depth))


@contrib_scopes.reach
def inception_v3(inputs, num_classes=1000, is_training=True,
                 dropout_keep_prob=0.8, min_depth=16, depth_multiplier=1.0,
                 prediction_fn=slim.softmax, spatial_squeeze=True, reuse=None,
                 create_aux_logits=True, scope='InceptionV3',
                 global_pool=False):
  """Builds Inception V3.

  Arguments that are not listed are those of `inception_v2.inception_v2`.

  Args:
    inputs: float32 [batch, height, width, channels] in [-1, 1]; made
      for 299x299, other sizes work with `global_pool`, smaller ones without.
    create_aux_logits: whether to build the auxiliary classifier on Mixed_6e,
      which improves training.
    global_pool: whether to pool over a whole map of any size, instead of
      windows of at most 8x8.

  Returns:
    net: float32 logits [batch, num_classes], or features
      [batch, 1, 1, 2048 * depth_multiplier].
    end_points: dict from name to tensor, with `AuxLogits`, `Logits` and
      `Predictions`.

  Raises:
    ValueError: `depth_multiplier` is not above 0, or `inputs` do not fit
      `create_aux_logits` or `spatial_squeeze`.
  """
  depth = depth_scale(depth_multiplier, min_depth)
  create_aux_logits = create_aux_logits and num_classes
  if create_aux_logits:
    check_input(inputs, _ROWS, 'InceptionV3', 'Mixed_6e', min_size=5,
                remedy='create_aux_logits=False')
  with tf.variable_scope(
      scope, 'InceptionV3', [inputs], reuse=reuse) as scope, slim.arg_scope(
          [slim.batch_norm, slim.dropout], is_training=is_training):
    net, end_points = inception_v3_base(
        inputs, min_depth=min_depth, depth_multiplier=depth_multiplier,
        scope=scope)
    if create_aux_logits:
      end_points['AuxLogits'] = _aux_logits(
          end_points['Mixed_6e'], num_classes, depth, spatial_squeeze)
    return inception_utils.convolutional_logits(
        net, end_points, num_classes, [8, 8], dropout_keep_prob, prediction_fn,
        spatial_squeeze, global_pool)


inception_v3.default_image_size = 299


def _aux_logits(net, num_classes, depth, spatial_squeeze):
  """Builds the auxiliary classifier."""
  with tf.variable_scope('AuxLogits'):
    net = slim.avg_pool2d(
        net, [5, 5], stride=3, padding='VALID', scope='AvgPool_1a_5x5')
    net = slim.conv2d(net, depth(128), [1, 1], scope='Conv2d_1b_1x1')
    kernel = layer_utils.small_input_kernel(net, [5, 5])
    net = slim.conv2d(
        net, depth(768), kernel, padding='VALID',
        weights_initializer=trunc_normal(0.01),
        scope='Conv2d_2a_%dx%d' % tuple(kernel))
    logits = slim.conv2d(
        net, num_classes, [1, 1], activation_fn=None, normalizer_fn=None,
        weights_initializer=trunc_normal(0.001), scope='Conv2d_2b_1x1')
    if spatial_squeeze:
      logits = layer_utils.squeeze(
          logits, 'create_aux_logits=False, or spatial_squeeze=False')
  return logits
