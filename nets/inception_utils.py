"""Argument scope and logits of the Inception networks."""
import collections

import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import layer_utils
from nets import layouts
from nets import normalization

DenseScopes = collections.namedtuple(
    'DenseScopes', 'aux_pool aux_conv aux_logits pool dropout flatten')
DenseScopes.__doc__ = """Scope names in the logits of a network, all str.

Attributes:
  aux_pool: pooling in `aux_dense_logits`.
  aux_conv: its last convolution.
  aux_logits: its dense layer.
  pool: pooling in `dense_logits`.
  dropout: its dropout.
  flatten: its flattening.
"""


def inception_arg_scope(
    weight_decay=0.00004, use_batch_norm=True, batch_norm_decay=0.9997,
    batch_norm_epsilon=0.001, activation_fn=tf.nn.relu,
    batch_norm_updates_collections=tf.GraphKeys.UPDATE_OPS,
    batch_norm_scale=False):
  """Returns the argument scope of inception_v1, v2, v3 and v4.

  Args:
    weight_decay: coefficient of L2 regularization of the weights.
    use_batch_norm: whether convolutions are batch-normalized; otherwise they
      have biases.
    batch_norm_decay: decay of the moving averages.
    batch_norm_epsilon: added to the variance.
    activation_fn: activation of the convolutions.
    batch_norm_updates_collections: collection of the update ops of the moving
      averages; None to update in place.
    batch_norm_scale: whether batch normalization has a learned scale.
  """
  normalizer_fn, normalizer_params = None, {}
  if use_batch_norm:
    normalizer_fn = normalization.batch_norm
    normalizer_params = batch_norm_params(
        batch_norm_decay, batch_norm_epsilon, batch_norm_updates_collections,
        batch_norm_scale)
  with slim.arg_scope(
      [slim.conv2d, slim.fully_connected],
      weights_regularizer=slim.l2_regularizer(weight_decay)):
    with slim.arg_scope(
        [slim.conv2d], weights_initializer=slim.variance_scaling_initializer(),
        activation_fn=activation_fn, normalizer_fn=normalizer_fn,
        normalizer_params=normalizer_params) as scope:
      return scope


def batch_norm_params(decay, epsilon, updates_collections, scale):
  """Returns arguments of batch normalization; see `inception_arg_scope`."""
  return {'decay': decay, 'epsilon': epsilon,
          'updates_collections': updates_collections, 'scale': scale}


def convolutional_logits(net, end_points, num_classes, kernel_size,
                         dropout_keep_prob, prediction_fn, spatial_squeeze,
                         global_pool):
  """Builds pooling and logits of inception_v2 and v3.

  Arguments that are not listed, results and errors are those of
  `inception_v2.inception_v2`.

  Args:
    net: float [batch, height, width, channels] tensor.
    end_points: dict from name to tensor, which is extended.
    kernel_size: pair, the pooling window for images of the default size.
  """
  with tf.variable_scope('Logits'):
    if global_pool:
      net = layouts.average(net, name='global_pool')
      end_points['global_pool'] = net
    else:
      kernel_size = layer_utils.small_input_kernel(net, kernel_size)
      net = slim.avg_pool2d(net, kernel_size, stride=2, padding='VALID',
                            scope='AvgPool_1a_%dx%d' % tuple(kernel_size))
      end_points['AvgPool_1a'] = net
    if not num_classes:
      return net, end_points
    net = slim.dropout(net, dropout_keep_prob, scope='Dropout_1b')
    end_points['PreLogits'] = net
    logits = slim.conv2d(net, num_classes, [1, 1], activation_fn=None,
                         normalizer_fn=None, scope='Conv2d_1c_1x1')
    if spatial_squeeze:
      logits = layer_utils.squeeze(logits)
  end_points['Logits'] = logits
  end_points['Predictions'] = prediction_fn(logits, scope='Predictions')
  return logits, end_points


def aux_dense_logits(net, num_classes, scopes):
  """Builds the auxiliary logits of inception_v4 and inception_resnet_v2.

  Args:
    net: float [batch, height, width, channels] tensor whose height and width
      are known and at least 5.
    num_classes: number of classes.
    scopes: DenseScopes.

  Returns:
    float logits [batch, num_classes].

  Raises:
    ValueError: the height or width of the images is unknown.
  """
  if None in layouts.size(net):
    raise ValueError(
        'AuxLogits need images whose height and width are known; given a map '
        'of shape %s. Give images of a fixed size or create_aux_logits=False.'
        % net.shape)
  with tf.variable_scope('AuxLogits'):
    net = slim.avg_pool2d(net, [5, 5], stride=3, padding='VALID',
                          scope=scopes.aux_pool)
    net = slim.conv2d(net, 128, [1, 1], scope='Conv2d_1b_1x1')
    net = slim.conv2d(net, 768, layouts.size(net), padding='VALID',
                      scope=scopes.aux_conv)
    return slim.fully_connected(slim.flatten(net), num_classes,
                                activation_fn=None, scope=scopes.aux_logits)


def dense_logits(net, end_points, num_classes, dropout_keep_prob, scopes):
  """Builds pooling and logits of inception_v4 and inception_resnet_v2.

  Arguments that are not listed, and results, are those of
  `inception_v4.inception_v4`.

  Args:
    net: float [batch, height, width, channels] tensor.
    end_points: dict from name to tensor, which is extended.
    scopes: DenseScopes.
  """
  with tf.variable_scope('Logits'):
    if None not in layouts.size(net):
      net = slim.avg_pool2d(net, layouts.size(net), padding='VALID',
                            scope=scopes.pool)
    else:
      net = layouts.average(net, name='global_pool')
    end_points['global_pool'] = net
    if not num_classes:
      return net, end_points
    net = slim.dropout(net, dropout_keep_prob, scope=scopes.dropout)
    net = slim.flatten(net, scope=scopes.flatten)
    end_points['PreLogitsFlatten'] = net
    logits = slim.fully_connected(
        net, num_classes, activation_fn=None, scope='Logits')
    end_points['Logits'] = logits
    end_points['Predictions'] = tf.nn.softmax(logits, name='Predictions')
  return logits, end_points
