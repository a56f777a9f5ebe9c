"""Calls a network with its checkpoint as a function of TensorFlow 2.

  python examples/call_from_tensorflow_2.py mobilenet_v1 \
      --checkpoint_path=mobilenet_v1_1.0_224.ckpt

Eager execution stays on: `load` returns a function of eager tensors. The values
are compared with those of a session. Needs TensorFlow 2.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# pylint: disable=wrong-import-position
from examples import command_line
from slim_common import runtime

if __name__ == '__main__':
  # --help needs no TensorFlow, which must not greet.
  flags_ = command_line.call_from_tensorflow_2(__doc__)
  runtime.hide_remarks()

import numpy as np
import tensorflow as tf

from nets import nets_factory

_CHANNELS = {'lenet': 1}


def load(name, checkpoint, num_classes, image_size):
  """Returns a network as a function.

  Args:
    name: str, a name of `nets_factory.networks_map`.
    checkpoint: str, prefix of its checkpoint.
    num_classes: int, number of classes of the checkpoint.
    image_size: int, height and width of the images.

  Returns:
    A function of a float32 tensor [batch, image_size, image_size, channels],
    preprocessed images, to a float32 tensor [batch, num_classes], the logits.
    Its attribute `variables` has the weights.

  Raises:
    ValueError: the checkpoint is of other shapes, or this is TensorFlow 1.
    tf.errors.NotFoundError: the checkpoint lacks a variable.
  """
  if tf.__version__.startswith('1.'):
    raise ValueError('TensorFlow %s has no functions with weights; use '
                     'TensorFlow 2, make env STACK=tf2.' % tf.__version__)

  def network(images):
    return nets_factory.get_network_fn(name, num_classes)(images)[0]

  function = tf.compat.v1.wrap_function(
      network, [tf.TensorSpec(_shape(name, image_size), tf.float32)])
  reader = tf.train.load_checkpoint(checkpoint)
  for variable in function.variables:
    variable.assign(reader.get_tensor(variable.name.split(':')[0]))
  return function


def run_graph(name, checkpoint, num_classes, images):
  """Returns the logits of `images`, an array, as a session computes them."""
  with tf.Graph().as_default():
    inputs = tf.compat.v1.placeholder(
        tf.float32, _shape(name, images.shape[1]))
    logits, _ = nets_factory.get_network_fn(name, num_classes)(inputs)
    with tf.compat.v1.Session() as session:
      tf.compat.v1.train.Saver().restore(session, checkpoint)
      return session.run(logits, {inputs: images})


def _shape(name, image_size):
  return [None, image_size, image_size, _CHANNELS.get(name, 3)]


def main(flags):
  """Runs the program."""
  try:
    function = load(flags.model_name, flags.checkpoint_path, flags.num_classes,
                    flags.image_size)
  except (ValueError, tf.errors.OpError) as error:
    sys.exit('call_from_tensorflow_2.py: %s' % error)
  images = np.random.RandomState(0).uniform(
      -1, 1, [2] + _shape(flags.model_name, flags.image_size)[1:]).astype('f')
  logits = function(tf.constant(images)).numpy()
  expected = run_graph(flags.model_name, flags.checkpoint_path,
                       flags.num_classes, images)
  print('%s: %d variables; logits %s differ from those of a session by %.1g' % (
      flags.model_name, len(function.variables), list(logits.shape),
      np.abs(logits - expected).max()))


if __name__ == '__main__':
  main(flags_)
