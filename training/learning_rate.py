"""Learning-rate schedules: pure functions of the global step."""
import tensorflow.compat.v1 as tf


def build(options, global_step, steps_per_epoch):
  """Makes the learning rate.

  Args:
    options: an `options.Schedule`.
    global_step: int64 scalar variable.
    steps_per_epoch: float, steps of one clone's epoch: examples / batch size.

  Returns:
    A float32 scalar tensor.
  """
  rate = _SCHEDULES[options.learning_rate_decay_type](
      options, global_step, decay_steps(options, steps_per_epoch))
  if not options.warmup_epochs:
    return rate
  warmup_steps = steps_per_epoch * options.warmup_epochs
  warmup = (options.learning_rate * tf.cast(global_step, tf.float32) /
            tf.constant(warmup_steps, tf.float32))
  return tf.minimum(rate, warmup)


def decay_steps(options, steps_per_epoch):
  """Returns the steps between two decays; at least 1, also on tiny data."""
  return max(1, int(steps_per_epoch * options.num_epochs_per_decay))


def describe(options, steps_per_epoch):
  """Returns a sentence about the schedule for the start of a run."""
  steps = decay_steps(options, steps_per_epoch)
  rate = '%g' % options.learning_rate
  text = {
      'fixed': 'fixed at ' + rate,
      'exponential': 'from %s, times %g every %d steps' % (
          rate, options.learning_rate_decay_factor, steps),
      'polynomial': 'from %s down a line to %g at step %d' % (
          rate, options.end_learning_rate, steps),
  }[options.learning_rate_decay_type]
  if options.warmup_epochs:
    text += ', rising from 0 over the first %d steps' % round(
        steps_per_epoch * options.warmup_epochs)
  return text


def _fixed(options, global_step, steps):
  del global_step, steps
  return tf.constant(options.learning_rate, name='fixed_learning_rate')


def _exponential(options, global_step, steps):
  return tf.train.exponential_decay(
      options.learning_rate, global_step, steps,
      options.learning_rate_decay_factor, staircase=True,
      name='exponential_decay_learning_rate')


def _polynomial(options, global_step, steps):
  return tf.train.polynomial_decay(
      options.learning_rate, global_step, steps, options.end_learning_rate,
      power=1.0, cycle=False, name='polynomial_decay_learning_rate')


_SCHEDULES = {
    'fixed': _fixed, 'exponential': _exponential, 'polynomial': _polynomial}
