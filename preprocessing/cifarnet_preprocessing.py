"""The recipe of CifarNet: small images, each standardised by itself.

A. Krizhevsky: Learning multiple layers of features from tiny images (2009).
"""
import tensorflow.compat.v1 as tf

from preprocessing import image_ops

_PADDING = 4

EVALUATION = {
    'value_range': 'mean 0 and standard deviation 1 in each image',
    'mean': None,
    'scale': None,
    'central_fraction': None,
    'size': 'the central window is cropped, or zeros are padded around',
}


def preprocess_for_train(
    image, output_height, output_width, padding=_PADDING,
    add_image_summaries=True, use_grayscale=False, augment=None):
  """Distorts an image for training.

  Args:
    image: an image of values in [0, 255].
    output_height: height of the result.
    output_width: width of the result.
    padding: rows and columns of zeros added on each side before the crop. An
      image that is still too small gets more of them.
    add_image_summaries: whether to show the image before and after in the
      summaries. Inside tf.data they are not seen.
    use_grayscale: whether to convert the image to one channel.
    augment: function of the cropped image, float32 in [0, 255], and to the
      same, called before the colours are changed; or None.

  Returns:
    float32 [output_height, output_width, channels].

  Raises:
    ValueError: a size, the padding or the image's shape does not fit.
  """
  image_ops.check_size(output_height, output_width)
  if padding < 0:
    raise ValueError('padding is %s; it must be at least 0.' % padding)
  image = _to_float(image, use_grayscale)
  _summarize('image', image, add_image_summaries)
  image = image_ops.pad_borders(
      image, padding, output_height, output_width)
  image = image_ops.random_crop(image, output_height, output_width)
  image = image_ops.random_flip(image)
  if augment is not None:
    image = augment(image)
  image = image_ops.random_brightness(image, max_delta=63)
  image = image_ops.random_contrast(image, lower=0.2, upper=1.8)
  _summarize('distorted_image', image, add_image_summaries)
  return image_ops.standardize(image)


def preprocess_for_eval(
    image, output_height, output_width, add_image_summaries=True,
    use_grayscale=False):
  """Crops or pads an image to its centre, for evaluation.

  Args:
    image: an image of values in [0, 255].
    output_height: height of the result.
    output_width: width of the result.
    add_image_summaries: whether to show the image before and after in the
      summaries. Inside tf.data they are not seen.
    use_grayscale: whether to convert the image to one channel.

  Returns:
    float32 [output_height, output_width, channels].

  Raises:
    ValueError: a size or the image's shape does not fit.
  """
  image_ops.check_size(output_height, output_width)
  image = _to_float(image, use_grayscale)
  _summarize('image', image, add_image_summaries)
  image = image_ops.crop_or_pad(image, output_height, output_width)
  _summarize('resized_image', image, add_image_summaries)
  return image_ops.standardize(image)


def preprocess_image(
    image, output_height, output_width, is_training=False,
    add_image_summaries=True, use_grayscale=False, augment=None):
  """Preprocesses an image as CifarNet wants it.

  Args:
    image: an image of values in [0, 255].
    output_height: height of the result.
    output_width: width of the result.
    is_training: whether for training or for evaluation.
    add_image_summaries: whether to show the image before and after in the
      summaries. Inside tf.data they are not seen.
    use_grayscale: whether to convert the image to one channel.
    augment: for training alone, see `preprocess_for_train`.

  Returns:
    float32 [output_height, output_width, channels].

  Raises:
    ValueError: a size or the image's shape does not fit.
  """
  if is_training:
    return preprocess_for_train(
        image, output_height, output_width,
        add_image_summaries=add_image_summaries, use_grayscale=use_grayscale,
        augment=augment)
  return preprocess_for_eval(
      image, output_height, output_width, add_image_summaries, use_grayscale)


def _to_float(image, use_grayscale):
  image = tf.cast(image, tf.float32)
  return image_ops.to_grayscale(image) if use_grayscale else image


def _summarize(name, image, add_image_summaries):
  if add_image_summaries:
    tf.summary.image(name, tf.expand_dims(image, 0))
