"""The functions that `compiled` calls, compiled by numba.

Each finishes one row of the result before it starts the next, so that what it
reads and writes stays in the processor's nearest cache. They write to `image`,
float32 [height, width, 3]; for the other arguments see `compiled`.
"""
import numba
import numpy as np

_NUMBER = np.float32
# As in `color`.
_MIN_VALUE = _NUMBER(1e-6)


def _compiled(function):
  # Without the global interpreter lock, for the other threads. A division by
  # zero gives inf, as in numpy.
  options = dict(nogil=True, error_model='numpy')
  try:
    return numba.njit(cache=True, **options)(function)
  except RuntimeError:
    # No directory can hold the machine code: it is compiled every time.
    return numba.njit(**options)(function)


@_compiled
def resize_and_color(crop, image, flipped, delta, factor):
  """Resizes, flips, changes brightness and saturation, maps to [-1, 1]."""
  columns = _columns(crop.shape[1], image.shape[1], flipped)
  buffer, planes = _buffers(crop.shape[1], image.shape[1])
  for y in range(image.shape[0]):
    _resize_row(crop, y, image.shape[0], columns, buffer, planes)
    _color(planes, delta, factor)
    _interleave(planes, image[y])


@_compiled
def resize_and_subtract(crop, image, flipped, means):
  """Resizes, flips and subtracts a mean from each channel."""
  columns = _columns(crop.shape[1], image.shape[1], flipped)
  buffer, planes = _buffers(crop.shape[1], image.shape[1])
  for y in range(image.shape[0]):
    _resize_row(crop, y, image.shape[0], columns, buffer, planes)
    _subtract(planes, means)
    _interleave(planes, image[y])


@_compiled
def _columns(source_width, width, flipped):
  """Returns which columns each column of the result interpolates.

  Returns:
    uint32 [width], 3 times the index of the left column, and float32 [width],
    the weight of the column to the right of it.
  """
  scale = _NUMBER(source_width) / _NUMBER(width)
  left = np.empty(width, np.uint32)
  weights = np.empty(width, _NUMBER)
  for x in range(width):
    position = _NUMBER(width - 1 - x if flipped else x) * scale
    left[x] = 3 * int(position)
    weights[x] = position - _NUMBER(int(position))
  return left, weights


@_compiled
def _buffers(source_width, width):
  """Returns a row of the crop with one more column, and a row of the result.

  The latter is three arrays: red, green and blue.
  """
  return np.empty((source_width + 1) * 3, _NUMBER), (
      np.empty(width, _NUMBER), np.empty(width, _NUMBER),
      np.empty(width, _NUMBER))


@_compiled
def _resize_row(crop, y, height, columns, buffer, planes):
  """Writes row y of the resized crop to the planes, as TensorFlow resizes."""
  rows, width, _ = crop.shape
  position = _NUMBER(y) * (_NUMBER(rows) / _NUMBER(height))
  top = int(position)
  values = crop.reshape(rows, width * 3)
  _mix_rows(values[top], values[min(top + 1, rows - 1)],
            position - _NUMBER(top), buffer)
  # To the right of the last column is the last column again.
  buffer[-3:] = buffer[-6:-3]
  _mix_columns(buffer, columns, planes)


@_compiled
def _mix_rows(top, bottom, weight, row):
  for i in range(top.size):
    above = _NUMBER(top[i])
    row[i] = above + (_NUMBER(bottom[i]) - above) * weight


@_compiled
def _mix_columns(row, columns, planes):
  left, weights = columns
  red, green, blue = planes
  # Of the type of `left`: with another one, numba would check for negative
  # indices.
  one, two, three, four, five = (
      np.uint32(1), np.uint32(2), np.uint32(3), np.uint32(4), np.uint32(5))
  for x in range(left.size):
    i, weight = left[x], weights[x]
    r, g, b = row[i], row[i + one], row[i + two]
    r += (row[i + three] - r) * weight
    g += (row[i + four] - g) * weight
    b += (row[i + five] - b) * weight
    red[x], green[x], blue[x] = r, g, b


@_compiled
def _color(planes, delta, factor):
  """Does what `color.brighten_and_saturate` does, in place."""
  red, green, blue = planes
  one = _NUMBER(1)
  scale = _NUMBER(2 / 255)
  shift = _NUMBER(2) * _NUMBER(delta)
  max_growth = _NUMBER(factor) * scale
  for x in range(red.size):
    r, g, b = red[x], green[x], blue[x]
    largest = _larger(_larger(r, g), b)
    smallest = _smaller(_smaller(r, g), b)
    value = _larger(largest * scale + shift, _MIN_VALUE)
    growth = _smaller(value / (largest - smallest), max_growth)
    base = value - one - largest * growth
    red[x] = _larger(_smaller(base + r * growth, one), -one)
    green[x] = _larger(_smaller(base + g * growth, one), -one)
    blue[x] = _larger(_smaller(base + b * growth, one), -one)


@_compiled
def _subtract(planes, means):
  red, green, blue = planes
  for x in range(red.size):
    red[x] -= means[0]
    green[x] -= means[1]
    blue[x] -= means[2]


# Comparisons become one instruction for many values; min() and max() check for
# NaN as well.
@_compiled
def _larger(a, b):
  return a if a > b else b


@_compiled
def _smaller(a, b):
  return a if a < b else b


@_compiled
def _interleave(planes, row):
  red, green, blue = planes
  values = row.reshape(row.size)
  for x in range(red.size):
    values[3 * x] = red[x]
    values[3 * x + 1] = green[x]
    values[3 * x + 2] = blue[x]
