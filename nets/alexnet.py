"""AlexNet v2, and the interpreter that it shares with VGG and OverFeat.

A. Krizhevsky: One weird trick for parallelizing convolutional neural networks
(2014), https://arxiv.org/abs/1404.5997; one column, without the local response
normalisation of the first AlexNet.

The networks of this kind are a row of convolutions and poolings, then three
dense layers written as convolutions, so that larger images give a map of
logits instead of an error.
"""
import collections
import functools

import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import contrib_scopes
from nets import layer_utils


def conv(scope, depth, kernel, **options):
  """Makes a row: a convolution with a square kernel.

  What `options` leave open, the argument scope in force decides when the
  network is built.
  """
  return functools.partial(slim.conv2d, num_outputs=depth,
                           kernel_size=[kernel, kernel], scope=scope, **options)


def max_pool(scope, kernel):
  """Makes a row: max pooling of stride 2 with a square window."""
  return functools.partial(slim.max_pool2d, kernel_size=[kernel, kernel],
                           stride=2, scope=scope)


def dropout(scope):
  """Makes a row: dropout, at the rate given to `build`."""
  return functools.partial(slim.dropout, scope=scope)


# A network of this kind. `layers` are the rows up to the features, `logits` the
# options of the last convolution, `least_side` the smallest height and width
# of images that the rows allow.
Network = collections.namedtuple('Network', 'name least_side layers logits')

# How the dense layers of AlexNet v2 and OverFeat start.
_WEIGHTS = tf.truncated_normal_initializer(0.0, 0.005)
DENSE = dict(weights_initializer=_WEIGHTS,
             biases_initializer=tf.constant_initializer(0.1))
LOGITS = dict(weights_initializer=_WEIGHTS,
              biases_initializer=tf.zeros_initializer())

_ALEXNET_V2 = Network('alexnet_v2', least_side=195, logits=LOGITS, layers=(
    conv('conv1', 64, 11, stride=4, padding='VALID'),
    max_pool('pool1', 3),
    conv('conv2', 192, 5),
    max_pool('pool2', 3),
    conv('conv3', 384, 3),
    conv('conv4', 384, 3),
    conv('conv5', 256, 3),
    max_pool('pool5', 3),
    conv('fc6', 4096, 5, padding='VALID', **DENSE),
    dropout('dropout6'),
    conv('fc7', 4096, 1, **DENSE),
))


def alexnet_v2(inputs, num_classes=1000, is_training=True,
               dropout_keep_prob=0.5, spatial_squeeze=True, scope='alexnet_v2',
               global_pool=False):
  """Builds AlexNet v2.

  Args:
    inputs: float32 [batch, height, width, channels], 195x195 or larger. Sides
      of 195 to 226 give logits of 1x1; the network was designed for 224.
    num_classes: width of the logits; None or 0 for the features before them.
    is_training: whether dropout is active.
    dropout_keep_prob: share of the features kept by dropout, in (0, 1].
    spatial_squeeze: whether to drop the two spatial dimensions of the logits,
      which must be of length 1.
    scope: variable scope.
    global_pool: whether to average the features over the image before the
      logits, so that any image gives one row of them.

  Returns:
    net: float32 logits [batch, num_classes], or [batch, h, w, num_classes] if
      not squeezed, or features [batch, h, w, 4096].
    end_points: dict from layer name to tensor.

  Raises:
    ValueError: the images are too small, or the logits cannot be squeezed.
  """
  return build(_ALEXNET_V2, inputs, num_classes, is_training,
               dropout_keep_prob, spatial_squeeze, global_pool, scope)


alexnet_v2.default_image_size = 224


def alexnet_v2_arg_scope(weight_decay=0.0005):
  """Returns the argument scope of AlexNet v2.

  Args:
    weight_decay: coefficient of the L2 regularisation of all weights.
  """
  with slim.arg_scope(
      [slim.conv2d, slim.fully_connected], activation_fn=tf.nn.relu,
      biases_initializer=tf.constant_initializer(0.1),
      weights_regularizer=slim.l2_regularizer(weight_decay)):
    with slim.arg_scope([slim.conv2d], padding='SAME'):
      with slim.arg_scope([slim.max_pool2d], padding='VALID') as scope:
        return scope


@contrib_scopes.reach
def build(network, inputs, num_classes, is_training, dropout_keep_prob,
          spatial_squeeze, global_pool, scope, reuse=None):
  """Builds a network of this kind from its table.

  Args:
    network: a `Network`, the table that is walked.
    inputs: float32 [batch, height, width, channels].
    num_classes: width of the logits; None or 0 for the features before them.
    is_training: whether dropout is active.
    dropout_keep_prob: share of the features kept by dropout, in (0, 1].
    spatial_squeeze: whether to drop the spatial dimensions of the logits.
    global_pool: whether to average over the image before the logits.
    scope: variable scope; the name of the network if None.
    reuse: whether to reuse the variables of an earlier call with this scope.

  Returns:
    net: float32 logits or features.
    end_points: dict from layer name to tensor.

  Raises:
    ValueError: the images are too small, or the logits cannot be squeezed.
  """
  inputs = tf.convert_to_tensor(inputs)
  least, sides = network.least_side, inputs.shape.as_list()[1:3]
  if any(side is not None and side < least for side in sides):
    raise ValueError(
        'inputs of %s must be %dx%d or larger, given %sx%s; enlarge the images.'
        % (network.name, least, least, *sides))
  with tf.variable_scope(scope, network.name, [inputs], reuse=reuse) as sc:
    with slim.arg_scope([slim.dropout], keep_prob=dropout_keep_prob,
                        is_training=is_training):
      net, end_points = _features(
          inputs, network.layers, sc.original_name_scope + '_end_points')
      if global_pool:
        net = tf.reduce_mean(net, [1, 2], keepdims=True, name='global_pool')
        end_points['global_pool'] = net
      if num_classes:
        net = slim.dropout(net, scope='dropout7')
        net = slim.conv2d(net, num_classes, [1, 1], activation_fn=None,
                          normalizer_fn=None, scope='fc8', **network.logits)
        if spatial_squeeze:
          net = layer_utils.squeeze(net, name='fc8/squeezed')
        end_points[sc.name + '/fc8'] = net
  return net, end_points


def _features(net, layers, collection):
  with slim.arg_scope([slim.conv2d, slim.max_pool2d],
                      outputs_collections=collection):
    for layer in layers:
      net = layer(net)
  return net, slim.utils.convert_collection_to_dict(collection)
