"""Training examples in an order that their classes decide.

The record files are read once, for the labels and the positions of the
records. Then records are read one by one, wherever they are: what comes next
depends on the seed and on the number of the record alone, so that a run can
resume at any of them.
"""
import collections
import itertools

import numpy as np
import tensorflow.compat.v1 as tf

from datasets.reading import class_batches
from datasets.reading import record_files

NONE, BALANCED, SQRT, BATCHES = 'none', 'balanced', 'sqrt', 'batches'
_DRAWN_AT_ONCE = 1024

Sampling = collections.namedtuple(
    'Sampling', 'kind classes_per_batch samples_per_class')
Sampling.__new__.__defaults__ = (None, None)
Sampling.__doc__ = """In what proportion classes are read.

Attributes:
  kind: 'balanced', each class as often as any other; 'sqrt', in proportion to
    the square root of its number of examples; or 'batches', see
    `class_batches`.
  classes_per_batch: int, for 'batches': classes in a batch.
  samples_per_class: int, for 'batches': examples of each class in a batch.
"""


class Index:
  """The labels of all records, and where they are.

  Args:
    files: list of the paths of all record files, sorted.
    read_files: list of those that this worker reads.
    shard: (index, count): of each file every count-th record, from index on.
    label_of: function of a map of features that returns the label, or None if
      there is none.

  Attributes:
    labels: int64 [records].

  Raises:
    ValueError: a record has no label, or there are no records.
  """

  def __init__(self, files, read_files, shard, label_of):
    self._files = files
    self._rows, labels = [], []
    first, step = shard
    for path in read_files:
      number = files.index(path)
      for index, start, content in itertools.islice(
          record_files.contents(path), first, None, step):
        labels.append(_label(label_of, content, path, index))
        self._rows.append((number, index, start, len(content)))
    if not labels:
      raise ValueError('%s: there are no records for this worker.' % ', '.join(
          read_files))
    self.labels = np.array(labels, np.int64)

  def read(self, number):
    """Returns (record, position) of the number-th record, see `Record`."""
    file, index, start, length = self._rows[number]
    return record_files.content_at(self._files[file], start, length), np.int64(
        record_files.position(file, index))


def _label(label_of, content, path, index):
  """Returns a record's label; ValueError if it has none."""
  try:
    label = label_of(tf.train.Example.FromString(content).features.feature)
  except Exception as error:  # The type differs between versions of protobuf.
    label, reason = None, str(error)
  else:
    reason = 'it has no label'
  if label is None:
    raise ValueError(
        'Record %d of %s cannot be read (%s): --class_sampling and the losses '
        'of embeddings need the label of every record. Convert the data again.'
        % (index, path, reason))
  return label


def order(sampling, labels, seed):
  """Yields, without end, the numbers of the records.

  Args:
    sampling: a Sampling.
    labels: int64 [records].
    seed: int or None, seed of the order.

  Raises:
    ValueError: there are fewer classes than a batch needs.
  """
  if sampling.kind == BATCHES:
    batches = class_batches.batches(
        labels, sampling.classes_per_batch, sampling.samples_per_class, seed)
    return itertools.chain.from_iterable(batches)
  return _weighted(sampling.kind, labels, seed)


def _weighted(kind, labels, seed):
  classes, counts = np.unique(labels, return_counts=True)
  weights = np.ones(len(counts)) if kind == BALANCED else np.sqrt(counts)
  random = np.random.RandomState(seed)
  streams = [class_batches.endless(np.flatnonzero(labels == label), random)
             for label in classes]
  while True:
    # One by one it costs as much as reading a record.
    for choice in random.choice(
        len(classes), _DRAWN_AT_ONCE, p=weights / weights.sum()):
      yield next(streams[choice])


@tf.autograph.experimental.do_not_convert
def records(sampling, files, shard, seed, records_to_skip, label_of):
  """Returns an infinite tf.data Dataset of `record_files.Record`.

  Args:
    sampling: a Sampling.
    files: list of the paths of all record files, sorted.
    shard: (index, count), which of `count` parts of the records is read.
    seed: int or None, seed of the order.
    records_to_skip: number of the first records to leave out.
    label_of: as for `Index`.

  Raises:
    ValueError: as for `Index` and `order`.
  """
  read_files, shard = record_files.split_among_workers(files, shard)
  index = Index(files, read_files, shard, label_of)
  next(order(sampling, index.labels, seed))  # Checks the sampling.
  numbers = tf.data.Dataset.from_generator(
      lambda: itertools.islice(order(
          sampling, index.labels, seed), records_to_skip, None), tf.int64, [])

  def read(number):
    example, position = tf.numpy_function(
        index.read, [number], (tf.string, tf.int64))
    example.set_shape([])
    position.set_shape([])
    return record_files.Record(example, position)

  return numbers.map(read)
