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
  image_ops.check_size(output_height, output_width)
  image = image_ops.crop_or_pad(image, output_height, output_width)
  image = tf.cast(image, tf.float32)
  if use_grayscale:
    image = image_ops.to_grayscale(image)
  if is_training and augment is not None:
    image = augment(image)
  return (image - _MIDDLE) / _MIDDLE
