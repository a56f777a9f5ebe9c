"""Learning-rate schedules against values computed by hand, and NumPy."""
import dataclasses

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from image_classifier import options
from image_classifier.train import learning_rate

# Lenet on MNIST's 60,000 digits in batches of 8, the default of two epochs a
# decay: 15,000 steps. Values of slim's own runs.
_STEPS_PER_EPOCH = 60000 / 8
_GOLDEN = {
    'fixed': {0: 0.01, 1000: 0.01, 15000: 0.01, 100000: 0.01},
    'exponential': {0: 0.01, 14999: 0.01, 15000: 0.0094, 30000: 0.008836,
                    100000: 0.006898697},
    'polynomial': {0: 0.01, 1: 0.00999934, 1000: 0.00934, 7500: 0.00505,
                   14999: 0.0001006597, 15000: 0.0001, 100000: 0.0001},
}

# Values of TensorFlow 1.15.5 at these steps, with a first rate of 0.1 and an
# epoch of one step. Columns: type, epochs a decay, further options, values.
_TABLE_STEPS = (0, 1, 5, 9, 10, 11, 15, 20, 25, 30, 70)
_STAIRS = {'learning_rate_staircase': True}
_SMOOTH = {'learning_rate_staircase': False}
_NINE_TENTHS = {'learning_rate_decay_factor': 0.9}
_HALF_POWER = {'polynomial_power': 0.5, 'end_learning_rate': 0.01}
_LINE = {'end_learning_rate': 0.01}
_CYCLE = {'polynomial_cycle': True}
_TABLE = [
    ('exponential', 10, dict(_SMOOTH, **_NINE_TENTHS),
     (.1, .098952, .094868, .090953, .09, .089057, .085382, .081, .076843, .0729, .047830)),
    ('exponential', 10, dict(_STAIRS, **_NINE_TENTHS),
     (.1, .1, .1, .1, .09, .09, .09, .081, .081, .0729, .047830)),
    ('natural_exp', 10, dict(_SMOOTH, **_NINE_TENTHS),
     (.1, .091393, .063763, .044486, .040657, .037158, .025924, .016530, .010540, .006721,
      .000184)),
    ('natural_exp', 10, dict(_STAIRS, **_NINE_TENTHS),
     (.1, .1, .1, .1, .040657, .040657, .040657, .016530, .016530, .006721, .000184)),
    ('inverse_time', 10, dict(_SMOOTH, **_NINE_TENTHS),
     (.1, .091743, .068966, .055249, .052632, .050251, .042553, .035714, .030769, .027027,
      .013699)),
    ('inverse_time', 10, dict(_STAIRS, **_NINE_TENTHS),
     (.1, .1, .1, .1, .052632, .052632, .052632, .035714, .035714, .027027, .013699)),
    ('polynomial', 10, _HALF_POWER,
     (.1, .095381, .073640, .038460, .01, .01, .01, .01, .01, .01, .01)),
    ('polynomial', 10, _LINE,
     (.1, .091, .055, .019, .01, .01, .01, .01, .01, .01, .01)),
    ('polynomial', 10, dict(_CYCLE, **_HALF_POWER),
     (.1, .095381, .073640, .038461, .01, .070374, .055, .01, .046742, .01, .01)),
    ('polynomial', 10, dict(_CYCLE, **_LINE),
     (.1, .091, .055, .019, .01, .0505, .0325, .01, .025, .01, .01)),
    ('piecewise', None, {
        'learning_rate': 1.0, 'learning_rate_boundaries': ('10', '20'),
        'learning_rate_values': ('0.5', '0.1')},
     (1, 1, 1, 1, 1, .5, .5, .5, .1, .1, .1)),
    ('cosine', 20, {},
     (.1, .099384, .085355, .057822, .05, .042178, .014645, 0, 0, 0, 0)),
    ('cosine', 20, {'cosine_alpha': .1},
     (.1, .099446, .086820, .062040, .055, .047960, .023180, .01, .01, .01, .01)),
    ('cosine_restarts', 10, {},
     (.1, .097553, .05, .002447, .1, .099384, .085355, .05, .014645, .1, .1)),
    ('cosine_restarts', 10, {'cosine_m_mul': .5, 'cosine_alpha': .1},
     (.1, .097798, .055, .012202, .055, .054723, .048410, .0325, .016590, .0325, .021250)),
    ('cosine_restarts', 10, {'cosine_t_mul': 1.0, 'cosine_m_mul': .9},
     (.1, .097553, .05, .002447, .09, .087798, .045, .081, .0405, .0729, .047830)),
    ('linear_cosine', 20, {},
     (.1001, .094515, .064117, .031902, .0251, .019080, .003761, .0001, .0001, .0001, .0001)),
    ('linear_cosine', 20, {
        'cosine_num_periods': 1.0, 'cosine_alpha': .1, 'cosine_beta': .01},
     (.111, .103430, .0435, .002591, .001, .002346, .0185, .011, .011, .011, .011)),
    ('noisy_linear_cosine', 20, {'cosine_initial_variance': 0.0},
     (.1001, .094515, .064117, .031902, .0251, .019080, .003761, .0001, .0001, .0001, .0001)),
]


def _rates(schedule, steps, steps_per_epoch=_STEPS_PER_EPOCH, last_step=None):
  step = tf.placeholder(tf.int64, [])
  rate = learning_rate.build(schedule, step, steps_per_epoch, last_step)
  with tf.Session() as session:
    return [session.run(rate, {step: value}) for value in steps]


def _parts(schedule, step):
  """Returns step / decay, as the staircase has it, and what is left of 1."""
  decay = schedule.num_epochs_per_decay
  fraction = step / decay
  if schedule.learning_rate_staircase:
    fraction = np.floor(fraction)
  return fraction, 1 - min(step, decay) / decay


def _numpy_polynomial(schedule, step):
  decay, first = schedule.num_epochs_per_decay, schedule.learning_rate
  if schedule.polynomial_cycle:
    decay *= max(1, np.ceil(step / decay))
  left = 1 - min(step, decay) / decay
  last = schedule.end_learning_rate
  return (first - last) * left ** schedule.polynomial_power + last


def _numpy_restarts(schedule, step):
  length, height = schedule.num_epochs_per_decay, 1.0
  while step >= length:
    step -= length
    length *= schedule.cosine_t_mul
    height *= schedule.cosine_m_mul
  cosine = height * (1 + np.cos(np.pi * step / length)) / 2
  alpha = schedule.cosine_alpha
  return schedule.learning_rate * ((1 - alpha) * cosine + alpha)


def _numpy_cosine(schedule, step):
  left = _parts(schedule, step)[1]
  cosine = (1 + np.cos(np.pi * (1 - left))) / 2
  alpha = schedule.cosine_alpha
  return schedule.learning_rate * ((1 - alpha) * cosine + alpha)


def _numpy_linear_cosine(schedule, step):
  left = _parts(schedule, step)[1]
  periods = 2 * schedule.cosine_num_periods
  cosine = (1 + np.cos(np.pi * periods * (1 - left))) / 2
  return schedule.learning_rate * (
      (schedule.cosine_alpha + left) * cosine + schedule.cosine_beta)


def _numpy_piecewise(schedule, step):
  rate = schedule.learning_rate
  for boundary, value in zip(schedule.learning_rate_boundaries,
                             schedule.learning_rate_values):
    rate = float(value) if step > int(boundary) else rate
  return rate


_NUMPY = {
    'exponential': lambda schedule, step: (
        schedule.learning_rate * schedule.learning_rate_decay_factor **
        _parts(schedule, step)[0]),
    'natural_exp': lambda schedule, step: (
        schedule.learning_rate * np.exp(
            -schedule.learning_rate_decay_factor * _parts(schedule, step)[0])),
    'inverse_time': lambda schedule, step: schedule.learning_rate / (
        1 + schedule.learning_rate_decay_factor * _parts(schedule, step)[0]),
    'polynomial': _numpy_polynomial, 'piecewise': _numpy_piecewise,
    'cosine': _numpy_cosine, 'cosine_restarts': _numpy_restarts,
    'linear_cosine': _numpy_linear_cosine,
    'noisy_linear_cosine': _numpy_linear_cosine}


@pytest.mark.parametrize('row', range(len(_TABLE)))
def test_table_and_numpy(row):
  kind, epochs, changes, values = _TABLE[row]
  schedule = options.Schedule(**dict(
      dict(learning_rate_decay_type=kind, learning_rate=0.1,
           num_epochs_per_decay=epochs), **changes))
  ours = _rates(schedule, _TABLE_STEPS, steps_per_epoch=1)
  # To their digits: half a unit of the sixth, and the rounding of float32.
  np.testing.assert_allclose(ours, values, rtol=0, atol=5.5e-7)
  # At the start of a period the two may round to its two sides.
  np.testing.assert_allclose(
      ours, [_NUMPY[kind](schedule, step) for step in _TABLE_STEPS],
      rtol=2e-5, atol=2e-7)


@pytest.mark.parametrize('kind', sorted(_NUMPY))
def test_other_numbers_against_numpy(kind):
  random = np.random.RandomState(0)
  schedule = options.Schedule(
      learning_rate_decay_type=kind, learning_rate=random.uniform(.1, 1),
      learning_rate_decay_factor=random.uniform(.1, 1),
      num_epochs_per_decay=37, polynomial_power=random.uniform(.5, 2),
      learning_rate_boundaries=('3', '40', '41'),
      learning_rate_values=('.3', '.2', '.01'), cosine_alpha=random.uniform(),
      cosine_t_mul=random.uniform(1, 3), cosine_m_mul=random.uniform(.1, 1),
      cosine_num_periods=random.uniform(.5, 3), cosine_beta=random.uniform(),
      cosine_initial_variance=0.0)
  steps = [0, 3, 4, 36, 37, 38, 41, 42, 75, 100, 1000]
  np.testing.assert_allclose(
      _rates(schedule, steps, steps_per_epoch=1),
      [_NUMPY[kind](schedule, step) for step in steps], rtol=1e-4, atol=1e-6)


def test_noise_has_the_variance_asked_for():
  schedule = options.Schedule(
      'noisy_linear_cosine', 0.1, num_epochs_per_decay=20.0,
      cosine_initial_variance=0.01, cosine_variance_decay=0.1)
  rates = _rates(schedule, [10] * 2000, steps_per_epoch=1)
  np.testing.assert_allclose(np.mean(rates), 0.0251, atol=5e-4)
  np.testing.assert_allclose(
      np.std(rates), 0.1 * 0.5 * 0.1 * 11 ** -0.05, rtol=0.1)


def test_noise_ends_with_the_cosine():
  schedule = options.Schedule(
      'noisy_linear_cosine', 0.1, num_epochs_per_decay=20.0)
  np.testing.assert_allclose(
      _rates(schedule, [20, 21, 70], steps_per_epoch=1), 1e-4, rtol=1e-5)


@pytest.mark.parametrize('kind', [
    'exponential', 'natural_exp', 'inverse_time', 'polynomial', 'cosine',
    'linear_cosine'])
@pytest.mark.parametrize('stairs', [True, False])
def test_rates_never_rise(kind, stairs):
  rates = _rates(options.Schedule(
      kind, 0.1, num_epochs_per_decay=10.0, learning_rate_staircase=stairs),
                 range(31), steps_per_epoch=1)
  assert rates[0] > rates[30] >= 0 and (np.diff(rates) <= 0).all()


def test_the_rate_of_flowers_falls_at_step_207():
  np.testing.assert_allclose(
      _rates(options.Schedule(), [206, 207], steps_per_epoch=3320 / 32),
      [.01, .0094], rtol=1e-6)


@pytest.mark.parametrize('kind, reaches_its_end', [
    ('polynomial', True), ('cosine', True), ('linear_cosine', True),
    ('noisy_linear_cosine', True), ('exponential', False),
    ('cosine_restarts', False), ('inverse_time', False)])
def test_polynomial_and_cosine_last_until_the_end_of_the_training(
    kind, reaches_its_end):
  schedule = options.Schedule(kind)
  assert learning_rate.decay_steps(schedule, 10, last_step=500) == (
      500 if reaches_its_end else 20)
  assert learning_rate.decay_steps(schedule, 10) == 20
  schedule = dataclasses.replace(schedule, num_epochs_per_decay=3.0)
  assert learning_rate.decay_steps(schedule, 10, last_step=500) == 30


@pytest.mark.parametrize('boundaries, values, message', [
    ((), (), 'needs as many values as boundaries, at least one'),
    (('1', '2'), ('.1',), 'needs as many values as boundaries'),
    (('1.5',), ('.1',), 'boundaries are whole numbers of steps'),
    (('1',), ('a',), '--learning_rate_boundaries=1 --learning_rate_values=a: '),
    (('2', '1'), ('.1', '.1'), 'the boundaries must increase'),
    (('-1',), ('.1',), 'the boundaries must increase'),
    (('1',), ('-.1',), 'a learning rate must be at least 0')])
def test_pieces_that_do_not_fit(boundaries, values, message):
  schedule = options.Schedule(
      'piecewise', learning_rate_boundaries=boundaries,
      learning_rate_values=values)
  for function in (
      lambda: learning_rate.describe(schedule, 10),
      lambda: _rates(schedule, [0])):
    with pytest.raises(ValueError) as error:
      function()
    assert message in str(error.value)


@pytest.mark.parametrize('kind', sorted(_GOLDEN))
def test_values(kind):
  steps, expected = zip(*_GOLDEN[kind].items())
  schedule = options.Schedule(learning_rate_decay_type=kind)
  np.testing.assert_allclose(_rates(schedule, steps), expected, rtol=1e-5)


@pytest.mark.parametrize('kind, name', [
    ('fixed', 'fixed_learning_rate'),
    ('exponential', 'exponential_decay_learning_rate'),
    ('polynomial', 'polynomial_decay_learning_rate')])
def test_op_names(kind, name):
  schedule = options.Schedule(learning_rate_decay_type=kind)
  step = tf.placeholder(tf.int64, [])
  assert learning_rate.build(schedule, step, 10).op.name == name


def test_warm_up_rises_to_the_schedule():
  schedule = options.Schedule(warmup_epochs=1.0)
  np.testing.assert_allclose(
      _rates(schedule, [0, 1, 1000, 7500, 15000]),
      [0, 0.01 / 7500, 10 / 7500, 0.01, 0.0094], rtol=1e-5)


@pytest.mark.parametrize('num_samples, batch_size, epochs, steps', [
    (3320, 32, 2, 207), (50000, 128, 200, 78125), (1281167, 96, 2.5, 33363),
    (3, 32, 2, 1)])
def test_decay_steps(num_samples, batch_size, epochs, steps):
  schedule = options.Schedule(num_epochs_per_decay=epochs)
  assert learning_rate.decay_steps(
      schedule, num_samples / batch_size) == steps


@pytest.mark.parametrize('schedule, sentence', [
    (options.Schedule('fixed'), 'fixed at 0.01'),
    (options.Schedule(), 'from 0.01, times 0.94 every 207 steps'),
    (options.Schedule('polynomial', warmup_epochs=1.0),
     'from 0.01 down a line to 0.0001 at step 900, rising from 0 over the '
     'first 104 steps'),
    (options.Schedule('polynomial', polynomial_power=2.0, polynomial_cycle=True,
                      num_epochs_per_decay=1.0),
     'from 0.01 down a polynomial of power 2 to 0.0001 at step 103, repeated '
     'over longer periods'),
    (options.Schedule('piecewise', learning_rate_boundaries=('5', '7'),
                      learning_rate_values=('.1', '.01')),
     '0.01, 0.1 after step 5, 0.01 after step 7'),
    (options.Schedule('cosine'), 'from 0.01 down a cosine until step 900'),
    (options.Schedule('noisy_linear_cosine'),
     'from 0.01 down a noisy linear cosine until step 900'),
    (options.Schedule('cosine_restarts'),
     'from 0.01 down a cosine to 0 in 207 steps, then restarted, 2 times as long '
     'and 1 times as high'),
    (options.Schedule('natural_exp'), 'from 0.01, times exp(-0.94 n), where n '
     'is the step / 207 rounded down'),
    (options.Schedule('inverse_time', learning_rate_staircase=False),
     'from 0.01, divided by (1 + 0.94 n), where n is the step / 207'),
    (options.Schedule('exponential', learning_rate_staircase=False),
     'from 0.01, times 0.94 ^ n, where n is the step / 207')])
def test_describe(schedule, sentence):
  assert learning_rate.describe(schedule, 3320 / 32, last_step=900) == sentence


def test_other_rates_and_factors():
  schedule = dataclasses.replace(
      options.Schedule(), learning_rate=1.0, learning_rate_decay_factor=0.1,
      num_epochs_per_decay=0.5)
  np.testing.assert_allclose(
      _rates(schedule, [0, 4, 5, 10], steps_per_epoch=10), [1, 1, .1, .01],
      rtol=1e-5)
