"""The nearest of known embeddings."""
import numpy as np


class Gallery:
  """Known embeddings.

  Args:
    embeddings: floats [images, size].
    labels: integers [images].
    num_classes: number of classes.

  Raises:
    ValueError: there are no images.
  """

  def __init__(self, embeddings, labels, num_classes):
    if not len(labels):
      raise ValueError('The gallery has no images.')
    self.labels = np.asarray(labels)
    self._embeddings = np.asarray(embeddings, np.float64)
    self._num_classes = num_classes

  def distances(self, embeddings):
    """Returns the distances of embeddings [n, size], floats [n, images]."""
    embeddings = np.asarray(embeddings, np.float64)
    squares = ((embeddings ** 2).sum(axis=1)[:, None] + (
        self._embeddings ** 2).sum(axis=1) -
               2 * embeddings @ self._embeddings.T)
    return np.sqrt(np.maximum(squares, 0))

  def class_scores(self, distances):
    """Returns minus the distance to the nearest image of each class.

    Args:
      distances: floats [n, images].

    Returns:
      Floats [n, num_classes]; of a class without images, a finite number below
      all others.
    """
    scores = np.full([len(distances), self._num_classes], np.inf)
    for label in np.unique(self.labels):
      scores[:, label] = distances[:, self.labels == label].min(axis=1)
    finite = np.isfinite(scores)
    farthest = scores[finite].max() if finite.any() else 0.0
    return -np.where(finite, scores, 2 * farthest + 100)
