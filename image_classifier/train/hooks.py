"""What happens between the steps of a training run."""
import os
import re
import signal
import time
from typing import Any, NamedTuple

import numpy as np
import tensorflow.compat.v1 as tf

from image_classifier.losses import collapse
from image_classifier.runs import run_log
from slim_common import atomic_files
from slim_common import progress
from slim_common import signals

# As TensorFlow 1 and 2 say it.
_BAD_HISTOGRAM = re.compile(
    r'(?:Nan|Infinity) in (?:summary histogram|Histogram) for: (\S+)')


class Readings(NamedTuple):
  """What hooks read of every step: tensors to fetch, and then their values.

  One tuple serves all hooks, so that a step fetches each tensor once.

  Attributes:
    step: int64 scalar, the global step after the update.
    loss: float32 scalar, the total loss.
    learning_rate: float32 scalar.
    input_wait: float64 scalar, the seconds that the step waited for its batch.
  """
  step: Any
  loss: Any
  learning_rate: Any
  input_wait: Any


def readings(graph) -> Readings:
  """Returns the tensors to read of a `train_graph.TrainGraph`."""
  with tf.control_dependencies([graph.train_op]):
    step = graph.global_step.read_value()
  return Readings(
      step, graph.total_loss, graph.learning_rate, graph.input_wait)


class ReadingsHook(tf.train.SessionRunHook):
  """A hook that fetches the Readings of every step."""

  def __init__(self, tensors):
    self._tensors = tensors

  def before_run(self, run_context):
    del run_context
    return tf.train.SessionRunArgs(self._tensors)


class ProgressHook(ReadingsHook):
  """Prints and logs the progress of the training.

  Every line covers the steps since the line before. The same values go to the
  run's log (see run_log.py), images/s and input wait to TensorBoard as well.

  Args:
    tensors: the Readings.
    first_step: step that the run starts at.
    last_step: step at which the run ends; None if it does not end.
    every: steps between two lines.
    examples_per_step: images per step.
    train_dir: directory of the log; None to print only.
    writer: a `tf.summary.FileWriter`; needed with `train_dir`.
  """

  def __init__(self, tensors, first_step, last_step, every, examples_per_step,
               train_dir=None, writer=None):
    super().__init__(tensors)
    self._train_dir = train_dir
    self._first_step = self._line_step = first_step
    self._last_step = last_step
    self._every = every
    self._examples_per_step = examples_per_step
    self._writer = writer
    self._progress = progress.StatusLine()
    self._start = None
    self._waited = 0.0

  def after_create_session(self, session, coord):
    del coord
    # Other workers may be ahead, and a run that lost a parameter server goes
    # back.
    step = int(session.run(tf.train.get_global_step()))
    if self._train_dir and step < self._line_step:
      run_log.cut(self._train_dir, step)
      self._writer.add_session_log(
          tf.SessionLog(status=tf.SessionLog.START), step + 1)
    self._first_step = self._line_step = step

  def before_run(self, run_context):
    if self._start is None:
      self._start = self._line_time = time.time()
    return super().before_run(run_context)

  def after_run(self, run_context, run_values):
    del run_context
    now = time.time()
    row = run_values.results
    self._waited += row.input_wait
    # Other workers make steps too: this one may miss the exact multiple.
    if (row.step // self._every > self._line_step // self._every or
        row.step == self._last_step):
      self._print(row, now)
      self._line_step, self._line_time, self._waited = row.step, now, 0.0
    else:
      self._progress.show(
          row.step, self._last_step, self._position(row.step, now))

  def end(self, session):
    del session
    self._progress.clear()

  def line(self, text):
    """Prints a line of another hook between those of the training."""
    self._progress.line(text)

  def exclude(self, seconds):
    """Excludes a pause, such as an evaluation, from the times printed."""
    if self._start is not None:
      self._start += seconds
      self._line_time += seconds

  def _print(self, row, now):
    seconds = max(now - self._line_time, 1e-6)
    steps = int(row.step) - self._line_step
    speed = steps * self._examples_per_step / seconds
    wait = float(min(1.0, self._waited / seconds))
    self._progress.line(
        '%s  loss %.4f  learning rate %.6g  %.*f images/s  input wait %.0f %%' %
        (self._position(row.step, now), row.loss, row.learning_rate,
         0 if speed >= 10 else 1, speed, 100 * wait))
    if self._train_dir:
      self._log(row, now, speed, wait)

  def _log(self, row, now, speed, wait):
    run_log.append(self._train_dir, {
        'step': int(row.step), 'loss': float(row.loss),
        'learning_rate': float(row.learning_rate),
        'images_per_second': round(speed, 1), 'input_wait': round(wait, 4),
        'seconds': round(now - self._start, 3)})
    self._writer.add_summary(tf.Summary(value=[
        tf.Summary.Value(tag='images_per_second', simple_value=speed),
        tf.Summary.Value(tag='input_wait', simple_value=wait)]), row.step)

  def _position(self, step, now):
    """Returns the step, with the time left if it is known."""
    if self._last_step is None:
      return 'step %d' % step
    pace = (now - self._start) / max(1, step - self._first_step)
    return 'step %d of %d  %s left' % (
        step, self._last_step,
        progress.clock(max(0, pace * (self._last_step - step))))


class StopOnSignalHook(tf.train.SessionRunHook):
  """Ends the run after the current step on Ctrl-C, SIGTERM or SIGHUP.

  The session is then closed and the last checkpoint saved. A second signal
  ends the process at once.

  Attributes:
    signal_number: the signal received, or None.
  """

  def __init__(self):
    self.signal_number = None
    self._previous = {}

  def __enter__(self):
    for number in [signal.SIGINT, *signals.stop_signals()]:
      self._previous[number] = signal.signal(number, self._note)
    return self

  def __exit__(self, *exception):
    for number, handler in self._previous.items():
      signal.signal(number, handler)

  def _note(self, number, frame):
    del frame
    self.signal_number = number
    self.__exit__()
    signals.drop_closed_output()
    # Not print, which the signal may have interrupted.
    os.write(2, b'\nStopping after this step; a second signal ends at once.\n')

  def after_run(self, run_context, run_values):
    del run_values
    if self.signal_number is not None:
      run_context.request_stop()


class FiniteLossHook(ReadingsHook):
  """Stops the run at the first step whose loss is not a finite number.

  Args:
    tensors: the Readings.
    latest: function that returns the last checkpoint.
  """

  def __init__(self, tensors, latest):
    super().__init__(tensors)
    self._latest = latest
    self._last = None

  def after_run(self, run_context, run_values):
    row = run_values.results
    if not np.isfinite(row.loss):
      raise self.error('The loss is %s at' % row.loss, row)
    self._last = row

  def of_summary(self, error):
    """Returns the ValueError to raise for a step's InvalidArgumentError.

    None where `error` has another cause than a summary of NaN or Inf.
    """
    match = _BAD_HISTOGRAM.search(error.message)
    if match is None:
      return None
    start = 'NaN or infinite numbers are in %s after' % match.group(1)
    if self._last is None:
      return ValueError('%s the first step. Try a lower --learning_rate.' %
                        start)
    return self.error(start, self._last)

  def error(self, start, row):
    """Returns the ValueError for numbers that are not finite at a step."""
    return ValueError(
        '%s step %d, with a learning rate of %g. Try a lower --learning_rate. '
        'The last good checkpoint is %s.' % (
            start, row.step, row.learning_rate, self._latest()))


class CollapseHook(tf.train.SessionRunHook):
  """Says once that the loss of an embedding stays at its margin.

  Args:
    loss: float32 scalar, the loss of the first clone, not regularized.
    negative_distance: float32 scalar, mean distance of different classes.
    margin: margin of the loss.
    every: steps between two looks.
  """

  def __init__(self, loss, negative_distance, margin, every):
    self._tensors, self._every = [loss, negative_distance], every
    self._monitor = collapse.Monitor(margin)
    self._steps = 0

  def before_run(self, run_context):
    del run_context
    self._steps += 1
    is_read = self._steps % self._every == 0
    return tf.train.SessionRunArgs(self._tensors) if is_read else None

  def after_run(self, run_context, run_values):
    del run_context
    if run_values.results:
      text = self._monitor.read(*map(float, run_values.results))
      if text:
        print('Warning: ' + text)


class WorkerStepsHook(tf.train.SessionRunHook):
  """Counts the steps of worker number `task`, and prints them at the end."""

  def __init__(self, task):
    self._task = task
    self._steps = 0

  def after_run(self, run_context, run_values):
    del run_context, run_values
    self._steps += 1

  def end(self, session):
    del session
    print('Worker %d has ended. It made %d steps.' % (
        self._task, self._steps))


class TraceHook(ReadingsHook):
  """Writes a timeline of every n-th step, for chrome://tracing.

  Args:
    tensors: the Readings.
    train_dir: directory of the files, timeline-STEP.json.
    first_step: step that the run starts at.
    every: steps between two traces.
  """

  def __init__(self, tensors, train_dir, first_step, every):
    super().__init__(tensors)
    self._train_dir = train_dir
    self._every = every
    self._step = first_step

  def before_run(self, run_context):
    arguments = super().before_run(run_context)
    if (self._step + 1) % self._every:
      return arguments
    return arguments._replace(options=tf.RunOptions(
        trace_level=tf.RunOptions.FULL_TRACE))

  def after_run(self, run_context, run_values):
    del run_context
    self._step = int(run_values.results.step)
    stats = run_values.run_metadata.step_stats
    if self._step % self._every or not stats.dev_stats:
      return
    # Deep in TensorFlow, and slow to load for the few who trace.
    from tensorflow.python.client import timeline
    trace = timeline.Timeline(stats)
    path = os.path.join(self._train_dir, 'timeline-%d.json' % self._step)
    with atomic_files.naming(path), open(path, 'w') as file:
      file.write(trace.generate_chrome_trace_format())
