"""Learning-rate schedules: pure functions of the global step."""
import tensorflow.compat.v1 as tf

# Slim's default for --num_epochs_per_decay.
_EPOCHS_PER_DECAY = 2.0
# These last until the end of the training by default.
_TO_THE_END = ('polynomial', 'cosine', 'linear_cosine', 'noisy_linear_cosine')


def build(options, global_step, steps_per_epoch, last_step=None):
  """Returns the learning rate, a float32 scalar tensor.

  Args:
    options: an `options.Schedule`.
    global_step: int64 scalar variable.
    steps_per_epoch: float, steps of one clone's epoch: examples / batch size.
    last_step: int, step at which the training ends; None if it does not end.

  Raises:
    ValueError: boundaries and values of a piecewise rate do not fit.
  """
  rate = _SCHEDULES[options.learning_rate_decay_type](
      options, global_step, decay_steps(options, steps_per_epoch, last_step))
  if not options.warmup_epochs:
    return rate
  warmup_steps = steps_per_epoch * options.warmup_epochs
  warmup = (options.learning_rate * tf.cast(global_step, tf.float32) /
            tf.constant(warmup_steps, tf.float32))
  return tf.minimum(rate, warmup)


def decay_steps(options, steps_per_epoch, last_step=None):
  """Returns the steps of one decay, at least 1; arguments as for `build`."""
  epochs = options.num_epochs_per_decay
  if (epochs is None and last_step is not None and
      options.learning_rate_decay_type in _TO_THE_END):
    return max(1, last_step)
  return max(1, int(steps_per_epoch * (epochs or _EPOCHS_PER_DECAY)))


def describe(options, steps_per_epoch, last_step=None):
  """Returns a sentence about the schedule; arguments, errors as for `build`."""
  text = _describe_decay(
      options, decay_steps(options, steps_per_epoch, last_step))
  if options.warmup_epochs:
    text += ', rising from 0 over the first %d steps' % round(
        steps_per_epoch * options.warmup_epochs)
  return text


def _describe_decay(options, steps):
  """Returns a sentence about the schedule without its warm-up."""
  kind = options.learning_rate_decay_type
  rate, factor = options.learning_rate, options.learning_rate_decay_factor
  if kind == 'fixed':
    return 'fixed at %g' % rate
  if kind == 'piecewise':
    boundaries, values = _pieces(options)
    return ', '.join(['%g' % rate] + [
        '%g after step %d' % (value, boundary)
        for boundary, value in zip(boundaries, values[1:])])
  if kind == 'exponential' and options.learning_rate_staircase:
    return 'from %g, times %g every %d steps' % (rate, factor, steps)
  if kind == 'polynomial':
    return 'from %g down a %s to %g at step %d%s' % (
        rate, 'line' if options.polynomial_power == 1 else
        'polynomial of power %g' % options.polynomial_power,
        options.end_learning_rate, steps,
        ', repeated over longer periods' if options.polynomial_cycle else '')
  if kind == 'cosine_restarts':
    return ('from %g down a cosine to %g in %d steps, then restarted, %g times '
            'as long and %g times as high' % (
                rate, rate * options.cosine_alpha, steps,
                options.cosine_t_mul, options.cosine_m_mul))
  if kind in _TO_THE_END:
    return 'from %g down a %s until step %d' % (
        rate, kind.replace('_', ' '), steps)
  formula = {'exponential': 'times %g ^ n', 'natural_exp': 'times exp(-%g n)',
             'inverse_time': 'divided by (1 + %g n)'}[kind] % factor
  return 'from %g, %s, where n is the step / %d%s' % (
      rate, formula, steps,
      ' rounded down' if options.learning_rate_staircase else '')


def _fixed(options, global_step, steps):
  del global_step, steps
  return tf.constant(options.learning_rate, name='fixed_learning_rate')


def _falling(function, name):
  """Returns a schedule of a TensorFlow function with rate and staircase."""
  def schedule(options, global_step, steps):
    return function(
        options.learning_rate, global_step, steps,
        options.learning_rate_decay_factor,
        staircase=options.learning_rate_staircase, name=name)
  return schedule


def _polynomial(options, global_step, steps):
  return tf.train.polynomial_decay(
      options.learning_rate, global_step, steps, options.end_learning_rate,
      power=options.polynomial_power, cycle=options.polynomial_cycle,
      name='polynomial_decay_learning_rate')


def _piecewise(options, global_step, steps):
  del steps
  boundaries, values = _pieces(options)
  return tf.train.piecewise_constant(
      tf.identity(global_step), [tf.constant(step, tf.int64)
                                 for step in boundaries],
      values, name='piecewise_learning_rate')


def _pieces(options):
  """Returns the boundaries, ints, and one more value than these, floats."""
  given = '--learning_rate_boundaries=%s --learning_rate_values=%s' % (
      ','.join(options.learning_rate_boundaries),
      ','.join(options.learning_rate_values))
  try:
    boundaries = [int(step) for step in options.learning_rate_boundaries]
    values = [float(value) for value in options.learning_rate_values]
  except ValueError:
    raise ValueError(
        '%s: boundaries are whole numbers of steps and values are learning '
        'rates, such as 1000,2000 and 0.001,0.0001.' % given)
  if not boundaries or len(boundaries) != len(values):
    raise ValueError(
        '%s: a piecewise learning rate needs as many values as boundaries, at '
        'least one; before the first it is --learning_rate.' % given)
  if boundaries != sorted(set(boundaries)) or boundaries[0] < 0:
    raise ValueError('%s: the boundaries must increase.' % given)
  if min(values) < 0:
    raise ValueError('%s: a learning rate must be at least 0.' % given)
  return boundaries, [options.learning_rate] + values


def _cosine(options, global_step, steps):
  return tf.train.cosine_decay(
      options.learning_rate, global_step, steps, alpha=options.cosine_alpha,
      name='cosine_decay_learning_rate')


def _cosine_restarts(options, global_step, steps):
  return tf.train.cosine_decay_restarts(
      options.learning_rate, global_step, steps, t_mul=options.cosine_t_mul,
      m_mul=options.cosine_m_mul, alpha=options.cosine_alpha,
      name='cosine_restarts_learning_rate')


def _linear_cosine(options, global_step, steps):
  return tf.train.linear_cosine_decay(
      options.learning_rate, global_step, steps,
      num_periods=options.cosine_num_periods, alpha=options.cosine_alpha,
      beta=options.cosine_beta, name='linear_cosine_decay_learning_rate')


def _noisy_linear_cosine(options, global_step, steps):
  return tf.train.noisy_linear_cosine_decay(
      options.learning_rate, global_step, steps,
      initial_variance=options.cosine_initial_variance,
      variance_decay=options.cosine_variance_decay,
      num_periods=options.cosine_num_periods, alpha=options.cosine_alpha,
      beta=options.cosine_beta, name='noisy_linear_cosine_learning_rate')


_SCHEDULES = {
    'fixed': _fixed,
    'exponential': _falling(
        tf.train.exponential_decay, 'exponential_decay_learning_rate'),
    'natural_exp': _falling(
        tf.train.natural_exp_decay, 'natural_exp_decay_learning_rate'),
    'inverse_time': _falling(
        tf.train.inverse_time_decay, 'inverse_time_decay_learning_rate'),
    'polynomial': _polynomial, 'piecewise': _piecewise, 'cosine': _cosine,
    'cosine_restarts': _cosine_restarts, 'linear_cosine': _linear_cosine,
    'noisy_linear_cosine': _noisy_linear_cosine}
