"""Workers of a parameter server that are at different trainings."""
import re
import threading

import pytest
import tensorflow.compat.v1 as tf

from deployment import agreement
from deployment import cluster
from image_classifier import options
from tests.deployment import free_hosts

_LENET, _VGG = {'model_name': 'lenet'}, {'model_name': 'vgg_16'}
_DIFFERENT = (
    'Worker 1 at b:2 has model_name=lenet, but worker 0 has vgg_16. All '
    'workers need the same flags, except --task, and the same --train_dir on a '
    'file system that all of them see')


@pytest.fixture(scope='module')
def server():
  """Address of a parameter server in this process."""
  address, = free_hosts.free_hosts(1)
  running = tf.train.Server(
      tf.train.ClusterSpec({'ps': [address]}), job_name='ps', task_index=0)
  yield address
  del running


def _worker(address, **changes):
  return cluster.resolve(options.Train().deployment.__class__(
      ps_hosts=(address,), worker_hosts=('b:1', 'b:2'), **changes))


@pytest.mark.parametrize('other, expected', [
    (_LENET, ''), (_VGG, _DIFFERENT), ({}, _DIFFERENT.replace('vgg_16', 'None'))])
def test_difference(other, expected):
  assert agreement.difference(
      _LENET, 'Worker 1 at b:2', other, 'worker 0') == expected


def test_a_worker_compares_with_the_chief(server, monkeypatch):
  monkeypatch.setattr(agreement, '_POLL_SECONDS', 0.05)
  chief, worker = _worker(server), _worker(server, task=1)
  with pytest.raises(ValueError, match=re.escape(
      'Waited 1 s (--cluster_timeout_secs) for worker 0 to make or load the '
      'variables')):
    agreement.check(_worker(server, task=1, cluster_timeout_secs=1), _LENET)

  # The server holds what an earlier chief has written.
  agreement.write(chief, _VGG)
  replaced = threading.Timer(0.5, agreement.write, [chief, _LENET])
  replaced.start()
  agreement.check(worker, _LENET)
  replaced.join()

  agreement.write(chief, _VGG)
  monkeypatch.setattr(agreement, '_REPLACE_SECONDS', 0)
  with pytest.raises(ValueError, match=re.escape(_DIFFERENT + '.')):
    agreement.check(worker, _LENET)


def test_a_server_that_does_not_answer(server, monkeypatch):
  class Session:
    """A session with a server that is stopped."""

    def __init__(self, *_):
      pass

    def run(self, *_):
      raise tf.errors.DeadlineExceededError(None, None, '')

    def close(self):
      pass

  monkeypatch.setattr(tf, 'Session', Session)
  for task, agree in enumerate((agreement.write, agreement.check)):
    with pytest.raises(ValueError, match=re.escape(
        'for parameter server 0 at %s (no answer for 10 s): start' % server)):
      agree(_worker(server, task=task, cluster_timeout_secs=0.1), _LENET)
