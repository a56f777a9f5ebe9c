"""Workers that watch each other, as servers of this process."""
import re
import threading
import time

import pytest
import tensorflow.compat.v1 as tf

from deployment import slow_steps
from deployment import watch
from image_classifier import options
from tests.deployment import free_hosts

# Those that the current test has started.
_watches = []


@pytest.fixture
def hosts():
  """The addresses of two running workers."""
  addresses = free_hosts.free_hosts(2)
  spec = tf.train.ClusterSpec({'worker': addresses})
  servers = [tf.train.Server(spec, job_name='worker', task_index=task)
             for task in range(2)]
  yield tuple(addresses)
  del servers


@pytest.fixture
def ends(monkeypatch):
  """The statuses with which processes would have ended."""
  statuses = []
  monkeypatch.setattr(watch.os, '_exit', statuses.append)
  monkeypatch.setattr(watch, '_ASK_SECONDS', 0.1)
  monkeypatch.setattr(watch, '_TELL_SECONDS', 0.5)
  yield statuses
  # Before the real exit is back, which would end the tests.
  # pylint: disable=protected-access
  for one in _watches:
    one._is_over = True
  for thread in [thread for one in _watches for thread in one._threads]:
    thread.join(30)
  _watches.clear()


def _watch(hosts, task, **agreed):
  deployment = options.train.Deployment(worker_hosts=hosts, task=task)
  _watches.append(
      watch.Watch(deployment, agreed, lambda: 'run/model.ckpt-7'))
  return _watches[-1]


def _both(function, watches):
  threads = [threading.Thread(target=function, args=[one]) for one in watches]
  for thread in threads:
    thread.start()
  for thread in threads:
    thread.join(20)
  assert not any(thread.is_alive() for thread in threads)


def test_workers_leave_together(hosts, ends):
  watches = [_watch(hosts, task, steps=3) for task in range(2)]
  _both(watch.Watch.start, watches)
  left = []

  def finish(one):
    # The other one must wait for worker 1.
    if one is watches[1]:
      time.sleep(1)
      assert not left
    with one:
      one.finish()
    left.append(one)

  _both(finish, watches)
  assert len(left) == 2
  assert not ends


def test_another_training_is_refused(hosts, ends, capsys):
  watches = [_watch(hosts, task, model_name=name)
             for task, name in enumerate(['lenet', 'vgg_16'])]
  _both(watch.Watch.start, watches)
  assert ends[0] == 75
  assert (
      'ConnectionError: Worker 0 at %s has model_name=lenet, but Worker 1 at '
      '%s has vgg_16. All workers need the same flags, except --task, and the '
      'same --train_dir on a file system that all of them see. The last '
      'checkpoint is run/model.ckpt-7: start every process again, with the '
      'same flags, to resume from it.\n' % hosts) in capsys.readouterr().err


def test_an_error_is_told_to_the_others(hosts, ends, capsys):
  watches = [_watch(hosts, task) for task in range(2)]
  _both(watch.Watch.start, watches)
  with pytest.raises(ValueError), watches[1]:
    raise ValueError('The loss is nan.')
  deadline = time.time() + 10
  while not ends and time.time() < deadline:
    time.sleep(0.1)
  assert ends[0] == 75
  assert 'ConnectionError: Worker 1 at %s has failed: ValueError: The loss ' \
      'is nan. The last' % hosts[1] in capsys.readouterr().err


def test_a_step_that_takes_long_says_who_is_missing(hosts, capsys):
  gone = free_hosts.free_hosts(1)[0]
  for address, said in (
      (gone, r'These do not accept connections: worker 1 at %s \(.*refused\)\.'
       % gone),
      (hosts[0], 'All other processes accept connections: one may be busy, or '
       r'stopped\.')):
    hook = slow_steps.Hook({'worker 1': address}, seconds=0.2)
    hook.after_create_session(None, None)
    hook.before_run(None)
    time.sleep(0.5)
    hook.after_run(None, None)
    hook.end(None)
    assert re.search(
        r'^This step has taken 0 s so far\. ' + said,
        capsys.readouterr().out), address
