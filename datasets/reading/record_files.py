"""Record files: finding them, splitting them among workers, reading records.

A damaged file must not pass for a short one, but TensorFlow's reader does not
say which file an error comes from. So the lengths of the records read are
added up; if they do not equal the file size, one more record says that the
file is damaged.
"""
import collections
import os
import struct

import numpy as np
import tensorflow.compat.v1 as tf

Record = collections.namedtuple('Record', 'example position')
Record.__doc__ = """A record, or a block of n records, of a record file.

Attributes:
  example: string scalar or [n], serialized tf.train.Example. If the file is
    damaged from this record on, bytes that do not parse as one.
  position: int64 scalar or [n], a `Position` as one number (see
    `decode_position`), which is cheaper to pass on than a path and an index.
"""

Position = collections.namedtuple(
    'Position', 'file_index record_index is_damaged')
Position.__doc__ = """Where a record is.

Attributes:
  file_index: int, index of its file in the sorted list of all record files.
  record_index: int, index of the record in the file.
  is_damaged: bool, whether the file cannot be read from this record on.
"""

# Position of what is after the last record.
_END = -1
# In place of the rest of a damaged file; it does not parse as tf.train.Example.
_UNREADABLE = b'\0 damaged'
# A position is file_index * _FILE_STRIDE + record_index (+ _DAMAGED).
_FILE_STRIDE, _DAMAGED = 2 ** 40, 2 ** 60

_LENGTH = struct.Struct('<Q')
# Starts of GZIP and ZLIB.
_COMPRESSED = (b'\x1f\x8b', b'x\x01', b'x\x5e', b'x\x9c', b'x\xda')
# Bytes of length and checksum before each record, and of the checksum after it.
_HEADER_SIZE, _FOOTER_SIZE = 12, 4
# Lengths are added up for this many records at once: one by one costs ten times
# as much.
_BLOCK_SIZE = 32


def find_files(dataset):
  """Returns the sorted paths of a dataset's record files.

  Args:
    dataset: a `slim.dataset.Dataset`.

  Raises:
    ValueError: no file matches, or the split has no examples.
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
    raise ValueError(
        'The split in %s has no examples. Convert the data again, or choose '
        'another --dataset_split_name.' % ', '.join(patterns))
  _check_readable(files)
  # Elsewhere than on this machine, a look at each costs a request.
  for file in files[:1] + [file for file in files[1:] if '://' not in file]:
    if is_compressed(file):
      raise ValueError(
          '%s is a compressed (GZIP or ZLIB) record file, which is not read: '
          'write it again without compression.' % file)
  return files


def _check_readable(files):
  """Raises ValueError where TensorFlow would wait for a record in silence."""
  # Elsewhere, access is the storage's business, and asking costs a request.
  files = [file for file in files if '://' not in file]
  for file in files:
    if os.path.isdir(file):
      raise ValueError('The record file %s is a directory. Remove it, or check '
                       '--dataset_dir.' % file)
    if not os.access(file, os.R_OK):
      raise ValueError(
          'The record file %s may not be read by this user: correct its access '
          'rights, for example with chmod a+r, or check --dataset_dir.' % file)
  # Some may be empty: there may be more files than records.
  if files and not any(map(os.path.getsize, files)):
    raise ValueError('The record file %s is empty%s. Convert the data again, '
                     'or check --dataset_dir.' % (
                         files[0], ', as are all %d files' % len(files)
                         if files[1:] else ''))


def is_compressed(path):
  """Returns whether a record file is compressed with GZIP or ZLIB.

  A record file starts with the length of its first record, 8 bytes, of which
  the highest are 0.
  """
  with tf.gfile.GFile(path, 'rb') as source:
    start = source.read(_LENGTH.size)
  return (start.startswith(_COMPRESSED) and len(start) == _LENGTH.size and
          any(start[5:]))


def _glob(pattern):
  try:
    return tf.gfile.Glob(pattern)
  except tf.errors.NotFoundError:  # The directory does not exist.
    return []


def split_among_workers(files, shard):
  """Returns what one worker reads.

  Args:
    files: list of the paths of all files.
    shard: (index, count), the index of the worker and the number of workers.

  Returns:
    (files, shard): The worker's files, and (0, 1). If the files cannot be
    divided equally, all files and `shard`: each worker then reads every
    count-th record of each file, so that all come to the end of an epoch at
    the same time.

  Raises:
    ValueError: the index is not in [0, count).
  """
  index, count = shard
  if not 0 <= index < count:
    raise ValueError(
        'shard is (%d, %d); the index must be at least 0 and less than the '
        'count.' % (index, count))
  if len(files) % count:
    return files, shard
  return files[index::count], (0, 1)


def decode_position(position):
  """Returns the Position that an integer `Record.position` stands for."""
  position, is_damaged = int(position) % _DAMAGED, int(position) >= _DAMAGED
  return Position(
      position // _FILE_STRIDE, position % _FILE_STRIDE, is_damaged)


def position(file_index, record_index):
  """Returns the integer that `decode_position` decodes."""
  return file_index * _FILE_STRIDE + record_index


def position_strings(positions, files):
  """Returns the paths and record indices of positions.

  Args:
    positions: int64 tensor of any shape, not of damaged files.
    files: list of the paths of all files, sorted.

  Returns:
    (paths, indices): String tensors of the shape of `positions`.
  """
  return (tf.gather(tf.constant(files), positions // _FILE_STRIDE),
          tf.strings.as_string(positions % _FILE_STRIDE))


def read(path, file_index):
  """Returns a tf.data Dataset of the Records of one file; see `read_blocks`."""
  return read_blocks(path, file_index).unbatch()


def read_blocks(path, file_index, shard=(0, 1)):
  """Returns a tf.data Dataset of the records of one file, in blocks.

  An operation on a block costs a fraction of one operation per record.

  Args:
    path: string scalar tensor.
    file_index: int64 scalar tensor.
    shard: (index, count), to read only every count-th record, from index on.

  Returns:
    A tf.data Dataset of Record with fields of shape [n], n from 0 to 32.
  """
  size = tf.numpy_function(_size, [path], tf.int64)
  size.set_shape([])
  first = file_index * _FILE_STRIDE
  records = tf.data.Dataset.zip((
      tf.data.TFRecordDataset(path).apply(
          tf.data.experimental.ignore_errors()),
      tf.data.Dataset.range(first, first + _FILE_STRIDE)))
  end = tf.data.Dataset.from_tensors((
      tf.fill([1], _UNREADABLE), tf.fill([1], tf.constant(_END, tf.int64))))

  def add_up(state, block):
    """Adds up sizes; drops the end if they are that of the file.

    Without a condition, which takes 80 ms of the start of every run.
    """
    read_bytes, next_position = state
    block = Record(*block)
    is_end = tf.cast(tf.equal(block.position[0], _END), tf.int64)
    is_whole = tf.cast(tf.equal(read_bytes, size), tf.int64)
    count = tf.size(block.example, out_type=tf.int64)
    length = tf.reduce_sum(tf.strings.length(block.example))
    read_bytes += tf.cast(length, tf.int64) + count * (
        _HEADER_SIZE + _FOOTER_SIZE)
    position = block.position + is_end * (next_position + _DAMAGED - _END)
    # A slice from 0 shares the memory of the records.
    start = is_end * is_whole
    return (read_bytes, next_position + count), Record(
        block.example[start:], position[start:])

  blocks = records.batch(_BLOCK_SIZE).concatenate(end).apply(
      tf.data.experimental.scan((tf.constant(0, tf.int64), first), add_up))
  return blocks if shard == (0, 1) else blocks.map(
      lambda block: _records_of_shard(block, shard))


def _records_of_shard(block, shard):
  index, count = shard
  # Every worker must learn that a file is damaged.
  is_read = (tf.equal(block.position % _FILE_STRIDE % count, index) |
             (block.position >= _DAMAGED))
  return Record(*[tf.boolean_mask(field, is_read) for field in block])


def _size(path):
  return np.int64(tf.gfile.Stat(path.decode()).length)


def mean_size(files, num_records):
  """Returns the approximate mean size of a record in bytes, at least 1.

  Args:
    files: list of paths, of which only the first is looked at.
    num_records: number of records in all files.
  """
  return max(1, _size(files[0].encode()) * len(files) // num_records)


def count_records(path):
  """Counts the records of a file by their lengths, without their contents.

  A record that is cut off counts as one, and so does everything after a length
  that points beyond the end of the file.
  """
  with _open(path) as file:
    return sum(1 for _ in _extents(file))


def load(path, indices):
  """Reads some records of a file outside TensorFlow.

  Args:
    path: path of the file.
    indices: collection of the indices of the records.

  Returns:
    Dict of index to bytes. A record that cannot be read is `_UNREADABLE`.
  """
  with _open(path) as file:
    extents = [(index, extent) for index, extent in enumerate(_extents(file))
               if index in indices]
    records = dict.fromkeys(indices, _UNREADABLE)
    for index, (start, length) in extents:
      file.seek(start)
      records[index] = file.read(length)
  return records


def contents(path):
  """Yields (index, start, content) of each record of a file.

  The start is the offset of the content in the file, in bytes.
  """
  with _open(path) as file:
    for index, (start, length) in enumerate(_extents(file)):
      file.seek(start)
      yield index, start, file.read(length)


def content_at(path, start, length):
  """Returns the bytes of a record, by its place in its file."""
  with _open(path) as file:
    file.seek(start)
    return file.read(length)


def count_read(dataset, all_files, files, shard):
  """Returns the number of records that a worker reads in an epoch.

  Args:
    dataset: a `slim.dataset.Dataset`.
    all_files: list of the paths of all its files.
    files, shard: what `split_among_workers` returns.
  """
  if files == all_files and shard == (0, 1):
    return dataset.num_samples
  index, count = shard
  return max(1, sum(-(-(count_records(file) - index) // count)
                    for file in files))


def _open(path):
  # TensorFlow's files read half a megabyte for each length.
  return tf.gfile.GFile(path, 'rb') if '://' in path else open(
      path, 'rb', buffering=0)


def _extents(file):
  """Yields (start, length) of the content of each record, in bytes."""
  file.seek(0, os.SEEK_END)
  size, offset = file.tell(), 0
  while offset < size:
    file.seek(offset)
    length = file.read(_LENGTH.size)
    # If the length itself is cut off, the rest of the file counts as a record.
    length = (_LENGTH.unpack(length)[0] if len(length) == _LENGTH.size else
              size - offset)
    # A damaged length may point beyond the end of the file.
    yield offset + _HEADER_SIZE, min(length, size)
    offset += _HEADER_SIZE + length + _FOOTER_SIZE
