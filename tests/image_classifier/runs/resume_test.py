"""How a run starts."""
import os

import pytest
import tensorflow.compat.v1 as tf

from image_classifier.runs import resume
from image_classifier.runs import run_log


def _save(directory, steps, with_step=True, shape=(2,), name='net/w'):
  """Saves small checkpoints, as a run or as slim would."""
  with tf.Graph().as_default():
    weights = tf.get_variable(name, shape)
    tf.add_to_collection(tf.GraphKeys.MODEL_VARIABLES, weights)
    if with_step:
      step = tf.train.get_or_create_global_step()
    saver = tf.train.Saver()
    with tf.Session() as session:
      session.run(tf.global_variables_initializer())
      for number in steps:
        if with_step:
          session.run(step.assign(number))
        saver.save(session, os.path.join(str(directory), 'model.ckpt'), number)


def _break(directory, step):
  path = directory / ('model.ckpt-%d.data-00000-of-00001' % step)
  path.write_bytes(path.read_bytes()[:-1])


def _message(function, *arguments):
  with pytest.raises(ValueError) as error:
    function(*arguments)
  return str(error.value)


def test_auto_resumes_from_the_latest(tmp_path):
  assert resume.find(str(tmp_path / 'none'), 'auto').checkpoint is None
  _save(tmp_path, [2, 4])
  start = resume.find(str(tmp_path), 'auto')
  assert (start.checkpoint, start.step) == (
      '%s/model.ckpt-4' % tmp_path, 4)
  assert [os.path.basename(path) for path in start.kept] == [
      'model.ckpt-2', 'model.ckpt-4']
  assert resume.find(str(tmp_path), 'must') == start
  assert resume.find(str(tmp_path), 'never') == (None, 0, ())


def test_a_directory_that_cannot_be_written(tmp_path, monkeypatch):
  for name in ('.', 'new', 'new/deep'):
    resume.check_directory(str(tmp_path / name))
  (tmp_path / 'file').write_text('')
  for train_dir, message in (
      ('', '--train_dir is empty: name the directory of the run.'),
      ('{0}/file', '--train_dir={0}/file: {0}/file is not a directory. Give '
       'another --train_dir.'),
      ('{0}/file/deep', '--train_dir={0}/file/deep: {0}/file is not a '
       'directory. Give another --train_dir.')):
    assert _message(resume.check_directory, train_dir.format(
        tmp_path)) == message.format(tmp_path)
  monkeypatch.setattr(os, 'access', lambda path, mode: False)
  assert _message(resume.check_directory, '%s/new' % tmp_path) == (
      '--train_dir={0}/new: the directory {0} is not writable. Give another '
      '--train_dir.'.format(tmp_path))
  assert sorted(os.listdir(str(tmp_path))) == ['file']


def test_a_directory_that_cannot_be_created(tmp_path):
  for _ in range(2):
    resume.make_directory(str(tmp_path / 'new' / 'deep'))
  (tmp_path / 'file').write_text('')
  assert _message(resume.make_directory, '%s/file/deep' % tmp_path) == (
      '--train_dir=%s/file/deep cannot be created: Not a directory. Give '
      'another --train_dir.' % tmp_path)


def test_must_needs_a_checkpoint(tmp_path):
  assert _message(resume.find, str(tmp_path), 'must') == (
      '--resume=must, but --train_dir=%s holds no checkpoint to resume from. '
      'Give the directory of the run, or leave out --resume=must to start '
      'from scratch.' % tmp_path)


def test_a_checkpoint_that_cannot_be_read_is_skipped(tmp_path, capsys):
  _save(tmp_path, [2, 4])
  _break(tmp_path, 4)
  start = resume.find(str(tmp_path), 'auto')
  assert (start.step, len(start.kept)) == (2, 1)
  assert 'The checkpoint %s/model.ckpt-4 cannot be read: ' % tmp_path in (
      capsys.readouterr().out)
  _break(tmp_path, 2)
  assert _message(resume.find, str(tmp_path), 'auto') == (
      'None of the 2 checkpoints in %s can be read. --resume=never moves them '
      'to a subdirectory and starts from scratch.' % tmp_path)


def test_checkpoints_are_found_without_the_file_that_names_them(tmp_path):
  _save(tmp_path, [2, 10])
  (tmp_path / 'checkpoint').unlink()
  assert resume.find(str(tmp_path), 'auto').step == 10


def test_a_directory_may_have_been_moved(tmp_path):
  _save(tmp_path / 'old', [2])
  os.rename(str(tmp_path / 'old'), str(tmp_path / 'new'))
  assert resume.find(str(tmp_path / 'new'), 'auto').checkpoint == (
      '%s/new/model.ckpt-2' % tmp_path)


def test_a_checkpoint_of_weights_alone_is_not_one_of_a_run(tmp_path):
  _save(tmp_path, [2], with_step=False)
  assert ('has no global_step, so no run can resume from it. Give it as '
          '--checkpoint_path, with another --train_dir.') in _message(
              resume.find, str(tmp_path), 'auto')


def _needed(*variables):
  """Makes (name, shape, whether of the model) the variables of this run."""
  for name, shape, is_model in variables:
    variable = tf.get_variable(name, shape)
    if is_model:
      tf.add_to_collection(tf.GraphKeys.MODEL_VARIABLES, variable)
  return tf.global_variables()


@pytest.mark.parametrize('name, shape, message', [
    ('other/w', [2], 'has no variable other/w, and this run needs the shape '
     '[2]'),
    ('net/w', [3], 'has net/w of shape [2], and this run needs the shape '
     '[3]')])
def test_the_checkpoint_of_another_network(tmp_path, name, shape, message):
  _save(tmp_path, [2])
  start = resume.find(str(tmp_path), 'auto')
  assert _message(resume.check_fits, start,
                  _needed((name, shape, True)), str(tmp_path)) == (
                      '--train_dir=%s holds a checkpoint of another network: '
                      '%s %s. Give another --train_dir, or --resume=never, '
                      'which moves the files of the earlier run to a '
                      'subdirectory and starts from scratch.' % (
                          tmp_path, start.checkpoint, message))


def test_the_checkpoint_of_another_optimizer(tmp_path):
  _save(tmp_path, [2])
  start = resume.find(str(tmp_path), 'auto')
  resume.check_fits(start, _needed(('net/w', [2], True)), str(tmp_path))
  assert _message(
      resume.check_fits, start, _needed(('net/w/Adam', [2], False)),
      str(tmp_path)) == (
          'The checkpoint {0} lacks 1 variables, such as net/w/Adam: it was '
          'made with another --optimizer, --moving_average_decay, '
          '--task_weighting or --trainable_scopes. Give those of the earlier '
          'run; or, to load its weights only, --checkpoint_path={0} with '
          'another --train_dir.'.format(start.checkpoint))


def test_an_earlier_run_is_moved_and_nothing_is_lost(tmp_path):
  assert resume.move_aside(str(tmp_path)) is None
  (tmp_path / 'mine.txt').write_text('kept')
  for number in (1, 2):
    _save(tmp_path, [2])
    (tmp_path / 'best').mkdir()
    run_log.append(str(tmp_path), {'step': number})
    directory = resume.move_aside(str(tmp_path))
    assert directory == '%s/earlier-%d' % (tmp_path, number)
    assert resume.find(directory, 'must').step == 2
    assert run_log.read(directory) == [{'step': number}]
    assert os.path.isdir(os.path.join(directory, 'best'))
  assert sorted(os.listdir(str(tmp_path))) == [
      'earlier-1', 'earlier-2', 'mine.txt']


def test_what_is_moved_cannot_be_loaded_from(tmp_path):
  resume.check_apart('%s/a/model.ckpt-2' % tmp_path, str(tmp_path), 'never')
  assert _message(
      resume.check_apart, '%s/model.ckpt-2' % tmp_path,
      str(tmp_path) + '/', 'never') == (
          '--checkpoint_path=%s/model.ckpt-2 is in --train_dir, whose files '
          '--resume=never moves to a subdirectory. Give another --train_dir.' %
          tmp_path)
