"""The generator of CycleGAN: translates images of one kind into another.

J.-Y. Zhu, T. Park, P. Isola, A. A. Efros: Unpaired Image-to-Image Translation
using Cycle-Consistent Adversarial Networks (2017),
https://arxiv.org/abs/1703.10593

The discriminator of the paper is `pix2pix.pix2pix_discriminator`.
"""
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import contrib_scopes
from nets import layer_utils

# The encoder halves height and width twice.
_REDUCTION = 4


def cyclegan_arg_scope(instance_norm_center=True, instance_norm_scale=True,
                       instance_norm_epsilon=0.001, weights_init_stddev=0.02,
                       weight_decay=0.0):
  """Returns the argument scope of CycleGAN's convolutions.

  Transposed convolutions keep the defaults of tf_slim, without normalization.

  Args:
    instance_norm_center: whether instance normalization has a `beta`.
    instance_norm_scale: whether instance normalization has a `gamma`.
    instance_norm_epsilon: added to the variance.
    weights_init_stddev: standard deviation of the initial weights.
    weight_decay: coefficient of L2 regularization of the weights.
  """
  with slim.arg_scope(
      [slim.conv2d], normalizer_fn=slim.instance_norm, normalizer_params={
          'center': instance_norm_center, 'scale': instance_norm_scale,
          'epsilon': instance_norm_epsilon},
      weights_initializer=tf.random_normal_initializer(0, weights_init_stddev),
      weights_regularizer=slim.l2_regularizer(weight_decay)) as scope:
    return scope


def cyclegan_upsample(net, num_outputs, stride, method='conv2d_transpose',
                      pad_mode='REFLECT', align_corners=False):
  """Upsamples and convolves with a 3x3 kernel.

  Args:
    net: float32 [batch, height, width, channels].
    num_outputs: channels of the result.
    stride: pair of ints, factors of height and width; (2, 2) with
      'conv2d_transpose'.
    method: 'conv2d_transpose', 'nn_upsample_conv' (nearest neighbor, then a
      convolution) or 'bilinear_upsample_conv'.
    pad_mode: padding of the convolution in the last two methods, a mode of
      `tf.pad`: 'CONSTANT', 'REFLECT' or 'SYMMETRIC'.
    align_corners: whether bilinear resizing aligns the corner pixels.

  Returns:
    float32 [batch, height * stride[0], width * stride[1], num_outputs].

  Raises:
    ValueError: `method`, `pad_mode` or `stride` is not one of these.
  """
  methods = ('conv2d_transpose', 'nn_upsample_conv', 'bilinear_upsample_conv')
  layer_utils.check_choice('method', method, methods)
  layer_utils.check_choice('pad_mode', pad_mode.upper(), layer_utils.PAD_MODES)
  if method == 'conv2d_transpose' and tuple(stride) != (2, 2):
    raise ValueError(
        'stride must be [2, 2] with method conv2d_transpose, got %s; the '
        'methods %s and %s accept others' % ((stride,) + methods[1:]))
  with tf.variable_scope('upconv'):
    if method == 'conv2d_transpose':
      net = slim.conv2d_transpose(
          net, num_outputs, kernel_size=[3, 3], stride=stride, padding='VALID')
      # There is one row and one column too many. Checkpoints were trained
      # with the first ones removed; SAME padding would remove the last.
      return net[:, 1:, 1:, :]
    size = layer_utils.scaled_size(net, stride)
    if method == 'nn_upsample_conv':
      net = tf.image.resize_nearest_neighbor(net, size)
    else:
      net = tf.image.resize_bilinear(net, size, align_corners=align_corners)
    net = _pad(net, 3, pad_mode)
    return slim.conv2d(net, num_outputs, kernel_size=[3, 3], padding='VALID')


@contrib_scopes.reach
def cyclegan_generator_resnet(images, arg_scope_fn=cyclegan_arg_scope,
                              num_resnet_blocks=6, num_filters=64,
                              upsample_fn=cyclegan_upsample, kernel_size=3,
                              tanh_linear_slope=0.0, is_training=False):
  """Builds the generator: encoder, residual blocks, decoder.

  There is no outer variable scope: open one around each of two generators.

  Args:
    images: float32 [batch, height, width, channels] in [-1, 1]. Height and
      width, if known when the graph is built, must be multiples of 4, and at
      least 8 with kernels of 3.
    arg_scope_fn: function that returns the argument scope of the convolutions.
    num_resnet_blocks: number of residual blocks; the paper has 6 for images of
      128x128 and 9 for 256x256.
    num_filters: channels of the first layer; the residual blocks have four
      times as many.
    upsample_fn: function of (net, num_outputs, stride), for example
      `functools.partial(cyclegan_upsample, method='nn_upsample_conv')`.
    kernel_size: kernel size of the encoder and the residual blocks.
    tanh_linear_slope: the output is tanh(x) + tanh_linear_slope * x; a small
      slope avoids vanishing gradients where tanh saturates.
    is_training: unused; instance normalization has no training mode.

  Returns:
    predictions: float32 of the shape of `images`; in [-1, 1] if the slope is 0.
    end_points: dict from layer name to tensor.

  Raises:
    ValueError: the size of `images` is invalid.
  """
  del is_training
  _check_size(images, kernel_size)
  end_points = {}
  with slim.arg_scope(arg_scope_fn()):
    net = _encode(images, num_filters, kernel_size, end_points)
    with tf.variable_scope('residual_blocks'):
      for i in range(num_resnet_blocks):
        with tf.variable_scope('block_%d' % i):
          net += _residual(net, kernel_size)
        end_points['resnet_block_%d' % i] = net
    with tf.variable_scope('decoder'):
      # Sizes for images of 256 x 256 and 64 filters.
      for name, channels in (
          ('decoder1', num_filters * 2),  # 128 x 128 x 128
          ('decoder2', num_filters)):     # 256 x 256 x 64
        with tf.variable_scope(name):
          net = upsample_fn(net, channels, [2, 2])
        end_points[name] = net
    with tf.variable_scope('output'):
      logits = end_points['logits'] = slim.conv2d(
          _pad(net, 7), images.shape.as_list()[-1], [7, 7], padding='VALID',
          activation_fn=None, normalizer_fn=None)
      end_points['predictions'] = tf.tanh(logits) + logits * tanh_linear_slope
  return end_points['predictions'], end_points


def _encode(images, num_filters, kernel_size, end_points):
  with tf.variable_scope('input'):
    net = end_points['encoder_0'] = slim.conv2d(
        _pad(images, 7), num_filters, [7, 7], padding='VALID')
  with tf.variable_scope('encoder'):
    for i in (1, 2):
      net = end_points['encoder_%d' % i] = slim.conv2d(
          _pad(net, kernel_size), num_filters * 2**i, kernel_size, stride=2,
          padding='VALID')
  return net


def _residual(net, kernel_size):
  channels = net.shape.as_list()[-1]
  for activation in (tf.nn.relu, None):
    net = slim.conv2d(_pad(net, kernel_size), channels, kernel_size,
                      padding='VALID', activation_fn=activation)
  return net


def _pad(net, kernel_size, mode='REFLECT'):
  return layer_utils.fixed_padding(net, kernel_size, mode=mode)


def _check_size(images, kernel_size):
  layer_utils.check_nhwc('cyclegan')
  if images.shape.ndims != 4:
    raise ValueError('images must have the shape [batch, height, width, '
                     'channels]; got shape %s' % images.shape)
  # Reflection needs more pixels than it pads, in the residual blocks too.
  min_size = _REDUCTION * (kernel_size // 2 + 1)
  for name, size in zip(('height', 'width'), images.shape.as_list()[1:3]):
    if size is not None and (size % _REDUCTION or size < min_size):
      raise ValueError(
          'The input %s must be a multiple of %d. It must be at least %d with '
          'kernel_size %d; got %d' % (
              name, _REDUCTION, min_size, kernel_size, size))
