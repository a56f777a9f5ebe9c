"""pix2pix: a U-Net generator and a discriminator of patches.

P. Isola, J.-Y. Zhu, T. Zhou, A. A. Efros: Image-to-Image Translation with
Conditional Adversarial Networks (2016), https://arxiv.org/abs/1611.07004
"""
import collections
import numbers

import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import contrib_scopes
from nets import layer_utils

_UPSAMPLE_METHODS = ('nn_upsample_conv', 'conv2d_transpose')
_PAD_MODES = ('CONSTANT', 'REFLECT', 'SYMMETRIC')
_KERNEL = [4, 4]


class Block(
    collections.namedtuple('Block', ['num_filters', 'decoder_keep_prob'])):
  """One level of the U-Net.

  Attributes:
    num_filters: channels of the level's encoder and decoder layer.
    decoder_keep_prob: share of the decoder layer's values kept by dropout; 0
      for no dropout.
  """


def _default_generator_blocks():
  """Returns the seven blocks of the paper's generator, for 256x256 pictures."""
  return [
      Block(64, 0.5),
      Block(128, 0.5),
      Block(256, 0.5),
      Block(512, 0),
      Block(512, 0),
      Block(512, 0),
      Block(512, 0),
  ]


def pix2pix_arg_scope():
  """Returns the argument scope of both networks.

  Instance normalization stands for the paper's batch normalization over
  batches of one picture.
  """
  with slim.arg_scope(
      [slim.conv2d, slim.conv2d_transpose],
      normalizer_fn=slim.instance_norm,
      normalizer_params={'center': True, 'scale': True, 'epsilon': 1e-5},
      weights_initializer=tf.random_normal_initializer(0, 0.02)) as scope:
    return scope


def upsample(net, num_outputs, kernel_size, method='nn_upsample_conv'):
  """Upsamples and convolves with a 4x4 kernel.

  Args:
    net: float32 [batch, height, width, channels].
    num_outputs: channels of the result.
    kernel_size: pair of ints, the factors by which height and width grow.
    method: 'nn_upsample_conv' (nearest neighbor, then a convolution) or
      'conv2d_transpose'.

  Returns:
    float32 [batch, height * kernel_size[0], width * kernel_size[1],
    num_outputs].

  Raises:
    ValueError: `method` is not known.
  """
  _check_choice('method', method, _UPSAMPLE_METHODS)
  if method == 'conv2d_transpose':
    return slim.conv2d_transpose(
        net, num_outputs, _KERNEL, stride=kernel_size, activation_fn=None)
  net = tf.image.resize_nearest_neighbor(
      net, layer_utils.scaled_sides(net, kernel_size))
  return slim.conv2d(net, num_outputs, _KERNEL, activation_fn=None)


@contrib_scopes.reach
def pix2pix_generator(net, num_outputs, blocks=None,
                      upsample_method='nn_upsample_conv', is_training=False):
  """Builds the generator, a U-Net. To be called under `pix2pix_arg_scope`.

  There is no outer variable scope: it shares the names of its layers with
  every other generator beside it.

  Args:
    net: float32 [batch, height, width, channels] in -1..1. Sides that are
      known when the graph is built must be multiples of 2 ** number of blocks.
    num_outputs: channels of the pictures made.
    blocks: list of `Block`s, the outermost level first; seven of them by
      default.
    upsample_method: 'nn_upsample_conv' or 'conv2d_transpose'; see `upsample`.
    is_training: unused. Dropout is this generator's only noise and stays
      active after training; an argument scope over `slim.dropout` stops it.

  Returns:
    logits: float32 [batch, height, width, num_outputs]; their tanh,
      `end_points['predictions']`, is a picture in -1..1.
    end_points: dict from layer name to tensor.

  Raises:
    ValueError: the size of `net` or `upsample_method` is not as above.
  """
  del is_training
  blocks = blocks or _default_generator_blocks()
  _check_sides(net, 2**len(blocks))
  _check_choice('upsample_method', upsample_method, _UPSAMPLE_METHODS)
  known = net.shape.as_list()[:3]
  measured = tf.unstack(tf.shape(net))[:3]
  end_points = {}
  with tf.variable_scope('encoder'):
    net = _encode(net, blocks, end_points)
  with tf.variable_scope('decoder'):
    net = _decode(net, blocks, upsample_method, end_points)
  with tf.variable_scope('output'):
    logits = slim.conv2d(
        net, num_outputs, _KERNEL, activation_fn=None, normalizer_fn=None)
    logits = tf.reshape(logits, measured + [num_outputs])
    logits.set_shape(known + [num_outputs])
    end_points['logits'] = logits
    end_points['predictions'] = tf.tanh(logits)
  return logits, end_points


def _encode(net, blocks, end_points):
  """Halves the sides at every block; the ends are not normalized."""
  last = len(blocks) - 1
  for i, block in enumerate(blocks):
    how = {'normalizer_fn': None} if i in (0, last) else {}
    net = end_points['encoder%d' % i] = slim.conv2d(
        net, block.num_filters, _KERNEL, stride=2,
        activation_fn=None if i == last else tf.nn.leaky_relu, **how)
  return net


def _decode(net, blocks, upsample_method, end_points):
  """Doubles the sides at every block, beside what the encoder saw there."""
  for i, block in enumerate(reversed(blocks)):
    if i > 0:
      skipped = end_points['encoder%d' % (len(blocks) - 1 - i)]
      net = tf.concat([net, skipped], axis=3)
    net = upsample(
        tf.nn.relu(net), block.num_filters, [2, 2], upsample_method)
    if block.decoder_keep_prob > 0:
      net = slim.dropout(net, keep_prob=block.decoder_keep_prob)
    end_points['decoder%d' % i] = net
  return net


@contrib_scopes.reach
def pix2pix_discriminator(net, num_filters, padding=2, pad_mode='REFLECT',
                          activation_fn=tf.nn.leaky_relu, is_training=False):
  """Builds the discriminator. To be called under `pix2pix_arg_scope`.

  Each logit judges one patch of the picture. The layers halve the sides, but
  for the last of `num_filters` and the logits. There is no outer variable
  scope.

  Args:
    net: float32 [batch, height, width, channels]: pictures in -1..1; for a
      conditional discriminator the generator's input and its output, one
      behind the other along the channels.
    num_filters: list of two or more ints, the channels of the layers.
    padding: pixels added on every side before each convolution; 0 for none.
    pad_mode: 'CONSTANT', 'REFLECT' or 'SYMMETRIC', as `tf.pad` has them.
    activation_fn: activation of all layers but the logits.
    is_training: unused; instance normalization knows no modes.

  Returns:
    logits: float32 [batch, rows, columns, 1], positive for patches taken for
      real; their sigmoid is `end_points['predictions']`.
    end_points: dict from layer name to tensor.

  Raises:
    TypeError: `padding` is not an int.
    ValueError: `num_filters` is too short, `padding` is negative or `pad_mode`
      is not known.
  """
  del is_training
  if not isinstance(padding, numbers.Integral):
    raise TypeError('padding must be an int, got %r' % (padding,))
  if padding < 0:
    raise ValueError('padding must be 0 or more, got %d' % padding)
  if len(num_filters) < 2:
    raise ValueError(
        'num_filters must name two layers or more, got %s' % (num_filters,))
  _check_choice('pad_mode', pad_mode.upper(), _PAD_MODES)
  last = len(num_filters) - 1
  end_points = {}
  for i, channels in enumerate(num_filters):
    name = 'conv%d' % i
    how = {'normalizer_fn': None} if i == 0 else {}
    net = end_points[name] = slim.conv2d(
        _pad(net, padding, pad_mode, name), channels, _KERNEL,
        stride=1 if i == last else 2, padding='VALID',
        activation_fn=activation_fn, scope=name, **how)
  name = 'conv%d' % len(num_filters)
  logits = end_points['logits'] = slim.conv2d(
      _pad(net, padding, pad_mode, name), 1, _KERNEL, padding='VALID',
      activation_fn=None, normalizer_fn=None, scope=name)
  end_points['predictions'] = tf.sigmoid(logits)
  return logits, end_points


def _pad(net, padding, mode, name):
  if padding == 0:
    return net
  # Takes the layer's name, as in graphs exported before: the convolution that
  # follows is then <name>_1.
  with tf.name_scope(name):
    sides = [padding, padding]
    return tf.pad(net, [[0, 0], sides, sides, [0, 0]], mode)


def _check_sides(net, factor):
  if net.shape.ndims != 4:
    raise ValueError('net must have the shape [batch, height, width, '
                     'channels]; got shape %s' % net.shape)
  for name, side in zip(('height', 'width'), net.shape.as_list()[1:3]):
    if side is not None and side % factor:
      raise ValueError(
          'The %s of net must be a multiple of %d (2 ** number of blocks); '
          'got %d. Fewer blocks take smaller pictures.' % (name, factor, side))


def _check_choice(name, given, allowed):
  if given not in allowed:
    raise ValueError('Unknown %s %s; it is one of: %s' % (
        name, given, ', '.join(allowed)))
