"""From record files to batches, with tf.data.

Both functions build the same pipeline: files -> records -> decoded example ->
preprocessed example -> batch -> prefetch. They differ in order and end:

* `training_batches` shuffles the files and a buffer of records, repeats
  indefinitely and drops nothing.
* `evaluation_batches` reads every record once, in file order; the last batch
  may be smaller.

Each record keeps its position, file and index, so that errors name it (see
`bad_records`). Tiny images are decoded in blocks.

AutoGraph, which TensorFlow applies to every function given to tf.data, is
turned off: there is nothing to convert here, and the attempt took half of the
start-up time of a training.
"""
import collections
import os
import random
from typing import Callable, Optional, Tuple

import tensorflow.compat.v1 as tf
import tf_slim as slim

from datasets.reading import bad_records
from datasets.reading import class_sampling
from datasets.reading import example_maker
from datasets.reading import record_files

Batch = collections.namedtuple('Batch', 'images labels')
Batch.__doc__ = """A batch to train on.

Attributes:
  images: float32 [batch_size, height, width, channels], preprocessed.
  labels: int64 [batch_size]; float32 [batch_size, num_classes] of 0 and 1 if
    the dataset is multi-label; or what `mix` returns.
"""

EvaluationBatch = collections.namedtuple(
    'EvaluationBatch', 'images labels names')
EvaluationBatch.__doc__ = """A batch to evaluate.

Attributes:
  images: float32 [n, height, width, channels], preprocessed; n is the batch
    size, or less in the last batch.
  labels: int64 [n]; float32 [n, num_classes] of 0 and 1 if the dataset is
    multi-label.
  names: string [n], name of each image's file if recorded, else
    'RECORD FILE:INDEX'.
"""

_Decoding = collections.namedtuple(
    '_Decoding', 'maker num_threads parallel_calls block_size tracker files')
_Decoding.__doc__ = """How records are decoded.

Attributes:
  maker: an ExampleMaker.
  num_threads: int, number of threads.
  parallel_calls: int, number of calls of the maker in progress or waiting to be
    batched.
  block_size: int, number of records in each call.
  tracker: a RecordTracker.
  files: list of the paths of all record files, sorted.
"""

_BLOCK_BYTES = 1 << 16  # Maximum size of the encoded images of one block.
# Maximum number of operations on the images of one block. The first step waits
# until TensorFlow has prepared them: 5,000 take seconds. Blocks of images with
# many operations each gain nothing anyway.
_BLOCK_OPERATIONS = 2500
# Decoded images that may wait to be batched, so that no thread waits while
# others are copied into a batch.
_BUFFERED_IMAGES = 16
# Batches that may wait, so that a slow record does not stop a step.
_PREFETCHED_BATCHES = 2
# Number of the first batch in seeds, beyond the numbers of all records.
_FIRST_BATCH_NUMBER = 2 ** 40
# Distance between the seeds of two runs, so that their epochs do not coincide.
_RUN_SEED_STRIDE = 2 ** 24


@tf.autograph.experimental.do_not_convert
def training_batches(
    dataset: slim.dataset.Dataset, preprocess: Callable, batch_size: int,
    num_readers: int = 4, num_threads: int = 4, shuffle_buffer: int = 4096,
    labels_offset: int = 0, seed: Optional[int] = None,
    preprocess_jpeg: Optional[Callable] = None, deterministic: bool = False,
    mix: Optional[Callable] = None, shard: Tuple[int, int] = (0, 1),
    max_bad_records: int = 0, first_batch: int = 0, sampling=None,
    preprocess_batch: Optional[Callable] = None) -> tf.data.Dataset:
  """Makes an infinite dataset of shuffled batches.

  Args:
    dataset: what `dataset_factory.get_dataset` returns.
    preprocess: function of a decoded image, uint8 [height, width, channels],
      that returns the network's input, float32 [height, width, channels].
    batch_size: number of examples in every batch.
    num_readers, num_threads: numbers of files read, and of images decoded and
      preprocessed, in parallel.
    shuffle_buffer: number of records from which the next is sampled.
    labels_offset: subtracted from every label.
    seed: seed of the order; None for another order in every run.
    preprocess_jpeg: the same of (encoded, channels), for JPEGs; or None.
    deterministic: whether the images depend on the seed alone too, on any
      number of threads. `preprocess`, `preprocess_jpeg` and `mix` then get an
      argument `seed`, int64 [2], on which all their randomness must depend.
    mix: function of images and labels that returns them mixed; or None.
    shard: (index, count), which of `count` parts of the records is read.
    max_bad_records: maximum number of unreadable records to skip.
    first_batch: number of batches that an interrupted run with the same seed
      has read. They are skipped, whole epochs without reading.
    preprocess_batch: function of images, uint8 [n, height, width, channels],
      that does what `preprocess` does to each, without randomness; or None.
    sampling: a `class_sampling.Sampling` in place of shuffling; or None.

  Returns:
    A tf.data Dataset of Batch. Reading it raises an InvalidArgumentError that
    names the records that cannot be read or whose label is out of range.

  Raises:
    ValueError: no file matches, there are no examples or no such shard,
      `deterministic` is given without a seed, or the offset does not fit.
  """
  if deterministic and seed is None:
    raise ValueError('deterministic input needs a seed: give --seed.')
  image_seed = seed if deterministic else None
  first_batch = 0 if seed is None else first_batch
  maker = example_maker.ExampleMaker(
      dataset, example_maker.Preprocessing(
          preprocess, preprocess_jpeg, preprocess_batch),
      labels_offset, image_seed)
  decoding = _decoding(dataset, maker, num_threads, max_bad_records, batch_size,
                       in_blocks=not max_bad_records)
  records = _records(dataset, num_readers, shuffle_buffer, seed, shard,
                     first_batch * batch_size, decoding, sampling)
  batches = _batches(
      records, first_batch * batch_size, decoding, batch_size,
      is_infinite=True, finish=lambda examples: Batch(
          examples.image, maker.labels(examples)))
  if mix is not None:
    batches = _mix_batches(batches, mix, image_seed, first_batch)
  return batches.prefetch(_PREFETCHED_BATCHES)


@tf.autograph.experimental.do_not_convert
def evaluation_batches(
    dataset: slim.dataset.Dataset, preprocess: Callable, batch_size: int,
    num_threads: int = 4, labels_offset: int = 0,
    max_bad_records: int = 0) -> tf.data.Dataset:
  """Makes a dataset of batches with every example once, in file order.

  The last batch may be smaller. For the arguments see `training_batches`.

  Returns:
    A tf.data Dataset of EvaluationBatch, which raises errors as that of
    `training_batches` does.

  Raises:
    ValueError: no file matches, there are no examples, or the offset is wrong.
  """
  maker = example_maker.ExampleMaker(
      dataset, example_maker.Preprocessing(preprocess, None, None),
      labels_offset, None)
  decoding = _decoding(dataset, maker, num_threads, max_bad_records, batch_size,
                       in_blocks=False)

  def finish(examples):
    path, index = record_files.position_strings(
        examples.position, decoding.files)
    names = tf.where(tf.equal(examples.filename, ''),
                     tf.strings.join([path, index], ':'), examples.filename)
    return EvaluationBatch(
        examples.image, maker.labels(examples), names)

  records = _indexed_files(decoding.files, decoding.files).flat_map(
      record_files.read)
  return _batches(
      records, 0, decoding, batch_size, is_infinite=False,
      finish=finish).prefetch(_PREFETCHED_BATCHES)


def next_batch(batches):
  """Returns the tensors of the next batch and the time spent waiting for it.

  The iterator is initialized by `tf.tables_initializer()`.

  Args:
    batches: a tf.data Dataset.

  Returns:
    (batch, seconds): an element of `batches`, and a float64 scalar, how long
    the step that fetches it waited for it.
  """
  iterator = tf.data.make_initializable_iterator(batches)
  tf.add_to_collection(tf.GraphKeys.TABLE_INITIALIZERS, iterator.initializer)
  start = tf.timestamp()
  with tf.control_dependencies([start]):
    batch = iterator.get_next()
  with tf.control_dependencies(tf.nest.flatten(batch)):
    end = tf.timestamp()
  return batch, tf.subtract(end, start, name='input_wait')


def _decoding(dataset, maker, num_threads, max_bad_records, batch_size,
              in_blocks):
  """Returns the _Decoding of a dataset.

  A whole block is lost if one of its records fails. It is no larger than a
  batch.
  """
  files = record_files.find_files(dataset)
  block_size = 1
  if in_blocks and maker.can_make_blocks:
    limit = _BLOCK_BYTES // record_files.mean_size(files, dataset.num_samples)
    if limit > 1:  # Counting operations takes the time to build them.
      limit = min(limit, _BLOCK_OPERATIONS // maker.operations_per_image())
    block_size = _block_size(batch_size, limit)
  # A single thread makes one call at a time, so that random operations without
  # a seed of their own run in the same order every time.
  parallel_calls = num_threads if num_threads == 1 else (
      num_threads + -(-_BUFFERED_IMAGES // block_size))
  tracker = bad_records.RecordTracker(
      files, max_bad_records, 2 * (parallel_calls * block_size + batch_size),
      maker.find_decodable if block_size > 1 else None, maker.record_fault)
  return _Decoding(
      maker, num_threads, parallel_calls, block_size, tracker, files)


def _block_size(batch_size, limit):
  """Returns the number of records in a block, near its limit.

  Preferably batches consist of whole blocks, which are quick to put together.
  """
  limit = max(1, min(batch_size, limit))
  divisors = [size for size in range(1, limit + 1) if batch_size % size == 0]
  return divisors[-1] if 2 * divisors[-1] >= limit else limit


def _indexed_files(files, all_files):
  """Returns a dataset of (path, file_index)."""
  indices = [all_files.index(file) for file in files]
  return tf.data.Dataset.from_tensor_slices(
      (files, tf.constant(indices, tf.int64)))


def _records(dataset, num_readers, shuffle_buffer, seed, shard,
             records_to_skip, decoding, sampling):
  """Returns an infinite dataset of `record_files.Record`.

  Each epoch has its own seed, so that the dataset can start at any epoch. It
  ends only if too many records failed.
  """
  if sampling is not None:
    return decoding.tracker.stop_above_limit(class_sampling.records(
        sampling, decoding.files, shard, seed, records_to_skip,
        decoding.maker.label_of))
  files, shard = record_files.split_among_workers(decoding.files, shard)
  is_sloppy = seed is None
  if seed is None:
    seed = random.SystemRandom().randrange(2 ** 31)

  def epoch_records(epoch):
    epoch_seed = epoch + seed * _RUN_SEED_STRIDE % 2 ** 62
    shuffled_files = _indexed_files(files, decoding.files).shuffle(
        len(files), seed=epoch_seed, reshuffle_each_iteration=False)
    # Not Dataset.interleave with num_parallel_calls: in TensorFlow 1.15 the
    # process dies (SIGSEGV) when a session closes while its threads still
    # read.
    blocks = shuffled_files.apply(tf.data.experimental.parallel_interleave(
        lambda path, index: record_files.read_blocks(path, index, shard),
        cycle_length=min(num_readers, len(files)), sloppy=is_sloppy))
    return decoding.tracker.stop_above_limit(blocks).unbatch().shuffle(
        max(1, min(shuffle_buffer, dataset.num_samples)), seed=epoch_seed,
        reshuffle_each_iteration=False)

  epoch, rest = 0, 0
  if records_to_skip:
    epoch, rest = divmod(
        records_to_skip, record_files.count_read(
            dataset, decoding.files, files, shard))
  epochs = decoding.tracker.stop_above_limit(
      tf.data.Dataset.range(epoch, tf.int64.max))
  return epochs.flat_map(epoch_records).skip(rest)


def _batches(records, first_number, decoding, batch_size, is_infinite, finish):
  """Returns a dataset of batches.

  Args:
    records: a dataset of `record_files.Record`.
    first_number: number of its first record in the run.
    decoding: a _Decoding.
    batch_size: number of examples in a batch.
    is_infinite: whether to drop a last batch that is not full.
    finish: function of a batch as an `example_maker.Example` that returns an
      element of the result.
  """
  examples = _examples(records, first_number, decoding)
  examples = _regroup(examples, decoding.block_size, batch_size, is_infinite)
  # Number of the last record of each batch if none failed.
  last_numbers = tf.data.Dataset.range(
      first_number + batch_size - 1, tf.int64.max, batch_size)

  def check_and_finish(batch, last_number):
    is_complete = tf.equal(batch.number[-1], last_number)
    with tf.control_dependencies([decoding.tracker.remove(batch.number)]):
      # One test for both: each takes 50 ms of the start of a run.
      checked = tf.cond(
          is_complete & ~decoding.maker.has_wrong_label(batch), tf.no_op,
          lambda: explain(batch))
    with tf.control_dependencies([checked]):
      return finish(tf.nest.map_structure(tf.identity, batch))

  def explain(batch):
    with tf.control_dependencies([
        decoding.tracker.report_before(batch.number[-1])]):
      return decoding.maker.check_labels(batch, decoding.files)

  batches = tf.data.Dataset.zip((examples, last_numbers)).map(check_and_finish)
  batches = batches.concatenate(decoding.tracker.final_check(
      tf.data.experimental.get_structure(batches), is_infinite))
  return batches.with_options(_options(decoding.num_threads))


def _regroup(blocks, block_size, batch_size, drop_remainder):
  """Returns a dataset of batches of the examples in blocks."""
  if 1 < block_size and batch_size % block_size == 0:
    count = batch_size // block_size
    return blocks if count == 1 else blocks.batch(count, drop_remainder).map(
        lambda example: tf.nest.map_structure(
            lambda tensor: tf.reshape(
                tensor, [batch_size] + tensor.shape.as_list()[2:]), example))
  examples = blocks.unbatch() if block_size > 1 else blocks
  return examples.batch(batch_size, drop_remainder)


def _options(num_threads):
  """Returns the tf.data Options of a pipeline."""
  options = tf.data.Options()
  threading = getattr(options, 'threading', None)
  if not threading:
    # TensorFlow 1.15 only has this name; 2.12 warns of it. There the default
    # optimizations take a third of a second at the start and find nothing here.
    threading = options.experimental_threading
    options.experimental_optimization.apply_default_optimizations = False
  # Operations on one image are too small to be divided among threads.
  threading.max_intra_op_parallelism = 1
  # In the session's thread pool, operations of the step and of the images would
  # wait for each other. More threads than cores gained nothing.
  threading.private_threadpool_size = min(
      num_threads, os.cpu_count() or num_threads)
  return options


def _examples(records, first_number, decoding):
  """Returns a dataset of Examples, in blocks if block_size > 1."""
  in_blocks = decoding.block_size > 1
  make = decoding.maker.make_block if in_blocks else decoding.maker.make
  if in_blocks:
    records = records.batch(decoding.block_size, drop_remainder=True)
  # Numbers first: what was held is forgotten before the first record is read.
  numbered = tf.data.Dataset.zip((
      decoding.tracker.forget_at_start(tf.data.Dataset.range(
          first_number, tf.int64.max, decoding.block_size)), records))

  def track_and_make(number, record):
    record = record_files.Record(*record)
    if in_blocks:
      number += tf.range(decoding.block_size, dtype=tf.int64)
    with tf.control_dependencies([
        decoding.tracker.add(number, record.position)]):
      return make(
          record._replace(example=tf.identity(record.example)), number)

  # Not a fused map-and-batch, in which a bad record would take its batch along.
  return numbered.map(
      track_and_make, num_parallel_calls=decoding.parallel_calls).apply(
          tf.data.experimental.ignore_errors())


def _mix_batches(batches, mix, seed, first_batch):
  """Applies `mix` to every batch."""
  numbers = tf.data.Dataset.range(first_batch, tf.int64.max)
  return tf.data.Dataset.zip((batches, numbers)).map(
      lambda batch, number: Batch(*mix(
          batch.images, batch.labels, **example_maker.seed_argument(
              seed, number + _FIRST_BATCH_NUMBER))))
