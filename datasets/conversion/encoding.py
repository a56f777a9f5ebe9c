"""Images and features as bytes: PNG files and serialized tf.train.Examples.

Worker processes do this. It needs no TensorFlow, whose import would take each
of them a second or more. PNG files are written here because Pillow takes three
times as long for an image of 28 x 28.
"""
import array
import functools
import struct
import zlib

import numpy as np

_PNG_SIGNATURE = b'\x89PNG\r\n\x1a\n'
_PNG_COLOR_TYPES = {1: 0, 3: 2}
_NO_FILTER, _DIFFERENCE_TO_ROW_ABOVE = 0, 2
# Level 9 would save 3 % of the bytes and take 60 % longer.
_COMPRESSION_LEVEL = 1

_BYTES_LIST, _FLOAT_LIST, _INT64_LIST = 1, 2, 3
_KINDS = {'f': _FLOAT_LIST, 'q': _INT64_LIST}


def encode_pngs(images):
  """Yields each image as a PNG file.

  Args:
    images: uint8 [count, height, width, channels], channels 1 (grayscale) or 3
      (red, green, blue), values 0..255.
  """
  count, height, width, channels = images.shape
  header = _png_chunk(b'IHDR', struct.pack(
      '>IIBBBBB', width, height, 8, _PNG_COLOR_TYPES[channels], 0, 0, 0))
  start, end = _PNG_SIGNATURE + header, _png_chunk(b'IEND', b'')
  rows = images.reshape([count, height, width * channels])
  filtered = np.empty([count, height, 1 + width * channels], np.uint8)
  filtered[:, :, 0] = _NO_FILTER
  filtered[:, :, 1:] = rows
  if channels == 3:
    # Makes photographs 15 % smaller, drawings on black larger.
    filtered[:, :, 0] = _DIFFERENCE_TO_ROW_ABOVE
    filtered[:, 1:, 1:] -= rows[:, :-1]
  for image in filtered:
    yield b''.join((start, _png_chunk(
        b'IDAT', zlib.compress(image.tobytes(), _COMPRESSION_LEVEL)), end))


def _png_chunk(kind, content):
  return b''.join((struct.pack('>I', len(content)), kind, content,
                   struct.pack('>I', zlib.crc32(content, zlib.crc32(kind)))))


def serialize_example(features):
  """Returns a serialized tf.train.Example.

  Args:
    features: dict of name to value, or to list of values of one type: bytes,
      float or int (64 bits, signed). An empty list is a feature without a
      type, an empty `array.array` of 'f' or 'q' one with its type. A parser
      takes both as missing.
  """
  parts = []
  for name in sorted(features):
    value = features[name]
    if isinstance(value, bytes):
      # An image is copied once, at the end.
      parts += [_before_bytes(name, len(value)), value]
    elif isinstance(value, int):
      parts.append(_integer_entry(name, value))
    else:
      values = value if isinstance(value, (list, array.array)) else [value]
      parts.append(_entry(name, values))
  return b''.join([_start(1, sum(map(len, parts)))] + parts)


def box_features(boxes):
  """Returns the features of the boxes around the objects of an image.

  Args:
    boxes: list of (xmin, ymin, xmax, ymax), fractions of width and height.
  """
  columns = list(zip(*boxes)) or [()] * 4
  return {'image/object/bbox/' + name: array.array('f', values)
          for name, values in zip(('xmin', 'ymin', 'xmax', 'ymax'), columns)}


def _before_bytes(name, size):
  """Returns an entry of one value of `size` bytes, up to the value."""
  before = b''
  for field in (1, _BYTES_LIST, 2):
    before = _start(field, len(before) + size) + before
  before = _message(1, name.encode('utf-8')) + before
  return _start(1, len(before) + size) + before


@functools.lru_cache(maxsize=4096)
def _integer_entry(name, value):
  """Returns the entry of one integer; the same few are needed often."""
  return _entry(name, [value])


def _entry(name, values):
  """Returns an entry of the map from feature names to features."""
  return _message(1, _message(1, name.encode('utf-8')) +
                  _message(2, _feature(values)))


def _feature(values):
  """Returns the serialized tf.train.Feature of a list of values."""
  if not values:
    # An array has a type even if it is empty.
    kind = _KINDS.get(getattr(values, 'typecode', None))
    return _message(kind, b'') if kind else b''
  if isinstance(values[0], bytes):
    return _message(_BYTES_LIST, b''.join(_message(1, v) for v in values))
  if isinstance(values[0], float):
    packed = struct.pack('<%df' % len(values), *values)
    return _message(_FLOAT_LIST, _message(1, packed))
  return _message(
      _INT64_LIST, _message(1, b''.join(_varint(v) for v in values)))


def _message(field, content):
  """Returns a protocol buffer field that holds bytes."""
  return _start(field, len(content)) + content


def _start(field, size):
  """Returns what precedes the content of a field of `size` bytes."""
  return _varint(field << 3 | 2) + _varint(size)


@functools.lru_cache(maxsize=4096)
def _varint(number):
  """Returns an integer as protocol buffers write it: 7 bits per byte."""
  number &= (1 << 64) - 1
  encoded = bytearray()
  while number > 127:
    encoded.append(number & 127 | 128)
    number >>= 7
  encoded.append(number)
  return bytes(encoded)


def encode_images(images, labels):
  """Returns a list of (serialized tf.train.Example, label), one per image.

  Args:
    images: uint8 [count, height, width, channels] as for `encode_pngs`.
    labels: integers [count].
  """
  height, width = images.shape[1:3]
  return [(serialize_example({
      'image/encoded': png,
      'image/format': b'png',
      'image/class/label': label,
      'image/height': height,
      'image/width': width,
  }), label) for png, label in zip(encode_pngs(images), labels.tolist())]
