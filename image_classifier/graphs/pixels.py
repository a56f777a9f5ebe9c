"""Preprocessed images as they can be shown."""
import numpy as np


def to_pixels(image, preprocessing=None):
  """Returns the pixels of a preprocessed image.

  Args:
    image: float32 [height, width, 1 or 3].
    preprocessing: what `preprocessing_factory.describe` returns; where it has
      no mean and scale, or is None, the range of the image becomes 0 to 255.

  Returns:
    uint8 [height, width, 3].
  """
  image = np.asarray(image, np.float64)
  if preprocessing and preprocessing['scale']:
    image = image / preprocessing['scale'] + preprocessing['mean']
  else:
    low, high = image.min(), image.max()
    image = (image - low) * (255 / (high - low or 1))
  image = np.clip(image.round(), 0, 255).astype(np.uint8)
  return np.repeat(image, 3, -1) if image.shape[-1] == 1 else image
