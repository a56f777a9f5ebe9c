"""Record files: which there are, which worker reads which, and their records.

A damaged file must not pass for a short one. TensorFlow's reader says at which
byte it stopped, but not in which file. Here the lengths of the records that
were read are added up; where they do not come to the size of the file, a last
record says that the file is damaged.
"""
import collections
import os
import struct

import numpy as np
import tensorflow.compat.v1 as tf

# A record in its file: a serialised tf.train.Example, the path of the file and
# the record's index in it. Where the file is damaged, from this record on, the
# example is empty and `is_damaged` is True.
Record = collections.namedtuple('Record', 'example file index is_damaged')

_LENGTH = struct.Struct('<Q')
# Bytes of length and checksum before a record, and of the checksum behind it.
_BEFORE, _AFTER = 12, 4
# Records whose lengths are added up in one go: one by one costs ten times more.
_TOGETHER = 16


def find_files(dataset):
  """Returns the sorted paths of a dataset's record files.

  Raises:
    ValueError: no file matches, or the split holds no example.
  """
  sources = dataset.data_sources
  patterns = [sources] if isinstance(sources, str) else list(sources)
  files = sorted(name for pattern in patterns for name in _glob(pattern))
  if not files:
    raise ValueError(
        'No record file matches %s. Convert the data first '
        '(download_and_convert_data.py), or check --dataset_dir and '
        '--dataset_split_name.' % ', '.join(patterns))
  if dataset.num_samples < 1:
    raise ValueError('The split in %s holds no example.' % ', '.join(patterns))
  return files


def _glob(pattern):
  try:
    return tf.gfile.Glob(pattern)
  except tf.errors.NotFoundError:  # The directory does not exist.
    return []


def share(files, shard):
  """Divides files among workers.

  Args:
    files: list of paths.
    shard: (index, count): which of how many workers this is.

  Returns:
    (files, shard): the files of this worker, and (0, 1). Where there are fewer
    files than workers, all files, and `shard`: each worker then takes every
    count-th record of each file.

  Raises:
    ValueError: the index is not in [0, count).
  """
  index, count = shard
  if not 0 <= index < count:
    raise ValueError(
        'shard is (%d, %d); the index must be at least 0 and less than the '
        'count.' % (index, count))
  if len(files) < count:
    return files, shard
  return files[index::count], (0, 1)


def read(file):
  """Returns the records of one file as a tf.data Dataset of Record.

  Args:
    file: a path, a string scalar.
  """
  return read_blocks(file).unbatch()


def read_blocks(file, shard=(0, 1)):
  """Returns the records of one file, some at a time.

  What is done to a block costs a fraction of what it costs record by record.

  Args:
    file: a path, a string scalar.
    shard: (index, count): every count-th record alone, beginning with index.

  Returns:
    A tf.data Dataset of Record whose fields are [n], n from 0 to 16.
  """
  size = tf.numpy_function(_size, [file], tf.int64)
  size.set_shape([])
  zero = tf.constant(0, tf.int64)
  examples = tf.data.TFRecordDataset(file).apply(
      tf.data.experimental.ignore_errors()).batch(_TOGETHER)
  end = tf.data.Dataset.from_tensors(tf.zeros([0], tf.string))

  def number(state, examples):
    """Makes Records of examples, string [n], which are none at the end."""
    index, place = state
    count = tf.size(examples, out_type=tf.int64)
    is_damaged = tf.equal(count, 0) & tf.not_equal(place, size)
    rows = tf.where(is_damaged, tf.ones_like(count), count)
    records = Record(
        tf.concat([examples, tf.fill([rows - count], '')], 0),
        tf.fill([rows], file), index + tf.range(rows),
        tf.fill([rows], is_damaged))
    lengths = tf.cast(tf.strings.length(examples), tf.int64)
    place += tf.reduce_sum(lengths + (_BEFORE + _AFTER))
    return (index + count, place), records

  blocks = examples.concatenate(end).apply(
      tf.data.experimental.scan((zero, zero), number))
  return blocks if shard == (0, 1) else blocks.map(
      lambda block: _share_of(block, shard))


def _share_of(block, shard):
  """Returns the part of a block that a worker reads."""
  index, count = shard
  # All workers are to learn that a file is damaged.
  is_ours = tf.equal(block.index % count, index) | block.is_damaged
  return Record(*[tf.boolean_mask(field, is_ours) for field in block])


def _size(path):
  return np.int64(tf.gfile.Stat(path.decode()).length)


def count_records(path):
  """Counts the records of a file by their lengths; contents are not read.

  Args:
    path: str.

  Returns:
    The number of records. One that is cut off counts too, and what follows a
    length that leads out of the file counts as one record.
  """
  if '://' not in path:
    # TensorFlow's files read half a megabyte for every length.
    with open(path, 'rb', buffering=0) as file:
      return _count(file, os.path.getsize(path))
  with tf.gfile.GFile(path, 'rb') as file:
    return _count(file, file.size())


def _count(file, size):
  count = place = 0
  while place < size:
    count += 1
    file.seek(place)
    length = file.read(_LENGTH.size)
    if len(length) < _LENGTH.size:
      break
    place += _BEFORE + _LENGTH.unpack(length)[0] + _AFTER
  return count
