"""Metrics of a network for several tasks, each on the images it has labels of.
"""
import collections

import numpy as np

from image_classifier.evaluate import metrics
from image_classifier.losses import numpy_losses
from image_classifier.losses import task_heads


class TaskMetrics:
  """Metrics of the heads of a network; see `metrics`.

  Args:
    heads: list of `task_heads.Head`.

  Attributes:
    examples: int, number of images added.
    main_metric: name of the most informative metric.
  """
  main_metric = 'Mean_Over_Tasks'

  def __init__(self, heads):
    self.examples = 0
    self._heads = heads
    self._sums = [metrics.class_for(head.multi_label)(len(head.classes))
                  for head in heads]

  def add(self, outputs, labels):
    """Adds a batch.

    Args:
      outputs: finite floats [batch, outputs].
      labels: 0 and 1 [batch, classes of the dataset].

    Returns:
      bool [batch, outputs], the predicted classes of all tasks.
    """
    predicted = np.zeros(np.shape(outputs), bool)
    self.examples += len(labels)
    for head, sums in zip(self._heads, self._sums):
      logits = task_heads.outputs_of(head, outputs)
      targets, is_known = task_heads.known_labels(head, labels)
      best = logits >= 0 if head.multi_label else (
          logits.argmax(axis=1)[:, None] == np.arange(len(head.classes)))
      task_heads.outputs_of(head, predicted)[:] = best
      if is_known.any():
        targets = targets[is_known]
        sums.add(logits[is_known],
                 targets if head.multi_label else targets.argmax(axis=1))
    return predicted

  def shown(self, labels, outputs):
    """Returns (labels, logits) of the outputs, for the result files.

    Sigmoids of these logits are the probabilities of each task.
    """
    logits = np.array(outputs, np.float64)
    for head in self._heads:
      part = task_heads.outputs_of(head, logits)
      if not head.multi_label:
        shares = numpy_losses.Loss().probabilities(part)
        part[:] = np.log(np.maximum(shares, 1e-12)) - np.log(
            np.maximum(1 - shares, 1e-12))
    return labels[:, [label for head in self._heads for label in head.ids]], (
        logits)

  def results(self):
    """Returns the metrics, a dict of floats.

    Those of each task, see `metrics`, as TASK/NAME, with TASK/Examples, the
    number of images that it has labels of; and Mean_Over_Tasks, the mean of
    TASK/Accuracy, or TASK/Mean_Average_Precision of a multi-label task.
    """
    results, main = collections.OrderedDict(), []
    for head, sums in zip(self._heads, self._sums):
      results[head.task + '/Examples'] = sums.examples
      if sums.examples:
        own = sums.results()
        main.append(own[sums.main_metric])
        results.update(('%s/%s' % (head.task, name), value)
                       for name, value in own.items())
    results[self.main_metric] = float(np.mean(main or [0.0]))
    results.move_to_end(self.main_metric, last=False)
    return results

  def classes(self):
    """Returns a list of `metrics.ClassScores`, of all outputs."""
    return [score for sums in self._sums for score in sums.classes()]
