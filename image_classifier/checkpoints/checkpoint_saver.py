"""Saves the checkpoints of a run so that every one that exists can be read.

A checkpoint is written to a temporary directory, read back, and then moved to
train_dir, the index last; then the file `checkpoint` is replaced, and then the
oldest checkpoints are removed. A run killed at any moment, or a full disk,
leaves the last good checkpoint and the file that names it.
"""
import collections
import contextlib
import os
import shutil
import time
from typing import List, Optional

import numpy as np
import tensorflow.compat.v1 as tf

from slim_common import atomic_files

UNFINISHED = 'unfinished_checkpoint'
_INDEX = '.index'
# A parameter server was lost. `tf.train.MonitoredSession` makes a new session.
_LOST_SERVER = (tf.errors.AbortedError, tf.errors.UnavailableError)
# TensorFlow 2 raises Python's exceptions for some files that are too short.
_READING_ERRORS = (tf.errors.OpError, ValueError, IndexError, RuntimeError)


class CheckpointHook(tf.train.SessionRunHook):
  """Saves at the start of a run, at intervals, and at its end.

  Args:
    readings: a `hooks.Readings` of tensors.
    train_dir: the directory of the checkpoints.
    saver: a `tf.train.Saver` of all variables.
    every_secs: seconds between two checkpoints.
    max_to_keep: number of checkpoints to keep; 0 for all.
    start: the `resume.Start` of the run.

  Attributes:
    latest: prefix of the last checkpoint saved or resumed from; None before
      the first.
  """

  def __init__(self, readings, train_dir, saver, every_secs, max_to_keep,
               start):
    self._readings, self._train_dir, self._saver = readings, train_dir, saver
    self._every_secs, self._max_to_keep = every_secs, max_to_keep
    self._kept = collections.deque(start.kept)
    self._step = start.step
    self._saved_step = start.step if start.checkpoint else None
    self.latest = start.checkpoint

  def after_create_session(self, session, coord):
    del coord
    # A new session, because a parameter server was lost, goes back.
    self._step = int(session.run(tf.train.get_global_step()))
    with self._explained(self._step):
      with atomic_files.publish(
          os.path.join(self._train_dir, 'graph.pbtxt')) as target:
        # tf.train.write_graph takes 15 times as long for the same text.
        target.write(str(session.graph.as_graph_def(add_shapes=True)))
    self.save(session, self._step)

  def before_run(self, run_context):
    del run_context
    return tf.train.SessionRunArgs(self._readings.step)

  def after_run(self, run_context, run_values):
    self._step = int(run_values.results)
    if time.time() - self._saved_at >= self._every_secs:
      self.save(run_context.session, self._step)

  def end(self, session):
    try:
      self.save(session, self._step)
    except _LOST_SERVER as error:
      raise self._error(self._step, error)

  def save(self, session, step):
    """Saves a checkpoint, if that of this step is not; returns its prefix.

    Raises:
      OSError: it cannot be written; the message names the last good one.
      tf.errors.OpError: a parameter server was lost.
      ValueError: the weights are not finite.
    """
    self._saved_at = time.time()
    if step == self._saved_step:
      return self.latest
    directory = os.path.join(self._train_dir, UNFINISHED)
    try:
      with self._explained(step):
        self._write(session, step, directory)
        self._publish(directory, 'model.ckpt-%d' % step)
    finally:
      shutil.rmtree(directory, ignore_errors=True)
    self._saved_step = step
    return self.latest

  @contextlib.contextmanager
  def _explained(self, step):
    """Converts errors of writing to an OSError that says how to resume."""
    try:
      yield
    except _LOST_SERVER:
      raise
    except (tf.errors.OpError, OSError) as error:
      raise self._error(step, error)

  def _error(self, step, error):
    return OSError(
        'The checkpoint of step %d cannot be saved in %s: %s. %s' % (
            step, self._train_dir, reason(error),
            'The last good checkpoint is %s; remove the cause and run the same '
            'command to resume from it.' % self.latest if self.latest else
            'There is no earlier one.'))

  def _write(self, session, step, directory):
    """Writes a checkpoint to a new directory and reads it back."""
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    prefix = self._saver.save(
        session, os.path.join(directory, 'model.ckpt'), global_step=step,
        write_state=False)
    broken = not_finite(prefix)
    if broken:
      raise ValueError(
          'The weights are not finite after step %d: %s%s. Try a lower '
          '--learning_rate. The last good checkpoint is %s.' % (
              step, broken[0], ' and %d more' % (len(broken) - 1)
              if len(broken) > 1 else '', self.latest))

  def _publish(self, directory, name):
    """Moves a checkpoint to train_dir and removes the oldest if too many."""
    for path in reversed(files_of(os.path.join(directory, name))):
      os.replace(path, os.path.join(self._train_dir, os.path.basename(path)))
    prefix = os.path.join(self._train_dir, name)
    if prefix in self._kept:
      self._kept.remove(prefix)
    self._kept.append(prefix)
    surplus = []
    while self._max_to_keep and len(self._kept) > self._max_to_keep:
      surplus.append(self._kept.popleft())
    write_state(self._train_dir, list(self._kept))
    self.latest = prefix
    for old in surplus:
      remove(old)


def write_state(directory: str, prefixes: List[str]) -> None:
  """Writes the file `checkpoint`, which names the checkpoints of a directory.

  The names are relative, so that the directory can be moved. The last of the
  prefixes is the latest.
  """
  names = [os.path.basename(prefix) for prefix in prefixes]
  state = tf.train.generate_checkpoint_state_proto(
      os.path.abspath(directory), names[-1], names)
  with atomic_files.publish(os.path.join(directory, 'checkpoint')) as file:
    file.write(str(state))


def files_of(prefix: str) -> List[str]:
  """Returns the paths of a checkpoint's files, the index first."""
  directory, name = os.path.split(prefix)
  return sorted(
      (os.path.join(directory, file) for file in os.listdir(directory or '.')
       if file.startswith(name + '.')),
      key=lambda path: (not path.endswith(_INDEX), path))


def remove(prefix: str) -> None:
  """Removes a checkpoint, if it exists."""
  for path in files_of(prefix):
    os.remove(path)


def not_finite(prefix: str) -> List[str]:
  """Reads a checkpoint; returns the names of variables with NaN or Inf.

  Raises:
    OSError: the checkpoint cannot be read.
  """
  try:
    reader = tf.train.NewCheckpointReader(prefix)
    values = ((name, reader.get_tensor(name))
              for name in sorted(reader.get_variable_to_shape_map()))
    return [name for name, value in values
            if value.dtype.kind == 'f' and not np.all(np.isfinite(value))]
  except _READING_ERRORS as error:
    raise OSError(reason(error))


def fault(prefix: str) -> Optional[str]:
  """Returns why a checkpoint cannot be read, or None if it can."""
  try:
    not_finite(prefix)
  except OSError as error:
    return reason(error)
  return None


def reason(error: Exception) -> str:
  """Returns the first line of an error's message that says something."""
  text = getattr(error, 'message', None) or str(error)
  # TensorFlow frames some with lines of =.
  lines = [line for line in text.split('\n') if line.strip('= ')]
  return lines[0].strip().rstrip('.') if lines else ''
