"""Confusion matrices as CSV files and as plots by matplotlib (extra `plot`)."""
import collections
import csv
import importlib.util

import numpy as np

# Up to this number of classes, every class is named at the axes and its counts
# are written into the cells; up to the second, every class is named.
_MAX_CLASSES_WITH_COUNTS = 25
_MAX_CLASSES_WITH_NAMES = 60
_NAMES_OF_MORE_CLASSES = 40
# Of more classes than this, neighbors share a cell: pixels would be too small.
_MAX_CELLS = 250
_MISTAKES_LISTED = 25
_NAME_LENGTH = 22
_DPI = 100

Confusion = collections.namedtuple('Confusion', 'label predicted count')
Confusion.__doc__ = """A kind of mistake.

Attributes:
  label: int, index of the true class.
  predicted: int, index of the predicted class.
  count: int, number of examples of `label` predicted as `predicted`.
"""


class ConfusionMatrix:
  """Counts of examples by label and prediction.

  Attributes:
    counts: int64 [num_classes, num_classes], labels in rows, predictions in
      columns.
  """

  def __init__(self, num_classes):
    self.counts = np.zeros((num_classes, num_classes), np.int64)

  def add(self, labels, predicted):
    """Adds a batch: two integer arrays [batch]."""
    np.add.at(self.counts, (labels, predicted), 1)

  def most_frequent(self, max_count):
    """Returns the most frequent mistakes, a list of at most `max_count`."""
    mistakes = self.counts - np.diag(np.diag(self.counts))
    order = np.argsort(-mistakes, axis=None, kind='stable')[:max_count]
    return [Confusion(int(label), int(predicted),
                      int(mistakes[label, predicted]))
            for label, predicted in zip(*np.unravel_index(
                order, mistakes.shape)) if mistakes[label, predicted]]


def write_csv(output, matrix, names):
  """Writes a ConfusionMatrix to a text file, with the names of the classes."""
  writer = csv.writer(output)
  writer.writerow(['label \\ predicted'] + names)
  for name, row in zip(names, matrix.counts.tolist()):
    writer.writerow([name] + row)


def can_plot():
  """Returns whether matplotlib is installed."""
  return importlib.util.find_spec('matplotlib') is not None


def plot(matrix, names, title, output):
  """Plots a confusion matrix beside a list of the most frequent mistakes.

  The shade of a cell is its fraction of the row, the examples of one label.

  Args:
    matrix: a ConfusionMatrix.
    names: list of the classes' names. One with letters that the font lacks is
      shown as `class 7`, counted from 0.
    title: a line of text.
    output: binary file for the PNG.
  """
  from matplotlib.backends.backend_agg import FigureCanvasAgg
  from matplotlib.figure import Figure
  names = drawable(names)
  size = min(13.0, max(5.0, 0.42 * len(names) + 2.0))
  figure = Figure(figsize=(size + 4.5, size), dpi=_DPI)
  FigureCanvasAgg(figure)
  cells, mistakes = figure.subplots(
      1, 2, gridspec_kw={'width_ratios': [size, 4.0]})
  _plot_cells(figure, cells, matrix, names)
  cells.set_title(title)
  _list_mistakes(mistakes, matrix, names)
  figure.tight_layout()
  figure.savefig(output, format='png', bbox_inches='tight')


def _plot_cells(figure, axes, matrix, names):
  block = -(-len(names) // _MAX_CELLS)
  counts = _sum_blocks(matrix.counts, block)
  fractions = counts / counts.sum(axis=1, keepdims=True).clip(1)
  # The root shows rare mistakes, which would be white otherwise.
  image = axes.imshow(fractions ** 0.5, cmap='Blues', vmin=0.0, vmax=1.0,
                      interpolation='nearest', aspect='equal')
  bar = figure.colorbar(image, ax=axes, fraction=0.046, pad=0.02)
  ticks = [0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0]
  bar.set_ticks([tick ** 0.5 for tick in ticks])
  bar.set_ticklabels(['%.0f %%' % (100 * tick) for tick in ticks])
  bar.set_label("fraction of the label's examples")
  step = 1 if len(names) <= _MAX_CLASSES_WITH_NAMES else (
      -(-len(names) // _NAMES_OF_MORE_CLASSES))
  named = range(0, len(names), step)
  size = 9 if len(names) <= _MAX_CLASSES_WITH_COUNTS else 7
  axes.set_xticks([i // block for i in named])
  axes.set_xticklabels([names[i] for i in named], rotation=90, fontsize=size)
  axes.set_yticks([i // block for i in named])
  axes.set_yticklabels([names[i] for i in named], fontsize=size)
  axes.set_xlabel('predicted' if block == 1 else
                  'predicted (one cell per %d x %d classes)' % (block, block))
  axes.set_ylabel('label')
  if len(names) <= _MAX_CLASSES_WITH_COUNTS:
    for row, column in zip(*counts.nonzero()):
      axes.text(column, row, str(counts[row, column]), ha='center',
                va='center', fontsize=8,
                color='white' if fractions[row, column] > 0.3 else 'black')


def _sum_blocks(counts, size):
  """Returns the sums of square blocks; the last ones may be smaller."""
  starts = np.arange(0, len(counts), size)
  return np.add.reduceat(np.add.reduceat(counts, starts, 0), starts, 1)


def _list_mistakes(axes, matrix, names):
  axes.axis('off')
  axes.set_title('most frequent mistakes', fontsize=10, loc='left')
  mistakes = matrix.most_frequent(_MISTAKES_LISTED)
  lines = ['%5d  %s \u2192 %s' % (count, names[label], names[predicted])
           for label, predicted, count in mistakes]
  axes.text(0.0, 0.98, '\n'.join(lines) or 'none', va='top', fontsize=8,
            transform=axes.transAxes)


def drawable(names):
  """Returns names on one line, shortened, in letters that the font has."""
  from matplotlib import font_manager
  from matplotlib import ft2font
  font = ft2font.FT2Font(font_manager.findfont(font_manager.FontProperties()))
  letters = font.get_charmap()
  lines = [' '.join(name.split()) for name in names]
  return [_shorten(line) if all(ord(letter) in letters for letter in line)
          else 'class %d' % i for i, line in enumerate(lines)]


def _shorten(name):
  if len(name) > _NAME_LENGTH:
    name = name[:_NAME_LENGTH - 1] + '\u2026'
  # A dollar sign would start a formula.
  return name.replace('$', r'\$')
