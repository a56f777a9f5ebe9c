"""All ways to name a checkpoint, and what is said when it does not fit."""
import pytest
import tensorflow.compat.v1 as tf

from training import checkpoints


@pytest.fixture(name='folder')
def _folder(tmp_path):
  """A folder with checkpoints of steps 3 and 7 of two variables."""
  step = tf.train.get_or_create_global_step()
  tf.get_variable('net/w', [4, 1000])
  tf.get_variable('net/k', [3, 3, 8, 16])
  saver = tf.train.Saver()
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for number in (3, 7):
      session.run(tf.assign(step, number))
      saver.save(session, str(tmp_path / 'model.ckpt'), step)
  return tmp_path


@pytest.mark.parametrize('name, step', [
    ('', 7), ('model.ckpt-3', 3), ('model.ckpt-3.index', 3),
    ('model.ckpt-3.meta', 3), ('model.ckpt-3.data-00000-of-00001', 3)])
def test_every_name_is_understood(folder, name, step):
  prefix = checkpoints.find(str(folder / name))
  assert prefix == str(folder / ('model.ckpt-%d' % step))
  assert checkpoints.step_of(prefix) == step


def test_missing_checkpoints(folder, tmp_path):
  empty = tmp_path / 'empty'
  empty.mkdir()
  for path, message in (
      (empty, 'There is no checkpoint in the directory %s.' % empty),
      (folder / 'model.ckpt-4', 'There is no checkpoint %s/model.ckpt-4. %s '
       'holds model.ckpt-3, model.ckpt-7.' % (folder, folder)),
      (empty / 'a' / 'b', 'There is no checkpoint %s/a/b: the directory %s/a '
       'does not exist.' % (empty, empty))):
    with pytest.raises(ValueError) as error:
      checkpoints.find(str(path))
    assert str(error.value) == message


def _message(folder, name, shape):
  prefix = checkpoints.find(str(folder))
  variable = tf.get_variable('other', shape)
  with pytest.raises(ValueError) as error:
    checkpoints.check_fits(prefix, {name: variable})
  return str(error.value)


def test_what_fits_is_accepted(folder):
  variable = tf.get_variable('other', [4, 1000])
  checkpoints.check_fits(checkpoints.find(str(folder)), {'net/w': variable})


@pytest.mark.parametrize('name, shape, end', [
    ('net/x', [1], 'lacks 1 variables, such as net/x. It was trained with '
                   'another network: check --model_name.'),
    ('net/w/ExponentialMovingAverage', [4, 1000],
     'The run kept no moving averages: leave out --moving_average_decay.'),
    ('net/w', [4, 1001], 'The checkpoint has no background class: pass '
                         '--labels_offset=1.'),
    ('net/w', [4, 5], 'the checkpoint knows 1000 classes and the dataset has '
                      '5.'),
    ('net/k', [3, 3, 4, 8], 'It was trained with another network or width: '
                            'check --model_name.')])
def test_what_does_not_fit(folder, name, shape, end):
  assert _message(folder, name, shape).endswith(end)


def test_a_checkpoint_without_a_step(tmp_path):
  tf.get_variable('w', [1])
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    prefix = tf.train.Saver().save(session, str(tmp_path / 'x'))
  assert checkpoints.step_of(prefix) is None
