"""Functions that several families of networks share."""
import functools

import tensorflow.compat.v1 as tf

from nets import layouts

PAD_MODES = ('CONSTANT', 'REFLECT', 'SYMMETRIC')


def trunc_normal(stddev):
  """Returns a truncated normal initializer of mean 0."""
  return tf.truncated_normal_initializer(0.0, stddev)


def fixed_padding(inputs, kernel_size, rate=1, data_format=None,
                  mode='CONSTANT'):
  """Pads height and width as a convolution of stride 1 would, at any stride.

  TensorFlow's SAME padding depends on the size of the input when the stride
  exceeds 1; this padding does not.

  Args:
    inputs: [batch, height, width, channels] (or NCHW) tensor, any dtype.
    kernel_size: an int, or a pair (height, width).
    rate: dilation of the convolution that follows.
    data_format: 'NHWC' or 'NCHW'; None for that of the argument scope.
    mode: one of PAD_MODES, see `tf.pad`.

  Returns:
    A tensor of the same dtype, larger by (kernel - 1) * rate in height and
    width. An odd pixel is added at the bottom and at the right.
  """
  if isinstance(kernel_size, int):
    kernel_size = (kernel_size, kernel_size)
  paddings = []
  for size in kernel_size:
    total = (size - 1) * rate
    paddings.append([total // 2, total - total // 2])
  paddings.insert((data_format or layouts.current()).index('C') - 1, [0, 0])
  return tf.pad(inputs, [[0, 0]] + paddings, mode)


def make_divisible(value, divisor=8, min_value=None):
  """Rounds a number of channels to a multiple of `divisor`.

  Args:
    value: number of channels, int or float.
    divisor: int that divides the result.
    min_value: minimum result; `divisor` if None.

  Returns:
    The nearest multiple as an int, or the next one up where rounding down
    would lose more than a tenth of `value`.
  """
  if min_value is None:
    min_value = divisor
  rounded = max(min_value, int(value + divisor / 2) // divisor * divisor)
  if rounded < 0.9 * value:
    rounded += divisor
  return int(rounded)


def strides_and_rates(strides, output_stride=None):
  """Replaces strides by dilation once the output stride is reached.

  Args:
    strides: iterable of ints, the stride of each layer in order.
    output_stride: maximum ratio of input size to output size; None to keep
      all strides.

  Yields:
    A pair (stride, rate) for each layer.
  """
  current, rate = 1, 1
  for stride in strides:
    if current == output_stride:
      yield 1, rate
      rate *= stride
    else:
      yield stride, 1
      current *= stride


def small_input_kernel(inputs, kernel_size):
  """Shrinks a pooling window to the input where the input is smaller.

  Args:
    inputs: [batch, height, width, channels] tensor, or one of videos.
    kernel_size: pair (height, width), or (frames, height, width).

  Returns:
    A list of ints: `kernel_size`, reduced to the static size of `inputs`
    where that is known and smaller.
  """
  sizes = inputs.shape.as_list()[1:] if inputs.shape.ndims == 5 else (
      layouts.size(inputs))
  return [kernel if size is None else min(size, kernel)
          for size, kernel in zip(sizes, kernel_size)]


def scaled_size(net, factors):
  """Returns height and width times `factors`.

  Args:
    net: [batch, height, width, channels] tensor.
    factors: pair of ints.

  Returns:
    A list [height, width] of ints, or of scalar int32 tensors where the size
    is unknown when the graph is built.
  """
  static = net.shape.as_list()[1:3]
  dynamic = tf.unstack(tf.shape(net)[1:3])
  return [factor * (dynamic[i] if static[i] is None else static[i])
          for i, factor in enumerate(factors)]


def squeeze(logits, remedy='global_pool=True, or spatial_squeeze=False',
            name='SpatialSqueeze'):
  """Removes height and width of `logits`, which must be 1.

  Args:
    logits: float [batch, 1, 1, classes] tensor.
    remedy: arguments that avoid the error, for its message.
    name: name of the operation.

  Returns:
    A float [batch, classes] tensor.

  Raises:
    ValueError: height or width is known and not 1.
  """
  sizes = layouts.size(logits)
  if any(size not in (1, None) for size in sizes):
    raise ValueError(
        '%s has size %sx%s, and only 1x1 can be squeezed; give %s.' % (
            logits.op.name, sizes[0], sizes[1], remedy))
  return tf.squeeze(logits, layouts.spatial_axes(), name=name)


def variant(function, **bound):
  """Binds arguments of a network function, as `functools.partial` does.

  The result has the name, the docstring and the attributes
  (`default_image_size` among them) of `function`.
  """
  partial = functools.partial(function, **bound)
  functools.update_wrapper(partial, function)
  return partial


def check_choice(name, given, allowed):
  """Raises ValueError unless the argument `name` is one of `allowed`."""
  if given not in allowed:
    raise ValueError('Unknown %s %s; it is one of: %s' % (
        name, given, ', '.join(allowed)))


def check_final_endpoint(final_endpoint, known, network):
  """Raises ValueError unless `final_endpoint` is one of `known`.

  Call it before anything is built, so that nothing remains of an error.
  """
  if final_endpoint not in known:
    raise ValueError('Unknown final endpoint %s of %s; it has: %s' % (
        final_endpoint, network, ', '.join(known)))


def check_nhwc(network):
  """Raises ValueError if an arg scope gives `slim.conv2d` another layout."""
  if layouts.current() != 'NHWC':
    raise ValueError(
        '%s computes in NHWC only, but an arg scope of slim.conv2d sets '
        'data_format=%s; leave it out. NCHW is offered by the NASNets '
        '(config.data_format), s3dg (data_format) and, with '
        'nets.layouts.scope, by all other networks but cifarnet, lenet and '
        'i3d.' % (network, layouts.current()))


def check_static_size(images, network):
  """Raises ValueError unless all but the batch size of `images` is known."""
  shape = tf.TensorShape(images.shape)
  if shape.ndims != 4 or None in shape.as_list()[1:]:
    raise ValueError(
        '%s needs images of shape [batch, height, width, channels], all but '
        'the batch size known when the graph is built; got shape %s. Set the '
        'size with images.set_shape(...).' % (network, shape))
