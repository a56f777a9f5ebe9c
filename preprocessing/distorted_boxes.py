"""Distorted windows drawn from a seed.

TensorFlow 1.15 draws such windows with an operation whose random numbers go
on from call to call; what one image gets then depends on which images were
before it. Here all attempts are drawn at once, from the seed of the image.
"""
import tensorflow.compat.v1 as tf

from preprocessing import random_numbers


def sample(image_shape, boxes, min_object_covered, aspect_ratio_range,
           area_range, max_attempts):
  """Draws a window as `tf.image.sample_distorted_bounding_box` does.

  An attempt draws the aspect ratio first, then the height among those that
  keep to the range of areas, then the place; both sides are whole numbers of
  pixels. The first window that covers enough of some box is taken.

  Args, returns: as for `image_ops.sample_distorted_box`.
  """
  sides = tf.cast(image_shape[:2], tf.float32)
  chances = random_numbers.uniform(0.0, 1.0, shape=[4, max_attempts])
  size, fits = _sizes(sides, chances[:2], aspect_ratio_range, area_range)
  # The operation leaves out the last row and column that a window could begin
  # at.
  begin = tf.floor(chances[2:] * (sides[:, tf.newaxis] - size))
  fits &= _covers(sides, begin, begin + size, boxes, min_object_covered)
  first = tf.argmax(tf.cast(fits, tf.int32))
  found = tf.reduce_any(fits)
  begin = tf.where(found, begin[:, first], tf.zeros_like(sides))
  size = tf.where(found, size[:, first], sides)
  box = tf.concat([begin / sides, (begin + size) / sides], 0)
  return (tf.concat([tf.cast(begin, tf.int32), [0]], 0),
          tf.concat([tf.cast(size, tf.int32), [-1]], 0),
          tf.reshape(box, [1, 1, 4]))


def _sizes(sides, chances, aspect_ratio_range, area_range):
  """Returns float32 [2, attempts], heights and widths, and which are valid."""
  height, width = sides[0], sides[1]
  least_area, most_area = [share * height * width for share in area_range]
  low, high = aspect_ratio_range
  aspect = low + chances[0] * (high - low)
  least = tf.rint(tf.sqrt(least_area / aspect))
  most = tf.rint(tf.sqrt(most_area / aspect))
  widest = tf.floor((width + 0.5) / aspect)
  most = tf.where(tf.rint(most * aspect) > width, widest, most)
  most -= tf.cast(tf.rint(most * aspect) > width, tf.float32)
  most = tf.minimum(most, height)
  least = tf.minimum(least, most)
  rows = least + tf.floor(chances[1] * (most - least + 1))
  # Rounding may lead out of the range of areas by a row.
  rows += tf.cast(rows * tf.rint(rows * aspect) < least_area, tf.float32)
  rows -= tf.cast(rows * tf.rint(rows * aspect) > most_area, tf.float32)
  columns = tf.rint(rows * aspect)
  area = rows * columns
  valid = ((area >= least_area) & (area <= most_area) & (rows >= 1) &
           (columns >= 1) & (rows <= height) & (columns <= width))
  return tf.stack([rows, columns]), valid


def _covers(sides, begin, end, boxes, min_object_covered):
  """Returns bool [attempts]: whether a window covers enough of some box."""
  boxes = tf.reshape(boxes, [-1, 4])
  boxes = tf.cond(
      tf.shape(boxes)[0] > 0, lambda: boxes,
      lambda: tf.constant([[0.0, 0.0, 1.0, 1.0]]))
  corners = tf.floor(boxes * tf.tile(sides, [2]))
  # [boxes, sides, attempts] from [boxes, sides] and [sides, attempts].
  overlap = tf.maximum(0.0, tf.minimum(corners[:, 2:, tf.newaxis], end) -
                       tf.maximum(corners[:, :2, tf.newaxis], begin))
  covered = tf.reduce_prod(overlap, 1)
  area = tf.reduce_prod(corners[:, 2:] - corners[:, :2], 1)[:, tf.newaxis]
  # A box of less than a pixel is no object.
  return tf.reduce_any(
      (area >= 1.0) & (covered >= min_object_covered * area), 0)
