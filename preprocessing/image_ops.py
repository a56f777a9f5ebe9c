"""Steps on one image, of which the recipes of the families are composed.

An image is a tensor [height, width, channels] whose number of channels is
known when the graph is built; height and width need not be. Random steps use
new random numbers (see `random_numbers`) each time the graph runs, or for each
element inside tf.data.
"""
import numpy as np
import tensorflow.compat.v1 as tf

from preprocessing import distorted_boxes
from preprocessing import random_numbers

# Of an image that `resize_smaller_side` resizes.
MAX_ASPECT_RATIO = 32
# Weights of red, green and blue in the brightness of a pixel (ITU-R BT.601).
LUMA = (0.2989, 0.5870, 0.1140)
# As a box around an object: the whole image.
WHOLE_IMAGE = (((0.0, 0.0, 1.0, 1.0),),)
MAX_ATTEMPTS = 100


def num_channels(image):
  """Returns the number of channels of an image.

  Raises:
    ValueError: the image is not of rank 3, or the number is unknown.
  """
  channels = image.shape[2].value if image.shape.ndims == 3 else None
  if channels is None:
    raise ValueError(
        'The image has shape %s; it must be [height, width, channels] with a '
        'known number of channels. After tf.image.decode_image, call '
        'image.set_shape([None, None, 3]).' % image.shape)
  return channels


def check_size(height, width):
  """Checks the height and the width of an image to make.

  Raises:
    ValueError: one of them is not a positive number.
  """
  for name, size in (('height', height), ('width', width)):
    if size is None or size < 1:
      raise ValueError(
          'The %s of the image to make is %s; it must be a number of pixels, '
          'at least 1.' % (name, size))


def to_unit_range(image):
  """Converts an image of any dtype to float32.

  Integers are divided by the maximum of their dtype, so that the result is in
  [0, 1]; floats, which are expected in [0, 1], keep their values.
  """
  return tf.image.convert_image_dtype(image, tf.float32)


def to_signed_range(image):
  """Maps a float image from [0, 1] to [-1, 1]."""
  return (image - 0.5) * 2.0


def to_grayscale(image):
  """Converts a float image, or a batch of images, to one channel.

  Raises:
    ValueError: the image has neither one channel nor three.
  """
  channels = image.shape[-1].value if image.shape.ndims == 4 else (
      num_channels(image))
  if channels == 1:
    return image
  if channels != 3:
    raise ValueError(
        'An image of %d channels cannot be converted to grayscale; it must '
        'have 1 or 3.' % channels)
  return tf.image.rgb_to_grayscale(image)


def subtract_means(image, means):
  """Subtracts the mean color of a dataset.

  Args:
    image: float32 image of 1 or 3 channels.
    means: means of red, green and blue, in the unit of the image. From an image
      of one channel their brightness is subtracted.

  Raises:
    ValueError: the image has another number of channels.
  """
  channels = num_channels(image)
  if channels == 1:
    means = [sum(mean * weight for mean, weight in zip(means, LUMA))]
  if channels != len(means):
    raise ValueError(
        'The means are of red, green and blue, but the image has %d '
        'channels; it must have 1 or 3.' % channels)
  width = image.shape[1].value
  if width is None:
    return image - tf.constant(means, tf.float32)
  # TensorFlow subtracts whole rows four times faster than pixels.
  rows = tf.reshape(image, [-1, width * channels])
  return tf.reshape(
      rows - np.tile(np.float32(means), width), [-1, width, channels])


def standardize(image):
  """Shifts and scales an image to mean 0 and standard deviation 1, as float32.

  The divisor is at least 1 / sqrt(number of values), so that a constant image
  becomes 0.
  """
  return tf.image.per_image_standardization(tf.cast(image, tf.float32))


def resize(image, height, width, method=tf.image.ResizeMethod.BILINEAR):
  """Resizes an image to a height and a width; its aspect ratio may change.

  Args:
    image: an image.
    height, width: size of the result in pixels, ints or int32 scalar tensors.
    method: a `tf.image.ResizeMethod`.

  Returns:
    A float32 image in the unit of the given one. Bicubic resizing may exceed
    the range of the given values.
  """
  return tf.cast(tf.image.resize_images(
      image, tf.stack([height, width]), method=method), tf.float32)


def resize_to_unit_range(image, height, width,
                         method=tf.image.ResizeMethod.BILINEAR):
  """Resizes an image of any dtype and converts it as `to_unit_range` does.

  The image before resizing is never converted to floats, which would take four
  times its memory. For the arguments see `resize`.
  """
  resized = resize(image, height, width, method)
  return resized / image.dtype.max if image.dtype.is_integer else resized


def resize_smaller_side(image, side):
  """Resizes an image bilinearly until its smaller side has `side` pixels.

  The aspect ratio is kept; the larger side is rounded to whole pixels. An image
  whose larger side is more than `MAX_ASPECT_RATIO` times the smaller one is
  cropped to that ratio first: one of 1 x 5000 pixels would become gigabytes.

  Args:
    image: an image.
    side: pixels, an int or an int32 scalar tensor.

  Returns:
    A float32 image in the unit of the given one.
  """
  size = tf.shape(image)[:2]
  kept = tf.minimum(size, MAX_ASPECT_RATIO * tf.reduce_min(size))
  image = crop(image, tf.concat([(size - kept) // 2, [0]], 0),
               tf.concat([kept, [-1]], 0))
  size = size_for_smaller_side(kept, side)
  return resize(image, size[0], size[1])


def size_for_smaller_side(size, side):
  """Returns the size of an image resized until its smaller side is `side`.

  Args:
    size: int32 [2], height and width before.
    side: pixels, an int or an int32 scalar tensor.

  Returns:
    int32 [2], height and width, rounded to whole pixels.
  """
  size = tf.cast(size, tf.float32)
  size *= tf.cast(side, tf.float32) / tf.reduce_min(size)
  return tf.cast(tf.round(size), tf.int32)


def central_fraction(image, fraction):
  """Crops the center to a fraction of the image's height and width.

  Raises:
    ValueError: the fraction is not in (0, 1].
  """
  if not 0 < fraction <= 1:
    raise ValueError(
        'central_fraction is %g; it must be more than 0 and at most 1.' %
        fraction)
  return tf.image.central_crop(image, fraction)


def crop_or_pad(image, height, width):
  """Crops to the center or pads evenly with zeros, in each dimension.

  Where the difference is odd, the smaller half is above or on the left. Takes
  one image or a batch of images.
  """
  return tf.image.resize_image_with_crop_or_pad(image, height, width)


def pad_borders(image, padding, height, width):
  """Adds rows and columns of zeros around an image.

  Args:
    image: an image.
    padding: number of rows or columns added on each of the four sides.
    height, width: minimum size of the result: an image that is still smaller
      is padded more, half of it above or on the left.

  Returns:
    An image of the same dtype.
  """
  missing = tf.maximum([height, width] - tf.shape(image)[:2], 2 * padding)
  before = missing // 2
  after = missing - before
  return tf.pad(image, [
      [before[0], after[0]], [before[1], after[1]], [0, 0]])


def rectangle_mask(image_size, begin, end):
  """Returns bool [height, width], true from `begin` to before `end`.

  Args:
    image_size: float32 [2], height and width in pixels.
    begin, end: float32 [2], (top, left) and (bottom, right) in pixels.
  """
  rows, columns = [
      (tf.range(image_size[i]) >= begin[i]) & (tf.range(image_size[i]) < end[i])
      for i in (0, 1)]
  return rows[:, tf.newaxis] & columns


def random_crop(image, height, width):
  """Crops to a size at a random position, uniformly distributed.

  Running the graph fails if the image is smaller.
  """
  limits = tf.shape(image)[:2] - [height, width] + 1
  left = random_numbers.uniform(0, limits[1], tf.int32)
  top = random_numbers.uniform(0, limits[0], tf.int32)
  return tf.slice(
      image, [top, left, 0], [height, width, num_channels(image)])


def random_flip(image):
  """Flips an image left to right with probability 0.5."""
  return flip(image, random_numbers.bernoulli(0.5))


def flip(image, flipped):
  """Flips an image left to right if `flipped`, a bool scalar, is true."""
  result = tf.cond(flipped, lambda: tf.reverse(image, [1]), lambda: image)
  result.set_shape(image.shape)
  return result


def random_brightness(image, max_delta):
  """Adds one number from [-max_delta, max_delta) to a float image."""
  return image + random_numbers.uniform(-max_delta, max_delta)


def random_contrast(image, lower, upper):
  """Scales the distances from each channel's mean in a float image.

  The factor is in [lower, upper).
  """
  return tf.image.adjust_contrast(image, random_numbers.uniform(lower, upper))


def random_saturation(image, lower, upper):
  """Scales the saturation of a float image in [0, 1] by a random factor.

  An image of one channel is returned unchanged.
  """
  return image if num_channels(image) == 1 else tf.image.adjust_saturation(
      image, random_numbers.uniform(lower, upper))


def random_hue(image, max_delta):
  """Shifts the hue of a float image in [0, 1].

  The shift is in [-max_delta, max_delta), as a fraction of the color wheel. An
  image of one channel is returned unchanged.
  """
  return image if num_channels(image) == 1 else tf.image.adjust_hue(
      image, random_numbers.uniform(-max_delta, max_delta))


def sample_distorted_box(image_shape, boxes, min_object_covered,
                         aspect_ratio_range, area_range,
                         max_attempts=MAX_ATTEMPTS):
  """Samples a random crop box for training.

  C. Szegedy et al.: Going deeper with convolutions, arXiv:1409.4842.

  Args:
    image_shape: int32 [3], height, width and channels.
    boxes: float32 [1, count, 4], around objects: top, left, bottom, right as
      fractions of the image's height and width. With none, the whole image.
    min_object_covered: minimum fraction of one of the objects in the crop.
    aspect_ratio_range: minimum and maximum width / height of the crop.
    area_range: minimum and maximum area, as fractions of the image's.
    max_attempts: number of attempts, after which the whole image is taken.

  Returns:
    begin: int32 [3], top and left of the crop and 0, as `tf.slice` takes it.
    size: int32 [3], height and width of the crop and -1.
    box: float32 [1, 1, 4], the crop in the form of `boxes`.
  """
  if random_numbers.are_seeded():
    return distorted_boxes.sample(
        image_shape, boxes, min_object_covered, aspect_ratio_range, area_range,
        max_attempts)
  # The op ignores the graph's seed unless it is given explicitly.
  seed, op_seed = tf.get_seed(None)
  return tf.raw_ops.SampleDistortedBoundingBoxV2(
      image_size=image_shape, bounding_boxes=boxes,
      min_object_covered=min_object_covered, seed=seed or 0,
      seed2=op_seed or 0, aspect_ratio_range=list(aspect_ratio_range),
      area_range=list(area_range), max_attempts=max_attempts,
      use_image_if_no_bounding_boxes=True)


def crop(image, begin, size):
  """Crops an image to a box as `sample_distorted_box` returns it."""
  cropped = tf.slice(image, begin, size)
  cropped.set_shape([None, None, num_channels(image)])
  return cropped
