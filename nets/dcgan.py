"""DCGAN: a generator and a discriminator for square images.

A. Radford, L. Metz, S. Chintala: Unsupervised Representation Learning with
Deep Convolutional Generative Adversarial Networks (2015),
https://arxiv.org/abs/1511.06434
"""
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import contrib_scopes
from nets import layer_utils
from nets import normalization

_MIN_GENERATED_SIZE = 8


@contrib_scopes.reach
def discriminator(inputs, depth=64, is_training=True, reuse=None,
                  scope='Discriminator', fused_batch_norm=False):
  """Builds the discriminator, which classifies images as real or generated.

  Every layer halves the size and doubles the channels, down to one pixel.

  Args:
    inputs: float32 [batch, size, size, channels] in [-1, 1]; the size is a
      power of 2 and known when the graph is built.
    depth: channels of the first layer.
    is_training: whether batch normalization is in training mode.
    reuse: whether to reuse the variables of an earlier call.
    scope: variable scope.
    fused_batch_norm: whether batch normalization is computed by one op.

  Returns:
    logits: float32 [batch, 1], positive for images classified as real.
    end_points: dict from layer name to tensor.

  Raises:
    ValueError: the size of `inputs` is invalid.
  """
  num_layers = _log2(_image_size(inputs))
  end_points = {}
  with tf.variable_scope(scope, values=[inputs], reuse=reuse):
    with _arg_scope(tf.nn.leaky_relu, is_training, fused_batch_norm):
      net = inputs
      for i in range(num_layers):
        name = 'conv%d' % (i + 1)
        # As in the paper, the first layer is not normalized.
        normalizer = None if i == 0 else normalization.batch_norm
        # 16 x 16 x 64, 8 x 8 x 128, ..., 1 x 1 x 1024 for images of 32 x 32.
        net = end_points[name] = slim.conv2d(
            net, depth * 2**i, normalizer_fn=normalizer, scope=name)
      logits = slim.conv2d(
          net, 1, kernel_size=1, stride=1, padding='VALID',
          normalizer_fn=None, activation_fn=None, scope='Conv')
    logits = end_points['logits'] = tf.reshape(logits, [-1, 1])
  return logits, end_points


@contrib_scopes.reach
def generator(inputs, depth=64, final_size=32, num_outputs=3,
              is_training=True, reuse=None, scope='Generator',
              fused_batch_norm=False):
  """Builds the generator, which maps noise to images.

  The first layer generates 4x4 pixels; every other one doubles the size and
  halves the channels. Arguments that are not listed are those of
  `discriminator`.

  Args:
    inputs: float32 [batch, dimensions] noise, usually N(0, 1).
    depth: channels of the last layer before the logits.
    final_size: height and width of the images, a power of 2, 8 or more.
    num_outputs: channels of the images.

  Returns:
    logits: float32 [batch, final_size, final_size, num_outputs]; their tanh is
      an image in [-1, 1].
    end_points: dict from layer name to tensor.

  Raises:
    ValueError: `inputs` or `final_size` is invalid.
  """
  layer_utils.check_nhwc('dcgan')
  if inputs.shape.ndims != 2 or inputs.shape.as_list()[1] is None:
    raise ValueError(
        'inputs must be noise of shape [batch, dimensions] with a known '
        'number of dimensions; got shape %s' % inputs.shape)
  if not _is_power_of_2(final_size):
    raise ValueError('final_size must be a power of 2, for example 32; got %s' %
                     final_size)
  if final_size < _MIN_GENERATED_SIZE:
    raise ValueError('final_size must be greater than %d or equal; got %s' % (
        _MIN_GENERATED_SIZE, final_size))
  num_layers = _log2(final_size) - 1
  end_points = {}
  with tf.variable_scope(scope, values=[inputs], reuse=reuse):
    with _arg_scope(tf.nn.relu, is_training, fused_batch_norm):
      net = inputs[:, tf.newaxis, tf.newaxis, :]
      for i in range(num_layers):
        name = 'deconv%d' % (i + 1)
        options = {'stride': 1, 'padding': 'VALID'} if i == 0 else {}
        if i == num_layers - 1:
          options = {'normalizer_fn': None, 'activation_fn': None}
        # 4 x 4 x 512, 8 x 8 x 256, ..., 32 x 32 x 64 for images of 32 x 32.
        net = end_points[name] = slim.conv2d_transpose(
            net, depth * 2**(num_layers - 1 - i), scope=name, **options)
      logits = end_points['logits'] = slim.conv2d(
          net, num_outputs, kernel_size=1, stride=1, padding='VALID',
          normalizer_fn=None, activation_fn=None, scope='logits')
  return logits, end_points


def _arg_scope(activation_fn, is_training, fused_batch_norm):
  return slim.arg_scope(
      [slim.conv2d, slim.conv2d_transpose],
      kernel_size=4, stride=2, padding='SAME', activation_fn=activation_fn,
      normalizer_fn=normalization.batch_norm, normalizer_params={
          'is_training': is_training, 'fused': fused_batch_norm,
          # Makes the averages correct from the first steps.
          'zero_debias_moving_mean': True})


def _image_size(inputs):
  """Returns the height of square images; raises ValueError if it is invalid."""
  layer_utils.check_nhwc('dcgan')
  shape = inputs.shape
  if shape.ndims != 4 or not shape[1:3].is_fully_defined():
    raise ValueError(
        'inputs must have shape [batch, size, size, channels] with a known '
        'size; got shape %s' % shape)
  height, width = shape.as_list()[1:3]
  if height != width:
    raise ValueError(
        'inputs do not have equal width and height; got shape %s' % shape)
  if not _is_power_of_2(height):
    raise ValueError('The width and height of inputs must be a power of 2, for '
                     'example 32; got %d' % height)
  return height


def _is_power_of_2(number):
  return number > 0 and number & (number - 1) == 0


def _log2(power_of_2):
  return power_of_2.bit_length() - 1
