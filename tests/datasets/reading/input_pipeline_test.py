"""The input pipeline: order, completeness, shapes, and resuming."""
import collections
import ctypes
import os
import random
import signal
import time
from unittest import mock
import warnings

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from datasets.reading import input_pipeline
from preprocessing import preprocessing_factory
from tests.datasets.reading import pipeline_files
from tests.datasets.reading.pipeline_files import numbers
from tests.datasets.reading.pipeline_files import preprocess
from tests.datasets.reading.pipeline_files import run
from tests.datasets.reading.pipeline_files import write


def _training(
    directory, num_samples, batch_size, function=preprocess, **kwargs):
  """Returns a function that makes training batches."""
  return lambda: input_pipeline.training_batches(
      pipeline_files.dataset(directory, num_samples), function, batch_size,
      **kwargs)


def _evaluation(directory, num_samples, batch_size, **kwargs):
  return lambda: input_pipeline.evaluation_batches(
      pipeline_files.dataset(directory, num_samples), preprocess, batch_size,
      **kwargs)


def _assert_equal(batches, others):
  assert len(batches) == len(others)
  for batch, other in zip(batches, others):
    for part, other_part in zip(batch, other):
      np.testing.assert_array_equal(part, other_part)


def test_evaluation_reads_everything_once_in_order(tmp_path):
  write(tmp_path, [3, 0, 4])
  results = run(_evaluation(tmp_path, 7, 3))
  assert [len(batch.labels) for batch in results] == [3, 3, 1]
  assert numbers(results) == list(range(7))
  assert np.concatenate([b.labels for b in results]).tolist() == [
      0, 1, 2, 3, 0, 1, 2]
  assert results[0].images.dtype == np.float32
  assert results[0].labels.dtype == np.int64
  assert [name.decode().replace(str(tmp_path) + '/', '')
          for name in results[1].names] == [
              'data_train_%05d.tfrecord:%d' % (2, index) for index in range(3)]


def test_evaluation_names_the_images(tmp_path):
  write(tmp_path, [2])
  pixels = pipeline_files.encoded_image(np.zeros([2, 3], np.uint8))
  pipeline_files.write_records(tmp_path / 'data_train_00001.tfrecord', [
      pipeline_files.example({'image/encoded': [pixels],
                              'image/class/label': [0],
                              'image/filename': [b'cat.png']})])
  results = run(_evaluation(tmp_path, 3, 3))
  assert results[0].names[2] == b'cat.png'
  assert results[0].names[1].endswith(b'data_train_00000.tfrecord:1')


def test_training_batches_are_full_and_every_epoch_is_complete(tmp_path):
  write(tmp_path, [5, 2, 1])
  make = _training(tmp_path, 8, 4, num_readers=2, num_threads=1)
  assert tf.data.get_output_shapes(make()).images.as_list() == [4, 2, 3, 1]
  results = run(make, steps=6)
  for epoch in range(3):
    assert sorted(numbers(results[2 * epoch:2 * epoch + 2])) == list(range(8))


@pytest.mark.parametrize('seed', [None, 1])
def test_epochs_differ_in_order(tmp_path, seed):
  write(tmp_path, [16])
  order = numbers(run(_training(tmp_path, 16, 16, seed=seed), steps=2))
  assert order[:16] != list(range(16))
  assert order[:16] != order[16:]


@pytest.mark.slow
@pytest.mark.parametrize('threads', [1, 3])
def test_the_seed_sets_the_order(tmp_path, threads):
  write(tmp_path, [6, 6, 6])

  def order(seed):
    return numbers(run(_training(
        tmp_path, 18, 6, seed=seed, num_threads=threads), steps=6))

  assert order(3) == order(3)
  assert order(3) != order(4)
  assert order(None) != order(None)


def test_more_readers_than_files_and_a_small_buffer(tmp_path):
  write(tmp_path, [4, 4])
  results = run(_training(
      tmp_path, 8, 8, num_readers=9, shuffle_buffer=1), steps=1)
  assert collections.Counter(numbers(results)) == collections.Counter(range(8))


@pytest.mark.parametrize('sizes, workers', [
    ([4, 1, 0, 5, 2], 2), ([4, 1, 7], 3), ([7], 3), ([5, 2], 3)])
@pytest.mark.slow
def test_workers_split_the_records(tmp_path, sizes, workers):
  """Uneven shards, and fewer of them than workers."""
  write(tmp_path, sizes)
  total = sum(sizes)
  counted = collections.Counter()
  for index in range(workers):
    # Two epochs of the worker, read one by one; it never reads another's.
    results = set(numbers(run(_training(
        tmp_path, total, 1, shard=(index, workers), seed=2), steps=2 * total)))
    counted.update(results)
  assert counted == collections.Counter(range(total))


def _noisy(image, seed):
  """A random preprocessing, by the seed alone."""
  image.set_shape([2, 3, 1])
  return preprocess(image) + 0.4 * tf.random.stateless_uniform([2, 3, 1], seed)


@pytest.mark.parametrize('first_batch', [1, 3, 4, 9])
@pytest.mark.slow
def test_a_run_resumes_where_it_was(tmp_path, first_batch):
  """Epochs of 11 records in batches of 3, mixed: as without interruption."""
  write(tmp_path, [5, 2, 4])
  arguments = dict(
      function=_noisy, seed=5, deterministic=True, num_readers=2,
      shuffle_buffer=4, mix=preprocessing_factory.get_mixing(
          4, mixup_alpha=0.5, cutmix_alpha=0.5))
  whole = run(_training(tmp_path, 11, 3, num_threads=1, **arguments), 12)
  rest = run(_training(tmp_path, 11, 3, num_threads=3, first_batch=first_batch,
                       **arguments), 12 - first_batch)
  assert whole[0].labels.shape == (3, 4)
  _assert_equal(whole[first_batch:], rest)


@pytest.mark.parametrize('sizes', [[3, 5, 2, 1], [9]])
@pytest.mark.slow
def test_a_worker_resumes_where_it_was(tmp_path, sizes):
  write(tmp_path, sizes)
  arguments = dict(seed=1, shard=(1, 2), num_threads=1)
  whole = run(_training(tmp_path, sum(sizes), 2, **arguments), 8)
  for first_batch in (1, 5):
    _assert_equal(whole[first_batch:], run(_training(
        tmp_path, sum(sizes), 2, first_batch=first_batch, **arguments),
                                           8 - first_batch))


def test_whole_epochs_are_skipped_unread(tmp_path):
  write(tmp_path, [4])
  start = time.time()
  results = run(_training(tmp_path, 4, 4, seed=1, first_batch=10 ** 9), 1)
  assert sorted(numbers(results)) == [0, 1, 2, 3] and time.time() - start < 20


def test_without_a_seed_there_is_nothing_to_resume(tmp_path):
  write(tmp_path, [4])
  results = run(_training(tmp_path, 4, 4, first_batch=10 ** 9), 1)
  assert sorted(numbers(results)) == [0, 1, 2, 3]


def test_deterministic_needs_a_seed(tmp_path):
  write(tmp_path, [4])
  with pytest.raises(ValueError, match='give --seed'):
    _training(tmp_path, 4, 2, deterministic=True)()


def test_labels_offset(tmp_path):
  write(tmp_path, [3], label=lambda number: number + 1)
  results = run(_evaluation(tmp_path, 3, 3, labels_offset=1))
  assert results[0].labels.tolist() == [0, 1, 2]


@pytest.mark.parametrize('label, offset', [(4, 0), (-1, 0), (0, 1)])
def test_a_label_out_of_range_names_its_record(tmp_path, label, offset):
  write(tmp_path, [2, 3], label=lambda number: label if number == 3 else 1)
  with pytest.raises(tf.errors.InvalidArgumentError) as error:
    run(_evaluation(tmp_path, 5, 5, labels_offset=offset))
  message = str(error.value)
  for part in ('Label %d of record 1 of ' % label, 'data_train_00001.tfrecord',
               ' is outside [%d, 4).' % offset, '--labels_offset=1'):
    assert part in message, message


def _multi_label(directory, labels):
  pixels = pipeline_files.encoded_image(np.zeros([2, 3], np.uint8))
  pipeline_files.write_records(directory / 'data_train_00000.tfrecord', [
      pipeline_files.example({'image/encoded': [pixels],
                              'image/class/label': ids}) for ids in labels])
  return pipeline_files.dataset(directory, len(labels), multi_label=True)


def test_multi_label(tmp_path):
  labels = [[2], [], [0, 3], [1, 1]]
  batch, = run(lambda: input_pipeline.evaluation_batches(
      _multi_label(tmp_path, labels), preprocess, 4))
  assert batch.labels.dtype == np.float32
  assert batch.labels.tolist() == [
      [0, 0, 1, 0], [0, 0, 0, 0], [1, 0, 0, 1], [0, 1, 0, 0]]
  batch, = run(lambda: input_pipeline.training_batches(
      _multi_label(tmp_path, labels), preprocess, 4,
      mix=preprocessing_factory.get_mixing(4, mixup_alpha=1.0)), 1)
  assert batch.labels.shape == (4, 4)


@pytest.mark.parametrize('labels, wrong', [([0, 4], 4), ([-1, 2], -1)])
def test_multi_label_out_of_range(tmp_path, labels, wrong):
  with pytest.raises(tf.errors.InvalidArgumentError,
                     match='Label %d of record 1 of ' % wrong):
    run(lambda: input_pipeline.evaluation_batches(
        _multi_label(tmp_path, [[1], labels]), preprocess, 2))


def test_multi_label_has_no_offset(tmp_path):
  with pytest.raises(ValueError, match='labels_offset is 1.* must be 0'):
    input_pipeline.evaluation_batches(
        _multi_label(tmp_path, [[1]]), preprocess, 2, labels_offset=1)


def test_waiting_is_measured(tmp_path):
  write(tmp_path, [4])

  def slow(image):
    def wait(pixels):
      # Longer than the batches in store could hide.
      time.sleep(0.05)
      return pixels
    result = tf.py_func(wait, [preprocess(image)], tf.float32)
    result.set_shape([2, 3, 1])
    return result

  _, wait = input_pipeline.next_batch(
      _training(tmp_path, 4, 2, function=slow, num_threads=1)())
  with tf.Session() as session:
    session.run(tf.tables_initializer())
    waits = [session.run(wait) for _ in range(4)]
  assert min(waits) >= 0 and sum(waits) > 0.1


@pytest.mark.parametrize('batches', [
    lambda dataset, function: input_pipeline.training_batches(
        dataset, function, 2),
    lambda dataset, function: input_pipeline.evaluation_batches(
        dataset, function, 2)])
def test_autograph_is_kept_away(tmp_path, batches):
  """AutoGraph would make an operation of the `if`; without it, it is refused.
  """
  write(tmp_path, [2])
  asked = []

  def branching(image):
    asked.append(image)
    return image if image[0, 0, 0] > 0 else -image

  with pytest.raises(TypeError, match='bool'):
    batches(pipeline_files.dataset(tmp_path, 2), branching)
  assert asked


def test_building_a_pipeline_leaves_the_process_as_it_was(tmp_path):
  """The allocator, signals, levels and variables belong to the program."""
  write(tmp_path, [2])
  loaded = []

  def facts():
    return (dict(os.environ), list(warnings.filters),
            tf.logging.get_verbosity(), [signal.getsignal(number) for number in (
                signal.SIGINT, signal.SIGTERM)], random.getstate(),
            np.random.get_state()[1].tolist())

  before = facts()
  with mock.patch.object(ctypes, 'CDLL', lambda *arguments: loaded.append(1)):
    _training(tmp_path, 2, 2)()
    _evaluation(tmp_path, 2, 2)()
  assert not loaded
  assert facts() == before
