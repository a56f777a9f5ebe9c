"""Directories of converters: made, locked, tidied up."""
import contextlib
import errno
import fcntl
import os
import time

_SECONDS_TO_WAIT_FOR_LOCK = 2


def make(directory):
  """Makes a directory; returns the new ones, the deepest first."""
  made = []
  above = os.path.abspath(directory)
  while not os.path.exists(above):
    made.append(above)
    above = os.path.dirname(above)
  os.makedirs(directory, exist_ok=True)
  return made


def remove_if_empty(*paths):
  """Removes those directories that are empty."""
  for path in paths:
    with contextlib.suppress(OSError):
      os.rmdir(path)


@contextlib.contextmanager
def lock(directory):
  """Keeps other converters out of a directory until this process ends.

  It waits a moment: the workers of a killed converter keep the lock that long.

  Raises:
    OSError: another converter is at work there.
  """
  descriptor = os.open(directory, os.O_RDONLY)
  try:
    deadline = time.time() + _SECONDS_TO_WAIT_FOR_LOCK
    while not _try_lock(descriptor):
      if time.time() > deadline:
        raise OSError('another converter is at work in %s: wait for it to end, '
                      'or choose another --dataset_dir' % directory)
      time.sleep(0.1)
    yield
  finally:
    os.close(descriptor)


def _try_lock(descriptor):
  """Returns whether the lock was free; so is one that cannot be locked."""
  try:
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
  except BlockingIOError:
    return False
  except OSError as error:
    if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EBADF):
      raise
  return True
