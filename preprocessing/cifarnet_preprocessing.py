"""The recipe of CifarNet: small images, standardized one by one.

A. Krizhevsky: Learning multiple layers of features from tiny images (2009).
"""
import tensorflow.compat.v1 as tf

from preprocessing import image_ops

_PADDING = 4

EVALUATION = {
    'value_range': 'mean 0 and standard deviation 1 in each image',
    'mean': None, 'scale': None, 'central_fraction': None,
    'size': 'cropped to the center, or padded with zeros',
}


def preprocess_for_train(
    image, output_height, output_width, padding=_PADDING,
    add_image_summaries=True, use_grayscale=False, augment=None):
  """Distorts an image for training.

  Args:
    image: [height, width, channels] with values in [0, 255].
    output_height, output_width: size of the result in pixels.
    padding: rows and columns of zeros added on each side before the crop. An
      image that is still too small is padded more.
    add_image_summaries: whether to add image summaries; without effect inside
      tf.data.
    use_grayscale: whether to convert the image to one channel.
    augment: function applied to the cropped image, float32 in [0, 255], before
      brightness and contrast change; or None.

  Returns:
    float32 [output_height, output_width, channels].

  Raises:
    ValueError: a size, the padding or the image's shape is invalid.
  """
  image_ops.check_size(output_height, output_width)
  if padding < 0:
    raise ValueError('padding is %s; it must be at least 0.' % padding)
  image = _to_float(image, use_grayscale)
  _summarize('image', image, add_image_summaries)
  image = image_ops.pad_borders(image, padding, output_height, output_width)
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
  """Crops or pads an image around its center, for evaluation.

  For the arguments, the result and the errors see `preprocess_for_train`.
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
  """Preprocesses an image for CifarNet, for training if `is_training`.

  For the arguments, the result and the errors see `preprocess_for_train`.
  """
  if is_training:
    return preprocess_for_train(
        image, output_height, output_width, _PADDING, add_image_summaries,
        use_grayscale, augment)
  return preprocess_for_eval(
      image, output_height, output_width, add_image_summaries, use_grayscale)


def _to_float(image, use_grayscale):
  image = tf.cast(image, tf.float32)
  return image_ops.to_grayscale(image) if use_grayscale else image


def _summarize(name, image, add_image_summaries):
  if add_image_summaries:
    tf.summary.image(name, tf.expand_dims(image, 0))
