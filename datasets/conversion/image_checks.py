"""Checks an encoded image by its content: kept, converted or rejected.

What TensorFlow reads is kept byte for byte; the rest is converted once, here,
and not at every step of a training. File names do not matter.

| content                                         | result                     |
|-------------------------------------------------|----------------------------|
| JPEG, grayscale or RGB of 8 bits, upright       | kept                       |
| JPEG rotated or flipped by EXIF                 | upright; JPEG              |
| JPEG of four inks (CMYK, YCCK)                  | RGB; JPEG                  |
| JPEG with arithmetic coding                     | JPEG                       |
| PNG, grayscale or RGB of 8 bits, no alpha       | kept                       |
| PNG with a palette, or of 1, 2, 4 or 16 bits    | 8 bits, gray or RGB; PNG   |
| PNG with alpha or a transparent color           | over the background; PNG   |
| PNG rotated or flipped by EXIF, animated PNG    | upright, first frame; PNG  |
| GIF, BMP, TIFF (first frame), PGM, PPM, PBM,    | grayscale or RGB; PNG      |
| PCX, TGA, JPEG 2000                             |                            |
| WebP (first frame)                              | RGB; JPEG                  |
| empty; truncated, damaged; more than            | rejected with the reason   |
| `max_pixels`; no image; floating-point pixels   |                            |

JPEG is written with quality 95 and color at full resolution. Sixteen bits
become eight by rounding (Pillow's color PNGs: by dropping the lower eight).
A BMP or TGA whose alpha is 0 everywhere is opaque, as other programs take it.
A TIFF of 32 bits whose values are at most 255 keeps them.
"""
import collections
import contextlib
import io
import warnings

import numpy as np
from PIL import features
from PIL import Image
from PIL import ImageColor

from datasets import dataset_info
from datasets.conversion import bmp_headers
from datasets.conversion import image_integrity
from datasets.conversion import orientation
from slim_common import image_formats

MAX_PIXELS = dataset_info.MAX_PIXELS
WHITE = (255, 255, 255)


class Policy(collections.namedtuple(
    'Policy', 'max_pixels background turn only_jpeg',
    defaults=(MAX_PIXELS, WHITE, True, False))):
  """How images are checked and converted.

  Attributes:
    max_pixels: maximum height times width; larger images are rejected.
    background: (red, green, blue), 0..255, shown through transparency.
    turn: whether the EXIF orientation is applied; if not, such a JPEG is kept.
    only_jpeg: whether a PNG is stored as a JPEG.
  """


class Verdict(collections.namedtuple(
    'Verdict', 'content image_format height width conversion fault warning',
    defaults=(None,))):
  """What becomes of an image.

  Attributes:
    content: bytes of a JPEG or PNG file; None if the image is rejected.
    image_format: 'jpg' or 'png'; None if rejected.
    height: in pixels; None if rejected.
    width: in pixels; None if rejected.
    conversion: why it was converted; None if the content is as given.
    fault: why it is rejected; None if it is not.
    warning: what its conversion may have lost; None for nothing.
  """


_Fault = image_integrity.Fault
_JPEG_QUALITY = 95
# Why a JPEG is converted that TensorFlow decodes to three channels.
FOUR_INKS = 'JPEG of four inks'
_STORED_AS_JPEG = ('JPEG', 'WEBP')

# Frames that TensorFlow reads: baseline, extended and progressive Huffman.
_HUFFMAN_FRAMES = (0xc0, 0xc1, 0xc2)
_WITH_IDLE_ALPHA = (image_formats.BMP, image_formats.TGA)
# The transposition that undoes each other orientation.
_TURNS = {
    2: Image.FLIP_LEFT_RIGHT, 3: Image.ROTATE_180, 4: Image.FLIP_TOP_BOTTOM,
    5: Image.TRANSPOSE, 6: Image.ROTATE_270, 7: Image.TRANSVERSE,
    8: Image.ROTATE_90}


def check(content, policy=Policy()):
  """Checks an image.

  Args:
    content: bytes of the whole file.
    policy: a `Policy`.

  Returns:
    A `Verdict`. Nothing is raised, whatever the bytes are.
  """
  kind = image_formats.detect(content)
  try:
    if not content:
      raise _Fault('empty file')
    if not kind:
      raise _Fault(image_formats.unread(content) or (
          'not an image (JPEG, PNG, GIF, BMP, WebP, TIFF, PPM, PCX, TGA and '
          'JPEG 2000 are read)'))
    if kind == image_formats.JPEG2000 and not features.check('jpg_2000'):
      raise _Fault('JPEG 2000: this Pillow does not read it; convert it, e.g. '
                   'with: magick in.jp2 out.png')
    verdict = _check(content, kind, policy)
    if policy.only_jpeg and verdict.image_format == 'png':
      return _as_jpeg(verdict)
    return verdict
  except _Fault as fault:
    return rejected(str(fault))
  except MemoryError:
    return rejected('no memory to decode this %s' % kind)
  # Pillow's readers raise errors of many classes on damaged files.
  except Exception as error:  # pylint: disable=broad-except
    reason = (str(error) or type(error).__name__).splitlines()[0]
    if 'cannot identify image file' in reason:
      reason = 'its header is damaged, or of a form that Pillow does not read'
    return rejected('damaged %s: %s' % (kind, reason))


def parse_background(text):
  """Returns the (red, green, blue), 0..255, of a color name or #rrggbb.

  Raises:
    ValueError: it is not a color.
  """
  try:
    return ImageColor.getrgb(text)[:3]
  except ValueError:
    raise ValueError('--background=%s is not a color: give a name, such as '
                     'white, or #rrggbb' % text)


def rejected(fault):
  """Returns the `Verdict` on an image that cannot be used."""
  return Verdict(None, None, None, None, None, fault)


def _check(content, kind, policy):
  parts, readable = {}, content
  if kind == 'JPEG':
    parts = dict(image_integrity.jpeg_segments(content))
  elif kind == 'PNG':
    parts = image_integrity.png_chunks(content)
    readable = image_integrity.png_without_metadata(parts)
  elif kind == image_formats.BMP:
    readable = bmp_headers.readable(content)
  with _quiet_pillow():
    image = Image.open(io.BytesIO(readable), formats=(kind,))
    width, height = image.size
    if width * height > policy.max_pixels:
      raise _Fault('%d x %d pixels are more than --max_pixels=%d' % (
          width, height, policy.max_pixels))
    reason = _reason_to_convert(content, kind, parts, image)
    turn = _orientation(kind, parts, image) if policy.turn else (
        orientation.UPRIGHT)
    if turn != orientation.UPRIGHT:
      reason = reason or 'turned by %s' % (
          'EXIF or XMP' if kind == 'PNG' else 'EXIF')
    if reason:
      return _converted(image, kind, reason, policy.background, turn)
    if kind == 'JPEG':
      image_integrity.verify_jpeg(content, parts, image)
    else:
      image.load()
  return Verdict(content, 'jpg' if kind == 'JPEG' else 'png', height, width,
                 None, None)


@contextlib.contextmanager
def _quiet_pillow():
  """Switches off Pillow's warnings and its own limit of pixels."""
  limit = Image.MAX_IMAGE_PIXELS
  Image.MAX_IMAGE_PIXELS = None
  try:
    with warnings.catch_warnings():
      warnings.simplefilter('ignore')
      yield
  finally:
    Image.MAX_IMAGE_PIXELS = limit


def _reason_to_convert(content, kind, parts, image):
  """Returns why an image cannot be kept even if it is upright, or None.

  Raises:
    _Fault: the chunks or segments show that it is damaged.
  """
  if kind == 'PNG':
    return image_integrity.png_reason(content, parts)
  if kind != 'JPEG':
    return kind
  if image.mode not in ('L', 'RGB'):
    return '%s (%s)' % (FOUR_INKS, image.mode)
  if not any(frame in parts for frame in _HUFFMAN_FRAMES):
    return 'JPEG with a coding that TensorFlow does not read'
  return None


def _orientation(kind, parts, image):
  """Returns the orientation, 1 (upright) to 8, that metadata asks for."""
  if kind == 'PNG':
    return orientation.of_png(parts)
  return orientation.of_exif(image.info.get('exif', b''))


def _converted(image, kind, reason, background, turn):
  """Returns the verdict on an image that becomes gray or RGB of 8 bits."""
  image.load()
  plain = _to_gray_or_rgb(image, kind, background)
  warning = None
  if _is_one_color(plain) and not _is_one_color(image):
    warning = 'it has several colors, but only one after its conversion'
  if turn != orientation.UPRIGHT:
    plain = plain.transpose(_TURNS[turn])
  image_format = 'JPEG' if kind in _STORED_AS_JPEG else 'PNG'
  width, height = plain.size
  return Verdict(
      _encoded(plain, image_format), 'jpg' if image_format == 'JPEG' else 'png',
      height, width, reason, None, warning)


def _is_one_color(image):
  if image.mode in ('P', 'PA'):
    image = image.convert('RGBA')
  if image.mode.startswith(('I', 'F')):
    return np.ptp(np.asarray(image)) == 0
  extrema = image.getextrema()
  extrema = extrema if isinstance(extrema[0], tuple) else (extrema,)
  return all(low == high for low, high in extrema)


def _encoded(image, image_format):
  """Returns an image as the bytes of a JPEG or PNG file."""
  # Pillow would copy color profiles, at any size.
  image.info = {}
  target = io.BytesIO()
  if image_format == 'JPEG':
    image.save(target, 'JPEG', quality=_JPEG_QUALITY, subsampling=0)
  else:
    image.save(target, 'PNG')
  return target.getvalue()


def _as_jpeg(verdict):
  """Returns the verdict on a PNG that is stored as a JPEG."""
  readable = image_integrity.png_without_metadata(
      image_integrity.png_chunks(verdict.content))
  with _quiet_pillow():
    image = Image.open(io.BytesIO(readable)).convert('RGB')
  return verdict._replace(content=_encoded(image, 'JPEG'), image_format='jpg',
                          conversion=verdict.conversion or 'PNG')


def _to_gray_or_rgb(image, kind, background):
  """Returns an image of mode L or RGB."""
  if image.mode == 'F':
    raise _Fault('floating-point pixels, whose range is unknown')
  if image.mode.startswith('I'):
    pixels = np.asarray(image).astype(np.int64)
    if pixels.min() < 0 or pixels.max() > 65535:
      raise _Fault('pixels of 32 bits, whose range is unknown')
    if kind == 'TIFF' and image.mode == 'I' and pixels.max() < 256:
      return Image.fromarray(pixels.astype(np.uint8))
    return Image.fromarray(((pixels + 128) // 257).astype(np.uint8))
  if (kind in _WITH_IDLE_ALPHA and image.mode in ('LA', 'RGBA') and
      image.getchannel('A').getextrema() == (0, 0)):
    return image.convert(image.mode[:-1])
  if (image.mode in ('LA', 'PA', 'RGBA', 'La', 'RGBa') or
      'transparency' in image.info):
    opaque = Image.new('RGBA', image.size, tuple(background) + (255,))
    return Image.alpha_composite(opaque, image.convert('RGBA')).convert('RGB')
  return image.convert('L' if image.mode in ('1', 'L') else 'RGB')
