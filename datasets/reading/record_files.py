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

# A record in its file: a serialised tf.train.Example, and its place, an int64
# (see `place_of`): one number costs less to hand on than a name and an index.
# Where the file is damaged, from this record on, `example` is none and the
# place says so.
Record = collections.namedtuple('Record', 'example place')

# A place in words: the number of the file, the index of the record in it.
Place = collections.namedtuple('Place', 'file_number index is_damaged')

# Stands for the rest of a damaged file; no tf.train.Example can be parsed of
# it.
_UNREADABLE = b'\0 damaged'
_FILES_APART, _DAMAGED = 2 ** 40, 2 ** 60

_LENGTH = struct.Struct('<Q')
# Bytes of length and checksum before a record, and of the checksum behind it.
_BEFORE, _AFTER = 12, 4
# Records whose lengths are added up in one go: one by one costs ten times more.
_TOGETHER = 32


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


def place_of(place):
  """Returns the Place that the number of a record's place stands for."""
  place, is_damaged = int(place) % _DAMAGED, int(place) >= _DAMAGED
  return Place(place // _FILES_APART, place % _FILES_APART, is_damaged)


def in_words(places, files):
  """Returns the files and the indices of places, both as strings.

  Args:
    places: int64, a tensor of any shape; none is of a damaged file.
    files: the paths, in the order of their numbers.
  """
  return (tf.gather(tf.constant(files), places // _FILES_APART),
          tf.strings.as_string(places % _FILES_APART))


def read(file, number):
  """Returns the records of one file as a tf.data Dataset of Record.

  Args:
    file: a path, a string scalar.
    number: the number of the file, an int64 scalar.
  """
  return read_blocks(file, number).unbatch()


def read_blocks(file, number, shard=(0, 1)):
  """Returns the records of one file, some at a time.

  What is done to a block costs a fraction of what it costs record by record.

  Args:
    file: a path, a string scalar.
    number: the number of the file, an int64 scalar.
    shard: (index, count): every count-th record alone, beginning with index.

  Returns:
    A tf.data Dataset of Record whose fields are [n], n from 0 to 32.
  """
  size = tf.numpy_function(_size, [file], tf.int64)
  size.set_shape([])
  first = number * _FILES_APART
  records = tf.data.Dataset.zip((
      tf.data.TFRecordDataset(file).apply(
          tf.data.experimental.ignore_errors()),
      tf.data.Dataset.range(first, first + _FILES_APART)))
  end = tf.data.Dataset.from_tensors((
      tf.zeros([0], tf.string), tf.fill([0], first)))

  def add_up(state, block):
    """Checks the size at the end, which is a block without records."""
    read_bytes, next_place = state
    block = Record(*block)
    count = tf.size(block.example, out_type=tf.int64)
    length = tf.reduce_sum(tf.strings.length(block.example))

    def last():
      rest = tf.cast(tf.not_equal(read_bytes, size), tf.int32)
      return Record(tf.fill([rest], _UNREADABLE),
                    tf.fill([rest], next_place + _DAMAGED))

    read_bytes += tf.cast(length, tf.int64) + count * (_BEFORE + _AFTER)
    return (read_bytes, next_place + count), tf.cond(
        count > 0, lambda: block, last)

  blocks = records.batch(_TOGETHER).concatenate(end).apply(
      tf.data.experimental.scan((tf.constant(0, tf.int64), first), add_up))
  return blocks if shard == (0, 1) else blocks.map(
      lambda block: _share_of(block, shard))


def _share_of(block, shard):
  """Returns the part of a block that a worker reads."""
  index, count = shard
  # All workers are to learn that a file is damaged.
  is_ours = (tf.equal(block.place % _FILES_APART % count, index) |
             (block.place >= _DAMAGED))
  return Record(*[tf.boolean_mask(field, is_ours) for field in block])


def _size(path):
  return np.int64(tf.gfile.Stat(path.decode()).length)


def mean_size(files, num_records):
  """Returns about how many bytes a record has, judging by the first file."""
  return max(1, _size(files[0].encode()) * len(files) // num_records)


def count_records(path):
  """Counts the records of a file by their lengths; contents are not read.

  Args:
    path: str.

  Returns:
    The number of records. One that is cut off counts too, and what follows a
    length that leads out of the file counts as one record.
  """
  with _open(path) as file:
    return sum(1 for _ in _extents(file))


def load(path, indices):
  """Reads some records of a file once more, to look at them.

  Args:
    path: str.
    indices: which records, a collection of ints.

  Returns:
    A dict of index to bytes; what cannot be read is `_UNREADABLE`.
  """
  with _open(path) as file:
    extents = [(index, extent) for index, extent in enumerate(_extents(file))
               if index in indices]
    found = dict.fromkeys(indices, _UNREADABLE)
    for index, (begin, length) in extents:
      file.seek(begin)
      found[index] = file.read(length)
  return found


def _open(path):
  # TensorFlow's files read half a megabyte for every length.
  return tf.gfile.GFile(path, 'rb') if '://' in path else open(
      path, 'rb', buffering=0)


def _extents(file):
  """Yields (begin, length) of the contents of every record."""
  file.seek(0, os.SEEK_END)
  size, place = file.tell(), 0
  while place < size:
    file.seek(place)
    length = file.read(_LENGTH.size)
    # Cut off inside of the length: the rest of the file counts as a record.
    length = (_LENGTH.unpack(length)[0] if len(length) == _LENGTH.size else
              size - place)
    # A length that was damaged may lead out of the file.
    yield place + _BEFORE, min(length, size)
    place += _BEFORE + length + _AFTER
