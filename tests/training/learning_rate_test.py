"""Learning-rate schedules against values computed by hand."""
import dataclasses

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from training import learning_rate
from training import options

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


def _rates(schedule, steps, steps_per_epoch=_STEPS_PER_EPOCH):
  step = tf.placeholder(tf.int64, [])
  rate = learning_rate.build(schedule, step, steps_per_epoch)
  with tf.Session() as session:
    return [session.run(rate, {step: value}) for value in steps]


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
     'from 0.01 down a line to 0.0001 at step 207, rising from 0 over the '
     'first 104 steps')])
def test_describe(schedule, sentence):
  assert learning_rate.describe(schedule, 3320 / 32) == sentence


def test_other_rates_and_factors():
  schedule = dataclasses.replace(
      options.Schedule(), learning_rate=1.0, learning_rate_decay_factor=0.1,
      num_epochs_per_decay=0.5)
  np.testing.assert_allclose(
      _rates(schedule, [0, 4, 5, 10], steps_per_epoch=10), [1, 1, .1, .01],
      rtol=1e-5)
