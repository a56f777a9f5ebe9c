"""Records that cannot be read: named, and passed over up to a limit.

An error inside tf.data does not say which record it comes from. So every
record enters a ledger before it is decoded and is taken out after. The dataset
goes on behind an error, and what is then left in the ledger, of all records up
to the last that arrived, is what failed.
"""
import tensorflow.compat.v1 as tf

_NAMES_SHOWN = 10
# Stands between the parts of an entry; no path holds it.
_BETWEEN = b'\0'
# Begin an entry.
_NEW, _TOLD = b'n', b't'
_FILE_NAME = 'image/filename'
_ENCODED = 'image/encoded'
# How files of these types begin.
_TYPES = ((b'\xff\xd8\xff', 'JPEG'), (b'\x89PNG', 'PNG'), (b'GIF8', 'GIF'),
          (b'BM', 'BMP'))


class Ledger:
  """The records that are being decoded, and those that failed.

  Records are known by their numbers, 0, 1, 2 in the order of reading.
  """

  def __init__(self, limit, in_flight):
    """Makes a ledger in the default graph.

    Args:
      limit: records that may fail before it is an error.
      in_flight: most records that are decoded at the same time.
    """
    self._limit = limit
    self._in_flight = in_flight
    self._table = tf.raw_ops.MutableHashTableV2(
        key_dtype=tf.int64, value_dtype=tf.string, use_node_name_sharing=True)

  def enter(self, number, record):
    """Returns an operation that enters a record (`record_files.Record`)."""
    return self._insert([number], [tf.strings.join([
        _NEW, record.file, tf.strings.as_string(record.index),
        tf.strings.as_string(record.is_damaged), record.example], _BETWEEN)])

  def _insert(self, numbers, entries):
    return tf.raw_ops.LookupTableInsertV2(
        table_handle=self._table, keys=numbers, values=entries)

  def remove(self, number):
    """Returns an operation that takes a record out."""
    return tf.raw_ops.LookupTableRemoveV2(
        table_handle=self._table, keys=[number])

  def stop_when_full(self, records):
    """Ends a dataset of records where more failed than may be.

    Otherwise a dataset of which no record can be read would be read for ever.
    """

    def goes_on(*unused_record):
      size = tf.raw_ops.LookupTableSizeV2(table_handle=self._table)
      return size <= self._limit + self._in_flight

    return records.apply(tf.data.experimental.take_while(goes_on))

  def check(self, batches):
    """Looks for failed records behind every batch.

    Args:
      batches: tf.data Dataset of a named tuple of tensors, of which `number`,
        int64 [examples], holds the numbers of the records, in order. Errors
        have been passed over.

    Returns:
      A dataset of the same. Where more records than the limit failed, it
      raises an InvalidArgumentError that names them; fewer are printed.
    """

    def check_batch(batch):
      with tf.control_dependencies([self._checked(batch.number[-1])]):
        return tf.nest.map_structure(tf.identity, batch)

    def check_end(unused_number):
      # Nothing is being decoded any more.
      with tf.control_dependencies([
          self._checked(tf.constant(tf.int64.max, tf.int64))]):
        return tf.constant(False)

    shapes = tf.data.experimental.get_structure(batches)
    # Nothing passes the filter; what is behind it gives the end its type.
    end = tf.data.Dataset.range(1).filter(check_end).map(
        lambda unused_number: tf.nest.map_structure(
            lambda tensor: tf.zeros(
                [side or 0 for side in tensor.shape.as_list()], tensor.dtype),
            shapes))
    return batches.map(check_batch).concatenate(end)

  def _checked(self, last):
    """Returns an operation that looks for failed records up to `last`."""
    numbers, entries = tf.raw_ops.LookupTableExportV2(
        table_handle=self._table, Tkeys=tf.int64, Tvalues=tf.string)
    numbers, entries = [tf.reshape(part, [-1]) for part in (numbers, entries)]
    has_failed = numbers <= last
    is_new = has_failed & tf.equal(tf.strings.substr(entries, 0, 1), _NEW)

    def report():
      failed = tf.boolean_mask(entries, has_failed)
      message, is_fatal = tf.numpy_function(
          lambda entries: judge(entries, self._limit), [failed],
          [tf.string, tf.bool])
      told = tf.strings.substr(failed, 1, tf.int32.max)
      with tf.control_dependencies([
          tf.Assert(~is_fatal, [message]),
          self._insert(tf.boolean_mask(numbers, has_failed),
                       tf.strings.join([tf.fill(tf.shape(told), _TOLD), told]))
      ]):
        return tf.print(message)

    return tf.cond(tf.reduce_any(is_new), report, tf.no_op)


def judge(entries, limit):
  """Says what became of records.

  Args:
    entries: array of bytes, the entries of all records that failed.
    limit: records that may fail.

  Returns:
    (message, is_fatal), bytes and bool. The message names the records, or,
    where it is not fatal, those that it is news of. Fatal is a damaged file,
    and more records than the limit.
  """
  damaged = [entry for entry in entries if _is_damaged(entry)]
  if damaged:
    return _join('Damaged, cut off or only partly written; convert the data '
                 'again:', damaged), True
  if len(entries) > limit:
    return _join(
        'Records cannot be read%s:' % (
            ', more than the %d of --max_bad_records' % limit if limit else
            '; --on_bad_record=skip passes over them'), entries), True
  new = [entry for entry in entries if entry.startswith(_NEW)]
  return _join('Passed over, %d of at most %d records, as they cannot be '
               'read:' % (len(entries), limit), new), False


def _is_damaged(entry):
  return entry.split(_BETWEEN, 4)[3] in (b'true', b'1')


def _join(title, entries):
  names = sorted(_describe(entry) for entry in entries)
  if len(names) > _NAMES_SHOWN:
    names[_NAMES_SHOWN:] = ['and %d more' % (len(names) - _NAMES_SHOWN)]
  return '\n  '.join([title] + names).encode()


def _describe(entry):
  """Returns the name of a record: file, index, file name and type."""
  _, file, index, _, serialized = entry.split(_BETWEEN, 4)
  name = 'record %d of %s' % (int(index), file.decode(errors='replace'))
  if _is_damaged(entry):
    return name
  try:
    features = tf.train.Example.FromString(serialized).features.feature
  except Exception:  # protobuf's error, which TensorFlow does not hand on.
    return name + ' (not a tf.train.Example)'
  file_name = b''.join(features[_FILE_NAME].bytes_list.value[:1])
  encoded = b''.join(features[_ENCODED].bytes_list.value[:1])
  facts = [file_name.decode(errors='replace'), _type(encoded)]
  return '%s (%s)' % (name, ', '.join(filter(None, facts)))


def _type(encoded):
  if not encoded:
    return 'no picture in ' + _ENCODED
  for beginning, name in _TYPES:
    if encoded.startswith(beginning):
      return 'begins like a ' + name
  return 'neither JPEG, PNG, GIF nor BMP'
