"""A LeNet to export, and the options of an export."""
import dataclasses

import tensorflow.compat.v1 as tf

from image_classifier import options
from nets import nets_factory


def ask(**changes):
  """Returns an `options.Export` of a LeNet for digits; paths may be Paths."""
  changes.setdefault('model_name', 'lenet')
  changes.setdefault('dataset_name', 'mnist')
  return dataclasses.replace(options.Export(), **{
      name: str(value) if name in ('output_file', 'output_dir') else value
      for name, value in changes.items()})


def save(directory):
  """Saves a LeNet for grayscale digits; returns the prefix of the checkpoint.

  The weights are random, and their averages 1.5 times as large.
  """
  with tf.Graph().as_default(), tf.Session() as session:
    network = nets_factory.get_network_fn('lenet', 10)
    network(tf.placeholder(tf.float32, [None, 28, 28, 1]))
    for variable in tf.global_variables():
      tf.get_variable(variable.op.name + '/ExponentialMovingAverage',
                      initializer=1.5 * variable.initialized_value())
    tf.train.create_global_step()
    session.run(tf.global_variables_initializer())
    return tf.train.Saver().save(session, str(directory / 'model.ckpt-7'))
