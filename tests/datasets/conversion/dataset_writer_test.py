"""Tests of the dataset writer: what it publishes, and what it never leaves."""
import errno
import fcntl
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from datasets.conversion import dataset_writer
from datasets.conversion import directories
from slim_common import atomic_files
from tests.datasets import records

_NAMES = ['zero', 'one', 'two']


def _write(writer, split='train', files=('toy_train.tfrecord',), count=7):
  images = np.arange(count * 4, dtype=np.uint8).reshape([count, 2, 2, 1])
  writer.write_images(split, list(files), images, np.arange(count) % 3)


def _convert(folder, count=7, files=('toy_train.tfrecord',), num_workers=1):
  with dataset_writer.DatasetWriter(str(folder), 'toy', num_workers) as writer:
    _write(writer, files=files, count=count)
    writer.publish(_NAMES, {'height': 2, 'width': 2, 'channels': 1})


def _info(folder):
  return json.loads((folder / 'dataset_info.json').read_text())


def test_published_files(tmp_path):
  _convert(tmp_path / 'new' / 'folder')
  folder = tmp_path / 'new' / 'folder'
  assert sorted(os.listdir(folder)) == [
      'dataset_info.json', 'labels.txt', 'toy_train.tfrecord']
  assert (folder / 'labels.txt').read_text() == '0:zero\n1:one\n2:two\n'
  assert _info(folder) == {
      'format_version': 1, 'name': 'toy', 'num_classes': 3,
      'class_names': _NAMES,
      'image': {'height': 2, 'width': 2, 'channels': 1},
      'splits': {'train': {
          'num_examples': 7, 'files': ['toy_train.tfrecord'],
          'examples_per_file': [7], 'examples_per_class': [3, 2, 2]}}}
  images, labels = records.pictures(folder / 'toy_train.tfrecord')
  np.testing.assert_array_equal(images.ravel(), np.arange(28))
  assert labels == [0, 1, 2, 0, 1, 2, 0]


def test_consecutive_examples_share_a_shard(tmp_path):
  _convert(tmp_path, files=('a', 'b', 'c'))
  assert _info(tmp_path)['splits']['train']['examples_per_file'] == [3, 3, 1]
  assert [len(records.read(tmp_path / name)) for name in 'abc'] == [3, 3, 1]
  images, _ = records.pictures(tmp_path / 'b')
  np.testing.assert_array_equal(images.ravel(), np.arange(12, 24))


def test_files_do_not_depend_on_the_number_of_workers(tmp_path):
  for num_workers in (1, 2, 3):
    _convert(tmp_path / str(num_workers), 1000, ('a', 'b'), num_workers)
  snapshots = [records.snapshot(tmp_path / str(n)) for n in (1, 2, 3)]
  assert snapshots[0] == snapshots[1] == snapshots[2]


def test_wrong_number_of_examples_is_an_error(tmp_path):
  for announced, came in ((3, '2 came'), (1, 'more came')):
    with dataset_writer.DatasetWriter(str(tmp_path), 'toy', 1) as writer:
      with pytest.raises(ValueError, match='%d examples announced, %s' % (
          announced, came)):
        writer.write_split(
            'train', ['a'], announced, [[(b'x', 0)], [(b'y', 1)]])
  assert not os.listdir(tmp_path)


def test_failure_leaves_the_old_dataset(tmp_path):
  _convert(tmp_path)
  before = records.snapshot(tmp_path)
  with pytest.raises(ZeroDivisionError):
    with dataset_writer.DatasetWriter(str(tmp_path), 'toy', 1) as writer:
      _write(writer, count=3)
      raise ZeroDivisionError
  assert records.snapshot(tmp_path) == before


def test_failure_leaves_no_new_folder(tmp_path):
  with pytest.raises(ZeroDivisionError):
    with dataset_writer.DatasetWriter(str(tmp_path / 'd'), 'toy', 1) as writer:
      _write(writer)
      raise ZeroDivisionError
  assert not os.listdir(tmp_path)


def test_interrupt_cleans_up_and_says_so(tmp_path, capsys):
  (tmp_path / 'mine.txt').write_text('keep')
  with pytest.raises(KeyboardInterrupt):
    with dataset_writer.DatasetWriter(str(tmp_path), 'toy', 2) as writer:
      _write(writer, count=600)
      raise KeyboardInterrupt
  assert os.listdir(tmp_path) == ['mine.txt']
  assert 'nothing was published' in capsys.readouterr().out


def test_replacing_drops_shards_that_are_no_more(tmp_path):
  _convert(tmp_path, files=('a', 'b', 'c'))
  (tmp_path / 'mine.txt').write_text('keep')
  _convert(tmp_path, count=4, files=('a', 'd'))
  assert sorted(os.listdir(tmp_path)) == [
      'a', 'd', 'dataset_info.json', 'labels.txt', 'mine.txt']
  assert _info(tmp_path)['splits']['train']['num_examples'] == 4


def test_names_in_an_old_info_cannot_reach_outside(tmp_path):
  folder = tmp_path / 'd'
  _convert(folder)
  (tmp_path / 'precious').write_text('keep')
  info = (folder / 'dataset_info.json').read_text()
  (folder / 'dataset_info.json').write_text(
      info.replace('"toy_train.tfrecord"', '"../precious"'))
  _convert(folder)
  assert (tmp_path / 'precious').read_text() == 'keep'


def _convert_with_notes(folder):
  with dataset_writer.DatasetWriter(str(folder), 'toy', 1) as writer:
    _write(writer)
    writer.add_file('notes.csv', 'a,b\r\nü\n')
    writer.publish(_NAMES)


def test_side_file_comes_and_goes_with_its_dataset(tmp_path):
  _convert_with_notes(tmp_path)
  assert (tmp_path / 'notes.csv').read_bytes() == b'a,b\r\n\xc3\xbc\n'
  assert _info(tmp_path)['side_files'] == ['notes.csv']
  os.remove(tmp_path / 'notes.csv')
  assert _keeps(tmp_path, [])  # The dataset is whole without it.
  _convert_with_notes(tmp_path)
  _convert(tmp_path)
  assert not (tmp_path / 'notes.csv').exists()
  assert 'side_files' not in _info(tmp_path)


def test_side_file_is_published_before_the_dataset_counts(
    tmp_path, monkeypatch):
  moved = []
  move = dataset_writer.DatasetWriter._move
  monkeypatch.setattr(
      dataset_writer.DatasetWriter, '_move', lambda self, name: (
          moved.append(name), move(self, name)))
  _convert_with_notes(tmp_path)
  assert moved.index('notes.csv') < moved.index('dataset_info.json') == 3


def test_examples_of_several_classes(tmp_path):
  with dataset_writer.DatasetWriter(str(tmp_path), 'toy', 1) as writer:
    writer.write_split('train', ['a'], 3, [
        [(b'x', (0, 2)), (b'y', ())], [(b'z', (2,))]])
    writer.publish(_NAMES, multi_label=True)
  info = _info(tmp_path)
  assert info['multi_label'] is True
  assert info['splits']['train']['num_examples'] == 3
  assert info['splits']['train']['examples_per_class'] == [1, 0, 2]


def test_a_file_that_does_not_reach_the_disk_is_not_published(
    tmp_path, monkeypatch):
  def fail(unused_path):
    raise OSError(errno.EIO, 'Input/output error')

  monkeypatch.setattr(atomic_files, 'sync', fail)
  with pytest.raises(OSError, match='Input/output error'):
    _convert(tmp_path)
  assert not os.listdir(tmp_path)


def test_half_written_conversion_is_removed_and_said(tmp_path, capsys):
  (tmp_path / '.toy.building').mkdir()
  (tmp_path / '.toy.building' / 'toy_train.tfrecord').write_bytes(b'half')
  _convert(tmp_path)
  assert 'did not finish: its half-written files' in capsys.readouterr().out
  assert len(records.read(tmp_path / 'toy_train.tfrecord')) == 7
  assert '.toy.building' not in os.listdir(tmp_path)


def test_killed_conversion_is_started_clean(tmp_path, capsys):
  root = os.path.dirname(os.path.dirname(os.path.dirname(
      dataset_writer.__file__)))
  process = subprocess.Popen(
      [sys.executable, '-W', 'ignore', '-c', (
          'import sys, time\n'
          'from datasets.conversion import dataset_writer\n'
          'def encoded():\n'
          '  for i in range(3):\n'
          '    yield [(b"x" * 100000, 0)] * 10\n'
          '  print("half", flush=True)\n'
          '  time.sleep(60)\n'
          'writer = dataset_writer.DatasetWriter(sys.argv[1], "toy", 1)\n'
          'with writer:\n'
          '  writer.write_split("train", ["toy_train.tfrecord"], 99,\n'
          '                     encoded())\n'), str(tmp_path)],
      cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
  while process.stdout.readline() != b'half\n':
    assert process.poll() is None
  process.send_signal(signal.SIGKILL)
  process.wait()
  process.stdout.close()
  assert os.listdir(tmp_path) == ['.toy.building']
  _convert(tmp_path)
  assert 'half-written files are removed' in capsys.readouterr().out
  assert len(records.read(tmp_path / 'toy_train.tfrecord')) == 7


def test_publishing_that_was_stopped_is_finished(tmp_path, monkeypatch, capsys):
  _convert(tmp_path, files=('a', 'b'))
  old_info = _info(tmp_path)
  real_replace, moved = os.replace, []

  def replace_once(source, target):
    if os.path.dirname(target) == str(tmp_path):
      if moved:
        raise KeyboardInterrupt
      moved.append(target)
    real_replace(source, target)

  monkeypatch.setattr(dataset_writer.os, 'replace', replace_once)
  with pytest.raises(KeyboardInterrupt):
    _convert(tmp_path, count=5, files=('a', 'c'))
  monkeypatch.undo()
  assert len(moved) == 1 and _info(tmp_path) == old_info
  assert 'nothing was published' not in capsys.readouterr().out
  with dataset_writer.DatasetWriter(str(tmp_path), 'toy', 1) as writer:
    assert 'finishing that' in capsys.readouterr().out
    assert writer.keep_existing(['a', 'c'])
  assert sorted(os.listdir(tmp_path)) == [
      'a', 'c', 'dataset_info.json', 'labels.txt']
  assert _info(tmp_path)['splits']['train']['examples_per_file'] == [3, 2]
  assert len(records.read(tmp_path / 'c')) == 2


def test_disk_full_leaves_nothing_and_says_what_to_do(tmp_path, monkeypatch):
  _convert(tmp_path)
  before = records.snapshot(tmp_path)
  real_writer = tf.io.TFRecordWriter
  # A device that is always full.
  monkeypatch.setattr(
      tf.io, 'TFRecordWriter', lambda path: real_writer('/dev/full'))
  with pytest.raises(OSError, match='no space left on the disk of .*room and '
                     'start again, or choose another --dataset_dir') as caught:
    _convert(tmp_path, count=600)
  assert caught.value.errno == errno.ENOSPC
  assert records.snapshot(tmp_path) == before


def test_disk_full_when_the_last_files_are_written(tmp_path, monkeypatch):
  def full(unused_self, unused_name, unused_text):
    raise OSError(errno.ENOSPC, 'No space left on device')

  monkeypatch.setattr(dataset_writer.DatasetWriter, '_write_text', full)
  with pytest.raises(OSError, match='make room'):
    _convert(tmp_path)
  assert not os.listdir(tmp_path)


def test_record_file_that_cannot_be_opened(tmp_path):
  with pytest.raises(OSError, match='No such file'):
    _convert(tmp_path, files=('no/such/directory',))
  assert not os.listdir(tmp_path)


def test_two_converters_do_not_meet(tmp_path, monkeypatch):
  monkeypatch.setattr(directories, '_SECONDS_TO_WAIT_FOR_LOCK', 0.1)
  with dataset_writer.DatasetWriter(str(tmp_path), 'toy', 1) as writer:
    _write(writer)
    with pytest.raises(OSError, match='another converter is at work in .*wait'):
      _convert(tmp_path)
    writer.publish(_NAMES)
  assert len(records.read(tmp_path / 'toy_train.tfrecord')) == 7
  _convert(tmp_path)


def test_file_system_without_locks(tmp_path, monkeypatch):
  def refuse(unused_descriptor, unused_operation):
    raise OSError(errno.ENOLCK, 'No locks available')

  monkeypatch.setattr(fcntl, 'flock', refuse)
  _convert(tmp_path)
  assert len(records.read(tmp_path / 'toy_train.tfrecord')) == 7


def _keeps(folder, files, overwrite=False, name='toy'):
  with dataset_writer.DatasetWriter(str(folder), name, 1) as writer:
    return writer.keep_existing(files, overwrite)


def test_existing_dataset_is_kept_unless_told(tmp_path, capsys):
  files = ['toy_train.tfrecord']
  assert not _keeps(tmp_path, files)
  _convert(tmp_path)
  assert _keeps(tmp_path, files)
  assert 'nothing to do (--overwrite' in capsys.readouterr().out
  assert not _keeps(tmp_path, files, overwrite=True)
  assert 'converted again' in capsys.readouterr().out


def test_records_of_another_program_are_kept(tmp_path):
  (tmp_path / 'toy_train.tfrecord').write_bytes(b'old')
  (tmp_path / 'toy_test.tfrecord').write_bytes(b'old')
  assert _keeps(tmp_path, ['toy_train.tfrecord', 'toy_test.tfrecord'])


def test_dataset_that_lacks_a_file_is_converted_anew(tmp_path, capsys):
  _convert(tmp_path, files=('a', 'b'))
  os.remove(tmp_path / 'b')
  assert not _keeps(tmp_path, ['a', 'b'])
  assert 'holds a but not b' in capsys.readouterr().out


def test_folder_of_another_dataset_is_refused(tmp_path):
  _convert(tmp_path)
  for overwrite in (False, True):
    with pytest.raises(ValueError, match='holds the dataset toy: choose '
                       'another --dataset_dir for other'):
      _keeps(tmp_path, ['other'], overwrite, name='other')


def test_damaged_info_wants_overwrite(tmp_path):
  _convert(tmp_path)
  (tmp_path / 'dataset_info.json').write_text('{"format_version": 1')
  with pytest.raises(ValueError, match='dataset_info.json cannot be read'):
    _keeps(tmp_path, ['toy_train.tfrecord'])
  assert not _keeps(tmp_path, ['toy_train.tfrecord'], overwrite=True)


def test_folder_that_is_a_file(tmp_path):
  (tmp_path / 'd').write_text('')
  with pytest.raises(OSError):
    _convert(tmp_path / 'd')
  with pytest.raises(OSError):
    _convert(tmp_path / 'd' / 'e')


def test_reader_waits_for_files_being_moved(tmp_path):
  """Readers ask for the folder that a writer publishes from."""
  seen = []
  real_move = dataset_writer.DatasetWriter._move

  class Watched(dataset_writer.DatasetWriter):

    def _move(self, name):
      seen.append((name, os.path.isdir(tmp_path / '.toy.publishing')))
      real_move(self, name)

  with Watched(str(tmp_path), 'toy', 1) as writer:
    _write(writer)
    writer.publish(_NAMES)
  assert seen[-1] == ('dataset_info.json', True)
  assert all(during for _, during in seen) and len(seen) == 3
  assert '.toy.publishing' not in os.listdir(tmp_path)
