"""The order of records that their classes decide."""
import collections
import itertools

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from datasets.reading import class_sampling
from datasets.reading import record_files

_LABELS = np.repeat([0, 1, 4], [4, 36, 60])
_BATCHES = class_sampling.Sampling('batches', 2, 3)


def _write(directory, labels=_LABELS):
  """Writes two record files of labels and numbers; returns their paths."""
  paths = [str(directory / ('%d.tfrecord' % number)) for number in range(2)]
  for number, path in enumerate(paths):
    with tf.python_io.TFRecordWriter(path) as writer:
      for index in range(number, len(labels), 2):
        features = {'number': index}
        if labels[index] is not None:
          features['label'] = labels[index]
        writer.write(tf.train.Example(features=tf.train.Features(feature={
            key: tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
            for key, value in features.items()})).SerializeToString())
  return paths


def _label(features):
  values = features['label'].int64_list.value
  return values[0] if values else None


def _read(paths, count, sampling=_BATCHES, shard=(0, 1), skip=0):
  """Returns (number, position) of the first records."""
  with tf.Graph().as_default(), tf.Session() as session:
    iterator = tf.data.make_initializable_iterator(class_sampling.records(
        sampling, paths, shard, 1, skip, _label))
    session.run(iterator.initializer)
    record = iterator.get_next()
    rows = [session.run(record) for _ in range(count)]
  return [(tf.train.Example.FromString(example).features.feature[
      'number'].int64_list.value[0], record_files.decode_position(position))
          for example, position in rows]


@pytest.mark.parametrize('kind, shares', [
    ('balanced', [1 / 3, 1 / 3, 1 / 3]),
    ('sqrt', np.sqrt([4, 36, 60]) / np.sqrt([4, 36, 60]).sum())])
def test_shares_of_the_classes(kind, shares):
  numbers = list(itertools.islice(class_sampling.order(
      class_sampling.Sampling(kind), _LABELS, 0), 3000))
  counts = collections.Counter(_LABELS[numbers])
  # Three standard errors of a share of one third are 0.026.
  np.testing.assert_allclose(
      [counts[label] / 3000 for label in (0, 1, 4)], shares, atol=.026)
  used = np.bincount(numbers)
  assert used.min() > 0 and np.ptp(used[_LABELS == 4]) <= 1


def test_records_are_read_where_they_are(tmp_path):
  paths = _write(tmp_path)
  rows = _read(paths, 12)
  for number, position in rows:
    assert position == (number % 2, number // 2, False)
  labels = _LABELS[[number for number, _ in rows]]
  for batch in labels.reshape(2, 2, 3):
    assert (batch[:, :1] == batch).all() and batch[0, 0] != batch[1, 0]
  assert _read(paths, 5, skip=7) == rows[7:]


@pytest.mark.parametrize('count', [2, 3])
def test_workers_share_the_records(count, tmp_path):
  """By files, or by records where there are fewer files than workers."""
  paths = _write(tmp_path)
  seen = [{number for number, _ in _read(
      paths, 300, class_sampling.Sampling('balanced'), (shard, count))}
          for shard in range(count)]
  assert set.union(*seen) == set(range(100))
  assert sum(map(len, seen)) == 100


def test_a_record_without_a_label(tmp_path):
  paths = _write(tmp_path, [0, 1, None, 1])
  with pytest.raises(ValueError) as error:
    _read(paths, 1)
  assert str(error.value) == (
      'Record 1 of %s cannot be read (it has no label): --class_sampling and '
      'the losses of embeddings need the label of every record. Convert the '
      'data again.' % paths[0])


def test_too_few_classes(tmp_path):
  with pytest.raises(ValueError, match='--classes_per_batch=2: give at least 2 '
                     'and at most 1'):
    _read(_write(tmp_path, [5, 5, 5]), 1)
