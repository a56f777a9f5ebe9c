"""CifarNet: two normalised convolutions and three dense layers.

After A. Krizhevsky's cuda-convnet (2012), for 32x32 colour pictures.
"""
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import contrib_scopes


@contrib_scopes.reach
def cifarnet(images, num_classes=10, is_training=False, dropout_keep_prob=0.5,
             prediction_fn=slim.softmax, scope='CifarNet'):
  """Builds CifarNet.

  Args:
    images: float32 [batch, 32, 32, channels]. Other sizes that are known when
      the graph is built work too.
    num_classes: width of the logits; None or 0 for the features before them.
    is_training: whether dropout is active.
    dropout_keep_prob: share of the features kept by dropout.
    prediction_fn: makes predictions of logits.
    scope: variable scope.

  Returns:
    net: float32 logits [batch, num_classes], or features [batch, 192].
    end_points: dict from layer name to tensor.
  """
  end_points = {}
  with tf.variable_scope(scope, 'CifarNet', [images]):
    net = end_points['conv1'] = slim.conv2d(images, 64, [5, 5], scope='conv1')
    net = end_points['pool1'] = slim.max_pool2d(net, [2, 2], 2, scope='pool1')
    net = _local_response_norm(net, 'norm1')
    net = end_points['conv2'] = slim.conv2d(net, 64, [5, 5], scope='conv2')
    net = _local_response_norm(net, 'norm2')
    net = end_points['pool2'] = slim.max_pool2d(net, [2, 2], 2, scope='pool2')
    net = end_points['Flatten'] = slim.flatten(net)
    net = end_points['fc3'] = slim.fully_connected(net, 384, scope='fc3')
    net = slim.dropout(
        net, dropout_keep_prob, is_training=is_training, scope='dropout3')
    net = end_points['fc4'] = slim.fully_connected(net, 192, scope='fc4')
    if not num_classes:
      return net, end_points
    logits = end_points['Logits'] = slim.fully_connected(
        net, num_classes, activation_fn=None,
        weights_initializer=tf.truncated_normal_initializer(stddev=1 / 192.0),
        biases_initializer=tf.zeros_initializer(), weights_regularizer=None,
        scope='logits')
    end_points['Predictions'] = prediction_fn(logits, scope='Predictions')
  return logits, end_points


cifarnet.default_image_size = 32


def _local_response_norm(net, name):
  return tf.nn.lrn(net, 4, bias=1.0, alpha=0.001 / 9.0, beta=0.75, name=name)


def cifarnet_arg_scope(weight_decay=0.004):
  """Returns the argument scope of CifarNet.

  Args:
    weight_decay: coefficient of the L2 regularisation of the two dense layers
      before the logits; nothing else is regularised.
  """
  with slim.arg_scope(
      [slim.conv2d],
      weights_initializer=tf.truncated_normal_initializer(stddev=5e-2),
      activation_fn=tf.nn.relu):
    with slim.arg_scope(
        [slim.fully_connected],
        biases_initializer=tf.constant_initializer(0.1),
        weights_initializer=tf.truncated_normal_initializer(stddev=0.04),
        weights_regularizer=slim.l2_regularizer(weight_decay),
        activation_fn=tf.nn.relu) as scope:
      return scope
