"""Packs files as people's systems do."""
import io
import struct
import tarfile
import zipfile
import zlib


class _RawInfo(zipfile.ZipInfo):
  """A member of a zip whose name is written in an encoding, unmarked."""

  encoding = 'utf-8'

  def _encodeFilenameFlags(self):  # pylint: disable=invalid-name
    return self.filename.encode(self.encoding), self.flag_bits & ~0x800


def zipped(files, encoding=None, windows=False, extra=False, top=()):
  """Returns a zip of (name, content).

  Args:
    files: dict of name to bytes.
    encoding: of the names, which are not marked; None for Python's way.
    windows: whether the parts of names are separated by backslashes.
    extra: whether Info-ZIP's field has the names in UTF-8.
    top: further (name, content).
  """
  target = io.BytesIO()
  with zipfile.ZipFile(target, 'w', zipfile.ZIP_DEFLATED) as archive:
    for name, content in list(files.items()) + list(top):
      if windows:
        name = name.replace('/', '\\')
      member = zipfile.ZipInfo(name)
      if encoding:
        member = _RawInfo(name)
        member.encoding = encoding
      member.create_system = 0 if windows else 3
      if extra:
        data = b'\1' + struct.pack('<I', zlib.crc32(
            name.encode(encoding))) + name.encode()
        member.extra = struct.pack('<HH', 0x7075, len(data)) + data
      archive.writestr(member, content)
  return target.getvalue()


def zipped_by_macos(files):
  """Returns a zip as macOS makes it."""
  forks = [('__MACOSX/%s/._%s' % tuple(('./' + name).rsplit('/', 1)),
            b'\0\5\26\7fork') for name in files]
  return zipped(files, 'utf-8', top=forks + [('.DS_Store', b'x')])


def _document():
  """Returns what an office document is: a zip of a few files."""
  return zipped({'[Content_Types].xml': b'<Types/>', 'word/a.xml': b'<w/>'})


def tarred(files, mode='w', prefix='', last=None):
  """Returns a tar of (name, content).

  Args:
    files: dict of name to bytes; of equal contents, all but the first become
      hard links, as by tar.
    mode: for `tarfile.open`.
    prefix: before each name.
    last: bytes of a file `last`, at the end; or None.
  """
  target, first = io.BytesIO(), {}
  with tarfile.open(fileobj=target, mode=mode,
                    format=tarfile.GNU_FORMAT) as archive:
    for name, content in list(files.items()) + (
        [('last', last)] if last else []):
      member = tarfile.TarInfo(prefix + name)
      if content in first:
        member.type, member.linkname = tarfile.LNKTYPE, first[content]
        archive.addfile(member)
        continue
      first[content] = prefix + name
      member.size = len(content)
      archive.addfile(member, io.BytesIO(content))
  return target.getvalue()


def tarred_by_macos(files):
  """Returns a tar as macOS makes it, with ._ files."""
  with_forks = {}
  for name, content in files.items():
    above, last = ('./' + name).rsplit('/', 1)
    with_forks['%s/._%s' % (above, last)] = b'fork of ' + name.encode()
    with_forks['./' + name] = content
  return tarred(with_forks)


def _linked(files):
  """Returns the files with equal contents in each directory."""
  return tarred({name: b'\xff\xd8\xff' + name.rsplit('/', 1)[-1].encode()
                 for name in files})


# How to pack a dict of name to bytes.
PACKERS = {
    'a.tar': tarred,
    'a.tar.gz': lambda files: tarred(files, 'w:gz'),
    'a.tar.bz2': lambda files: tarred(files, 'w:bz2'),
    'a.tar.xz': lambda files: tarred(files, 'w:xz'),
    'dots.tar': lambda files: tarred(files, prefix='./'),
    'links.tar': _linked,
    'macos.tar': tarred_by_macos,
    'document.tar': lambda files: tarred(files, last=_document()),
    'appended.tar': lambda files: tarred(files) + _document(),
    'a.zip': zipped,
    'macos.zip': zipped_by_macos,
    'unmarked.zip': lambda files: zipped(files, 'utf-8'),
    'extra.zip': lambda files: zipped(files, 'gbk', extra=True),
    'windows.zip': lambda files: zipped(files, windows=True),
    'gbk.zip': lambda files: zipped(files, 'gbk', windows=True),
    'no suffix': zipped,
}
