"""Moving averages of the weights."""
import tensorflow.compat.v1 as tf
import tf_slim as slim


class MovingAverage:
  """Averages of the model variables, updated every step.

  The decay of step n is min(decay, (1 + n) / (10 + n)), so that the first
  steps count little. Averages are saved under
  `<variable>/ExponentialMovingAverage`.

  Args:
    decay: decay of the averages, in [0, 1].
    global_step: int64 scalar variable.

  Attributes:
    variables: list of the model variables that existed at the start.
    average: the `tf.train.ExponentialMovingAverage`.
  """

  def __init__(self, decay, global_step):
    self.variables = slim.get_model_variables()
    self.average = tf.train.ExponentialMovingAverage(decay, global_step)

  def update_op(self):
    """Creates the averages and returns the op that updates them once."""
    return self.average.apply(self.variables)

  def start_op(self):
    """Returns an op that sets every average to the variable's value.

    Run it after weights are loaded over the initial values.
    """
    return tf.group(*[tf.assign(self.average.average(variable), variable)
                      for variable in self.variables])


def variables_to_restore(decay):
  """Returns {name in the checkpoint: model variable} to restore.

  Args:
    decay: None for the variables themselves, any number for their averages.
  """
  variables = slim.get_model_variables()
  if decay is None:
    return {variable.op.name: variable for variable in variables}
  average = tf.train.ExponentialMovingAverage(decay)
  return {average.average_name(variable): variable for variable in variables}
