"""Chains of layers, one after the other, and their interpreter.

A table is a list of rows, each made by one of the functions below. What a row
leaves open is decided by the argument scope in force when it is built. The
comment beside a row is the shape of its output for images of the default size.
`chain` builds any such table; `build` adds what AlexNet, VGG and OverFeat have
in common: convolutions and poolings, then three dense layers written as
convolutions, so that larger images give a map of logits.
"""
import collections
import functools

import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import contrib_scopes
from nets import layer_utils
from nets import layouts

Network = collections.namedtuple('Network', 'name min_size layers logits')
Network.__doc__ = """A network for `build`.

Attributes:
  name: default variable scope, str.
  min_size: minimum height and width of the images, in pixels.
  layers: list of rows, up to the features.
  logits: dict of arguments of the last convolution.
"""

# How AlexNet v2 and OverFeat initialize their dense layers.
DENSE = {'weights_initializer': layer_utils.trunc_normal(0.005),
         'biases_initializer': tf.constant_initializer(0.1)}
LOGITS = {'weights_initializer': layer_utils.trunc_normal(0.005),
          'biases_initializer': tf.zeros_initializer()}


def conv(scope, depth, kernel, **options):
  """Returns the row of a convolution with a kernel of `kernel` x `kernel`."""
  return functools.partial(slim.conv2d, num_outputs=depth,
                           kernel_size=[kernel, kernel], scope=scope, **options)


def convs(scope, count, depth, kernel):
  """Returns a row of `count` convolutions, scopes `scope`/`scope`_<number>."""
  return functools.partial(
      slim.repeat, repetitions=count, layer=slim.conv2d, num_outputs=depth,
      kernel_size=[kernel, kernel], scope=scope)


def max_pool(scope, kernel):
  """Returns the row of max pooling with a square window and stride 2."""
  return functools.partial(slim.max_pool2d, kernel_size=[kernel, kernel],
                           stride=2, scope=scope)


def dropout(scope):
  """Returns the row of dropout, at the rate given to `build`."""
  return functools.partial(slim.dropout, scope=scope)


def flatten(scope):
  """Returns the row that turns [batch, ...] into [batch, features]."""
  return functools.partial(slim.flatten, scope=scope)


def dense(scope, depth):
  """Returns the row of a dense layer."""
  return functools.partial(slim.fully_connected, num_outputs=depth, scope=scope)


def arg_scope(weight_decay, biases_initializer, **pooling):
  """Returns the argument scope of AlexNet, VGG and OverFeat.

  Args:
    weight_decay: coefficient of L2 regularization of all weights.
    biases_initializer: initializer of all biases.
    **pooling: arguments of `slim.max_pool2d`.
  """
  with slim.arg_scope(
      [slim.conv2d, slim.fully_connected], activation_fn=tf.nn.relu,
      biases_initializer=biases_initializer,
      weights_regularizer=slim.l2_regularizer(weight_decay)):
    with slim.arg_scope([slim.conv2d], padding='SAME'):
      with slim.arg_scope([slim.max_pool2d], **pooling) as scope:
        return scope


def chain(net, rows):
  """Builds rows one after the other.

  Args:
    net: float32 [batch, height, width, channels].
    rows: list of functions of a tensor.

  Returns:
    net: the output of the last row.
    end_points: dict from scope to output, for each row that has a scope.
  """
  end_points = {}
  for row in rows:
    net = row(net)
    if 'scope' in row.keywords:
      end_points[row.keywords['scope']] = net
  return net, end_points


@contrib_scopes.reach
def build(network, inputs, num_classes, is_training, dropout_keep_prob,
          spatial_squeeze, global_pool, scope, reuse=None):
  """Builds a network: its rows, then logits.

  Arguments that are not listed, and results, are those of `vgg.vgg_16`.

  Args:
    network: a `Network`.
    scope: variable scope; the name of the network if None.

  Raises:
    ValueError: the images are too small, or the logits cannot be squeezed.
  """
  inputs = tf.convert_to_tensor(inputs)
  layouts.check(network.name)
  sizes = layouts.size(inputs)
  if any(size is not None and size < network.min_size for size in sizes):
    raise ValueError(
        'inputs of %s must be %dx%d or larger, given %sx%s; enlarge the images.'
        % (network.name, network.min_size, network.min_size, *sizes))
  with tf.variable_scope(scope, network.name, [inputs], reuse=reuse) as sc:
    with slim.arg_scope([slim.dropout], keep_prob=dropout_keep_prob,
                        is_training=is_training):
      net, end_points = _features(
          inputs, network.layers, sc.original_name_scope + '_end_points')
      if global_pool:
        net = layouts.average(net, name='global_pool')
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
  """Builds the layers; their end points have the names of variable scopes."""
  with slim.arg_scope([slim.conv2d, slim.max_pool2d],
                      outputs_collections=collection):
    net, _ = chain(net, layers)
  return net, slim.utils.convert_collection_to_dict(collection)
