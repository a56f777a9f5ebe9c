"""The input pipeline: order, completeness, shapes and bad data."""
import collections

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from datasets import input_pipeline

_CLASSES = 4


def _example(number, label):
  """A 2x3 grey PNG whose pixels all are `number`."""
  with tf.Graph().as_default(), tf.Session() as session:
    png = session.run(tf.image.encode_png(
        np.full([2, 3, 1], number, np.uint8)))
  return tf.train.Example(features=tf.train.Features(feature={
      'image/encoded': tf.train.Feature(
          bytes_list=tf.train.BytesList(value=[png])),
      'image/format': tf.train.Feature(
          bytes_list=tf.train.BytesList(value=[b'png'])),
      'image/class/label': tf.train.Feature(
          int64_list=tf.train.Int64List(value=[label]))}))


def _write(folder, sizes, label=lambda number: number % _CLASSES):
  """Writes shards of the given sizes; pictures are numbered through."""
  number = 0
  for shard, size in enumerate(sizes):
    path = str(folder / ('data_train_%05d.tfrecord' % shard))
    with tf.python_io.TFRecordWriter(path) as writer:
      for _ in range(size):
        writer.write(_example(number, label(number)).SerializeToString())
        number += 1


def _dataset(folder, num_samples, num_classes=_CLASSES):
  decoder = slim.tfexample_decoder.TFExampleDecoder(
      {'image/encoded': tf.FixedLenFeature([], tf.string, ''),
       'image/format': tf.FixedLenFeature([], tf.string, 'png'),
       'image/class/label': tf.FixedLenFeature([], tf.int64, 0)},
      {'image': slim.tfexample_decoder.Image(shape=[2, 3, 1], channels=1),
       'label': slim.tfexample_decoder.Tensor('image/class/label')})
  return slim.dataset.Dataset(
      data_sources=str(folder / 'data_train_*.tfrecord'),
      reader=tf.TFRecordReader, decoder=decoder, num_samples=num_samples,
      items_to_descriptions={}, num_classes=num_classes)


def _preprocess(image):
  return tf.cast(image, tf.float32) - 0.5


def _run(batches, steps=None):
  """Returns the batches as numpy, up to the end or for so many steps."""
  batch, _ = input_pipeline.next_batch(batches)
  results = []
  with tf.Session() as session:
    session.run(tf.tables_initializer())
    try:
      while steps is None or len(results) < steps:
        results.append(session.run(batch))
    except tf.errors.OutOfRangeError:
      pass
  return results


def _numbers(results):
  return [int(image[0, 0, 0] + 0.5) for batch in results
          for image in batch.images]


def test_evaluation_reads_everything_once_in_order(tmp_path):
  _write(tmp_path, [3, 0, 4])
  results = _run(input_pipeline.evaluation_batches(
      _dataset(tmp_path, 7), _preprocess, 3))
  assert [len(batch.labels) for batch in results] == [3, 3, 1]
  assert _numbers(results) == list(range(7))
  assert np.concatenate([b.labels for b in results]).tolist() == [
      0, 1, 2, 3, 0, 1, 2]
  assert results[0].images.dtype == np.float32
  assert results[0].labels.dtype == np.int64


def test_training_batches_are_full_and_every_epoch_is_complete(tmp_path):
  _write(tmp_path, [5, 2, 1])
  batches = input_pipeline.training_batches(
      _dataset(tmp_path, 8), _preprocess, 4, num_readers=2, num_threads=1)
  assert batches.output_shapes.images.as_list() == [4, 2, 3, 1]
  results = _run(batches, steps=6)
  for epoch in range(3):
    assert sorted(_numbers(results[2 * epoch:2 * epoch + 2])) == list(range(8))


def test_epochs_differ_in_order(tmp_path):
  _write(tmp_path, [16])
  numbers = _numbers(_run(input_pipeline.training_batches(
      _dataset(tmp_path, 16), _preprocess, 16, seed=1), steps=2))
  assert numbers[:16] != list(range(16))
  assert numbers[:16] != numbers[16:]


def test_the_seed_sets_the_order(tmp_path):
  _write(tmp_path, [6, 6, 6])

  def order(seed):
    with tf.Graph().as_default():
      return _numbers(_run(input_pipeline.training_batches(
          _dataset(tmp_path, 18), _preprocess, 6, seed=seed), steps=6))

  assert order(3) == order(3)
  assert order(3) != order(4)


def test_more_readers_than_files_and_a_small_buffer(tmp_path):
  _write(tmp_path, [4, 4])
  results = _run(input_pipeline.training_batches(
      _dataset(tmp_path, 8), _preprocess, 8, num_readers=9,
      shuffle_buffer=1), steps=1)
  assert collections.Counter(_numbers(results)) == collections.Counter(range(8))


def test_labels_offset(tmp_path):
  _write(tmp_path, [3], label=lambda number: number + 1)
  results = _run(input_pipeline.evaluation_batches(
      _dataset(tmp_path, 3), _preprocess, 3, labels_offset=1))
  assert results[0].labels.tolist() == [0, 1, 2]


@pytest.mark.parametrize('label, offset', [(4, 0), (-1, 0), (0, 1)])
def test_a_label_out_of_range_names_its_record(tmp_path, label, offset):
  _write(tmp_path, [2, 3], label=lambda number: label if number == 3 else 1)
  batches = input_pipeline.evaluation_batches(
      _dataset(tmp_path, 5), _preprocess, 1, labels_offset=offset)
  with pytest.raises(tf.errors.InvalidArgumentError) as error:
    _run(batches)
  message = str(error.value)
  for part in ('[%d]' % label, 'of record] [1]', 'data_train_00001.tfrecord',
               'is outside [%d, 4).' % offset, '--labels_offset=1'):
    assert part in message, message


def test_waiting_is_measured(tmp_path):
  _write(tmp_path, [4])

  def slow(image):
    def wait(pixels):
      # Longer than the batches in store could hide.
      import time
      time.sleep(0.05)
      return pixels
    image.set_shape([2, 3, 1])
    result = tf.py_func(wait, [_preprocess(image)], tf.float32)
    result.set_shape([2, 3, 1])
    return result

  batches = input_pipeline.training_batches(
      _dataset(tmp_path, 4), slow, 2, num_threads=1)
  _, wait = input_pipeline.next_batch(batches)
  with tf.Session() as session:
    session.run(tf.tables_initializer())
    waits = [session.run(wait) for _ in range(4)]
  assert min(waits) >= 0 and sum(waits) > 0.1


def test_missing_files_and_empty_splits(tmp_path):
  with pytest.raises(ValueError, match='No record file matches .*data_train_'
                     '.* Convert the data first'):
    input_pipeline.find_files(_dataset(tmp_path, 1))
  _write(tmp_path, [0])
  with pytest.raises(ValueError, match='holds no example'):
    input_pipeline.find_files(_dataset(tmp_path, 0))


def test_a_truncated_file_is_an_error(tmp_path):
  _write(tmp_path, [3])
  path = tmp_path / 'data_train_00000.tfrecord'
  path.write_bytes(path.read_bytes()[:-5])
  with pytest.raises(tf.errors.DataLossError):
    _run(input_pipeline.evaluation_batches(
        _dataset(tmp_path, 3), _preprocess, 1))
