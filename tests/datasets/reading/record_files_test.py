import gzip
import os

import pytest
import tensorflow.compat.v1 as tf

from datasets.reading import record_files
from tests.datasets.reading import pipeline_files


def test_files_are_sorted_and_must_be_there(tmp_path):
  dataset = pipeline_files.dataset(tmp_path, 1)
  with pytest.raises(ValueError, match='No record file matches .*data_train_'
                     '.* Convert the data first'):
    record_files.find_files(dataset)
  pipeline_files.write(tmp_path, [1] + [0] * 11)
  assert [name[-14:-9] for name in record_files.find_files(dataset)] == [
      '%05d' % number for number in range(12)]
  with pytest.raises(ValueError, match='has no examples'):
    record_files.find_files(pipeline_files.dataset(tmp_path, 0))


def test_each_file_is_looked_at_for_compression(tmp_path):
  pipeline_files.write(tmp_path, [1, 1, 1])
  dataset = pipeline_files.dataset(tmp_path, 3)
  path = record_files.find_files(dataset)[2]
  with open(path, 'rb') as source:
    content = gzip.compress(source.read())
  with open(path, 'wb') as target:
    target.write(content)
  with pytest.raises(ValueError) as error:
    record_files.find_files(dataset)
  assert str(error.value) == (
      '%s is a compressed (GZIP or ZLIB) record file, which is not read: write '
      'it again without compression.' % path)


def test_a_directory_that_is_missing_and_a_list_of_patterns(tmp_path):
  dataset = pipeline_files.dataset(tmp_path / 'none', 1)
  with pytest.raises(ValueError, match='No record file matches .*none'):
    record_files.find_files(dataset)
  pipeline_files.write(tmp_path, [1, 1])
  dataset.data_sources = [
      str(tmp_path / '*1.tfrecord'), str(tmp_path / '*0.tfrecord')]
  assert len(record_files.find_files(dataset)) == 2


def test_files_that_cannot_be_read(tmp_path, monkeypatch):
  dataset = pipeline_files.dataset(tmp_path, 1)
  pipeline_files.write(tmp_path, [1, 1])
  first, second = record_files.find_files(dataset)

  def fault():
    with pytest.raises(ValueError) as error:
      record_files.find_files(dataset)
    return str(error.value)

  with monkeypatch.context() as patch:
    patch.setattr(os, 'access', lambda path, mode: path != second)
    assert fault() == (
        'The record file %s may not be read by this user: correct its access '
        'rights, for example with chmod a+r, or check --dataset_dir.' % second)
  open(first, 'w').close()
  assert len(record_files.find_files(dataset)) == 2
  open(second, 'w').close()
  assert fault() == ('The record file %s is empty, as are all 2 files. Convert '
                     'the data again, or check --dataset_dir.' % first)
  os.remove(second)
  assert fault().startswith('The record file %s is empty. Convert' % first)
  os.mkdir(second)
  assert fault() == ('The record file %s is a directory. Remove it, or check '
                     '--dataset_dir.' % second)


def test_split_among_workers():
  files = list('abcdef')
  split = record_files.split_among_workers
  assert split(files, (0, 2)) == (list('ace'), (0, 1))
  assert split(files, (1, 2)) == (list('bdf'), (0, 1))
  # With two files for one worker and one for another, epochs would differ.
  assert split(files, (1, 4)) == (files, (1, 4))
  assert split(files, (0, 1)) == (files, (0, 1))
  assert split(files, (2, 7)) == (files, (2, 7))


@pytest.mark.parametrize('shard', [(-1, 2), (2, 2), (0, 0)])
def test_a_shard_that_does_not_exist(shard):
  with pytest.raises(ValueError, match=r'shard is \(%d, %d\); the index must '
                     'be at least 0' % shard):
    record_files.split_among_workers(['a'], shard)


def _read(path):
  with tf.Graph().as_default(), tf.Session() as session:
    record = tf.data.make_initializable_iterator(
        record_files.read(tf.constant(str(path)), tf.constant(5, tf.int64)))
    step = record.get_next()
    session.run(record.initializer)
    records = []
    try:
      while True:
        records.append(record_files.Record(*session.run(step)))
    except tf.errors.OutOfRangeError:
      return records


def _positions(records):
  return [record_files.decode_position(record.position) for record in records]


@pytest.mark.parametrize('count', [0, 1, 16, 17, 40])
def test_read(tmp_path, count):
  path = tmp_path / 'a'
  contents = [b'x' * number for number in range(count)]
  pipeline_files.write_records(path, contents)
  records = _read(path)
  assert [record.example for record in records] == contents
  assert _positions(records) == [
      (5, index, False) for index in range(count)]
  assert record_files.count_records(str(path)) == count


@pytest.mark.parametrize('count, cut', [(3, 1), (3, 30), (16, 2), (1, 20)])
def test_the_last_record_of_a_damaged_file_says_so(tmp_path, count, cut):
  path = tmp_path / 'a'
  pipeline_files.write_records(path, [b'content!'] * count)
  path.write_bytes(path.read_bytes()[:-cut])
  whole = count - 1 - cut // 24
  assert _positions(_read(path)) == [
      (5, index, index == whole) for index in range(whole + 1)]


def test_a_record_that_is_cut_off_counts(tmp_path):
  path = tmp_path / 'a'
  pipeline_files.write_records(path, [b'content!'] * 3)
  path.write_bytes(path.read_bytes()[:-1])
  assert record_files.count_records(str(path)) == 3
  path.write_bytes(path.read_bytes()[:-20])
  assert record_files.count_records(str(path)) == 3
