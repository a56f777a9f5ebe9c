"""The hooks between steps, without a network."""
import collections
import types

import pytest
import tensorflow.compat.v1 as tf

from image_classifier.runs import run_log
from image_classifier.train import hooks

_Values = collections.namedtuple('_Values', 'results')


class _Writer:

  def __init__(self):
    self.written, self.starts = [], []

  def add_session_log(self, log, step):
    assert log.status == tf.SessionLog.START
    self.starts.append(step)

  def add_summary(self, summary, step):
    self.written.append((step, {
        value.tag: value.simple_value for value in summary.value}))


def _row(step, loss=1.0, wait=0.0):
  return _Values(hooks.Readings(step, loss, 0.1, wait))


def test_the_step_is_read_after_the_update():
  step = tf.train.get_or_create_global_step()
  with tf.control_dependencies([step.assign_add(1)]):
    train_op = tf.constant(2.0)
  graph = types.SimpleNamespace(
      train_op=train_op, global_step=step, total_loss=train_op,
      learning_rate=tf.constant(0.1), input_wait=tf.constant(0.0))
  tensors = hooks.readings(graph)
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    assert [session.run(tensors).step for _ in range(3)] == [1, 2, 3]


def test_progress_is_printed_logged_and_summarized(
    tmp_path, monkeypatch, capsys):
  # The bar looks at the clock too, after steps 5 and 7.
  clock = iter([100.0, 101.0, 0.0, 102.0, 103.0, 0.0, 113.0])
  monkeypatch.setattr(hooks.time, 'time', lambda: next(clock))
  writer = _Writer()
  hook = hooks.ProgressHook(None, 4, 8, 2, 10, str(tmp_path), writer)
  hook.before_run(None)
  for step in (5, 6, 7):
    hook.after_run(None, _row(step, wait=0.5))
  hook.exclude(10.0)
  hook.after_run(None, _row(8, loss=0.5, wait=0.5))
  assert capsys.readouterr().out == (
      'step 6 of 8  0:02 left  loss 1.0000  learning rate 0.1  10 images/s  '
      'input wait 50 %\n'
      'step 8 of 8  0:00 left  loss 0.5000  learning rate 0.1  20 images/s  '
      'input wait 100 %\n')
  assert run_log.read(str(tmp_path)) == [
      {'step': 6, 'loss': 1.0, 'learning_rate': 0.1,
       'images_per_second': 10.0, 'input_wait': 0.5, 'seconds': 2.0},
      {'step': 8, 'loss': 0.5, 'learning_rate': 0.1,
       'images_per_second': 20.0, 'input_wait': 1.0, 'seconds': 3.0}]
  assert [step for step, _ in writer.written] == [6, 8]
  assert writer.written[0][1] == {'images_per_second': 10.0, 'input_wait': 0.5}


def test_a_worker_prints_though_it_misses_the_multiples(capsys):
  hook = hooks.ProgressHook(None, 0, 9, 4, 10)
  hook.before_run(None)
  for step in (3, 5, 7, 10):
    hook.after_run(None, _row(step))
  lines = capsys.readouterr().out.splitlines()
  assert [line.split('  ')[0] for line in lines] == [
      'step 5 of 9', 'step 10 of 9']


def test_a_new_session_goes_back(tmp_path, capsys):
  step = tf.train.get_or_create_global_step()
  writer = _Writer()
  hook = hooks.ProgressHook(None, 0, None, 4, 10, str(tmp_path), writer)
  with tf.Session() as session:
    session.run(step.initializer)
    hook.after_create_session(session, None)
    hook.before_run(None)
    hook.after_run(None, _row(9))
    session.run(tf.assign(step, 5))
    hook.after_create_session(session, None)
    hook.after_run(None, _row(8))
  lines = capsys.readouterr().out.splitlines()
  assert [line.split('  ')[0] for line in lines] == ['step 9', 'step 8']
  # No step twice in the log, nor in TensorBoard.
  assert [row['step'] for row in run_log.read(str(tmp_path))] == [8]
  assert writer.starts == [6]


def test_steps_of_a_worker_are_counted(capsys):
  hook = hooks.WorkerStepsHook(1)
  for _ in range(3):
    hook.after_run(None, None)
  hook.end(None)
  assert capsys.readouterr().out == (
      'Worker 1 has ended. It made 3 steps.\n')


@pytest.mark.parametrize('loss', [float('nan'), float('inf')])
def test_a_loss_that_is_not_finite(loss):
  hook = hooks.FiniteLossHook(
      None, lambda: 'dir/model.ckpt-5')
  hook.after_run(None, _row(6))
  with pytest.raises(ValueError) as error:
    hook.after_run(None, _row(7, loss=loss))
  assert str(error.value) == (
      'The loss is %s at step 7, with a learning rate of 0.1. Try a lower '
      '--learning_rate. The last good checkpoint is dir/model.ckpt-5.' % loss)


@pytest.mark.parametrize('text', [
    'Nan in summary histogram for: ', 'Infinity in Histogram for: '])
def test_a_summary_that_is_not_finite(text):
  hook = hooks.FiniteLossHook(
      None, lambda: 'dir/model.ckpt-5')
  error = tf.errors.InvalidArgumentError(
      None, None, text + 'activations/fc4\n\t [[x]]')
  assert str(hook.of_summary(error)) == (
      'NaN or infinite numbers are in activations/fc4 after the first step. '
      'Try a lower --learning_rate.')
  hook.after_run(None, _row(6))
  assert str(hook.of_summary(error)) == (
      'NaN or infinite numbers are in activations/fc4 after step 6, with a '
      'learning rate of 0.1. Try a lower --learning_rate. The last good '
      'checkpoint is dir/model.ckpt-5.')
  assert hook.of_summary(tf.errors.InvalidArgumentError(
      None, None, 'Incompatible shapes')) is None
