"""Records that cannot be read: named, counted, skipped up to a limit."""
import pathlib
import re

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from datasets.reading import bad_records
from datasets.reading import decode
from datasets.reading import input_pipeline
from tests.datasets.reading import pipeline_files
from tests.datasets.reading.pipeline_files import numbers
from tests.datasets.reading.pipeline_files import preprocess
from tests.datasets.reading.pipeline_files import run
from tests.datasets.reading.pipeline_files import write


def _evaluation(directory, num_samples, batch_size=2, **kwargs):
  return lambda: input_pipeline.evaluation_batches(
      pipeline_files.dataset(directory, num_samples), preprocess, batch_size,
      **kwargs)


def _training(directory, num_samples, batch_size=2, **kwargs):
  return lambda: input_pipeline.training_batches(
      pipeline_files.dataset(directory, num_samples), preprocess, batch_size,
      seed=1, **kwargs)


def _message(make_batches, steps=None):
  with pytest.raises(tf.errors.InvalidArgumentError) as error:
    run(make_batches, steps)
  return str(error.value)


@pytest.mark.parametrize('make', [_evaluation, _training])
@pytest.mark.parametrize('threads', [1, 3])
def test_a_bad_record_is_named(tmp_path, make, threads):
  write(tmp_path, [3, 4], bad=[4])
  message = _message(make(tmp_path, 7, num_threads=threads), steps=9)
  for part in ('Records cannot be read; --on_bad_record=skip skips them',
               'record 1 of %s' % (tmp_path / 'data_train_00001.tfrecord'),
               '(p4.jpg, starts like a JPEG)'):
    assert part in message, message


_LABELS = [
    ([], 'no image/class/label'),
    ([b'cat'], 'image/class/label holds bytes; it must hold an integer'),
    ([1.0], 'image/class/label holds floating-point numbers; it must hold an'),
    ([1, 2], '2 labels in image/class/label, not one')]


def _with_label(label):
  return {'image/encoded': [pipeline_files.encoded_image(
      np.zeros([2, 3], np.uint8))], 'image/class/label': label}


# In blocks and one by one; slim trained a record without a label as class 0.
@pytest.mark.parametrize('make, label, fault', [
    (_training,) + row for row in _LABELS] + [(_evaluation,) + _LABELS[0]])
def test_a_label_that_is_not_one_integer_is_named(
    tmp_path, make, label, fault):
  pipeline_files.write_records(tmp_path / 'data_train_00000.tfrecord', [
      pipeline_files.example(_with_label(one)) for one in ([1], label, [2])])
  message = _message(make(tmp_path, 3), steps=3)
  assert 'record 1 of %s' % (tmp_path / 'data_train_00000.tfrecord') in message
  assert '(%s' % fault in message and 'record 2' not in message


@pytest.mark.parametrize('multi_label, label, fault', [
    (True, [], None), (True, [1, 2], None), (True, _LABELS[1][0], 'bytes'),
    (False, [1], None)] + [(False,) + row for row in _LABELS])
def test_label_fault(multi_label, label, fault):
  features = tf.train.Example.FromString(
      pipeline_files.example(_with_label(label))).features.feature
  reader = decode.Reader(pipeline_files.dataset(
      pathlib.Path('data'), 1, multi_label=multi_label))
  for found in (bad_records.label_fault(features, multi_label),
                reader.record_fault(features)):
    assert fault in found if fault else found is None


@pytest.mark.parametrize('batch_size', [3, 8])
@pytest.mark.parametrize('block_bytes', [350, 10 ** 6])
def test_only_the_bad_records_of_a_block_are_named(
    tmp_path, monkeypatch, batch_size, block_bytes):
  """Blocks of a batch and smaller ones; their good records are lost too."""
  monkeypatch.setattr(input_pipeline, '_BLOCK_BYTES', block_bytes)
  write(tmp_path, [9, 7], bad=[4, 12])
  message = _message(_training(tmp_path, 16, batch_size), steps=9)
  assert 'Records cannot be read' in message
  named = set(re.findall(r'record (\d+) of \S+data_train_0000(\d)', message))
  assert named and named <= {('4', '0'), ('3', '1')}, message


@pytest.mark.parametrize('bad', [[0], [0, 1, 2], [3, 6]])
def test_bad_records_are_skipped(tmp_path, bad, capfd):
  write(tmp_path, [3, 4], bad=bad)
  results = run(_evaluation(tmp_path, 7, max_bad_records=3))
  assert numbers(results) == [n for n in range(7) if n not in bad]
  printed = capfd.readouterr().err
  assert 'cannot be read, %d of at most 3:' % len(bad) in printed
  # Each is named once.
  assert all(printed.count('p%d.jpg' % number) == 1 for number in bad)


def test_training_goes_on_up_to_the_limit(tmp_path, capfd):
  write(tmp_path, [3, 4], bad=[2, 4])
  # One that fails in every epoch is one record, and is named once.
  results = run(_training(tmp_path, 7, 5, max_bad_records=2), steps=40)
  assert sorted(numbers(results)) == sorted(40 * [0, 1, 3, 5, 6])
  printed = capfd.readouterr().err
  assert printed.count('p2.jpg') == printed.count('p4.jpg') == 1
  assert '2 of at most 2' in printed and '\n\n' not in printed
  message = _message(_training(tmp_path, 7, 5, max_bad_records=1), steps=9)
  assert 'more than the 1 of --max_bad_records' in message


def test_all_records_bad(tmp_path):
  write(tmp_path, [30], bad=range(30))
  message = _message(_training(tmp_path, 30, max_bad_records=5), steps=1)
  assert 'more than the 5 of --max_bad_records' in message
  message = _message(_training(tmp_path, 30, max_bad_records=50), steps=1)
  assert 'No record can be read:' in message and 'and 20 more' in message


@pytest.mark.parametrize('make', [_evaluation, _training])
@pytest.mark.parametrize('cut', [1, 5, 100])
def test_a_file_that_is_cut_off_is_named(tmp_path, make, cut):
  write(tmp_path, [2, 3])
  path = tmp_path / 'data_train_00001.tfrecord'
  path.write_bytes(path.read_bytes()[:-cut])
  # --max_bad_records does not matter.
  message = _message(make(tmp_path, 5, max_bad_records=100), steps=9)
  assert 'Damaged, cut off or only partly written' in message
  assert 'record 2 of %s' % path in message


@pytest.mark.parametrize('change', [
    lambda content: content + b'\0' * 40,
    lambda content: content[:30] + b'!!' + content[32:]],
                         ids=['zeros behind', 'a changed byte'])
def test_other_damage(tmp_path, change):
  write(tmp_path, [2])
  path = tmp_path / 'data_train_00000.tfrecord'
  path.write_bytes(change(path.read_bytes()))
  assert 'of %s' % path in _message(_evaluation(tmp_path, 2))


def _failure(example=b'', index=0, is_reported=False):
  return bad_records.Failure('/data/file', index, False, is_reported, example)


@pytest.mark.parametrize('features, text', [
    ({}, 'record 3 of /data/file (no image in image/encoded)'),
    ({'image/encoded': [b'\x89PNG\r\n\x1a\n...'], 'image/filename': [b'a.jpg']},
     'record 3 of /data/file (a.jpg, starts like a PNG)'),
    ({'image/encoded': [b'GIF89a']}, 'starts like a GIF'),
    ({'image/encoded': [b'BM..']}, 'starts like a BMP'),
    ({'image/encoded': [b'RIFF....WEBP']},
     '(WEBP, neither JPEG, PNG, GIF nor BMP)'),
    ({'image/encoded': [b'text']}, '(neither JPEG, PNG, GIF nor BMP)'),
])
def test_descriptions(features, text):
  message, is_fatal = bad_records.describe(
      [_failure(pipeline_files.example(features), index=3)], 1)
  assert text in message.decode() and not is_fatal


def test_bytes_that_are_not_an_example(tmp_path):
  assert b'record 0 of /data/file (not a tf.train.Example)' in (
      bad_records.describe([_failure(b'\xff\0\xff')], 1)[0])
  pipeline_files.write_records(
      tmp_path / 'data_train_00000.tfrecord', [b'\xff\0\xff'])
  assert 'not a tf.train.Example' in _message(_evaluation(tmp_path, 1))


def test_at_most_ten_names_are_printed():
  failures = [_failure(index=index) for index in range(30)]
  message, is_fatal = bad_records.describe(failures, 29)
  assert is_fatal and message.count(b'record ') == 10
  assert message.endswith(b'and 20 more')


def test_only_new_failures_are_reported():
  message, is_fatal = bad_records.describe(
      [_failure(index=1, is_reported=True), _failure(index=2)], 2)
  assert not is_fatal
  assert b'record 2' in message and b'record 1' not in message
  assert bad_records.describe([_failure(is_reported=True)], 2) == (b'', False)


def test_an_input_that_starts_again_forgets_what_was_being_decoded(tmp_path):
  """As after the loss of a parameter server, which ended with an error."""
  write(tmp_path, [8])
  batch, _ = input_pipeline.next_batch(
      _training(tmp_path, 8, num_threads=2)())
  with tf.Session() as session:
    # Fewer steps each time: none comes to what the last one left.
    for steps in range(100, 0, -20):
      session.run(tf.tables_initializer())
      for _ in range(steps):
        session.run(batch)
