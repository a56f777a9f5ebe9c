"""Functions that the tests of the Inception networks share."""
import numpy as np
import tensorflow.compat.v1 as tf


def images(*shape):
  """Returns a placeholder of images."""
  return tf.placeholder(tf.float32, shape)


def shorten(monkeypatch, module, *scopes):
  """Leaves rows that keep the size out of a network, to build it faster."""
  rows = module._ROWS  # pylint: disable=protected-access
  monkeypatch.setattr(
      module, '_ROWS', [row for row in rows if row.scope not in scopes])


def shapes(end_points):
  """Returns the names and shapes of end points, in their order."""
  return [(name, net.shape.as_list()) for name, net in end_points.items()]


def model_parameters():
  """Counts all model variables, moving statistics included."""
  return _elements(tf.model_variables())


def trainable_parameters():
  return _elements(tf.trainable_variables())


def evaluate(tensors, placeholder, shape):
  """Runs tensors on random images of a shape, with fresh variables."""
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    values = np.random.RandomState(0).uniform(-1, 1, shape)
    return session.run(tensors, {placeholder: values})


def _elements(variables):
  return sum(variable.shape.num_elements() for variable in variables)
