"""Pictures of a training run. matplotlib is in the extra `plot`."""
import importlib.util
import json
import os


def draw_learning_curve(log_file, picture):
  """Draws loss and learning rate against the step.

  Args:
    log_file: the JSON lines of a training run.
    picture: path of the PNG file to write.

  Returns:
    Whether it was drawn; False without matplotlib or with an empty log.
  """
  with open(log_file) as lines:
    # A resumed run may log a step again; the later line counts.
    rows = {row['step']: row for row in map(json.loads, lines)}
  if not rows or importlib.util.find_spec('matplotlib') is None:
    return False
  rows = [rows[step] for step in sorted(rows)]
  figure, axes = _new_figure()
  steps = [row['step'] for row in rows]
  axes.plot(steps, [row['loss'] for row in rows], color='tab:blue')
  axes.set_xlabel('step')
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
  _save(figure, picture)
  return True


def _new_figure():
  # Not pyplot: no window, no state that a caller's own figures could meet.
  from matplotlib.backends.backend_agg import FigureCanvasAgg
  from matplotlib.figure import Figure
  figure = Figure(figsize=(8, 4.5), dpi=100)
  FigureCanvasAgg(figure)
  return figure, figure.add_subplot(1, 1, 1)


def _save(figure, picture):
  figure.tight_layout()
  unfinished = picture + '.tmp'
  figure.savefig(unfinished, format='png')
  os.replace(unfinished, picture)
