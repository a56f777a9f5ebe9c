"""Locks that keep two programs out of one directory.

The kernel releases a lock when its process ends, however it ends.
"""
import datetime
import errno
import fcntl
import os
import socket
from typing import Optional

_CANNOT = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)


class Lock:
  """A lock in the form of a file, which is there while the lock is held.

  Args:
    path: path of the file; its directory exists.
    message: text of the error where another process holds the lock, with a %s
      for `host HOST, process ID, since TIME`.
  """

  def __init__(self, path: str, message: str):
    self._path, self._message = path, message
    self._descriptor = None  # type: Optional[int]

  def acquire(self) -> bool:
    """Takes the lock; does nothing where it is held already.

    A file system that has no locks is said so, and is no error.

    Returns:
      Whether the lock was taken now.

    Raises:
      ValueError: another process holds it.
      OSError: the file cannot be written.
    """
    if self._descriptor is not None:
      return False
    while self._descriptor is None:
      self._descriptor = self._try()
    os.ftruncate(self._descriptor, 0)
    os.pwrite(self._descriptor, ('host %s, process %d, since %s' % (
        socket.gethostname(), os.getpid(), datetime.datetime.now().strftime(
            '%Y-%m-%d %H:%M:%S'))).encode(), 0)
    return True

  def release(self) -> None:
    """Gives the lock back, and removes its file."""
    if self._descriptor is None:
      return
    try:
      os.remove(self._path)
    except OSError:  # Removed with its directory.
      pass
    os.close(self._descriptor)
    self._descriptor = None

  def __enter__(self):
    self.acquire()
    return self

  def __exit__(self, *exception):
    self.release()

  def _try(self) -> Optional[int]:
    """Returns a descriptor that is locked; None to try again."""
    descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
    kept = None
    try:
      _lock(descriptor, self._path)
      # The holder may have removed the file before it was locked here.
      if _is_at(descriptor, self._path):
        kept = descriptor
    except BlockingIOError:
      holder = os.pread(descriptor, 1000, 0).decode(errors='replace')
      raise ValueError(self._message % (holder or 'a process that starts'))
    finally:
      if kept is None:
        os.close(descriptor)
    return kept


def _lock(descriptor, path):
  try:
    # Not lockf, whose locks a process loses when it closes any other
    # descriptor of the file. Over NFS, both lock for all hosts.
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
  except OSError as error:
    if error.errno not in _CANNOT:
      raise
    print('Warning: %s cannot be locked (%s): take care that no other process '
          'writes there.' % (os.path.dirname(path), error.strerror), flush=True)


def _is_at(descriptor, path):
  """Whether the open file is the one of that name."""
  try:
    return os.path.samestat(os.fstat(descriptor), os.stat(path))
  except FileNotFoundError:
    return False
