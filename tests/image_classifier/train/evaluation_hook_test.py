"""Runs with evaluation: resuming, early stopping, the best checkpoint."""
import json
import os
import time
import types

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from image_classifier import options as program_options
from image_classifier.runs import best_checkpoint
from image_classifier.runs import resume
from image_classifier.runs import run_log
from image_classifier.train import evaluation_hook
from image_classifier.train import evaluation_schedule
from image_classifier.train import hooks
from image_classifier.train import loop as loops
from image_classifier.train import train_graph
from tests.image_classifier import training_runs as runs

_EXACT = dict(
    data=dict(seed=1, deterministic=True), deployment=dict(cpu_threads=1),
    optimizer=dict(optimizer='adam'),
    # Small images make a small LeNet.
    model=dict(moving_average_decay=0.9, train_image_size=8))


def _same(first, second):
  return [name for name in first
          if not np.array_equal(first[name], second[name])] == []


@pytest.mark.slow
def test_ten_steps_are_five_and_five_to_the_last_bit(digits, tmp_path):
  loops.train(runs.train(digits, tmp_path / 'a', steps=10, **_EXACT))
  for steps in (5, 10):
    loops.train(runs.train(digits, tmp_path / 'b', steps=steps, **_EXACT))
  at_once, in_two = (runs.saved(tmp_path / name, 10) for name in 'ab')
  assert len(at_once) == 8 * 4 + 3, 'weights, slots, averages, step'
  assert sorted(at_once) == sorted(in_two)
  assert _same(at_once, in_two)
  losses = [{row['step']: row['loss'] for row in runs.log(tmp_path / name)}
            for name in 'ab']
  assert sorted(losses[1]) == [2, 4, 5, 6, 8, 10]
  assert all(losses[1][step] == losses[0][step] for step in losses[0])


@pytest.mark.slow
def test_evaluation_does_not_change_the_training(digits, tmp_path):
  loops.train(runs.train(digits, tmp_path / 'a', steps=4, **_EXACT))
  loops.train(runs.train(
      digits, tmp_path / 'b', steps=4, loop=dict(
          eval_every_epochs=0.004, eval_split='test'), **_EXACT))
  assert _same(*[runs.saved(tmp_path / name, 4) for name in 'ab'])
  rows = runs.log(tmp_path / 'b')
  assert [(row['step'], 'evaluation' in row) for row in rows] == [
      (2, False), (2, True), (4, False), (4, True)]
  assert rows[1]['split'] == 'test'
  assert 'eval/Accuracy' in runs.tags(tmp_path / 'b' / 'eval')


# With this rate no weight changes, so only the first evaluation is a gain.
_STANDSTILL = dict(
    schedule=dict(learning_rate=1e-30, learning_rate_decay_type='fixed'),
    data=dict(seed=1), model=dict(train_image_size=8))


@pytest.mark.slow
def test_early_stopping_and_the_best_checkpoint(digits, tmp_path, capsys):
  loop = dict(eval_every=1, early_stopping_patience=2, best_metric='Loss',
              log_every_n_steps=1, trace_every=2, summarize_images=2,
              max_checkpoints_to_keep=2)
  loops.train(runs.train(digits, tmp_path, steps=9, loop=loop, **_STANDSTILL))
  out = capsys.readouterr().out
  best = os.path.join(str(tmp_path), 'best')
  for part in (
      'Evaluated on test every 1 steps; the best Loss is kept in %s.' % best,
      'Stopping early: no gain in 2 evaluations since step 1.',
      'Best Loss on test: ', ' at step 1, kept in %s.' % best):
    assert part in out, out
  assert [row['step'] for row in runs.log(tmp_path)] == [1, 1, 2, 2, 3, 3]
  record = best_checkpoint.read(str(tmp_path))
  assert (record['step'], record['metric'], record['checkpoint']) == (
      1, 'Loss', 'model.ckpt-1')
  assert record['value'] == runs.log(tmp_path)[1]['evaluation']['Loss']
  assert tf.train.latest_checkpoint(best) == os.path.join(best, 'model.ckpt-1')
  assert runs.saved(best, 1)['global_step'] == 1
  assert sorted(name for name in os.listdir(str(tmp_path))
                if name.endswith('.index')) == [
                    'model.ckpt-2.index', 'model.ckpt-3.index']
  assert [name for name in os.listdir(str(tmp_path))
          if name.startswith('timeline')] == ['timeline-2.json']
  with open(str(tmp_path / 'timeline-2.json')) as file:
    assert json.load(file)['traceEvents']
  assert {'training_images/image/0', 'training_images/image/1'} <= runs.tags(
      tmp_path)
  assert 'training_images/image/2' not in runs.tags(tmp_path)
  _stays_stopped(digits, tmp_path, loop, capsys)


def _stays_stopped(digits, tmp_path, loop, capsys):
  loops.train(runs.train(digits, tmp_path, steps=9, loop=loop, **_STANDSTILL))
  assert ('Nothing to do: %s stopped early at step 3: no gain in 2 evaluations '
          'since step 1. Continue with a larger --early_stopping_patience.' %
          tmp_path) in capsys.readouterr().out
  loops.train(runs.train(digits, tmp_path, steps=9, loop=dict(
      loop, early_stopping_patience=3), **_STANDSTILL))
  assert 'no gain in 3 evaluations since step 1.' in capsys.readouterr().out
  assert [row['step'] for row in runs.log(tmp_path)][-2:] == [4, 4]


@pytest.mark.slow
def test_another_run_in_the_directory(digits, tmp_path, capsys):
  small = dict(model=dict(train_image_size=8))
  other = dict(model=dict(model_name='cifarnet', train_image_size=8))
  loops.train(runs.train(digits, tmp_path, steps=2, **small))
  for changes, message in (
      # Also where the run has no step to do.
      (dict(other, steps=2), 'the network (lenet there, cifarnet here)'),
      (dict(model=dict(train_image_size=9)),
       'the image size (8x8x1 there, 9x9x1 here)'),
      (dict(small, optimizer=dict(optimizer='momentum')), '--optimizer')):
    with pytest.raises(ValueError) as error:
      loops.train(runs.train(digits, tmp_path, **changes))
    assert message in str(error.value)
  (tmp_path / 'run.json').unlink()
  with pytest.raises(ValueError, match='another network: .* no variable '
                     'CifarNet/.*--resume=never, which moves'):
    loops.train(runs.train(digits, tmp_path, **other))
  before = runs.saved(tmp_path, 2)
  loops.train(runs.train(digits, tmp_path, loop=dict(resume='never'), **small))
  assert 'Moved the files of an earlier run to %s/earlier-1.' % tmp_path in (
      capsys.readouterr().out)
  assert _same(runs.saved(tmp_path / 'earlier-1', 2), before)
  assert [row['step'] for row in runs.log(tmp_path)] == [2, 4]


def test_epochs_end_the_run_and_a_missing_run_is_not_started(digits, tmp_path):
  with pytest.raises(ValueError, match='--resume=must, but --train_dir='):
    loops.train(runs.train(digits, tmp_path, loop=dict(resume='must')))
  options = runs.train(digits, tmp_path, steps=9, loop=dict(
      num_epochs=0.002, save_interval_secs=1, save_summaries_secs=1),
                       data=dict(batch_size=2),
                       model=dict(train_image_size=8))
  loops.train(options, extra_hooks=[_Slow()])
  assert runs.saved(tmp_path, 4)['global_step'] == 4
  # At the start, at the end, and after every second in between.
  assert len([name for name in os.listdir(str(tmp_path))
              if name.endswith('.index')]) >= 3
  assert len(_steps_of_summary(tmp_path, 'total_loss_1')) >= 2


class _Slow(tf.train.SessionRunHook):

  def after_run(self, run_context, run_values):
    time.sleep(0.6)


def _steps_of_summary(directory, tag):
  paths = [os.path.join(str(directory), name)
           for name in os.listdir(str(directory)) if 'tfevents' in name]
  return [event.step for path in paths
          for event in tf.train.summary_iterator(path)
          for value in event.summary.value if value.tag == tag]


def test_a_summary_that_is_not_finite_names_the_step(
    digits, tmp_path, monkeypatch):
  build = train_graph.build

  def with_bad_summary(*arguments):
    graph = build(*arguments)
    # The step that is read may be the one before or after the update.
    tf.summary.histogram('ratio', graph.total_loss / tf.cast(
        graph.global_step < 2, tf.float32))
    return graph._replace(summary_op=tf.summary.merge_all())

  monkeypatch.setattr(train_graph, 'build', with_bad_summary)
  options = runs.train(
      digits, tmp_path, steps=9, model=dict(train_image_size=8))
  monkeypatch.setattr(tf.train, 'SummarySaverHook', _EveryStep)
  with pytest.raises(ValueError, match=(
      'NaN or infinite numbers are in ratio after step [12], with a learning '
      'rate of 0.01. Try a lower --learning_rate. The last good checkpoint is '
      '.*/model.ckpt-0.')):
    loops.train(options)


class _EveryStep(tf.train.SummarySaverHook):

  def __init__(self, save_secs, summary_writer, scaffold):
    del save_secs
    super().__init__(
        save_steps=1, summary_writer=summary_writer, scaffold=scaffold)


class _OutOfMemory(tf.train.SessionRunHook):
  """Uses up memory, for what TensorFlow sees, in a step."""

  def __init__(self, step):
    self._step = step

  def begin(self):
    def allocate(step):
      if step == self._step:
        raise MemoryError('no more')
      return step
    self._allocated = tf.py_func(
        allocate, [tf.train.get_global_step()], tf.int64)

  def before_run(self, run_context):
    return tf.train.SessionRunArgs(self._allocated)


@pytest.mark.slow
def test_out_of_memory_says_what_to_lower_and_the_run_resumes(
    digits, tmp_path, capsys):
  options = runs.train(
      digits, tmp_path, steps=3, loop=dict(eval_every=1, log_every_n_steps=1),
      model=dict(train_image_size=8))
  with pytest.raises(ValueError) as error:
    loops.train(options, extra_hooks=[_OutOfMemory(2)])
  message = str(error.value)
  assert message.startswith('Out of memory'), message
  assert 'Lower --batch_size (8 now) or --train_image_size; ' in message
  assert tf.train.latest_checkpoint(str(tmp_path)) == (
      '%s/model.ckpt-2' % tmp_path)
  assert loops.train(options) == 0
  assert 'Resuming from %s/model.ckpt-2.' % tmp_path in capsys.readouterr().out
  assert [row['step'] for row in runs.log(tmp_path) if 'loss' in row] == [
      1, 2, 3]


class _Target(tf.train.SessionRunHook):
  """Records the target of the session."""

  def after_create_session(self, session, coord):
    self.target = session.sess_str


@pytest.mark.slow
def test_a_running_server(digits, tmp_path, capsys):
  server = tf.train.Server.create_local_server()
  hook = _Target()
  loops.train(runs.train(
      digits, tmp_path, steps=1, deployment=dict(master=server.target),
      data=dict(preprocessing_name='vgg'), model=dict(train_image_size=8)),
              extra_hooks=[hook])
  assert hook.target.decode() == server.target
  assert runs.saved(tmp_path, 1)['global_step'] == 1
  out = capsys.readouterr().out
  assert ('  Warning: preprocessing by TensorFlow operations takes up to 1.5 '
          'times as long: the server of --master may be another process.\n' in
          out)


def test_networks_are_listed_and_described(capsys):
  import train_image_classifier
  for catalogue, line in (
      (program_options.Catalogue(list_models=True), 'lenet                      '),
      (program_options.Catalogue(describe_model='lenet'), '    LeNet/fc4')):
    assert train_image_classifier.main(
        program_options.Train(catalogue=catalogue)) == 0
    assert line in capsys.readouterr().out


class _Best:
  """Stands in for a BestCheckpoint."""
  metric, step, without_gain = 'Loss', 4, 0

  def offer(self, step, prefix, metrics):
    del step, prefix, metrics
    self.without_gain += 1
    return False

  def is_exhausted(self, patience):
    return bool(patience) and self.without_gain >= patience


def _hook(tmp_path, evaluated, first_step=0, signal_number=None):
  """Returns a hook that evaluates every 4 steps without a network."""
  def evaluate(prefix):
    evaluated.append(prefix)
    return {'Accuracy': 0.25, 'Macro_F1': 0.5, 'Loss': 2.0}

  run = types.SimpleNamespace(
      options=runs.train('data', tmp_path, loop=dict(
          early_stopping_patience=2)),
      length=types.SimpleNamespace(eval_every=4),
      start=resume.Start(step=first_step), best=_Best(),
      plan=evaluation_schedule.Plan('test', 'Loss'))
  return evaluation_hook.EvaluationHook(
      None, run, types.SimpleNamespace(
          save=lambda session, step: 'model.ckpt-%d' % step),
      hooks.ProgressHook(None, first_step, None, 10, 8),
      types.SimpleNamespace(signal_number=signal_number), evaluate)


def _values(step):
  return types.SimpleNamespace(results=hooks.Readings(step, 1.0, 0.1, 0.0))


class _Context:
  session = None
  stopped = False

  def request_stop(self):
    self.stopped = True


def test_an_evaluation_that_another_worker_stepped_over(tmp_path):
  evaluated = []
  hook = _hook(tmp_path, evaluated)
  for step in (3, 5, 7, 13):
    hook.after_run(_Context(), _values(step))
  assert evaluated == ['model.ckpt-5', 'model.ckpt-13']


def test_evaluations_are_logged_and_can_end_the_run(tmp_path, capsys):
  evaluated = []
  context = _Context()
  hook = _hook(tmp_path, evaluated)
  hook.after_create_session(None, None)
  for step in range(1, 10):
    assert context.stopped == (step > 8)
    hook.after_run(context, _values(step))
  hook.end(None)
  assert evaluated == ['model.ckpt-4', 'model.ckpt-8', 'model.ckpt-9']
  assert capsys.readouterr().out.splitlines()[:3] == [
      'step 4  test: Accuracy 0.2500  Loss 2.0000',
      'step 8  test: Accuracy 0.2500  Loss 2.0000',
      'Stopping early: no gain in 2 evaluations since step 4.']
  assert [row['step'] for row in run_log.evaluations(
      run_log.read(str(tmp_path)))] == [4, 8, 9]


def test_a_run_that_goes_back_is_evaluated_again(tmp_path):
  evaluated = []
  hook = _hook(tmp_path, evaluated)
  step = tf.train.get_or_create_global_step()
  with tf.Session() as session:
    session.run(tf.assign(step, 3, validate_shape=False))
    hook.after_create_session(session, None)
    for number in (3, 5):
      hook.after_run(_Context(), _values(number))
    # A parameter server is lost.
    hook.after_create_session(session, None)
  for number in (4, 5):
    hook.after_run(_Context(), _values(number))
  assert evaluated == ['model.ckpt-5', 'model.ckpt-4']


def test_a_missed_evaluation_is_made_up_for_once(tmp_path):
  for _ in range(2):
    evaluated = []
    _hook(tmp_path, evaluated, 8).after_create_session(None, None)
  assert evaluated == [] and len(run_log.read(str(tmp_path))) == 1
  _hook(tmp_path, evaluated, 9).after_create_session(None, None)
  assert evaluated == []


def test_a_signal_does_not_wait_for_a_last_evaluation(tmp_path):
  evaluated = []
  hook = _hook(tmp_path, evaluated, signal_number=15)
  hook.after_run(_Context(), _values(3))
  hook.end(None)
  assert evaluated == []
