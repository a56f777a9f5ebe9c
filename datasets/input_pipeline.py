"""From record files to batches, on tf.data.

Both forms take the same way: files -> records -> decoded example ->
preprocessed example -> batch -> prefetch. They differ in order and end:

* `training_batches` shuffles the files and a buffer of records, repeats
  without end and drops nothing.
* `evaluation_batches` reads every record once, in order, and ends with a
  short batch if need be.

Each record travels with the name of its file and its index there, so that bad
data can be named.
"""
import collections

import tensorflow.compat.v1 as tf

Batch = collections.namedtuple('Batch', 'images labels')
Record = collections.namedtuple('Record', 'example file index')

# Whole batches waiting, so that a slow record does not stop a step.
_PREFETCHED_BATCHES = 2


def training_batches(dataset, preprocess, batch_size, num_readers=4,
                     num_threads=4, shuffle_buffer=4096, labels_offset=0,
                     seed=None):
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

  Returns:
    A tf.data Dataset of Batch(images, labels): float32
    [batch_size, height, width, channels] and int64 [batch_size].

  Raises:
    ValueError: no file matches, or the split holds no example.
  """
  files = find_files(dataset)
  records = tf.data.Dataset.from_tensor_slices(files)
  records = records.shuffle(len(files), seed=seed)
  # Not Dataset.interleave with num_parallel_calls: in TensorFlow 1.15 the
  # process dies (SIGSEGV) when a session closes while its threads still read.
  records = records.apply(tf.data.experimental.parallel_interleave(
      _read, cycle_length=min(num_readers, len(files)), sloppy=seed is None))
  records = records.shuffle(
      max(1, min(shuffle_buffer, dataset.num_samples)), seed=seed)
  records = records.repeat()
  examples = records.map(
      _example_maker(dataset, preprocess, labels_offset),
      num_parallel_calls=num_threads)
  batches = examples.batch(batch_size, drop_remainder=True)
  batches = batches.prefetch(_PREFETCHED_BATCHES)
  if seed is None:
    options = tf.data.Options()
    options.experimental_deterministic = False
    batches = batches.with_options(options)
  return batches


def evaluation_batches(dataset, preprocess, batch_size, num_threads=4,
                       labels_offset=0):
  """Makes a stream of batches that holds every example once, in file order.

  Args, raises: as for `training_batches`.

  Returns:
    A tf.data Dataset of Batch(images, labels); the last batch holds what is
    left.
  """
  records = tf.data.Dataset.from_tensor_slices(find_files(dataset))
  examples = records.flat_map(_read).map(
      _example_maker(dataset, preprocess, labels_offset),
      num_parallel_calls=num_threads)
  return examples.batch(batch_size).prefetch(_PREFETCHED_BATCHES)


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
  with tf.control_dependencies(list(batch)):
    arrived = tf.timestamp()
  return batch, tf.subtract(arrived, asked, name='input_wait')


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


def _read(file):
  """Returns the records of one file as a Dataset of Record."""
  return tf.data.Dataset.zip((
      tf.data.TFRecordDataset(file),
      tf.data.Dataset.from_tensors(file).repeat(),
      tf.data.Dataset.range(tf.int64.max)))


def _example_maker(dataset, preprocess, labels_offset):
  """Returns the function from a record to a preprocessed example."""
  num_classes = dataset.num_classes - labels_offset

  def make_example(*record):
    record = Record(*record)
    image, label = dataset.decoder.decode(record.example, ['image', 'label'])
    label = tf.cast(label, tf.int64) - labels_offset
    in_range = tf.Assert(
        tf.logical_and(label >= 0, label < num_classes),
        ['Label', label + labels_offset, 'of record', record.index, 'of file',
         record.file, 'is outside [%d, %d).' % (
             labels_offset, dataset.num_classes),
         'With classes numbered from 1 and no background class, use '
         '--labels_offset=1.'])
    with tf.control_dependencies([in_range]):
      return Batch(preprocess(image), tf.identity(label))

  return make_example
