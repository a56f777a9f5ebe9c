"""The recipe of the networks of torchvision: the crops of VGG, other values.

Values are divided by 255, and the mean color of ImageNet is subtracted and its
standard deviation divided by.
"""
import tensorflow.compat.v1 as tf

from preprocessing import image_ops
from preprocessing import vgg_preprocessing

_MEANS = (0.485, 0.456, 0.406)
_DEVIATIONS = (0.229, 0.224, 0.225)
_VGG_MEANS = vgg_preprocessing.EVALUATION['mean']

EVALUATION = dict(
    vgg_preprocessing.EVALUATION, value_range='-2.12 to 2.64',
    mean=[255 * mean for mean in _MEANS],
    scale=[1 / (255 * deviation) for deviation in _DEVIATIONS])


def preprocess_image(image, output_height, output_width, is_training=False,
                     use_grayscale=False, area_range=None,
                     aspect_ratio_range=None, augment=None):
  """Preprocesses an image for the networks of torchvision.

  Args:
    image: [height, width, channels] with values in [0, 255].
    output_height, output_width: size of the result in pixels.
    is_training: whether to distort the image for training.
    use_grayscale: whether to convert the image to one channel.
    area_range, aspect_ratio_range, augment: as of
      `vgg_preprocessing.preprocess_for_train`.

  Returns:
    float32 [output_height, output_width, channels].

  Raises:
    ValueError: a size, a range or the image's shape is invalid.
  """
  image = vgg_preprocessing.preprocess_image(
      image, output_height, output_width, is_training=is_training,
      use_grayscale=use_grayscale, area_range=area_range,
      aspect_ratio_range=aspect_ratio_range, augment=augment)
  # What VGG subtracts differs by up to half a byte.
  image = image_ops.subtract_means(
      image, [255 * mean - vgg for mean, vgg in zip(_MEANS, _VGG_MEANS)])
  deviations = _DEVIATIONS
  if image_ops.num_channels(image) == 1:
    deviations = [sum(deviation * weight for deviation, weight in zip(
        _DEVIATIONS, image_ops.LUMA))]
  return image / (255 * tf.constant(deviations))
