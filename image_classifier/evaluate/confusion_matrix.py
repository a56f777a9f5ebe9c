"""Which class is taken for which."""
import collections
import csv

import numpy as np

# Examples of the class `label` that were taken for the class `predicted`.
Confusion = collections.namedtuple('Confusion', 'label predicted count')


class ConfusionMatrix:
  """Counts of examples by label (rows) and prediction (columns)."""

  def __init__(self, num_classes):
    self.counts = np.zeros((num_classes, num_classes), np.int64)

  def add(self, labels, predicted):
    """Adds a batch: two integer arrays [batch]."""
    np.add.at(self.counts, (labels, predicted), 1)

  def most_frequent(self, most):
    """Returns the most frequent mistakes, a list of at most so many."""
    mistakes = self.counts - np.diag(np.diag(self.counts))
    order = np.argsort(-mistakes, axis=None, kind='stable')[:most]
    return [Confusion(int(label), int(predicted),
                      int(mistakes[label, predicted]))
            for label, predicted in zip(*np.unravel_index(
                order, mistakes.shape)) if mistakes[label, predicted]]


def write_csv(output, matrix, names):
  """Writes the counts with the names of the classes.

  Args:
    output: a file, open for text with newline=''.
    matrix: a ConfusionMatrix.
    names: list of the classes' names.
  """
  writer = csv.writer(output)
  writer.writerow(['label \\ predicted'] + names)
  for name, row in zip(names, matrix.counts.tolist()):
    writer.writerow([name] + row)
