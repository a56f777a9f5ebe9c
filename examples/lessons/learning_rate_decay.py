"""A learning rate that decays, and how to see it in the summaries.

  python -m examples.lessons.learning_rate_decay

The rate is a tensor computed from the global step, which the optimizer
increases; tensorboard --logdir=learning_rate_decay-output shows it.
"""
from examples import command_line

if __name__ == '__main__':
  # --help needs no TensorFlow, which loads here.
  flags_ = command_line.start(command_line.lesson(__doc__, steps=100))

import numpy as np
import tensorflow.compat.v1 as tf

from examples.lessons import lesson
from examples.lessons import mnist_slim

RATE, FACTOR, DECAY_STEPS = 0.1, 0.9, 10


def run(flags):
  """Trains with an exponential decay; returns the rates of the summaries."""
  images, labels = mnist_slim.make_input(*lesson.digits(), seed=flags.seed)
  tf.losses.sparse_softmax_cross_entropy(labels, mnist_slim.make_model(images))
  step = tf.train.get_or_create_global_step()
  rate = tf.train.exponential_decay(RATE, step, DECAY_STEPS, FACTOR)
  loss = tf.losses.get_total_loss()
  tf.summary.scalar('learning_rate', rate)
  summaries = tf.summary.merge_all()
  # Before the step increases, so that rate and summary are those it used.
  with tf.control_dependencies([rate, summaries]):
    train = tf.train.GradientDescentOptimizer(rate).minimize(loss, step)
  losses, rates = [], {}
  with tf.Session() as session, (
      tf.summary.FileWriter(flags.output_dir)) as writer:
    session.run([tf.global_variables_initializer(), tf.tables_initializer()])
    for number in range(flags.steps):
      text, value, _ = session.run([summaries, loss, train])
      writer.add_summary(text, number)
      losses.append(float(value))
      rates[number] = tf.Summary.FromString(text).value[0].simple_value
  picture = lesson.path(flags, 'rates.png')
  lesson.draw_curves(picture, {
      'learning rate, relative to the first': [
          value / RATE for value in rates.values()],
      'loss, relative to the first': [value / losses[0] for value in losses]},
                     'Exponential decay: times %g every %d steps' % (
                         FACTOR, DECAY_STEPS))
  return {'loss_first': float(np.mean(losses[:5])),
          'loss_last': float(np.mean(losses[-5:])),
          'last_rate': float(rates[flags.steps - 1]), 'rates': rates,
          'picture': picture}


if __name__ == '__main__':
  lesson.main(run, flags_)
