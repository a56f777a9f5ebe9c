"""CifarNet: two normalized convolutions and three dense layers.

After A. Krizhevsky's cuda-convnet (2012), for color images of 32x32.
"""
import functools

import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import contrib_scopes
from nets import layer_utils
from nets import sequential
from nets.layer_utils import trunc_normal


def _local_response_norm(name):
  return functools.partial(tf.nn.lrn, depth_radius=4, bias=1.0,
                           alpha=0.001 / 9.0, beta=0.75, name=name)


_LAYERS = [
    sequential.conv('conv1', 64, 5),  # 32 x 32 x 64
    sequential.max_pool('pool1', 2),  # 16 x 16 x 64
    _local_response_norm('norm1'),    # 16 x 16 x 64
    sequential.conv('conv2', 64, 5),  # 16 x 16 x 64
    _local_response_norm('norm2'),    # 16 x 16 x 64
    sequential.max_pool('pool2', 2),  # 8 x 8 x 64
    sequential.flatten('Flatten'),    # 4096
    sequential.dense('fc3', 384),     # 384
]


@contrib_scopes.reach
def cifarnet(images, num_classes=10, is_training=False, dropout_keep_prob=0.5,
             prediction_fn=slim.softmax, scope='CifarNet'):
  """Builds CifarNet, designed for 32x32 pixels.

  Arguments, results and errors are those of `lenet.lenet`, but there are 192
  features.
  """
  layer_utils.check_nhwc('cifarnet')
  layer_utils.check_static_size(images, 'cifarnet')
  with tf.variable_scope(scope, 'CifarNet', [images]):
    net, end_points = sequential.chain(images, _LAYERS)
    net = slim.dropout(
        net, dropout_keep_prob, is_training=is_training, scope='dropout3')
    net = end_points['fc4'] = slim.fully_connected(net, 192, scope='fc4')
    if not num_classes:
      return net, end_points
    logits = end_points['Logits'] = slim.fully_connected(
        net, num_classes, activation_fn=None,
        weights_initializer=trunc_normal(1 / 192.0),
        biases_initializer=tf.zeros_initializer(), weights_regularizer=None,
        scope='logits')
    end_points['Predictions'] = prediction_fn(logits, scope='Predictions')
  return logits, end_points


cifarnet.default_image_size = 32


def cifarnet_arg_scope(weight_decay=0.004):
  """Returns the argument scope of CifarNet.

  Args:
    weight_decay: coefficient of L2 regularization of the two dense layers
      before the logits; nothing else is regularized.
  """
  with slim.arg_scope(
      [slim.conv2d], weights_initializer=trunc_normal(5e-2),
      activation_fn=tf.nn.relu):
    with slim.arg_scope(
        [slim.fully_connected],
        biases_initializer=tf.constant_initializer(0.1),
        weights_initializer=trunc_normal(0.04),
        weights_regularizer=slim.l2_regularizer(weight_decay),
        activation_fn=tf.nn.relu) as scope:
      return scope
