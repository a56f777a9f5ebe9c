"""Summaries for TensorBoard, under the names slim's users know."""
import tensorflow.compat.v1 as tf
import tf_slim as slim


def add(end_points, losses, learning_rate, input_wait):
  """Adds the summaries of a training run.

  Args:
    end_points: dict of the first clone's tensors.
    losses: the losses of the first clone.
    learning_rate: float32 scalar tensor.
    input_wait: scalar tensor, seconds that a step waits for its batch.
  """
  for name, end_point in end_points.items():
    tf.summary.histogram('activations/' + name, end_point)
    tf.summary.scalar('sparsity/' + name, tf.nn.zero_fraction(end_point))
  for loss in losses:
    tf.summary.scalar('losses/' + loss.op.name, loss)
  for variable in slim.get_model_variables():
    tf.summary.histogram(variable.op.name, variable)
  tf.summary.scalar('learning_rate', learning_rate)
  tf.summary.scalar('input_wait_seconds', input_wait)


def merge():
  """Returns the op that evaluates all summaries, `summary_op/summary_op`."""
  return tf.summary.merge_all(name='summary_op/summary_op')
