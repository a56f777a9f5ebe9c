"""Each optimizer against its formula in NumPy, over three steps."""
import dataclasses
import inspect

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from image_classifier import options
from image_classifier.train import optimizers
from slim_common import flags as program_flags

_RATE = 0.1
_GRADIENTS = np.array([[0.5, -2.0], [1.5, 1.0], [-1.0, 0.25]])


def _sgd(weights, gradients, flags):
  del flags
  for gradient in gradients:
    weights = weights - _RATE * gradient
  return weights


def _momentum(weights, gradients, flags):
  velocity = 0
  for gradient in gradients:
    velocity = flags.momentum * velocity + gradient
    weights = weights - _RATE * velocity
  return weights


def _adagrad(weights, gradients, flags):
  total = flags.adagrad_initial_accumulator_value
  for gradient in gradients:
    total = total + gradient ** 2
    weights = weights - _RATE * gradient / np.sqrt(total)
  return weights


def _adadelta(weights, gradients, flags, epsilon=1e-8):
  squares = steps = 0
  for gradient in gradients:
    squares = flags.adadelta_rho * squares + (
        1 - flags.adadelta_rho) * gradient ** 2
    step = np.sqrt(steps + epsilon) / np.sqrt(squares + epsilon) * gradient
    steps = flags.adadelta_rho * steps + (1 - flags.adadelta_rho) * step ** 2
    weights = weights - _RATE * step
  return weights


def _adam(weights, gradients, flags, epsilon=1e-8):
  first = second = 0
  for t, gradient in enumerate(gradients, 1):
    first = flags.adam_beta1 * first + (1 - flags.adam_beta1) * gradient
    second = flags.adam_beta2 * second + (1 - flags.adam_beta2) * gradient ** 2
    rate = _RATE * np.sqrt(1 - flags.adam_beta2 ** t) / (
        1 - flags.adam_beta1 ** t)
    weights = weights - rate * first / (np.sqrt(second) + epsilon)
  return weights


def _rmsprop(weights, gradients, flags, epsilon=1.0):
  # TensorFlow's mean of squares starts at 1.
  squares, velocity = 1.0, 0
  for gradient in gradients:
    squares = flags.rmsprop_decay * squares + (
        1 - flags.rmsprop_decay) * gradient ** 2
    velocity = flags.rmsprop_momentum * velocity + (
        _RATE * gradient / np.sqrt(squares + epsilon))
    weights = weights - velocity
  return weights


def _ftrl(weights, gradients, flags):
  total, linear = flags.ftrl_initial_accumulator_value, 0
  power = -flags.ftrl_learning_rate_power
  for gradient in gradients:
    new_total = total + gradient ** 2
    linear = linear + gradient - (
        new_total ** power - total ** power) / _RATE * weights
    total = new_total
    shrunk = np.sign(linear) * flags.ftrl_l1 - linear
    weights = np.where(
        np.abs(linear) > flags.ftrl_l1,
        shrunk / (total ** power / _RATE + 2 * flags.ftrl_l2), 0)
  return weights


_FORMULAS = {'sgd': _sgd, 'momentum': _momentum, 'adagrad': _adagrad,
             'adadelta': _adadelta, 'adam': _adam, 'rmsprop': _rmsprop,
             'ftrl': _ftrl}
_SLOTS = {'sgd': [], 'momentum': ['Momentum'], 'adagrad': ['Adagrad'],
          'adadelta': ['Adadelta', 'Adadelta_1'], 'adam': ['Adam', 'Adam_1'],
          'rmsprop': ['RMSProp', 'RMSProp_1'], 'ftrl': ['Ftrl', 'Ftrl_1']}


def _train(flags):
  weights = tf.get_variable('w', initializer=np.float32([1.0, -1.0]))
  gradient = tf.placeholder(tf.float32, [2])
  optimizer = optimizers.build(flags, tf.constant(_RATE))
  step = optimizer.apply_gradients([(gradient, weights)])
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for value in _GRADIENTS:
      session.run(step, {gradient: value})
    return session.run(weights)


@pytest.mark.parametrize('name', sorted(_FORMULAS))
def test_three_steps(name):
  flags = options.Optimizer(optimizer=name, ftrl_l1=0.1, ftrl_l2=0.2)
  expected = _FORMULAS[name](np.array([1.0, -1.0]), _GRADIENTS, flags)
  np.testing.assert_allclose(_train(flags), expected, rtol=2e-4)


@pytest.mark.parametrize('name', sorted(_SLOTS))
def test_names_of_the_slots(name):
  _train(options.Optimizer(optimizer=name))
  names = {variable.op.name for variable in tf.global_variables()}
  assert {'w/' + slot for slot in _SLOTS[name]} == {
      each for each in names if each.startswith('w/')}


# All unlike their defaults.
_SETTINGS = {
    'sgd': {}, 'momentum': dict(momentum=0.6),
    'adagrad': dict(adagrad_initial_accumulator_value=0.7),
    'adadelta': dict(adadelta_rho=0.6), 'rmsprop': dict(
        rmsprop_decay=0.6, rmsprop_momentum=0.3),
    'adam': dict(adam_beta1=0.5, adam_beta2=0.7),
    'ftrl': dict(ftrl_learning_rate_power=-0.7, ftrl_l1=0.3, ftrl_l2=0.4,
                 ftrl_initial_accumulator_value=0.6)}


@pytest.mark.parametrize('name', sorted(_SETTINGS))
def test_settings_reach_the_optimizer(name):
  formula = _FORMULAS[name]
  settings, given = dict(_SETTINGS[name]), {}
  if 'epsilon' in inspect.signature(formula).parameters:
    settings['opt_epsilon'] = given['epsilon'] = 0.5
  flags = options.Optimizer(name, **settings)
  start = np.array([1.0, -1.0])
  expected = formula(start, _GRADIENTS, flags, **given)
  np.testing.assert_allclose(_train(flags), expected, rtol=2e-4)
  for setting in settings:
    usual = dataclasses.replace(flags, **{
        setting: getattr(options.Optimizer(), setting)})
    if setting == 'opt_epsilon':
      other = formula(start, _GRADIENTS, flags)
    else:
      other = formula(start, _GRADIENTS, usual, **given)
    assert np.abs(other - expected).max() > 1e-3, setting


@pytest.mark.parametrize('flag, message', [
    (flag, '--%s must be %s' % (flag, rule)) for flag, rule in [
        ('momentum=-3.0', 'at least 0'), ('momentum=1.0', 'less than 1'),
        ('adadelta_rho=1.0', 'less than 1'),
        ('adam_beta1=1.0', 'less than 1'), ('adam_beta2=-0.1', 'at least 0'),
        ('rmsprop_decay=1.5', 'less than 1'),
        ('rmsprop_momentum=1.0', 'less than 1'),
        ('opt_epsilon=0.0', 'more than 0'),
        ('adagrad_initial_accumulator_value=0.0', 'more than 0'),
        ('ftrl_learning_rate_power=0.5', 'at most 0'),
        ('ftrl_initial_accumulator_value=-1.0', 'at least 0'),
        ('ftrl_l1=-1.0', 'at least 0'), ('ftrl_l2=-1.0', 'at least 0'),
        ('clip_gradient_norm=-1.0', 'at least 0')]])
def test_values_that_are_refused(flag, message):
  with pytest.raises(program_flags.UsageError) as error:
    program_flags.parse(['--dataset_dir=x', '--' + flag], options.Train)
  assert message in str(error.value)


def test_adam_learns_with_its_default_epsilon():
  moved = []
  for epsilon in (None, 1.0):
    with tf.Graph().as_default():
      weights = _train(options.Optimizer('adam', opt_epsilon=epsilon))
    moved.append(np.abs(weights - [1.0, -1.0]).sum())
  assert moved[0] > 2 * moved[1]


@pytest.mark.parametrize('max_norm, scale', [(0, 1), (2.5, 0.5), (10, 1)])
def test_clip(max_norm, scale):
  first, second = tf.zeros([2]), tf.zeros([1])
  clipped = optimizers.clip(
      [(tf.constant([3.0, 0.0]), first), (tf.constant([4.0]), second)],
      max_norm)
  assert [variable for _, variable in clipped] == [first, second]
  with tf.Session() as session:
    gradients = session.run([gradient for gradient, _ in clipped])
  np.testing.assert_allclose(gradients[0], [3 * scale, 0], rtol=1e-6)
  np.testing.assert_allclose(gradients[1], [4 * scale], rtol=1e-6)


def test_a_scaled_loss_gives_the_same_step():
  results = []
  for scaled in (False, True):
    with tf.Graph().as_default():
      weights = tf.get_variable('w', initializer=np.float32([1.0, -1.0]))
      optimizer = optimizers.build(options.Optimizer('momentum'), _RATE)
      if scaled:
        optimizer = optimizers.scale_loss(optimizer)
      step = tf.train.get_or_create_global_step()
      train = optimizer.minimize(tf.reduce_sum(weights ** 2), step)
      with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for _ in range(3):
          session.run(train)
        results.append(session.run([weights, step]))
  np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-6)
  assert results[0][1] == results[1][1] == 3


def test_a_step_whose_gradient_overflows_counts_and_changes_nothing():
  weights = tf.get_variable('w', initializer=np.float32([1.0]))
  factor = tf.placeholder(tf.float32, [])
  optimizer = optimizers.scale_loss(
      optimizers.build(options.Optimizer('sgd'), _RATE))
  step = tf.train.get_or_create_global_step()
  train = optimizer.minimize(tf.reduce_sum(weights * factor), step)
  scale = [v for v in tf.global_variables() if 'loss_scale' in v.op.name][0]
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    before = session.run(scale)
    session.run(train, {factor: np.inf})
    assert session.run([weights, step, scale]) == [[1.0], 1, before / 2]
    session.run(train, {factor: 1.0})
    np.testing.assert_allclose(session.run(weights), [0.9])
