"""Contenders: processes that do the same work, in turns.

A contender is a module that any environment may run, with only what it has
installed: it prepares its work, calls `serve`, and then works whenever it is
asked. The other side, `Contender` and `play`, needs the standard library alone.
"""
import collections
import contextlib
import json
import os
import statistics
import subprocess
import sys
import threading
import time

from benchmarks import common

# A process that uses a smaller fraction of a core in an interval is idle.
_IDLE, _INTERVAL_SECONDS = 0.05, 0.2
_CLOCK_TICKS = os.sysconf('SC_CLK_TCK')
_LAST_LINES = 3

# What a contender did in a turn: images; seconds of wall-clock and CPU time;
# the highest memory so far in MiB.
Turn = collections.namedtuple('Turn', 'images seconds cpu memory')
# Median, lower and upper quartile.
Spread = collections.namedtuple('Spread', 'median low high')


def serve(step, images, warm=1):
  """Does a step again and again, whenever a line of stdin asks for it.

  Args:
    step: function without arguments that handles `images` images.
    images: number of images of a step.
    warm: steps before the clock starts: the first one after others worked takes
      up to twice as long, and those after it may use up what was prefetched.
  """
  _reply(ready=True)
  for line in sys.stdin:
    _reply(**_work(json.loads(line), step, images, warm)._asdict())
  os._exit(0)  # Waits for no thread of a queue.


class Paused:
  """A loop of somebody else's, such as a training, that waits between steps.

  The loop calls `pause` after each of its steps; `serve_beside` serves the
  steps from a second thread, as trainings want the first one.
  """

  def __init__(self):
    self._go, self._done = threading.Semaphore(0), threading.Semaphore(0)

  def pause(self):
    """Waits until the next step is asked for."""
    self._done.release()
    self._go.acquire()

  def serve_beside(self, images, warm=1):
    """Starts to serve the steps, each of `images` images."""
    threading.Thread(
        target=self._serve, args=(images, warm), daemon=True).start()

  def _serve(self, images, warm):
    self._done.acquire()  # The first step has been made.
    serve(self._step, images, warm)

  def _step(self):
    self._go.release()
    self._done.acquire()


def _work(asked, step, images, warm):
  for _ in range(warm):
    step()
  start, cpu, steps = time.time(), cpu_seconds(), 0
  seconds = 0
  while not steps or (seconds < asked.get('seconds', 0) or
                      steps * images < asked.get('images', 0)):
    step()
    steps += 1
    seconds = time.time() - start
  turn = Turn(steps * images, seconds, cpu_seconds() - cpu, peak_memory())
  _wait_until_idle()
  return turn


def refuse(reason):
  """Says why there is nothing to measure, and ends the process."""
  _reply(missing=reason)
  sys.exit()


def _reply(**values):
  print(json.dumps(values), flush=True)


def cpu_seconds():
  """Returns the CPU seconds of this process, its threads and children."""
  parents, times = {}, {}
  for name in filter(str.isdigit, os.listdir('/proc')):
    try:
      with open('/proc/%s/stat' % name) as stat:
        fields = stat.read().rsplit(')', 1)[1].split()
    except (OSError, IndexError):
      continue  # It has just ended.
    parents[int(name)] = int(fields[1])
    times[int(name)] = sum(map(int, fields[11:15])) / _CLOCK_TICKS
  mine, found = {os.getpid()}, True
  while found:
    found = {pid for pid, parent in parents.items() if parent in mine} - mine
    mine |= found
  return sum(times[pid] for pid in mine if pid in times)


def peak_memory():
  """Returns the highest memory of this process so far, in MiB."""
  with open('/proc/self/status') as status:
    words = [line.split() for line in status if line.startswith('VmHWM')][0]
  return int(words[1]) // 1024


def _wait_until_idle():
  """Waits until what is prefetched is full, before another one's turn."""
  cpu = float('inf')
  while cpu > _IDLE * _INTERVAL_SECONDS:
    start = cpu_seconds()
    time.sleep(_INTERVAL_SECONDS)
    cpu = cpu_seconds() - start


class Contender:
  """A process that works when it is asked.

  Args:
    name: what stands in tables.
    python: path of the Python to run it with.
    module: name of its module in `benchmarks.contenders`.
    work: dict of what it is to do, as the module understands it.
  """

  def __init__(self, name, python, module, **work):
    self.name, self.turns, self.problem = name, [], ''
    self._process = subprocess.Popen(
        [python, '-W', 'ignore', '-m', 'benchmarks.contenders.' + module,
         json.dumps(work)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        cwd=common.ROOT, universal_newlines=True, env=dict(
            os.environ, TF_CPP_MIN_LOG_LEVEL='3', CUDA_VISIBLE_DEVICES='',
            TF_ENABLE_ONEDNN_OPTS='1'))
    self.problem = self._read().get('missing', '')

  def ask(self, **amount):
    """Asks for `seconds` or `images`; returns the `Turn`, None if it failed."""
    if self.problem:
      return None
    with contextlib.suppress(BrokenPipeError):  # It has ended; read why.
      self._process.stdin.write(json.dumps(amount) + '\n')
      self._process.stdin.flush()
    turn = self._read()
    if not self.problem:
      self.turns.append(Turn(**turn))
    return None if self.problem else self.turns[-1]

  def _read(self):
    """Returns the next answer; other lines are what libraries print."""
    others = collections.deque(maxlen=_LAST_LINES)
    for line in self._process.stdout:
      if line.startswith('{"'):
        return json.loads(line)
      others.append(line.strip())
    self.problem = 'it failed: ' + ' / '.join(others)
    return {'missing': self.problem}

  def close(self):
    """Ends the process."""
    for stream in (self._process.stdin, self._process.stdout):
      with contextlib.suppress(BrokenPipeError):  # The process has ended.
        stream.close()
    self._process.wait()


def play(contenders, rounds, seconds):
  """Lets contenders work in turns, so that other load affects all alike.

  Args:
    contenders: list of `Contender`, closed afterwards.
    rounds: number of turns of each.
    seconds: length of a turn.
  """
  try:
    for contender in contenders:
      contender.ask(seconds=0)
      contender.turns.clear()
    for _ in range(rounds):
      for contender in contenders:
        contender.ask(seconds=seconds)
  finally:
    for contender in contenders:
      contender.close()


def spread(values):
  """Returns the `Spread` of some numbers."""
  ordered = sorted(values)
  quarter = len(ordered) // 4
  return Spread(statistics.median(ordered), ordered[quarter],
                ordered[-1 - quarter])
