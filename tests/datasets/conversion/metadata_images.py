"""Makes images whose metadata or header form decoders disagree about."""
import struct
import zlib

import numpy as np
from PIL import Image

from tests.datasets.conversion import odd_images


def with_chunks(*chunks, image=None):
  """Returns a PNG with chunks behind its header."""
  png = odd_images.encoded(image or odd_images.photo(), 'PNG')
  return png[:33] + b''.join(chunks) + png[33:]


def wrong_checksum(chunk):
  """Returns a PNG chunk whose checksum is wrong."""
  return chunk[:-1] + bytes([chunk[-1] ^ 1])


def harmless():
  """Returns a dict of name to PNG with metadata that costs no pixel."""
  chunk = odd_images.chunk
  noise = np.random.RandomState(0).bytes(1200000)
  return {
      'large text': with_chunks(chunk(b'zTXt', b'C\0\0' + zlib.compress(bytes(3 << 20)))),
      'much text': with_chunks(*[
          chunk(b'zTXt', b'C%d\0\0' % k + zlib.compress(bytes(1000000))) for k in range(70)]),
      'large profile': with_chunks(chunk(b'iCCP', b'icc\0\0' + zlib.compress(noise))),
      'checksum of text': with_chunks(wrong_checksum(chunk(b'tEXt', b'A\0b'))),
      'checksum of gamma': with_chunks(wrong_checksum(chunk(b'gAMA', b'\0\0\xb1\x8f'))),
      'exif cut short': with_chunks(chunk(b'eXIf', odd_images.exif(6)[6:12])),
      'exif of two bytes': with_chunks(chunk(b'eXIf', b'II'))}


def turned(number):
  """Returns a dict of name to PNG that metadata other than eXIf turns."""
  exif, chunk = odd_images.exif(number), odd_images.chunk
  xmp = b'<rdf:Description tiff:Orientation="%d"/>' % number
  element = b'<tiff:Orientation>%d</tiff:Orientation>' % number
  profile = b'\nexif\n%8d\n' % len(exif) + exif.hex().encode() + b'\n'
  key = b'XML:com.adobe.xmp\0'
  texts = {
      'xmp': (b'iTXt', key + bytes(4) + xmp),
      'xmp element': (b'iTXt', key + bytes(4) + element),
      'packed xmp': (b'iTXt', key + b'\1\0\0\0' + zlib.compress(xmp)),
      'raw exif': (b'zTXt', b'Raw profile type exif\0\0' + zlib.compress(profile)),
      'raw app1': (b'tEXt', b'Raw profile type APP1\0' + profile)}
  return {name: with_chunks(chunk(*text)) for name, text in texts.items()}


def bmp_with_masks(alpha, header_size=108):
  """Returns a BMP of version 4 or 5 with an alpha mask, and its pixels."""
  pixels = np.asarray(odd_images.photo())
  height, width = pixels.shape[:2]
  rows = np.concatenate(
      [pixels[::-1, :, ::-1], np.full([height, width, 1], alpha, np.uint8)], 2)
  header = struct.pack('<IiiHHIIiiII', header_size, width, height, 1, 32, 3,
                       rows.size, 2835, 2835, 0, 0)
  header += struct.pack('<IIII', 0xff0000, 0xff00, 0xff, 0xff000000) + b'BGRs'
  header += bytes(header_size - len(header))
  start = 14 + header_size
  return struct.pack('<2sIHHI', b'BM', start + rows.size, 0, 0,
                     start) + header + rows.tobytes(), pixels


def tiff_of_32_bits():
  """Returns a TIFF of 32-bit integers from 0 to 255, and its pixels."""
  pixels = np.asarray(odd_images.photo('L'))
  return odd_images.encoded(
      Image.fromarray(pixels.astype(np.int32)), 'TIFF'), pixels
