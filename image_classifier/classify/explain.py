"""Images with a heat map of what made the network choose a class."""
import os

import numpy as np
from PIL import Image

from image_classifier.graphs import pixels
from slim_common import atomic_files

# In pixels; smaller images are enlarged.
_MIN_SIZE = 224
# The colors of 0, 1/4 and so on to 1.
_COLORS = ((0, 0, 255), (0, 255, 255), (0, 255, 0), (255, 255, 0), (255, 0, 0))
_OPACITY = 0.6


def overlay(image, heat):
  """Returns an image with a heat map over it.

  Args:
    image: preprocessed image, float32 [height, width, 1 or 3].
    heat: floats of 0 or more [rows, columns].

  Returns:
    uint8 [height, width, 3], enlarged to 224 pixels. Where it is hot it is red;
    where it is cold the image shows as it is.
  """
  enlarged = Image.fromarray(pixels.to_pixels(image))
  scale = max(1, -(-_MIN_SIZE // min(enlarged.size)))
  enlarged = np.asarray(enlarged.resize(
      [length * scale for length in enlarged.size], Image.NEAREST), np.float64)
  heat = np.asarray(heat, np.float32) / (np.max(heat) or 1)
  heat = np.clip(np.asarray(Image.fromarray(heat).resize(
      enlarged.shape[1::-1], Image.BILINEAR)), 0, 1)
  levels = np.linspace(0, 1, len(_COLORS))
  colors = np.stack([np.interp(heat, levels, channel)
                     for channel in zip(*_COLORS)], -1)
  opacity = _OPACITY * heat[..., None]
  return (enlarged * (1 - opacity) + colors * opacity).round().astype(np.uint8)


class Overlays:
  """Writes overlays into a directory.

  Args:
    directory: the directory; made if it does not exist.
    overwrite: whether it may hold files already.

  Raises:
    ValueError: it holds files, or cannot be written.
  """

  def __init__(self, directory, overwrite):
    self._directory = directory
    self._names = set()
    atomic_files.check_directory('explain', directory)
    if os.listdir(directory) and not overwrite:
      raise ValueError('--explain=%s holds files: give another directory, or '
                       '--overwrite to write among them.' % directory)

  def write(self, name, image, heat):
    """Writes DIR/NAME.png; see `overlay`. A name that is taken gets a number.
    """
    stem = os.path.splitext(os.path.basename(name))[0]
    title, number = stem, 1
    while title in self._names:
      number += 1
      title = '%s_%d' % (stem, number)
    self._names.add(title)
    path = os.path.join(self._directory, title + '.png')
    with atomic_files.publish(path, 'wb') as output:
      Image.fromarray(overlay(image, heat)).save(output, 'PNG')
