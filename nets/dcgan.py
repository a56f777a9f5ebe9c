"""DCGAN: a generator and a discriminator for square pictures.

A. Radford, L. Metz, S. Chintala: Unsupervised Representation Learning with
Deep Convolutional Generative Adversarial Networks (2015),
https://arxiv.org/abs/1511.06434
"""
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import contrib_scopes
from nets import normalization

_SMALLEST_GENERATED = 8


@contrib_scopes.reach
def discriminator(inputs, depth=64, is_training=True, reuse=None,
                  scope='Discriminator', fused_batch_norm=False):
  """Builds the discriminator: real pictures or generated ones?

  Every layer halves the side and doubles the channels, until one pixel is
  left.

  Args:
    inputs: float32 [batch, side, side, channels]; the side is a power of 2 and
      known when the graph is built. Pictures are in -1..1, as a generator that
      ends in tanh makes them.
    depth: channels of the first layer.
    is_training: whether batch normalization is in training mode.
    reuse: whether variables of an earlier call are shared.
    scope: variable scope.
    fused_batch_norm: whether batch normalization is computed by one op.

  Returns:
    logits: float32 [batch, 1], positive for pictures taken for real.
    end_points: dict from layer name to tensor.

  Raises:
    ValueError: the size of `inputs` is not as above.
  """
  num_layers = _log2(_side(inputs))
  end_points = {}
  with tf.variable_scope(scope, values=[inputs], reuse=reuse):
    with _arg_scope(tf.nn.leaky_relu, is_training, fused_batch_norm):
      net = inputs
      for i in range(num_layers):
        name = 'conv%d' % (i + 1)
        # The paper leaves the pictures themselves unnormalized.
        normalizer = None if i == 0 else normalization.batch_norm
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
  """Builds the generator: pictures out of noise.

  The first layer makes 4x4 pixels; every further one doubles the side and
  halves the channels.

  Args:
    inputs: float32 [batch, dimensions] noise, usually N(0, 1).
    depth: channels of the last layer before the logits.
    final_size: side of the pictures, a power of 2 and at least 8.
    num_outputs: channels of the pictures.
    is_training: whether batch normalization is in training mode.
    reuse: whether variables of an earlier call are shared.
    scope: variable scope.
    fused_batch_norm: whether batch normalization is computed by one op.

  Returns:
    logits: float32 [batch, final_size, final_size, num_outputs]; their tanh is
      a picture in -1..1.
    end_points: dict from layer name to tensor.

  Raises:
    ValueError: `inputs` or `final_size` is not as above.
  """
  if inputs.shape.ndims != 2 or inputs.shape.as_list()[1] is None:
    raise ValueError(
        'inputs must be noise of shape [batch, dimensions] with a known '
        'number of dimensions; got shape %s' % inputs.shape)
  if final_size < _SMALLEST_GENERATED or not _is_power_of_2(final_size):
    raise ValueError('final_size must be a power of 2, at least %d; got %s' % (
        _SMALLEST_GENERATED, final_size))
  num_layers = _log2(final_size) - 1
  end_points = {}
  with tf.variable_scope(scope, values=[inputs], reuse=reuse):
    with _arg_scope(tf.nn.relu, is_training, fused_batch_norm):
      net = inputs[:, tf.newaxis, tf.newaxis, :]
      for i in range(num_layers):
        name = 'deconv%d' % (i + 1)
        how = {'stride': 1, 'padding': 'VALID'} if i == 0 else {}
        if i == num_layers - 1:
          how = {'normalizer_fn': None, 'activation_fn': None}
        net = end_points[name] = slim.conv2d_transpose(
            net, depth * 2**(num_layers - 1 - i), scope=name, **how)
      logits = end_points['logits'] = slim.conv2d(
          net, num_outputs, kernel_size=1, stride=1, padding='VALID',
          normalizer_fn=None, activation_fn=None, scope='logits')
  return logits, end_points


def _arg_scope(activation_fn, is_training, fused_batch_norm):
  return slim.arg_scope(
      [slim.conv2d, slim.conv2d_transpose],
      kernel_size=4, stride=2, padding='SAME', activation_fn=activation_fn,
      normalizer_fn=normalization.batch_norm,
      normalizer_params={
          'is_training': is_training,
          # The averages are right from the first steps on.
          'zero_debias_moving_mean': True,
          'fused': fused_batch_norm})


def _side(inputs):
  """Returns the side of square pictures; raises ValueError if it is unfit."""
  shape = inputs.shape
  fits = shape.ndims == 4 and shape[1:3].is_fully_defined()
  height, width = shape.as_list()[1:3] if fits else (None, None)
  if not fits or height != width or not _is_power_of_2(height):
    raise ValueError(
        'inputs must be pictures of shape [batch, side, side, channels] whose '
        'side is known and a power of 2; got shape %s' % shape)
  return height


def _is_power_of_2(number):
  return number > 0 and number & (number - 1) == 0


def _log2(power_of_2):
  return power_of_2.bit_length() - 1
