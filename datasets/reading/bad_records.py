"""Finds the records that cannot be read, names them and skips up to a limit.

An error in tf.data does not say which record it comes from. So a
`RecordTracker` holds each record from before it is decoded until its batch
arrives. The dataset continues after an error, and the records that the tracker
still holds, of all up to the last one that arrived, are those that failed. If
records were decoded in a block, each of them is then decoded alone.
"""
import collections
import sys

import numpy as np
import tensorflow.compat.v1 as tf

from datasets.reading import record_files
from slim_common import image_formats

Failure = collections.namedtuple(
    'Failure', 'path record_index is_damaged is_reported example')
Failure.__doc__ = """A record that failed.

Attributes:
  path: str, path of the record file.
  record_index: int, index of the record in the file.
  is_damaged: bool, whether the file cannot be read from this record on.
  is_reported: bool, whether the record was named before.
  example: bytes of the record, as far as they can be read.
"""

_MAX_NAMES = 10
_FILENAME_KEY, _ENCODED_KEY = 'image/filename', 'image/encoded'
_LABEL_KEY = 'image/class/label'
_KINDS = {'bytes_list': 'bytes', 'float_list': 'floating-point numbers'}


class RecordTracker:
  """Holds the records that are being decoded and finds those that failed.

  Records are identified by their number, counted from 0 in the order of
  reading. Failures are counted by position: a record that fails in every epoch
  is one bad record.

  Args:
    files: list of the paths of all record files, sorted.
    limit: number of records that may fail before it is an error.
    max_in_flight: maximum number of records held unless some failed.
    find_decodable: for records that are decoded in blocks, which fail together:
      a function of examples, a list of bytes, and numbers, a list of int, that
      returns a list of the numbers of those that can be decoded. It is called
      only when a block has failed.
    find_fault: function of the features of a record that returns what is
      wrong with it, or None.
  """

  def __init__(self, files, limit, max_in_flight, find_decodable=None,
               find_fault=None):
    self._files = files
    self._limit = limit
    self._max_in_flight = max_in_flight
    self._find_decodable = find_decodable
    self._find_fault = find_fault
    # Number to position of each record held; positions of reported failures.
    self._held, self._reported = [tf.raw_ops.MutableHashTableV2(
        key_dtype=tf.int64, value_dtype=tf.int64, use_node_name_sharing=True)
                                  for _ in range(2)]

  def add(self, numbers, positions):
    """Returns an operation that adds records, int64 scalars or [n]."""
    return tf.raw_ops.LookupTableInsertV2(
        table_handle=self._held, keys=tf.reshape(numbers, [-1]),
        values=tf.reshape(positions, [-1]))

  def stop_above_limit(self, records):
    """Ends a dataset after too many failures in a row.

    Otherwise a dataset without a readable record would be read forever.
    """

    def may_continue(*unused_record):
      size = tf.raw_ops.LookupTableSizeV2(table_handle=self._held)
      return size <= self._limit + self._max_in_flight

    return records.apply(tf.data.experimental.take_while(may_continue))

  def forget_at_start(self, numbers):
    """Returns a dataset of numbers, int64, that begins with no record held.

    A session that replaces another one, because a parameter server was lost,
    starts to read again; what the other one was decoding will not arrive.
    """

    def forget(unused_element):
      held, _ = tf.raw_ops.LookupTableExportV2(
          table_handle=self._held, Tkeys=tf.int64, Tvalues=tf.int64)
      with tf.control_dependencies([self.remove(held)]):
        return tf.constant(False)

    return tf.data.Dataset.range(1).filter(forget).concatenate(numbers)

  def remove(self, numbers):
    """Returns an operation that removes records that arrived, int64 [n]."""
    return tf.raw_ops.LookupTableRemoveV2(table_handle=self._held, keys=numbers)

  def final_check(self, structure, is_infinite):
    """Reports failed records once more after the last batch.

    Args:
      structure: structure of the batches, from
        `tf.data.experimental.get_structure`.
      is_infinite: whether the dataset ends only if too many records failed.

    Returns:
      An empty dataset of that structure, to be concatenated to the batches.
    """

    def check(unused_element):
      # No record is being decoded any more.
      with tf.control_dependencies([self.report_before(
          tf.constant(tf.int64.max, tf.int64), is_infinite)]):
        return tf.constant(False)

    # No element passes the filter; the map only sets the structure.
    return tf.data.Dataset.range(1).filter(check).map(
        lambda unused_element: tf.nest.map_structure(
            lambda tensor: tf.zeros(
                [size or 0 for size in tensor.shape.as_list()], tensor.dtype),
            structure))

  def report_before(self, last, none_arrived=False):
    """Reports the records up to a number that are still held.

    Args:
      last: int64 scalar, the number; all that did not fail have been removed.
      none_arrived: whether no record after them can arrive.

    Returns:
      An operation. It raises an InvalidArgumentError that names the failed
      records if they are more than the limit; otherwise it prints them.
    """
    numbers, positions = tf.raw_ops.LookupTableExportV2(
        table_handle=self._held, Tkeys=tf.int64, Tvalues=tf.int64)
    reported, _ = tf.raw_ops.LookupTableExportV2(
        table_handle=self._reported, Tkeys=tf.int64, Tvalues=tf.int64)
    # In Python, as operations would lengthen the start of every run.
    message, is_fatal, failed, bad = tf.numpy_function(
        lambda *arrays: self._report(*arrays, none_arrived=none_arrived),
        [last, numbers, positions, reported],
        [tf.string, tf.bool, tf.int64, tf.int64])
    with tf.control_dependencies([tf.Assert(~is_fatal, [message])]):
      return tf.group(self.remove(failed), tf.raw_ops.LookupTableInsertV2(
          table_handle=self._reported, keys=bad, values=bad))

  def _report(self, last, numbers, positions, reported, none_arrived):
    """Prints which records up to a number failed, if that is no error.

    Args:
      last: the number.
      numbers, positions: arrays of all records held.
      reported: array of the positions of the failures reported before.
      none_arrived: whether no other record arrived for a long time.

    Returns:
      (message, is_fatal, failed, bad): as of `describe`, and int64 arrays of
      the numbers that failed and of the positions of those that are bad.
    """
    failed = {int(number): position for number, position in zip(
        numbers.flat, positions.flat) if number <= last}
    message, is_fatal, bad = b'', False, set()
    if failed:
      bad = self._find_bad(failed)
      failures = [
          failure._replace(is_reported=position in reported) for
          position, failure in self._load(sorted(bad.union(reported.flat)))]
      message, is_fatal = describe(
          failures, self._limit, none_arrived, self._find_fault)
    if message and not is_fatal:
      print(message.decode(), file=sys.stderr, flush=True)
    return (message, is_fatal, np.array(sorted(failed), np.int64),
            np.array(sorted(bad), np.int64))

  def _find_bad(self, failed):
    """Returns the positions of the records that cannot be decoded.

    Args:
      failed: dict of number to position of those that failed.
    """
    decodable = self._find_decodable(
        [failure.example for _, failure in self._load(failed.values())],
        list(failed)) if self._find_decodable else []
    # If each can be decoded alone, which one failed is unknown.
    return {position for number, position in failed.items()
            if number not in decodable} or set(failed.values())

  def _load(self, positions):
    """Returns a list of (position, Failure)."""
    decoded = [record_files.decode_position(position) for position in positions]
    indices = collections.defaultdict(set)
    for position in decoded:
      indices[position.file_index].add(position.record_index)
    loaded = {
        file_index: record_files.load(self._files[file_index], of_file)
        for file_index, of_file in indices.items()}
    return [(number, Failure(self._files[file_index], record_index, is_damaged,
                             False, loaded[file_index][record_index]))
            for number, (file_index, record_index, is_damaged) in zip(
                positions, decoded)]


def describe(failures, limit, none_arrived=False, find_fault=None):
  """Describes failed records and decides whether to go on.

  Args:
    failures: list of the Failures so far.
    limit: number of records that may fail.
    none_arrived: whether no other record arrived for a long time.
    find_fault: see `RecordTracker`.

  Returns:
    (message, is_fatal), bytes and bool. A fatal message names the records, any
    other those not reported before; b'' if there are none. Fatal are a damaged
    file, more records than the limit, and `none_arrived`.
  """
  damaged = [failure for failure in failures if failure.is_damaged]
  if damaged:
    return _message('Damaged, cut off or only partly written; convert the data '
                    'again:', damaged, find_fault), True
  if len(failures) > limit:
    return _message(
        'Records cannot be read%s:' % (
            ', more than the %d of --max_bad_records' % limit if limit else
            '; --on_bad_record=skip skips them'), failures,
        find_fault), True
  if none_arrived:
    return _message(
        'No record can be read:', failures, find_fault), True
  new = [failure for failure in failures if not failure.is_reported]
  if not new:
    return b'', False
  return _message('Skipped records that cannot be read, %d of at most %d:' % (
      len(failures), limit), new, find_fault), False


def _message(title, failures, find_fault):
  names = sorted(
      _describe_record(failure, find_fault) for failure in failures)
  if len(names) > _MAX_NAMES:
    names[_MAX_NAMES:] = ['and %d more' % (len(names) - _MAX_NAMES)]
  return '\n  '.join([title] + names).encode()


def _describe_record(failure, find_fault):
  """Returns a record's index and file, and what is known of its content."""
  name = 'record %d of %s' % (failure.record_index, failure.path)
  if failure.is_damaged:
    return name
  try:
    features = tf.train.Example.FromString(failure.example).features.feature
  except Exception:  # protobuf's error, which TensorFlow does not export.
    return name + ' (not a tf.train.Example)'
  filename = b''.join(features[_FILENAME_KEY].bytes_list.value[:1])
  encoded = b''.join(features[_ENCODED_KEY].bytes_list.value[:1])
  facts = [filename.decode(errors='replace'),
           find_fault and find_fault(features),
           _describe_format(encoded)]
  return '%s (%s)' % (name, ', '.join(filter(None, facts)))


def label_fault(features, multi_label=False, key=_LABEL_KEY):
  """Returns what is wrong with the label of a record, or None.

  Args:
    features: map of the features of its tf.train.Example.
    multi_label: whether a record has any number of labels, not one.
    key: name of the feature that holds the label.
  """
  feature = features[key]
  kind = feature.WhichOneof('kind')
  if kind in _KINDS and getattr(feature, kind).value:
    return '%s holds %s; it must hold an integer (int64)' % (
        key, _KINDS[kind])
  count = len(feature.int64_list.value)
  if multi_label or count == 1:
    return None
  return '%d labels in %s, not one' % (count, key) if count else 'no ' + key


def _describe_format(encoded):
  if not encoded:
    return 'no image in ' + _ENCODED_KEY
  return image_formats.why_not_decoded(encoded) or (
      'starts like a ' + image_formats.detect(encoded))
