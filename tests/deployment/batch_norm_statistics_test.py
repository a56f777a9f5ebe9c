"""Batch normalization of several clones, against one with the joined batch."""
import re

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from deployment import batch_norm_statistics
from deployment import model_deploy
from image_classifier import options
from nets import nets_factory
from nets import normalization
from nets.nasnet import nasnet

# The parts of two clones, and the moving mean and variance that follow from
# 0 and 1 with a decay of 0.9.
_PARTS = np.array([[1, 2, 3, 6], [10, 20, 30, 60]], np.float32)
_MOVED = [
    ('first_clone', 0.3, 0.9 + 0.1 * 14 / 3),
    ('all_clones', 3.27, 0.9 * (0.9 + 0.1 * 14 / 3) + 0.1 * 1400 / 3),
    ('synchronized', 0.1 * _PARTS.mean(), 0.9 + 0.1 * _PARTS.var(ddof=1))]


def _two_clones(mode, layer=normalization.batch_norm, **arguments):
  """Normalizes _PARTS by two clones; returns their outputs."""
  parts = iter(_PARTS.reshape([2, 4, 1, 1, 1]))
  config = model_deploy.DeploymentConfig(num_clones=2, clone_on_cpu=True)
  with batch_norm_statistics.of_clones(mode, 2):
    clones = model_deploy.create_clones(config, lambda: layer(
        tf.constant(next(parts)), decay=0.9, scope='norm', **arguments))
  return [clone.outputs for clone in clones]


@pytest.mark.parametrize('mode, mean, variance', _MOVED)
def test_moving_averages_of_each_mode(mode, mean, variance):
  _two_clones(mode, scale=True)
  names = ['norm/beta', 'norm/gamma', 'norm/moving_mean',
           'norm/moving_variance']
  assert sorted(v.op.name for v in tf.global_variables()) == names
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    session.run(tf.get_collection(tf.GraphKeys.UPDATE_OPS, 'clone_0/'))
    moved = [session.run(v)[0] for v in slim.get_variables_by_name(
        'moving_mean') + slim.get_variables_by_name('moving_variance')]
    assert len(session.run(tf.report_uninitialized_variables())) == 0
  np.testing.assert_allclose(moved, [mean, variance], rtol=1e-6)


@pytest.mark.parametrize('offset', [0.0, 1000.0])
def test_exchange_with_workers_keeps_small_variances(offset):
  """Each worker sees the other's statistics in place of an exchange."""
  values = offset + np.random.RandomState(0).uniform(
      -1, 1, [2, 8, 3]).astype(np.float32)

  def exchange(both):
    mean = values[1].mean(0, keepdims=True) - origin
    variance = values[1].var(0, keepdims=True)
    return (both + np.stack([mean, variance + mean ** 2])) / 2

  exchange.size = 2
  origin = np.float32(offset)
  with batch_norm_statistics.of_clones('synchronized', 1, exchange):
    outputs = normalization.batch_norm(
        tf.constant(values[0]), epsilon=0.0, param_initializers={
            'moving_mean': tf.constant_initializer(offset)})
  joined = values.reshape([-1, 3]).astype(np.float64)
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    np.testing.assert_allclose(
        session.run(outputs), (values[0] - joined.mean(0)) / joined.std(0),
        atol=1e-3 if offset else 1e-6)


def test_layers_in_inference_mode_are_those_of_slim():
  outputs = _two_clones('synchronized', is_training=False)
  assert 'FusedBatchNorm' in outputs[0].op.type
  assert not batch_norm_statistics.are_synchronized()
  assert not tf.get_collection(tf.GraphKeys.UPDATE_OPS)


@pytest.mark.parametrize('arguments, fault', [
    (dict(renorm=True), 'renorm=True'),
    (dict(zero_debias_moving_mean=True), 'zero_debias_moving_mean=True'),
    (dict(updates_collections=None), 'updates_collections=None'),
    (dict(batch_weights=[1.0, 2.0]), 'batch_weights=[1.0, 2.0]'),
    (dict(adjustment=abs), 'adjustment=%s' % abs),
    (dict(is_training=1), 'is_training=1')])
def test_arguments_without_meaning_for_several_clones(arguments, fault):
  with pytest.raises(ValueError, match=re.escape(
      'The batch normalization norm has %s, with which the statistics of '
      "several clones are not defined: use batch_norm_statistics='first_clone'."
      % fault)):
    _two_clones('synchronized', **arguments)


def test_a_mode_that_is_a_tensor():
  with pytest.raises(ValueError, match=re.escape(
      'The batch normalization norm has is_training=Tensor("mode:0", ')):
    _two_clones('synchronized', is_training=tf.placeholder(
        tf.bool, [], 'mode'))


def test_clones_have_the_same_layers():
  def only_once(*args, **kwargs):
    return args[0] if tf.get_variable_scope().reuse else (
        normalization.batch_norm(*args, **kwargs))

  with pytest.raises(ValueError, match=re.escape(
      'The batch normalization norm was built 1 times by 2 clones. All clones '
      'must have the same layers.')):
    _two_clones('all_clones', only_once)


def test_unknown_mode():
  with pytest.raises(ValueError, match=re.escape(
      "batch_norm_statistics is 'mean'; it must be first_clone, all_clones or "
      'synchronized.')):
    _two_clones('mean')


@pytest.mark.parametrize('changes, chosen', [
    ({}, 'first_clone'), ({'sync_batch_norm': True}, 'synchronized'),
    ({'sync_batch_norm': True, 'batch_norm_statistics': 'synchronized'},
     'synchronized'),
    ({'batch_norm_statistics': 'all_clones'}, 'all_clones')])
def test_flags(changes, chosen):
  assert batch_norm_statistics.choose(
      options.train.Model(**changes)) == chosen


@pytest.mark.parametrize('mode, num_clones, num_workers, lines', [
    ('first_clone', 2, 2, []), ('synchronized', 1, 1, []),
    ('all_clones', 2, 1, ['Batch normalization: the statistics of 2 clones are '
                          'averaged in turn.']),
    ('synchronized', 2, 3, ['Batch normalization: the statistics are those of '
                            '6 clones joined.'])])
def test_lines_about_a_run(mode, num_clones, num_workers, lines):
  assert batch_norm_statistics.describe(
      mode, num_clones, num_workers) == lines


def test_one_clone_keeps_the_layer_of_slim():
  with batch_norm_statistics.of_clones('synchronized', 1):
    assert 'FusedBatchNorm' in normalization.batch_norm(
        tf.zeros([2, 3, 3, 1])).op.type


@pytest.mark.parametrize('changes, message', [
    *[({'sync_batch_norm': True, 'batch_norm_statistics': mode},
       '--sync_batch_norm is --batch_norm_statistics=synchronized, but '
       '--batch_norm_statistics=%s is given: leave one out.' % mode)
      for mode in ('first_clone', 'all_clones')],
    ({'sync_batch_norm': True, 'quantize_delay': 5},
     '--quantize_delay=5 looks for the layers of slim: leave it out, or use '
     '--batch_norm_statistics=first_clone.')])
def test_messages_of_flags(changes, message):
  with pytest.raises(ValueError, match=re.escape(message)):
    batch_norm_statistics.choose(options.train.Model(**changes))


def _small_nasnet():
  config = nasnet.cifar_config()
  config.num_cells, config.num_conv_filters = 3, 4
  config.drop_path_keep_prob = 1.0
  return config


_ARGUMENTS = {'nasnet_cifar': dict(config=_small_nasnet())}


def _train_once(network, mode, num_clones, size=32, with_gradients=True,
                dtype=np.float32):
  """Returns the values after one step: features, gradients, variables.

  Features, as what follows them has dropout.
  """
  images = np.random.RandomState(0).uniform(
      -1, 1, [8, size, size, 3]).astype(dtype)
  parts = iter(np.split(images, num_clones))

  def clone():
    features = network(tf.constant(next(parts)))
    # Not those of tf.losses, which are float32.
    tf.losses.add_loss(tf.reduce_mean(tf.squared_difference(features, 1)))
    return features

  with tf.Graph().as_default(), tf.Session() as session:
    config = model_deploy.DeploymentConfig(
        num_clones=num_clones, clone_on_cpu=True)
    # There is no fused kernel for float64.
    with batch_norm_statistics.of_clones(mode, num_clones), (
        normalization.overridden(lambda name, arguments: (
            {} if dtype == np.float32 else {'fused': False}))):
      clones = model_deploy.create_clones(config, clone)
    gradients = []
    if with_gradients:
      _, gradients = model_deploy.optimize_clones(
          clones, tf.train.GradientDescentOptimizer(0.1))
    updates = tf.get_collection(
        tf.GraphKeys.UPDATE_OPS, config.clone_scope(0))
    variables = tf.global_variables()
    session.run([variable.initializer for variable in variables],
                _initial_values(variables))
    with tf.control_dependencies(updates):
      step = tf.no_op()
    features, found, _ = session.run(
        [tf.concat([one.outputs for one in clones], 0),
         {variable.op.name: gradient for gradient, variable in gradients},
         step])
    return features, found, session.run(
        {variable.op.name: variable for variable in variables})


def _initial_values(variables):
  """Returns {what an initializer assigns: value}."""
  random, values = np.random.RandomState(1), {}
  for variable in sorted(variables, key=lambda one: one.op.name):
    value = random.uniform(0.5, 1.0, variable.shape)
    if 'weights' in variable.op.name:
      value = (value - 0.75) * np.sqrt(48 / np.prod(value.shape[:-1]))
    values[variable.initializer.inputs[1]] = value
  return values


def _check_equal(expected, found, atol, least=1.0):
  """Compares results of _train_once, relative to the size of each array.

  `least` is what counts as the size of an array of small numbers.
  """
  assert len(expected[1]) == len(found[1])
  features, gradients, variables = expected
  for one, other in (({'features': features}, {'features': found[0]}),
                     (gradients, found[1]), (variables, found[2])):
    assert set(one) == set(other)
    for key in one:
      scale = max(least, np.abs(one[key]).max())
      np.testing.assert_allclose(
          other[key] / scale, one[key] / scale, atol=atol, err_msg=key)


@pytest.mark.parametrize('num_clones', [2, 4])
@pytest.mark.parametrize('use_batch_norm', [True, False])
def test_gradients_equal_those_of_the_joined_batch(num_clones, use_batch_norm):
  def network(images):
    # Smooth, as a number next to the corner of a ReLU may fall on either side.
    normalize = normalization.batch_norm if use_batch_norm else None
    with slim.arg_scope([slim.conv2d, slim.fully_connected],
                        activation_fn=tf.tanh, normalizer_fn=normalize):
      net = slim.conv2d(images, 6, [3, 3], 2)
      net = slim.conv2d(net, 8, [3, 3], 2)
      return slim.fully_connected(tf.reduce_mean(net, [1, 2]), 4)

  expected = _train_once(network, 'first_clone', 1)
  _check_equal(expected, _train_once(network, 'synchronized', num_clones),
               1e-5 if use_batch_norm else 1e-6)


def _network(name):
  network = nets_factory.get_network_fn(name, 0, is_training=True)
  return lambda images: network(images, **_ARGUMENTS.get(name, {}))[0]


@pytest.mark.parametrize('name', ['mobilenet_v2_035'] + [
    pytest.param(name, marks=pytest.mark.slow)
    for name in ('inception_v1', 'mobilenet_v3_small', 'resnet_v2_50')])
def test_families_equal_the_joined_batch(name):
  # With fewer values than these a channel, rounding counts more.
  size = 224 if name.startswith('inception') else 64
  one, two = [
      _train_once(_network(name), mode, num_clones, size, with_gradients=False)
      for mode, num_clones in (('first_clone', 1), ('synchronized', 2))]
  # Over its many layers of few values, float32 loses another digit.
  _check_equal(one, two, 1e-4 if name == 'inception_v1' else 1e-5)


@pytest.mark.slow
@pytest.mark.parametrize('name', [
    'mobilenet_v2', 'nasnet_cifar', 'resnet_v1_50'])
def test_gradients_of_families_equal_those_of_the_joined_batch(name):
  # In float32 numbers fall on either side of the corner of a ReLU: one device
  # differs as much from itself, 10 % and more of a gradient, if the images of
  # its batch change places.
  one, two = [
      _train_once(_network(name), mode, num_clones, dtype=np.float64)
      for mode, num_clones in (('first_clone', 1), ('synchronized', 2))]
  # Slim rounds the decay of the averages to float32.
  _check_equal(one, two, 1e-7, least=1e-3)
