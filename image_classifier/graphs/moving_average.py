"""Moving averages of the weights."""
import tensorflow.compat.v1 as tf
import tf_slim as slim


class MovingAverage:
  """Averages of the model variables, updated every step.

  The decay of step n is min(decay, (1 + n) / (10 + n)), so that the first
  steps count little. Averages are saved under
  `<variable>/ExponentialMovingAverage`.
  """

  def __init__(self, decay, global_step):
    """Averages the model variables that exist now.

    Args:
      decay: decay of the averages, in [0, 1].
      global_step: int64 scalar variable.
    """
    self._variables = slim.get_model_variables()
    self._average = tf.train.ExponentialMovingAverage(decay, global_step)

  @property
  def variables(self):
    """The variables that are averaged, a list."""
    return self._variables

  @property
  def average(self):
    """The `tf.train.ExponentialMovingAverage`."""
    return self._average

  def update_op(self):
    """Creates the averages and returns the op that updates them once."""
    return self._average.apply(self._variables)

  def start_op(self):
    """Returns an op that sets every average to the variable's value.

    Run it after weights are loaded over the initial values.
    """
    return tf.group(*[tf.assign(self._average.average(variable), variable)
                      for variable in self._variables])


def variables_to_restore(decay):
  """Returns the dict {name in the checkpoint: model variable}.

  Args:
    decay: if None, the variables themselves are restored, otherwise their
      averages.
  """
  variables = slim.get_model_variables()
  if decay is None:
    return {variable.op.name: variable for variable in variables}
  average = tf.train.ExponentialMovingAverage(decay)
  return {average.average_name(variable): variable for variable in variables}
