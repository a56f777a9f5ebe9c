"""Says which process a step waits for, if it takes long.

With parameter servers a training goes on when it can: a worker waits for a
server that is restarted and, with --sync_replicas, for enough gradients. What
it waits for, TensorFlow does not say. Without servers a lost worker ends the
others, see watch.py, but one may be slow or wait for something itself.
"""
import threading
import time

import tensorflow.compat.v1 as tf

from deployment import cluster_hosts

_SECONDS = 20


class Hook(tf.train.SessionRunHook):
  """Prints every 20 s of a step which processes do not answer.

  Between two steps, where a checkpoint is saved or evaluated, it prints only if
  there are such processes.

  Args:
    others: dict of what another process is called to its HOST:PORT.
    seconds: that time.
  """

  def __init__(self, others, seconds=_SECONDS):
    self._others, self._seconds = others, seconds
    self._start, self._is_step = None, False
    self._ended = threading.Event()

  def after_create_session(self, session, coord):
    del session, coord
    self._start = None
    self._ended.set()
    self._ended = threading.Event()
    threading.Thread(
        target=self._work, args=[self._ended], daemon=True).start()

  def before_run(self, run_context):
    del run_context
    self._start, self._is_step = time.time(), True

  def after_run(self, run_context, run_values):
    del run_context, run_values
    self._start, self._is_step = time.time(), False

  def end(self, session):
    del session
    self._ended.set()

  def _work(self, ended):
    said = 0.0
    while not ended.wait(self._seconds / 20):
      start, now = self._start, time.time()
      if start is not None and now - max(start, said) >= self._seconds:
        said = now
        missing = cluster_hosts.missing(self._others, must_answer=True)
        if missing or self._is_step:
          print('%s taken %d s so far. %s' % (
              'This step has' if self._is_step else 'Saving has', now - start,
              'These do not answer: %s.' % missing if missing else
              'All other processes answer: one may be busy.'), flush=True)
