"""Metrics of embeddings: what is near to an image in a gallery of others."""
import collections

import numpy as np

from image_classifier.evaluate import metrics

_RECALL_K = (1, 5, 10)
# Distances computed at once, which take 8 bytes each.
_MAX_DISTANCES = 1 << 24


class RetrievalMetrics:
  """Metrics of embeddings against a gallery; see `metrics`.

  Args:
    gallery: a `neighbors.Gallery`.
    is_same: whether the images to be added are those of the gallery, in their
      order: none is compared with itself then.

  Attributes:
    examples: int, number of images added.
    main_metric: name of the most informative metric.
  """
  main_metric = 'Accuracy'

  def __init__(self, gallery, num_classes, is_same=False):
    self.examples = 0
    self._gallery, self._is_same = gallery, is_same
    self._counts = metrics.ClassCounts(num_classes)
    self._recalled = dict.fromkeys(_RECALL_K, 0)
    self._correct, self._precisions, self._norms = 0, [], 0.0
    self._scores = None

  def add(self, embeddings, labels):
    """Adds a batch.

    Args:
      embeddings: finite floats [batch, size].
      labels: integers [batch], each in [0, num_classes).

    Returns:
      int [batch], the class of the nearest image in the gallery.
    """
    labels = np.asarray(labels)
    step = max(1, _MAX_DISTANCES // len(self._gallery.labels))
    parts = [self._add(embeddings[start:start + step],
                       labels[start:start + step])
             for start in range(0, len(labels), step)]
    self._scores = np.concatenate([scores for scores, _ in parts])
    self._norms += np.linalg.norm(embeddings, axis=1).sum()
    return np.concatenate([predicted for _, predicted in parts])

  def _add(self, embeddings, labels):
    distances = self._gallery.distances(embeddings)
    rows = np.arange(len(labels))
    if self._is_same:
      distances[rows, self.examples + rows] = np.inf
    order = np.argsort(distances, axis=1, kind='stable')
    if self._is_same:
      order = order[:, :-1]
    found = self._gallery.labels[order]
    hits = found == labels[:, None]
    for k in _RECALL_K:
      self._recalled[k] += int(hits[:, :k].any(axis=1).sum())
    self._precisions += average_precisions(hits)
    predicted = found[:, 0]
    self._correct += int((predicted == labels).sum())
    classes = np.arange(self._counts.num_classes)
    self._counts.add(labels[:, None] == classes, predicted[:, None] == classes)
    self.examples += len(labels)
    return self._gallery.class_scores(distances), predicted

  def shown(self, labels, embeddings):
    """Returns (labels, class scores) of the batch that was added last."""
    del embeddings
    return labels, self._scores

  def results(self):
    """Returns the metrics, a dict of floats.

    * Accuracy: fraction of the images whose nearest image in the gallery is of
      their class (1-NN).
    * Recall_at_1, Recall_at_5, Recall_at_10: fraction of those with one of
      their class among the nearest 1, 5 and 10.
    * Mean_Average_Precision: mean, over the images with one of their class in
      the gallery, of the average precision of the gallery in the order of the
      distances.
    * Mean_Norm: mean length of the embeddings.
    * Macro_Precision, Macro_Recall, Macro_F1: of the nearest image's class.
    """
    return collections.OrderedDict(
        [('Accuracy', self._correct / self.examples)] +
        [('Recall_at_%d' % k, count / self.examples)
         for k, count in self._recalled.items()] +
        [('Mean_Average_Precision',
          float(np.mean(self._precisions)) if self._precisions else 0.0),
         ('Mean_Norm', float(self._norms / self.examples)),
         *self._counts.macro()])

  def classes(self):
    """Returns a list of `metrics.ClassScores`."""
    return self._counts.scores()


def average_precisions(hits):
  """Returns the average precision of each row that has a hit, a list.

  Args:
    hits: bool [rows, results], whether each result is right, the best first.
  """
  right = np.cumsum(hits, axis=1)
  precision = right / np.arange(1, hits.shape[1] + 1)
  return [float(row[hit].mean()) for row, hit in zip(precision, hits)
          if hit.any()]
