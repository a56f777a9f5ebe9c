"""The functions that `one_pass` calls, compiled by numba.

Each does its work to one row of the result before the next is begun, so that
what it reads and writes stays in the processor's nearest cache.
"""
import numba
import numpy as np

_NUMBER = np.float32
# Of 2: a pixel is at least so bright, as in `color`.
_LEAST_VALUE = _NUMBER(1e-6)


def _compiled(function):
  # The global interpreter lock is free meanwhile, for the other threads.
  # Divisions by zero give what numpy gives: inf.
  options = dict(nogil=True, error_model='numpy')
  try:
    return numba.njit(cache=True, **options)(function)
  except RuntimeError:
    # There is no folder to keep the machine code in: it is made every time.
    return numba.njit(**options)(function)


@_compiled
def resize_and_color(window, image, mirrored, delta, factor):
  """Resizes, mirrors, changes brightness and saturation; into [-1, 1].

  Args:
    window: uint8 [rows, columns, 3].
    image: float32 [height, width, 3], written to.
    mirrored: whether left becomes right.
    delta: added to every value, as a share of 255.
    factor: of the saturation.
  """
  columns = _columns(window.shape[1], image.shape[1], mirrored)
  buffer, planes = _buffers(window.shape[1], image.shape[1])
  for y in range(image.shape[0]):
    _resize_row(window, y, image.shape[0], columns, buffer, planes)
    _color(planes, delta, factor)
    _interleave(planes, image[y])


@_compiled
def resize_and_subtract(window, image, mirrored, means):
  """Resizes, mirrors and subtracts a mean from each channel.

  Args:
    window: uint8 [rows, columns, 3].
    image: float32 [height, width, 3], written to.
    mirrored: whether left becomes right.
    means: float32 [3].
  """
  columns = _columns(window.shape[1], image.shape[1], mirrored)
  buffer, planes = _buffers(window.shape[1], image.shape[1])
  for y in range(image.shape[0]):
    _resize_row(window, y, image.shape[0], columns, buffer, planes)
    _subtract(planes, means)
    _interleave(planes, image[y])


@_compiled
def _columns(source_width, width, mirrored):
  """Returns what each column of the result is made of.

  Returns:
    uint32 [width], three times the column on the left of it, and float32
    [width], the share of the one on the right.
  """
  scale = _NUMBER(source_width) / _NUMBER(width)
  left = np.empty(width, np.uint32)
  share = np.empty(width, _NUMBER)
  for x in range(width):
    place = _NUMBER(width - 1 - x if mirrored else x) * scale
    left[x] = 3 * int(place)
    share[x] = place - _NUMBER(int(place))
  return left, share


@_compiled
def _buffers(source_width, width):
  """Returns a row of the window and one more column, and the three planes.

  The planes are red, green and blue of a row of the result.
  """
  return np.empty((source_width + 1) * 3, _NUMBER), (
      np.empty(width, _NUMBER), np.empty(width, _NUMBER),
      np.empty(width, _NUMBER))


@_compiled
def _resize_row(window, y, height, columns, buffer, planes):
  """Writes row y of the resized window to the planes, as TensorFlow resizes."""
  rows, width, _ = window.shape
  place = _NUMBER(y) * (_NUMBER(rows) / _NUMBER(height))
  top = int(place)
  values = window.reshape(rows, width * 3)
  _mix_rows(values[top], values[min(top + 1, rows - 1)],
            place - _NUMBER(top), buffer)
  # The last column has itself on the right.
  buffer[-3:] = buffer[-6:-3]
  _mix_columns(buffer, columns, planes)


@_compiled
def _mix_rows(top, bottom, share, row):
  for i in range(top.size):
    above = _NUMBER(top[i])
    row[i] = above + (_NUMBER(bottom[i]) - above) * share


@_compiled
def _mix_columns(row, columns, planes):
  left, share = columns
  red, green, blue = planes
  # Of the type of `left`: with another, numba would expect an index that is
  # negative.
  one, two, three, four, five = (
      np.uint32(1), np.uint32(2), np.uint32(3), np.uint32(4), np.uint32(5))
  for x in range(left.size):
    i, weight = left[x], share[x]
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
  most_growth = _NUMBER(factor) * scale
  for x in range(red.size):
    r, g, b = red[x], green[x], blue[x]
    largest = _larger(_larger(r, g), b)
    smallest = _smaller(_smaller(r, g), b)
    value = _larger(largest * scale + shift, _LEAST_VALUE)
    growth = _smaller(value / (largest - smallest), most_growth)
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


# Comparisons become one instruction for many values; min() and max() look for
# NaNs besides.
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
