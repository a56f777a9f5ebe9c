"""Tells workers with parameter servers that they are at different trainings.

Worker 0 writes what all must agree on into a variable of parameter server 0;
the other workers compare it with their own before they make a step.
"""
import json
import time

import tensorflow.compat.v1 as tf

from deployment import cluster_hosts

_ANSWER_SECONDS = 10
_POLL_SECONDS = 1
# A parameter server may hold what an earlier worker 0 has written: time for the
# new one to replace it.
_REPLACE_SECONDS = 15


def difference(agreed, worker, others, other):
  """Returns what two workers do not agree on, a sentence; '' if nothing.

  Args:
    agreed: dict of what all workers must agree on, ready for JSON.
    worker: what the worker that has it is called, at the start of a sentence.
    others: the same dict of another worker.
    other: what that one is called.
  """
  for name in sorted(agreed):
    if agreed[name] != others.get(name):
      return ('%s has %s=%s, but %s has %s. All workers need the same flags, '
              'except --task, and the same --train_dir on a file system that '
              'all of them see' % (
                  worker, name, agreed[name], other, others.get(name)))
  return ''


def agree(options, agreed):
  """Does `write` as worker 0 and `check` as another worker."""
  (check if options.task else write)(options, agreed)


def write(options, agreed):
  """Writes what the other workers have to agree on, as worker 0.

  Args:
    options: the resolved `options.Deployment`, with parameter servers.
    agreed: dict of it, ready for JSON.

  Raises:
    ValueError: the server does not answer within --cluster_timeout_secs.
  """
  with _Note(options.ps_hosts[0]) as note:
    cluster_hosts.wait_until_none(
        lambda: note.write(json.dumps(agreed)), options.cluster_timeout_secs)


def check(options, agreed):
  """Waits for what worker 0 writes and compares it.

  Args:
    options: the resolved `options.Deployment`, with parameter servers.
    agreed: dict of what this worker has, ready for JSON.

  Raises:
    ValueError: worker 0 has something else, or writes nothing within
      --cluster_timeout_secs.
  """
  with _Note(options.ps_hosts[0]) as note:
    cluster_hosts.wait_until_none(note.read, options.cluster_timeout_secs)
    deadline = time.time() + _REPLACE_SECONDS
    while True:
      fault = difference(
          agreed, 'Worker %d at %s' % (
              options.task, options.worker_hosts[options.task]),
          json.loads(note.text), 'worker 0')
      if not fault:
        return
      if time.time() > deadline:
        raise ValueError(fault + '.')
      time.sleep(_POLL_SECONDS)
      note.read()


class _Note:
  """A text on a parameter server, which outlives sessions.

  Attributes:
    text: what `read` has read.
  """

  def __init__(self, host):
    self.text = None
    self._silent = 'parameter server 0 at %s (no answer for %d s)' % (
        host, _ANSWER_SECONDS)
    config = tf.ConfigProto(
        device_filters=['/job:ps/task:0'],
        operation_timeout_in_ms=1000 * _ANSWER_SECONDS)
    with tf.Graph().as_default() as graph, tf.device(
        '/job:ps/task:0/device:CPU:0'):
      note = tf.Variable(
          '', trainable=False, use_resource=False, name='agreed')
      self._value = note.read_value()
      self._given = tf.placeholder(tf.string, [])
      self._assign = note.assign(self._given).op
      self._session = tf.Session('grpc://' + host, graph, config)

  def __enter__(self):
    return self

  def __exit__(self, *_):
    self._session.close()

  def write(self, text):
    """Writes a text; returns whom that waits for, '' if it is written."""
    try:
      self._session.run(self._assign, {self._given: text})
    except tf.errors.DeadlineExceededError:
      return self._silent
    return ''

  def read(self):
    """Reads the text; returns whom that waits for, '' if it is there."""
    try:
      self.text = self._session.run(self._value).decode()
    except tf.errors.FailedPreconditionError:
      return 'worker 0 to make or load the variables'
    except tf.errors.DeadlineExceededError:
      return self._silent
    return ''
