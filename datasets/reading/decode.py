"""From a serialised tf.train.Example to its picture and its label."""
import collections

import tensorflow.compat.v1 as tf
import tf_slim as slim

from slim_common import image_formats

_FILE_NAME = 'image/filename'

# encoded: the picture as it stands in the record, a string scalar.
# labels: int64 [number of labels], one unless the dataset is multi-label.
# name: the name of the picture's file, a string scalar, '' if not recorded.
Example = collections.namedtuple('Example', 'encoded labels name')
# BMP is the one format that TensorFlow's general decoder leaves out.
_BMP, = image_formats.SIGNATURES[image_formats.BMP]


class Reader:
  """Reads the records of a dataset.

  Where its decoder is slim's of one picture and one label, the records are
  parsed for these two features alone, and the picture is decoded according to
  its first bytes, whatever format the record names.
  """

  def __init__(self, dataset):
    """Makes a reader.

    Args:
      dataset: a `slim.dataset.Dataset`.
    """
    self._decoder = dataset.decoder
    items = getattr(dataset.decoder, '_items_to_handlers', {})
    image, label = items.get('image'), items.get('label')
    # Of other handlers nothing is known: their decoder does it all.
    self.knows_pictures = (
        type(image) is slim.tfexample_decoder.Image and
        (image._dtype, image._repeated, image._dct_method) ==
        (tf.uint8, False, '') and
        type(label) is slim.tfexample_decoder.Tensor)
    self._features = {_FILE_NAME: tf.FixedLenFeature([], tf.string, '')}
    self.takes_blocks, self.shape = False, None
    if self.knows_pictures:
      self._image_key, = set(image.keys) - {image._format_key}
      self._label_key, = label.keys
      self.channels = image._channels
      self.shape = image._shape
      for key in (self._image_key, self._label_key):
        self._features[key] = dataset.decoder._keys_to_features[key]
      self.takes_blocks = isinstance(
          self._features[self._label_key], tf.FixedLenFeature)

  def parse(self, example):
    """Returns the Example of a serialised tf.train.Example.

    `encoded` is the whole serialised Example where the decoder is not known.
    """
    values = tf.io.parse_single_example(example, self._features)
    if self.knows_pictures:
      encoded, labels = values[self._image_key], values[self._label_key]
      if isinstance(labels, tf.SparseTensor):
        labels = labels.values
    else:
      encoded = example
      labels, = self._decoder.decode(example, ['label'])
    labels = tf.reshape(tf.cast(labels, tf.int64), [-1])
    return Example(encoded, labels, values[_FILE_NAME])

  def parse_block(self, serialized):
    """Returns the Example of [n] of serialised tf.train.Examples, string [n].

    Only where `takes_blocks`; `labels` is int64 [n].
    """
    values = tf.io.parse_example(serialized, self._features)
    labels = tf.reshape(
        tf.cast(values[self._label_key], tf.int64), tf.shape(serialized))
    return Example(values[self._image_key], labels, values[_FILE_NAME])

  def decode(self, encoded):
    """Returns the picture: uint8 [height, width, channels]."""
    if not self.knows_pictures:
      return self._decoder.decode(encoded, ['image'])[0]
    if self.shape is None:
      image = self._decode_file(encoded)
      image.set_shape([None, None, self.channels])
      return image
    size = self.shape[0] * self.shape[1] * self.shape[2]
    image = tf.cond(
        tf.equal(tf.strings.length(encoded), size) & ~_is_file(encoded),
        lambda: tf.reshape(tf.decode_raw(encoded, tf.uint8), self.shape),
        lambda: self._decode_file(encoded))
    return tf.reshape(image, self.shape)

  def decode_block(self, encoded):
    """Returns pictures of a dataset whose `shape` is known.

    Args:
      encoded: string [n], with n known.

    Returns:
      uint8 [n, height, width, channels].
    """
    height, width, channels = self.shape
    # Looked at together, since looking costs more than decoding.
    is_other = (tf.equal(tf.strings.substr(encoded, 0, 2), _BMP) |
                tf.equal(tf.strings.length(encoded), height * width * channels))
    return tf.cond(
        tf.reduce_any(is_other),
        lambda: tf.map_fn(self.decode, encoded, tf.uint8),
        lambda: tf.stack(one_by_one(self._decode_plain, tf.unstack(encoded))))

  def _decode_plain(self, encoded):
    # In spite of its name decode_png also takes JPEG and GIF.
    return tf.reshape(
        tf.image.decode_png(encoded, channels=self.channels), self.shape)

  def _decode_file(self, encoded):
    return tf.cond(
        tf.equal(tf.strings.substr(encoded, 0, 2), _BMP),
        lambda: tf.image.decode_bmp(encoded, channels=self.channels),
        lambda: tf.image.decode_png(encoded, channels=self.channels))


def one_by_one(function, *columns):
  """Applies a function to scalars in turn, each after the one before.

  All at once some would be handed to other threads, which costs up to 2 us.

  Args:
    function: of one tensor of each column, that returns a tensor.
    *columns: lists of tensors.

  Returns:
    A list of tensors.
  """
  results = []
  for row in zip(*columns):
    with tf.control_dependencies(results[-1:]):
      results.append(function(*row))
  return results


def _is_file(encoded):
  """Whether bytes are a picture file rather than bare pixels."""
  starts = {signature[:3] for name in (
      image_formats.JPEG, image_formats.PNG, image_formats.GIF)
            for signature in image_formats.SIGNATURES[name]}
  return tf.reduce_any(tf.equal(
      tf.strings.substr(encoded, 0, 3), sorted(starts)))
