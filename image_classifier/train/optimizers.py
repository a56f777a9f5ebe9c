"""Optimizers by name."""
import tensorflow.compat.v1 as tf

# slim's recipe for ImageNet needs the large epsilon with rmsprop. With the
# others it would turn them into slow gradient descent.
_EPSILON = {'rmsprop': 1.0, 'adam': 1e-8, 'adadelta': 1e-8}


def build(options, learning_rate) -> tf.train.Optimizer:
  """Returns the optimizer of an `options.Optimizer`.

  `learning_rate` is a float32 scalar tensor.
  """
  return _OPTIMIZERS[options.optimizer](options, learning_rate)


def check(options, schedule):
  """Raises ValueError unless an `options.Optimizer` works with a Schedule."""
  if options.optimizer == 'ftrl' and schedule.warmup_epochs:
    raise ValueError(
        '--optimizer=ftrl needs a learning rate above 0 at the first step, but '
        'it is 0 with --warmup_epochs=%g. Leave out --warmup_epochs, or use '
        'another --optimizer.' % schedule.warmup_epochs)


def scale_loss(optimizer):
  """Returns an optimizer that scales the loss for half precision.

  The loss is scaled up, so that small gradients are not 0 in half precision,
  and the gradients are scaled down again. The factor doubles after 2,000 good
  steps and halves where a gradient overflows; such a step changes no weight,
  but counts. The factor is saved in the checkpoint.
  """
  return _ScaledLossOptimizer(
      optimizer, tf.train.experimental.DynamicLossScale())


def clip(gradients, max_norm):
  """Scales a list of (gradient, variable) down to a maximum global norm.

  A `max_norm` of 0 changes nothing.
  """
  if not max_norm:
    return gradients
  values, variables = zip(*gradients)
  values, _ = tf.clip_by_global_norm(values, max_norm)
  return list(zip(values, variables))


class _ScaledLossOptimizer(
    tf.train.experimental.MixedPrecisionLossScaleOptimizer):
  """TensorFlow's, except that the global step advances every step."""

  def apply_gradients(self, grads_and_vars, global_step=None, name=None):
    step = super().apply_gradients(grads_and_vars, name=name)
    if global_step is None:
      return step
    with tf.control_dependencies([step]):
      return tf.assign_add(global_step, 1).op


def keep_until(gradients, step, first_step, is_trained):
  """Sets gradients to zero until a step, which keeps their variables.

  Args:
    gradients: list of (gradient, variable), as an optimizer takes them.
    step: int64 scalar, the global step.
    first_step: int, the first step in which all variables are trained.
    is_trained: function of a variable's name: whether it is trained before.

  Raises:
    ValueError: none of the variables is trained before that step.
  """
  if not any(is_trained(variable.op.name) for _, variable in gradients):
    raise ValueError(
        '--head_epochs: no trained variable belongs to a last layer, whose '
        'scope is named logits, fc or fc8. Leave it out.')
  return [
      (gradient if gradient is None or is_trained(variable.op.name)
       else tf.cond(step < first_step, lambda g=gradient: tf.zeros_like(g),
                    lambda g=gradient: tf.identity(g)), variable)
      for gradient, variable in gradients]


def _epsilon(options):
  return (_EPSILON[options.optimizer] if options.opt_epsilon is None
          else options.opt_epsilon)


def _adadelta(options, learning_rate):
  return tf.train.AdadeltaOptimizer(
      learning_rate, rho=options.adadelta_rho, epsilon=_epsilon(options))


def _adagrad(options, learning_rate):
  return tf.train.AdagradOptimizer(
      learning_rate, options.adagrad_initial_accumulator_value)


def _adam(options, learning_rate):
  return tf.train.AdamOptimizer(
      learning_rate, options.adam_beta1, options.adam_beta2,
      _epsilon(options))


def _ftrl(options, learning_rate):
  return tf.train.FtrlOptimizer(
      learning_rate,
      learning_rate_power=options.ftrl_learning_rate_power,
      initial_accumulator_value=options.ftrl_initial_accumulator_value,
      l1_regularization_strength=options.ftrl_l1,
      l2_regularization_strength=options.ftrl_l2)


def _momentum(options, learning_rate):
  return tf.train.MomentumOptimizer(
      learning_rate, options.momentum, name='Momentum')


def _sgd(options, learning_rate):
  del options
  return tf.train.GradientDescentOptimizer(learning_rate)


def _rmsprop(options, learning_rate):
  return tf.train.RMSPropOptimizer(
      learning_rate, options.rmsprop_decay, options.rmsprop_momentum,
      _epsilon(options))


_OPTIMIZERS = {
    'adadelta': _adadelta, 'adagrad': _adagrad, 'adam': _adam, 'ftrl': _ftrl,
    'momentum': _momentum, 'sgd': _sgd, 'rmsprop': _rmsprop}
