"""Files and directories of results: complete under their names, or not there.

What is being written has a hidden name, `.NAME.unfinished`, beside its final
one. An error removes it; what a killed process has left, the next one with the
same name replaces.
"""
import contextlib
import errno
import os
import shutil
import tempfile
from typing import Dict, Iterator, Optional

from slim_common import locks

# Errors of a write, which Python reports without the name of the file.
_CANNOT_WRITE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def check(paths: Dict[str, Optional[str]], overwrite: bool) -> None:
  """Checks, before the work, that files can be written; makes directories.

  Args:
    paths: dict of flag name to the path given with it, None where it was not.
    overwrite: whether files may exist, to be replaced.

  Raises:
    ValueError: a file exists, two flags name one file, or the directory
      cannot be written.
  """
  flags = {}
  for flag, path in paths.items():
    if path is None:
      continue
    full = os.path.abspath(path)
    if full in flags:
      raise ValueError('--%s and --%s both name %s: give each a file of its '
                       'own.' % (flags[full], flag, path))
    flags[full] = flag
    if os.path.isdir(full) or path.endswith(os.sep):
      raise ValueError('--%s=%s is a directory: give the name of a file.' % (
          flag, path))
    if os.path.exists(path) and not overwrite:
      raise ValueError('--%s=%s exists: give another name, or --overwrite to '
                       'replace it.' % (flag, path))
    _make_directory(flag, path, os.path.dirname(full))


def check_directory(flag: str, directory: str) -> None:
  """Makes the directory given with a flag, '' for none, before the work.

  Raises:
    ValueError: it cannot be made or written.
  """
  # What is not on a file system is TensorFlow's business.
  if directory and '://' not in directory:
    _make_directory(flag, directory, directory)


def _make_directory(flag, path, directory):
  try:
    os.makedirs(directory, exist_ok=True)
  except OSError as error:
    raise ValueError('--%s=%s: the directory cannot be made: %s. Give a name '
                     'elsewhere.' % (flag, path, error.strerror))
  if not os.access(directory, os.W_OK):
    raise ValueError('--%s=%s: the directory cannot be written. Give a name '
                     'elsewhere.' % (flag, path))


def check_writable(path: str, flag: str) -> None:
  """Checks, before the work, that the path given with a flag can be made.

  Raises:
    ValueError: something above it is not a directory, or cannot be written.
  """
  directory = os.path.dirname(os.path.abspath(path))
  while not os.path.lexists(directory):
    directory = os.path.dirname(directory)
  if not os.path.isdir(directory):
    raise ValueError('%s cannot be written: %s is not a directory. Choose '
                     'another %s.' % (path, directory, flag))
  try:
    # Tried, as access rights say nothing about a disk that cannot be written.
    tempfile.TemporaryFile(dir=directory).close()
  except OSError as error:
    raise ValueError('%s cannot be written: the directory %s cannot be changed '
                     '(%s). Choose another %s.' % (
                         path, directory, error.strerror, flag))


def unfinished(path: str) -> str:
  """Returns the hidden name of a file or directory that is being written."""
  directory, name = os.path.split(os.path.abspath(path))
  return os.path.join(directory, '.%s.unfinished' % name)


def sync(path: str) -> None:
  """Waits until a file, or the names in a directory, are on the disk."""
  descriptor = os.open(path, os.O_RDONLY)
  try:
    os.fsync(descriptor)
  finally:
    os.close(descriptor)


@contextlib.contextmanager
def naming(path: str) -> Iterator[None]:
  """Names the file in an error of writing it, such as that of a full disk.

  Raises:
    OSError: the error of the block, with the path.
  """
  try:
    yield
  except OSError as error:
    if error.errno not in _CANNOT_WRITE or error.filename is not None:
      raise
    raise OSError(
        error.errno, error.strerror + '; free space or write elsewhere',
        path) from error


@contextlib.contextmanager
def publish(path: str, mode: str = 'w', durable: bool = False, **arguments):
  """Opens a file that takes its name when it is complete.

  Args:
    path: the name.
    mode: as for `open`.
    durable: whether to wait until the content is on the disk, for a file that
      must outlast a power cut.
    **arguments: of `open`.

  Yields:
    The open file. If an error leaves the block, nothing is left.
  """
  hidden = unfinished(path)
  try:
    with naming(path), open(hidden, mode, **arguments) as output:
      yield output
    if durable:
      sync(hidden)
    os.replace(hidden, path)
  finally:
    with contextlib.suppress(FileNotFoundError):
      os.remove(hidden)


def copy(source: str, path: str) -> None:
  """Copies a file; the copy takes its name when it is complete."""
  with open(source, 'rb') as content, publish(path, 'wb') as output:
    shutil.copyfileobj(content, output)


@contextlib.contextmanager
def new_directory(path: str) -> Iterator[str]:
  """Makes a directory that takes its name, which must be free, when complete.

  Yields:
    The path of the directory to fill. If an error leaves the block, nothing is
    left.
  """
  hidden = unfinished(path)
  shutil.rmtree(hidden, ignore_errors=True)
  os.makedirs(hidden)
  try:
    yield hidden
    os.rename(hidden, path)
  finally:
    shutil.rmtree(hidden, ignore_errors=True)


@contextlib.contextmanager
def updated_directory(path: str, last: str) -> Iterator[str]:
  """Makes a directory whose content moves into `path` once it is complete.

  What has the same name there is replaced; the rest stays. If the block
  raises, `path` is as it was.

  Args:
    path: the directory to fill; made if it does not exist.
    last: the name of what moves there last, once all the rest is there. While
      `path` changes, it has no such thing.

  Yields:
    The path of a directory beside `path`, or in it if it exists.

  Raises:
    ValueError: another process does the same.
  """
  path = os.path.abspath(path)
  # The parent of a directory that exists need not be ours, nor on its disk.
  parent = path if os.path.isdir(path) else os.path.dirname(path)
  hidden = unfinished(os.path.join(parent, os.path.basename(path)))
  os.makedirs(parent, exist_ok=True)
  with locks.Lock(hidden + '.lock', '%s is being written by another process '
                  '(%%s): wait for its end, or give another directory.' %
                  path.replace('%', '%%')):
    # A process that was killed may have found no directory there yet.
    shutil.rmtree(unfinished(path), ignore_errors=True)
    shutil.rmtree(hidden, ignore_errors=True)
    inside = os.path.join(hidden, 'new')
    os.makedirs(inside)
    try:
      yield inside
      if os.path.lexists(path):
        _replace(inside, path, last, hidden)
      else:
        os.rename(inside, path)
    except OSError as error:
      # The name that was asked for, not the hidden one.
      if str(error.filename).startswith(inside):
        error.filename = error.filename.replace(inside, path)
      raise
    finally:
      shutil.rmtree(hidden)


def _replace(source, target, last, aside):
  """Moves a directory's content to another, and aside what it replaces."""
  names = sorted(os.listdir(source), key=lambda name: (name == last, name))
  for name in reversed(names):
    # A file is replaced in one step; a directory has to be moved away first.
    old = os.path.join(target, name)
    if os.path.lexists(old) and (
        name == last or os.path.isdir(old) or
        os.path.isdir(os.path.join(source, name))):
      os.rename(old, os.path.join(aside, name + '.old'))
  for name in names:
    os.replace(os.path.join(source, name), os.path.join(target, name))
