"""Records that cannot be read: named, and passed over up to a limit.

An error inside tf.data does not say which record it comes from. So records
enter a ledger before they are decoded and are taken out when their batch
arrives. The dataset goes on behind an error, and what is then left in the
ledger, of all records up to the last that arrived, is what failed. Of records
that were decoded together each is tried once more by itself.
"""
import collections

import numpy as np
import tensorflow.compat.v1 as tf

from datasets.reading import record_files
from slim_common import image_formats

# A record that failed. `example` is its bytes, as far as they can be read;
# `is_told`, whether it was named before.
Failure = collections.namedtuple(
    'Failure', 'file index is_damaged is_told example')

_NAMES_SHOWN = 10
_FILE_NAME = 'image/filename'
_ENCODED = 'image/encoded'


class Ledger:
  """The records that are being decoded, and those that failed.

  Records are known by their numbers, 0, 1, 2 in the order of reading. Those
  that failed are known by their places: one that fails anew in every epoch is
  one record.
  """

  def __init__(self, files, limit, in_flight, try_again=None):
    """Makes a ledger in the default graph.

    Args:
      files: the paths of the record files, in the order of their numbers.
      limit: records that may fail before it is an error.
      in_flight: most records between entering and being taken out.
      try_again: for records that are decoded together, so that one fails with
        the others: function of examples, string [n], and numbers, int64 [n],
        that returns the numbers of those that can be decoded, int64 [m].
    """
    self._files = files
    self._limit = limit
    self._in_flight = in_flight
    self._try_again = try_again
    # Number to place of what is being decoded; places that were named.
    self._table, self._told = [tf.raw_ops.MutableHashTableV2(
        key_dtype=tf.int64, value_dtype=tf.int64, use_node_name_sharing=True)
                               for _ in range(2)]

  def enter(self, numbers, places):
    """Returns an operation that enters one record or some, int64 tensors."""
    return tf.raw_ops.LookupTableInsertV2(
        table_handle=self._table, keys=tf.reshape(numbers, [-1]),
        values=tf.reshape(places, [-1]))

  def stop_when_full(self, records):
    """Ends a dataset of records of which too many failed one after another.

    Otherwise a dataset of which no record can be read would be read for ever.
    """

    def goes_on(*unused_record):
      size = tf.raw_ops.LookupTableSizeV2(table_handle=self._table)
      return size <= self._limit + self._in_flight

    return records.apply(tf.data.experimental.take_while(goes_on))

  def check(self, numbers, is_complete):
    """Takes out the records that arrived and looks for those that did not.

    Args:
      numbers: int64 [n], the numbers of the records that arrived, in order.
      is_complete: a bool scalar, whether none is missing before the last, so
        that there is nothing to look for.

    Returns:
      An operation. Where more records than the limit failed, it raises an
      InvalidArgumentError that names them; fewer are printed.
    """
    with tf.control_dependencies([self._remove(numbers)]):
      return tf.cond(
          is_complete, tf.no_op, lambda: self._look(numbers[-1]))

  def _remove(self, numbers):
    return tf.raw_ops.LookupTableRemoveV2(
        table_handle=self._table, keys=numbers)

  def end(self, structure, is_endless):
    """Looks for failed records once more where no more batches come.

    Args:
      structure: of the batches, as `tf.data.experimental.get_structure` tells.
      is_endless: whether there would be more, had not too many failed.

    Returns:
      A dataset of that structure, without elements, to put at the end.
    """

    def look(unused_number):
      # Nothing is being decoded any more.
      with tf.control_dependencies([self._look(
          tf.constant(tf.int64.max, tf.int64), is_endless)]):
        return tf.constant(False)

    # Nothing passes the filter; what is behind it gives the end its type.
    return tf.data.Dataset.range(1).filter(look).map(
        lambda unused_number: tf.nest.map_structure(
            lambda tensor: tf.zeros(
                [side or 0 for side in tensor.shape.as_list()], tensor.dtype),
            structure))

  def _look(self, last, nothing_left=False):
    numbers, places = tf.raw_ops.LookupTableExportV2(
        table_handle=self._table, Tkeys=tf.int64, Tvalues=tf.int64)
    numbers, places = [tf.reshape(part, [-1]) for part in (numbers, places)]
    has_failed = numbers <= last
    numbers, places = [
        tf.boolean_mask(part, has_failed) for part in (numbers, places)]
    return tf.cond(
        tf.size(numbers) > 0,
        lambda: self._report(numbers, places, nothing_left), tf.no_op)

  def _report(self, numbers, places, nothing_left):
    good = tf.zeros([0], tf.int64)
    if self._try_again is not None:
      examples = tf.numpy_function(self._load_examples, [places], tf.string)
      examples.set_shape([None])
      good = self._try_again(examples, numbers)
    told, _ = tf.raw_ops.LookupTableExportV2(
        table_handle=self._told, Tkeys=tf.int64, Tvalues=tf.int64)
    message, is_fatal, bad = tf.numpy_function(
        lambda *arrays: self._judge(*arrays, nothing_left=nothing_left),
        [numbers, places, good, told], [tf.string, tf.bool, tf.int64])
    # Of any other shape it is printed on one line, in quotation marks.
    message.set_shape([])
    with tf.control_dependencies([tf.Assert(~is_fatal, [message])]):
      return tf.group(
          tf.cond(tf.equal(message, ''), tf.no_op, lambda: tf.print(message)),
          self._remove(numbers), tf.raw_ops.LookupTableInsertV2(
              table_handle=self._told, keys=bad, values=bad))

  def _judge(self, numbers, places, good, told, nothing_left):
    bad = {place for number, place in zip(numbers, places)
           if number not in good}
    # Where each by itself can be read after all, it is one of them.
    bad = bad or set(places)
    failures = [failure._replace(is_told=place in told) for place, failure in
                self._load(sorted(bad.union(told.flat)))]
    return judge(failures, self._limit, nothing_left) + (
        np.array(sorted(bad), np.int64),)

  def _load_examples(self, places):
    # An array of objects: numpy's own strings lose zeros at their end.
    return np.array(
        [failure.example for _, failure in self._load(places)], object)

  def _load(self, places):
    """Returns pairs of a place and the Failure there."""
    known = [record_files.place_of(place) for place in places]
    indices = collections.defaultdict(set)
    for place in known:
      indices[place.file_number].add(place.index)
    loaded = {number: record_files.load(self._files[number], indices[number])
              for number in indices}
    return [
        (number, Failure(
            self._files[place.file_number], place.index, place.is_damaged,
            False, loaded[place.file_number][place.index]))
        for place, number in zip(known, places)]


def judge(failures, limit, nothing_left=False):
  """Says what became of records.

  Args:
    failures: list of Failure, all records that failed.
    limit: records that may fail.
    nothing_left: whether nothing but these records came for a long time.

  Returns:
    (message, is_fatal), bytes and bool. The message names the records, or,
    where it is not fatal, those that it is news of; b'' if there are none.
    Fatal is a damaged file, more records than the limit, and nothing left.
  """
  damaged = [failure for failure in failures if failure.is_damaged]
  if damaged:
    return _join('Damaged, cut off or only partly written; convert the data '
                 'again:', damaged), True
  if len(failures) > limit:
    return _join(
        'Records cannot be read%s:' % (
            ', more than the %d of --max_bad_records' % limit if limit else
            '; --on_bad_record=skip passes over them'), failures), True
  if nothing_left:
    return _join('No record can be read:', failures), True
  new = [failure for failure in failures if not failure.is_told]
  if not new:
    return b'', False
  return _join('Passed over, %d of at most %d records, as they cannot be '
               'read:' % (len(failures), limit), new), False


def _join(title, failures):
  names = sorted(_describe(failure) for failure in failures)
  if len(names) > _NAMES_SHOWN:
    names[_NAMES_SHOWN:] = ['and %d more' % (len(names) - _NAMES_SHOWN)]
  return '\n  '.join([title] + names).encode()


def _describe(failure):
  """Returns the name of a record: file, index, file name and type."""
  name = 'record %d of %s' % (failure.index, failure.file)
  if failure.is_damaged:
    return name
  try:
    features = tf.train.Example.FromString(failure.example).features.feature
  except Exception:  # protobuf's error, which TensorFlow does not hand on.
    return name + ' (not a tf.train.Example)'
  file_name = b''.join(features[_FILE_NAME].bytes_list.value[:1])
  encoded = b''.join(features[_ENCODED].bytes_list.value[:1])
  facts = [file_name.decode(errors='replace'), _type(encoded)]
  return '%s (%s)' % (name, ', '.join(filter(None, facts)))


def _type(encoded):
  if not encoded:
    return 'no picture in ' + _ENCODED
  kind = image_formats.detect(encoded)
  return 'begins like a ' + kind if kind else 'neither JPEG, PNG, GIF nor BMP'
