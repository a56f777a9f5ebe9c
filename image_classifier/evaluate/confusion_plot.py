"""Pictures of confusion matrices. matplotlib is in the extra `plot`."""
import importlib.util

import numpy as np

# Up to so many classes each has its name at the edge and the counts are
# written into the cells; of more, some are named.
_MOST_WITH_COUNTS = 25
_MOST_WITH_NAMES = 60
_SOME_NAMES = 40
# Of more classes than this, neighbours share a cell: pixels were too small.
_MOST_CELLS = 250
_MISTAKES_LISTED = 25
_NAME_LENGTH = 22
_DPI = 100


def can_draw():
  """Returns whether matplotlib is installed."""
  return importlib.util.find_spec('matplotlib') is not None


def draw(matrix, names, title, output):
  """Draws a confusion matrix with a list of the most frequent mistakes.

  The shade of a cell is its share of the row, the examples of one label.

  Args:
    matrix: a `confusion_matrix.ConfusionMatrix`.
    names: list of the classes' names; `class 7` is drawn for one whose
      letters the font lacks, counted from 0.
    title: a line of text.
    output: binary file for the PNG.
  """
  from matplotlib.backends.backend_agg import FigureCanvasAgg
  from matplotlib.figure import Figure
  names = _shown(names)
  side = min(13.0, max(5.0, 0.42 * len(names) + 2.0))
  figure = Figure(figsize=(side + 4.5, side), dpi=_DPI)
  FigureCanvasAgg(figure)
  cells, listing = figure.subplots(
      1, 2, gridspec_kw={'width_ratios': [side, 4.0]})
  _draw_cells(figure, cells, matrix, names)
  cells.set_title(title)
  _list_mistakes(listing, matrix, names)
  figure.tight_layout()
  figure.savefig(output, format='png', bbox_inches='tight')


def _draw_cells(figure, axes, matrix, names):
  block = -(-len(names) // _MOST_CELLS)
  counts = _in_blocks(matrix.counts, block)
  shares = counts / counts.sum(axis=1, keepdims=True).clip(1)
  # The root brings out the rare mistakes, which else were white.
  image = axes.imshow(shares ** 0.5, cmap='Blues', vmin=0.0, vmax=1.0,
                      interpolation='nearest', aspect='equal')
  bar = figure.colorbar(image, ax=axes, fraction=0.046, pad=0.02)
  marks = [0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0]
  bar.set_ticks([mark ** 0.5 for mark in marks])
  bar.set_ticklabels(['%.0f %%' % (100 * mark) for mark in marks])
  bar.set_label("share of the label's examples")
  step = 1 if len(names) <= _MOST_WITH_NAMES else -(-len(names) // _SOME_NAMES)
  shown = range(0, len(names), step)
  size = 9 if len(names) <= _MOST_WITH_COUNTS else 7
  axes.set_xticks([i // block for i in shown])
  axes.set_xticklabels([names[i] for i in shown], rotation=90, fontsize=size)
  axes.set_yticks([i // block for i in shown])
  axes.set_yticklabels([names[i] for i in shown], fontsize=size)
  axes.set_xlabel('predicted' if block == 1 else
                  'predicted (a cell is %d x %d classes)' % (block, block))
  axes.set_ylabel('label')
  if len(names) <= _MOST_WITH_COUNTS:
    for (row, column), count in _cells(counts):
      axes.text(column, row, str(count), ha='center', va='center', fontsize=8,
                color='white' if shares[row, column] > 0.3 else 'black')


def _in_blocks(counts, size):
  """Returns the sums of square blocks; the last ones may be smaller."""
  starts = np.arange(0, len(counts), size)
  return np.add.reduceat(np.add.reduceat(counts, starts, 0), starts, 1)


def _cells(counts):
  """Yields ((row, column), count) of what was counted."""
  return (((row, column), counts[row, column])
          for row, column in zip(*counts.nonzero()))


def _list_mistakes(axes, matrix, names):
  axes.axis('off')
  axes.set_title('most frequent mistakes', fontsize=10, loc='left')
  lines = ['%5d  %s \u2192 %s' % (
      mistake.count, names[mistake.label], names[mistake.predicted])
           for mistake in matrix.most_frequent(_MISTAKES_LISTED)]
  axes.text(0.0, 0.98, '\n'.join(lines) or 'none', va='top', fontsize=8,
            transform=axes.transAxes)


def _shown(names):
  """Returns names as they are drawn: on one line, short, in known letters."""
  from matplotlib import font_manager
  from matplotlib import ft2font
  font = ft2font.FT2Font(font_manager.findfont(font_manager.FontProperties()))
  letters = font.get_charmap()
  lines = [' '.join(name.split()) for name in names]
  return [_shortened(line) if all(ord(letter) in letters for letter in line)
          else 'class %d' % i for i, line in enumerate(lines)]


def _shortened(name):
  # A dollar sign would begin a formula.
  name = name if len(name) <= _NAME_LENGTH else (
      name[:_NAME_LENGTH - 1] + '\u2026')
  return name.replace('$', r'\$')
