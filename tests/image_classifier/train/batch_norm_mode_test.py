"""Frozen batch normalization and its decay, in several families."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from image_classifier import options
from image_classifier.train import batch_norm_mode
from nets import nets_factory
from nets import normalization
from nets.nasnet import nasnet
from slim_common import flags

# Networks, small image sizes, and a scope in each.
_NETWORKS = [
    ('mobilenet_v1_025', 32, 'MobilenetV1/Conv2d_13', 50),
    ('mobilenet_v2_035', 32, 'MobilenetV2/Conv_1', 102),
    ('mobilenet_v3_small_minimalistic', 32, 'MobilenetV3/Conv_1', 66),
    ('inception_v1', 224, 'InceptionV1/Logits', 114),
    ('resnet_v1_50', 32, 'resnet_v1_50/conv1', 104),
    ('resnet_v2_50', 32, 'resnet_v2_50/postnorm', 96)]


def _build(name, size, freeze=None, scopes=()):
  """Builds a network; returns the mode and the update operations."""
  mode = batch_norm_mode.BatchNormMode(freeze, None, scopes)
  with normalization.overridden(mode):
    nets_factory.get_network_fn(name, 3, is_training=True)(
        tf.random_uniform([2, size, size, 3]))
  return mode, tf.get_collection(tf.GraphKeys.UPDATE_OPS)


@pytest.mark.slow
@pytest.mark.parametrize('name, size, scope, frozen_updates', _NETWORKS)
def test_layers_that_are_not_trained_are_frozen(
    name, size, scope, frozen_updates):
  mode, updates = _build(name, size, scopes=(scope,))
  trained = [layer for layer in mode.layers if layer.decay is not None]
  frozen = [layer for layer in mode.layers if layer.decay is None]
  assert all(layer.name.startswith(scope) for layer in trained)
  assert not any(layer.name.startswith(scope) for layer in frozen)
  assert 2 * len(trained) == len(updates)
  assert 2 * len(frozen) == frozen_updates
  names = {variable.op.name for variable in tf.global_variables()}
  assert all(layer.name + '/moving_mean' in names for layer in mode.layers)


def test_nasnet():
  config = nasnet.cifar_config()
  config.num_cells = 3
  mode = batch_norm_mode.BatchNormMode(True, None, ())
  with normalization.overridden(mode):
    nets_factory.get_network_fn('nasnet_cifar', 3, is_training=True)(
        tf.zeros([2, 32, 32, 3]), config=config)
  assert not tf.get_collection(tf.GraphKeys.UPDATE_OPS)
  assert {layer.decay for layer in mode.layers} == {None}
  assert len(mode.layers) == sum(
      variable.op.name.endswith('moving_mean')
      for variable in tf.global_variables())


@pytest.mark.parametrize('freeze, decay, scopes, decays', [
    (True, None, (), [None, None]), (True, 0.5, ('a',), [None, None]),
    (False, None, ('a',), [0.9, 0.999]), (None, None, (), [0.9, 0.999]),
    (None, 0.5, (), [0.5, 0.5]), (None, 0.5, ('a/',), [0.5, None]),
    (None, None, ('a|b',), [0.9, 0.999]), (None, None, ('b/gamma',),
                                           [None, 0.999])])
def test_freeze_decay_and_scopes(freeze, decay, scopes, decays):
  mode = batch_norm_mode.BatchNormMode(freeze, decay, scopes)
  with normalization.overridden(mode):
    normalization.batch_norm(tf.zeros([1, 2, 2, 1]), decay=0.9, scope='a')
    normalization.batch_norm(tf.zeros([1, 2, 2, 1]), scope='b')
  assert [layer.decay for layer in mode.layers] == decays
  updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
  assert len(updates) == 2 * (2 - decays.count(None))


def test_the_decay_reaches_the_update():
  mode = batch_norm_mode.BatchNormMode(None, 0.25, ())
  with normalization.overridden(mode):
    normalization.batch_norm(tf.fill([4, 2, 2, 1], 8.0), decay=0.9, scope='a')
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    session.run(tf.get_collection(tf.GraphKeys.UPDATE_OPS))
    mean = tf.global_variables('a/moving_mean')[0]
    np.testing.assert_allclose(session.run(mean), [6.0], rtol=1e-6)


def test_a_frozen_layer_computes_what_evaluation_computes():
  images = tf.random_uniform([4, 2, 2, 3], seed=1)
  with normalization.overridden(batch_norm_mode.BatchNormMode(True, None, ())):
    frozen = normalization.batch_norm(images, scope='a')
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    given, result = session.run([images, frozen])
  np.testing.assert_allclose(result, given / np.sqrt(1.001), rtol=1e-5)


def test_the_layers_of_clones_count_once():
  mode = batch_norm_mode.BatchNormMode(None, None, ())
  for _ in range(2):
    mode('net/a/BatchNorm', {'decay': 0.5})
    assert mode('net/b/BatchNorm', {}) == {'decay': 0.999}
  assert [layer.decay for layer in mode.layers] == [0.5, 0.999]


def test_evaluation_mode_is_left_alone():
  mode = batch_norm_mode.BatchNormMode(False, 0.5, ())
  with normalization.overridden(mode):
    normalization.batch_norm(tf.zeros([1, 2, 2, 1]), is_training=False)
  assert not mode.layers and not tf.get_collection(tf.GraphKeys.UPDATE_OPS)


def _layer(decay):
  return batch_norm_mode.Layer('layer %s' % decay, decay)


def test_describe():
  assert batch_norm_mode.describe([_layer(0.9997)], 40000) == []
  assert batch_norm_mode.describe([_layer(0.9997)], None) == []
  assert batch_norm_mode.describe([], 3) == []
  assert batch_norm_mode.describe([], 3, ['batch_norm_decay']) == [
      'Warning: --batch_norm_decay has no effect: the network has no batch '
      'normalization.']
  assert batch_norm_mode.describe([_layer(None)], 3) == [
      'Batch normalization: 1 of 1 layers frozen, which keep their '
      'statistics.']
  assert batch_norm_mode.describe([_layer(None), _layer(0.9997)], 2000) == [
      'Batch normalization: 1 of 2 layers frozen, which keep their '
      'statistics.',
      'Warning: the batch normalization statistics for evaluation have a decay '
      'of 0.9997, which needs more than 2000 steps (at least 33333). '
      'Evaluation may be much worse than training: give '
      '--batch_norm_decay=0.995 or more steps.']


@pytest.mark.parametrize('decay, steps, expected', [
    (0.9997, None, 0.9997), (0.9997, 33334, 0.9997), (0.9997, 60, 1 - 1 / 6),
    (0.997, 3334, 0.997), (0.997, 3000, 1 - 1 / 300), (0.9997, 20, 0.5),
    (0.9, 101, 0.9), (0.9, 50, 0.8), (0.0, 3, 0.0), (1.0, 10 ** 12, 1.0),
    (0.3, 5, 0.3), (0.9997, 1, 0.5)])
def test_the_decay_of_a_run(decay, steps, expected):
  assert batch_norm_mode.decay_of_run(decay, steps) == pytest.approx(expected)


def test_a_given_decay_stays():
  mode = batch_norm_mode.BatchNormMode(None, 0.9997, (), num_steps=60)
  assert mode('a', {'decay': 0.9}) == {'decay': 0.9997}
  mode = batch_norm_mode.BatchNormMode(None, None, (), num_steps=60)
  assert mode('a', {'decay': 0.9}) == {'decay': pytest.approx(1 - 1 / 6)}


@pytest.mark.parametrize('arguments, value', [
    ([], None), (['--freeze_batch_norm'], True),
    (['--nofreeze_batch_norm'], False), (['--freeze_batch_norm=false'], False)])
def test_the_flag_has_three_states(arguments, value):
  config, _ = flags.parse(['--dataset_dir=x'] + arguments, options.Train)
  assert config.model.freeze_batch_norm is value
  assert '  --[no]freeze_batch_norm\n' in flags.help_text(
      'train.py', options.Train, '')


_STATISTICS = frozenset(['a/moving_mean', 'a/moving_variance'])


@pytest.mark.parametrize('freeze, loaded, expected', [
    (None, None, [(None, False), (None, False), (0.999, False)]),
    (None, _STATISTICS, [(None, False), (0.999, True), (0.999, False)]),
    (None, frozenset(['a/beta']), [(0.999, True), (0.999, True),
                                   (0.999, False)]),
    (True, _STATISTICS, [(None, False), (None, True), (None, True)]),
    (False, frozenset(['a/beta']), [(0.999, False)] * 3)])
def test_statistics_that_were_never_loaded_are_not_frozen(
    freeze, loaded, expected):
  mode = batch_norm_mode.BatchNormMode(
      freeze, None, ('head',), loaded and loaded.__contains__)
  for name in ('a', 'b', 'head'):
    is_frozen = mode(name, {}) == {'is_training': False}
    assert is_frozen == (mode.layers[-1].decay is None)
  assert [layer[1:3] for layer in mode.layers] == expected


@pytest.mark.parametrize('decay, end', [
    (None, 'They are frozen with mean 0 and variance 1: leave out '
           '--freeze_batch_norm.'),
    (0.5, 'They are not frozen and compute them from the batches.')])
def test_lacking_statistics_are_described(decay, end):
  layers = [batch_norm_mode.Layer('net/a', decay, True), _layer(0.5)]
  assert batch_norm_mode.describe(layers, None)[-1] == (
      'Warning: the checkpoint lacks the batch normalization statistics '
      '(moving_mean, moving_variance) of 1 of 2 layers, such as net/a. ' + end)
