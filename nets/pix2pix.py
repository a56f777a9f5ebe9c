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
_KERNEL = [4, 4]


class Block(
    collections.namedtuple('Block', ['num_filters', 'decoder_keep_prob'])):
  """One level of the U-Net.

  Attributes:
    num_filters: channels of the encoder and the decoder layer.
    decoder_keep_prob: fraction of the values of the decoder layer kept by
      dropout; 0 for no dropout.
  """


def _default_generator_blocks():
  """Returns the seven blocks of the paper, for images of 256x256."""
  return [
      Block(64, 0.5),   # encoder: 128 x 128 x 64, decoder: 256 x 256 x 64
      Block(128, 0.5),  # encoder: 64 x 64 x 128, decoder: 128 x 128 x 128
      Block(256, 0.5),  # encoder: 32 x 32 x 256, decoder: 64 x 64 x 256
      Block(512, 0),    # encoder: 16 x 16 x 512, decoder: 32 x 32 x 512
      Block(512, 0),    # encoder: 8 x 8 x 512, decoder: 16 x 16 x 512
      Block(512, 0),    # encoder: 4 x 4 x 512, decoder: 8 x 8 x 512
      Block(512, 0),    # encoder: 2 x 2 x 512, decoder: 4 x 4 x 512
  ]


def pix2pix_arg_scope():
  """Returns the argument scope of both networks.

  Instance normalization is the batch normalization of the paper, which has
  batches of one image.
  """
  with slim.arg_scope(
      [slim.conv2d, slim.conv2d_transpose], normalizer_fn=slim.instance_norm,
      normalizer_params={'center': True, 'scale': True, 'epsilon': 1e-5},
      weights_initializer=tf.random_normal_initializer(0, 0.02)) as scope:
    return scope


def upsample(net, num_outputs, kernel_size, method='nn_upsample_conv'):
  """Upsamples and convolves with a 4x4 kernel.

  Args:
    net: float32 [batch, height, width, channels].
    num_outputs: channels of the result.
    kernel_size: pair of ints, factors of height and width.
    method: 'nn_upsample_conv' (nearest neighbor, then a convolution) or
      'conv2d_transpose'.

  Returns:
    float32 [batch, height * kernel_size[0], width * kernel_size[1],
    num_outputs].

  Raises:
    ValueError: `method` is unknown.
  """
  layer_utils.check_choice('method', method, _UPSAMPLE_METHODS)
  if method == 'conv2d_transpose':
    return slim.conv2d_transpose(
        net, num_outputs, _KERNEL, stride=kernel_size, activation_fn=None)
  net = tf.image.resize_nearest_neighbor(
      net, layer_utils.scaled_size(net, kernel_size))
  return slim.conv2d(net, num_outputs, _KERNEL, activation_fn=None)


@contrib_scopes.reach
def pix2pix_generator(net, num_outputs, blocks=None,
                      upsample_method='nn_upsample_conv', is_training=False):
  """Builds the generator, a U-Net. Call it inside `pix2pix_arg_scope`.

  There is no outer variable scope: open one around each of two generators.

  Args:
    net: float32 [batch, height, width, channels] in [-1, 1]. Height and width,
      if known when the graph is built, must be multiples of
      2 ** number of blocks.
    num_outputs: channels of the generated images.
    blocks: list of `Block`s, the outermost level first; seven by default.
    upsample_method: 'nn_upsample_conv' or 'conv2d_transpose', see `upsample`.
    is_training: unused. Dropout is the only noise of this generator and stays
      active after training; an argument scope of `slim.dropout` disables it.

  Returns:
    logits: float32 [batch, height, width, num_outputs]; their tanh,
      `end_points['predictions']`, is an image in [-1, 1].
    end_points: dict from layer name to tensor.

  Raises:
    ValueError: the size of `net` or `upsample_method` is invalid.
  """
  del is_training
  blocks = blocks or _default_generator_blocks()
  _check_size(net, 2**len(blocks))
  layer_utils.check_choice(
      'upsample_method', upsample_method, _UPSAMPLE_METHODS)
  static = net.shape.as_list()[:3]
  dynamic = tf.unstack(tf.shape(net))[:3]
  end_points = {}
  with tf.variable_scope('encoder'):
    net = _encode(net, blocks, end_points)
  with tf.variable_scope('decoder'):
    net = _decode(net, blocks, upsample_method, end_points)
  with tf.variable_scope('output'):
    logits = slim.conv2d(
        net, num_outputs, _KERNEL, activation_fn=None, normalizer_fn=None)
    logits = tf.reshape(logits, dynamic + [num_outputs])
    logits.set_shape(static + [num_outputs])
    end_points['logits'] = logits
    end_points['predictions'] = tf.tanh(logits)
  return logits, end_points


def _encode(net, blocks, end_points):
  """Halves the size at every block; the ends are not normalized."""
  last = len(blocks) - 1
  for i, block in enumerate(blocks):
    options = {'normalizer_fn': None} if i in (0, last) else {}
    net = end_points['encoder%d' % i] = slim.conv2d(
        net, block.num_filters, _KERNEL, stride=2,
        activation_fn=None if i == last else tf.nn.leaky_relu, **options)
  return net


def _decode(net, blocks, upsample_method, end_points):
  """Doubles the size at every block, after concatenating the encoder's."""
  for i, block in enumerate(reversed(blocks)):
    if i > 0:
      encoded = end_points['encoder%d' % (len(blocks) - 1 - i)]
      net = tf.concat([net, encoded], axis=3)
    net = upsample(tf.nn.relu(net), block.num_filters, [2, 2], upsample_method)
    if block.decoder_keep_prob > 0:
      net = slim.dropout(net, keep_prob=block.decoder_keep_prob)
    end_points['decoder%d' % i] = net
  return net


@contrib_scopes.reach
def pix2pix_discriminator(net, num_filters, padding=2, pad_mode='REFLECT',
                          activation_fn=tf.nn.leaky_relu, is_training=False):
  """Builds the discriminator. Call it inside `pix2pix_arg_scope`.

  Each logit classifies one patch of the image. The layers halve the size,
  except the last of `num_filters` and the logits. There is no outer variable
  scope.

  Args:
    net: float32 [batch, height, width, channels], images in [-1, 1]; for a
      conditional discriminator the input and the output of the generator,
      concatenated along the channels.
    num_filters: list of two or more ints, the channels of the layers.
    padding: pixels added at each edge before each convolution; 0 for none.
    pad_mode: a mode of `tf.pad`: 'CONSTANT', 'REFLECT' or 'SYMMETRIC'.
    activation_fn: activation of all layers except the logits.
    is_training: unused; instance normalization has no training mode.

  Returns:
    logits: float32 [batch, rows, columns, 1], positive for patches classified
      as real; their sigmoid is `end_points['predictions']`.
    end_points: dict from layer name to tensor.

  Raises:
    TypeError: `padding` is not an int.
    ValueError: `num_filters` is too short, `padding` is negative or `pad_mode`
      is unknown.
  """
  del is_training
  layer_utils.check_nhwc('pix2pix')
  if not isinstance(padding, numbers.Integral):
    raise TypeError('padding must be an int, got %r' % (padding,))
  if padding < 0:
    raise ValueError('padding must be 0 or more, got %d' % padding)
  if len(num_filters) < 2:
    raise ValueError(
        'num_filters must have two or more entries, got %s' % (num_filters,))
  layer_utils.check_choice('pad_mode', pad_mode.upper(), layer_utils.PAD_MODES)
  last = len(num_filters) - 1
  end_points = {}
  for i, channels in enumerate(num_filters):
    name = 'conv%d' % i
    options = {'normalizer_fn': None} if i == 0 else {}
    net = end_points[name] = slim.conv2d(
        _pad(net, padding, pad_mode, name), channels, _KERNEL,
        stride=1 if i == last else 2, padding='VALID',
        activation_fn=activation_fn, scope=name, **options)
  name = 'conv%d' % len(num_filters)
  logits = end_points['logits'] = slim.conv2d(
      _pad(net, padding, pad_mode, name), 1, _KERNEL, padding='VALID',
      activation_fn=None, normalizer_fn=None, scope=name)
  end_points['predictions'] = tf.sigmoid(logits)
  return logits, end_points


def _pad(net, padding, mode, name):
  if padding == 0:
    return net
  # Uses the name of the layer, as in exported graphs, where the convolution
  # that follows is <name>_1.
  with tf.name_scope(name):
    return tf.pad(net, [[0, 0], [padding] * 2, [padding] * 2, [0, 0]], mode)


def _check_size(net, factor):
  layer_utils.check_nhwc('pix2pix')
  if net.shape.ndims != 4:
    raise ValueError('net must have the shape [batch, height, width, '
                     'channels]; got shape %s' % net.shape)
  for name, size in zip(('height', 'width'), net.shape.as_list()[1:3]):
    if size is not None and size % factor:
      raise ValueError(
          'The %s of net must be a multiple of %d (2 ** number of blocks); '
          'got %d. Give fewer blocks or resize the images.' % (
              name, factor, size))
