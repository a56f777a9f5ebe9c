"""What happens between the steps of a training run."""
import collections
import os
import re
import signal
import time

import numpy as np
import tensorflow.compat.v1 as tf

from image_classifier.runs import run_log
from slim_common import progress
from slim_common import signals

# As TensorFlow 1 and 2 say it.
_BAD_HISTOGRAM = re.compile(
    r'(?:Nan|Infinity) in (?:summary histogram|Histogram) for: (\S+)')
# What every hook reads of a step: the global step after it, and the total
# loss, the learning rate and the seconds waited for input in it. One tuple for
# all, so that a step fetches each once.
Readings = collections.namedtuple(
    'Readings', 'step loss learning_rate input_wait')


def readings(graph):
  """Returns the Readings of a `train_graph.TrainGraph`, as tensors."""
  with tf.control_dependencies([graph.train_op]):
    step = graph.global_step.read_value()
  return Readings(
      step, graph.total_loss, graph.learning_rate, graph.input_wait)


class _Hook(tf.train.SessionRunHook):
  """A hook that asks for the Readings of every step."""

  def __init__(self, tensors):
    self._tensors = tensors

  def before_run(self, run_context):
    del run_context
    return tf.train.SessionRunArgs(self._tensors)


class ProgressHook(_Hook):
  """Prints and logs how the training goes.

  Every line covers the steps since the line before. The same facts go to the
  run's log (see run_log.py), images/s and input wait to TensorBoard as well.
  """

  def __init__(self, tensors, first_step, last_step, every, examples_per_step,
               train_dir=None, writer=None):
    """Makes the hook.

    Args:
      tensors: the Readings.
      first_step: step that the run starts at.
      last_step: step at which the run ends; None if it goes on and on.
      every: steps between two lines.
      examples_per_step: pictures a step.
      train_dir: directory of the log; None to print only.
      writer: a `tf.summary.FileWriter`, beside `train_dir`.
    """
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
    # Where other workers are already, or where the run goes back to because a
    # parameter server was lost.
    step = session.run(tf.train.get_global_step())
    self._first_step = self._line_step = int(step)

  def before_run(self, run_context):
    if self._start is None:
      self._start = self._line_time = time.time()
    return super().before_run(run_context)

  def after_run(self, run_context, run_values):
    del run_context
    now = time.time()
    row = run_values.results
    self._waited += row.input_wait
    # Other workers make steps too: this one may not see the very multiple.
    if (row.step // self._every > self._line_step // self._every or
        row.step == self._last_step):
      self._print(row, now)
      self._line_step, self._line_time, self._waited = row.step, now, 0.0
    else:
      self._progress.show(row.step, self._last_step, self._place(row.step, now))

  def end(self, session):
    del session
    self._progress.clear()

  def line(self, text):
    """Prints a line of another's between those of the training."""
    self._progress.line(text)

  def leave_out(self, seconds):
    """Takes a pause, such as an evaluation, out of the times to come."""
    if self._start is not None:
      self._start += seconds
      self._line_time += seconds

  def _print(self, row, now):
    seconds = max(now - self._line_time, 1e-6)
    steps = int(row.step) - self._line_step
    speed = steps * self._examples_per_step / seconds
    share = float(min(1.0, self._waited / seconds))
    self._progress.line(
        '%s  loss %.4f  learning rate %.6g  %.*f images/s  input wait %.0f %%' %
        (self._place(row.step, now), row.loss, row.learning_rate,
         0 if speed >= 10 else 1, speed, 100 * share))
    if self._train_dir:
      self._log(row, now, speed, share)

  def _log(self, row, now, speed, share):
    run_log.append(self._train_dir, {
        'step': int(row.step), 'loss': float(row.loss),
        'learning_rate': float(row.learning_rate),
        'images_per_second': round(speed, 1), 'input_wait': round(share, 4),
        'seconds': round(now - self._start, 3)})
    self._writer.add_summary(tf.Summary(value=[
        tf.Summary.Value(tag='images_per_second', simple_value=speed),
        tf.Summary.Value(tag='input_wait', simple_value=share)]), row.step)

  def _place(self, step, now):
    """Returns the step, and the time left where it is known."""
    if self._last_step is None:
      return 'step %d' % step
    pace = (now - self._start) / max(1, step - self._first_step)
    return 'step %d of %d  %s left' % (
        step, self._last_step,
        progress.clock(max(0, pace * (self._last_step - step))))


class StopOnSignalHook(tf.train.SessionRunHook):
  """Ends the run after the current step on Ctrl-C, SIGTERM or SIGHUP.

  The session then closes in order, and the last checkpoint is saved. A second
  signal ends the process at once. `signal_number` is the signal that came, or
  None.
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
    # Not print, which may have been interrupted itself.
    os.write(2, b'\nStopping after this step; a second signal ends at once.\n')

  def after_run(self, run_context, run_values):
    del run_values
    if self.signal_number is not None:
      run_context.request_stop()


class FiniteLossHook(_Hook):
  """Stops the run at the first step whose loss is not a finite number."""

  def __init__(self, tensors, latest):
    """Makes the hook.

    Args:
      tensors: the Readings.
      latest: function that returns the last checkpoint.
    """
    super().__init__(tensors)
    self._latest = latest
    self._last = None

  def after_run(self, run_context, run_values):
    row = run_values.results
    if not np.isfinite(row.loss):
      raise self.error('The loss is %s at' % row.loss, row)
    self._last = row

  def of_summary(self, error):
    """Returns what to raise for a summary that met NaN or Inf; None for else.

    Args:
      error: the tf.errors.InvalidArgumentError of a step.
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
    """Returns the error for numbers that are not finite at a step."""
    return ValueError(
        '%s step %d, with a learning rate of %g. Try a lower --learning_rate. '
        'The last good checkpoint is %s.' % (
            start, row.step, row.learning_rate, self._latest()))


class OwnStepsHook(tf.train.SessionRunHook):
  """Counts the steps of one worker of several, and says so at the end."""

  def __init__(self, task):
    """Makes the hook of the worker `task`, an int."""
    self._task = task
    self._steps = 0

  def after_run(self, run_context, run_values):
    del run_context, run_values
    self._steps += 1

  def end(self, session):
    del session
    print('Worker %d has ended: %d steps were its own.' % (
        self._task, self._steps))


class TraceHook(_Hook):
  """Writes a timeline of every n-th step, for chrome://tracing."""

  def __init__(self, tensors, train_dir, first_step, every):
    """Makes the hook.

    Args:
      tensors: the Readings.
      train_dir: directory of the files, timeline-STEP.json.
      first_step: step that the run starts at.
      every: traces each step that is a multiple of it.
    """
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
    with open(path, 'w') as file:
      file.write(trace.generate_chrome_trace_format())


class EvaluationHook(_Hook):
  """Saves and evaluates every n steps and at the end; keeps the best."""

  def __init__(self, tensors, first_step, every, patience, evaluate,
               saver_hook, best, progress_hook, train_dir, split, stop):
    """Makes the hook.

    Args:
      tensors: the Readings.
      first_step: step that the run starts at.
      every: steps between two evaluations.
      patience: evaluations without a gain after which the run ends; 0 for
        never.
      evaluate: function of a checkpoint that returns a dict of metrics.
      saver_hook: the `saving.CheckpointHook`.
      best: the `best_checkpoint.BestCheckpoint`.
      progress_hook: the ProgressHook.
      train_dir: directory of the log.
      split: name of the split that is evaluated.
      stop: the StopOnSignalHook; a run that is told to end does so at once.
    """
    super().__init__(tensors)
    self._first_step = first_step
    self._stop = stop
    self._every = every
    self._patience = patience
    self._evaluate = evaluate
    self._saver_hook = saver_hook
    self._best = best
    self._progress_hook = progress_hook
    self._train_dir = train_dir
    self._split = split
    self._step = self._evaluated_step = None

  def after_create_session(self, session, coord):
    del coord
    rows = run_log.evaluations(run_log.read(self._train_dir))
    # Where the run was killed while it was evaluating.
    if self._first_step and self._first_step % self._every == 0 and (
        self._first_step not in [row['step'] for row in rows]):
      self._evaluate_at(session, self._first_step)

  def after_run(self, run_context, run_values):
    before, self._step = self._step, int(run_values.results.step)
    if before is None:
      before = self._first_step
    # Other workers make steps too: this one may not see the very multiple.
    if self._step // self._every == before // self._every:
      return
    self._evaluate_at(run_context.session, self._step)
    if self._best.is_exhausted(self._patience):
      self._progress_hook.line(
          'Stopping early: no gain in %d evaluations since step %d.' % (
              self._best.without_gain, self._best.step))
      run_context.request_stop()

  def end(self, session):
    if self._step not in (None, self._evaluated_step) and (
        self._stop.signal_number is None):
      self._evaluate_at(session, self._step)

  def _evaluate_at(self, session, step):
    begin = time.time()
    prefix = self._saver_hook.save(session, step)
    metrics = self._evaluate(prefix)
    is_best = self._best.offer(step, prefix, metrics)
    seconds = time.time() - begin
    run_log.append(self._train_dir, {
        'step': step, 'split': self._split, 'evaluation': metrics,
        'seconds': round(seconds, 3)})
    self._progress_hook.line('step %d  %s: %s%s' % (
        step, self._split,
        '  '.join('%s %.4f' % (name, metrics[name]) for name in metrics
                  if name in (self._best.metric, 'Accuracy', 'Loss')),
        '  (best %s so far)' % self._best.metric if is_best else ''))
    self._progress_hook.leave_out(seconds)
    self._evaluated_step = step
