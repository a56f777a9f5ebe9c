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

_MEANS = (123.68, 116.78, 103.94)
_RESIZE_SIDE_MIN = 256
_RESIZE_SIDE_MAX = 512
# The share of the smaller side that the window is meant to cover.
_WINDOW, _SIDE = 224, 256

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
    resize_side_max=_RESIZE_SIDE_MAX, use_grayscale=False):
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

  Returns:
    float32 [output_height, output_width, channels], the means subtracted.

  Raises:
    ValueError: a size, the range or the image's shape does not fit.
  """
  image_ops.check_size(output_height, output_width)
  if not 1 <= resize_side_min <= resize_side_max:
    raise ValueError(
        'resize_side_min is %s and resize_side_max %s; the first must be at '
        'least 1 and no more than the second.' % (
            resize_side_min, resize_side_max))
  least = _side_that_fits(resize_side_min, output_height, output_width)
  largest = resize_side_max * least // resize_side_min
  side = tf.random.uniform([], least, largest + 1, dtype=tf.int32)
  image = image_ops.resize_smaller_side(image, side)
  image = image_ops.random_crop(image, output_height, output_width)
  image = image_ops.random_flip(image)
  return _to_network_range(image, use_grayscale)


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
    use_grayscale=False):
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

  Returns:
    float32 [output_height, output_width, channels], the means subtracted.

  Raises:
    ValueError: a size, the range or the image's shape does not fit.
  """
  if is_training:
    return preprocess_for_train(
        image, output_height, output_width, resize_side_min, resize_side_max,
        use_grayscale)
  return preprocess_for_eval(
      image, output_height, output_width, resize_side_min, use_grayscale)


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
