"""Locks of directories."""
import errno
import fcntl
import os
import re
import signal
import socket
import subprocess
import sys

import pytest

from slim_common import locks

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
_HOLDER = """
import sys, time
from slim_common import locks
locks.Lock(sys.argv[1], '%s').acquire()
print('held', flush=True)
time.sleep(100)
"""


def _lock(path):
  return locks.Lock(str(path), 'In use by (%s): wait.')


def test_the_second_is_told_who_holds_it(tmp_path):
  path = tmp_path / '.lock'
  with _lock(path) as lock:
    assert not lock.acquire(), 'held already'
    with pytest.raises(ValueError, match=re.escape(
        'In use by (host %s, process %d, since 20' % (
            socket.gethostname(), os.getpid()))):
      _lock(path).acquire()
  assert not os.listdir(str(tmp_path))
  with _lock(path):
    assert path.exists()


def test_the_lock_ends_with_its_process(tmp_path):
  path = tmp_path / '.lock'
  holder = subprocess.Popen(
      [sys.executable, '-c', _HOLDER, str(path)], cwd=_ROOT,
      stdout=subprocess.PIPE)
  try:
    assert holder.stdout.readline() == b'held\n'
    with pytest.raises(ValueError, match='process %d' % holder.pid):
      _lock(path).acquire()
  finally:
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
  assert path.exists()
  with _lock(path):
    assert str(os.getpid()) in path.read_text()


def test_a_file_that_its_holder_removes_meanwhile(tmp_path, monkeypatch):
  path = tmp_path / '.lock'
  path.write_text('')
  flock, calls = fcntl.flock, []

  def removed_first(descriptor, how):
    if not calls:
      path.unlink()
    calls.append(how)
    flock(descriptor, how)

  monkeypatch.setattr(fcntl, 'flock', removed_first)
  with _lock(path):
    assert len(calls) == 2 and path.exists()


@pytest.mark.parametrize('number', [errno.ENOLCK, errno.EIO])
def test_a_file_system_without_locks(tmp_path, monkeypatch, capsys, number):
  def refuse(*_):
    raise OSError(number, os.strerror(number))

  monkeypatch.setattr(fcntl, 'flock', refuse)
  lock = _lock(tmp_path / '.lock')
  if number == errno.EIO:
    with pytest.raises(OSError, match='Input/output error'):
      lock.acquire()
    return
  with lock:
    assert capsys.readouterr().out == (
        'Warning: %s cannot be locked (%s): take care that no other process '
        'writes there.\n' % (tmp_path, os.strerror(number)))
