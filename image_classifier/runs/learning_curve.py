"""Charts of a training run. matplotlib is in the extra `plot`."""
import importlib.util

from image_classifier.runs import run_log
from slim_common import atomic_files


def draw_learning_curve(train_dir: str, path: str, best=None) -> bool:
  """Draws a run's log: loss and learning rate, and the evaluations below.

  Args:
    train_dir: the directory of the run.
    path: path of the PNG file to write.
    best: (name of a metric, step) of the best checkpoint, to mark it; or None.

  Returns:
    Whether the chart was drawn: False without matplotlib, and with a log of one
    row, for which the import of matplotlib would be half of a short run.
  """
  rows = run_log.read(train_dir)
  steps = [row for row in rows if 'loss' in row]
  evaluations = run_log.evaluations(rows)
  if not steps or len(rows) < 2 or (
      importlib.util.find_spec('matplotlib') is None):
    return False
  figure, panels = _new_figure(2 if evaluations else 1)
  _draw_training(panels[0], steps)
  if evaluations:
    _draw_evaluations(panels[1], evaluations, best)
    panels[1].set_xlim(panels[0].get_xlim())
  panels[-1].set_xlabel('step')
  figure.tight_layout()
  with atomic_files.publish(path, 'wb') as file:
    figure.savefig(file, format='png')
  return True


def _draw_training(axes, rows):
  steps = [row['step'] for row in rows]
  axes.plot(steps, [row['loss'] for row in rows], color='tab:blue')
  axes.set_ylabel('total loss', color='tab:blue')
  axes.set_ylim(bottom=0)
  axes.grid(alpha=0.3)
  rates = axes.twinx()
  rates.plot(steps, [row['learning_rate'] for row in rows], color='tab:orange',
             linewidth=1)
  rates.set_ylabel('learning rate', color='tab:orange')
  rates.set_ylim(bottom=0)
  axes.set_title('Training: loss %.4f at step %d' % (
      rows[-1]['loss'], rows[-1]['step']))


def _draw_evaluations(axes, rows, best):
  """Draws the metrics in [0, 1], and the loss on a second axis."""
  steps = [row['step'] for row in rows]
  names = ['Accuracy', 'Mean_Average_Precision', 'Macro_F1']
  if best and best[0] != 'Loss' and best[0] not in names:
    names.append(best[0])
  colors = iter(('tab:green', 'tab:red', 'tab:purple', 'tab:brown'))
  for name in names:
    values = [row['evaluation'].get(name) for row in rows]
    if None not in values:
      axes.plot(steps, values, marker='.', color=next(colors), label=name)
  axes.set_ylabel('metric')
  axes.grid(alpha=0.3)
  title = 'Evaluation on ' + ', '.join(sorted({row['split'] for row in rows}))
  losses = [row['evaluation'].get('Loss') for row in rows]
  if None not in losses:
    loss_axes = axes.twinx()
    loss_axes.plot(steps, losses, color='tab:gray', linewidth=1)
    loss_axes.set_ylabel('loss', color='tab:gray')
    loss_axes.set_ylim(bottom=0)
  if best:
    axes.axvline(best[1], color='black', linestyle=':', linewidth=1)
    title += ': best %s at step %d' % best
  axes.legend()
  axes.set_title(title)


def _new_figure(num_panels):
  # Not pyplot, whose state the caller's figures may use.
  from matplotlib.backends.backend_agg import FigureCanvasAgg
  from matplotlib.figure import Figure
  figure = Figure(figsize=(8, 4.5 * num_panels), dpi=100)
  FigureCanvasAgg(figure)
  panels = [figure.add_subplot(num_panels, 1, number)
            for number in range(1, num_panels + 1)]
  for panel in panels:
    # Steps are whole numbers.
    panel.xaxis.get_major_locator().set_params(integer=True)
  return figure, panels
