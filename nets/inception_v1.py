"""Inception V1, also known as GoogLeNet, with batch normalization.

C. Szegedy et al.: Going deeper with convolutions (arXiv:1409.4842). As in
TF-Slim's checkpoints, the 5x5 convolutions of the paper are 3x3, and there are
no auxiliary classifiers.
"""
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import contrib_scopes
from nets import inception_utils
from nets import layer_utils
from nets import layouts
from nets.inception_blocks import build
from nets.inception_blocks import check_input
from nets.inception_blocks import conv
from nets.inception_blocks import max_pool
from nets.inception_blocks import mixed
from nets.layer_utils import trunc_normal

inception_v1_arg_scope = inception_utils.inception_arg_scope


def _mixed(scope, direct, reduce_1, conv_1, reduce_2, conv_2, projection,
           conv_2_scope='Conv2d_0b_3x3'):
  """Returns a module, given the depths in the paper's order of columns."""
  return mixed(scope, [
      [conv('Conv2d_0a_1x1', direct, 1)],
      [conv('Conv2d_0a_1x1', reduce_1, 1), conv('Conv2d_0b_3x3', conv_1, 3)],
      [conv('Conv2d_0a_1x1', reduce_2, 1), conv(conv_2_scope, conv_2, 3)],
      [max_pool('MaxPool_0a_3x3'), conv('Conv2d_0b_1x1', projection, 1)]])


_ROOT = [
    conv('Conv2d_1a_7x7', 64, 7, stride=2),  # 112 x 112 x 64
    max_pool('MaxPool_2a_3x3', stride=2),    # 56 x 56 x 64
    conv('Conv2d_2b_1x1', 64, 1),            # 56 x 56 x 64
    conv('Conv2d_2c_3x3', 192, 3),           # 56 x 56 x 192
    max_pool('MaxPool_3a_3x3', stride=2),    # 28 x 28 x 192
]
_MODULES = [
    _mixed('Mixed_3b', 64, 96, 128, 16, 32, 32),                       # 28 x 28 x 256
    _mixed('Mixed_3c', 128, 128, 192, 32, 96, 64),                     # 28 x 28 x 480
    max_pool('MaxPool_4a_3x3', stride=2),                              # 14 x 14 x 480
    _mixed('Mixed_4b', 192, 96, 208, 16, 48, 64),                      # 14 x 14 x 512
    _mixed('Mixed_4c', 160, 112, 224, 24, 64, 64),                     # 14 x 14 x 512
    _mixed('Mixed_4d', 128, 128, 256, 24, 64, 64),                     # 14 x 14 x 512
    _mixed('Mixed_4e', 112, 144, 288, 32, 64, 64),                     # 14 x 14 x 528
    _mixed('Mixed_4f', 256, 160, 320, 32, 128, 128),                   # 14 x 14 x 832
    max_pool('MaxPool_5a_2x2', kernel=2, stride=2),                    # 7 x 7 x 832
    # Only this module has 0a where the others have 0b, as in checkpoints.
    _mixed('Mixed_5b', 256, 160, 320, 32, 128, 128, 'Conv2d_0a_3x3'),  # 7 x 7 x 832
    _mixed('Mixed_5c', 384, 192, 384, 48, 128, 128),                   # 7 x 7 x 1024
]
_ROWS = _ROOT + _MODULES


@contrib_scopes.reach
def inception_v1_base(inputs, final_endpoint='Mixed_5c',
                      include_root_block=True, scope='InceptionV1'):
  """Builds Inception V1 up to an end point.

  Args:
    inputs: float32 [batch, height, width, channels] in [-1, 1].
    final_endpoint: Conv2d_1a_7x7, MaxPool_2a_3x3, Conv2d_2b_1x1,
      Conv2d_2c_3x3, MaxPool_3a_3x3, Mixed_3b, Mixed_3c, MaxPool_4a_3x3,
      Mixed_4b to Mixed_4f, MaxPool_5a_2x2, Mixed_5b or Mixed_5c.
    include_root_block: whether to build the five layers before Mixed_3b; if
      not, `inputs` replace their output, and they are no end points.
    scope: variable scope.

  Returns:
    net: float32 output of `final_endpoint`; of Mixed_5c
      [batch, height / 32, width / 32, 1024].
    end_points: dict from name to tensor, up to `final_endpoint`.

  Raises:
    ValueError: `final_endpoint` is unknown, or `inputs` are not 4-D.
  """
  rows = _ROWS if include_root_block else _MODULES
  with slim.arg_scope([slim.conv2d], weights_initializer=trunc_normal(0.01)):
    return build(inputs, rows, final_endpoint, scope, 'InceptionV1')


@contrib_scopes.reach
def inception_v1(inputs, num_classes=1000, is_training=True,
                 dropout_keep_prob=0.8, prediction_fn=slim.softmax,
                 spatial_squeeze=True, reuse=None, scope='InceptionV1',
                 global_pool=False):
  """Builds Inception V1.

  Args:
    inputs: float32 [batch, height, width, channels] in [-1, 1]; made
      for 224x224, other sizes work with `global_pool`.
    num_classes: number of classes; None or 0 to return features instead.
    is_training: whether dropout and batch normalization are in training mode.
    dropout_keep_prob: fraction of features kept by dropout.
    prediction_fn: function from logits to predictions.
    spatial_squeeze: whether to remove height and width of the logits, which
      must be 1; otherwise they are [batch, height', width', num_classes].
    reuse: whether to reuse existing variables.
    scope: variable scope.
    global_pool: whether to pool over a whole map of any size, instead of
      windows of 7x7.

  Returns:
    net: float32 logits [batch, num_classes], or features [batch, 1, 1, 1024].
    end_points: dict from name to tensor, with `Logits` and `Predictions`.

  Raises:
    ValueError: `inputs` do not fit `global_pool` or `spatial_squeeze`.
  """
  if not global_pool:
    check_input(inputs, _ROWS, 'InceptionV1', 'Mixed_5c', min_size=7,
                remedy='global_pool=True')
  with tf.variable_scope(
      scope, 'InceptionV1', [inputs], reuse=reuse) as scope, slim.arg_scope(
          [slim.batch_norm, slim.dropout], is_training=is_training):
    net, end_points = inception_v1_base(inputs, scope=scope)
    with tf.variable_scope('Logits'):
      if global_pool:
        net = layouts.average(net, name='global_pool')
        end_points['global_pool'] = net
      else:
        net = slim.avg_pool2d(net, [7, 7], stride=1, scope='AvgPool_0a_7x7')
        end_points['AvgPool_0a_7x7'] = net
      if not num_classes:
        return net, end_points
      net = slim.dropout(net, dropout_keep_prob, scope='Dropout_0b')
      logits = slim.conv2d(net, num_classes, [1, 1], activation_fn=None,
                           normalizer_fn=None, scope='Conv2d_0c_1x1')
      if spatial_squeeze:
        logits = layer_utils.squeeze(logits)
      end_points['Logits'] = logits
      end_points['Predictions'] = prediction_fn(logits, scope='Predictions')
  return logits, end_points


inception_v1.default_image_size = 224
