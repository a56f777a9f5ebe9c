"""Feeds damaged files to all code that reads files from outside.

  python -m tests.fuzz.run [--seed=0] [--inputs=5000] [--target='archives']
      [--seconds=60]
  python -m tests.fuzz.run --seed=0 --only=1234 --keep=DIR

Each input, which depends on the seed and its index, is a file that was damaged
by `mutations`. It must be read, or be refused by a ValueError or OSError that
names a file, within limits of time and memory, and the source must not change.
A worker process does it, watched from here: a crash or a hang ends the worker
alone.
"""
import argparse
import collections
import contextlib
import io
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
import traceback

_READ, _REFUSED, _FAILED = 'read', 'refused', 'failed'
_SECONDS_AN_INPUT = 60
# TensorFlow takes a few hundred; the largest image allowed is small.
_MEGABYTES_AN_INPUT = 1500
_ADDRESS_SPACE = 16 << 30
_ERRORS_SHOWN = 1000


class Outcome(collections.namedtuple(
    'Outcome', 'index target fate detail seconds')):
  """The outcome of an input.

  Attributes:
    index: index of the input.
    target: name of the target.
    fate: 'read', 'refused' or 'failed'.
    detail: the message.
    seconds: time in seconds.
  """



def try_input(target, name, content, directory):
  """Returns (fate, detail) of a damaged file.

  Args:
    target: a `targets.Target`.
    name: name of the file.
    content: bytes of the file.
    directory: directory to work in; its content is removed.
  """
  from tests.datasets import records  # pylint: disable=g-import-not-at-top
  from tests.fuzz import targets  # pylint: disable=g-import-not-at-top
  source, out = targets.prepare(directory)
  printed = io.StringIO()
  with contextlib.redirect_stdout(printed):
    target.write(source, name, content)
    before = records.snapshot(source)
    fate, detail = _fate(target, source, out, name)
  names = [name] + list(before)
  told = detail + printed.getvalue()
  if fate == _REFUSED and not any(os.path.basename(n) in told for n in names):
    return _FAILED, 'the message names no file: ' + detail
  if records.snapshot(source) != before:
    return _FAILED, 'the source has changed'
  left = set(os.listdir(directory)) - {'source', 'out'}
  if left:
    return _FAILED, 'left behind: %s' % ', '.join(sorted(left))
  return fate, detail


def _fate(target, source, out, name):
  try:
    target.run(source, out, name)
  except (ValueError, OSError) as error:
    if isinstance(error, UnicodeError):
      return _FAILED, traceback.format_exc()
    return _REFUSED, str(error)
  except Exception:  # pylint: disable=broad-except
    return _FAILED, traceback.format_exc()
  return _READ, ''


def _megabytes():
  return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _work(connection, seed, directory, errors):
  """Tries the inputs whose indices come, in a worker.

  Libraries print about damaged files and crashes on standard error.
  """
  os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
  os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
  resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
  import tensorflow.compat.v1 as tf  # pylint: disable=g-import-not-at-top

  from tests.fuzz import targets  # pylint: disable=g-import-not-at-top
  tf.disable_eager_execution()
  tf.logging.set_verbosity(tf.logging.ERROR)
  connection.send('ready')
  for index in iter(connection.recv, None):
    target, name, content = targets.make_input(index, seed)
    connection.send(target.name)
    memory = _megabytes()
    fate, detail = try_input(target, name, content, directory)
    if _megabytes() - memory > _MEGABYTES_AN_INPUT:
      fate, detail = _FAILED, '%d MB of memory' % _megabytes()
    connection.send((fate, detail))


class _Worker:
  """A process that tries inputs and can crash or hang."""

  def __init__(self, seed, directory, seconds):
    self._seconds = seconds
    self._errors = directory + '.errors'
    context = multiprocessing.get_context('spawn')
    self._connection, theirs = context.Pipe()
    self._process = context.Process(
        target=_work, args=(theirs, seed, directory, self._errors),
        daemon=True)
    self._process.start()
    theirs.close()
    self._connection.recv()

  def is_alive(self):
    return self._process.is_alive()

  def try_input(self, index):
    """Returns the Outcome of an input."""
    start = time.time()
    target = '?'
    try:
      self._connection.send(index)
      target = self._receive(start)
      fate, detail = self._receive(start)
    except TimeoutError:
      fate, detail = _FAILED, 'a hang: %g s are over' % self._seconds
      self._process.kill()
      self._process.join()
    except (EOFError, ConnectionError):
      self._process.join()
      with open(self._errors, errors='replace') as source:
        fate, detail = _FAILED, 'a crash: the process ended with %d\n%s' % (
            self._process.exitcode, source.read()[-_ERRORS_SHOWN:])
    return Outcome(index, target, fate, detail, time.time() - start)

  def _receive(self, start):
    if not self._connection.poll(start + self._seconds - time.time()):
      raise TimeoutError
    return self._connection.recv()

  def end(self):
    if self.is_alive():
      self._connection.send(None)
      self._process.join()


def outcomes(seed, indices, directory, seconds=_SECONDS_AN_INPUT):
  """Yields the Outcome of each of the inputs.

  Args:
    seed: seed of the inputs.
    indices: their indices.
    directory: path of a directory to make and remove for each.
    seconds: an input that takes longer hangs.
  """
  worker = None
  for index in indices:
    if not worker or not worker.is_alive():
      worker = _Worker(seed, directory, seconds)
    yield worker.try_input(index)
  if worker:
    worker.end()


def table(found):
  """Returns lines: numbers of inputs by target and fate, and the slowest."""
  lines = ['%-20s %8s %8s %8s %8s %12s' % (
      'target', 'inputs', _READ, _REFUSED, _FAILED, 'slowest (s)')]
  for name in list(collections.OrderedDict.fromkeys(
      outcome.target for outcome in found)) + ['all']:
    some = [o for o in found if name in (o.target, 'all')]
    fates = collections.Counter(outcome.fate for outcome in some)
    lines.append('%-20s %8d %8d %8d %8d %12.2f' % (
        name, len(some), fates[_READ], fates[_REFUSED], fates[_FAILED],
        max(outcome.seconds for outcome in some)))
  return lines


def _keep(index, seed, directory):
  """Writes an input and what belongs to it to a directory."""
  from tests.fuzz import targets  # pylint: disable=g-import-not-at-top
  target, name, content = targets.make_input(index, seed)
  os.makedirs(directory)
  with contextlib.redirect_stdout(io.StringIO()):
    target.write(directory, name, content)
  print('%s: %s in %s' % (target.name, name, directory))


def _indices(arguments):
  if arguments.only is not None:
    return [arguments.only]
  from tests.fuzz import targets  # pylint: disable=g-import-not-at-top
  known = [target.name for target in targets.TARGETS]
  if arguments.target and arguments.target not in known:
    sys.exit('--target=%s is not known; it is one of: %s' % (
        arguments.target, ', '.join(known)))
  return [index for index in range(arguments.inputs) if arguments.target in (
      None, targets.target_of(index).name)]


def main(words=None):
  parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
  parser.add_argument('--seed', type=int, default=0, help='seed of the inputs')
  parser.add_argument('--inputs', type=int, default=5000, help='their number')
  parser.add_argument('--seconds', type=int, default=_SECONDS_AN_INPUT,
                      help='seconds after which an input hangs')
  parser.add_argument('--target', help='name of the only target')
  parser.add_argument('--only', type=int, help='index of a single input')
  parser.add_argument('--keep', help='directory to write the single input to')
  arguments = parser.parse_args(words)
  if arguments.keep:
    _keep(arguments.only, arguments.seed, arguments.keep)
  start, found = time.time(), []
  work = tempfile.mkdtemp()
  try:
    for outcome in outcomes(arguments.seed, _indices(arguments), work + '/run',
                            arguments.seconds):
      found.append(outcome)
      if outcome.fate == _FAILED or arguments.only is not None:
        print('input %d (%s) %s: %s\n  python -m tests.fuzz.run --seed=%d '
              '--only=%d' % (outcome.index, outcome.target, outcome.fate,
                             outcome.detail, arguments.seed, outcome.index),
              flush=True)
  finally:
    shutil.rmtree(work, ignore_errors=True)
  print('\n'.join(table(found)))
  print('%.0f s' % (time.time() - start))
  return any(outcome.fate == _FAILED for outcome in found)


if __name__ == '__main__':
  sys.exit(main())
