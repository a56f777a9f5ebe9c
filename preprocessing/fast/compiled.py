"""Windows resized, mirrored and coloured in one pass over their pixels.

TensorFlow's operations read and write the whole picture for every step, and
its resize takes one value after the other. The functions of
`one_pass_kernels` do all steps to one row after the other, and many values at
once: in a quarter of the time. numba compiles them, and the graph calls them
in the Python process that built it. A server in another process cannot, and
where numba is not installed nobody can: the recipes then do the same by
TensorFlow's operations.
"""
import functools

import numpy as np
import tensorflow.compat.v1 as tf

_CHANNELS = 3
# Bytes, what the widest vector instructions want.
_ALIGNMENT = 64


def reason_against():
  """Returns why numba cannot be used here, a text; None if it can."""
  return _kernels()[1]


def resize_and_color(window, height, width, mirrored, delta, factor):
  """Resizes a window bilinearly, mirrors it or not and changes its colours.

  Args:
    window: uint8 [rows, columns, 3].
    height: height of the result, an int.
    width: width of the result, an int.
    mirrored: a bool scalar, whether left becomes right.
    delta: a float32 scalar, added to every value, as a share of 255.
    factor: a float32 scalar, of the saturation.

  Returns:
    float32 [height, width, 3] in [-1, 1]: what goes over the range is clipped.

  Raises:
    ValueError: numba cannot be used here.
  """
  return _call('resize_and_color', window, height, width, mirrored, delta,
               factor)


def resize_and_subtract(window, height, width, mirrored, means):
  """Resizes a window bilinearly, mirrors it or not and subtracts means.

  Args:
    window, height, width, mirrored: as for `resize_and_color`.
    means: 3 numbers, in the unit of the window.

  Returns:
    float32 [height, width, 3].

  Raises:
    ValueError: numba cannot be used here.
  """
  return _call('resize_and_subtract', window, height, width, mirrored,
               means=np.float32(means))


# AutoGraph, by which tf.data treats what it maps, would turn each line of `run`
# into a call of its own.
@tf.autograph.experimental.do_not_convert
def _call(kernel_name, window, height, width, *scalars, **constants):
  """Returns the image that a kernel writes, as a tensor."""
  kernels, reason = _kernels()
  if reason:
    raise ValueError('in_one_pass is True, but %s.' % reason)
  kernel = getattr(kernels, kernel_name)
  scalars = [tf.convert_to_tensor(scalar) for scalar in scalars]

  def run(window, *scalars):
    image = _aligned_empty((height, width, _CHANNELS))
    kernel(window, image, *scalars, **constants)
    return image

  # It is compiled now: an error in the running pipeline would be taken for
  # that of a record.
  run(np.zeros((1, 1, _CHANNELS), np.uint8),
      *[scalar.dtype.as_numpy_dtype() for scalar in scalars])
  image = tf.numpy_function(run, [window, *scalars], tf.float32)
  image.set_shape([height, width, _CHANNELS])
  return image


def _aligned_empty(shape):
  """Returns a float32 array that TensorFlow takes over, not copies."""
  size = int(np.prod(shape))
  numbers = np.empty(size + _ALIGNMENT // 4, np.float32)
  address = numbers.__array_interface__['data'][0]
  begin = -address % _ALIGNMENT // 4
  return numbers[begin:begin + size].reshape(shape)


@functools.lru_cache(maxsize=None)
def _kernels():
  """Returns (the module one_pass_kernels, None), or (None, why not)."""
  try:
    # Here, as numba takes a while to import and may be missing.
    from preprocessing.fast import kernels as one_pass_kernels
  except ImportError as error:
    return None, 'numba cannot be imported (%s); pip install numba' % error
  return one_pass_kernels, None
