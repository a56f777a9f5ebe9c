"""What happens between the steps of a training run."""
import json
import os
import signal
import time

import numpy as np
import tensorflow.compat.v1 as tf

from training import progress


class ProgressHook(tf.train.SessionRunHook):
  """Prints and logs how the training goes.

  Every line covers the steps since the line before. The same facts go to a
  file of JSON lines with the keys step, loss, learning_rate,
  images_per_second, input_wait (share of the time) and seconds (since the run
  started).
  """

  def __init__(self, graph, last_step, every, log_file):
    """Makes the hook.

    Args:
      graph: a `train_graph.TrainGraph`.
      last_step: step at which the run ends; None if it goes on and on.
      every: steps between two lines.
      log_file: path of the JSON lines; they are appended.
    """
    self._graph = graph
    self._last_step = last_step
    self._every = every
    self._log_file = log_file
    self._progress = progress.Progress()

  def after_create_session(self, session, coord):
    del coord
    self._first_step = int(session.run(self._graph.global_step))
    self._step = self._line_step = self._first_step
    self._start = self._line_time = time.time()
    self._waited = 0.0
    self._log = open(self._log_file, 'a')

  def before_run(self, run_context):
    del run_context
    return tf.train.SessionRunArgs([
        self._graph.total_loss, self._graph.learning_rate,
        self._graph.input_wait])

  def after_run(self, run_context, run_values):
    del run_context
    loss, learning_rate, wait = run_values.results
    # Counted here: within one run the global step may be read before or after
    # its update.
    self._step += 1
    self._waited += wait
    now = time.time()
    if self._step % self._every == 0 or self._step == self._last_step:
      self._print(loss, learning_rate, now)
      self._line_step, self._line_time, self._waited = self._step, now, 0.0
    else:
      self._progress.show(self._step, self._last_step, self._place(now))

  def end(self, session):
    del session
    self._progress.clear()
    self._log.close()

  def _print(self, loss, learning_rate, now):
    seconds = max(now - self._line_time, 1e-6)
    steps = self._step - self._line_step
    speed = steps * self._graph.facts.examples_per_step / seconds
    share = min(1.0, self._waited / seconds)
    self._progress.line(
        '%s  loss %.4f  learning rate %.6g  %.0f images/s  input wait %.0f %%' %
        (self._place(now), loss, learning_rate, speed, 100 * share))
    json.dump({
        'step': self._step, 'loss': float(loss),
        'learning_rate': float(learning_rate),
        'images_per_second': round(speed, 1), 'input_wait': round(share, 4),
        'seconds': round(now - self._start, 3)}, self._log)
    self._log.write('\n')
    self._log.flush()

  def _place(self, now):
    """Returns the step, and the time left where it is known."""
    if self._last_step is None:
      return 'step %d' % self._step
    pace = (now - self._start) / (self._step - self._first_step)
    return 'step %d of %d  %s left' % (
        self._step, self._last_step,
        progress.clock(pace * (self._last_step - self._step)))


class StopOnSignalHook(tf.train.SessionRunHook):
  """Ends the run after the current step on Ctrl-C or SIGTERM.

  The session then closes in order, and the last checkpoint is saved. A second
  signal ends the process at once. `signal_number` is the signal that came, or
  None.
  """

  def __init__(self):
    self.signal_number = None
    self._previous = {}

  def __enter__(self):
    for number in (signal.SIGINT, signal.SIGTERM):
      self._previous[number] = signal.signal(number, self._note)
    return self

  def __exit__(self, *exception):
    for number, handler in self._previous.items():
      signal.signal(number, handler)

  def _note(self, number, frame):
    del frame
    self.signal_number = number
    self.__exit__()

  def after_run(self, run_context, run_values):
    del run_values
    if self.signal_number is not None:
      run_context.request_stop()


class FiniteLossHook(tf.train.SessionRunHook):
  """Stops the run at the first step whose loss is not a finite number."""

  def __init__(self, graph, train_dir):
    self._graph = graph
    self._train_dir = train_dir

  def before_run(self, run_context):
    del run_context
    return tf.train.SessionRunArgs(
        [self._graph.total_loss, self._graph.learning_rate])

  def after_run(self, run_context, run_values):
    loss, learning_rate = run_values.results
    if np.isfinite(loss):
      return
    step = run_context.session.run(self._graph.global_step)
    raise ValueError(
        'The loss is %s at step %d, with a learning rate of %g. Try a lower '
        '--learning_rate. The last good checkpoint is %s.' % (
            loss, step, learning_rate,
            tf.train.latest_checkpoint(self._train_dir)))


def log_file(train_dir):
  """Returns the path of a run's log, a file of JSON lines."""
  return os.path.join(train_dir, 'train_log.jsonl')
