"""Workers that watch each other, as servers of this process."""
import re
import socket
import threading
import time

import pytest
import tensorflow.compat.v1 as tf

from deployment import cluster_hosts
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


def _watch(hosts, task, seconds=20, latest='run/model.ckpt-7', **agreed):
  deployment = options.train.Deployment(
      worker_hosts=tuple(hosts), task=task, cluster_timeout_secs=seconds)
  _watches.append(watch.Watch(deployment, agreed, lambda: latest))
  return _watches[-1]


def _start(watches):
  for one in watches:
    one.listen()
  _both(watch.Watch.start, watches)


def _wait_for(condition):
  deadline = time.time() + 20
  while not condition():
    assert time.time() < deadline
    time.sleep(0.1)


def _both(function, watches):
  threads = [threading.Thread(target=function, args=[one]) for one in watches]
  for thread in threads:
    thread.start()
  for thread in threads:
    thread.join(20)
  assert not any(thread.is_alive() for thread in threads)


def test_workers_leave_together(hosts, ends):
  watches = [_watch(hosts, task, steps=3) for task in range(2)]
  _start(watches)
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
  _start(watches)
  assert ends[0] == 75
  assert (
      'ConnectionError: Worker 0 at %s has model_name=lenet, but Worker 1 at '
      '%s has vgg_16. All workers need the same flags, except --task, and the '
      'same --train_dir on a file system that all of them see. The last '
      'checkpoint is run/model.ckpt-7: start every process again, with the '
      'same flags, to resume from it.\n' % hosts) in capsys.readouterr().err


@pytest.mark.parametrize('waiting', [0, 1])
def test_a_worker_that_waits_hears_of_other_counts(
    waiting, hosts, ends, capsys):
  """One process waits for a third worker, of which the other knows nothing."""
  more = hosts + (free_hosts.free_hosts(1)[0],)
  lists = [more if task == waiting else hosts for task in range(2)]
  watches = [_watch(lists[task], task, latest=None,
                    worker_hosts=','.join(lists[task])) for task in range(2)]
  for one in watches:
    one.listen()
  starting = threading.Thread(target=watches[1 - waiting].start)
  starting.start()
  _wait_for(lambda: len(ends) == 2)
  assert ends == [75, 75]
  # So that the main thread, which the real exit would have ended, ends too.
  watches[1 - waiting]._greeted.add(waiting)  # pylint: disable=protected-access
  starting.join()
  assert (
      'ConnectionError: Worker %d at %s has worker_hosts=%s, but Worker %d at '
      '%s has %s. All workers need the same flags, except --task, and the same '
      '--train_dir on a file system that all of them see. There is no '
      'checkpoint yet: start every process again.\n' % (
          1 - waiting, hosts[1 - waiting], ','.join(lists[1 - waiting]),
          waiting, hosts[waiting], ','.join(lists[waiting]))
  ) in capsys.readouterr().err


def test_a_worker_that_does_not_start(hosts, ends, monkeypatch, capsys):
  monkeypatch.setattr(cluster_hosts, '_LINE_SECONDS', 0.1)
  missing = ('worker 1 at %s (it has not said what it trains)' % hosts[1])
  chief = _watch(hosts, 0, seconds=1)
  chief.listen()
  with pytest.raises(ValueError, match=re.escape(
      'Waited 1 s (--cluster_timeout_secs) for %s: start it' % missing)):
    chief.start()
  assert 'Waiting for %s since' % missing in capsys.readouterr().out
  assert not ends


def test_a_process_that_is_stopped(hosts, ends, monkeypatch, capsys):
  """Its port accepts connections, but nobody answers."""
  monkeypatch.setattr(watch, '_ANSWER_SECONDS', 1)
  with socket.socket() as stopped:
    stopped.bind(('localhost', 0))
    stopped.listen(9)
    address = 'localhost:%d' % stopped.getsockname()[1]
    chief = _watch([hosts[0], address], 0, seconds=1)
    chief.listen()
    with pytest.raises(ValueError):
      chief.start()
    _wait_for(lambda: ends)
  assert 'ConnectionError: Worker 1 at %s has not answered for 1 s. The last ' \
      'checkpoint is' % address in capsys.readouterr().err


def test_an_error_is_told_to_the_others(hosts, ends, capsys):
  watches = [_watch(hosts, task) for task in range(2)]
  _start(watches)
  with pytest.raises(ValueError), watches[1]:
    raise ValueError('The loss is nan.')
  _wait_for(lambda: ends)
  assert ends[0] == 75
  assert 'ConnectionError: Worker 1 at %s has failed: ValueError: The loss ' \
      'is nan. The last' % hosts[1] in capsys.readouterr().err


def test_a_step_that_takes_long_says_who_is_missing(hosts, capsys):
  gone = free_hosts.free_hosts(1)[0]
  for address, said in (
      (gone, r'These do not answer: worker 1 at %s \(.*refused\)\.' % gone),
      (hosts[0], r'All other processes answer: one may be busy\.')):
    hook = slow_steps.Hook({'worker 1': address}, seconds=0.2)
    hook.after_create_session(None, None)
    hook.before_run(None)
    time.sleep(0.5)
    assert re.search(
        r'^This step has taken 0 s so far\. ' + said,
        capsys.readouterr().out), address
    hook.after_run(None, None)
    # A line may have been on its way.
    time.sleep(0.1)
    capsys.readouterr()
    time.sleep(0.5)
    hook.end(None)
    out = capsys.readouterr().out
    assert (not out if address == hosts[0] else re.search(
        r'^Saving has taken 0 s so far\. ' + said, out)), (address, out)
