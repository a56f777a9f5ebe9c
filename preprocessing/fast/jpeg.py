"""Windows of JPEG pictures, of which no more is decoded than is needed.

The decoder passes over the rows above a window, does not read those below it,
and can halve the picture once, twice or three times at almost no cost: it
then leaves out the finest waves of each block of 8 x 8 pixels.
"""
import tensorflow.compat.v1 as tf

_REDUCTIONS = (1, 2, 4, 8)


def reduction(pixels_per_pixel):
  """Returns how far a picture can be reduced before it is resized.

  Args:
    pixels_per_pixel: whole pixels of the picture a pixel of the result, the
      smaller one of height and width, an int32 scalar.

  Returns:
    1, 2, 4 or 8, an int32 scalar: the largest that leaves at least one pixel
    a pixel of the result.
  """
  return tf.reduce_max(tf.where(
      _REDUCTIONS <= tf.maximum(pixels_per_pixel, 1),
      tf.constant(_REDUCTIONS), tf.ones_like(_REDUCTIONS)))


def decode_window(encoded, window, channels, reduced_by=1):
  """Decodes a window of a JPEG picture.

  Args:
    encoded: the JPEG, a string scalar.
    window: int32 [4]: top, left, height and width in pixels of the reduced
      picture.
    channels: 1 (grey) or 3 (red, green, blue) of the result.
    reduced_by: 1, 2, 4 or 8.

  Returns:
    uint8 [height, width, channels].
  """
  image = tf.image.decode_and_crop_jpeg(
      encoded, window, channels=channels, ratio=reduced_by)
  image.set_shape([None, None, channels])
  return image


def decode_box(encoded, begin, size, channels, height, width):
  """Decodes a window that is going to be resized.

  Args:
    encoded: the JPEG, a string scalar.
    begin: int32 [3], the window's top and left in the whole picture, and 0.
    size: int32 [3], its height and width, and -1.
    channels: 1 (grey) or 3 (red, green, blue) of the result.
    height: height to which it is going to be resized.
    width: width to which it is going to be resized.

  Returns:
    uint8 [rows, columns, channels]. Where the window has twice the pixels of
    the result or more in both directions, it is reduced, and its edges lie
    where they were but for half a pixel of the reduced picture.
  """
  begin, size = begin[:2], size[:2]
  pixels_per_pixel = tf.reduce_min(size // [height, width])

  def reduced():
    by = reduction(pixels_per_pixel)
    corners = (tf.concat([begin, begin + size], 0) + by // 2) // by
    window = tf.concat([corners[:2], corners[2:] - corners[:2]], 0)

    def decode(constant):
      return lambda: decode_window(encoded, window, channels, constant)

    return tf.cond(
        tf.equal(by, 2), decode(2),
        lambda: tf.cond(tf.equal(by, 4), decode(4), decode(8)))

  # Most pictures are not large enough to be reduced.
  image = tf.cond(
      pixels_per_pixel < _REDUCTIONS[1],
      lambda: decode_window(encoded, tf.concat([begin, size], 0), channels),
      reduced)
  image.set_shape([None, None, channels])
  return image
