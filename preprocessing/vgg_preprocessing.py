"""The recipe of the VGG and residual networks.

The image is resized, its aspect ratio kept, and a window of the network's size
cropped from it: in training a random one from a random size, in evaluation the
central one. The mean colour of ImageNet is subtracted; values stay in the unit
of bytes.

K. Simonyan, A. Zisserman: Very deep convolutional networks for large-scale
image recognition (2014).
"""
import tensorflow.compat.v1 as tf

from preprocessing import image_ops
from preprocessing import random_numbers
from preprocessing.fast import compiled
from preprocessing.fast import jpeg

_MEANS = (123.68, 116.78, 103.94)
_RESIZE_SIDE_MIN = 256
_RESIZE_SIDE_MAX = 512
# The share of the smaller side that the window is meant to cover.
_WINDOW, _SIDE = 224, 256
# Of the crops that are drawn by area.
_AREA_RANGE = (0.08, 1.0)
_ASPECT_RATIO_RANGE = (3 / 4, 4 / 3)
_MAX_ATTEMPTS = 100
_WHOLE_IMAGE = (((0.0, 0.0, 1.0, 1.0),),)

EVALUATION = {
    'value_range': '-123.68 to 151.06',
    'mean': list(_MEANS),
    'scale': 1.0,
    'central_fraction': None,
    'size': 'the smaller side is resized to 256 pixels (to 256/224 of the '
            'size where that is larger than 256), then the central window is '
            'cropped',
}


def preprocess_for_train(
    image, output_height, output_width, resize_side_min=_RESIZE_SIDE_MIN,
    resize_side_max=_RESIZE_SIDE_MAX, use_grayscale=False, area_range=None,
    aspect_ratio_range=None, augment=None):
  """Distorts an image for training.

  Args:
    image: an image of values in [0, 255].
    output_height: height of the result.
    output_width: width of the result.
    resize_side_min: least size to which the smaller side is resized. A window
      larger than this would not fit: the least size is then 256/224 of the
      window's larger side, and the largest grows in proportion.
    resize_side_max: largest size of the smaller side.
    use_grayscale: whether to convert the image to one channel.
    area_range: least and largest share of the image's area: a window of such
      an area is cropped and resized, in place of the crop from a random size.
    aspect_ratio_range: least and largest width / height of that window. One
      of the two ranges is enough: 0.08 to 1 and 3/4 to 4/3 stand for the
      other.
    augment: function of the image, float32 [output_height, output_width,
      channels] in [0, 255], and to the same; or None.

  Returns:
    float32 [output_height, output_width, channels], the means subtracted.

  Raises:
    ValueError: a size, the range or the image's shape does not fit.
  """
  image_ops.check_size(output_height, output_width)
  if area_range or aspect_ratio_range:
    begin, size = _draw_box(tf.shape(image), area_range, aspect_ratio_range)
    image = image_ops.resize(
        image_ops.crop(image, begin, size), output_height, output_width)
  else:
    side = _draw_side(
        resize_side_min, resize_side_max, output_height, output_width)
    image = image_ops.resize_smaller_side(image, side)
    image = image_ops.random_crop(image, output_height, output_width)
  image = image_ops.random_flip(image)
  if augment is not None:
    image = augment(image)
  return _to_network_range(image, use_grayscale)


def preprocess_jpeg_for_train(
    encoded, channels, output_height, output_width,
    resize_side_min=_RESIZE_SIDE_MIN, resize_side_max=_RESIZE_SIDE_MAX,
    use_grayscale=False, area_range=None, aspect_ratio_range=None,
    augment=None, in_one_pass=False):
  """Decodes and distorts a JPEG for training.

  It does what `preprocess_for_train` does, but draws the window first, in
  whole pixels of the original, and decodes nothing else.

  Args:
    encoded: the JPEG, a string scalar.
    channels: 1 (grey) or 3 (red, green, blue), what it is decoded to.
    output_height, output_width, resize_side_min, resize_side_max,
      use_grayscale, area_range, aspect_ratio_range, augment: as for
      `preprocess_for_train`.
    in_one_pass: whether to use `compiled` where it does all that is to be
      done: to three channels that stay three, with nothing before the means.

  Returns:
    float32 [output_height, output_width, channels], the means subtracted.

  Raises:
    ValueError: a size or the range does not fit, or numba is asked for but
      missing.
  """
  image_ops.check_size(output_height, output_width)
  shape = tf.image.extract_jpeg_shape(encoded)
  if area_range or aspect_ratio_range:
    begin, size = _draw_box(shape, area_range, aspect_ratio_range)
  else:
    begin, size = draw_scaled_box(
        shape, output_height, output_width, resize_side_min, resize_side_max)
  window = jpeg.decode_box(
      encoded, begin, size, channels, output_height, output_width)
  mirrored = random_numbers.chance(0.5)
  if (in_one_pass and channels == 3 and augment is None and
      not use_grayscale):
    return compiled.resize_and_subtract(
        window, output_height, output_width, mirrored, _MEANS)
  image = image_ops.mirror(
      image_ops.resize(window, output_height, output_width), mirrored)
  if augment is not None:
    image = augment(image)
  return _to_network_range(image, use_grayscale)


def draw_scaled_box(image_shape, height, width,
                    resize_side_min=_RESIZE_SIDE_MIN,
                    resize_side_max=_RESIZE_SIDE_MAX):
  """Draws where the crop from a random size lies in the original.

  Args:
    image_shape: int32 [3], height, width and channels of the original.
    height, width: of the crop.
    resize_side_min, resize_side_max: as for `preprocess_for_train`.

  Returns:
    begin: int32 [3], the window's top, left and 0, in whole pixels.
    size: int32 [3], its height, width and -1, as `tf.slice` takes them.

  Raises:
    ValueError: the range does not fit.
  """
  sides = image_shape[:2]
  side = _draw_side(resize_side_min, resize_side_max, height, width)
  resized = image_ops.sizes_for_smaller_side(sides, side)
  places = resized - [height, width] + 1
  begin = tf.stack([random_numbers.uniform(0, places[0], tf.int32),
                    random_numbers.uniform(0, places[1], tf.int32)])
  scale = tf.cast(sides, tf.float32) / tf.cast(resized, tf.float32)
  corners = tf.cast(
      tf.rint(tf.cast([begin, begin + [height, width]], tf.float32) * scale),
      tf.int32)
  # Of a tiny picture the window may be less than half a pixel.
  begin = tf.minimum(corners[0], sides - 1)
  size = tf.maximum(corners[1] - begin, 1)
  return tf.concat([begin, [0]], 0), tf.concat([size, [-1]], 0)


def preprocess_for_eval(
    image, output_height, output_width, resize_side, use_grayscale=False):
  """Resizes an image and crops its centre, for evaluation.

  Args:
    image: an image of values in [0, 255].
    output_height: height of the result.
    output_width: width of the result.
    resize_side: size to which the smaller side is resized. A window larger
      than this would not fit: the size is then 256/224 of the window's larger
      side.
    use_grayscale: whether to convert the image to one channel.

  Returns:
    float32 [output_height, output_width, channels], the means subtracted.

  Raises:
    ValueError: a size or the image's shape does not fit.
  """
  image_ops.check_size(output_height, output_width)
  if resize_side < 1:
    raise ValueError(
        'resize_side is %s; it must be at least 1.' % resize_side)
  side = _side_that_fits(resize_side, output_height, output_width)
  image = image_ops.resize_smaller_side(image, side)
  image = image_ops.crop_or_pad(image, output_height, output_width)
  return _to_network_range(image, use_grayscale)


def preprocess_image(
    image, output_height, output_width, is_training=False,
    resize_side_min=_RESIZE_SIDE_MIN, resize_side_max=_RESIZE_SIDE_MAX,
    use_grayscale=False, area_range=None, aspect_ratio_range=None,
    augment=None):
  """Preprocesses an image as the VGG and residual networks want it.

  Args:
    image: an image of values in [0, 255].
    output_height: height of the result.
    output_width: width of the result.
    is_training: whether for training or for evaluation.
    resize_side_min: size of the smaller side in evaluation, and its least size
      in training, see `preprocess_for_train`.
    resize_side_max: its largest size in training.
    use_grayscale: whether to convert the image to one channel.
    area_range, aspect_ratio_range, augment: for training alone, see
      `preprocess_for_train`.

  Returns:
    float32 [output_height, output_width, channels], the means subtracted.

  Raises:
    ValueError: a size, the range or the image's shape does not fit.
  """
  if is_training:
    return preprocess_for_train(
        image, output_height, output_width, resize_side_min, resize_side_max,
        use_grayscale, area_range, aspect_ratio_range, augment)
  return preprocess_for_eval(
      image, output_height, output_width, resize_side_min, use_grayscale)


def _draw_side(resize_side_min, resize_side_max, height, width):
  """Draws the size of the smaller side."""
  if not 1 <= resize_side_min <= resize_side_max:
    raise ValueError(
        'resize_side_min is %s and resize_side_max %s; the first must be at '
        'least 1 and no more than the second.' % (
            resize_side_min, resize_side_max))
  least = _side_that_fits(resize_side_min, height, width)
  largest = resize_side_max * least // resize_side_min
  return random_numbers.uniform(least, largest + 1, tf.int32)


def _draw_box(image_shape, area_range, aspect_ratio_range):
  begin, size, _ = image_ops.sample_distorted_box(
      image_shape, _WHOLE_IMAGE, min_object_covered=0.0,
      aspect_ratio_range=aspect_ratio_range or _ASPECT_RATIO_RANGE,
      area_range=area_range or _AREA_RANGE, max_attempts=_MAX_ATTEMPTS)
  return begin, size


def _side_that_fits(side, height, width):
  """Returns `side`, or a larger one if the window would not fit into it."""
  window = max(height, width)
  if window <= side:
    return side
  return -(-window * _SIDE // _WINDOW)


def _to_network_range(image, use_grayscale):
  if use_grayscale:
    image = image_ops.to_grayscale(image)
  return image_ops.subtract_means(image, _MEANS)
