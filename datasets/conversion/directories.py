"""Directories of converters: made, locked, tidied up."""
import contextlib
import errno
import fcntl
import os
import time

_SECONDS_TO_WAIT_FOR_LOCK = 2


def make(folder):
  """Makes a folder; returns those that were not there, the deepest first."""
  made = []
  above = os.path.abspath(folder)
  while not os.path.exists(above):
    made.append(above)
    above = os.path.dirname(above)
  os.makedirs(folder, exist_ok=True)
  return made


def remove_if_empty(*folders):
  """Removes those folders that hold nothing."""
  for folder in folders:
    with contextlib.suppress(OSError):
      os.rmdir(folder)


@contextlib.contextmanager
def lock(folder):
  """Keeps other converters out of a folder; the system frees it at our end.

  It waits a moment: the workers of a killed converter hold on for that long.

  Raises:
    OSError: another converter is at work there.
  """
  descriptor = os.open(folder, os.O_RDONLY)
  try:
    deadline = time.time() + _SECONDS_TO_WAIT_FOR_LOCK
    while not _try_lock(descriptor):
      if time.time() > deadline:
        raise OSError('another converter is at work in %s: wait for it to end, '
                      'or choose another --dataset_dir' % folder)
      time.sleep(0.1)
    yield
  finally:
    os.close(descriptor)


def _try_lock(descriptor):
  """Whether the lock was free. A file system without locks has it free."""
  try:
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
  except BlockingIOError:
    return False
  except OSError as error:
    if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EBADF):
      raise
  return True
