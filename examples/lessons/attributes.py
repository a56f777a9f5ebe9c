"""Several yes-or-no attributes: a second task with a sigmoid for each.

  python -m examples.lessons.attributes

One trunk, two heads: which digit (softmax), and whether it is odd and whether
it is above 5 (a sigmoid each). One in four attributes is hidden in training: -1
stands in its place, and a weight of 0 leaves it out of the mean and of the
gradient, so that any number could stand there.
"""
from examples import command_line

if __name__ == '__main__':
  # --help needs no TensorFlow, which loads here.
  flags_ = command_line.start(command_line.lesson(__doc__, steps=300))

import numpy as np
import tensorflow.compat.v1 as tf
import tf_slim as slim

from examples.lessons import lesson
from image_classifier.losses import multi_task

_BATCH, _HIDDEN = 64, 0.25
# Neither yes nor no.
UNKNOWN = -1


def attributes_of(labels):
  """Returns 1 for yes, float32 [n, 2]: odd, above 5."""
  return np.stack([labels % 2, labels > 5], axis=1).astype(np.float32)


def run(flags):
  """Trains both tasks jointly; returns accuracies on held-out digits."""
  images, labels = lesson.digits()
  attributes = attributes_of(labels)
  known = (np.random.RandomState(flags.seed).rand(*attributes.shape) >=
           _HIDDEN).astype(np.float32)
  given = np.where(known, attributes, UNKNOWN)
  inputs = tf.placeholder(tf.float32, [None, 28, 28, 1])
  targets = tf.placeholder(tf.int64, [None])
  answers, weights = [tf.placeholder(tf.float32, [None, 2]) for _ in range(2)]
  trunk = slim.stack(slim.flatten(inputs), slim.fully_connected, [128, 128],
                     scope='trunk')
  digit = slim.fully_connected(trunk, 10, activation_fn=None, scope='digit')
  yes = slim.fully_connected(trunk, 2, activation_fn=None, scope='attributes')
  losses = {
      'digit': multi_task.softmax_task_loss(digit, tf.one_hot(targets, 10)),
      'attributes': multi_task.sigmoid_task_loss(yes, answers, weights)}
  step = tf.train.AdamOptimizer(0.002).minimize(multi_task.joint_loss(
      losses, {'digit': 1.0, 'attributes': 1.0}))
  curves = {task: [] for task in losses}
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    order = lesson.batches(_BATCH, len(labels), flags.seed)
    for _ in range(flags.steps):
      batch = next(order)
      values, _ = session.run([losses, step], {
          inputs: images[batch], targets: labels[batch],
          answers: given[batch], weights: known[batch]})
      for task, value in values.items():
        curves[task].append(float(value))
    test_images, test_labels = lesson.digits('t10k')
    guess, chance = session.run([digit, yes], {inputs: test_images})
  right = (chance >= 0) == (attributes_of(test_labels) > 0)
  picture = lesson.path(flags, 'losses.png')
  lesson.draw_curves(picture, curves, 'Two tasks on one trunk')
  return {'attributes_loss_last': float(np.mean(curves['attributes'][-5:])),
          'digit_accuracy': float(np.mean(guess.argmax(1) == test_labels)),
          'odd_accuracy': float(right[:, 0].mean()),
          'above_5_accuracy': float(right[:, 1].mean()),
          'exact_match': float(right.all(axis=1).mean()),
          'picture': picture}


if __name__ == '__main__':
  lesson.main(run, flags_)
