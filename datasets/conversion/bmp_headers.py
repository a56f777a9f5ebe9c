"""Headers of BMP files that not every version of Pillow reads."""
import struct

_FILE_HEADER_BYTES = 14
# Forms 2 and 3 have color masks, as form 4 has, but not what follows them.
_SHORT = (52, 56)
_FORM_4_BYTES = 108


def readable(content: bytes) -> bytes:
  """Returns a BMP with a header that all versions of Pillow read.

  Args:
    content: bytes of a file that begins as a BMP.

  Returns:
    The same pixels with a header of form 4 instead of 2 or 3; any other file as
    it is.
  """
  if len(content) < _FILE_HEADER_BYTES + max(_SHORT):
    return content
  size, = struct.unpack_from('<I', content, _FILE_HEADER_BYTES)
  if size not in _SHORT:
    return content
  start, = struct.unpack_from('<I', content, 10)
  added = _FORM_4_BYTES - size
  end = _FILE_HEADER_BYTES + size
  return b''.join([
      content[:10], struct.pack('<II', (start + added) % 2**32, _FORM_4_BYTES),
      content[_FILE_HEADER_BYTES + 4:end], bytes(added), content[end:]])
