"""Image formats by the first bytes of a file, whatever its name says."""
import struct
from typing import Optional

JPEG, PNG, GIF, BMP = 'JPEG', 'PNG', 'GIF', 'BMP'
TIFF, WEBP = 'TIFF', 'WEBP'
PPM, PCX, TGA, JPEG2000 = 'PPM', 'PCX', 'TGA', 'JPEG2000'
# What TensorFlow's decoders read.
READ_BY_TENSORFLOW = (JPEG, PNG, GIF, BMP)

SIGNATURES = {
    JPEG: (b'\xff\xd8\xff',), PNG: (b'\x89PNG\r\n\x1a\n',), BMP: (b'BM',),
    GIF: (b'GIF87a', b'GIF89a'), TIFF: (b'II*\x00', b'MM\x00*'),
    JPEG2000: (b'\x00\x00\x00\x0cjP  \r\n\x87\n', b'\xff\x4f\xff\x51')}
# Of the names of image files.
ENDINGS = (
    '.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.gif', '.bmp', '.dib', '.webp',
    '.tif', '.tiff', '.heic', '.heif', '.avif', '.jp2', '.svg', '.ico', '.ppm')
# Bytes of a file that `detect` looks at, at most.
HEAD_SIZE = 18
# Formats that are named, but not read: start of the file, and what converts it.
_UNREAD = (
    ('JPEG XL', b'\xff\x0a', 'djxl in.jxl out.png'),
    ('JPEG XL', b'\x00\x00\x00\x0cJXL ', 'djxl in.jxl out.png'),
    ('SGI', b'\x01\xda', 'magick in.sgi out.png'),
    ('EPS', b'%!PS', 'magick in.eps out.png'),
    ('EPS', b'\xc5\xd0\xd3\xc6', 'magick in.eps out.png'),
    ('ICNS', b'icns', 'magick in.icns out.png'),
    ('PSD', b'8BPS', 'magick in.psd out.png'),
    ('ICO', b'\x00\x00\x01\x00', 'magick in.ico out.png'))
_BRANDS = {b'avif': 'AVIF', b'avis': 'AVIF', b'heic': 'HEIC', b'heix': 'HEIC',
           b'hevc': 'HEIC', b'mif1': 'HEIC', b'msf1': 'HEIC'}
_BMP_INFO_BYTES = 40


def detect(content: bytes) -> Optional[str]:
  """Returns the format that bytes begin as, such as JPEG; None for no image."""
  for name, signatures in SIGNATURES.items():
    if content.startswith(signatures):
      return name
  if content[:4] == b'RIFF' and content[8:12] == b'WEBP':
    return WEBP
  if content[:1] == b'P' and content[1:2] in b'123456' and (
      content[2:3] in (b'\n', b' ', b'\t', b'\r')):
    return PPM
  if content[:1] == b'\n' and content[1:2] in (
      b'\0', b'\2', b'\3', b'\4', b'\5') and content[2:3] == b'\1':
    return PCX
  return TGA if _is_tga(content) else None


def unread(content: bytes) -> Optional[str]:
  """Returns what to do about a format that is not read; None for any other.

  Args:
    content: the file, or its first `HEAD_SIZE` bytes.
  """
  if content[4:8] == b'ftyp' and content[8:12] in _BRANDS:
    name = _BRANDS[content[8:12]]
    return '%s: not read; convert it, e.g. with: magick in.%s out.png' % (
        name, name.lower())
  for name, start, command in _UNREAD:
    if content.startswith(start):
      return '%s: not read; convert it, e.g. with: %s' % (name, command)
  return None


def why_not_decoded(content: bytes, channels: int = 3) -> Optional[str]:
  """Returns why TensorFlow does not decode a file, or None.

  Training names this, and the dataset doctor refuses it.

  Args:
    content: the file, or its start.
    channels: those to decode to, 3 or 1.
  """
  image_format = detect(content)
  if image_format not in READ_BY_TENSORFLOW:
    return '%sneither JPEG, PNG, GIF nor BMP' % (
        image_format + ', ' if image_format else '')
  if channels == 1 and image_format in (GIF, BMP):
    return 'a %s, which is not decoded to one channel' % image_format
  if image_format == BMP:
    return _why_no_bmp(content)
  if image_format == GIF and _num_gif_frames(content) > 1:
    return 'an animated GIF'
  return None


def _is_tga(content):
  """Whether bytes begin as a TGA, which has no signature."""
  if len(content) < 18:
    return False
  palette, kind = content[1], content[2]
  width, height = struct.unpack_from('<HH', content, 12)
  fits = (content[3:8] == bytes(5) if palette == 0 else
          palette == 1 and content[7] in (15, 16, 24, 32))
  return (fits and kind in ((1, 9) if palette else (2, 3, 10, 11)) and
          content[16] in (8, 15, 16, 24, 32) and width > 0 < height and
          not content[17] & 0xc0)


def _why_no_bmp(content):
  """TensorFlow 1.15 takes the bits of a pixel for its channels.

  TensorFlow 2 does so below 24 bits: the colors of a palette are lost.
  """
  if len(content) < 34:  # It is cut off, whatever its form.
    return None
  if content[14] < _BMP_INFO_BYTES:
    return 'a BMP of an old form'
  bits, compression = struct.unpack_from('<HI', content, 28)
  if bits != 24:
    return 'a BMP of %d bits%s' % (
        bits, ', read by TensorFlow 2 only' if bits == 32 else
        ', with a palette' * (bits <= 8))
  return 'a compressed BMP' if compression else None


def _num_gif_frames(content):
  """Returns the number of images in a GIF, as far as its blocks are whole."""
  at, frames = 13, 0
  if len(content) > 10 and content[10] & 0x80:
    at += 3 << ((content[10] & 7) + 1)
  while at < len(content) and content[at] in (0x21, 0x2c):
    if content[at] == 0x21:
      at += 2
    else:
      frames += 1
      if at + 9 >= len(content):
        break
      flags = content[at + 9]
      at += 11 + ((3 << ((flags & 7) + 1)) if flags & 0x80 else 0)
    while at < len(content) and content[at]:
      at += content[at] + 1
    at += 1
  return frames
