"""The orientation that an image's metadata asks for, read alike everywhere.

Pillow's versions differ in which metadata they look at and in what they do
with EXIF that is cut short, so the few bytes that matter are read here.
"""
import re
import struct
import zlib

UPRIGHT = 1
_TAG = 0x112
_ENTRY_BYTES = 12
_SHORT, _LONG = 3, 4
_BYTE_ORDERS = {b'II*\0': '<', b'MM\0*': '>'}
_XMP_ORIENTATION = re.compile(rb'tiff:Orientation\s*(?:=\s*["\']|>)\s*([1-8])')
# ImageMagick's and exiftool's names for EXIF written as hexadecimal text.
_RAW_PROFILES = (b'Raw profile type exif', b'Raw profile type APP1')
_XMP = b'XML:com.adobe.xmp'
_MAX_TEXT = 1 << 24


def of_exif(content):
  """Returns the orientation, 1 to 8, in EXIF; 1 if there is no valid one.

  Args:
    content: bytes, with or without `Exif` before them; may be cut short.
  """
  if content.startswith(b'Exif\0\0'):
    content = content[6:]
  order = _BYTE_ORDERS.get(content[:4])
  if not order or len(content) < 8:
    return UPRIGHT
  at = struct.unpack_from(order + 'I', content, 4)[0]
  count = struct.unpack_from(order + 'H', content, at)[0] if (
      at + 2 <= len(content)) else 0
  end = min(at + 2 + count * _ENTRY_BYTES, len(content) - _ENTRY_BYTES + 1)
  for entry in range(at + 2, end, _ENTRY_BYTES):
    tag, kind = struct.unpack_from(order + 'HH', content, entry)
    if tag == _TAG and kind in (_SHORT, _LONG):
      value = struct.unpack_from(
          order + ('H' if kind == _SHORT else 'I'), content, entry + 8)[0]
      return value if 1 <= value <= 8 else UPRIGHT
  return UPRIGHT


def of_png(chunks):
  """Returns the orientation, 1 to 8, of a PNG.

  EXIF counts first, then EXIF as text, then XMP.

  Args:
    chunks: list of (name, bytes) of its chunks.
  """
  for name, content in chunks:
    if name == b'eXIf':
      return of_exif(bytes(content))
  texts = dict(_text(name, bytes(content)) for name, content in chunks
               if name in (b'tEXt', b'zTXt', b'iTXt'))
  for key in _RAW_PROFILES:
    if key in texts:
      return of_exif(_from_hexadecimal(texts[key]))
  found = _XMP_ORIENTATION.search(texts.get(_XMP, b''))
  return int(found.group(1)) if found else UPRIGHT


def _text(name, content):
  """Returns the (key, text) of a chunk; the text is b'' if of no interest."""
  key, _, text = content.partition(b'\0')
  if key not in _RAW_PROFILES + (_XMP,):
    return key, b''
  is_packed = name == b'zTXt'
  if is_packed:
    text = text[1:]
  elif name == b'iTXt':
    is_packed = text[:1] == b'\1'
    text = text[2:].split(b'\0', 2)[-1]
  if is_packed:
    try:
      text = zlib.decompressobj().decompress(text, _MAX_TEXT)
    except zlib.error:
      text = b''
  return key, text


def _from_hexadecimal(text):
  """Returns the bytes of a raw profile: name, length, hexadecimal digits."""
  digits = b''.join(text.split()[2:])
  try:
    return bytes.fromhex(digits.decode('ascii'))
  except ValueError:
    return b''
