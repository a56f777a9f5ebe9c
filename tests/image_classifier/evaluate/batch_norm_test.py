"""Stale moving statistics: detected, and recalibrated."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from image_classifier.evaluate import eval_graph
from image_classifier.evaluate import evaluation
from image_classifier.train import loop
from nets import nets_factory
from nets import normalization
from slim_common import runtime
from tests.image_classifier import evaluations
from tests.image_classifier import training_runs as runs


def _network(images, num_classes, is_training):
  """Two layers; training adds a head to the first."""
  with tf.variable_scope('Small'):
    with slim.arg_scope([normalization.batch_norm], is_training=is_training):
      net = slim.fully_connected(
          slim.flatten(images), 32, normalizer_fn=normalization.batch_norm)
      if is_training:
        slim.fully_connected(net, 3, normalizer_fn=normalization.batch_norm,
                             scope='Auxiliary')
    return slim.fully_connected(
        net, num_classes, activation_fn=None, scope='Logits'), {}


_network.default_image_size = 28


def _arg_scope(weight_decay):
  # A decay so slow that 40 steps hardly change the statistics.
  with slim.arg_scope([slim.batch_norm], decay=0.9997):
    with slim.arg_scope(
        [slim.fully_connected],
        weights_regularizer=slim.l2_regularizer(weight_decay)) as scope:
      return scope


@pytest.fixture(scope='module')
def small(digits, tmp_path_factory):
  """The train_dir of a network with batch normalization after 40 steps."""
  runtime.start()
  nets_factory.networks_map['small'] = _network
  nets_factory.arg_scopes_map['small'] = _arg_scope
  directory = tmp_path_factory.mktemp('small')
  loop.train(runs.train(
      digits, directory, steps=40, optimizer=dict(optimizer='adam'),
      data=dict(batch_size=50, seed=1, preprocessing_name='lenet'),
      schedule=dict(learning_rate=0.01),
      model=dict(model_name='small', batch_norm_decay=0.9997)))
  yield directory
  del nets_factory.networks_map['small'], nets_factory.arg_scopes_map['small']


def _evaluate(digits, checkpoint, quiet=False, **changes):
  return evaluation.evaluate(evaluations.options_for(
      digits, checkpoint, model_name='small', preprocessing_name='lenet',
      **changes), quiet=quiet)


@pytest.mark.slow
def test_stale_statistics_are_diagnosed(digits, small, capsys):
  results = _evaluate(digits, small)
  assert results['Accuracy'] < 0.75
  out = capsys.readouterr().out
  assert 'On the first 200 examples Accuracy is' in out
  assert '--recalibrate_batch_norm=100' in out
  # Not for a small batch, nor without --diagnose.
  for flags in dict(batch_size=4, max_num_batches=5), dict(diagnose=False):
    _evaluate(digits, small, **flags)
    assert 'On the first' not in capsys.readouterr().out


def _train_briefly(digits, train_dir, **model):
  loop.train(runs.train(
      digits, train_dir, steps=40, data=dict(
          batch_size=50, seed=1, preprocessing_name='lenet'),
      optimizer=dict(optimizer='adam'), schedule=dict(learning_rate=0.01),
      deployment=dict(cpu_threads=1), model=dict(model_name='small', **model)))
  return runs.saved(train_dir, 40)


@pytest.mark.slow
def test_the_decay_suits_a_short_run(digits, small, tmp_path, capsys):
  del small  # Which registers the network.
  values = _train_briefly(digits, tmp_path / 'default')
  assert ('decay of the statistics for evaluation is 0.75, to suit 40 steps. '
          '--batch_norm_decay=0.9997 restores that of the network, for 33333 '
          'steps or more.') in capsys.readouterr().out
  assert _evaluate(
      digits, tmp_path / 'default', quiet=True)['Accuracy'] > 0.8
  # Nothing else follows: weights and optimizer are the same to the last bit.
  slow = _train_briefly(digits, tmp_path / 'slow', batch_norm_decay=0.9997)
  assert 'Warning: the batch normalization' in capsys.readouterr().out
  assert {name for name in slow if (slow[name] != values[name]).any()} == {
      'Small/%s/BatchNorm/moving_%s' % (layer, statistic)
      for layer in ('fully_connected', 'Auxiliary')
      for statistic in ('mean', 'variance')}


def test_a_diagnosis_that_fails_is_no_error(
    digits, small, capsys, monkeypatch):
  def fail(*arguments):
    raise ValueError('Too small.\nMore.')

  monkeypatch.setattr(eval_graph, 'training_logits', fail)
  _evaluate(digits, small, max_num_batches=1)
  assert ('The statistics of batch normalization could not be compared: Too '
          'small.\n') in capsys.readouterr().out


def test_recalibrated_statistics(digits, small, tmp_path, capsys):
  prefix = str(tmp_path / 'model.ckpt-40')
  before = runs.saved(small, 40)
  results = _evaluate(
      digits, small, recalibrate_batch_norm=10, recalibrated_checkpoint=prefix)
  out = capsys.readouterr().out
  assert results['Accuracy'] > 0.8
  assert 'statistics are the means of 10 batches of 100 of train.' in out
  assert 'Checkpoint: ' + prefix in out and 'On the first' not in out
  assert sorted(path.name for path in tmp_path.iterdir()) == [
      'model.ckpt-40.data-00000-of-00001', 'model.ckpt-40.index']
  after = runs.saved(tmp_path, 40)
  assert after.pop('global_step') == 40
  changed = {name for name in after if (after[name] != before[name]).any()}
  assert changed == {'Small/fully_connected/BatchNorm/moving_mean',
                     'Small/fully_connected/BatchNorm/moving_variance'}
  assert _evaluate(digits, prefix) == pytest.approx(results, rel=1e-5)


def _drop_statistics(values):
  for name in list(values):
    if name.split('/')[-1] in ('moving_mean', 'moving_variance'):
      del values[name]


@pytest.fixture(name='bare', scope='module')
def _bare(small, tmp_path_factory):
  """The checkpoint of `small` without its statistics."""
  prefix = tmp_path_factory.mktemp('bare') / 'model.ckpt-40'
  evaluations.rewrite_checkpoint(
      small / 'model.ckpt-40', prefix, _drop_statistics)
  return str(prefix)


@pytest.mark.slow
def test_a_checkpoint_without_statistics_is_recalibrated(digits, bare):
  with pytest.raises(ValueError, match='computes them'):
    _evaluate(digits, bare)
  assert _evaluate(digits, bare, recalibrate_batch_norm=4, diagnose=False,
                   max_num_batches=3)['Accuracy'] > 0.8


@pytest.mark.slow
def test_training_the_head_of_a_checkpoint_without_statistics(
    digits, bare, tmp_path, capsys):
  loop.train(runs.train(
      digits, tmp_path, steps=40, optimizer=dict(optimizer='adam'),
      data=dict(batch_size=50, seed=1, preprocessing_name='lenet'),
      schedule=dict(learning_rate=0.01),
      model=dict(model_name='small', batch_norm_decay=0.9),
      warm_start=dict(checkpoint_path=bare, ignore_missing_vars=True,
                      trainable_scopes=('Small/Logits',))))
  assert 'They are not frozen and compute them from' in capsys.readouterr().out
  statistics = runs.saved(tmp_path, 40)[
      'Small/fully_connected/BatchNorm/moving_variance']
  assert abs(statistics - 1).max() > 0.1
  assert _evaluate(digits, tmp_path, quiet=True)['Accuracy'] > 0.85


@pytest.mark.slow
def test_statistics_of_another_split_by_hand(digits, small, tmp_path, capsys):
  names = ['n%d' % i for i in range(10)]
  evaluations.rewrite_digits(
      digits, tmp_path / 'few', names, lambda digit: [digit], 50)
  _evaluate(tmp_path / 'few', small, recalibrate_batch_norm=1, batch_size=50,
            recalibration_split='test',
            recalibrated_checkpoint=str(tmp_path / 'model.ckpt-40'))
  assert 'of 1 batches of 50 of test.' in capsys.readouterr().out
  values = runs.saved(tmp_path, 40)
  pixels = evaluations.pixels(tmp_path / 'few' / 'mnist_test.tfrecord')
  before = (pixels / 128.0 - 1.0).reshape([50, -1]).dot(
      values['Small/fully_connected/weights'])
  scope = 'Small/fully_connected/BatchNorm/'
  np.testing.assert_allclose(
      values[scope + 'moving_mean'], before.mean(axis=0), atol=1e-4)
  np.testing.assert_allclose(
      values[scope + 'moving_variance'], before.var(axis=0, ddof=1), rtol=1e-4)


def test_quietly(digits, small, capsys):
  _evaluate(digits, small, quiet=True, recalibrate_batch_norm=1,
            max_num_batches=1)
  _evaluate(digits, small, quiet=True, max_num_batches=1)
  assert capsys.readouterr().out == ''
