"""The recipe of the VGG and residual networks.

The image is resized, its aspect ratio kept, and cropped to the size of the
network: in training at a random position after resizing to a random size, in
evaluation at the center. The mean color of ImageNet is subtracted; values keep
the unit of bytes.

K. Simonyan, A. Zisserman: Very deep convolutional networks for large-scale
image recognition, arXiv:1409.1556.
"""
import tensorflow.compat.v1 as tf

from preprocessing import image_ops
from preprocessing import random_numbers
from preprocessing.fast import compiled
from preprocessing.fast import jpeg

_MEANS = (123.68, 116.78, 103.94)
_RESIZE_SIDE_MIN, _RESIZE_SIDE_MAX = 256, 512
# The crop covers 224/256 of the smaller side.
_CROP_SIZE, _RESIZE_SIDE = 224, 256
# Defaults of crops by area.
_AREA_RANGE = (0.08, 1.0)
_ASPECT_RATIO_RANGE = (3 / 4, 4 / 3)

EVALUATION = {
    'value_range': '-123.68 to 151.06',
    'mean': list(_MEANS),
    'scale': 1.0,
    'central_fraction': None,
    'size': 'the smaller side is resized to 256 pixels (to 256/224 of the '
            'size where that is larger than 256), then the center is cropped',
}


def preprocess_for_train(
    image, output_height, output_width, resize_side_min=_RESIZE_SIDE_MIN,
    resize_side_max=_RESIZE_SIDE_MAX, use_grayscale=False, area_range=None,
    aspect_ratio_range=None, augment=None):
  """Distorts an image for training.

  Args:
    image: [height, width, channels] with values in [0, 255].
    output_height, output_width: size of the result in pixels.
    resize_side_min: minimum size in pixels to which the smaller side is
      resized. If the crop is larger, 256/224 of the crop's larger side, and the
      maximum grows in proportion.
    resize_side_max: maximum size in pixels of the smaller side.
    use_grayscale: whether to convert the image to one channel.
    area_range: minimum and maximum area of the crop, as fractions of the
      image's. The crop is then resized, instead of the image before the crop.
    aspect_ratio_range: minimum and maximum width / height of that crop. If only
      one of the two ranges is given, the other is (0.08, 1) or (3/4, 4/3).
    augment: function of the cropped image, float32 in [0, 255]; or None.

  Returns:
    float32 [output_height, output_width, channels], the means subtracted.

  Raises:
    ValueError: a size, the range or the image's shape is invalid.
  """
  image_ops.check_size(output_height, output_width)
  if area_range or aspect_ratio_range:
    begin, size = _random_box(tf.shape(image), area_range, aspect_ratio_range)
    image = image_ops.resize(
        image_ops.crop(image, begin, size), output_height, output_width)
  else:
    side = _random_side(
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
    augment=None, use_compiled=False):
  """Decodes and distorts a JPEG as `preprocess_for_train` does.

  Picks the crop first, in whole pixels of the original, and decodes nothing
  else. For the arguments without a description see `preprocess_for_train`.

  Args:
    encoded: string scalar, the JPEG.
    channels: channels to decode, 1 (grayscale) or 3 (RGB).
    output_height, output_width: size of the result in pixels.
    use_compiled: whether to use the functions of `compiled` where they do the
      same: for three channels that stay three and without `augment`.

  Returns:
    float32 [output_height, output_width, channels], the means subtracted.

  Raises:
    ValueError: a size or the range is invalid, or `use_compiled` without numba.
  """
  image_ops.check_size(output_height, output_width)
  shape = tf.image.extract_jpeg_shape(encoded)
  if area_range or aspect_ratio_range:
    begin, size = _random_box(shape, area_range, aspect_ratio_range)
  else:
    begin, size = random_scaled_crop_box(
        shape, output_height, output_width, resize_side_min, resize_side_max)
  crop = jpeg.decode_crop_to_resize(
      encoded, begin, size, channels, output_height, output_width)
  flipped = random_numbers.bernoulli(0.5)
  if (use_compiled and channels == 3 and augment is None and
      not use_grayscale):
    return compiled.resize_and_subtract(
        crop, output_height, output_width, flipped, _MEANS)
  image = image_ops.flip(
      image_ops.resize(crop, output_height, output_width), flipped)
  if augment is not None:
    image = augment(image)
  return _to_network_range(image, use_grayscale)


def random_scaled_crop_box(image_shape, height, width,
                           resize_side_min=_RESIZE_SIDE_MIN,
                           resize_side_max=_RESIZE_SIDE_MAX):
  """Returns the box in the original of a random crop after a random resize.

  Args:
    image_shape: int32 [3], height, width and channels of the original.
    height, width: size of the crop after the resize, in pixels.
    resize_side_min, resize_side_max: see `preprocess_for_train`.

  Returns:
    begin: int32 [3], top and left of the box and 0, in pixels of the original.
    size: int32 [3], height and width of the box and -1, as `tf.slice` takes it.

  Raises:
    ValueError: the range is invalid.
  """
  image_size = image_shape[:2]
  side = _random_side(resize_side_min, resize_side_max, height, width)
  resized = image_ops.size_for_smaller_side(image_size, side)
  limits = resized - [height, width] + 1
  begin = tf.stack([random_numbers.uniform(0, limits[0], tf.int32),
                    random_numbers.uniform(0, limits[1], tf.int32)])
  scale = tf.cast(image_size, tf.float32) / tf.cast(resized, tf.float32)
  corners = tf.cast(
      tf.rint(tf.cast([begin, begin + [height, width]], tf.float32) * scale),
      tf.int32)
  # In a tiny image the box may be smaller than half a pixel.
  begin = tf.minimum(corners[0], image_size - 1)
  size = tf.maximum(corners[1] - begin, 1)
  return tf.concat([begin, [0]], 0), tf.concat([size, [-1]], 0)


def preprocess_for_eval(
    image, output_height, output_width, resize_side, use_grayscale=False):
  """Resizes an image and crops its center, for evaluation.

  For the other arguments, the result and the errors see `preprocess_for_train`.

  Args:
    resize_side: size in pixels to which the smaller side is resized. If the
      crop is larger, 256/224 of the crop's larger side.
  """
  image_ops.check_size(output_height, output_width)
  if resize_side < 1:
    raise ValueError('resize_side is %s; it must be at least 1.' % resize_side)
  side = _side_that_fits(resize_side, output_height, output_width)
  image = image_ops.resize_smaller_side(image, side)
  image = image_ops.crop_or_pad(image, output_height, output_width)
  return _to_network_range(image, use_grayscale)


def preprocess_image(
    image, output_height, output_width, is_training=False,
    resize_side_min=_RESIZE_SIDE_MIN, resize_side_max=_RESIZE_SIDE_MAX,
    use_grayscale=False, area_range=None, aspect_ratio_range=None,
    augment=None):
  """Preprocesses an image for the VGG and residual networks.

  For the other arguments, the result and the errors see `preprocess_for_train`.

  Args:
    is_training: whether to distort the image for training.
    resize_side_min: size in pixels to which the smaller side is resized in
      evaluation, and the minimum in training.
  """
  if is_training:
    return preprocess_for_train(
        image, output_height, output_width, resize_side_min, resize_side_max,
        use_grayscale, area_range, aspect_ratio_range, augment)
  return preprocess_for_eval(
      image, output_height, output_width, resize_side_min, use_grayscale)


def _random_side(resize_side_min, resize_side_max, height, width):
  """Returns a random size of the smaller side, an int32 scalar."""
  if not 1 <= resize_side_min <= resize_side_max:
    raise ValueError(
        'resize_side_min is %s and resize_side_max %s; the first must be at '
        'least 1 and no more than the second.' % (
            resize_side_min, resize_side_max))
  min_side = _side_that_fits(resize_side_min, height, width)
  max_side = resize_side_max * min_side // resize_side_min
  return random_numbers.uniform(min_side, max_side + 1, tf.int32)


def _random_box(image_shape, area_range, aspect_ratio_range):
  begin, size, _ = image_ops.sample_distorted_box(
      image_shape, image_ops.WHOLE_IMAGE, min_object_covered=0.0,
      aspect_ratio_range=aspect_ratio_range or _ASPECT_RATIO_RANGE,
      area_range=area_range or _AREA_RANGE)
  return begin, size


def _side_that_fits(side, height, width):
  """Returns `side`, or a larger one if the crop would not fit into it."""
  crop = max(height, width)
  return side if crop <= side else -(-crop * _RESIZE_SIDE // _CROP_SIZE)


def _to_network_range(image, use_grayscale):
  if use_grayscale:
    image = image_ops.to_grayscale(image)
  return image_ops.subtract_means(image, _MEANS)
