"""Random crop boxes that follow from a seed.

TensorFlow 1.15 samples them with a stateful operation, so that the box of one
image depends on which images came before it. Here all attempts are made at
once, from the seed of the image.
"""
import tensorflow.compat.v1 as tf

from preprocessing import random_numbers


def sample(image_shape, boxes, min_object_covered, aspect_ratio_range,
           area_range, max_attempts):
  """Samples a crop box as `tf.image.sample_distorted_bounding_box` does.

  An attempt picks the aspect ratio first, then a height for which the area is
  in its range, then the position, all in whole pixels. The first box that
  covers enough of some object is taken. For the arguments and the result see
  `image_ops.sample_distorted_box`.
  """
  image_size = tf.cast(image_shape[:2], tf.float32)
  random = random_numbers.uniform(0.0, 1.0, shape=[4, max_attempts])
  size, valid = _sizes(image_size, random[:2], aspect_ratio_range, area_range)
  # Like the operation, never takes the last row and column that would fit.
  begin = tf.floor(random[2:] * (image_size[:, tf.newaxis] - size))
  valid &= _covers(image_size, begin, begin + size, boxes, min_object_covered)
  first = tf.argmax(tf.cast(valid, tf.int32))
  found = tf.reduce_any(valid)
  begin = tf.where(found, begin[:, first], tf.zeros_like(image_size))
  size = tf.where(found, size[:, first], image_size)
  box = tf.concat([begin / image_size, (begin + size) / image_size], 0)
  return (tf.concat([tf.cast(begin, tf.int32), [0]], 0),
          tf.concat([tf.cast(size, tf.int32), [-1]], 0),
          tf.reshape(box, [1, 1, 4]))


def _sizes(image_size, random, aspect_ratio_range, area_range):
  """Returns float32 [2, attempts], heights and widths, and which are valid."""
  height, width = image_size[0], image_size[1]
  min_area, max_area = [fraction * height * width for fraction in area_range]
  low, high = aspect_ratio_range
  aspect = low + random[0] * (high - low)
  min_rows = tf.rint(tf.sqrt(min_area / aspect))
  max_rows = tf.rint(tf.sqrt(max_area / aspect))
  widest = tf.floor((width + 0.5) / aspect)
  max_rows = tf.where(tf.rint(max_rows * aspect) > width, widest, max_rows)
  max_rows -= tf.cast(tf.rint(max_rows * aspect) > width, tf.float32)
  max_rows = tf.minimum(max_rows, height)
  min_rows = tf.minimum(min_rows, max_rows)
  rows = min_rows + tf.floor(random[1] * (max_rows - min_rows + 1))
  # Rounding may leave the range of areas by one row.
  rows += tf.cast(rows * tf.rint(rows * aspect) < min_area, tf.float32)
  rows -= tf.cast(rows * tf.rint(rows * aspect) > max_area, tf.float32)
  columns = tf.rint(rows * aspect)
  area = rows * columns
  valid = ((area >= min_area) & (area <= max_area) & (rows >= 1) &
           (columns >= 1) & (rows <= height) & (columns <= width))
  return tf.stack([rows, columns]), valid


def _covers(image_size, begin, end, boxes, min_object_covered):
  """Returns bool [attempts]: whether a crop covers enough of some object."""
  boxes = tf.reshape(boxes, [-1, 4])
  boxes = tf.cond(
      tf.shape(boxes)[0] > 0, lambda: boxes,
      lambda: tf.constant([[0.0, 0.0, 1.0, 1.0]]))
  corners = tf.floor(boxes * tf.tile(image_size, [2]))
  # [boxes, 2, attempts] from [boxes, 2] and [2, attempts].
  overlap = tf.maximum(0.0, tf.minimum(corners[:, 2:, tf.newaxis], end) -
                       tf.maximum(corners[:, :2, tf.newaxis], begin))
  covered = tf.reduce_prod(overlap, 1)
  area = tf.reduce_prod(corners[:, 2:] - corners[:, :2], 1)[:, tf.newaxis]
  # A box smaller than one pixel is no object.
  return tf.reduce_any(
      (area >= 1.0) & (covered >= min_object_covered * area), 0)
