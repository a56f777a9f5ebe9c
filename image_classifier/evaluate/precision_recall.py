"""Precision-recall curves of the classes, as a plot by matplotlib."""
import numpy as np

from image_classifier.evaluate import confusion_matrix
from slim_common import atomic_files

# Of more classes, those with the lowest average precision are drawn.
_MAX_CURVES = 20
_DPI = 100


class PrecisionRecall:
  """Collects the probabilities of all examples: 4 bytes for each class.

  Args:
    path: path of the PNG file.
    classes: list of (id, name) of the network's classes.
    multi_label: whether labels are 0 and 1, [batch, classes].
  """
  needs_images = False

  def __init__(self, path, classes, multi_label):
    self._path, self._multi_label = path, multi_label
    self._names = [name for _, name in classes]
    self._probabilities, self._labels = [], []

  def add(self, names, labels, probabilities, shown):
    """Adds a batch; the arguments are those of `mistakes.Mistakes.add`."""
    del names, shown
    self._probabilities.append(probabilities.astype(np.float32))
    self._labels.append(labels > 0.5 if self._multi_label else labels)

  def write(self):
    """Draws the curves; returns lines that name the file."""
    probabilities = np.concatenate(self._probabilities)
    labels = np.concatenate(self._labels)
    curves = []
    for k, name in enumerate(confusion_matrix.drawable(self._names)):
      has = labels[:, k] if self._multi_label else labels == k
      if has.any():
        curves.append((name,) + curve(probabilities[:, k], has))
    with atomic_files.publish(self._path, 'wb') as output:
      _plot(curves, output)
    return ['Precision-recall curves: %s' % self._path]


def curve(scores, has):
  """Returns the precision-recall curve of a class.

  Args:
    scores: floats [n].
    has: bools [n], at least one of them true: which examples have the class.

  Returns:
    (recall, precision, average): floats [thresholds], [thresholds], one for
    each different score from the highest to the lowest, and the average
    precision: the mean over the steps in recall of the precision reached.
  """
  order = np.argsort(-scores, kind='stable')
  scores, has = scores[order], np.asarray(has)[order]
  # Equal scores pass a threshold together.
  last = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)
  hits = np.cumsum(has)[last]
  recall, precision = hits / hits[-1], hits / (last + 1)
  average = float((np.diff(recall, prepend=0) * precision).sum())
  return recall, precision, average


def _plot(curves, output):
  """Draws (name, recall, precision, average) rows to a binary file."""
  from matplotlib.backends.backend_agg import FigureCanvasAgg
  from matplotlib.figure import Figure
  mean = sum(row[-1] for row in curves) / len(curves)
  total = len(curves)
  curves = sorted(curves, key=lambda row: row[-1])[:_MAX_CURVES]
  figure = Figure(figsize=(9, 6), dpi=_DPI)
  FigureCanvasAgg(figure)
  axes = figure.subplots()
  for k, (name, recall, precision, average) in enumerate(curves):
    axes.step(np.append(0, recall), np.append(precision[0], precision),
              where='pre', color='C%d' % (k % 10),
              linestyle='-' if k < 10 else '--',
              label='%s  %.3f' % (name, average))
  axes.set_xlim(0, 1.01)
  axes.set_ylim(0, 1.02)
  axes.set_xlabel('recall')
  axes.set_ylabel('precision')
  axes.grid(alpha=0.3)
  axes.set_title('Precision and recall of %s; mean average precision %.4f' % (
      'the %d classes' % total if total == len(curves) else
      'the %d lowest of %d classes' % (len(curves), total), mean))
  axes.legend(title='average precision', fontsize=8, loc='center left',
              bbox_to_anchor=(1.01, 0.5))
  figure.savefig(output, format='png', bbox_inches='tight')
