"""The structure of JPEG and PNG files, and damage that decoders ignore.

A JPEG is verified by a decode at an eighth of its size, which still reads all
of its entropy-coded data and costs a fraction of a full one. If the data ends
early but an end marker follows, decoders fill the rest with mid-gray and say
nothing; see `_ends_in_gray`. In a JPEG of several scans (a progressive one)
details or colors are missing instead; see `_last_scan_is_short`.
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
# Codes, none of them a marker, to decode in place of missing data.
_FILLER = np.random.RandomState(0).randint(0, 255, 4096).astype(
    np.uint8).tobytes()
_MID_GRAY = 128

_PNG_SIGNATURE_BYTES = 8
_PNG_KEPT_COLOR_TYPES = (0, 2)
_PNG_CRITICAL_CHUNKS = (b'IHDR', b'PLTE', b'IDAT', b'IEND')
_BYTE_ORDERS = (b'II', b'MM')
# Why a PNG is converted that some versions of TensorFlow cannot decode.
DAMAGED_EXIF = 'PNG with damaged EXIF'
# Bytes that are decompressed at a time, and behind the last pixel.
_PNG_BLOCK, _PNG_EXCESS = 1 << 20, 1 << 16


class Fault(ValueError):
  """Why an image is rejected."""


def jpeg_segments(content):
  """Yields (marker, offset behind it) up to that of the first scan.

  Args:
    content: bytes of a file that starts as a JPEG.

  Raises:
    Fault: it ends before.
  """
  at = 2
  while True:
    at = content.find(b'\xff', at)
    if at < 0 or at + 4 > len(content):
      raise Fault('truncated JPEG: it ends before its image data')
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
    segments: dict of its markers to the offsets behind them.
    image: the file as opened by Pillow; not usable afterwards.

  Raises:
    Fault: it cannot. Pillow raises errors of other classes, too.
  """
  first_scan = segments[_SOS]
  end = _end_of_last_scan(content, first_scan)
  components_in_scan = content[first_scan + 2]
  if _PROGRESSIVE_FRAME in segments or (
      components_in_scan < len(image.getbands())):
    image.load()
    if _last_scan_is_short(content, end, image):
      raise Fault('truncated JPEG: the data of its last scan ends early')
    return
  _decode_small(image)
  if _ends_in_gray(content, end, image):
    raise Fault('truncated JPEG: it ends in gray, its image data ends early')


def _end_of_last_scan(content, scan):
  """Returns the offset of the end of the data of a JPEG's last scan.

  Args:
    content: bytes of the file.
    scan: offset behind the marker of its first scan.

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
  """Decodes a JPEG to grayscale at an eighth of its size, in place."""
  width, height = image.size
  image.draft('L', (max(width // 8, 1), max(height // 8, 1)))
  image.load()


def _ends_in_gray(content, end, image):
  """Returns whether image data is missing at the end of a JPEG.

  The decoder leaves mid-gray there. A whole image may end so, too: it is
  decoded again with other data appended, which a whole image ignores.
  """
  width, height = image.size
  if image.getpixel((width - 1, height - 1)) != _MID_GRAY:
    return False
  longer = _with_filler(content, end)
  _decode_small(longer)
  return longer.tobytes() != image.tobytes()


def _last_scan_is_short(content, end, image):
  """Returns whether data is missing at the end of a JPEG of several scans.

  It is decoded again with other data behind its last scan, which a whole image
  ignores.
  """
  digest = zlib.crc32(image.tobytes())
  image.close()
  longer = _with_filler(content, end)
  longer.load()
  return zlib.crc32(longer.tobytes()) != digest


def _with_filler(content, end):
  """Opens a JPEG with other data appended to that of its last scan."""
  return Image.open(io.BytesIO(content[:end] + _FILLER + content[end:]),
                    formats=('JPEG',))


def png_reason(content, chunks):
  """Returns why a PNG cannot be kept as it is, or None.

  Args:
    content: bytes of a file that Pillow opens as a PNG.
    chunks: what `png_chunks` returns for it.

  Raises:
    Fault: libpng, which TensorFlow uses, would refuse what Pillow accepts.
  """
  names = {name for name, _ in chunks}
  depth, color_type = content[24], content[25]
  if b'acTL' in names:
    return 'animated PNG'
  if b'tRNS' in names or color_type not in _PNG_KEPT_COLOR_TYPES:
    return 'PNG with %s' % ('a palette' if color_type == 3 else 'alpha')
  if depth != 8:
    return 'PNG of %d bits' % depth
  if any(name == b'eXIf' and data[:2] not in _BYTE_ORDERS
         for name, data in chunks):
    # Some versions of libpng lose their place in the file there.
    return DAMAGED_EXIF
  _check_png_data([data for name, data in chunks if name == b'IDAT'], content)
  return None


def png_chunks(content):
  """Returns the list of the (name, content) of a PNG's chunks.

  Those that no pixel depends on may have any checksum; decoders pass over them.

  Args:
    content: bytes of a file that starts as a PNG.

  Raises:
    Fault: a chunk is damaged, or the file ends early.
  """
  chunks, at = [], _PNG_SIGNATURE_BYTES
  while not chunks or chunks[-1][0] != b'IEND':
    if at + 12 > len(content):
      raise Fault('truncated PNG: no end chunk')
    length, name = struct.unpack_from('>I4s', content, at)
    end = at + 8 + length
    if end + 4 > len(content):
      raise Fault('truncated PNG: no end chunk')
    if _is_for_pixels(name) and zlib.crc32(
        content[at + 4:end]) != struct.unpack_from('>I', content, end)[0]:
      raise Fault('damaged PNG: wrong checksum of chunk %r' % name)
    if (name == b'IHDR') == bool(chunks):
      raise Fault('damaged PNG: its header is not first, or not alone')
    if name[:1].isupper() and name not in _PNG_CRITICAL_CHUNKS:
      raise Fault('damaged PNG: unknown critical chunk %r' % name)
    chunks.append((name, memoryview(content)[at + 8:end]))
    at = end + 4
  return chunks


def png_without_metadata(chunks):
  """Returns a PNG file of the chunks that its pixels depend on.

  Pillow refuses others that are large or damaged, each version at its own
  limits.
  """
  parts = [b'\x89PNG\r\n\x1a\n']
  for name, data in chunks:
    if _is_for_pixels(name):
      parts += [struct.pack('>I', len(data)), name, data,
                struct.pack('>I', zlib.crc32(data, zlib.crc32(name)))]
  return b''.join(parts)


def _is_for_pixels(name):
  return name[:1].isupper() or name == b'tRNS'


def _check_png_data(data, content):
  """Raises Fault if the compressed pixels have no end.

  Pillow does not look behind the last pixel.
  """
  width, height = struct.unpack_from('>II', content, 16)
  # Three bytes per pixel and one per row; an interlaced image has up to twice
  # the rows.
  left = height * (3 * width + 2) + _PNG_EXCESS
  unpacker = zlib.decompressobj()
  for chunk in data:
    while len(chunk) and left > 0 and not unpacker.eof:
      left -= len(unpacker.decompress(chunk, min(left, _PNG_BLOCK)))
      chunk = unpacker.unconsumed_tail
  if not unpacker.eof:
    raise Fault('truncated PNG: its compressed pixels have no end')
