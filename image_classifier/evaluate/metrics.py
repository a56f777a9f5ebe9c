"""Metrics of classification: sums over the batches, divided at the very end.

Both classes of metrics are used alike: `add` takes a batch, `results` divides.
Plain NumPy on what a session returned, so that every number can be checked by
hand.
"""
import collections

import numpy as np

from image_classifier.losses import numpy_losses

_RECALL_K = 5
_CALIBRATION_BINS = 15
# From a probability of 0.5 on, one label of many counts as predicted.
_LEAST_LOGIT = 0.0

# Of one class: examples that have it, examples predicted to have it, and
# shares in [0, 1], None where nothing could be divided by.
ClassScores = collections.namedtuple(
    'ClassScores', 'examples predicted precision recall f1')


class SingleLabelMetrics:
  """Metrics where every example has exactly one label.

  `examples` is the number of examples added, `main_metric` the name of the
  result that tells most.
  """
  main_metric = 'Accuracy'

  def __init__(self, num_classes, loss=numpy_losses.Loss()):
    self.examples = 0
    self._loss = loss
    self._recall_k = min(_RECALL_K, num_classes)
    self._counts = _ClassCounts(num_classes)
    self._correct = 0
    self._recalled = 0
    self._loss_sum = 0.0
    self._calibration = Calibration(_CALIBRATION_BINS)

  def add(self, logits, labels):
    """Adds a batch.

    Args:
      logits: finite floats [batch, num_classes].
      labels: integers [batch], each in [0, num_classes).

    Returns:
      int [batch], the class predicted for each example: the first of those
      with the largest logit.
    """
    logits = np.asarray(logits, np.float64)
    labels = np.asarray(labels)
    predicted = np.argmax(logits, axis=1)
    correct = predicted == labels
    self.examples += len(labels)
    self._counts.add(_one_hot(labels, logits.shape[1]),
                     _one_hot(predicted, logits.shape[1]))
    self._correct += int(correct.sum())
    self._recalled += int(
        (_ranks(logits, labels) < self._recall_k).sum())
    self._loss_sum += self._loss.of_examples(logits, labels).sum()
    self._calibration.add(
        self._loss.probabilities(logits)[np.arange(len(labels)), predicted],
        correct)
    return predicted

  def results(self):
    """Returns the metrics, a dict of floats.

    Accuracy: share whose largest logit is the label's. Recall_5: share whose
      label is among the 5 largest logits (all, with fewer classes than 5).
    Loss: mean of the loss, in nats; see `numpy_losses`.
    Macro_Precision, Macro_Recall, Macro_F1: means over the classes that are
      some example's label or prediction; what cannot be divided counts 0.
    Calibration_Error: see `Calibration`.
    """
    return collections.OrderedDict([
        ('Accuracy', self._correct / self.examples),
        ('Recall_5', self._recalled / self.examples),
        ('Loss', float(self._loss_sum / self.examples)),
    ] + self._counts.macro() + [
        ('Calibration_Error', self._calibration.error()),
    ])

  def classes(self):
    """Returns a list of ClassScores."""
    return self._counts.scores()


class MultiLabelMetrics:
  """Metrics where an example has any number of labels.

  The probabilities are kept for the average precision, which needs their
  order: 5 bytes an example and class.
  """
  main_metric = 'Mean_Average_Precision'

  def __init__(self, num_classes, loss=numpy_losses.Loss(
      'sigmoid', multi_label=True)):
    self.examples = 0
    self._loss = loss
    self._counts = _ClassCounts(num_classes)
    self._exact = 0
    self._loss_sum = 0.0
    self._logits = []
    self._labels = []

  def add(self, logits, labels):
    """Adds a batch.

    Args:
      logits: finite floats [batch, num_classes].
      labels: 0 or 1, [batch, num_classes].

    Returns:
      bool [batch, num_classes]: the classes predicted, whose probability is
      at least 0.5.
    """
    logits = np.asarray(logits, np.float32)
    labels = np.asarray(labels) > 0.5
    predicted = logits >= _LEAST_LOGIT
    self.examples += len(labels)
    self._counts.add(labels, predicted)
    self._exact += int((predicted == labels).all(axis=1).sum())
    self._loss_sum += self._loss.of_examples(logits, labels).sum()
    self._logits.append(logits)
    self._labels.append(labels)
    return predicted

  def results(self):
    """Returns the metrics, a dict of floats.

    Mean_Average_Precision: mean of the average precision of the classes that
      some example has (see `average_precision`).
    Micro_F1: F1 of all decisions of all classes together. Macro_Precision,
      Macro_Recall, Macro_F1: as for single labels.
    Exact_Match: share of the examples with every label right.
    Loss: mean of the loss of a decision, in nats; see `numpy_losses`.
    """
    return collections.OrderedDict([
        ('Mean_Average_Precision', self._mean_average_precision()),
        ('Micro_F1', self._counts.micro_f1()),
    ] + self._counts.macro() + [
        ('Exact_Match', self._exact / self.examples),
        ('Loss', float(self._loss_sum / self.examples)),
    ])

  def classes(self):
    """Returns a list of ClassScores."""
    return self._counts.scores()

  def _mean_average_precision(self):
    logits, labels = np.concatenate(self._logits), np.concatenate(self._labels)
    there = np.flatnonzero(labels.any(axis=0))
    if not len(there):
      return 0.0
    return float(np.mean([
        average_precision(logits[:, i], labels[:, i]) for i in there]))


class Calibration:
  """The expected calibration error (Guo et al., arXiv:1706.04599).

  Predictions are sorted by confidence into bins of equal width; the error is
  the mean distance of confidence and accuracy in a bin, weighted by the
  predictions in it.
  """

  def __init__(self, num_bins):
    self._sums = np.zeros((3, num_bins))

  def add(self, confidence, correct):
    """Adds predictions: probabilities [batch], and whether they were right."""
    num_bins = self._sums.shape[1]
    # A bin holds its upper edge, as in the paper.
    bins = np.clip(np.ceil(np.asarray(confidence) * num_bins).astype(int) - 1,
                   0, num_bins - 1)
    for row, weights in zip(self._sums, (None, confidence, correct)):
      row += np.bincount(bins, weights, num_bins)

  def error(self):
    """Returns the error, in [0, 1]."""
    count, confidence, correct = self._sums
    return float(np.abs(confidence - correct).sum() / count.sum())


def average_precision(scores, labels):
  """Returns the average precision of one class.

  The sum over the distinct scores, from the highest, of the precision there
  times what recall it adds; equal scores are taken together.

  Args:
    scores: floats [examples]; the higher, the likelier the class.
    labels: bool [examples], at least one True.
  """
  order = np.argsort(-scores, kind='stable')
  scores, right = scores[order], np.cumsum(labels[order])
  last = np.append(scores[1:] != scores[:-1], True)
  precision = right[last] / (np.flatnonzero(last) + 1)
  recall = right[last] / right[-1]
  return float(np.sum(np.diff(recall, prepend=0.0) * precision))


class _ClassCounts:
  """Counts by class: examples that have it, that are predicted it, both."""

  def __init__(self, num_classes):
    self._examples, self._predicted, self._both = np.zeros(
        (3, num_classes), np.int64)

  def add(self, labels, predicted):
    """Adds two bool arrays [batch, num_classes]."""
    self._examples += labels.sum(axis=0)
    self._predicted += predicted.sum(axis=0)
    self._both += (labels & predicted).sum(axis=0)

  def scores(self):
    return [ClassScores(
        int(examples), int(predicted), _share(both, predicted),
        _share(both, examples), _share(2 * both, examples + predicted))
            for examples, predicted, both in zip(
                self._examples, self._predicted, self._both)]

  def macro(self):
    there = [row for row in self.scores() if row.examples or row.predicted]
    return [('Macro_' + title, float(np.mean(
        [getattr(row, key) or 0.0 for row in there] or [0.0])))
            for title, key in (('Precision', 'precision'),
                               ('Recall', 'recall'), ('F1', 'f1'))]

  def micro_f1(self):
    return _share(2 * self._both.sum(),
                  self._examples.sum() + self._predicted.sum()) or 0.0


def _share(part, whole):
  return float(part / whole) if whole else None


def _one_hot(indices, num_classes):
  return indices[:, None] == np.arange(num_classes)


def _ranks(logits, labels):
  """Returns how many logits come before the label's; equal ones by index."""
  own = logits[np.arange(len(labels)), labels][:, None]
  before = np.arange(logits.shape[1]) < labels[:, None]
  return ((logits > own) | ((logits == own) & before)).sum(axis=1)
