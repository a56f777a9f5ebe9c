"""The deterministic steps, in numpy."""
import numpy as np

LUMA = np.float64([0.2989, 0.5870, 0.1140])


def resize(image, height, width):
  """Resizes bilinearly; pixel 0 of the result is pixel 0 of the image."""
  image = np.float64(image)
  rows = np.arange(height) * (image.shape[0] / float(height))
  columns = np.arange(width) * (image.shape[1] / float(width))
  return _interpolate(_interpolate(image, rows, 0), columns, 1)


def resize_smaller_side(image, side):
  scale = side / float(min(image.shape[:2]))
  return resize(image, *[int(round(scale * n)) for n in image.shape[:2]])


def crop_or_pad(image, height, width):
  for axis, size in enumerate((height, width)):
    extra = image.shape[axis] - size
    if extra >= 0:
      image = np.take(image, range(extra // 2, extra // 2 + size), axis)
    else:
      pad = [(0, 0)] * 3
      pad[axis] = (-extra // 2, -extra - -extra // 2)
      image = np.pad(image, pad, 'constant')
  return image


def standardize(image):
  image = np.float64(image)
  return (image - image.mean()) / max(image.std(), image.size ** -0.5)


def _interpolate(image, positions, axis):
  below = np.floor(positions).astype(int)
  above = np.minimum(below + 1, image.shape[axis] - 1)
  fraction = np.expand_dims(positions - below, 1)
  fraction = fraction[:, :, None] if axis == 0 else fraction[None]
  return (np.take(image, below, axis) * (1 - fraction) +
          np.take(image, above, axis) * fraction)
