"""From record files to batches, on tf.data.

Both forms take the same way: files -> records -> decoded example ->
preprocessed example -> batch -> prefetch. They differ in order and end:

* `training_batches` shuffles the files and a buffer of records, repeats
  without end and drops nothing.
* `evaluation_batches` reads every record once, in order, and ends with a
  short batch if need be.

Each record travels with its place, file and index, so that bad data can be
named (see `bad_records`). Tiny pictures are decoded some at a time.

AutoGraph, through which TensorFlow passes every function given to tf.data, is
kept away: there is nothing in them for it to convert, and looking took half of
the time that a training needs to start.
"""
import collections
import os
import random

import tensorflow.compat.v1 as tf

from datasets.reading import bad_records
from datasets.reading import decode
from datasets.reading import example_maker
from datasets.reading import record_files

Batch = collections.namedtuple('Batch', 'images labels')
EvaluationBatch = collections.namedtuple(
    'EvaluationBatch', 'images labels names')

# What is done to records: by which ExampleMaker, by how many threads, how many
# calls may have begun and wait to be batched, how many records in one go, in
# whose Ledger they stand, and the files they come from.
_Work = collections.namedtuple(
    '_Work', 'maker num_threads calls block ledger files')

# What is decoded in one go, at most.
_BLOCK_BYTES = 1 << 16
# Pictures waiting beside those that are worked at, so that the threads go on
# while others are copied to a batch.
_PICTURES_WAITING = 16
# Whole batches waiting, so that a slow record does not stop a step.
_PREFETCHED_BATCHES = 2
# The seeds of what is drawn for a batch, apart from those for its examples.
_BATCH_SEEDS_BEGIN = 2 ** 40
# Between the seeds of two runs, so that their epochs do not meet.
_SEEDS_APART = 2 ** 24


@tf.autograph.experimental.do_not_convert
def training_batches(dataset, preprocess, batch_size, num_readers=4,
                     num_threads=4, shuffle_buffer=4096, labels_offset=0,
                     seed=None, preprocess_jpeg=None, deterministic=False,
                     mix=None, shard=(0, 1), max_bad_records=0, first_batch=0,
                     preprocess_batch=None):
  """Makes an endless stream of shuffled batches.

  Args:
    dataset: a `slim.dataset.Dataset`, as `dataset_factory.get_dataset` makes.
    preprocess: function of a decoded picture, uint8 [height, width, channels],
      that returns the float32 picture the network takes.
    batch_size: examples a batch; every batch is full.
    num_readers: files read at the same time.
    num_threads: pictures decoded and preprocessed at the same time.
    shuffle_buffer: records in memory from which the next is drawn.
    labels_offset: subtracted from every label.
    seed: of the order; another order every time if None.
    preprocess_jpeg: function of (encoded, channels), for JPEGs in place of
      `preprocess`, that decodes no more than it needs; or None.
    deterministic: whether the pictures too follow from the seed alone on any
      number of threads. `preprocess`, `preprocess_jpeg` and `mix` then get an
      argument `seed`, int64 [2], of which all that they draw has to follow.
    mix: function of images and labels that returns them mixed; or None.
    shard: (index, count), the part of the records that this worker reads.
    max_bad_records: most records that may be passed over as unreadable.
    first_batch: batches that an interrupted run with the same seed had. Whole
      epochs are passed over at once, the last is read but not decoded.
    preprocess_batch: function that does to pictures, uint8 [n, height, width,
      channels], what `preprocess` does to each, and draws nothing; or None.

  Returns:
    A tf.data Dataset of Batch(images, labels): float32
    [batch_size, height, width, channels], and int64 [batch_size], or float32
    [batch_size, num_classes] of 0 and 1 if the dataset is multi-label, or
    what `mix` makes of them. Reading it raises an InvalidArgumentError, which
    names file and index, for records that cannot be read and labels out of
    range.

  Raises:
    ValueError: no file matches, there is no example or no such shard,
      `deterministic` lacks the seed, or the offset does not fit.
  """
  if deterministic and seed is None:
    raise ValueError('What is deterministic needs a seed: give --seed.')
  seed_of_draws = seed if deterministic else None
  first_batch = 0 if seed is None else first_batch
  maker = example_maker.ExampleMaker(
      dataset, example_maker.Preprocessing(
          preprocess, preprocess_jpeg, preprocess_batch),
      labels_offset, seed_of_draws)
  work = _work(dataset, maker, num_threads, max_bad_records, batch_size,
               in_blocks=not max_bad_records)
  records = _shuffled_records(dataset, num_readers, shuffle_buffer, seed,
                              shard, first_batch * batch_size, work)
  batches = _batches(records, first_batch * batch_size, work, batch_size, True,
                     lambda batch: Batch(
                         batch.image, maker.labels(batch, work.files)))
  if mix is not None:
    batches = _mixed(batches, mix, seed_of_draws, first_batch)
  return batches.prefetch(_PREFETCHED_BATCHES)


@tf.autograph.experimental.do_not_convert
def evaluation_batches(dataset, preprocess, batch_size, num_threads=4,
                       labels_offset=0, max_bad_records=0):
  """Makes a stream of batches that holds every example once, in file order.

  Args, raises: as for `training_batches`.

  Returns:
    A tf.data Dataset of EvaluationBatch(images, labels, names); the last batch
    holds what is left. `names` is string [batch]: the name of the picture's
    file where it is recorded, else 'RECORD FILE:INDEX'.
  """
  maker = example_maker.ExampleMaker(
      dataset, example_maker.Preprocessing(preprocess, None, None),
      labels_offset, None)
  work = _work(dataset, maker, num_threads, max_bad_records, batch_size,
               in_blocks=False)

  def finish(batch):
    file, index = record_files.in_words(batch.place, work.files)
    names = tf.where(tf.equal(batch.name, ''),
                     tf.strings.join([file, index], ':'), batch.name)
    return EvaluationBatch(
        batch.image, maker.labels(batch, work.files), names)

  records = _numbered(work.files, work.files).flat_map(record_files.read)
  batches = _batches(
      records, 0, work, batch_size, is_endless=False, finish=finish)
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


@tf.autograph.experimental.do_not_convert
def next_picture(dataset):
  """Returns the next picture of a dataset, to be looked at.

  Pictures come in the order of the files, without end, and only as they are
  asked for; those that cannot be read are passed over.

  Args:
    dataset: a `slim.dataset.Dataset`.

  Returns:
    uint8 [height, width, channels], a tensor.
  """
  reader = decode.Reader(dataset)
  pictures = tf.data.TFRecordDataset(record_files.find_files(dataset)).map(
      lambda example: reader.decode(reader.parse(example).encoded))
  pictures = pictures.apply(tf.data.experimental.ignore_errors()).repeat()
  return next_batch(pictures)[0]


def _work(dataset, maker, num_threads, max_bad_records, batch_size, in_blocks):
  """Returns the _Work of a dataset.

  A block is lost where one of its records fails, and never larger than a
  batch.
  """
  files = record_files.find_files(dataset)
  block = 1
  if in_blocks and maker.takes_blocks:
    block = max(1, min(batch_size, _BLOCK_BYTES // record_files.mean_size(
        files, dataset.num_samples)))
  # One thread takes them one after the other, so that what is drawn without a
  # seed of the picture is the same every time.
  calls = num_threads if num_threads == 1 else (
      num_threads + -(-_PICTURES_WAITING // block))
  ledger = bad_records.Ledger(
      files, max_bad_records, 2 * (calls * block + batch_size),
      maker.good_ones if block > 1 else None)
  return _Work(maker, num_threads, calls, block, ledger, files)


def _numbered(files, all_files):
  """Returns a dataset of files and their numbers among all."""
  numbers = [all_files.index(file) for file in files]
  return tf.data.Dataset.from_tensor_slices(
      (files, tf.constant(numbers, tf.int64)))


def _shuffled_records(dataset, num_readers, shuffle_buffer, seed, shard,
                      records_to_skip, work):
  """Returns an endless dataset of `record_files.Record`.

  Each epoch has a seed of its own, so that one can begin with any of them. It
  ends only where more records failed than may be.
  """
  files, shard = record_files.share(work.files, shard)
  is_sloppy = seed is None
  if seed is None:
    seed = random.SystemRandom().randrange(2 ** 31)

  def epoch_records(epoch):
    epoch_seed = epoch + seed * _SEEDS_APART % 2 ** 62
    numbered = _numbered(files, work.files).shuffle(
        len(files), seed=epoch_seed, reshuffle_each_iteration=False)
    # Not Dataset.interleave with num_parallel_calls: in TensorFlow 1.15 the
    # process dies (SIGSEGV) when a session closes while its threads still
    # read.
    blocks = numbered.apply(tf.data.experimental.parallel_interleave(
        lambda file, number: record_files.read_blocks(file, number, shard),
        cycle_length=min(num_readers, len(files)), sloppy=is_sloppy))
    return work.ledger.stop_when_full(blocks).unbatch().shuffle(
        max(1, min(shuffle_buffer, dataset.num_samples)), seed=epoch_seed,
        reshuffle_each_iteration=False)

  epoch, rest = 0, 0
  if records_to_skip:
    epoch, rest = divmod(
        records_to_skip, _epoch_size(dataset, work.files, files, shard))
  epochs = work.ledger.stop_when_full(
      tf.data.Dataset.range(epoch, tf.int64.max))
  return epochs.flat_map(epoch_records).skip(rest)


def _epoch_size(dataset, all_files, files, shard):
  """Returns the number of records that a worker reads in an epoch."""
  if files == all_files and shard == (0, 1):
    return dataset.num_samples
  index, count = shard
  return max(1, sum(-(-(record_files.count_records(file) - index) // count)
                    for file in files))


def _batches(records, first_number, work, batch_size, is_endless, finish):
  """Returns a dataset of batches from one of `record_files.Record`.

  Args:
    records: the dataset.
    first_number: the number of its first record in the run.
    work: a _Work.
    batch_size: examples a batch.
    is_endless: whether to leave out a last batch that is not full.
    finish: function of a batch as `example_maker.Numbered`, that returns what
      the batch becomes.
  """
  made = _made(records, first_number, work)
  if work.block not in (1, batch_size):
    made = made.unbatch()
  if work.block == 1 or work.block != batch_size:
    made = made.batch(batch_size, drop_remainder=is_endless)
  # The last numbers of batches of which no record failed.
  last_numbers = tf.data.Dataset.range(
      first_number + batch_size - 1, tf.int64.max, batch_size)

  def check_and_finish(batch, last_number):
    is_complete = tf.equal(batch.number[-1], last_number)
    with tf.control_dependencies([
        work.ledger.check(batch.number, is_complete)]):
      return finish(tf.nest.map_structure(tf.identity, batch))

  batches = tf.data.Dataset.zip((made, last_numbers)).map(check_and_finish)
  batches = batches.concatenate(work.ledger.end(
      tf.data.experimental.get_structure(batches), is_endless))
  return batches.with_options(_options(work.num_threads))


def _options(num_threads):
  """Returns the tf.data Options of a pipeline."""
  options = tf.data.Options()
  # The second name is TensorFlow 1.15's, of which 2.12 warns.
  threading = getattr(options, 'threading', None) or (
      options.experimental_threading)
  # A picture is too small a matter to be divided among threads.
  threading.max_intra_op_parallelism = 1
  # In the session's own threads the operations of a step and of pictures would
  # wait for each other. More threads than cores brought nothing.
  threading.private_threadpool_size = min(
      num_threads, os.cpu_count() or num_threads)
  return options


def _made(records, first_number, work):
  """Returns a dataset of Numbered, [block, ...] each unless the block is 1."""
  in_blocks = work.block > 1
  make = work.maker.make_block if in_blocks else work.maker.make
  if in_blocks:
    records = records.batch(work.block, drop_remainder=True)
  numbered = tf.data.Dataset.zip((
      records,
      tf.data.Dataset.range(first_number, tf.int64.max, work.block)))

  def make_entered(record, number):
    record = record_files.Record(*record)
    if in_blocks:
      number += tf.range(work.block, dtype=tf.int64)
    with tf.control_dependencies([work.ledger.enter(number, record.place)]):
      return make(
          record._replace(example=tf.identity(record.example)), number)

  # Errors are passed over one by one: in a fused map-and-batch a bad record
  # would take its batch with it.
  return numbered.map(
      make_entered, num_parallel_calls=work.calls).apply(
          tf.data.experimental.ignore_errors())


def _mixed(batches, mix, seed, first_number):
  """Applies `mix` to every batch."""
  numbers = tf.data.Dataset.range(first_number, tf.int64.max)
  return tf.data.Dataset.zip((batches, numbers)).map(
      lambda batch, number: Batch(*mix(
          batch.images, batch.labels,
          **example_maker.seed_argument(
              seed, number + _BATCH_SEEDS_BEGIN))))
