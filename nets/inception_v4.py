"""Inception V4.

C. Szegedy, S. Ioffe, V. Vanhoucke, A. Alemi: Inception-v4, Inception-ResNet
and the Impact of Residual Connections on Learning (arXiv:1602.07261).
"""
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import contrib_scopes
from nets import inception_utils
from nets.inception_blocks import avg_pool
from nets.inception_blocks import build
from nets.inception_blocks import build_block
from nets.inception_blocks import check_input
from nets.inception_blocks import conv
from nets.inception_blocks import fork
from nets.inception_blocks import max_pool
from nets.inception_blocks import mixed

inception_v4_arg_scope = inception_utils.inception_arg_scope

_BLOCK_A = [
    [conv('Conv2d_0a_1x1', 96, 1)],
    [conv('Conv2d_0a_1x1', 64, 1), conv('Conv2d_0b_3x3', 96, 3)],
    [conv('Conv2d_0a_1x1', 64, 1),
     conv('Conv2d_0b_3x3', 96, 3),
     conv('Conv2d_0c_3x3', 96, 3)],
    [avg_pool('AvgPool_0a_3x3'), conv('Conv2d_0b_1x1', 96, 1)],
]
_REDUCE_A = [
    [conv('Conv2d_1a_3x3', 384, 3, stride=2, padding='VALID')],
    [conv('Conv2d_0a_1x1', 192, 1),
     conv('Conv2d_0b_3x3', 224, 3),
     conv('Conv2d_1a_3x3', 256, 3, stride=2, padding='VALID')],
    [max_pool('MaxPool_1a_3x3', stride=2, padding='VALID')],
]
_BLOCK_B = [
    [conv('Conv2d_0a_1x1', 384, 1)],
    [conv('Conv2d_0a_1x1', 192, 1),
     conv('Conv2d_0b_1x7', 224, (1, 7)),
     conv('Conv2d_0c_7x1', 256, (7, 1))],
    [conv('Conv2d_0a_1x1', 192, 1),
     conv('Conv2d_0b_7x1', 192, (7, 1)),
     conv('Conv2d_0c_1x7', 224, (1, 7)),
     conv('Conv2d_0d_7x1', 224, (7, 1)),
     conv('Conv2d_0e_1x7', 256, (1, 7))],
    [avg_pool('AvgPool_0a_3x3'), conv('Conv2d_0b_1x1', 128, 1)],
]
_REDUCE_B = [
    [conv('Conv2d_0a_1x1', 192, 1),
     conv('Conv2d_1a_3x3', 192, 3, stride=2, padding='VALID')],
    [conv('Conv2d_0a_1x1', 256, 1),
     conv('Conv2d_0b_1x7', 256, (1, 7)),
     conv('Conv2d_0c_7x1', 320, (7, 1)),
     conv('Conv2d_1a_3x3', 320, 3, stride=2, padding='VALID')],
    [max_pool('MaxPool_1a_3x3', stride=2, padding='VALID')],
]
_BLOCK_C = [
    [conv('Conv2d_0a_1x1', 256, 1)],
    [conv('Conv2d_0a_1x1', 384, 1),
     fork(conv('Conv2d_0b_1x3', 256, (1, 3)),
          conv('Conv2d_0c_3x1', 256, (3, 1)))],
    [conv('Conv2d_0a_1x1', 384, 1),
     conv('Conv2d_0b_3x1', 448, (3, 1)),
     conv('Conv2d_0c_1x3', 512, (1, 3)),
     fork(conv('Conv2d_0d_1x3', 256, (1, 3)),
          conv('Conv2d_0e_3x1', 256, (3, 1)))],
    [avg_pool('AvgPool_0a_3x3'), conv('Conv2d_0b_1x1', 256, 1)],
]
_ROWS = [
    conv('Conv2d_1a_3x3', 32, 3, stride=2, padding='VALID'),  # 149 x 149 x 32
    conv('Conv2d_2a_3x3', 32, 3, padding='VALID'),            # 147 x 147 x 32
    conv('Conv2d_2b_3x3', 64, 3),                             # 147 x 147 x 64
    mixed('Mixed_3a', [                                       # 73 x 73 x 160
        [max_pool('MaxPool_0a_3x3', stride=2, padding='VALID')],
        [conv('Conv2d_0a_3x3', 96, 3, stride=2, padding='VALID')]]),
    mixed('Mixed_4a', [                                       # 71 x 71 x 192
        [conv('Conv2d_0a_1x1', 64, 1), conv('Conv2d_1a_3x3', 96, 3, padding='VALID')],
        [conv('Conv2d_0a_1x1', 64, 1),
         conv('Conv2d_0b_1x7', 64, (1, 7)),
         conv('Conv2d_0c_7x1', 64, (7, 1)),
         conv('Conv2d_1a_3x3', 96, 3, padding='VALID')]]),
    mixed('Mixed_5a', [                                       # 35 x 35 x 384
        [conv('Conv2d_1a_3x3', 192, 3, stride=2, padding='VALID')],
        [max_pool('MaxPool_1a_3x3', stride=2, padding='VALID')]]),
    mixed('Mixed_5b', _BLOCK_A),                              # 35 x 35 x 384
    mixed('Mixed_5c', _BLOCK_A),                              # 35 x 35 x 384
    mixed('Mixed_5d', _BLOCK_A),                              # 35 x 35 x 384
    mixed('Mixed_5e', _BLOCK_A),                              # 35 x 35 x 384
    mixed('Mixed_6a', _REDUCE_A),                             # 17 x 17 x 1024
    mixed('Mixed_6b', _BLOCK_B),                              # 17 x 17 x 1024
    mixed('Mixed_6c', _BLOCK_B),                              # 17 x 17 x 1024
    mixed('Mixed_6d', _BLOCK_B),                              # 17 x 17 x 1024
    mixed('Mixed_6e', _BLOCK_B),                              # 17 x 17 x 1024
    mixed('Mixed_6f', _BLOCK_B),                              # 17 x 17 x 1024
    mixed('Mixed_6g', _BLOCK_B),                              # 17 x 17 x 1024
    mixed('Mixed_6h', _BLOCK_B),                              # 17 x 17 x 1024
    mixed('Mixed_7a', _REDUCE_B),                             # 8 x 8 x 1536
    mixed('Mixed_7b', _BLOCK_C),                              # 8 x 8 x 1536
    mixed('Mixed_7c', _BLOCK_C),                              # 8 x 8 x 1536
    mixed('Mixed_7d', _BLOCK_C),                              # 8 x 8 x 1536
]
_HEAD = inception_utils.DenseScopes(
    aux_pool='AvgPool_1a_5x5', aux_conv='Conv2d_2a', aux_logits='Aux_logits',
    pool='AvgPool_1a', dropout='Dropout_1b', flatten='PreLogitsFlatten')


@contrib_scopes.reach
def block_inception_a(inputs, scope=None, reuse=None):
  """Builds module A: float32 [batch, h, w, any] to [batch, h, w, 384]."""
  return build_block(inputs, mixed('BlockInceptionA', _BLOCK_A), scope, reuse)


@contrib_scopes.reach
def block_reduction_a(inputs, scope=None, reuse=None):
  """Builds reduction A: adds 640 channels, halves the size, unpadded."""
  return build_block(inputs, mixed('BlockReductionA', _REDUCE_A), scope, reuse)


@contrib_scopes.reach
def block_inception_b(inputs, scope=None, reuse=None):
  """Builds module B: float32 [batch, h, w, any] to [batch, h, w, 1024]."""
  return build_block(inputs, mixed('BlockInceptionB', _BLOCK_B), scope, reuse)


@contrib_scopes.reach
def block_reduction_b(inputs, scope=None, reuse=None):
  """Builds reduction B: adds 512 channels, halves the size, unpadded."""
  return build_block(inputs, mixed('BlockReductionB', _REDUCE_B), scope, reuse)


@contrib_scopes.reach
def block_inception_c(inputs, scope=None, reuse=None):
  """Builds module C: float32 [batch, h, w, any] to [batch, h, w, 1536]."""
  return build_block(inputs, mixed('BlockInceptionC', _BLOCK_C), scope, reuse)


@contrib_scopes.reach
def inception_v4_base(inputs, final_endpoint='Mixed_7d', scope=None):
  """Builds Inception V4 up to an end point.

  Args:
    inputs: float32 [batch, height, width, channels] in [-1, 1]; at
      least 75x75 for the whole table.
    final_endpoint: Conv2d_1a_3x3, Conv2d_2a_3x3, Conv2d_2b_3x3, Mixed_3a,
      Mixed_4a, Mixed_5a to Mixed_5e, Mixed_6a to Mixed_6h, or Mixed_7a to
      Mixed_7d.
    scope: variable scope; InceptionV4, made unique, if None.

  Returns:
    net: float32 output of `final_endpoint`; of Mixed_7d for 299x299 images
      [batch, 8, 8, 1536].
    end_points: dict from name to tensor, up to `final_endpoint`.

  Raises:
    ValueError: `final_endpoint` is unknown, or `inputs` are too small.
  """
  return build(inputs, _ROWS, final_endpoint, scope, 'InceptionV4')


@contrib_scopes.reach
def inception_v4(inputs, num_classes=1001, is_training=True,
                 dropout_keep_prob=0.8, reuse=None, scope='InceptionV4',
                 create_aux_logits=True):
  """Builds Inception V4.

  Arguments that are not listed are those of `inception_v1.inception_v1`.

  Args:
    inputs: float32 [batch, height, width, channels] in [-1, 1]; made
      for 299x299, other sizes work too. Height and width may be unknown
      without `create_aux_logits`.
    create_aux_logits: whether to build the auxiliary classifier on Mixed_6h,
      which improves training. The shape of its weights depends on the
      size of the images.

  Returns:
    net: float32 logits [batch, num_classes], or features [batch, 1, 1, 1536].
    end_points: dict from name to tensor, with `AuxLogits`, `Logits` and
      `Predictions`.

  Raises:
    ValueError: `inputs` are too small, or do not fit `create_aux_logits`.
  """
  create_aux_logits = create_aux_logits and num_classes
  if create_aux_logits:
    check_input(inputs, _ROWS, 'InceptionV4', 'Mixed_6h', min_size=5,
                remedy='create_aux_logits=False')
  with tf.variable_scope(
      scope, 'InceptionV4', [inputs], reuse=reuse) as scope, slim.arg_scope(
          [slim.batch_norm, slim.dropout], is_training=is_training):
    net, end_points = inception_v4_base(inputs, scope=scope)
    if create_aux_logits:
      end_points['AuxLogits'] = inception_utils.aux_dense_logits(
          end_points['Mixed_6h'], num_classes, _HEAD)
    return inception_utils.dense_logits(
        net, end_points, num_classes, dropout_keep_prob, _HEAD)


inception_v4.default_image_size = 299
