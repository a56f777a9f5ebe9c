"""From records to preprocessed examples, one by one or in blocks."""
import collections

import numpy as np
import tensorflow.compat.v1 as tf

from datasets.reading import decode
from datasets.reading import record_files

Example = collections.namedtuple(
    'Example', 'image label extreme_label filename position number')
Example.__doc__ = """A preprocessed example, or n of them with shapes [n, ...].

Attributes:
  image: float32 [height, width, channels], what `Preprocessing` returns.
  label: int64 scalar, as recorded; float32 [num_classes] of 0 and 1 if the
    dataset is multi-label.
  extreme_label: int64 scalar, the label furthest out of range, if any is.
  filename: string scalar, name of the image file, '' if not recorded.
  position: int64 scalar, see `record_files.Record`.
  number: int64 scalar, number of the record in the order of reading, from 0.
"""

Preprocessing = collections.namedtuple('Preprocessing', 'one jpeg batch')
Preprocessing.__doc__ = """The functions that preprocess images.

If there is a seed, `one` and `jpeg` get it as the argument `seed`, int64 [2].

Attributes:
  one: function of a decoded image, uint8 [height, width, channels].
  jpeg: function of (encoded, channels), a JPEG as string scalar and an int; or
    None.
  batch: function of images of one size, uint8 [n, height, width, channels],
    without randomness; or None.
"""


class ExampleMaker:
  """Makes preprocessed examples of records.

  Args:
    dataset: a `slim.dataset.Dataset`.
    preprocessing: a Preprocessing.
    labels_offset: subtracted from every label.
    seed: int, seed of the preprocessing; None if it is not to be repeatable.

  Raises:
    ValueError: the offset does not fit the dataset.
  """

  def __init__(self, dataset, preprocessing, labels_offset, seed):
    self._reader = decode.Reader(dataset)
    self._preprocessing = preprocessing
    self._labels_offset = labels_offset
    self._num_classes = dataset.num_classes
    self._multi_label = bool(getattr(dataset, 'multi_label', False))
    self._seed = seed
    if self._multi_label and labels_offset:
      raise ValueError(
          'labels_offset is %s; for a multi-label dataset, which has no '
          'background class to leave out, it must be 0.' % labels_offset)

  @property
  def can_make_blocks(self):
    """Whether `make_block` works for the dataset."""
    return self._reader.can_parse_blocks and not self._multi_label

  @property
  def record_fault(self):
    """See `decode.Reader.record_fault`."""
    return self._reader.record_fault

  @property
  def label_of(self):
    """See `decode.Reader.label_of`."""
    return self._reader.label_of

  def make(self, record, number):
    """Makes one example.

    Args:
      record: a `record_files.Record` of scalars.
      number: int64 scalar, number of the record.

    Returns:
      An Example.
    """
    parsed = self._reader.parse(record.example)
    label, extreme_label = self._label(parsed.labels)
    return Example(self._image(parsed.encoded, number), label, extreme_label,
                   parsed.filename, record.position, number)

  def make_block(self, records, numbers):
    """Makes n examples in one call.

    A call of a function by tf.data costs as much as decoding a tiny image.

    Args:
      records: a `record_files.Record` with fields of shape [n], n known.
      numbers: int64 [n].

    Returns:
      An Example with fields of shape [n, ...].
    """
    parsed = self._reader.parse_block(records.example)
    images = self._images(parsed.encoded, numbers)
    return Example(images, parsed.labels, parsed.labels, parsed.filename,
                   records.position, numbers)

  def operations_per_image(self):
    """Returns how many operations one image adds to the graph of a block."""
    if self._preprocesses_whole_blocks():
      return 1  # It is decoded.
    with tf.Graph().as_default() as graph:
      self._image(tf.placeholder(tf.string, []), tf.placeholder(tf.int64, []))
    definition = graph.as_graph_def()
    return len(definition.node) + sum(
        len(function.node_def) for function in definition.library.function)

  def find_decodable(self, examples, numbers):
    """Returns the numbers of the records that `make` does not fail on.

    It has a graph of its own, so that no pipeline carries what is needed only
    after a failure.

    Args:
      examples: list of bytes, serialized tf.train.Examples.
      numbers: list of int.

    Returns:
      A list of int.
    """
    with tf.Graph().as_default():
      record, number = tf.placeholder(tf.string, []), tf.placeholder(
          tf.int64, [])
      made = self.make(record_files.Record(
          record, tf.constant(0, tf.int64)), number)
      # A GPU may be the training's alone.
      with tf.Session(config=tf.ConfigProto(
          device_count={'GPU': 0})) as session:
        return [of_example for example, of_example in zip(examples, numbers)
                if _can_run(session, made, {
                    record: example, number: of_example})]

  def _label(self, labels):
    """Returns (label, extreme_label) of an Example."""
    if not self._multi_label:
      label = tf.reshape(labels, [])
      return label, label
    one_hot = tf.one_hot(labels, self._num_classes)
    # There may be no label at all; 0 is always in range.
    labels = tf.concat([labels, [0]], 0)
    smallest, largest = tf.reduce_min(labels), tf.reduce_max(labels)
    return (tf.minimum(tf.reduce_sum(one_hot, 0), 1.0),
            tf.where(smallest < 0, smallest, largest))

  def _image(self, encoded, number):
    seed = seed_argument(self._seed, number)

    def preprocess_decoded():
      return self._preprocessing.one(self._reader.decode(encoded), **seed)

    def preprocess_jpeg():
      return self._preprocessing.jpeg(encoded, self._reader.channels, **seed)

    if self._preprocessing.jpeg is None or not self._reader.is_standard:
      return preprocess_decoded()
    return tf.cond(
        tf.image.is_jpeg(encoded), preprocess_jpeg, preprocess_decoded)

  def _images(self, encoded, numbers):
    """Returns the preprocessed images of a block, [n, height, width, channels].

    Conditions for each image would make the first step wait for seconds.
    """
    if self._preprocesses_whole_blocks():
      return self._preprocessing.batch(self._reader.decode_block(encoded))
    numbers = tf.unstack(numbers)
    if self._reader.image_shape is None or self._preprocessing.jpeg is not None:
      return tf.stack(decode.map_in_sequence(
          self._image, tf.unstack(encoded), numbers))
    images = self._reader.decode_block(encoded)
    return tf.stack(decode.map_in_sequence(
        lambda image, number: self._preprocessing.one(
            image, **seed_argument(self._seed, number)),
        tf.unstack(images), numbers))

  def _preprocesses_whole_blocks(self):
    return (self._preprocessing.batch is not None and
            self._reader.image_shape is not None)

  def labels(self, batch):
    """Returns the labels of a batch, an Example with fields of shape [n, ...].

    Returns:
      int64 [n], the offset subtracted; or float32 [n, num_classes].
    """
    return batch.label if self._multi_label else (
        batch.label - self._labels_offset)

  def has_wrong_label(self, batch):
    """Returns a bool scalar, whether a label of a batch is out of range."""
    return tf.reduce_any(self._is_wrong(batch.extreme_label))

  def check_labels(self, batch, files):
    """Returns an operation that fails if a label of a batch is out of range.

    Args:
      batch: an Example with fields of shape [n, ...].
      files: list of the paths of all record files, sorted.

    Returns:
      The operation. Its InvalidArgumentError names the first of these labels.
    """
    low, high = self._labels_offset, self._num_classes

    def fault(labels, positions):
      # In Python, as operations would lengthen the start of every run.
      wrong = np.flatnonzero(self._is_wrong(labels))
      if not wrong.size:
        return b''
      position = record_files.decode_position(positions[wrong[0]])
      return ('Label %d of record %d of %s is outside [%d, %d). %s' % (
          labels[wrong[0]], position.record_index, files[position.file_index],
          low, high, 'A label below --labels_offset=%d has no output: use '
          '--labels_offset=0.' % low if low else 'With classes numbered from '
          '1 and no background class, use --labels_offset=1.')).encode()

    message = tf.numpy_function(
        fault, [batch.extreme_label, batch.position], tf.string)
    return tf.Assert(tf.equal(message, ''), [message])

  def _is_wrong(self, labels):
    return (labels < self._labels_offset) | (labels >= self._num_classes)


def _can_run(session, fetches, values):
  try:
    session.run(fetches, values)
  except tf.errors.OpError:
    return False
  return True


def seed_argument(seed, number):
  """Returns the keyword argument that makes preprocessing repeatable.

  Args:
    seed: int, seed of the run; None for random preprocessing.
    number: int64 scalar, number of the record or batch.

  Returns:
    {'seed': int64 [2]}, or {} without a seed.
  """
  if seed is None:
    return {}
  return {'seed': tf.stack([tf.constant(seed, tf.int64), number])}
