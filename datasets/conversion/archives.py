"""Unpacks archives without trusting them."""
import collections
import contextlib
import errno
import lzma
import os
import posixpath
import shutil
import stat
import tarfile
import zipfile
import zlib

from datasets.conversion import zip_names
from slim_common import progress

SUFFIXES = ('.tar', '.tar.gz', '.tgz', '.tar.bz2', '.tbz', '.tbz2', '.tar.xz',
            '.txz', '.zip')

_BLOCK = 1 << 18
_FILE, _DIRECTORY, _LINK, _DEVICE = 'file', 'directory', 'link', 'device'
_HARD_LINK = 'hard link'
# What reading a damaged archive raises; RuntimeError is zipfile's.
_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError,
            EOFError, OSError, RuntimeError, UnicodeError)
# Errors of a name, not of the disk.
_BAD_NAME = (errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EEXIST,
             errno.EILSEQ, errno.EINVAL)

# The first bytes tell a zip. The end alone does not: a tar whose last file is
# a zip, or an office document, ends as a zip does.
_ZIP = (b'PK\3\4', b'PK\5\6', b'PK\7\x08', b'PK00')
_PROGRAMS = (b'MZ', b'\x7fELF', b'#!')  # Before a self-extracting zip.
_OTHER_FORMATS = (
    (b'Rar!\x1a\x07', 'a RAR archive'), (b'7z\xbc\xaf\x27\x1c', 'a 7z archive'),
    (b'\x28\xb5\x2f\xfd', 'compressed by zstd'),
    (b'\x1f\x9d', 'compressed by compress'), (b'%PDF', 'a PDF document'),
    (b'<!DOCTYPE', 'a web page'), (b'<!doctype', 'a web page'),
    (b'<html', 'a web page'))


class _Member(collections.namedtuple('_Member', 'name kind content target')):
  """A member of an archive.

  Attributes:
    name: its path, with /.
    kind: one of the five words above.
    content: file object of a file; None of all else.
    target: name of the member that a hard link is to.
  """


class StrictTarInfo(tarfile.TarInfo):
  """Lets a damaged header be an error where tarfile sees the end."""

  @classmethod
  def fromtarfile(cls, opened):
    try:
      return super().fromtarfile(opened)
    except (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError) as error:
      if opened.offset:
        raise tarfile.ReadError('%s at byte %d' % (error, opened.offset))
      raise


def unpack(archive, directory, title=None):
  """Unpacks the files of a tar (compressed or not) or zip archive.

  The whole archive is read and checked before the first file is written. The
  files get the modification time of the archive, so that they are known again
  when they are unpacked again.

  Args:
    archive: path of the archive; its content shows its format.
    directory: where the files go, with their directories in the archive; made
      if it does not exist. A file of the same name is replaced.
    title: what messages call the archive; its path if None.

  Raises:
    ValueError: the file is damaged, encrypted, no archive, or holds what does
      not belong in `directory`: an absolute path, `..`, a symbolic link, a hard
      link to what is not in the archive, a device.
    OSError: the archive cannot be opened, or `directory` not written.
  """
  title = title or archive
  # A file that does not exist is not a damaged one.
  with open(archive, 'rb') as opened:
    time = os.fstat(opened.fileno()).st_mtime_ns
    head = opened.read(16)
  for start, fault in _OTHER_FORMATS:
    if head.startswith(start):
      raise ValueError(
          '%s is %s, no tar or zip archive: unpack it in another way and give '
          'the directory' % (title, fault))
  _check(archive, title)
  with progress.of_bytes(
      'unpacking ' + os.path.basename(title), None) as shown:
    for member in _members(archive, title):
      try:
        for size in _write(member, directory, time):
          shown.add(size)
      except OSError as error:
        if error.errno not in _BAD_NAME:
          raise
        raise ValueError('%s: its member %r cannot be unpacked: %s' % (
            title, member.name, error.strerror)) from error


def _check(archive, title):
  """Reads an archive; raises ValueError if not all can be unpacked."""
  files = set()
  try:
    with progress.of_bytes(
        'checking ' + os.path.basename(title), None) as shown:
      for member in _members(archive, title, say=True):
        fault = _fault(member, files)
        if fault:
          raise ValueError('%s is refused: its member %r %s; nothing was '
                           'unpacked' % (title, member.name, fault))
        if member.kind in (_FILE, _HARD_LINK):
          files.add(posixpath.normpath(member.name))
        for block in _blocks(member.content):
          shown.add(len(block))
  except NotImplementedError as error:
    raise ValueError(
        '%s has a form of zip that is not read (%s): unpack it in another way '
        'and give the directory' % (title, error)) from error
  except _DAMAGED as error:
    reason = (str(error) or type(error).__name__).splitlines()[0]
    raise ValueError(
        '%s is no tar or zip archive, or a damaged one (%s): download it again'
        % (title, reason.rstrip(':'))) from error


def _fault(member, files):
  """Returns why a member does not belong in a directory, or None.

  Args:
    member: a `_Member`.
    files: set of the names of the files before it.
  """
  if member.kind == _LINK:
    return 'is a link (tar --dereference packs the files instead)'
  if member.kind == _DEVICE:
    return 'is a device'
  if '\0' in member.name:
    return 'has a null byte in its name'
  if member.name.startswith('/'):
    return 'is an absolute path'
  if '..' in member.name.split('/'):
    return 'leads out of the directory'
  if member.kind == _HARD_LINK and (
      posixpath.normpath(member.target) not in files):
    return 'is a link to %r, which is no file before it' % member.target
  return None


def _write(member, directory, time):
  """Writes a member into a directory; yields the sizes of what is written."""
  root = os.path.realpath(directory)
  path = os.path.join(directory, member.name)
  if os.path.commonpath([root, os.path.realpath(path)]) != root:
    raise ValueError('%s would be written outside %s, through a link in it'
                     % (member.name, directory))
  os.makedirs(path if member.kind == _DIRECTORY else os.path.dirname(path),
              exist_ok=True)
  if member.kind == _DIRECTORY:
    return
  if member.kind == _HARD_LINK:
    target = os.path.join(directory, posixpath.normpath(member.target))
    if os.path.normpath(path) != os.path.normpath(target):
      _remove(path)
      _link(target, path)
    return
  _remove(path)  # What it is linked to stays as it is.
  with open(path, 'wb') as opened:
    for block in _blocks(member.content):
      opened.write(block)
      yield len(block)
  os.utime(path, ns=(time, time))


def _remove(path):
  with contextlib.suppress(FileNotFoundError):
    os.remove(path)


def _link(target, path):
  """Makes a hard link, or a copy where there are none."""
  try:
    os.link(target, path)
  except OSError:
    shutil.copy2(target, path)


def _members(archive, title, say=False):
  """Yields the `_Member`s of an archive.

  It reads to the end of the file, where compressed archives have a checksum.

  Args:
    archive: path of the archive.
    title: what messages call it.
    say: whether an encoding that had to be guessed is printed.
  """
  with open(archive, 'rb') as opened:
    head = opened.read(16)
  if head.startswith(_ZIP) or (
      head.startswith(_PROGRAMS) and zipfile.is_zipfile(archive)):
    with zipfile.ZipFile(archive) as opened:
      yield from _members_of_zip(opened, title, say)
    return
  with tarfile.open(archive, tarinfo=StrictTarInfo,
                    encoding='utf-8') as opened:
    for member in opened:
      kind = (_FILE if member.isfile() else _DIRECTORY if member.isdir() else
              _HARD_LINK if member.islnk() else
              _LINK if member.issym() else _DEVICE)
      yield _Member(
          member.name, kind,
          opened.extractfile(member) if kind == _FILE else None,
          member.linkname)
    for _ in _blocks(opened.fileobj):
      pass


def _members_of_zip(opened, title, say):
  """Yields the `_Member`s of a `zipfile.ZipFile`."""
  members = opened.infolist()
  names, guess = zip_names.of(members)
  if guess and say:
    print('%s does not say how its names are encoded: they are read as %s, '
          'such as %s' % (title, guess, next(
              name for name in names if not name.isascii())))
  for member, name in zip(members, names):
    if member.flag_bits & 1:
      raise ValueError('%s is encrypted: unpack it with its password and give '
                       'the directory' % title)
    kind = _DIRECTORY if name.endswith('/') else _FILE
    if stat.S_ISLNK(member.external_attr >> 16):
      kind = _LINK
    yield _Member(name, kind, opened.open(member) if kind == _FILE else None,
                  None)


def _blocks(source):
  """Yields the rest of a file in blocks; of no file, nothing."""
  if source is None:
    return iter(())
  return iter(lambda: source.read(_BLOCK), b'')
