"""CycleGAN's generator: pictures of one kind into pictures of another.

J.-Y. Zhu, T. Park, P. Isola, A. A. Efros: Unpaired Image-to-Image Translation
using Cycle-Consistent Adversarial Networks (2017),
https://arxiv.org/abs/1703.10593

The discriminator that the paper uses is `pix2pix.pix2pix_discriminator`.
"""
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import contrib_scopes
from nets import layer_utils

_PAD_MODES = ('CONSTANT', 'REFLECT', 'SYMMETRIC')
# The encoder halves the sides twice.
_REDUCTION = 4


def cyclegan_arg_scope(instance_norm_center=True, instance_norm_scale=True,
                       instance_norm_epsilon=0.001, weights_init_stddev=0.02,
                       weight_decay=0.0):
  """Returns the argument scope of CycleGAN's convolutions.

  Transposed convolutions keep tf_slim's defaults, without normalization.

  Args:
    instance_norm_center: whether instance normalization has a `beta`.
    instance_norm_scale: whether instance normalization has a `gamma`.
    instance_norm_epsilon: added to the variance.
    weights_init_stddev: standard deviation of the initial weights.
    weight_decay: coefficient of L2 regularization of the weights.
  """
  with slim.arg_scope(
      [slim.conv2d],
      normalizer_fn=slim.instance_norm,
      normalizer_params={
          'center': instance_norm_center,
          'scale': instance_norm_scale,
          'epsilon': instance_norm_epsilon},
      weights_initializer=tf.random_normal_initializer(
          0, weights_init_stddev),
      weights_regularizer=slim.l2_regularizer(weight_decay)) as scope:
    return scope


def cyclegan_upsample(net, num_outputs, stride, method='conv2d_transpose',
                      pad_mode='REFLECT', align_corners=False):
  """Upsamples and convolves with a 3x3 kernel.

  Args:
    net: float32 [batch, height, width, channels].
    num_outputs: channels of the result.
    stride: pair of ints, the factors by which height and width grow;
      'conv2d_transpose' has none but 2.
    method: 'conv2d_transpose', 'nn_upsample_conv' (nearest neighbor, then a
      convolution) or 'bilinear_upsample_conv'.
    pad_mode: how the last two pad before they convolve: 'CONSTANT', 'REFLECT'
      or 'SYMMETRIC', as `tf.pad` has them.
    align_corners: whether bilinear resizing keeps the corner pixels in place.

  Returns:
    float32 [batch, height * stride[0], width * stride[1], num_outputs].

  Raises:
    ValueError: `method`, `pad_mode` or `stride` is not one of the above.
  """
  methods = ('conv2d_transpose', 'nn_upsample_conv', 'bilinear_upsample_conv')
  if method not in methods:
    raise ValueError('Unknown method %s; it is one of: %s' % (
        method, ', '.join(methods)))
  if pad_mode.upper() not in _PAD_MODES:
    raise ValueError('Unknown pad_mode %s; it is one of: %s' % (
        pad_mode, ', '.join(_PAD_MODES)))
  if method == 'conv2d_transpose' and tuple(stride) != (2, 2):
    raise ValueError(
        'stride must be [2, 2] with method conv2d_transpose, got %s; the '
        'methods %s and %s take others' % ((stride,) + methods[1:]))
  with tf.variable_scope('upconv'):
    if method == 'conv2d_transpose':
      net = slim.conv2d_transpose(
          net, num_outputs, kernel_size=[3, 3], stride=stride, padding='VALID')
      # One row and one column more than wanted. Checkpoints were trained with
      # the first ones dropped; SAME padding would drop the last.
      return net[:, 1:, 1:, :]
    sides = layer_utils.scaled_sides(net, stride)
    if method == 'nn_upsample_conv':
      net = tf.image.resize_nearest_neighbor(net, sides)
    else:
      net = tf.image.resize_bilinear(net, sides, align_corners=align_corners)
    net = _pad(net, 3, pad_mode)
    return slim.conv2d(net, num_outputs, kernel_size=[3, 3], padding='VALID')


@contrib_scopes.reach
def cyclegan_generator_resnet(images, arg_scope_fn=cyclegan_arg_scope,
                              num_resnet_blocks=6, num_filters=64,
                              upsample_fn=cyclegan_upsample, kernel_size=3,
                              tanh_linear_slope=0.0, is_training=False):
  """Builds the generator: encoder, residual blocks, decoder.

  There is no outer variable scope: two generators need one each around them.

  Args:
    images: float32 [batch, height, width, channels] in -1..1. Sides that are
      known when the graph is built must be multiples of 4, and at least 8 with
      kernels of 3.
    arg_scope_fn: makes the argument scope of the convolutions.
    num_resnet_blocks: number of residual blocks; the paper has 6 for pictures
      of 128x128 and 9 for 256x256.
    num_filters: channels of the first layer; four times as many in the
      residual blocks.
    upsample_fn: called as `cyclegan_upsample` with (net, num_outputs, stride).
      Another method: `functools.partial(cyclegan_upsample, method=...)`.
    kernel_size: side of the kernels of the encoder and the residual blocks.
    tanh_linear_slope: the output is tanh(x) + tanh_linear_slope * x; a small
      slope keeps gradients alive where tanh saturates.
    is_training: unused; instance normalization knows no modes.

  Returns:
    predictions: float32, the shape of `images`; in -1..1 if the slope is 0.
    end_points: dict from layer name to tensor.

  Raises:
    ValueError: the size of `images` is not as above.
  """
  del is_training
  _check_sides(images, kernel_size)
  end_points = {}
  with slim.arg_scope(arg_scope_fn()):
    net = _encode(images, num_filters, kernel_size, end_points)
    with tf.variable_scope('residual_blocks'):
      for i in range(num_resnet_blocks):
        with tf.variable_scope('block_%d' % i):
          net += _residual(net, kernel_size)
        end_points['resnet_block_%d' % i] = net
    with tf.variable_scope('decoder'):
      for name, channels in (('decoder1', num_filters * 2),
                             ('decoder2', num_filters)):
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
  """Pads so that a VALID convolution of stride 1 keeps the sides."""
  total = kernel_size - 1
  sides = [total // 2, total - total // 2]
  return tf.pad(net, [[0, 0], sides, sides, [0, 0]], mode)


def _check_sides(images, kernel_size):
  if images.shape.ndims != 4:
    raise ValueError('images must have the shape [batch, height, width, '
                     'channels]; got shape %s' % images.shape)
  # Reflection wants more pixels than it pads; the residual blocks have least.
  smallest = _REDUCTION * (kernel_size // 2 + 1)
  for name, side in zip(('height', 'width'), images.shape.as_list()[1:3]):
    if side is not None and (side % _REDUCTION or side < smallest):
      raise ValueError(
          'The %s of images must be a multiple of %d, at least %d with '
          'kernel_size %d; got %d' % (
              name, _REDUCTION, smallest, kernel_size, side))
