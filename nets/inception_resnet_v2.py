"""Inception-ResNet V2.

C. Szegedy, S. Ioffe, V. Vanhoucke, A. Alemi: Inception-v4, Inception-ResNet
and the Impact of Residual Connections on Learning (arXiv:1602.07261).
"""
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import contrib_scopes
from nets import inception_utils
from nets import normalization
from nets.inception_blocks import avg_pool
from nets.inception_blocks import build
from nets.inception_blocks import build_block
from nets.inception_blocks import check_input
from nets.inception_blocks import conv
from nets.inception_blocks import max_pool
from nets.inception_blocks import mixed
from nets.inception_blocks import repeat
from nets.inception_blocks import residual

_BLOCK35 = [
    [conv('Conv2d_1x1', 32, 1)],
    [conv('Conv2d_0a_1x1', 32, 1), conv('Conv2d_0b_3x3', 32, 3)],
    [conv('Conv2d_0a_1x1', 32, 1),
     conv('Conv2d_0b_3x3', 48, 3),
     conv('Conv2d_0c_3x3', 64, 3)],
]
_BLOCK17 = [
    [conv('Conv2d_1x1', 192, 1)],
    [conv('Conv2d_0a_1x1', 128, 1),
     conv('Conv2d_0b_1x7', 160, (1, 7)),
     conv('Conv2d_0c_7x1', 192, (7, 1))],
]
_BLOCK8 = [
    [conv('Conv2d_1x1', 192, 1)],
    [conv('Conv2d_0a_1x1', 192, 1),
     conv('Conv2d_0b_1x3', 224, (1, 3)),
     conv('Conv2d_0c_3x1', 256, (3, 1))],
]
# The auxiliary pooling layer has the name of a convolution in checkpoints.
_HEAD = inception_utils.DenseScopes(
    aux_pool='Conv2d_1a_3x3', aux_conv='Conv2d_2a_5x5', aux_logits='Logits',
    pool='AvgPool_1a_8x8', dropout='Dropout', flatten='Flatten')


def _stem(padding):
  """Returns the rows up to Mixed_5b."""
  return [
      conv('Conv2d_1a_3x3', 32, 3, stride=2, padding=padding),  # 149 x 149 x 32
      conv('Conv2d_2a_3x3', 32, 3, padding=padding),            # 147 x 147 x 32
      conv('Conv2d_2b_3x3', 64, 3),                             # 147 x 147 x 64
      max_pool('MaxPool_3a_3x3', stride=2, padding=padding),    # 73 x 73 x 64
      conv('Conv2d_3b_1x1', 80, 1, padding=padding),            # 73 x 73 x 80
      conv('Conv2d_4a_3x3', 192, 3, padding=padding),           # 71 x 71 x 192
      max_pool('MaxPool_5a_3x3', stride=2, padding=padding),    # 35 x 35 x 192
      mixed('Mixed_5b', [                                       # 35 x 35 x 320
          [conv('Conv2d_1x1', 96, 1)],
          [conv('Conv2d_0a_1x1', 48, 1), conv('Conv2d_0b_5x5', 64, 5)],
          [conv('Conv2d_0a_1x1', 64, 1),
           conv('Conv2d_0b_3x3', 96, 3),
           conv('Conv2d_0c_3x3', 96, 3)],
          [avg_pool('AvgPool_0a_3x3'), conv('Conv2d_0b_1x1', 64, 1)]]),
  ]


def _mixed_6a(padding, stride):
  return mixed('Mixed_6a', [
      [conv('Conv2d_1a_3x3', 384, 3, stride=stride, padding=padding)],
      [conv('Conv2d_0a_1x1', 256, 1),
       conv('Conv2d_0b_3x3', 256, 3),
       conv('Conv2d_1a_3x3', 384, 3, stride=stride, padding=padding)],
      [max_pool('MaxPool_1a_3x3', stride=stride, padding=padding)]])


def _mixed_7a(padding):
  return mixed('Mixed_7a', [
      [conv('Conv2d_0a_1x1', 256, 1),
       conv('Conv2d_1a_3x3', 384, 3, stride=2, padding=padding)],
      [conv('Conv2d_0a_1x1', 256, 1),
       conv('Conv2d_1a_3x3', 288, 3, stride=2, padding=padding)],
      [conv('Conv2d_0a_1x1', 256, 1),
       conv('Conv2d_0b_3x3', 288, 3),
       conv('Conv2d_1a_3x3', 320, 3, stride=2, padding=padding)],
      [max_pool('MaxPool_1a_3x3', stride=2, padding=padding)]])


def _blocks(name, count, branches, scale, activation_fn):
  return [residual('%s_%d' % (name, index), branches, scale, activation_fn)
          for index in range(1, count + 1)]


def _table(padding, dense, activation_fn):
  """Returns the rows; with `dense`, stride 8 and up to PreAuxLogits."""
  rows = _stem(padding) + [
      repeat('Repeat', _blocks('block35', 10, _BLOCK35, 0.17, activation_fn)),   # 35 x 35 x 320
      _mixed_6a(padding, stride=1 if dense else 2),                              # 17 x 17 x 1088
      repeat('Repeat_1', _blocks('block17', 20, _BLOCK17, 0.10, activation_fn),  # 17 x 17 x 1088
             rate=2 if dense else 1, end_point='PreAuxLogits'),
  ]
  if dense:
    return rows
  return rows + [
      _mixed_7a(padding),                                                        # 8 x 8 x 2080
      repeat('Repeat_2', _blocks('block8', 9, _BLOCK8, 0.20, activation_fn)),    # 8 x 8 x 2080
      residual('Block8', _BLOCK8, 1.0, activation_fn=None),                      # 8 x 8 x 2080
      conv('Conv2d_7b_1x1', 1536, 1),                                            # 8 x 8 x 1536
  ]


@contrib_scopes.reach
def block35(net, scale=1.0, activation_fn=tf.nn.relu, scope=None, reuse=None):
  """Builds the residual module of the 35x35 maps.

  Args:
    net: float32 [batch, height, width, channels].
    scale: factor of the residual; 0.1 to 0.3 keeps training stable.
    activation_fn: applied to the sum; None for a linear sum. With tf.nn.relu6
      the residual is clipped to [-6, 6].
    scope: variable scope; Block35, made unique, if None.
    reuse: whether to reuse existing variables.

  Returns:
    A float32 tensor of the shape of `net`.
  """
  row = residual('Block35', _BLOCK35, scale, activation_fn)
  return build_block(net, row, scope, reuse)


@contrib_scopes.reach
def block17(net, scale=1.0, activation_fn=tf.nn.relu, scope=None, reuse=None):
  """Builds the residual module of the 17x17 maps; see `block35`."""
  row = residual('Block17', _BLOCK17, scale, activation_fn)
  return build_block(net, row, scope, reuse)


@contrib_scopes.reach
def block8(net, scale=1.0, activation_fn=tf.nn.relu, scope=None, reuse=None):
  """Builds the residual module of the 8x8 maps; see `block35`."""
  row = residual('Block8', _BLOCK8, scale, activation_fn)
  return build_block(net, row, scope, reuse)


@contrib_scopes.reach
def inception_resnet_v2_base(inputs, final_endpoint='Conv2d_7b_1x1',
                             output_stride=16, align_feature_maps=False,
                             scope=None, activation_fn=tf.nn.relu):
  """Builds Inception-ResNet V2 up to an end point.

  Args:
    inputs: float32 [batch, height, width, channels] in [-1, 1]; at
      least 75x75 for the whole table without `align_feature_maps`.
    final_endpoint: Conv2d_1a_3x3, Conv2d_2a_3x3, Conv2d_2b_3x3,
      MaxPool_3a_3x3, Conv2d_3b_1x1, Conv2d_4a_3x3, MaxPool_5a_3x3, Mixed_5b,
      Mixed_6a, PreAuxLogits, Mixed_7a or Conv2d_7b_1x1.
    output_stride: ratio of the size of `inputs` to that of PreAuxLogits, 16 or
      8. With 8 the convolutions after Mixed_6a are dilated, and PreAuxLogits
      is the last end point.
    align_feature_maps: whether to pad all layers, so that the end points are
      aligned.
    scope: variable scope; InceptionResnetV2, made unique, if None.
    activation_fn: activation after each residual module; that of the
      convolutions is set by the argument scope.

  Returns:
    net: float32 output of `final_endpoint`; of Conv2d_7b_1x1 for 299x299
      images [batch, 8, 8, 1536].
    end_points: dict from name to tensor, up to `final_endpoint`.

  Raises:
    ValueError: `final_endpoint` is unknown or beyond PreAuxLogits with
      `output_stride=8`, `output_stride` is neither 8 nor 16, or `inputs` are
      too small.
  """
  if output_stride not in (8, 16):
    raise ValueError('output_stride must be 8 or 16; given %s' % output_stride)
  dense = output_stride == 8
  if dense and final_endpoint in ('Mixed_7a', 'Conv2d_7b_1x1'):
    raise ValueError(
        'final_endpoint %s is after PreAuxLogits, where output_stride=8 '
        'ends; give final_endpoint=PreAuxLogits or output_stride=16' %
        final_endpoint)
  rows = _table('SAME' if align_feature_maps else 'VALID', dense, activation_fn)
  return build(inputs, rows, final_endpoint, scope, 'InceptionResnetV2')


@contrib_scopes.reach
def inception_resnet_v2(inputs, num_classes=1001, is_training=True,
                        dropout_keep_prob=0.8, reuse=None,
                        scope='InceptionResnetV2', create_aux_logits=True,
                        activation_fn=tf.nn.relu):
  """Builds Inception-ResNet V2.

  Arguments that are not listed, results and errors are those of
  `inception_v4.inception_v4`; the auxiliary classifier is on PreAuxLogits.

  Args:
    activation_fn: activation after each residual module; that of the
      convolutions is set by the argument scope.
  """
  create_aux_logits = create_aux_logits and num_classes
  if create_aux_logits:
    check_input(inputs, _table('VALID', False, activation_fn),
                'InceptionResnetV2', 'PreAuxLogits', min_size=5,
                remedy='create_aux_logits=False')
  with tf.variable_scope(scope, 'InceptionResnetV2', [inputs],
                         reuse=reuse) as scope, slim.arg_scope(
          [slim.batch_norm, slim.dropout], is_training=is_training):
    net, end_points = inception_resnet_v2_base(
        inputs, scope=scope, activation_fn=activation_fn)
    if create_aux_logits:
      end_points['AuxLogits'] = inception_utils.aux_dense_logits(
          end_points['PreAuxLogits'], num_classes, _HEAD)
    return inception_utils.dense_logits(
        net, end_points, num_classes, dropout_keep_prob, _HEAD)


inception_resnet_v2.default_image_size = 299


def inception_resnet_v2_arg_scope(
    weight_decay=0.00004, batch_norm_decay=0.9997, batch_norm_epsilon=0.001,
    activation_fn=tf.nn.relu,
    batch_norm_updates_collections=tf.GraphKeys.UPDATE_OPS,
    batch_norm_scale=False):
  """Returns the argument scope of Inception-ResNet V2.

  Arguments are those of `inception_utils.inception_arg_scope`, but
  `weight_decay` is for biases too, and there is always batch normalization.
  """
  with slim.arg_scope(
      [slim.conv2d, slim.fully_connected],
      weights_regularizer=slim.l2_regularizer(weight_decay),
      biases_regularizer=slim.l2_regularizer(weight_decay)):
    with slim.arg_scope(
        [slim.conv2d], activation_fn=activation_fn,
        normalizer_fn=normalization.batch_norm,
        normalizer_params=inception_utils.batch_norm_params(
            batch_norm_decay, batch_norm_epsilon,
            batch_norm_updates_collections, batch_norm_scale)) as scope:
      return scope
