"""Names of a zip archive's members, whatever program wrote it.

A zip has / between the parts of a name and marks names that are UTF-8. Programs
for Windows have written \\, and names in the code page of the machine; those
for macOS and Linux UTF-8 without the mark.
"""
import struct
import unicodedata
import zlib

_IS_UTF8 = 0x800
_UNIX = 3
# Info-ZIP's extra field that holds the name once more, in UTF-8.
_UNICODE_PATH = 0x7075


def of(members):
  """Returns the names of a zip's members.

  Args:
    members: list of all `zipfile.ZipInfo`s of the archive.

  Returns:
    A list of names with / between their parts, in the order of `members`; and
    the encoding of those that are not UTF-8, or None.
  """
  raw = [_raw(member) for member in members]
  encoding = _encoding([name for name in raw if isinstance(name, bytes)])
  names = [name.decode(encoding) if isinstance(name, bytes) else name
           for name in raw]
  no_slash = not any('/' in name for name in names)
  names = [name.replace('\\', '/')
           if no_slash or member.create_system != _UNIX else name
           for member, name in zip(members, names)]
  return names, None if encoding == 'utf-8' else encoding


def _raw(member):
  """Returns the name of a member; as bytes if its encoding is not known."""
  name = member.orig_filename.split('\0')[0]
  if member.flag_bits & _IS_UTF8:
    return name
  stored = name.encode('cp437')  # As zipfile has decoded it.
  return _unicode_path(member.extra, stored) or stored


def _unicode_path(extra, stored):
  """Returns the name in the extra field; None if it is of another name."""
  while len(extra) >= 4:
    kind, size = struct.unpack_from('<HH', extra)
    data, extra = extra[4:4 + size], extra[4 + size:]
    if kind == _UNICODE_PATH and len(data) > 5 and data[0] == 1 and (
        struct.unpack_from('<I', data, 1)[0] == zlib.crc32(stored)):
      try:
        return data[5:].decode('utf-8')
      except UnicodeDecodeError:
        return None
  return None


def _encoding(names):
  """Returns the encoding of names: 'utf-8', 'gb18030' or 'cp437'.

  Almost any bytes can be read as Chinese; they are if most of what is not ASCII
  then is among the 6,763 characters in daily use.
  """
  for encoding in ('utf-8', 'gb18030'):
    try:
      letters = [letter for name in names for letter in name.decode(encoding)
                 if ord(letter) > 127]
    except UnicodeDecodeError:
      continue
    if encoding == 'utf-8' or 2 * sum(map(_is_common, letters)) > len(letters):
      return encoding
  return 'cp437'


def _is_common(letter):
  return unicodedata.category(letter) == 'Lo' and (
      len(letter.encode('gb2312', 'ignore')) == 2)
