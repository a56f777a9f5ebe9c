"""Crops of JPEG images, decoded without the rest of the image.

The decoder skips the rows above a crop, does not read those below it, and can
halve the image once, twice or three times at almost no cost: it then leaves
out the highest frequencies of each block of 8 x 8 pixels.
"""
import tensorflow.compat.v1 as tf

_RATIOS = (1, 2, 4, 8)


def reduction(scale):
  """Returns by how much an image can be reduced before it is resized.

  Args:
    scale: int32 scalar, whole pixels of the image per pixel of the result, the
      smaller one of height and width.

  Returns:
    int32 scalar, 1, 2, 4 or 8: the largest ratio that leaves at least one
    pixel per pixel of the result.
  """
  return tf.reduce_max(tf.where(
      _RATIOS <= tf.maximum(scale, 1), tf.constant(_RATIOS),
      tf.ones_like(_RATIOS)))


def decode_crop(encoded, crop, channels, ratio=1):
  """Decodes a crop of a JPEG image.

  Args:
    encoded: string scalar, the JPEG.
    crop: int32 [4], top, left, height and width in pixels of the reduced
      image.
    channels: channels of the result, 1 (grayscale) or 3 (RGB).
    ratio: 1, 2, 4 or 8, by which the image is reduced.

  Returns:
    uint8 [height, width, channels].
  """
  image = tf.image.decode_and_crop_jpeg(
      encoded, crop, channels=channels, ratio=ratio)
  image.set_shape([None, None, channels])
  return image


def decode_crop_to_resize(encoded, begin, size, channels, height, width):
  """Decodes a crop no larger than needed to resize it.

  Args:
    encoded, channels: as for `decode_crop`.
    begin: int32 [3], top and left of the crop in the whole image, and 0.
    size: int32 [3], height and width of the crop, and -1.
    height, width: size to which the crop will be resized, in pixels.

  Returns:
    uint8 [rows, columns, channels]. A crop of at least twice the height and
    the width is reduced; its edges then move by up to half a reduced pixel.
  """
  begin, size = begin[:2], size[:2]
  scale = tf.reduce_min(size // [height, width])

  def reduced():
    by = reduction(scale)
    corners = (tf.concat([begin, begin + size], 0) + by // 2) // by
    crop = tf.concat([corners[:2], corners[2:] - corners[:2]], 0)

    def decode(ratio):
      return lambda: decode_crop(encoded, crop, channels, ratio)

    return tf.cond(
        tf.equal(by, 2), decode(2),
        lambda: tf.cond(tf.equal(by, 4), decode(4), decode(8)))

  # Most images are too small to be reduced.
  image = tf.cond(
      scale < _RATIOS[1],
      lambda: decode_crop(encoded, tf.concat([begin, size], 0), channels),
      reduced)
  image.set_shape([None, None, channels])
  return image
