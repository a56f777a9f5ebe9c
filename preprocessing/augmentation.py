"""Optional training augmentation on top of the recipes of the families."""
import dataclasses
from typing import Optional

import tensorflow.compat.v1 as tf

from preprocessing import image_ops
from preprocessing import randaugment
from preprocessing import random_numbers

_ERASED_AREA = (0.02, 0.33)
_ERASED_ASPECT_RATIO = 3.3


@dataclasses.dataclass(frozen=True)
class Augmentation:
  """Changes of a training image besides those of the recipe.

  Attributes:
    crop_min_area: minimum area of a crop, as a fraction of the image's; None
      for the recipe's default.
    crop_max_aspect: maximum aspect ratio of a crop, the minimum being its
      inverse; None for the recipe's default.
    color_jitter: brightness, contrast and saturation are scaled by random
      factors in [max(0, 1 - color_jitter), 1 + color_jitter].
    randaugment_steps: number of RandAugment operations per image.
    randaugment_magnitude: strength of these operations, from 0 to 10.
    random_erasing: probability that a rectangle of an image is erased.
  """
  crop_min_area: Optional[float] = None
  crop_max_aspect: Optional[float] = None
  color_jitter: float = 0.0
  randaugment_steps: int = 0
  randaugment_magnitude: float = 9.0
  random_erasing: float = 0.0

  def recipe_arguments(self):
    """Returns keyword arguments for the recipe of a family."""
    arguments = {}
    if self.crop_min_area is not None:
      arguments['area_range'] = (self.crop_min_area, 1.0)
    if self.crop_max_aspect is not None:
      arguments['aspect_ratio_range'] = (
          1.0 / self.crop_max_aspect, self.crop_max_aspect)
    if self.color_jitter or self.randaugment_steps:
      arguments['augment'] = self._augment
    return arguments

  def _augment(self, image):
    if self.randaugment_steps:
      image = randaugment.apply(
          image, self.randaugment_steps, self.randaugment_magnitude)
    if self.color_jitter:
      image = jitter_color(image, self.color_jitter)
    return image

  def finish(self, image):
    """Returns the image that a recipe has made, with a rectangle erased."""
    return erase(image, self.random_erasing) if self.random_erasing else image


def jitter_color(image, strength):
  """Scales brightness, contrast and saturation by three random factors.

  Args:
    image: float32 [height, width, channels] in [0, 255], channels 1 or 3.
    strength: the factors are in [max(0, 1 - strength), 1 + strength).

  Returns:
    float32 of the same shape and range.
  """
  low, high = max(0.0, 1.0 - strength), 1.0 + strength
  image = _clip(image * random_numbers.uniform(low, high))
  mean = tf.reduce_mean(image_ops.to_grayscale(image))
  image = _clip(mean + (image - mean) * random_numbers.uniform(low, high))
  gray = image_ops.to_grayscale(image)
  return _clip(gray + (image - gray) * random_numbers.uniform(low, high))


def erase(image, probability):
  """Sets a random rectangle to 0, the middle of the range of most networks.

  The rectangle covers 2 % to 33 % of the image; its aspect ratio is from 1/3.3
  to 3.3. Z. Zhong et al.: Random erasing data augmentation, arXiv:1708.04896.

  Args:
    image: float32 [height, width, channels].
    probability: probability that a rectangle is erased.

  Returns:
    float32 of the same shape.
  """
  image_size = tf.cast(tf.shape(image)[:2], tf.float32)
  area = random_numbers.uniform(*_ERASED_AREA) * image_size[0] * image_size[1]
  log_ratio = tf.log(_ERASED_ASPECT_RATIO)
  ratio = tf.exp(random_numbers.uniform(-log_ratio, log_ratio))
  size = tf.minimum(
      tf.round(tf.sqrt(tf.stack([area / ratio, area * ratio]))), image_size)
  begin = tf.floor(
      random_numbers.uniform(0.0, 1.0, shape=[2]) * (image_size - size + 1))
  size *= tf.cast(random_numbers.bernoulli(probability), tf.float32)
  erased = image_ops.rectangle_mask(image_size, begin, begin + size)
  return image * tf.cast(~erased, tf.float32)[:, :, tf.newaxis]


def _clip(image):
  return tf.clip_by_value(image, 0.0, 255.0)
