"""A sheet of the worst mistakes: image, truth, prediction, probabilities."""
import io
import os

import numpy as np
from PIL import Image

from image_classifier.graphs import pixels
from slim_common import atomic_files
from slim_common import contact_sheet

_SHOWN = 30


class Mistakes:
  """Collects the mistakes that the network is surest of.

  The worst is the one whose predicted class has the largest lead over the true
  one.

  Args:
    path: path of the PNG file.
    classes: list of (id, name) of the network's classes.
    preprocessing: see `pixels.to_pixels`.
  """
  needs_images = True

  def __init__(self, path, classes, preprocessing):
    self._path, self._classes = path, classes
    self._preprocessing = preprocessing
    self._worst = []
    self._count = 0

  def add(self, names, labels, probabilities, shown):
    """Adds a batch.

    Args:
      names: bytes [batch], names of the examples' files.
      labels: integers [batch].
      probabilities: floats [batch, classes].
      shown: dict with `images`, float32 [batch, height, width, channels].
    """
    rows = np.arange(len(labels))
    predicted = probabilities.argmax(axis=1)
    lead = probabilities[rows, predicted] - probabilities[rows, labels]
    for i in np.flatnonzero(predicted != labels):
      self._count += 1
      self._worst.append((-lead[i], self._count, shown['images'][i].copy(), (
          labels[i], probabilities[i, labels[i]], predicted[i],
          probabilities[i, predicted[i]], names[i])))
    self._worst = sorted(self._worst, key=lambda row: row[:2])[:_SHOWN]

  def write(self):
    """Writes the sheet; returns lines that name it."""
    if not self._worst:
      return ['There are no mistakes to draw in %s.' % self._path]
    with atomic_files.naming(self._path):
      contact_sheet.draw([
          (self._png_file(image), self._caption(*facts))
          for _, _, image, facts in self._worst], self._path)
    return ['Mistakes: %s (%d of %d, the surest first)' % (
        self._path, len(self._worst), self._count)]

  def _png_file(self, image):
    target = io.BytesIO()
    Image.fromarray(pixels.to_pixels(image, self._preprocessing)).save(
        target, 'PNG')
    return io.BytesIO(target.getvalue())

  def _caption(self, label, probability, predicted, highest, name):
    return 'is %s %.1f%%\nnot %s %.1f%%\n%s' % (
        self._classes[label][1], 100 * probability,
        self._classes[predicted][1], 100 * highest,
        os.path.basename(name.decode('utf-8', 'replace')))
