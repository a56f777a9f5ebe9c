"""Unpacks archives without trusting them."""
import lzma
import os
import stat
import tarfile
import zipfile
import zlib

from slim_common import progress

SUFFIXES = ('.tar', '.tar.gz', '.tgz', '.tar.bz2', '.tar.xz', '.zip')

_BLOCK = 1 << 18
_FILE, _DIRECTORY, _LINK, _DEVICE = 'file', 'directory', 'link', 'device'
# What reading a damaged archive raises; RuntimeError is for an encrypted one.
_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError,
            EOFError, OSError, RuntimeError, UnicodeError)


class _UnsafeArchive(ValueError):
  """An archive holds what does not belong in a directory."""


def unpack(archive, directory):
  """Unpacks the files of a tar (compressed or not) or zip archive.

  The whole archive is read and checked before the first file is written. The
  files get the modification time of the archive, so that they are known again
  when they are unpacked again.

  Args:
    archive: path of the archive; its content shows its format.
    directory: where the files go, with their directories in the archive; made
      if it does not exist. A file of the same name is replaced.

  Raises:
    ValueError: the file is damaged, is no archive, or holds what does not
      belong in `directory`: an absolute path, `..`, a link, a device.
    OSError: the archive cannot be opened, or `directory` not written.
  """
  title = os.path.basename(archive)
  # A file that does not exist is not a damaged one.
  with open(archive, 'rb') as opened:
    time = os.fstat(opened.fileno()).st_mtime_ns
  try:
    with progress.of_bytes('checking ' + title, None) as shown:
      for name, kind, content in _members(archive):
        _check_member(archive, name, kind)
        for block in _blocks(content):
          shown.add(len(block))
  except _DAMAGED as error:
    raise ValueError(
        '%s is no tar or zip archive, or a damaged one (%s): download it again'
        % (archive, (str(error) or type(error).__name__).splitlines()[0])
    ) from error
  root = os.path.realpath(directory)
  with progress.of_bytes('unpacking ' + title, None) as shown:
    for name, kind, content in _members(archive):
      path = os.path.join(directory, name)
      if os.path.commonpath([root, os.path.realpath(path)]) != root:
        raise _UnsafeArchive(
            '%s would be written outside %s, through a link in it'
            % (name, directory))
      os.makedirs(path if kind == _DIRECTORY else os.path.dirname(path),
                  exist_ok=True)
      if kind == _FILE:
        with open(path, 'wb') as target:
          for block in _blocks(content):
            target.write(block)
            shown.add(len(block))
        os.utime(path, ns=(time, time))


def _check_member(archive, name, kind):
  """Raises _UnsafeArchive if a member does not belong in a directory."""
  if kind in (_LINK, _DEVICE):
    fault = 'is a ' + kind
  elif name.startswith('/'):
    fault = 'is an absolute path'
  elif '..' in name.split('/'):
    fault = 'leads out of the directory'
  else:
    return
  raise _UnsafeArchive('%s is refused: its member %r %s; nothing was unpacked'
                       % (archive, name, fault))


def _members(archive):
  """Yields (name, kind, file object or None) of an archive's members.

  It reads to the end of the file, where compressed archives have a checksum.
  """
  if zipfile.is_zipfile(archive):
    with zipfile.ZipFile(archive) as opened:
      for member in opened.infolist():
        kind = _DIRECTORY if member.is_dir() else _FILE
        if stat.S_ISLNK(member.external_attr >> 16):
          kind = _LINK
        yield member.filename, kind, opened.open(member)
    return
  with tarfile.open(archive) as opened:
    for member in opened:
      kind = (_FILE if member.isfile() else _DIRECTORY if member.isdir() else
              _LINK if member.issym() or member.islnk() else _DEVICE)
      yield (member.name, kind,
             opened.extractfile(member) if kind == _FILE else None)
    for _ in _blocks(opened.fileobj):
      pass


def _blocks(source):
  """Yields the rest of a file in blocks; of no file, nothing."""
  if source is None:
    return iter(())
  return iter(lambda: source.read(_BLOCK), b'')
