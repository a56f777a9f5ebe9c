"""Notices that another worker of an all-reduce training is gone.

TensorFlow's collectives wait in silence for a worker that has died. Here
worker 0 asks every other one each second whether it is there, the others ask
worker 0. Worker 0 tells the others who is lost, so that every process can name
it. Each process has a mailbox on its server, a queue of JSON: to ask for the
size of another's mailbox is the question, and a session with a process that
has been restarted fails. The messages:

* hello: from and to worker 0, what all workers must agree on. No worker makes a
  step before. It is read as soon as the server is there, so that a process
  that waits for others hears why they do not come.
* ended: each to worker 0, after the last step.
* goodbye: worker 0 to each, when all have ended. Before that no process may
  leave, as the others may still read from it.
* failed: from and to worker 0, why a worker is lost.
"""
import json
import os
import sys
import threading
import time

import tensorflow.compat.v1 as tf

from deployment import agreement
from deployment import cluster_hosts

# Exit status of a process that ends because it has lost another: worth to be
# started again, as sysexits.h has it.
LOST = 75
_ASK_SECONDS = 1
# Time after which a process that does not answer counts as lost. With the
# time to tell others it must stay below 30 seconds.
_ANSWER_SECONDS = 12
# More than all workers write. All must say the same, also those that differ in
# the number of workers.
_MAILBOX_SIZE = 1 << 16
# Time to tell the others why this process ends.
_TELL_SECONDS = 4
# What a step fails with where another process is the cause.
_ERRORS_OF_OTHERS = (
    tf.errors.AbortedError, tf.errors.UnavailableError,
    tf.errors.CancelledError, tf.errors.InternalError,
    tf.errors.DeadlineExceededError, tf.errors.UnknownError)


class Watch:
  """Watches the other workers from `start` to `finish`.

  A context manager around the steps: an error inside is told to the others.

  Args:
    options: the resolved `options.Deployment` of this worker.
    agreed: dict of what all workers must agree on, ready for JSON.
    latest: function that returns the last checkpoint.
  """

  def __init__(self, options, agreed, latest):
    self._hosts, self._task = options.worker_hosts, options.task
    self._agreed, self._latest = agreed, latest
    self._others = range(1, len(self._hosts)) if self._task == 0 else [0]
    self._seconds = options.cluster_timeout_secs
    self._mailboxes, self._threads = {}, []
    self._greeted, self._ended = set(), set()
    self._may_leave = threading.Event()
    self._lock = threading.Lock()
    self._is_over = False

  def listen(self):
    """Starts to read what others tell; the own server must be there."""
    for task in [self._task, *self._others]:
      self._mailboxes[task] = _Mailbox(task, self._hosts)
    self._run(self._read_mail)

  def start(self):
    """Starts to watch, after `listen`; all servers must be there.

    Raises:
      ValueError: a worker does not start in time.
    """
    for task in self._others:
      self._run(self._ask, task)
    self._tell('hello', self._agreed)
    cluster_hosts.wait_until_none(self._not_greeted, self._seconds)

  def _not_greeted(self):
    return ', '.join(
        'worker %d at %s (it has not said what it trains)' % (
            task, self._hosts[task])
        for task in self._others if task not in self._greeted)

  def finish(self):
    """Waits until all workers have made their last step."""
    if self._task == 0:
      while len(self._ended) < len(self._others):
        time.sleep(_ASK_SECONDS / 10)
      self._is_over = True
      self._tell('goodbye')
    else:
      self._tell('ended')
      while not self._may_leave.wait(_ASK_SECONDS):
        pass
    self._is_over = True
    for thread in self._threads:
      thread.join(_TELL_SECONDS)

  def __enter__(self):
    return self

  def __exit__(self, kind, error, traceback):
    del traceback
    if error is None or self._is_over or not self._mailboxes:
      return
    if isinstance(error, _ERRORS_OF_OTHERS):
      self.wait_for_cause()
    self._is_over = True
    reason = str(error).split('\n')[0].rstrip('.')
    self._tell('failed', '%s has failed: %s: %s' % (
        self._name(self._task), kind.__name__, reason))

  def wait_for_cause(self):
    """Waits until this process is ended, if another one is lost."""
    time.sleep(_ANSWER_SECONDS + 2 * _TELL_SECONDS)

  def _run(self, function, *arguments):
    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    self._threads.append(thread)

  def _ask(self, task):
    """Asks another process whether it is there."""
    while not self._is_over:
      # A question to a process that has ended waits for its whole time.
      if cluster_hosts.is_closed(self._hosts[task]):
        self._lose(task, 'has ended')
      try:
        self._mailboxes[task].size()
      except tf.errors.DeadlineExceededError:
        self._lose(task, 'has not answered for %d s' % _ANSWER_SECONDS)
      except tf.errors.OpError:
        self._lose(task, 'has been started again')
      time.sleep(_ASK_SECONDS)

  def _read_mail(self):
    mailbox = self._mailboxes[self._task]
    while not self._is_over:
      for _ in range(mailbox.size()):
        self._receive(**json.loads(mailbox.take()))
      time.sleep(_ASK_SECONDS / 4)

  def _receive(self, sender, kind, content):
    if kind == 'hello':
      self._compare(sender, content)
    elif kind == 'ended':
      self._ended.add(sender)
    elif kind == 'goodbye':
      self._is_over = True
      self._may_leave.set()
    else:
      self._end(content)

  def _compare(self, sender, agreed):
    """Ends this process if another worker is at another training."""
    fault = agreement.difference(
        agreed, self._name(sender), self._agreed, self._name(self._task))
    if fault:
      self._end(fault)
    self._greeted.add(sender)

  def _lose(self, task, fault):
    # Worker 0 has just said goodbye and left.
    time.sleep(2 * _ASK_SECONDS / 4)
    if not self._is_over:
      self._end('%s %s' % (self._name(task), fault))

  def _end(self, reason):
    """Tells the others, prints why, and ends this process.

    The main thread waits in TensorFlow, where no exception reaches it.
    """
    with self._lock:
      self._is_over = True
      self._tell('failed', reason)
      latest = self._latest()
      print('ConnectionError: %s. %s' % (
          reason, 'The last checkpoint is %s: start every process again, with '
          'the same flags, to resume from it.' % latest if latest else
          'There is no checkpoint yet: start every process again.'),
            file=sys.stderr)
      sys.stdout.flush()
      sys.stderr.flush()
      os._exit(LOST)

  def _tell(self, kind, content=None):
    """Writes to the other processes, if they are there."""
    text = json.dumps({
        'sender': self._task, 'kind': kind, 'content': content})
    threads = [threading.Thread(
        target=self._mailboxes[task].put, args=[text], daemon=True)
               for task in self._others]
    for thread in threads:
      thread.start()
    deadline = time.time() + _TELL_SECONDS
    for thread in threads:
      thread.join(max(0, deadline - time.time()))
    if kind == 'failed':
      # Until they have read it: the mailboxes end with their process.
      time.sleep(_ASK_SECONDS)

  def _name(self, task):
    return 'Worker %d at %s' % (task, self._hosts[task])


class _Mailbox:
  """A queue of texts on the server of a worker."""

  def __init__(self, task, hosts):
    config = tf.ConfigProto(
        device_filters=['/job:worker/task:%d' % task],
        operation_timeout_in_ms=1000 * _ANSWER_SECONDS)
    with tf.Graph().as_default(), tf.device(
        '/job:worker/task:%d/device:CPU:0' % task):
      queue = tf.FIFOQueue(
          _MAILBOX_SIZE, tf.string, [()], shared_name='mailbox')
      self._text = tf.placeholder(tf.string, [])
      self._enqueue = queue.enqueue(self._text)
      self._dequeue, self._size = queue.dequeue(), queue.size()
      self._session = tf.Session('grpc://' + hosts[task], config=config)

  def size(self):
    return self._session.run(self._size)

  def take(self):
    return self._session.run(self._dequeue).decode()

  def put(self, text):
    """Writes a text; does nothing if the process is gone."""
    try:
      self._session.run(self._enqueue, {self._text: text})
    except tf.errors.OpError:
      pass
