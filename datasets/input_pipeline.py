"""From record files to batches, on tf.data.

Both forms take the same way: files -> records -> decoded example ->
preprocessed example -> batch -> prefetch. They differ in order and end:

* `training_batches` shuffles the files and a buffer of records, repeats
  without end and drops nothing.
* `evaluation_batches` reads every record once, in order, and ends with a
  short batch if need be.

Each record travels with the name of its file and its index there, so that bad
data can be named (see `bad_records`).
"""
import collections
import random

import tensorflow.compat.v1 as tf

from datasets import bad_records
from datasets import examples
from datasets import memory
from datasets import record_files

Batch = collections.namedtuple('Batch', 'images labels')
EvaluationBatch = collections.namedtuple(
    'EvaluationBatch', 'images labels names')

# What every record becomes. `label` is what the batch gets, `suspect` the
# label that lies furthest out; the rest is for messages and names.
_Numbered = collections.namedtuple(
    '_Numbered', 'image label suspect name file index number')
# What is done to a record, and by how many threads.
_Work = collections.namedtuple('_Work', 'maker num_threads ledger')

# Whole batches waiting, so that a slow record does not stop a step.
_PREFETCHED_BATCHES = 2
# The seeds of what is drawn for a batch, apart from those for its examples.
_BATCH_SEEDS_BEGIN = 2 ** 40
# Between the seeds of two runs, so that their epochs do not meet.
_SEEDS_APART = 2 ** 24


def training_batches(dataset, preprocess, batch_size, num_readers=4,
                     num_threads=4, shuffle_buffer=4096, labels_offset=0,
                     seed=None, preprocess_jpeg=None, deterministic=False,
                     mix=None, shard=(0, 1), max_bad_records=0, first_batch=0):
  """Makes an endless stream of shuffled batches.

  Args:
    dataset: a `slim.dataset.Dataset`, as `dataset_factory.get_dataset` makes.
    preprocess: function of one decoded picture, uint8 [height, width,
      channels], that returns the float32 picture the network takes.
    batch_size: examples a batch; every batch is full.
    num_readers: files read at the same time.
    num_threads: pictures decoded and preprocessed at the same time.
    shuffle_buffer: records in memory from which the next is drawn.
    labels_offset: subtracted from every label.
    seed: seed of the order; another order every time if None.
    preprocess_jpeg: function of (encoded, channels), for JPEGs in place of
      `preprocess`, that decodes no more than it needs; or None.
    deterministic: whether the pictures too depend on the seed alone, on any
      number of threads. `preprocess`, `preprocess_jpeg` and `mix` then get
      an argument `seed`, int64 [2], on which all they draw has to depend.
    mix: function of images and labels that returns them mixed; or None.
    shard: (index, count), the part of the records that this worker reads.
    max_bad_records: records passed over because they cannot be read; one more
      is an error.
    first_batch: batches that an interrupted run with the same seed had
      already. Whole epochs of them are passed over at once, the records of
      the last are read but not decoded.

  Returns:
    A tf.data Dataset of Batch(images, labels): float32
    [batch_size, height, width, channels], and int64 [batch_size], or float32
    [batch_size, num_classes] of 0 and 1 if the dataset is multi-label, or
    what `mix` makes of them. Reading it raises an InvalidArgumentError, which
    names file and index, for records that cannot be read and labels out of
    range.

  Raises:
    ValueError: no file matches, the split holds no example, the shard does
      not exist, `deterministic` lacks the seed, or the offset does not fit.
  """
  if deterministic and seed is None:
    raise ValueError('What is deterministic needs a seed: give --seed.')
  seed_of_draws = seed if deterministic else None
  first_batch = 0 if seed is None else first_batch
  ledger = bad_records.Ledger(max_bad_records, 2 * num_threads)
  records = _shuffled_records(dataset, num_readers, shuffle_buffer, seed,
                              shard, first_batch * batch_size, ledger)
  work = _Work(_ExampleMaker(dataset, preprocess, preprocess_jpeg,
                             labels_offset, seed_of_draws),
               num_threads, ledger)
  batches = _batches(
      records, first_batch * batch_size, work, batch_size, is_endless=True).map(
          lambda batch: Batch(batch.images, batch.labels))
  if mix is not None:
    batches = _mixed(batches, mix, seed_of_draws, first_batch)
  return batches.prefetch(_PREFETCHED_BATCHES)


def evaluation_batches(dataset, preprocess, batch_size, num_threads=4,
                       labels_offset=0, max_bad_records=0):
  """Makes a stream of batches that holds every example once, in file order.

  Args, raises: as for `training_batches`.

  Returns:
    A tf.data Dataset of EvaluationBatch(images, labels, names); the last batch
    holds what is left. `names` is string [batch]: the name of the picture's
    file where it is recorded, else 'RECORD FILE:INDEX'.
  """
  records = tf.data.Dataset.from_tensor_slices(
      record_files.find_files(dataset)).flat_map(record_files.read)
  work = _Work(_ExampleMaker(dataset, preprocess, None, labels_offset, None),
               num_threads,
               bad_records.Ledger(max_bad_records, 2 * num_threads))
  batches = _batches(records, 0, work, batch_size, is_endless=False)
  return batches.prefetch(_PREFETCHED_BATCHES)


def next_batch(batches):
  """Returns the tensors of the next batch and the time spent waiting for it.

  The iterator is initialised with the tables, by what
  `tf.tables_initializer()` returns.

  Args:
    batches: a tf.data Dataset.

  Returns:
    (batch, seconds): the structure of `batches` as tensors, and a float64
    scalar: how long the step that fetches it had to wait for the batch.
  """
  iterator = tf.data.make_initializable_iterator(batches)
  tf.add_to_collection(tf.GraphKeys.TABLE_INITIALIZERS, iterator.initializer)
  asked = tf.timestamp()
  with tf.control_dependencies([asked]):
    batch = iterator.get_next()
  with tf.control_dependencies(tf.nest.flatten(batch)):
    arrived = tf.timestamp()
  return batch, tf.subtract(arrived, asked, name='input_wait')


def next_picture(dataset):
  """Returns the next picture of a dataset, to be looked at.

  Pictures come in the order of the files, without end, and only as they are
  asked for; those that cannot be read are passed over.

  Args:
    dataset: a `slim.dataset.Dataset`.

  Returns:
    uint8 [height, width, channels], a tensor.
  """
  reader = examples.Reader(dataset)
  pictures = tf.data.TFRecordDataset(record_files.find_files(dataset)).map(
      lambda example: reader.decode(reader.parse(example).encoded))
  pictures = pictures.apply(tf.data.experimental.ignore_errors()).repeat()
  return next_batch(pictures)[0]


def _shuffled_records(dataset, num_readers, shuffle_buffer, seed, shard,
                      records_to_skip, ledger):
  """Returns an endless dataset of `record_files.Record`.

  Each epoch has a seed of its own, so that one can begin with any of them. It
  ends only where more records failed than may be.
  """
  all_files = record_files.find_files(dataset)
  files, shard = record_files.share(all_files, shard)
  is_sloppy = seed is None
  if seed is None:
    seed = random.SystemRandom().randrange(2 ** 31)

  def epoch_records(epoch):
    epoch_seed = epoch + seed * _SEEDS_APART % 2 ** 62
    records = tf.data.Dataset.from_tensor_slices(files)
    records = records.shuffle(
        len(files), seed=epoch_seed, reshuffle_each_iteration=False)
    # Not Dataset.interleave with num_parallel_calls: in TensorFlow 1.15 the
    # process dies (SIGSEGV) when a session closes while its threads still
    # read.
    records = records.apply(tf.data.experimental.parallel_interleave(
        lambda file: record_files.read_blocks(file, shard),
        cycle_length=min(num_readers, len(files)), sloppy=is_sloppy))
    return ledger.stop_when_full(records).unbatch().shuffle(
        max(1, min(shuffle_buffer, dataset.num_samples)), seed=epoch_seed,
        reshuffle_each_iteration=False)

  epoch, rest = 0, 0
  if records_to_skip:
    epoch, rest = divmod(
        records_to_skip, _epoch_size(dataset, all_files, files, shard))
  epochs = ledger.stop_when_full(tf.data.Dataset.range(epoch, tf.int64.max))
  return epochs.flat_map(epoch_records).skip(rest)


def _epoch_size(dataset, all_files, files, shard):
  """Returns the number of records that a worker reads in an epoch."""
  if files == all_files and shard == (0, 1):
    return dataset.num_samples
  index, count = shard
  return max(1, sum(-(-(record_files.count_records(file) - index) // count)
                    for file in files))


def _batches(records, first_number, work, batch_size, is_endless):
  """Returns a dataset of EvaluationBatch from one of `record_files.Record`."""
  memory.keep_freed_memory()
  maker, ledger = work.maker, work.ledger
  numbered = tf.data.Dataset.zip((
      records, tf.data.Dataset.range(first_number, tf.int64.max)))

  def make_example(record, number):
    record = record_files.Record(*record)
    with tf.control_dependencies([ledger.enter(number, record)]):
      example = maker.make(record, number)
    with tf.control_dependencies([example.image]):
      with tf.control_dependencies([ledger.remove(number)]):
        return example._replace(image=tf.identity(example.image))

  # Errors are passed over one by one: in a fused map-and-batch a bad record
  # would take its batch with it.
  batches = numbered.map(make_example, num_parallel_calls=work.num_threads)
  batches = batches.apply(tf.data.experimental.ignore_errors())
  batches = batches.batch(batch_size, drop_remainder=is_endless)
  batches = ledger.check(batches).map(maker.checked)
  options = tf.data.Options()
  # The second name is TensorFlow 1.15's, of which 2.12 warns.
  threading = getattr(options, 'threading', None) or (
      options.experimental_threading)
  # A picture is too small a matter to be divided among threads.
  threading.max_intra_op_parallelism = 1
  return batches.with_options(options)


class _ExampleMaker:
  """Makes preprocessed examples of records."""

  def __init__(self, dataset, preprocess, preprocess_jpeg, labels_offset,
               seed):
    self._reader = examples.Reader(dataset)
    self._preprocess = preprocess
    self._preprocess_jpeg = preprocess_jpeg
    self._labels_offset = labels_offset
    self._num_classes = dataset.num_classes
    self._multi_label = bool(getattr(dataset, 'multi_label', False))
    self._seed = seed
    if self._multi_label and labels_offset:
      raise ValueError(
          'labels_offset is %s, but the pictures have several classes, none of '
          'which is left out: it must be 0.' % labels_offset)

  def make(self, record, number):
    """Returns a _Numbered of a `record_files.Record`."""
    with tf.control_dependencies([
        tf.Assert(~record.is_damaged, [record.file])]):
      example = self._reader.parse(record.example)
    label, suspect = self._label(example.labels)
    return _Numbered(
        self._image(example.encoded, number), label, suspect, example.name,
        record.file, record.index, number)

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
    seed = _seed_argument(self._seed, number)

    def whole():
      return self._preprocess(self._reader.decode(encoded), **seed)

    def window():
      return self._preprocess_jpeg(encoded, self._reader.channels, **seed)

    if self._preprocess_jpeg is None or not self._reader.knows_pictures:
      return whole()
    return tf.cond(tf.image.is_jpeg(encoded), window, whole)

  def checked(self, batch):
    """Returns an EvaluationBatch of a batch of _Numbered, labels in range."""
    low, high = self._labels_offset, self._num_classes
    wrong = tf.logical_or(batch.suspect < low, batch.suspect >= high)
    first = tf.argmax(tf.cast(wrong, tf.int32))
    places = tf.strings.join([
        batch.file, tf.strings.as_string(batch.index)], ':')
    message = tf.strings.join([
        'Label ', tf.strings.as_string(batch.suspect[first]), ' of record ',
        tf.strings.as_string(batch.index[first]), ' of ', batch.file[first],
        ' is outside [%d, %d). ' % (low, high),
        'A label below --labels_offset=%d has no output: use '
        '--labels_offset=0.' % low if low else 'With classes numbered from 1 '
        'and no background class, use --labels_offset=1.'])
    in_range = tf.Assert(tf.logical_not(tf.reduce_any(wrong)), [message])
    with tf.control_dependencies([in_range]):
      labels = tf.identity(batch.label)
    if not self._multi_label:
      labels -= low
    return EvaluationBatch(batch.image, labels, tf.where(
        tf.equal(batch.name, ''), places, batch.name))


def _mixed(batches, mix, seed, first_number):
  """Applies `mix` to every batch."""
  numbers = tf.data.Dataset.range(first_number, tf.int64.max)
  return tf.data.Dataset.zip((batches, numbers)).map(
      lambda batch, number: Batch(*mix(
          batch.images, batch.labels,
          **_seed_argument(seed, number + _BATCH_SEEDS_BEGIN))))


def _seed_argument(seed, number):
  """Returns the keyword argument by which all draws follow from a seed."""
  if seed is None:
    return {}
  return {'seed': tf.stack([tf.constant(seed, tf.int64), number])}
