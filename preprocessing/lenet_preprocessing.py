"""The recipe of LeNet: centered digits, values around zero.

Y. LeCun et al.: Gradient-based learning applied to document recognition (1998).
"""
import tensorflow.compat.v1 as tf

from preprocessing import image_ops

_MEAN = 128.0

EVALUATION = {
    'value_range': '-1 to 0.9921875',
    'mean': [_MEAN],
    'scale': 1 / _MEAN,
    'central_fraction': None,
    'size': 'cropped to the center, or padded with zeros',
}


def preprocess_image(
    image, output_height, output_width, is_training=False,
    use_grayscale=False, augment=None):
  """Preprocesses an image for LeNet.

  Args:
    image: [height, width, channels] with values in [0, 255].
    output_height, output_width: size of the result in pixels.
    is_training: whether to apply `augment`; nothing else is distorted.
    use_grayscale: whether to convert the image to one channel.
    augment: function of the cropped image, float32 in [0, 255]; or None.

  Returns:
    float32 [output_height, output_width, channels] in [-1, 0.9921875].

  Raises:
    ValueError: a size or the image's shape is invalid.
  """
  image = _fit(image, output_height, output_width, use_grayscale)
  if is_training and augment is not None:
    image = augment(image)
  return (image - _MEAN) / _MEAN


def preprocess_batch(images, output_height, output_width, use_grayscale=False):
  """Applies `preprocess_image`, without `augment`, to a batch.

  The images are [batch, height, width, channels], the result is float32 [batch,
  output_height, output_width, channels]; see there for the rest.
  """
  images = _fit(images, output_height, output_width, use_grayscale)
  return (images - _MEAN) / _MEAN


def _fit(images, output_height, output_width, use_grayscale):
  """Returns an image or a batch of images in the given size, as float32."""
  image_ops.check_size(output_height, output_width)
  images = tf.cast(
      image_ops.crop_or_pad(images, output_height, output_width), tf.float32)
  return image_ops.to_grayscale(images) if use_grayscale else images
