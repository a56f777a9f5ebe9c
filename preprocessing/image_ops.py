"""Steps on one image, of which the recipes of the families are composed.

An image is a tensor [height, width, channels] whose number of channels is
known when the graph is built; height and width need not be. Random steps draw
anew each time the graph runs, or for each element inside tf.data (see
`random_numbers`).
"""
import numpy as np
import tensorflow.compat.v1 as tf

from preprocessing import distorted_boxes as distorted_boxes
from preprocessing import random_numbers

# Largest side by smallest side of a picture that is resized by the smallest.
MAX_ASPECT_RATIO = 32
# Of red, green and blue in the brightness of a pixel, as in ITU-R BT.601.
LUMA = (0.2989, 0.5870, 0.1140)


def num_channels(image):
  """Returns the number of channels of an image.

  Raises:
    ValueError: the image is not of rank 3, or the number is not known.
  """
  channels = image.shape[2].value if image.shape.ndims == 3 else None
  if channels is None:
    raise ValueError(
        'The image has shape %s; it must be [height, width, channels] with a '
        'known number of channels. After tf.image.decode_image, call '
        'image.set_shape([None, None, 3]).' % image.shape)
  return channels


def check_size(height, width):
  """Checks the size of an image to make.

  Raises:
    ValueError: a side is not a positive number.
  """
  for name, side in (('height', height), ('width', width)):
    if side is None or side < 1:
      raise ValueError(
          'The %s of the image to make is %s; it must be a number of pixels, '
          'at least 1.' % (name, side))


def to_unit_range(image):
  """Converts an image of any dtype to float32.

  Integers are divided by the largest number of their dtype, so that the result
  is in [0, 1]; floats, which are taken to be in [0, 1], keep their values.
  """
  return tf.image.convert_image_dtype(image, tf.float32)


def to_signed_range(image):
  """Maps a float image from [0, 1] to [-1, 1]."""
  return (image - 0.5) * 2.0


def to_grayscale(image):
  """Converts a float image, or a batch of them, to one channel, the brightness.

  Raises:
    ValueError: the image has neither one channel nor three.
  """
  channels = image.shape[-1].value if image.shape.ndims == 4 else (
      num_channels(image))
  if channels == 1:
    return image
  if channels != 3:
    raise ValueError(
        'An image of %d channels has no grayscale form; it must have 3 '
        'channels, or 1.' % channels)
  return tf.image.rgb_to_grayscale(image)


def subtract_means(image, means):
  """Subtracts the mean colour of a data set, given in red, green and blue.

  Args:
    image: a float32 image of 3 channels or 1.
    means: 3 numbers, in the unit of the image. From an image of one channel
      their brightness is subtracted.

  Raises:
    ValueError: the image has another number of channels.
  """
  channels = num_channels(image)
  if channels == 1:
    means = [sum(mean * share for mean, share in zip(means, LUMA))]
  if channels != len(means):
    raise ValueError(
        'Means are known of red, green and blue, but the image has %d '
        'channels; it must have 3, or 1.' % channels)
  width = image.shape[1].value
  if width is None:
    return image - tf.constant(means, tf.float32)
  # TensorFlow subtracts whole rows four times faster than pixels.
  rows = tf.reshape(image, [-1, width * channels])
  return tf.reshape(
      rows - np.tile(np.float32(means), width), [-1, width, channels])


def standardize(image):
  """Shifts and scales an image to mean 0 and standard deviation 1, as float32.

  The divisor is at least 1 / sqrt(number of values), so that an image of one
  colour becomes 0.
  """
  return tf.image.per_image_standardization(tf.cast(image, tf.float32))


def resize(image, height, width, method=tf.image.ResizeMethod.BILINEAR):
  """Resizes an image, without regard to its aspect ratio.

  Args:
    image: an image.
    height: height of the result, an int or an int32 scalar tensor.
    width: width of the result.
    method: a `tf.image.ResizeMethod`.

  Returns:
    A float32 image in the unit of the given one. Bicubic resizing overshoots
    the range of the given values.
  """
  resized = tf.image.resize_images(
      image, tf.stack([height, width]), method=method)
  return tf.cast(resized, tf.float32)


def resize_to_unit_range(image, height, width,
                         method=tf.image.ResizeMethod.BILINEAR):
  """Resizes an image of any dtype and converts it as `to_unit_range` does.

  A large picture is never there as floats, which take four times its memory.

  Args:
    image, height, width, method: as for `resize`.

  Returns:
    A float32 image.
  """
  resized = resize(image, height, width, method)
  return resized / image.dtype.max if image.dtype.is_integer else resized


def resize_smaller_side(image, side):
  """Resizes an image bilinearly so that its smaller side becomes `side`.

  The aspect ratio is kept; the larger side is rounded to a whole number. Of an
  image longer than `MAX_ASPECT_RATIO` times its smaller side the central part
  of that length is taken: one of 1 x 5000 pixels would become gigabytes.

  Args:
    image: an image.
    side: pixels, an int or an int32 scalar tensor.

  Returns:
    A float32 image in the unit of the given one.
  """
  sides = tf.shape(image)[:2]
  kept = tf.minimum(sides, MAX_ASPECT_RATIO * tf.reduce_min(sides))
  image = crop(image, tf.concat([(sides - kept) // 2, [0]], 0),
               tf.concat([kept, [-1]], 0))
  sides = sizes_for_smaller_side(kept, side)
  return resize(image, sides[0], sides[1])


def sizes_for_smaller_side(sides, side):
  """Returns the sides of an image resized so that the smaller is `side`.

  Args:
    sides: int32 [2], height and width.
    side: pixels, an int or an int32 scalar tensor.

  Returns:
    int32 [2], rounded to whole numbers.
  """
  sides = tf.cast(sides, tf.float32)
  sides *= tf.cast(side, tf.float32) / tf.reduce_min(sides)
  return tf.cast(tf.round(sides), tf.int32)


def central_fraction(image, fraction):
  """Crops the central part whose sides are `fraction` of the image's.

  Raises:
    ValueError: the fraction is not in (0, 1].
  """
  if not 0 < fraction <= 1:
    raise ValueError(
        'central_fraction is %g; it must be more than 0 and at most 1.' %
        fraction)
  return tf.image.central_crop(image, fraction)


def crop_or_pad(image, height, width):
  """Crops the centre to a size, or pads evenly with zeros, each side by itself.

  Where the difference is odd, the smaller half is above or on the left. It
  takes a batch of images too.
  """
  return tf.image.resize_image_with_crop_or_pad(image, height, width)


def pad_borders(image, padding, height, width):
  """Adds rows and columns of zeros around an image.

  Args:
    image: an image.
    padding: rows or columns added on each of the four sides.
    height: least height of the result: an image that is still smaller gets
      more rows, half of them above.
    width: least width of the result, in the same way.

  Returns:
    An image of the same dtype.
  """
  missing = tf.maximum([height, width] - tf.shape(image)[:2], 2 * padding)
  before = missing // 2
  after = missing - before
  return tf.pad(image, [
      [before[0], after[0]], [before[1], after[1]], [0, 0]])


def random_crop(image, height, width):
  """Crops a window of a size; every place in the image is equally likely.

  It is an error of the running graph if the image is smaller.
  """
  limits = tf.shape(image)[:2] - [height, width] + 1
  left = random_numbers.uniform(0, limits[1], tf.int32)
  top = random_numbers.uniform(0, limits[0], tf.int32)
  return tf.slice(
      image, [top, left, 0], [height, width, num_channels(image)])


def random_flip(image):
  """Mirrors every second image on average, left to right."""
  return mirror(image, random_numbers.chance(0.5))


def mirror(image, mirrored):
  """Mirrors an image, left to right, if `mirrored` is true, a bool scalar."""
  flipped = tf.cond(
      mirrored, lambda: tf.reverse(image, [1]), lambda: image)
  flipped.set_shape(image.shape)
  return flipped


def random_brightness(image, max_delta):
  """Adds one number from [-max_delta, max_delta) to a float image."""
  return image + random_numbers.uniform(-max_delta, max_delta)


def random_contrast(image, lower, upper):
  """Scales the distances from each channel's mean by one factor.

  Args:
    image: a float image.
    lower: least factor.
    upper: bound of the factor.
  """
  return tf.image.adjust_contrast(image, random_numbers.uniform(lower, upper))


def random_saturation(image, lower, upper):
  """Scales the saturation of a float image in [0, 1] by a factor.

  An image of one channel has none and stays as it is.
  """
  if num_channels(image) == 1:
    return image
  return tf.image.adjust_saturation(image, random_numbers.uniform(lower, upper))


def random_hue(image, max_delta):
  """Turns the hue of a float image in [0, 1] by a share of the colour wheel.

  The share is from [-max_delta, max_delta). An image of one channel has no hue
  and stays as it is.
  """
  if num_channels(image) == 1:
    return image
  return tf.image.adjust_hue(
      image, random_numbers.uniform(-max_delta, max_delta))


def sample_distorted_box(image_shape, boxes, min_object_covered,
                         aspect_ratio_range, area_range, max_attempts):
  """Draws a window of an image for training.

  C. Szegedy et al.: Going deeper with convolutions (2014).

  Args:
    image_shape: int32 [3], height, width and channels.
    boxes: float32 [1, number, 4], around objects: top, left, bottom, right as
      shares of the image's height and width. With none, the whole image.
    min_object_covered: least share of some box that the window covers.
    aspect_ratio_range: least and largest width / height of the window.
    area_range: least and largest share of the image's area.
    max_attempts: after so many windows that do not fit, the whole image.

  Returns:
    begin: int32 [3], the window's top, left and 0.
    size: int32 [3], its height, width and -1, as `tf.slice` takes them.
    box: float32 [1, 1, 4], the window in the form of `boxes`.
  """
  if random_numbers.are_seeded():
    return distorted_boxes.sample(
        image_shape, boxes, min_object_covered, aspect_ratio_range, area_range,
        max_attempts)
  # The op leaves the graph's seed aside unless it is handed over.
  seed, op_seed = tf.get_seed(None)
  return tf.raw_ops.SampleDistortedBoundingBoxV2(
      image_size=image_shape, bounding_boxes=boxes,
      min_object_covered=min_object_covered, seed=seed or 0,
      seed2=op_seed or 0, aspect_ratio_range=list(aspect_ratio_range),
      area_range=list(area_range), max_attempts=max_attempts,
      use_image_if_no_bounding_boxes=True)


def crop(image, begin, size):
  """Crops the window that `sample_distorted_box` has drawn."""
  cropped = tf.slice(image, begin, size)
  cropped.set_shape([None, None, num_channels(image)])
  return cropped
