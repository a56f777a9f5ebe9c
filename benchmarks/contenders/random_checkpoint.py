"""Checkpoints of random weights, to benchmark and compare exports with."""
import os

import tensorflow.compat.v1 as tf

from nets import nets_factory


def save(name, size, directory, num_classes, frames=None):
  """Saves a checkpoint of random weights, biases and moving statistics.

  Args:
    name: name of the network.
    size: height and width of its images, in pixels.
    directory: directory of the checkpoint.
    num_classes: number of classes.
    frames: number of frames, for a network that takes videos.

  Returns:
    The prefix of the checkpoint.
  """
  shape = [None] + ([frames] if frames else []) + [size, size, 3]
  with tf.Graph().as_default(), tf.Session() as session:
    tf.set_random_seed(0)
    nets_factory.get_network_fn(name, num_classes)(
        tf.placeholder(tf.float32, shape))
    session.run(tf.global_variables_initializer())
    sampled = [(variable, _sample(variable))
               for variable in tf.global_variables()]
    session.run([tf.assign(variable, value)
                 for variable, value in sampled if value is not None])
    return tf.train.Saver().save(session, os.path.join(directory, 'model.ckpt'))


def _sample(variable):
  """Returns random values for what is initially zero or one, otherwise None."""
  kind = variable.op.name.split('/')[-1]
  if kind in ('moving_mean', 'beta', 'biases'):
    return tf.random.normal(variable.shape, stddev=0.1, seed=1)
  if kind in ('moving_variance', 'gamma'):
    return tf.random.uniform(variable.shape, 0.8, 1.2, seed=1)
  return None
