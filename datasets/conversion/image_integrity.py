"""What JPEG and PNG files are made of, and damage that decoders pass over.

A JPEG is verified by a decode at an eighth of its size, which still reads all
of its entropy-coded data and costs a fraction of a full one. Where such data
ends early but an end marker stands all the same, decoders fill up with mid-grey
and say nothing; see `_ends_in_grey`. Of a JPEG in several scans (a progressive
one) they leave out details or colours instead; see `_last_scan_is_short`.
"""
import io
import re
import struct
import zlib

import numpy as np
from PIL import Image

_SOS, _EOI = 0xda, 0xd9
# What follows 0xff among the data of a scan is 0 or a restart marker.
_NEXT_MARKER = re.compile(b'\xff[^\x00\xd0-\xd7\xff]')
_PROGRESSIVE_FRAME = 0xc2
_WITHOUT_LENGTH = tuple(range(0xd0, 0xd9)) + (0x01,)
# Codes to decode in place of data that may be missing; no marker among them.
_FILLER = np.random.RandomState(0).randint(0, 255, 4096).astype(
    np.uint8).tobytes()
_MID_GREY = 128

_PNG_SIGNATURE_BYTES = 8
_PNG_KEPT_COLOUR_TYPES = (0, 2)
_PNG_CRITICAL_CHUNKS = (b'IHDR', b'PLTE', b'IDAT', b'IEND')
# Bytes that are unpacked at a time, and behind the last pixel.
_PNG_BLOCK, _PNG_EXCESS = 1 << 20, 1 << 16


class Fault(ValueError):
  """Why a picture is rejected."""


def jpeg_segments(content):
  """Yields (marker, offset behind it) up to the first scan's.

  Args:
    content: bytes of a file that begins as a JPEG.

  Raises:
    Fault: it ends before.
  """
  at = 2
  while True:
    at = content.find(b'\xff', at)
    if at < 0 or at + 4 > len(content):
      raise Fault('truncated JPEG: it ends before its picture data')
    marker = content[at + 1]
    if marker in (0x00, 0xff):
      at += 1
      continue
    yield marker, at + 2
    if marker == _SOS:
      return
    at += 2
    if marker not in _WITHOUT_LENGTH:
      at += struct.unpack_from('>H', content, at)[0]


def verify_jpeg(content, segments, image):
  """Checks that a JPEG can be decoded to its end.

  Args:
    content: bytes of the file.
    segments: a dict of its markers to the offsets behind them.
    image: the file as Pillow has opened it; afterwards of no use.

  Raises:
    Fault: it cannot. Pillow raises errors of other classes as well.
  """
  first_scan = segments[_SOS]
  end = _end_of_last_scan(content, first_scan)
  components_in_scan = content[first_scan + 2]
  if _PROGRESSIVE_FRAME in segments or (
      components_in_scan < len(image.getbands())):
    image.load()
    if _last_scan_is_short(content, end, image):
      raise Fault('truncated JPEG: the data of its last scan stop early')
    return
  _decode_small(image)
  if _ends_in_grey(content, end, image):
    raise Fault('truncated JPEG: it ends in grey, its picture data stop early')


def _end_of_last_scan(content, scan):
  """Returns where the data of a JPEG's last scan end.

  Args:
    content: bytes of the file.
    scan: the offset behind the marker of its first scan.

  Raises:
    Fault: what follows does not lead to an end marker.
  """
  marker, at, end = _SOS, scan, None
  while marker != _EOI:
    if at + 2 <= len(content):
      at += struct.unpack_from('>H', content, at)[0]
    found = _NEXT_MARKER.search(content, at)
    if not found:
      raise Fault('truncated JPEG: no end marker')
    if marker == _SOS:
      end = found.start()
    marker, at = content[found.end() - 1], found.end()
  return end


def _decode_small(image):
  """Decodes a JPEG to grey at an eighth of its size, in place."""
  width, height = image.size
  image.draft('L', (max(width // 8, 1), max(height // 8, 1)))
  image.load()


def _ends_in_grey(content, end, image):
  """Whether picture data are missing at a JPEG's end.

  Where they are, the decoder leaves mid-grey. So may a picture: then it is
  decoded once more with other data appended, which a whole picture ignores.
  """
  width, height = image.size
  if image.getpixel((width - 1, height - 1)) != _MID_GREY:
    return False
  longer = _with_filler(content, end)
  _decode_small(longer)
  return longer.tobytes() != image.tobytes()


def _last_scan_is_short(content, end, image):
  """Whether picture data are missing at the end of a JPEG of several scans.

  It is decoded once more with other data behind its last scan, which a whole
  picture ignores.
  """
  digest = zlib.crc32(image.tobytes())
  image.close()
  longer = _with_filler(content, end)
  longer.load()
  return zlib.crc32(longer.tobytes()) != digest


def _with_filler(content, end):
  """Opens a JPEG with other data appended to those of its last scan."""
  return Image.open(io.BytesIO(content[:end] + _FILLER + content[end:]),
                    formats=('JPEG',))


def png_reason(content):
  """Returns why a PNG cannot stay as it is, or None.

  Args:
    content: bytes of a file that Pillow opens as a PNG.

  Raises:
    Fault: a chunk is damaged, or libpng, which TensorFlow reads with, would
      refuse what Pillow passes over.
  """
  names, data = set(), []
  for name, chunk in _png_chunks(content):
    if (name == b'IHDR') == bool(names):
      raise Fault('damaged PNG: its header does not come first and once')
    if name[:1].isupper() and name not in _PNG_CRITICAL_CHUNKS:
      raise Fault('damaged PNG: no reader knows its chunk %r' % name)
    names.add(name)
    if name == b'IDAT':
      data.append(chunk)
  depth, colour_type = content[24], content[25]
  if b'acTL' in names:
    return 'animated PNG'
  if b'tRNS' in names or colour_type not in _PNG_KEPT_COLOUR_TYPES:
    return 'PNG with %s' % ('a palette' if colour_type == 3 else 'alpha')
  if depth != 8:
    return 'PNG of %d bits' % depth
  _check_png_data(data, content)
  return None


def _png_chunks(content):
  """Yields (name, content) of a PNG's chunks; checks their checksums."""
  name, at = None, _PNG_SIGNATURE_BYTES
  while name != b'IEND':
    if at + 12 > len(content):
      raise Fault('truncated PNG: no end chunk')
    length, name = struct.unpack_from('>I4s', content, at)
    end = at + 8 + length
    if end + 4 > len(content):
      raise Fault('truncated PNG: no end chunk')
    if zlib.crc32(content[at + 4:end]) != struct.unpack_from(
        '>I', content, end)[0]:
      raise Fault('damaged PNG: wrong checksum of its chunk %r' % name)
    yield name, memoryview(content)[at + 8:end]
    at = end + 4


def _check_png_data(data, content):
  """Raises Fault where packed pixels do not come to their end.

  Pillow is content when it has all the pixels.
  """
  width, height = struct.unpack_from('>II', content, 16)
  # Three bytes a pixel and one a row, twice that many rows if interlaced.
  left = height * (3 * width + 2) + _PNG_EXCESS
  unpacker = zlib.decompressobj()
  for chunk in data:
    while len(chunk) and left > 0 and not unpacker.eof:
      left -= len(unpacker.decompress(chunk, min(left, _PNG_BLOCK)))
      chunk = unpacker.unconsumed_tail
  if not unpacker.eof:
    raise Fault('truncated PNG: its packed pixels have no end')
