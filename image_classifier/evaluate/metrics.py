"""Metrics of classification: sums over the batches, divided at the end.

Both classes of metrics have the same methods: `add` takes a batch, `results`
divides. They use NumPy alone, so that every number can be checked by hand.
"""
import collections

import numpy as np

from image_classifier.losses import numpy_losses

_RECALL_K = 5
_CALIBRATION_BINS = 15
# A class of several is predicted from a probability of 0.5 on.
_MIN_LOGIT = 0.0

ClassScores = collections.namedtuple(
    'ClassScores', 'examples predicted precision recall f1')
ClassScores.__doc__ = """Scores of one class.

Attributes:
  examples: int, number of examples labeled with the class.
  predicted: int, number of examples predicted as the class.
  precision: float in [0, 1], or None if the class is never predicted.
  recall: float in [0, 1], or None if no example has the class.
  f1: float in [0, 1], or None if both are None.
"""


class _Metrics:
  """What both kinds of metrics have.

  Attributes:
    examples: int, number of examples added.
    main_metric: name of the most informative metric.
  """

  def __init__(self, num_classes, loss):
    self.examples = 0
    self._loss = loss
    self._loss_sum = 0.0
    self._counts = ClassCounts(num_classes)

  def classes(self):
    """Returns a list of ClassScores."""
    return self._counts.scores()

  def shown(self, labels, logits):
    """Returns (labels, logits) of a batch as the result files show them."""
    return labels, logits


class SingleLabelMetrics(_Metrics):
  """Metrics of examples with exactly one label."""
  main_metric = 'Accuracy'

  def __init__(self, num_classes, loss=numpy_losses.Loss()):
    super().__init__(num_classes, loss)
    self._recall_k = min(_RECALL_K, num_classes)
    self._correct = self._recalled = 0
    self._calibration = Calibration(_CALIBRATION_BINS)

  def add(self, logits, labels):
    """Adds a batch.

    Args:
      logits: finite floats [batch, num_classes].
      labels: integers [batch], each in [0, num_classes).

    Returns:
      int [batch], the class predicted for each example: the first with the
      largest logit.
    """
    logits = np.asarray(logits, np.float64)
    labels = np.asarray(labels)
    predicted = np.argmax(logits, axis=1)
    correct = predicted == labels
    self.examples += len(labels)
    self._counts.add(_one_hot(labels, logits.shape[1]),
                     _one_hot(predicted, logits.shape[1]))
    self._correct += int(correct.sum())
    self._recalled += int((_ranks(logits, labels) < self._recall_k).sum())
    self._loss_sum += self._loss.of_examples(logits, labels).sum()
    self._calibration.add(
        self._loss.probabilities(logits)[np.arange(len(labels)), predicted],
        correct)
    return predicted

  def results(self):
    """Returns the metrics, a dict of floats.

    * Accuracy: fraction of the examples whose largest logit is the label's.
    * Recall_5: fraction of the examples whose label is among the 5 largest
      logits (among all, with fewer classes than 5).
    * Loss: mean loss, in nats; see `numpy_losses`.
    * Macro_Precision, Macro_Recall, Macro_F1: means over the classes that are
      the label or prediction of an example; an undefined value counts as 0.
    * Calibration_Error: see `Calibration`.
    """
    return collections.OrderedDict([
        ('Accuracy', self._correct / self.examples),
        ('Recall_5', self._recalled / self.examples),
        ('Loss', float(self._loss_sum / self.examples)),
        *self._counts.macro(),
        ('Calibration_Error', self._calibration.error())])


class MultiLabelMetrics(_Metrics):
  """Metrics of examples with any number of labels.

  The logits are kept for the average precision, which needs their order:
  5 bytes per example and class.
  """
  main_metric = 'Mean_Average_Precision'

  def __init__(self, num_classes, loss=numpy_losses.Loss(
      'sigmoid', multi_label=True)):
    super().__init__(num_classes, loss)
    self._exact = 0
    self._logits, self._labels = [], []

  def add(self, logits, labels):
    """Adds a batch.

    Args:
      logits: finite floats [batch, num_classes].
      labels: 0 or 1, [batch, num_classes].

    Returns:
      bool [batch, num_classes]: the predicted classes, whose probability is at
      least 0.5.
    """
    logits = np.asarray(logits, np.float32)
    labels = np.asarray(labels) > 0.5
    predicted = logits >= _MIN_LOGIT
    self.examples += len(labels)
    self._counts.add(labels, predicted)
    self._exact += int((predicted == labels).all(axis=1).sum())
    self._loss_sum += self._loss.of_examples(logits, labels).sum()
    self._logits.append(logits)
    self._labels.append(labels)
    return predicted

  def results(self):
    """Returns the metrics, a dict of floats.

    * Mean_Average_Precision: mean `average_precision` of the classes that an
      example has.
    * Micro_F1: F1 of the decisions of all classes together.
    * Macro_Precision, Macro_Recall, Macro_F1: see `SingleLabelMetrics`.
    * Exact_Match: fraction of the examples with every label correct.
    * Loss: mean loss of a decision, in nats; see `numpy_losses`.
    """
    return collections.OrderedDict([
        ('Mean_Average_Precision', self._mean_average_precision()),
        ('Micro_F1', self._counts.micro_f1()), *self._counts.macro(),
        ('Exact_Match', self._exact / self.examples),
        ('Loss', float(self._loss_sum / self.examples))])

  def _mean_average_precision(self):
    logits, labels = np.concatenate(self._logits), np.concatenate(self._labels)
    present = np.flatnonzero(labels.any(axis=0))
    if not len(present):
      return 0.0
    return float(np.mean([
        average_precision(logits[:, i], labels[:, i]) for i in present]))


def class_for(multi_label):
  """Returns the class of metrics for a dataset."""
  return MultiLabelMetrics if multi_label else SingleLabelMetrics


class Calibration:
  """The expected calibration error (Guo et al., arXiv:1706.04599).

  Predictions are divided by confidence into bins of equal width; the error is
  the mean over the predictions of the distance between the confidence and the
  accuracy of their bin.
  """

  def __init__(self, num_bins):
    self._sums = np.zeros((3, num_bins))

  def add(self, confidence, correct):
    """Adds predictions: probabilities [batch] and correctness, bool [batch]."""
    num_bins = self._sums.shape[1]
    # A bin includes its upper edge, as in the paper.
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

  That is the sum, over the distinct scores as thresholds, of the precision
  times the increase of the recall.

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


class ClassCounts:
  """Counts by class: examples labeled, examples predicted, and both."""

  def __init__(self, num_classes):
    self.num_classes = num_classes
    self._examples, self._predicted, self._both = np.zeros(
        (3, num_classes), np.int64)

  def add(self, labels, predicted):
    """Adds two bool arrays [batch, num_classes]."""
    self._examples += labels.sum(axis=0)
    self._predicted += predicted.sum(axis=0)
    self._both += (labels & predicted).sum(axis=0)

  def scores(self):
    return [ClassScores(
        int(examples), int(predicted), _divide(both, predicted),
        _divide(both, examples), _divide(2 * both, examples + predicted))
            for examples, predicted, both in zip(
                self._examples, self._predicted, self._both)]

  def macro(self):
    present = [row for row in self.scores() if row.examples or row.predicted]
    return [('Macro_' + title, float(np.mean(
        [getattr(row, key) or 0.0 for row in present] or [0.0])))
            for title, key in (('Precision', 'precision'),
                               ('Recall', 'recall'), ('F1', 'f1'))]

  def micro_f1(self):
    return _divide(2 * self._both.sum(),
                   self._examples.sum() + self._predicted.sum()) or 0.0


def _divide(part, whole):
  return float(part / whole) if whole else None


def _one_hot(indices, num_classes):
  return indices[:, None] == np.arange(num_classes)


def _ranks(logits, labels):
  """Returns the rank of the label's logit, from 0; ties rank by index."""
  of_label = logits[np.arange(len(labels)), labels][:, None]
  before = np.arange(logits.shape[1]) < labels[:, None]
  return ((logits > of_label) | ((logits == of_label) & before)).sum(axis=1)
