"""Crops resized, flipped and colored in one compiled pass over their pixels.

TensorFlow's operations read and write the whole image for every step, and its
resize handles one value at a time. The functions of `kernels` apply all steps
to one row after the other, many values at once: in a quarter of the time. They
are compiled by numba and run in the Python process that built the graph, so
that a server in another process cannot run them. Where they cannot be used,
the recipes compute the same with TensorFlow's operations.
"""
import functools

import numpy as np
import tensorflow.compat.v1 as tf

_CHANNELS = 3
# Bytes, as the widest vector instructions want.
_ALIGNMENT = 64


def why_unavailable():
  """Returns why numba cannot be used here, a string; None if it can."""
  return _kernels()[1]


def resize_and_color(crop, height, width, flipped, delta, factor):
  """Resizes bilinearly, flips if asked, changes brightness and saturation.

  Args:
    crop: uint8 [rows, columns, 3].
    height, width: size of the result in pixels, ints.
    flipped: bool scalar, whether to flip left to right.
    delta: float32 scalar added to every value, as a fraction of 255.
    factor: float32 scalar, the saturation factor.

  Returns:
    float32 [height, width, 3], clipped to [-1, 1].

  Raises:
    ValueError: numba cannot be used here.
  """
  return _call('resize_and_color', crop, height, width, flipped, delta, factor)


def resize_and_subtract(crop, height, width, flipped, means):
  """Resizes bilinearly, flips if asked and subtracts means.

  For the arguments and the errors see `resize_and_color`; `means` are 3 numbers
  in [0, 255], and the result, float32 [height, width, 3], is not scaled.
  """
  return _call('resize_and_subtract', crop, height, width, flipped,
               means=np.float32(means))


# AutoGraph, which tf.data applies to what it maps, would turn each line of
# `run` into a call.
@tf.autograph.experimental.do_not_convert
def _call(kernel_name, crop, height, width, *scalars, **constants):
  """Returns the image that a kernel writes, as a tensor."""
  kernels, reason = _kernels()
  if reason:
    raise ValueError('use_compiled is True, but %s.' % reason)
  kernel = getattr(kernels, kernel_name)
  scalars = [tf.convert_to_tensor(scalar) for scalar in scalars]

  def run(crop, *scalars):
    image = _aligned_empty((height, width, _CHANNELS))
    kernel(crop, image, *scalars, **constants)
    return image

  # Compiles it now: an error in the running pipeline would be taken for that
  # of a record.
  run(np.zeros((1, 1, _CHANNELS), np.uint8),
      *[scalar.dtype.as_numpy_dtype() for scalar in scalars])
  image = tf.numpy_function(run, [crop, *scalars], tf.float32)
  image.set_shape([height, width, _CHANNELS])
  return image


def _aligned_empty(shape):
  """Returns a float32 array that TensorFlow takes over without a copy."""
  size = int(np.prod(shape))
  values = np.empty(size + _ALIGNMENT // 4, np.float32)
  address = values.__array_interface__['data'][0]
  offset = -address % _ALIGNMENT // 4
  return values[offset:offset + size].reshape(shape)


@functools.lru_cache(maxsize=None)
def _kernels():
  """Returns (the module `kernels`, None), or (None, why there is none)."""
  try:
    # Here, as numba takes a while to import and may be missing.
    from preprocessing.fast import kernels
  except ImportError as error:
    return None, 'numba cannot be imported (%s); pip install -e .[fast]' % (
        error)
  return kernels, None
