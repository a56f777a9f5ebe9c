"""What a Saver writes, keeps and restores.

  python -m examples.lessons.trained.saving

Six saves with max_to_keep=3 leave three; the file `checkpoint` names them; a
training of n steps equals one of n/2 that is restored and goes on, bit for bit,
as the slots of the optimizer are saved too.
"""
import glob
import os

from examples import command_line

if __name__ == '__main__':
  # --help needs no TensorFlow, which loads here.
  flags_ = command_line.start(command_line.lesson(__doc__, steps=40))

import numpy as np
import tensorflow.compat.v1 as tf

from examples.lessons import lesson
from examples.lessons import mnist_slim


def _build():
  """Returns (images, labels, loss, operation of a step)."""
  inputs = tf.placeholder(tf.float32, [None, 28, 28, 1])
  targets = tf.placeholder(tf.int64, [None])
  loss = tf.losses.sparse_softmax_cross_entropy(
      targets, mnist_slim.make_model(inputs))
  step = tf.train.get_or_create_global_step()
  return inputs, targets, loss, tf.train.MomentumOptimizer(
      0.05, 0.9).minimize(loss, step)


def run(flags):
  """Saves, restores and compares; returns what was found."""
  images, labels = lesson.digits(count=500)
  inputs, targets, loss, train = _build()
  batches = lesson.batches(32, len(labels), flags.seed)
  order = [next(batches) for _ in range(flags.steps)]
  saver = tf.train.Saver(max_to_keep=3)
  prefix = lesson.path(flags, 'model.ckpt')
  losses = []

  def train_on(session, part):
    for batch in part:
      losses.append(float(session.run([loss, train], {
          inputs: images[batch], targets: labels[batch]})[0]))
    return session.run(tf.global_variables())

  half = flags.steps // 2
  # Sums are in one order on one thread.
  config = tf.ConfigProto(intra_op_parallelism_threads=1,
                          inter_op_parallelism_threads=1)
  with tf.Session(config=config) as session:
    session.run(tf.global_variables_initializer())
    train_on(session, order[:half])
    for number in range(6):
      saver.save(session, prefix, number)
    straight = train_on(session, order[half:])
  with tf.Session(config=config) as session:
    saver.restore(session, tf.train.latest_checkpoint(flags.output_dir))
    resumed = train_on(session, order[half:])
  picture = _draw(flags, losses[:flags.steps],
                  losses[:half] + losses[flags.steps:])
  return {
      'kept': sorted(os.path.basename(path)[len('model.ckpt-'):-len('.index')]
                     for path in glob.glob(prefix + '-*.index')),
      'latest': os.path.basename(tf.train.latest_checkpoint(flags.output_dir)),
      'resumed_equals_straight': all(
          np.array_equal(one, other) for one, other in zip(straight, resumed)),
      'picture': picture}


def _draw(flags, straight, resumed):
  """Draws both losses; returns the path of the picture."""
  picture = lesson.path(flags, 'losses.png')
  lesson.draw_curves(
      picture, {'straight': straight, 'resumed halfway': resumed},
      'A training that is resumed', are_equal=True)
  return picture


if __name__ == '__main__':
  lesson.main(run, flags_)
