"""The recipe of LeNet: digits in the middle, values around zero."""
import tensorflow.compat.v1 as tf

from preprocessing import image_ops

_MIDDLE = 128.0

EVALUATION = {
    'value_range': '-1 to 0.9921875',
    'mean': [_MIDDLE],
    'scale': 1 / _MIDDLE,
    'central_fraction': None,
    'size': 'the central window is cropped, or zeros are padded around',
}


def preprocess_image(
    image, output_height, output_width, is_training=False,
    use_grayscale=False, augment=None):
  """Preprocesses an image as LeNet wants it.

  Args:
    image: an image of values in [0, 255].
    output_height: height of the result.
    output_width: width of the result.
    is_training: makes no difference: nothing is distorted, but by `augment`.
    use_grayscale: whether to convert the image to one channel.
    augment: for training alone: function of the cropped image, float32 in
      [0, 255], and to the same; or None.

  Returns:
    float32 [output_height, output_width, channels] in [-1, 0.9921875].

  Raises:
    ValueError: a size or the image's shape does not fit.
  """
  image = _fit(image, output_height, output_width, use_grayscale)
  if is_training and augment is not None:
    image = augment(image)
  return (image - _MIDDLE) / _MIDDLE


def preprocess_batch(images, output_height, output_width, use_grayscale=False):
  """Does what `preprocess_image` does, without `augment`, for a batch.

  Args:
    images: [n, height, width, channels] of values in [0, 255].
    output_height, output_width, use_grayscale: as for `preprocess_image`.

  Returns:
    float32 [n, output_height, output_width, channels].
  """
  images = _fit(images, output_height, output_width, use_grayscale)
  return (images - _MIDDLE) / _MIDDLE


def _fit(images, output_height, output_width, use_grayscale):
  """Returns one image or a batch of them in the size wanted, as float32."""
  image_ops.check_size(output_height, output_width)
  images = tf.cast(
      image_ops.crop_or_pad(images, output_height, output_width), tf.float32)
  return image_ops.to_grayscale(images) if use_grayscale else images
