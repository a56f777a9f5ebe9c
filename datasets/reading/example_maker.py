"""From records to preprocessed examples, one by one or some together."""
import collections

import tensorflow.compat.v1 as tf

from datasets.reading import decode
from datasets.reading import record_files

# What records become. `label` is what the batch gets, `suspect` the label that
# lies furthest out; the rest is for messages and names.
Numbered = collections.namedtuple(
    'Numbered', 'image label suspect name place number')
# The functions that preprocess: `one` takes a decoded picture, `jpeg` the bytes
# of a JPEG and a number of channels, `batch` decoded pictures of one size, of
# which it treats all alike. The first two get an argument `seed` where draws
# follow from a seed; the last two may be None.
Preprocessing = collections.namedtuple('Preprocessing', 'one jpeg batch')


class ExampleMaker:
  """Makes preprocessed examples of records."""

  def __init__(self, dataset, preprocessing, labels_offset, seed):
    """Makes a maker.

    Args:
      dataset: a `slim.dataset.Dataset`.
      preprocessing: a Preprocessing.
      labels_offset: subtracted from every label.
      seed: of what preprocessing draws; None if it draws as it likes.

    Raises:
      ValueError: the offset does not fit.
    """
    self._reader = decode.Reader(dataset)
    self._preprocessing = preprocessing
    self._labels_offset = labels_offset
    self._num_classes = dataset.num_classes
    self._multi_label = bool(getattr(dataset, 'multi_label', False))
    self._seed = seed
    if self._multi_label and labels_offset:
      raise ValueError(
          'labels_offset is %s, but the pictures have several classes, none of '
          'which is left out: it must be 0.' % labels_offset)

  @property
  def takes_blocks(self):
    """Whether `make_block` knows what to do with the dataset."""
    return self._reader.takes_blocks and not self._multi_label

  def make(self, record, number):
    """Returns the Numbered of a `record_files.Record`."""
    example = self._reader.parse(record.example)
    label, suspect = self._label(example.labels)
    return Numbered(self._image(example.encoded, number), label, suspect,
                    example.name, record.place, number)

  def make_block(self, records, numbers):
    """Does what `make` does for some records in one go.

    To call a function in tf.data costs as much as to decode a tiny picture.

    Args:
      records: a `record_files.Record` of [n], with n known.
      numbers: int64 [n].

    Returns:
      A Numbered of [n, ...].
    """
    block = self._reader.parse_block(records.example)
    preprocess = self._preprocessing.batch
    if preprocess is not None and self._reader.shape is not None:
      images = preprocess(self._reader.decode_block(block.encoded))
    else:
      images = tf.stack(decode.one_by_one(
          self._image, tf.unstack(block.encoded), tf.unstack(numbers)))
    return Numbered(images, block.labels, block.labels, block.name,
                    records.place, numbers)

  def good_ones(self, records, numbers):
    """Returns the numbers of those records of which `make` makes an example.

    Args:
      records: string [n].
      numbers: int64 [n].

    Returns:
      int64 [m].
    """
    zero = tf.constant(0, tf.int64)
    made = tf.data.Dataset.from_tensor_slices((records, numbers)).map(
        lambda example, number: self.make(
            record_files.Record(example, zero), number))
    good = made.apply(tf.data.experimental.ignore_errors())
    return good.reduce(
        tf.zeros([0], tf.int64),
        lambda numbers, example: tf.concat([numbers, [example.number]], 0))

  def _label(self, labels):
    """Returns what the batch gets, and the label that lies furthest out."""
    if not self._multi_label:
      label = tf.reshape(labels, [])
      return label, label
    hot = tf.one_hot(labels, self._num_classes)
    # There may be none at all; 0 is never out of range.
    labels = tf.concat([labels, [0]], 0)
    least, largest = tf.reduce_min(labels), tf.reduce_max(labels)
    return (tf.minimum(tf.reduce_sum(hot, 0), 1.0),
            tf.where(least < 0, least, largest))

  def _image(self, encoded, number):
    seed = seed_argument(self._seed, number)

    def whole():
      return self._preprocessing.one(self._reader.decode(encoded), **seed)

    def window():
      return self._preprocessing.jpeg(encoded, self._reader.channels, **seed)

    if self._preprocessing.jpeg is None or not self._reader.knows_pictures:
      return whole()
    return tf.cond(tf.image.is_jpeg(encoded), window, whole)

  def labels(self, batch, files):
    """Returns the labels of a batch, which have to be in range.

    Args:
      batch: a Numbered of [n, ...].
      files: the paths of the record files, in the order of their numbers.

    Returns:
      int64 [n], the offset subtracted; or float32 [n, num_classes]. An
      InvalidArgumentError names the first that is out of range.
    """
    low, high = self._labels_offset, self._num_classes
    wrong = tf.logical_or(batch.suspect < low, batch.suspect >= high)

    def complain():
      first = tf.argmax(tf.cast(wrong, tf.int32))
      file, index = record_files.in_words(batch.place[first], files)
      return tf.Assert(False, [tf.strings.join([
          'Label ', tf.strings.as_string(batch.suspect[first]), ' of record ',
          index, ' of ', file, ' is outside [%d, %d). ' % (low, high),
          'A label below --labels_offset=%d has no output: use '
          '--labels_offset=0.' % low if low else 'With classes numbered from '
          '1 and no background class, use --labels_offset=1.'])])

    in_range = tf.cond(tf.reduce_any(wrong), complain, tf.no_op)
    with tf.control_dependencies([in_range]):
      labels = tf.identity(batch.label)
    return labels if self._multi_label else labels - low


def seed_argument(seed, number):
  """Returns the keyword argument by which all draws follow from a seed."""
  if seed is None:
    return {}
  return {'seed': tf.stack([tf.constant(seed, tf.int64), number])}
