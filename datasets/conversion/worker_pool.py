"""Runs a function over many tasks on all cores, in order and in bounded memory.

The workers are processes. They start before the first result is asked for, so
that they work while the caller prepares (imports TensorFlow, for example), and
they end with the process that started them, even if it is killed.
"""
import collections
import concurrent.futures.process
import contextlib
import ctypes
import itertools
import multiprocessing
import os
import signal
import threading
import time

_TASKS_AHEAD_PER_WORKER = 24


class WorkerPool:
  """A number of worker processes; with one worker, this process.

  A context manager: leaving it drops the tasks that have not started.

  Attributes:
    num_workers: number of workers.
  """

  def __init__(self, num_workers=None):
    """Makes a pool; processes start with the first task.

    Args:
      num_workers: number of workers; None for one per core that this process
        may use.

    Raises:
      ValueError: `num_workers` is under 1.
    """
    if num_workers is not None and num_workers < 1:
      raise ValueError(
          'num_workers is %d; give 1 or more, or leave it out for one per core'
          % num_workers)
    self.num_workers = num_workers or _usable_cores()
    self._pool = None
    self._is_left = multiprocessing.RawValue(ctypes.c_bool, False)
    self._waiting = collections.deque()

  def map(self, function, tasks):
    """Yields `function(*task)` for each of `tasks`, in their order.

    What the function raises is raised here.

    Args:
      function: function at the top level of a module.
      tasks: iterable of tuples of arguments; consumed only as far ahead as
        keeps the workers busy.

    Raises:
      OSError: a worker process was killed.
    """
    if self.num_workers == 1:
      return itertools.starmap(function, tasks)
    if not self._pool:
      self._pool = concurrent.futures.ProcessPoolExecutor(
          self.num_workers, initializer=_start_worker,
          initargs=(os.getpid(), self._is_left))
    tasks = iter(tasks)
    for task in itertools.islice(
        tasks, _TASKS_AHEAD_PER_WORKER * self.num_workers):
      self._submit(function, task)
    return self._results(function, tasks)

  def _submit(self, function, task):
    with _killed_worker_is_an_error():
      self._waiting.append(self._pool.submit(_run, function, task))

  def _results(self, function, tasks):
    while self._waiting:
      with _killed_worker_is_an_error():
        result = self._waiting.popleft().result()
      yield result
      for task in itertools.islice(tasks, 1):
        self._submit(function, task)

  def __enter__(self):
    return self

  def __exit__(self, *error):
    if self._pool:
      # Nothing is cancelled: Python 3.7 may wait for ever for the end of a pool
      # in which something was.
      self._is_left.value = True
      concurrent.futures.wait(self._waiting)
      self._pool.shutdown()


@contextlib.contextmanager
def _killed_worker_is_an_error():
  try:
    yield
  except concurrent.futures.process.BrokenProcessPool:
    raise OSError('a worker process was killed, perhaps for lack of memory: '
                  'a smaller --num_workers needs less')


def _usable_cores():
  if hasattr(os, 'sched_getaffinity'):
    return len(os.sched_getaffinity(0))
  return os.cpu_count() or 1


def _start_worker(parent, is_left):
  """Leaves Ctrl-C to the parent, and ends this process when the parent ends.

  The parent's handler of SIGTERM, if any, is not for its workers.

  Args:
    parent: process id.
    is_left: shared bool, whether the tasks that have not started are dropped.
  """
  _run.is_left = is_left
  signal.signal(signal.SIGINT, signal.SIG_IGN)
  signal.signal(signal.SIGTERM, signal.SIG_DFL)
  threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _run(function, task):
  """Does a task in a worker, unless its pool has been left."""
  return None if _run.is_left.value else function(*task)


def _end_with(parent):
  while os.getppid() == parent:
    time.sleep(0.5)
  os._exit(1)  # pylint: disable=protected-access
