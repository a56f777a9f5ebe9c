"""The record of a run in its directory."""
import collections
import json
import os

import pytest

from image_classifier import options
from image_classifier.runs import record_types
from image_classifier.runs import run_record
from slim_common import flags
from tests.image_classifier import training_runs as runs

_Dataset = collections.namedtuple(
    '_Dataset', 'num_samples num_classes labels_to_names data_sources')


@pytest.fixture(name='dataset')
def _dataset(tmp_path):
  (tmp_path / 'data').mkdir()
  (tmp_path / 'data' / 'a.tfrecord').write_bytes(b'12')
  return _Dataset(40, 3, {0: 'cat', 1: 'dog', 2: 'owl'},
                  str(tmp_path / 'data' / '*.tfrecord'))


def _record(dataset, image_shape=(28, 28, 1), classes=3, steps=9, **changes):
  return run_record.make(
      runs.train('data', 'model', steps=steps, **changes), dataset, classes,
      image_shape, steps)


def _write(directory, record):
  run_record.write(str(directory), record, flags.as_dict(options.Train()))


def test_the_record_is_read_back(dataset, tmp_path):
  record = _record(dataset)
  assert run_record.read(str(tmp_path)) is None
  _write(tmp_path, record)
  assert run_record.read(str(tmp_path)) == record
  assert (record['model_name'], record['last_step'], record['num_examples'],
          record['flags']['batch_size']) == ('lenet', 9, 40, 8)
  assert not list(tmp_path.glob('*.tmp'))


def test_whether_images_have_several_labels(dataset):
  several = collections.namedtuple(
      '_Several', _Dataset._fields + ('multi_label',))(*dataset, True)
  assert [_record(one)['multi_label'] for one in (dataset, several)] == [
      False, True]


def test_what_later_programs_need(dataset):
  record = _record(
      dataset, classes=2, data=dict(preprocessing_name='inception'),
      model=dict(loss='sigmoid', moving_average_decay=0.9))
  assert record['class_names'] == ['dog', 'owl']
  assert (record['labels_offset'], record['loss'], record['averaged_weights'],
          record['classifier_activation'], record['format_version']) == (
              1, 'sigmoid', True, 'sigmoid', 2)
  assert record['preprocessing']['family'] == 'inception'
  assert record['preprocessing']['mean'] == [127.5]
  assert record['preprocessing']['central_fraction'] == 0.875
  assert _record(dataset._replace(labels_to_names=None))['class_names'] is None


def test_without_paths(dataset):
  record = _record(dataset, data=dict(preprocessing_name='inception', seed=3))
  public = run_record.without_paths(record)
  assert (public['flags']['preprocessing_name'],
          public['flags']['dataset_split_name'], public['flags']['seed']) == (
              'inception', record['dataset_split'], 3)
  assert not {'train_dir', 'dataset_dir', 'worker_hosts'} & set(public['flags'])
  assert record['flags']['dataset_dir'] == 'data'
  assert record.pop('working_directory') == os.getcwd()
  assert dict(public, flags=0) == dict(record, flags=0)
  assert run_record.without_paths(None) is None


def test_the_flags_replay_the_run(dataset, tmp_path):
  record = _record(
      dataset, data=dict(use_grayscale=True, seed=3),
      warm_start=dict(trainable_scopes=('a', 'b')),
      schedule=dict(learning_rate=1e-5))
  _write(tmp_path, record)
  given = runs.train('data', 'model', steps=9, data=dict(
      use_grayscale=True, seed=3), schedule=dict(learning_rate=1e-5),
                     warm_start=dict(trainable_scopes=('a', 'b')))
  config, warnings = flags.parse(
      ['--flagfile=%s' % (tmp_path / 'flags.txt')], options.Train)
  assert (config, warnings) == (given, [])
  config, _ = flags.parse(['--flagfile=%s' % (tmp_path / 'flags.txt'),
                           '--train_dir=new', '--nouse_grayscale'],
                          options.Train)
  assert (config.loop.train_dir, config.data.use_grayscale) == ('new', False)


def _refusal(directory, record):
  with pytest.raises(ValueError) as error:
    run_record.check(str(directory), record)
  message = str(error.value)
  start = '--train_dir=%s holds another run; what differs is ' % directory
  end = ('. Give another --train_dir, or --resume=never, which moves the files '
         'of the earlier run to a subdirectory and starts from scratch.')
  assert message.startswith(start) and message.endswith(end), message
  return message[len(start):-len(end)]


@pytest.mark.parametrize('changes, difference', [
    (dict(model=dict(model_name='cifarnet')),
     'the network (lenet there, cifarnet here)'),
    (dict(classes=4), 'the number of classes (3 there, 4 here)'),
    (dict(image_shape=(32, 32, 1)),
     'the image size (28x28x1 there, 32x32x1 here)'),
    (dict(data=dict(dataset_name='cifar10')),
     'the dataset (mnist there, cifar10 here)'),
    (dict(data=dict(dataset_split_name='test')),
     'the split (train there, test here)')])
def test_another_run_is_refused(dataset, tmp_path, changes, difference):
  _write(tmp_path, _record(dataset))
  assert _refusal(tmp_path, _record(dataset, **changes)) == difference


def test_the_same_run_is_not_refused(dataset, tmp_path):
  _write(tmp_path, _record(dataset))
  run_record.check(str(tmp_path), _record(dataset, steps=20))


def test_other_data_are_refused_moved_ones_are_not(dataset, tmp_path):
  _write(tmp_path, _record(dataset))
  (tmp_path / 'data').rename(tmp_path / 'moved')
  moved = dataset._replace(data_sources=str(tmp_path / 'moved' / '*.tfrecord'))
  run_record.check(str(tmp_path), _record(moved))
  (tmp_path / 'moved' / 'a.tfrecord').write_bytes(b'123')
  assert _refusal(tmp_path, _record(moved)).startswith(
      'the content of the record files (')
  assert run_record.fingerprint(moved) != run_record.fingerprint(
      moved._replace(labels_to_names={0: 'cat', 1: 'owl', 2: 'dog'}))


@pytest.mark.parametrize('text', [None, '["of another program"]',
                                  '{"format_version": 1}'])
def test_without_a_record_nothing_is_refused(dataset, tmp_path, text):
  if text:
    (tmp_path / 'run.json').write_text(text)
  run_record.check(str(tmp_path), _record(dataset))
  assert run_record.changes(str(tmp_path), _record(dataset)) == []


_CURE = ('Restore the file; or delete it, and give the flags of the training '
         'by hand.')


@pytest.mark.parametrize('text, message', [
    ('{"broken', 'cannot be read (Unterminated string'),
    ('', 'cannot be read (Expecting value'),
    ('{"model_name": 5}', 'run.json: model_name is 5; it must be a string. '),
    ('{"image_shape": [8, 8]}', 'run.json: image_shape is [8, 8]; it must be a '
     'list of height, width and channels. '),
    ('{"class_names": ["a"], "num_classes": 2}',
     'run.json: class_names are 1, but num_classes is 2. '),
    ('{"flags": {"quantize_delay": null}}',
     'run.json: flags: quantize_delay is None; it must be an integer. '),
    ('{"flags": {"moving_average_decay": NaN}}',
     'flags: moving_average_decay is nan; it must be a number. '),
    ('{"flags": {"use_grayscale": 1}}',
     'flags: use_grayscale is 1; it must be true or false. ')])
def test_a_damaged_record_is_named(dataset, tmp_path, text, message):
  path = tmp_path / 'run.json'
  path.write_text(text)
  prefix = str(tmp_path / 'model.ckpt-1')
  for read in (lambda: run_record.read(str(tmp_path)),
               lambda: run_record.of_checkpoint(prefix),
               lambda: run_record.check(str(tmp_path), _record(dataset))):
    with pytest.raises(ValueError) as error:
      read()
    assert str(error.value).startswith(str(path)), error.value
    assert message in str(error.value)
    assert str(error.value).endswith(_CURE)


def test_what_a_run_writes_has_the_right_types(dataset, tmp_path):
  record = _record(dataset)
  assert not (set(record_types._FACTS) - set(record))
  assert not (set(record_types._FLAGS) - set(record['flags']))
  record_types.check(record, 'run.json')


def test_changed_flags_are_named(dataset, tmp_path):
  _write(tmp_path, _record(dataset))
  changed = _record(dataset, steps=20, schedule=dict(learning_rate=0.5),
                    warm_start=dict(trainable_scopes=('a', 'b')))
  assert run_record.changes(str(tmp_path), changed) == [
      '--learning_rate was 0.01, now 0.5.',
      '--max_number_of_steps was 9, now 20.',
      '--trainable_scopes was none, now a,b.']
  assert json.loads((tmp_path / 'run.json').read_text())['last_step'] == 9
