"""Keeps the checkpoint that was best on the evaluated split.

train_dir/best holds that checkpoint, under its name in train_dir, and
best.json: step, metric, value, split, checkpoint and all metrics.
"""
import json
import os

from image_classifier.checkpoints import checkpoint_reader
from image_classifier.checkpoints import checkpoint_saver
from image_classifier.runs import run_log
from slim_common import atomic_files

DIRECTORY = 'best'
_RECORD = 'best.json'
# Of all other metrics the larger value is better.
_LOWER_IS_BETTER = ('loss', 'error', 'brier', 'ece', 'perplexity')


def lower_is_better(metric: str) -> bool:
  """Whether the smaller value of a metric, such as 'Loss', is better."""
  return any(word in metric.lower() for word in _LOWER_IS_BETTER)


def read(train_dir):
  """Returns the content of a run's best.json, or None."""
  try:
    with open(os.path.join(train_dir, DIRECTORY, _RECORD)) as file:
      return json.load(file)
  except (FileNotFoundError, ValueError):
    return None


class BestCheckpoint:
  """The best checkpoint of a run, across all its interruptions.

  Args:
    train_dir: the directory of the run, with what an interrupted one kept.
    metric: name of the metric that decides.
    split: name of the split that is evaluated.
    first_step: step that the run resumes from.

  Attributes:
    metric: name of the metric that decides.
    step: step of the best checkpoint; None before the first evaluation.
    value: its metric.
    without_gain: evaluations since then.
  """

  def __init__(self, train_dir, metric, split, first_step):
    self.metric = metric
    self.step = self.value = None
    self.without_gain = 0
    self._train_dir = train_dir
    self._directory = os.path.join(train_dir, DIRECTORY)
    self._split = split
    record = read(train_dir)
    if record and record['split'] == split and (
        record['step'] <= first_step and metric in record['metrics']):
      self.step, self.value = record['step'], record['metrics'][metric]
      self.without_gain = sum(
          self.step < row['step'] <= first_step for row in run_log.evaluations(
              run_log.read(train_dir)) if row['split'] == split)

  def is_exhausted(self, patience):
    """Whether `patience` evaluations (0: any number) brought no gain."""
    return bool(patience) and self.without_gain >= patience

  def offer(self, step, prefix, metrics):
    """Keeps a checkpoint if it is better than all before.

    Args:
      step, prefix, metrics: its step, its prefix, and the dict of its metrics.

    Returns:
      Whether it is the best.

    Raises:
      ValueError: `metrics` lacks the metric that decides.
    """
    if self.metric not in metrics:
      raise ValueError(
          '--best_metric=%s is not among the metrics evaluated: %s.' % (
              self.metric, ', '.join(sorted(metrics))))
    value = float(metrics[self.metric])
    if not self._is_gain(value):
      self.without_gain += 1
      return False
    self.step, self.value, self.without_gain = step, value, 0
    self._keep(prefix)
    with atomic_files.publish(os.path.join(self._directory, _RECORD)) as file:
      json.dump({
          'step': step, 'metric': self.metric, 'value': value,
          'split': self._split, 'checkpoint': os.path.basename(prefix),
          'metrics': metrics}, file, indent=1)
    return True

  def _is_gain(self, value):
    if self.value is None:
      return value == value  # NaN is never the best.
    return (value < self.value if lower_is_better(self.metric)
            else value > self.value)

  def _keep(self, prefix):
    """Copies a checkpoint to the directory and removes the one before."""
    os.makedirs(self._directory, exist_ok=True)
    state = checkpoint_reader.state_of(self._directory)
    for path in reversed(checkpoint_saver.files_of(prefix)):
      atomic_files.copy(
          path, os.path.join(self._directory, os.path.basename(path)))
    kept = os.path.join(self._directory, os.path.basename(prefix))
    checkpoint_saver.write_state(self._directory, [kept])
    if state is not None and state.model_checkpoint_path != kept:
      checkpoint_saver.remove(state.model_checkpoint_path)
