"""Classification by the nearest of known images: --gallery."""
import os

import numpy as np

from image_classifier.classify import image_inputs
from image_classifier.graphs import neighbors

_BATCH = 16


class GalleryClassifier:
  """A classifier of the network's embeddings, by the nearest known image.

  Its probabilities are the softmax of minus the distances to the nearest image
  of each class.

  Args:
    classifier: a `classifier.Classifier` whose predictions are embeddings.
    directory: a subdirectory of images per class; or images, each of a class
      of its own, named as the file without its ending.

  Attributes:
    labels: list of the names of the classes.
    nearest: list of (file, distance) of the nearest image to each image of the
      last batch.

  Raises:
    ValueError: there is no image, one cannot be read, or the directory holds
      both images and subdirectories of images.
  """

  def __init__(self, classifier, directory):
    self._classifier = classifier
    self.preprocess, self.close = classifier.preprocess, classifier.close
    images = _images(directory)
    self.labels = sorted({name for name, _ in images})
    self._files = [image.name for _, image in images]
    embeddings = [self._embed([image for _, image in images[
        start:start + _BATCH]]) for start in range(0, len(images), _BATCH)]
    self._gallery = neighbors.Gallery(
        np.concatenate(embeddings),
        [self.labels.index(name) for name, _ in images], len(self.labels))
    self.nearest = []

  def _embed(self, images):
    inputs = []
    for image in images:
      try:
        inputs.append(self.preprocess(image.read()))
      except (ValueError, OSError) as error:
        raise ValueError('--gallery: %s cannot be read: %s' % (
            image.name, str(error).splitlines()[0]))
    return self._classifier.predict(np.stack(inputs))[0]

  def predict(self, images):
    """Returns (probabilities, features), as `Classifier.predict` does."""
    embeddings, features = self._classifier.predict(images)
    distances = self._gallery.distances(embeddings)
    best = distances.argmin(axis=1)
    self.nearest = [(self._files[index], float(row[index]))
                    for index, row in zip(best, distances)]
    scores = self._gallery.class_scores(distances)
    exps = np.exp(scores - scores.max(axis=1, keepdims=True))
    return exps / exps.sum(axis=1, keepdims=True), features


def _images(directory):
  """Returns a list of (name of the class, ImageInput)."""
  if not os.path.isdir(directory):
    raise ValueError('--gallery=%s is no directory: give one with a '
                     'subdirectory of images per class.' % directory)
  names = sorted(name for name in os.listdir(directory)
                 if not name.startswith('.'))
  classes = [name for name in names
             if os.path.isdir(os.path.join(directory, name))]
  if not classes:
    return [(os.path.splitext(os.path.basename(image.name))[0], image)
            for image in image_inputs.find([directory])]
  if len(classes) < len(names):
    raise ValueError(
        '--gallery=%s holds subdirectories, which are classes, and files, such '
        'as %s: move the files into a subdirectory.' % (
            directory, min(set(names) - set(classes))))
  return [(name, image) for name in classes for image in image_inputs.find(
      [os.path.join(directory, name)])]
