"""RandAugment: a random sequence of fourteen operations for each image.

E. D. Cubuk et al.: RandAugment: Practical automated data augmentation with a
reduced search space, arXiv:1909.13719.

Each operation takes a float32 image [height, width, channels] in [0, 255] of 1
or 3 channels, whose height and width are known when the graph is built, and
returns one of the same shape and range. `level` is its strength, from 0 to 1.
"""
import functools

import tensorflow.compat.v1 as tf

from preprocessing import image_ops
from preprocessing import random_numbers

# Value of pixels from outside the image: the middle of the range.
_FILL = 128.0
_MAX_DEGREES, _MAX_SHEAR = 30.0, 0.3
_MAX_SHIFT, _MAX_FACTOR_CHANGE = 0.45, 0.9


def apply(image, steps, magnitude):
  """Applies randomly chosen operations to an image.

  Args:
    image: float32 [height, width, channels] in [0, 255].
    steps: number of operations.
    magnitude: strength of each operation, from 0 to 10.

  Returns:
    float32 of the same shape, in [0, 255].
  """
  shape = image.shape
  level = magnitude / 10.0
  image = tf.clip_by_value(image, 0.0, 255.0)
  for _ in range(steps):
    image = tf.switch_case(
        random_numbers.uniform(0, len(OPERATIONS), tf.int32),
        [functools.partial(operation, image, level)
         for operation in OPERATIONS.values()])
    image.set_shape(shape)
  return image


def identity(image, level):
  """Returns the image unchanged."""
  del level
  return tf.identity(image)


def autocontrast(image, level):
  """Stretches each channel to the whole range; `level` has no effect."""
  del level
  low = tf.reduce_min(image, [0, 1])
  extent = tf.reduce_max(image, [0, 1]) - low
  stretched = (image - low) * (255.0 / tf.maximum(extent, 1.0))
  return tf.where(tf.broadcast_to(extent >= 1.0, tf.shape(image)),
                  stretched, image)


def equalize(image, level):
  """Equalizes the histogram of each channel; `level` has no effect."""
  del level
  values = tf.cast(tf.round(image), tf.int32)
  planes = [_equalize_plane(plane) for plane in tf.unstack(values, axis=2)]
  return tf.stack(planes, axis=2)


def _equalize_plane(values):
  counts = tf.math.bincount(
      tf.reshape(values, [-1]), minlength=256, maxlength=256)
  brightest = counts[tf.reduce_max(values)]
  step = (tf.size(values) - brightest) // 255
  below = tf.cumsum(counts, exclusive=True)
  table = tf.minimum((below + step // 2) // tf.maximum(step, 1), 255)
  table = tf.where(step > 0, table, tf.range(256))
  return tf.cast(tf.gather(table, values), tf.float32)


def solarize(image, level):
  """Inverts values from a threshold on, which falls from 256 to 0."""
  return tf.where(image < 256.0 * (1 - level), image, 255.0 - image)


def posterize(image, level):
  """Keeps the highest 8 (level 0) to 4 (level 1) bits of each value."""
  step = 2.0 ** int(round(4 * level))
  return tf.floor(tf.round(image) / step) * step


def color(image, level):
  """Scales the saturation, the distance from grayscale."""
  return _blend(image_ops.to_grayscale(image), image, _factor(level))


def contrast(image, level):
  """Scales the distance from the mean brightness."""
  mean = tf.reduce_mean(image_ops.to_grayscale(image))
  return _blend(mean, image, _factor(level))


def brightness(image, level):
  """Scales all values."""
  return _blend(0.0, image, _factor(level))


def sharpness(image, level):
  """Blurs or sharpens all but the outermost pixels."""
  channels = image_ops.num_channels(image)
  weights = tf.constant(
      [[1, 1, 1], [1, 5, 1], [1, 1, 1]], tf.float32) / 13.0
  weights = tf.tile(weights[:, :, tf.newaxis, tf.newaxis], [1, 1, channels, 1])
  smooth = tf.nn.depthwise_conv2d(
      image[tf.newaxis], weights, [1, 1, 1, 1], 'VALID')[0]
  inner = _blend(smooth, image[1:-1, 1:-1], _factor(level))
  middle = tf.concat([image[1:-1, :1], inner, image[1:-1, -1:]], 1)
  return tf.concat([image[:1], middle, image[-1:]], 0)


def rotate(image, level):
  """Rotates the image around its center."""
  angle = _signed(level * _MAX_DEGREES) * (3.14159265 / 180)
  cosine, sine = tf.cos(angle), tf.sin(angle)
  return warp(image, matrix=[[cosine, -sine], [sine, cosine]])


def shear_x(image, level):
  """Shifts each row in proportion to its distance from the center."""
  return warp(image, matrix=[[1.0, _signed(level * _MAX_SHEAR)], [0.0, 1.0]])


def shear_y(image, level):
  """Shifts each column in proportion to its distance from the center."""
  return warp(image, matrix=[[1.0, 0.0], [_signed(level * _MAX_SHEAR), 1.0]])


def translate_x(image, level):
  """Shifts the image horizontally."""
  width = tf.cast(tf.shape(image)[1], tf.float32)
  return warp(image, shift=[_signed(level * _MAX_SHIFT) * width, 0.0])


def translate_y(image, level):
  """Shifts the image vertically."""
  height = tf.cast(tf.shape(image)[0], tf.float32)
  return warp(image, shift=[0.0, _signed(level * _MAX_SHIFT) * height])


def warp(image, matrix=((1.0, 0.0), (0.0, 1.0)), shift=(0.0, 0.0)):
  """Applies an affine map; takes the nearest pixel.

  Args:
    image: float32 [height, width, channels].
    matrix: 2 x 2 numbers; multiplied by the x and y of a pixel of the result,
      counted from the center, they give its position in `image`.
    shift: x and y in pixels, added to that position.

  Returns:
    float32 of the same shape; pixels from outside the image are 128.
  """
  height, width = tf.shape(image)[0], tf.shape(image)[1]
  center = (tf.cast([width, height], tf.float32) - 1) / 2
  x, y = tf.meshgrid(tf.cast(tf.range(width), tf.float32) - center[0],
                     tf.cast(tf.range(height), tf.float32) - center[1])
  columns, rows = [
      tf.cast(tf.floor(row[0] * x + row[1] * y + add + start + 0.5), tf.int32)
      for row, add, start in zip(matrix, shift, tf.unstack(center))]
  inside = ((columns >= 0) & (columns < width) & (rows >= 0) & (rows < height))
  indices = tf.where(inside, rows * width + columns, tf.zeros_like(rows))
  pixels = tf.gather(tf.reshape(image, [height * width, -1]), indices)
  inside = tf.broadcast_to(inside[:, :, tf.newaxis], tf.shape(pixels))
  return tf.where(inside, pixels, tf.fill(tf.shape(pixels), _FILL))


def _signed(value):
  return tf.where(random_numbers.bernoulli(0.5), value, -value)


def _factor(level):
  return 1.0 + _signed(level * _MAX_FACTOR_CHANGE)


def _blend(one, other, factor):
  """Interpolates (extrapolates beyond factor 1) and clips to [0, 255]."""
  return tf.clip_by_value(one + (other - one) * factor, 0.0, 255.0)


OPERATIONS = {operation.__name__: operation for operation in (
    identity, autocontrast, equalize, rotate, solarize, color, posterize,
    contrast, brightness, sharpness, shear_x, shear_y, translate_x,
    translate_y)}
