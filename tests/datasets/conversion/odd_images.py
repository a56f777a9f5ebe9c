"""Makes bad and odd images, each with the fate that it must have.

  python -m tests.datasets.conversion.odd_images FOLDER
"""
import collections
import io
import os
import struct
import sys
import zlib

import numpy as np
from PIL import Image

KEPT, CONVERTED, REJECTED = 'kept', 'converted', 'rejected'
MAX_PIXELS = 10000
WIDTH, HEIGHT = 48, 32

# fate: one of the three above; text: a part of the reason, '' if kept;
# image_format: of what is stored; mode: Pillow's of what is stored.
OddImage = collections.namedtuple(
    'OddImage', 'name content fate text image_format mode')


def photo(mode='RGB', width=WIDTH, height=HEIGHT, seed=0):
  """Returns an image with smooth colors and some noise."""
  rows, columns = np.mgrid[0:height, 0:width]
  planes = [columns * 5, rows * 7, 255 - columns * 2 - rows]
  noise = np.random.RandomState(seed).randint(0, 24, [height, width, 3])
  pixels = np.clip(np.stack(planes, -1) + noise, 0, 255).astype(np.uint8)
  return Image.fromarray(pixels).convert(mode)


def encoded(image, kind, **options):
  """Returns an image as the bytes of a file."""
  target = io.BytesIO()
  image.save(target, kind, **options)
  return target.getvalue()


def exif(orientation):
  """Returns EXIF that turns an image; 1 leaves it upright."""
  tags = Image.Exif()
  tags[0x112] = orientation
  return tags.tobytes()


def quarters():
  """Returns an image of four colors: red, green, blue, white by rows."""
  pixels = np.zeros([HEIGHT, WIDTH, 3], np.uint8)
  pixels[:HEIGHT // 2, :WIDTH // 2, 0] = 255
  pixels[:HEIGHT // 2, WIDTH // 2:, 1] = 255
  pixels[HEIGHT // 2:, :WIDTH // 2, 2] = 255
  pixels[HEIGHT // 2:, WIDTH // 2:] = 255
  return Image.fromarray(pixels)


def chunk(name, content):
  """Returns a chunk of a PNG file."""
  return struct.pack('>I', len(content)) + name + content + struct.pack(
      '>I', zlib.crc32(name + content))


def png_of_16_bits(channels):
  """Returns a PNG of 16 bits a channel and its values, [height, width, n]."""
  values = np.random.RandomState(1).randint(
      0, 65536, [HEIGHT, WIDTH, channels]).astype('>u2')
  rows = b''.join(b'\0' + row.tobytes() for row in values)
  header = struct.pack('>IIBBBBB', WIDTH, HEIGHT, 16,
                       {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
  return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) +
          chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b'')), values


def with_gray_bar(jpeg, share=0.5):
  """Returns a JPEG whose last scan stops early, before an end marker."""
  start = jpeg.rindex(b'\xff\xda')
  return jpeg[:start + int((len(jpeg) - start) * share)] + b'\xff\xd9'


def with_stray_marker(jpeg):
  """Returns a JPEG with the marker of a segment among its last image data."""
  return jpeg[:-60] + b'\xff\xe9\xff\0' + jpeg[-56:]


def one_scan_a_color():
  """Returns a JPEG whose three components stand in scans of their own."""
  planes = [encoded(plane, 'JPEG') for plane in photo('YCbCr').split()]
  gray = planes[0]
  frame, tables = gray.index(b'\xff\xc0'), gray.index(b'\xff\xc4')
  header = gray[frame + 4:frame + 9] + bytes([3]) + b''.join(
      bytes([component, 0x11, 0]) for component in (1, 2, 3))
  parts = [gray[:frame], b'\xff\xc0', struct.pack('>H', len(header) + 2),
           header, gray[tables:gray.index(b'\xff\xda')]]
  for component, plane in enumerate(planes, 1):
    data = plane[plane.index(b'\xff\xda') + 10:-2]
    parts += [b'\xff\xda\0\x08\1', bytes([component]), b'\0\0\x3f\0', data]
  return b''.join(parts) + b'\xff\xd9'


def with_size(jpeg, height, width):
  """Returns a JPEG whose header claims another size."""
  at = jpeg.index(b'\xff\xc0') + 5
  return jpeg[:at] + struct.pack('>HH', height, width) + jpeg[at + 4:]


def _bomb():
  header = struct.pack('>IIBBBBB', 50000, 50000, 8, 0, 0, 0, 0)
  return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(
      b'IDAT', zlib.compress(bytes(1000))) + chunk(b'IEND', b''))


def _kept():
  """Yields (name, content, image format, mode)."""
  jpeg = encoded(photo(), 'JPEG')
  for name, content in (
      ('plain.jpg', jpeg),
      ('progressive.jpg', encoded(photo(), 'JPEG', progressive=True)),
      ('one scan a color.jpg', one_scan_a_color()),
      ('jpeg named png.png', jpeg),
      ('behind the end.jpg', jpeg + b'trailing bytes'),
      ('four four four.jpg', encoded(photo(), 'JPEG', subsampling=0)),
      ('upright by exif.jpg', encoded(photo(), 'JPEG', exif=exif(1))),
      ('damaged exif.jpg', encoded(
          photo(), 'JPEG', exif=b'Exif\0\0II*\0' + b'\xff' * 20)),
      ('mid-gray below.jpg', encoded(_gray_below(), 'JPEG')),
      ('one pixel.jpg', encoded(photo(width=1, height=1), 'JPEG'))):
    yield name, content, 'jpg', 'RGB'
  yield 'gray.jpg', encoded(photo('L'), 'JPEG'), 'jpg', 'L'
  yield 'plain.png', encoded(photo(), 'PNG'), 'png', 'RGB'
  yield 'gray.png', encoded(photo('L'), 'PNG'), 'png', 'L'
  yield 'png named jpg.jpg', encoded(photo(), 'PNG'), 'png', 'RGB'


def _gray_below():
  image = photo()
  image.paste((128, 128, 128), (0, HEIGHT // 2, WIDTH, HEIGHT))
  return image


def _converted():
  """Yields (name, content, reason, image format, mode)."""
  frames = [photo(seed=seed) for seed in range(3)]
  animated = dict(save_all=True, append_images=frames[1:])
  yield ('cmyk.jpg', encoded(photo('CMYK'), 'JPEG'), 'four inks', 'jpg', 'RGB')
  for orientation in range(2, 9):
    yield ('turned %d.jpg' % orientation, encoded(
        quarters(), 'JPEG', exif=exif(orientation), quality=95), 'EXIF', 'jpg',
           'RGB')
  transparent = photo('RGBA')
  transparent.putalpha(0)
  gray_alpha = photo('L').convert('LA')
  color_key = encoded(photo(), 'PNG', transparency=(1, 2, 3))
  palette = photo().quantize(16)
  for name, content, reason, mode in (
      ('turned.png', encoded(photo(), 'PNG', exif=exif(6)), 'EXIF', 'RGB'),
      ('palette.png', encoded(palette, 'PNG'), 'palette', 'RGB'),
      ('palette with alpha.png', encoded(palette, 'PNG', transparency=3),
       'palette', 'RGB'),
      ('alpha.png', encoded(transparent, 'PNG'), 'alpha', 'RGB'),
      ('gray with alpha.png', encoded(gray_alpha, 'PNG'), 'alpha', 'RGB'),
      ('transparent color.png', color_key, 'alpha', 'RGB'),
      ('16 bits.png', png_of_16_bits(1)[0], '16 bits', 'L'),
      ('16 bits color.png', png_of_16_bits(3)[0], '16 bits', 'RGB'),
      ('16 bits with alpha.png', png_of_16_bits(4)[0], 'alpha', 'RGB'),
      ('one bit.png', encoded(photo('1'), 'PNG'), '1 bits', 'L'),
      ('animated.png', encoded(frames[0], 'PNG', **animated), 'animated',
       'RGB'),
      ('still.gif', encoded(palette, 'GIF'), 'GIF', 'RGB'),
      ('animated.gif', encoded(frames[0], 'GIF', **animated), 'GIF', 'RGB'),
      ('image.bmp', encoded(photo(), 'BMP'), 'BMP', 'RGB'),
      ('bmp named jpg.jpg', encoded(photo(), 'BMP'), 'BMP', 'RGB'),
      ('image.tif', encoded(photo(), 'TIFF'), 'TIFF', 'RGB'),
      ('cmyk.tif', encoded(photo('CMYK'), 'TIFF'), 'TIFF', 'RGB')):
    yield name, content, reason, 'png', mode
  yield 'image.webp', encoded(photo(), 'WEBP'), 'WEBP', 'jpg', 'RGB'
  yield ('alpha.webp', encoded(transparent, 'WEBP'), 'WEBP', 'jpg', 'RGB')


def _rejected():
  """Yields (name, content, reason)."""
  yield from _rejected_jpegs(encoded(photo(), 'JPEG'),
                             encoded(photo(), 'JPEG', progressive=True))
  yield from _rejected_others(encoded(photo(), 'PNG'))


def _rejected_jpegs(jpeg, progressive):
  return (
      ('start only.jpg', jpeg[:3], 'truncated JPEG'),
      ('header only.jpg', jpeg[:200], 'truncated JPEG'),
      ('half.jpg', jpeg[:len(jpeg) // 2 + 300], 'truncated JPEG'),
      ('no end.jpg', jpeg[:-2], 'truncated JPEG: no end marker'),
      ('half progressive.jpg', progressive[:-200], 'truncated'),
      ('gray bar.jpg', with_gray_bar(jpeg), 'it ends in gray'),
      ('gray bar of gray.jpg', with_gray_bar(encoded(photo('L'), 'JPEG')), 'it ends in gray'),
      ('cut in its last scan.jpg', with_gray_bar(progressive), 'its last scan ends early'),
      ('cut near its end.jpg',
       with_gray_bar(encoded(photo('L'), 'JPEG', progressive=True), 0.95), 'its last scan'),
      ('only its first scan.jpg', progressive[:progressive.index(b'\xff\xda') + 30] + b'\xff\xd9',
       'its last scan ends early'),
      ('color in other scans.jpg', with_gray_bar(one_scan_a_color()), 'its last scan ends early'),
      ('stray marker.jpg', with_stray_marker(jpeg), 'truncated JPEG: no end marker'),
      ('larger than its data.jpg', with_size(jpeg, 96, 96), 'it ends in gray'),
      ('no frame.jpg', b'\xff\xd8\xff\xda\0\2' + bytes(20), 'damaged JPEG'),
      ('large.jpg', encoded(photo(width=120, height=100), 'JPEG'),
       '120 x 100 pixels are more than --max_pixels=10000'))


def _rejected_others(png):
  broken = bytearray(png)
  broken[png.index(b'IDAT') + 10] ^= 255
  return (
      ('empty.jpg', b'', 'empty file'),
      ('text.jpg', b'This is no image.', 'not an image'),
      ('page.png', b'<!DOCTYPE html><html></html>', 'not an image'),
      ('zeros.jpg', bytes(1000), 'not an image'),
      ('drawing.jpg', b'<svg xmlns="http://www.w3.org/2000/svg"/>', 'not an image'),
      ('half.png', png[:len(png) // 2], 'truncated PNG'),
      ('start only.png', png[:20], 'truncated PNG'),
      ('wrong checksum.png', bytes(broken), 'damaged PNG: wrong checksum'),
      ('two headers.png', png[:-12] + png[8:33] + png[-12:], 'its header is not first'),
      ('unknown chunk.png', png[:-12] + chunk(b'ABCD', b'') + png[-12:], 'unknown critical chunk'),
      ('pixels without an end.png', _png_without_checksum(), 'compressed pixels have no end'),
      ('half.gif', encoded(photo().quantize(16), 'GIF')[:300], 'damaged GIF'),
      ('half.bmp', encoded(photo(), 'BMP')[:500], 'damaged BMP'),
      ('half.webp', encoded(photo(), 'WEBP')[:100], 'damaged WEBP'),
      ('half.tif', encoded(photo(), 'TIFF')[:400], 'damaged TIFF'),
      ('bomb.png', _bomb(), '50000 x 50000 pixels are more than --max_pixels'),
      ('floating point.tif', encoded(photo('F'), 'TIFF'), 'floating-point'))


def _png_without_checksum():
  """Returns a PNG whose pixels are there, but not the end of their packing."""
  header = struct.pack('>IIBBBBB', WIDTH, HEIGHT, 8, 0, 0, 0, 0)
  packed = zlib.compress(bytes(HEIGHT * (1 + WIDTH)))
  return b''.join((b'\x89PNG\r\n\x1a\n', chunk(b'IHDR', header), chunk(
      b'IDAT', packed[:-4]), chunk(b'IEND', b'')))


def corpus():
  """Returns the list of OddImages; MAX_PIXELS is the limit they are for."""
  return [
      OddImage(name, content, KEPT, '', image_format, mode)
      for name, content, image_format, mode in _kept()] + [
          OddImage(name, content, CONVERTED, reason, image_format, mode)
          for name, content, reason, image_format, mode in _converted()] + [
              OddImage(name, content, REJECTED, reason, None, None)
              for name, content, reason in _rejected()]


def write(folder):
  """Writes the images into a folder and returns their list."""
  os.makedirs(str(folder), exist_ok=True)
  images = corpus()
  for image in images:
    with open(os.path.join(str(folder), image.name), 'wb') as target:
      target.write(image.content)
  return images


if __name__ == '__main__':
  for written in write(sys.argv[1]):
    print('%-10s %-28s %s' % (written.fate, written.name, written.text))
