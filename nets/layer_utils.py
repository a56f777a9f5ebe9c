"""What several families of networks need word for word."""
import functools

import tensorflow.compat.v1 as tf


def fixed_padding(inputs, kernel_size, rate=1, data_format='NHWC'):
  """Pads the spatial sides as a convolution of stride 1 would, at any stride.

  TensorFlow's SAME padding depends on the size of the input once the stride
  exceeds 1; this padding does not.

  Args:
    inputs: [batch, height, width, channels] (or NCHW) tensor, any dtype.
    kernel_size: an int, or a pair (height, width).
    rate: dilation of the convolution that follows.
    data_format: 'NHWC' or 'NCHW'.

  Returns:
    A tensor of the same dtype, wider by (kernel - 1) * rate in each direction;
    the odd pixel goes below and to the right.
  """
  if isinstance(kernel_size, int):
    kernel_size = (kernel_size, kernel_size)
  sides = []
  for size in kernel_size:
    total = (size - 1) * rate
    sides.append([total // 2, total - total // 2])
  if data_format == 'NCHW':
    return tf.pad(inputs, [[0, 0], [0, 0]] + sides)
  return tf.pad(inputs, [[0, 0]] + sides + [[0, 0]])


def make_divisible(value, divisor=8, min_value=None):
  """Rounds a number of channels to a multiple of `divisor`.

  Args:
    value: wanted number of channels, int or float.
    divisor: the result is a multiple of it.
    min_value: least result; `divisor` if None.

  Returns:
    The nearest multiple as an int, one step up where rounding down would lose
    more than a tenth of `value`.
  """
  if min_value is None:
    min_value = divisor
  rounded = max(min_value, int(value + divisor / 2) // divisor * divisor)
  if rounded < 0.9 * value:
    rounded += divisor
  return int(rounded)


def small_input_kernel(inputs, kernel_size):
  """Shrinks a pooling window to the input where the input is smaller.

  Args:
    inputs: [batch, height, width, channels] tensor.
    kernel_size: the pair (height, width) wanted.

  Returns:
    A list of two ints: `kernel_size`, cut to the static size of `inputs`
    where that is known and smaller.
  """
  sides = inputs.shape.as_list()[1:3]
  return [wanted if side is None else min(side, wanted)
          for side, wanted in zip(sides, kernel_size)]


def scaled_sides(net, factors):
  """Returns height and width times `factors`, as ints where they are known.

  Args:
    net: [batch, height, width, channels] tensor.
    factors: pair of ints.
  """
  known = net.shape.as_list()[1:3]
  measured = tf.unstack(tf.shape(net)[1:3])
  return [factor * (measured[i] if known[i] is None else known[i])
          for i, factor in enumerate(factors)]


def squeeze(logits, cure='global_pool=True, or spatial_squeeze=False',
            name='SpatialSqueeze'):
  """Drops the two spatial sides of `logits`, which must be 1.

  Args:
    logits: float [batch, 1, 1, classes] tensor.
    cure: what to give where the sides are larger, for the message.
    name: of the operation.

  Returns:
    A float [batch, classes] tensor.

  Raises:
    ValueError: a side is known not to be 1.
  """
  sides = logits.shape.as_list()[1:3]
  if any(side not in (1, None) for side in sides):
    raise ValueError(
        '%s are of %sx%s, and only 1x1 can be squeezed: give %s.' % (
            logits.op.name, sides[0], sides[1], cure))
  return tf.squeeze(logits, [1, 2], name=name)


def variant(function, **bound):
  """Binds arguments of a network function and keeps what its users read.

  Args:
    function: a network function.
    **bound: arguments fixed in the variant, as with `functools.partial`.

  Returns:
    A `functools.partial` with the name, the docstring and the attributes
    (`default_image_size` among them) of `function`.
  """
  partial = functools.partial(function, **bound)
  functools.update_wrapper(partial, function)
  return partial


def check_final_endpoint(final_endpoint, known, network):
  """Raises ValueError unless `final_endpoint` is one of `known`.

  Called before anything is built, so that a misspelt name costs nothing.
  """
  if final_endpoint not in known:
    raise ValueError('Unknown final endpoint %s of %s; it has: %s' % (
        final_endpoint, network, ', '.join(known)))
