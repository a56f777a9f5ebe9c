"""Tests of the worker processes."""
import os
import signal
import subprocess
import sys
import time

import pytest

from datasets.conversion import worker_pool


def _square(number):
  return number * number


def _fail(number):
  raise ValueError('cannot do %d' % number)


def _die(unused_number):
  os.kill(os.getpid(), signal.SIGKILL)


def _process_id(unused_number):
  return os.getpid()


@pytest.mark.parametrize('num_workers', [1, 2])
def test_results_come_in_order(num_workers):
  with worker_pool.WorkerPool(num_workers) as workers:
    for count in (300, 3):
      results = list(workers.map(_square, ((i,) for i in range(count))))
      assert results == [i * i for i in range(count)]


def test_one_worker_is_this_process():
  with worker_pool.WorkerPool(1) as workers:
    assert set(workers.map(_process_id, [(1,), (2,)])) == {os.getpid()}
  with worker_pool.WorkerPool(2) as workers:
    assert os.getpid() not in set(workers.map(_process_id, [(1,), (2,)]))


def test_tasks_are_drawn_only_a_little_ahead():
  drawn = []

  def tasks():
    for i in range(100000):
      drawn.append(i)
      yield (i,)

  with worker_pool.WorkerPool(2) as workers:
    next(workers.map(_square, tasks()))
    assert len(drawn) < 100


@pytest.mark.parametrize('num_workers', [1, 2])
def test_what_the_function_raises_is_raised(num_workers):
  with worker_pool.WorkerPool(num_workers) as workers:
    with pytest.raises(ValueError, match='cannot do 7'):
      list(workers.map(_fail, [(7,)]))


def test_a_killed_worker_is_an_error_and_not_a_hang():
  with worker_pool.WorkerPool(2) as workers:
    with pytest.raises(OSError, match='killed.*smaller --num_workers'):
      list(workers.map(_die, [(i,) for i in range(4)]))


def test_no_workers_are_refused():
  with pytest.raises(ValueError, match='num_workers is 0; give 1 or more'):
    worker_pool.WorkerPool(0)


def test_workers_end_with_a_killed_parent():
  root = os.path.dirname(os.path.dirname(os.path.dirname(
      worker_pool.__file__)))
  parent = subprocess.Popen(
      [sys.executable, '-c', (
          'from datasets.conversion import worker_pool\n'
          'import os, time\n'
          'with worker_pool.WorkerPool(2) as workers:\n'
          '  results = workers.map(os.getpgid, [(0,)] * 4)\n'
          '  next(results)\n'
          '  print("ready", flush=True)\n'
          '  time.sleep(60)\n')],
      cwd=root, stdout=subprocess.PIPE, start_new_session=True)
  assert parent.stdout.readline() == b'ready\n'
  parent.kill()
  parent.wait()
  deadline = time.time() + 20
  with pytest.raises(ProcessLookupError):  # Nobody is left of the group.
    while time.time() < deadline:
      os.killpg(parent.pid, 0)
      time.sleep(0.1)
  parent.stdout.close()
