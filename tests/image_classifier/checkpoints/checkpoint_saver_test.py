"""Whatever happens while saving, a named checkpoint can be read."""
import collections
import os
import re
import resource

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from image_classifier.checkpoints import checkpoint_saver
from image_classifier.runs import resume
from image_classifier.train import loop
from tests.image_classifier import training_runs as runs

_Readings = collections.namedtuple('_Readings', 'step')
_SCRATCH = resume.Start()


class _Small:
  """A session with one variable, and a hook that saves it."""

  def __init__(self, directory, start=_SCRATCH, max_to_keep=2):
    with tf.Graph().as_default() as graph:
      self.weights = tf.get_variable(
          'w', initializer=tf.constant([1.0, 2.0]))
      self.session = tf.Session(graph=graph)
      self.session.run(tf.global_variables_initializer())
      self.hook = checkpoint_saver.CheckpointHook(
          _Readings(tf.constant(0)), str(directory), tf.train.Saver(), 600,
          max_to_keep, start)

  def save(self, step):
    return self.hook.save(self.session, step)


def _steps(directory):
  return sorted(path.name for path in directory.glob('*.index'))


def test_the_newest_are_kept_and_named(tmp_path):
  small = _Small(tmp_path)
  for step in (0, 5, 10):
    assert small.save(step) == '%s/model.ckpt-%d' % (tmp_path, step)
    assert tf.train.latest_checkpoint(str(tmp_path)) == small.hook.latest
  assert sorted(path.name for path in tmp_path.iterdir()) == ['checkpoint'] + [
      'model.ckpt-%d.%s' % (step, part) for step in (10, 5)
      for part in ('data-00000-of-00001', 'index', 'meta')]
  assert 'model_checkpoint_path: "model.ckpt-10"' in (
      tmp_path / 'checkpoint').read_text(), 'without the directory'


@pytest.mark.parametrize('error', [
    tf.errors.AbortedError, tf.errors.UnavailableError])
def test_a_lost_parameter_server_needs_a_new_session(
    tmp_path, monkeypatch, error):
  small = _Small(tmp_path)
  small.save(5)

  def fail(*_):
    raise error(None, None, '=====\n Socket closed.\n=====')

  monkeypatch.setattr(small.hook, '_write', fail)
  # tf.train.MonitoredSession makes it, except at the end.
  with pytest.raises(error):
    small.save(6)
  with pytest.raises(OSError, match=re.escape(
      'The checkpoint of step 0 cannot be saved in %s: Socket closed. The last '
      'good checkpoint is %s/model.ckpt-5; remove the cause and run the same '
      'command to resume from it.' % (tmp_path, tmp_path))):
    small.hook.end(small.session)


def test_zero_keeps_all(tmp_path):
  small = _Small(tmp_path, max_to_keep=0)
  for step in range(7):
    small.save(step)
  assert len(_steps(tmp_path)) == 7


def test_the_step_resumed_from_is_not_saved_again(tmp_path):
  prefix = _Small(tmp_path).save(5)
  before = os.stat(prefix + '.index').st_mtime_ns
  small = _Small(tmp_path, resume.Start(prefix, 5, (prefix,)))
  assert small.save(5) == prefix
  assert os.stat(prefix + '.index').st_mtime_ns == before
  small.save(6)
  small.save(7)
  assert _steps(tmp_path) == ['model.ckpt-6.index', 'model.ckpt-7.index']


def test_weights_that_are_not_finite_are_not_saved(tmp_path):
  small = _Small(tmp_path)
  small.save(5)
  small.weights.load([1.0, np.nan], small.session)
  with pytest.raises(ValueError) as error:
    small.save(6)
  assert str(error.value) == (
      'The weights are not finite after step 6: w. Try a lower '
      '--learning_rate. The last good checkpoint is %s/model.ckpt-5.' %
      tmp_path)
  assert _steps(tmp_path) == ['model.ckpt-5.index']


@pytest.mark.parametrize('moment', ['_write', '_publish'])
def test_an_error_while_saving_leaves_the_last_one(
    tmp_path, monkeypatch, moment):
  small = _Small(tmp_path)
  good = small.save(5)

  def fail(*arguments):
    del arguments
    (tmp_path / checkpoint_saver.UNFINISHED / 'half').write_text('half')
    raise OSError(28, 'No space left on device')

  (tmp_path / checkpoint_saver.UNFINISHED).mkdir()
  monkeypatch.setattr(small.hook, moment, fail)
  with pytest.raises(OSError) as error:
    small.save(6)
  assert str(error.value) == (
      'The checkpoint of step 6 cannot be saved in %s: [Errno 28] No space '
      'left on device. The last good checkpoint is %s; remove the cause and '
      'run the same command to resume from it.' % (tmp_path, good))
  assert tf.train.latest_checkpoint(str(tmp_path)) == good
  assert not (tmp_path / checkpoint_saver.UNFINISHED).exists()
  assert checkpoint_saver.fault(good) is None
  monkeypatch.undo()
  assert small.save(6) == '%s/model.ckpt-6' % tmp_path


@pytest.mark.parametrize('keep', [0, 1, 2])
def test_a_truncated_checkpoint_has_a_fault(tmp_path, keep):
  prefix = _Small(tmp_path).save(5)
  assert checkpoint_saver.fault(prefix) is None
  name = prefix + ('.index' if keep else '.data-00000-of-00001')
  with open(name, 'rb+') as file:
    file.truncate(keep)
  fault = checkpoint_saver.fault(prefix)
  assert fault and '\n' not in fault


@pytest.mark.slow
def test_a_full_disk_stops_the_run_with_the_last_checkpoint_named(
    digits, tmp_path):
  loop.train(runs.train(digits, tmp_path, steps=2))
  limits = resource.getrlimit(resource.RLIMIT_FSIZE)
  # No file may grow beyond 4 MB: LeNet's checkpoint has 13 MB.
  resource.setrlimit(resource.RLIMIT_FSIZE, (4 * 2 ** 20, limits[1]))
  try:
    with pytest.raises(OSError) as error:
      loop.train(runs.train(digits, tmp_path, steps=4))
  finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
  message = str(error.value)
  assert message.startswith(
      'The checkpoint of step 4 cannot be saved in %s: ' % tmp_path)
  assert message.endswith(
      'The last good checkpoint is %s/model.ckpt-2; remove the cause and run '
      'the same command to resume from it.' % tmp_path)
  assert not list(tmp_path.glob('model.ckpt-4*'))
  assert not (tmp_path / checkpoint_saver.UNFINISHED).exists()
  loop.train(runs.train(digits, tmp_path, steps=4))
  assert runs.saved(tmp_path, 4)['global_step'] == 4
  assert [row['step'] for row in runs.log(tmp_path)] == [2, 4]
