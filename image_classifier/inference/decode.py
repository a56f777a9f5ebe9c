"""Decoding of image files inside a graph, by the rules of the converters.

A JPEG or PNG is turned upright by its EXIF, white shows through a transparent
PNG, and of a GIF the first frame counts. TensorFlow decodes JPEG, PNG, GIF and
BMP only: classify_image.py converts other formats first, and clients of
`serving_bytes` have to.
"""
import tensorflow.compat.v1 as tf

from slim_common import image_formats

# EXIF is in the first segments of a JPEG; each has 64 KiB at most.
_HEAD_BYTES = 1 << 17
_EXIF, _EXIF_IN_PNG = b'Exif\0\0', b'eXIf'
_PNG_ALPHA = (4, 6)
_ORIENTATION, _SHORT = 0x112, 3
_MAX_ENTRIES = 64
_ENTRY_BYTES = 12


def decode(encoded, channels):
  """Decodes JPEG, PNG, BMP or the first frame of a GIF, string scalar.

  Unlike those of tf.image.decode_image in TensorFlow 2, TensorFlow 1.15 has all
  of these operations, and so reads what is exported.

  Returns:
    uint8 [height, width, channels]; channels are 1 or 3.
  """
  head = _head(encoded)

  def is_a(image_format):
    start, *_ = image_formats.SIGNATURES[image_format]
    # Both signatures of GIF begin alike. As numbers, since tf2onnx takes every
    # string in a graph for UTF-8.
    size = min(len(start), 4)
    return tf.reduce_all(tf.equal(head[:size], list(start[:size])))

  def decode_gif():
    frame = tf.image.decode_gif(encoded)[0]
    return frame if channels == 3 else tf.image.rgb_to_grayscale(frame)

  return tf.case([
      (is_a(image_formats.BMP),
       lambda: tf.image.decode_bmp(encoded, channels=channels)),
      (is_a(image_formats.GIF), decode_gif),
      (is_a(image_formats.PNG), lambda: _upright(
          _decode_png(encoded, channels), encoded, _EXIF_IN_PNG)),
  ], default=lambda: _upright(
      tf.image.decode_jpeg(encoded, channels=channels), encoded))


def _decode_png(encoded, channels):
  """Decodes a PNG, over white if it is transparent."""
  def plain():
    return tf.image.decode_png(encoded, channels=channels)

  def over_white():
    with_alpha = tf.image.decode_png(encoded, channels=4)
    alpha = tf.cast(with_alpha[..., 3:], tf.int32)
    # Not from the colors: gray stays exact.
    image = with_alpha[..., :3] if channels == 3 else plain()
    mixed = tf.cast(image, tf.int32) * alpha + 255 * (255 - alpha)
    return tf.cast((mixed + 127) // 255, tf.uint8)

  # TensorFlow decodes wrongly with alpha what has none and less than 8 bits.
  head = _head(encoded)
  color_type = tf.gather(head, tf.minimum(25, tf.size(head) - 1))
  return tf.cond(
      tf.reduce_any(tf.equal(color_type, _PNG_ALPHA)) |
      tf.reduce_any(_positions_of(head, b'tRNS')), over_white, plain)


def _head(encoded):
  """Returns the first bytes of a file, int32 [n], with zeros behind."""
  size = tf.minimum(tf.strings.length(encoded), _HEAD_BYTES)
  head = tf.io.decode_raw(tf.strings.substr(encoded, 0, size), tf.uint8)
  return tf.concat([
      tf.cast(head, tf.int32), tf.zeros([_ENTRY_BYTES], tf.int32)], 0)


def _positions_of(head, marker):
  """Returns whether each byte of a head is the start of a marker."""
  count = tf.size(head) - len(marker)
  return tf.reduce_all(tf.stack([
      tf.equal(head[k:count + k], value) for k, value in enumerate(marker)]), 0)


def _upright(image, encoded, marker=_EXIF):
  """Turns and flips an image [height, width, channels] as its EXIF says."""
  orientation = exif_orientation(encoded, marker)
  for cases, function in (
      ((5, 6, 7, 8), lambda image: tf.transpose(image, [1, 0, 2])),
      ((2, 3, 6, 7), lambda image: tf.reverse(image, [1])),
      ((3, 4, 7, 8), lambda image: tf.reverse(image, [0]))):
    image = tf.cond(
        tf.reduce_any(tf.equal(orientation, cases)),
        lambda function=function, image=image: function(image),
        lambda image=image: tf.identity(image))
  return image


def exif_orientation(encoded, marker=_EXIF):
  """Returns the orientation, int32 1 to 8, of a file; 1 without a valid one.

  Args:
    encoded: string scalar, the content of the file.
    marker: bytes in front of the EXIF.
  """
  head = _head(encoded)

  def byte(at):
    return tf.gather(head, tf.clip_by_value(at, 0, tf.size(head) - 1))

  found = _positions_of(head, marker)
  start = tf.cast(tf.argmax(tf.cast(found, tf.int32)), tf.int32) + len(marker)
  is_little = tf.equal(byte(start), ord('I'))

  def number(at, count):
    """Returns the integers of `count` bytes at offsets."""
    indices = range(count)
    little = sum(byte(at + k) * 256 ** k for k in indices)
    big = sum(byte(at + count - 1 - k) * 256 ** k for k in indices)
    return tf.where(tf.fill(tf.shape(at), is_little), little, big)

  directory = start + number(start + 4, 4)
  entries = directory + 2 + _ENTRY_BYTES * tf.range(_MAX_ENTRIES)
  is_entry = tf.logical_and(
      tf.range(_MAX_ENTRIES) < number(directory, 2),
      tf.equal(number(entries, 2), _ORIENTATION))
  values = tf.where(tf.equal(number(entries + 2, 2), _SHORT),
                    number(entries + 8, 2), number(entries + 8, 4))
  value = tf.reduce_max(tf.where(is_entry, values, tf.zeros_like(values)))
  is_valid = tf.reduce_any(found) & (value >= 1) & (value <= 8)
  return tf.where(is_valid, value, 1)
