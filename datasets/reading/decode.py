"""From a serialized tf.train.Example to its image and its label."""
import collections
import threading

import tensorflow.compat.v1 as tf
import tf_slim as slim

from datasets.reading import bad_records
from slim_common import image_formats

_FILENAME_KEY = 'image/filename'
# TensorFlow 1.15 has one decoder for all formats but BMP.
_BMP, = image_formats.SIGNATURES[image_formats.BMP]
# Starts of files in the other formats.
_STARTS = sorted({
    signature[:3] for image_format in (
        image_formats.JPEG, image_formats.PNG, image_formats.GIF)
    for signature in image_formats.SIGNATURES[image_format]})

ParsedExample = collections.namedtuple(
    'ParsedExample', 'encoded labels filename')
ParsedExample.__doc__ = """A tf.train.Example, parsed but not decoded.

Attributes:
  encoded: string scalar, the encoded image as recorded.
  labels: int64 [number of labels], one unless the dataset is multi-label.
  filename: string scalar, name of the image file, '' if not recorded.
"""


class Reader:
  """Parses and decodes the records of a dataset.

  If the dataset's decoder is slim's, of one image and one label, only these two
  features are parsed, and the image is decoded by its first bytes, whatever
  format the record names.

  Args:
    dataset: a `slim.dataset.Dataset`.

  Attributes:
    is_standard: whether the decoder is that one. If not, it does all decoding.
    can_parse_blocks: whether `parse_block` works.
    channels: channels of the decoded image, if `is_standard`.
    image_shape: (height, width, channels) if all images have it, else None.
  """

  def __init__(self, dataset):
    self._decoder = dataset.decoder
    items = getattr(dataset.decoder, '_items_to_handlers', {})
    image, label = items.get('image'), items.get('label')
    self.is_standard = (
        type(image) is slim.tfexample_decoder.Image and
        (image._dtype, image._repeated, image._dct_method) ==
        (tf.uint8, False, '') and
        type(label) is slim.tfexample_decoder.Tensor)
    self._features = {_FILENAME_KEY: tf.FixedLenFeature([], tf.string, '')}
    self.can_parse_blocks, self.image_shape = False, None
    self._decode_any_block, self._lock = None, threading.Lock()
    if self.is_standard:
      self._image_key, = set(image.keys) - {image._format_key}
      self._label_key, = label.keys
      self.channels, self.image_shape = image._channels, image._shape
      for key in (self._image_key, self._label_key):
        self._features[key] = dataset.decoder._keys_to_features[key]
      label = self._features[self._label_key]
      if isinstance(label, tf.FixedLenFeature):
        # With slim's default a record without a label would train class 0.
        self._features[self._label_key] = label._replace(default_value=None)
      self.can_parse_blocks = isinstance(
          self._features[self._label_key], tf.FixedLenFeature)

  def record_fault(self, features):
    """Returns what is wrong with a record, or None if that is unknown.

    That is its label, or an image without a grayscale form.

    Args:
      features: map of the features of its tf.train.Example.
    """
    if not self.is_standard:
      return None
    fault = bad_records.label_fault(
        features, not self.can_parse_blocks, self._label_key)
    encoded = b''.join(features[self._image_key].bytes_list.value[:1])
    # Other reasons are named anyway.
    if fault or image_formats.why_not_decoded(encoded):
      return fault
    return image_formats.why_not_decoded(encoded, self.channels)

  def label_of(self, features):
    """Returns the one label of a record, or None.

    Args:
      features: map of the features of its tf.train.Example.

    Raises:
      ValueError: images have several labels, or an unknown decoder.
    """
    if not self.can_parse_blocks:
      raise ValueError('classes are known for datasets of one label per image')
    values = features[self._label_key].int64_list.value
    return values[0] if len(values) == 1 else None

  def parse(self, example):
    """Parses one record, a serialized tf.train.Example, string scalar.

    Returns:
      A ParsedExample. `encoded` is the whole serialized example if the decoder
      is not standard.
    """
    values = tf.io.parse_single_example(example, self._features)
    if self.is_standard:
      encoded, labels = values[self._image_key], values[self._label_key]
      if isinstance(labels, tf.SparseTensor):
        labels = labels.values
    else:
      encoded = example
      labels, = self._decoder.decode(example, ['label'])
    labels = tf.reshape(tf.cast(labels, tf.int64), [-1])
    return ParsedExample(encoded, labels, values[_FILENAME_KEY])

  def parse_block(self, examples):
    """Parses n records at once, string [n], if `can_parse_blocks`.

    Returns:
      A ParsedExample with fields of shape [n].
    """
    values = tf.io.parse_example(examples, self._features)
    labels = tf.reshape(
        tf.cast(values[self._label_key], tf.int64), tf.shape(examples))
    return ParsedExample(
        values[self._image_key], labels, values[_FILENAME_KEY])

  def static_shape(self):
    """Returns the static shape of the images that `decode` returns."""
    if self.is_standard:
      return tf.TensorShape(self.image_shape or (None, None, self.channels))
    with tf.Graph().as_default():
      return self.decode(tf.placeholder(tf.string, [])).shape

  def decode(self, encoded):
    """Decodes one image, string scalar, `ParsedExample.encoded`.

    Returns:
      uint8 [height, width, channels].
    """
    if not self.is_standard:
      return self._decoder.decode(encoded, ['image'])[0]
    if self.image_shape is None:
      image = self._decode_any(encoded)
      image.set_shape([None, None, self.channels])
      return image
    height, width, channels = self.image_shape
    is_raw = tf.equal(tf.strings.length(encoded), height * width * channels)
    image = tf.cond(
        is_raw & ~_has_signature(encoded),
        lambda: tf.reshape(tf.decode_raw(encoded, tf.uint8), self.image_shape),
        lambda: self._decode_any(encoded))
    return tf.reshape(image, self.image_shape)

  def decode_block(self, encoded):
    """Decodes n images of a dataset whose `image_shape` is known.

    Args:
      encoded: string [n], with n known.

    Returns:
      uint8 [n, height, width, channels].
    """
    height, width, channels = self.image_shape
    # One test for the whole block: a test costs more than decoding an image.
    is_bmp_or_raw = (
        tf.equal(tf.strings.substr(encoded, 0, len(_BMP)), _BMP) |
        tf.equal(tf.strings.length(encoded), height * width * channels))
    images = tf.cond(
        tf.reduce_any(is_bmp_or_raw),
        lambda: tf.numpy_function(self._decode_apart, [encoded], tf.uint8),
        lambda: tf.stack(map_in_sequence(
            self._decode_all_but_bmp, tf.unstack(encoded))))
    return tf.reshape(images, encoded.shape.as_list() + list(self.image_shape))

  def _decode_apart(self, encoded):
    """Decodes n images, an array of bytes, by a graph of its own.

    As part of the pipeline, a loop with tests in it makes each run start a
    third of a second later, though few datasets have BMPs or raw images.
    """
    with self._lock:
      if self._decode_any_block is None:
        with tf.Graph().as_default():
          block = tf.placeholder(tf.string, [None])
          images = tf.map_fn(self.decode, block, tf.uint8)
          # A GPU may be the training's alone.
          session = tf.Session(config=tf.ConfigProto(device_count={'GPU': 0}))
        self._decode_any_block = session.make_callable(images, [block])
    return self._decode_any_block(encoded)

  def _decode_all_but_bmp(self, encoded):
    # Despite its name, decode_png decodes JPEG and GIF as well.
    return tf.image.decode_png(encoded, channels=self.channels)

  def _decode_any(self, encoded):
    return tf.cond(
        tf.equal(tf.strings.substr(encoded, 0, len(_BMP)), _BMP),
        lambda: tf.image.decode_bmp(encoded, channels=self.channels),
        lambda: self._decode_all_but_bmp(encoded))


def map_in_sequence(function, *columns):
  """Applies a function to tensors, one after another on one thread.

  Run in parallel, some would move to other threads, which costs up to 2 us
  each.

  Args:
    function: function of one tensor of each column that returns a tensor.
    *columns: lists of tensors.

  Returns:
    A list of tensors.
  """
  results = []
  for row in zip(*columns):
    with tf.control_dependencies(results[-1:]):
      results.append(function(*row))
  return results


def _has_signature(encoded):
  """Whether bytes start like an image file, so that they are no raw pixels."""
  return tf.reduce_any(tf.equal(tf.strings.substr(encoded, 0, 3), _STARTS))
