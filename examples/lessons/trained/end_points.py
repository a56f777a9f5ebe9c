"""Any layer of a network by its name: the end points.

  python -m examples.lessons.trained.end_points

Every network returns a dict of its layers. maps.png shows what the filters of
LeNet's first layers make of a digit. Probabilities are the softmax of the
logits, and the logits are the last features times the last weights, which is
checked here by hand.
"""
from examples import command_line

if __name__ == '__main__':
  # --help needs no TensorFlow, which loads here.
  flags_ = command_line.start(command_line.lesson(__doc__, steps=40))

import numpy as np
import tensorflow.compat.v1 as tf

from examples.lessons import lesson
from examples.lessons import mnist_slim
from nets import nets_factory

_SHOWN = ('conv1', 'pool1', 'conv2', 'pool2')


def run(flags):
  """Trains LeNet a little; draws and checks its end points."""
  images, labels = mnist_slim.make_input(*lesson.digits(), seed=flags.seed)
  with tf.variable_scope('', reuse=tf.AUTO_REUSE):
    logits, _ = nets_factory.get_network_fn('lenet', 10, is_training=True)(
        images)
    train_op = mnist_slim.make_train_op(logits, labels)
    digits, _ = lesson.digits('t10k', 5)
    _, end_points = nets_factory.get_network_fn('lenet', 10)(
        tf.constant(digits))
  weights, biases = tf.trainable_variables('LeNet/fc4')
  with tf.Session() as session:
    session.run([tf.global_variables_initializer(), tf.tables_initializer()])
    for _ in range(flags.steps):
      session.run(train_op)
    once, again, matrix, offset = session.run(
        [end_points, end_points, weights, biases])
  by_hand = once['dropout3'] @ matrix + offset
  exps = np.exp(once['Logits'] - once['Logits'].max(axis=1, keepdims=True))
  picture = lesson.path(flags, 'maps.png')
  lesson.draw_rows(picture, [('the digit', [digits[0]])] + [
      ('%s: the first 10 of %d maps' % (name, once[name].shape[-1]), [
          # The root makes weak answers visible.
          (once[name][0][..., i:i + 1] / max(once[name][0].max(), 1e-9)) ** 0.5
          for i in range(10)]) for name in _SHOWN], scale=2)
  return {
      'end_points': ', '.join(once),
      'largest_difference_of_logits': float(
          np.abs(by_hand - once['Logits']).max()),
      'largest_difference_of_probabilities': float(np.abs(
          exps / exps.sum(axis=1, keepdims=True) - once['Predictions']).max()),
      'two_runs_are_equal': all(
          np.array_equal(once[name], again[name]) for name in once),
      'picture': picture}


if __name__ == '__main__':
  lesson.main(run, flags_)
