"""The four steps that build every training, on points in the plane.

  python -m examples.lessons.four_steps

1. Input: batches of points and of the arm of a spiral that each is on.
2. Model: the layers, from a batch to logits.
3. Loss and optimizer: what a step changes, and in which direction.
4. Loop: a session that runs the step; nothing is computed before.

The data are made up here, and the network has two inputs, so that all it knows
can be drawn: planes.png shows the arm it sees at every point, before and after.
"""
from examples import command_line

if __name__ == '__main__':
  # --help needs no TensorFlow, which loads here.
  flags_ = command_line.start(command_line.lesson(__doc__, steps=300))

import numpy as np
import tensorflow.compat.v1 as tf
import tf_slim as slim

from examples.lessons import lesson

ARMS = 3
_POINTS, _BATCH, _PIXELS = 600, 60, 240


def make_points(seed):
  """Returns points, float32 [n, 2] in [-1, 1], and arms, int64 [n]."""
  random = np.random.RandomState(seed)
  arms = np.arange(_POINTS) % ARMS
  radius = random.uniform(0.1, 1, _POINTS)
  angle = 2 * np.pi * arms / ARMS + 3 * radius + random.normal(
      0, 0.15, _POINTS)
  return (np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
          .astype(np.float32), arms.astype(np.int64))


def make_input(points, arms, seed):
  """Step 1: returns tensors (points, arms), another batch in every run."""
  data = tf.data.Dataset.from_tensor_slices((points, arms)).shuffle(
      len(arms), seed=seed).repeat().batch(_BATCH)
  return tf.data.make_one_shot_iterator(data).get_next()


def make_model(points):
  """Step 2: returns logits, float32 [batch, ARMS]."""
  with tf.variable_scope('Spiral', reuse=tf.AUTO_REUSE):
    net = slim.stack(points, slim.fully_connected, [64, 64], scope='fc')
    return slim.fully_connected(
        net, ARMS, activation_fn=None, scope='logits')


def make_step(logits, arms):
  """Step 3: returns (loss, operation that makes one step)."""
  loss = tf.losses.sparse_softmax_cross_entropy(arms, logits)
  return loss, tf.train.AdamOptimizer(0.01).minimize(loss)


def run(flags):
  """Step 4: trains; returns what the network knew before and after."""
  points, arms = make_points(flags.seed)
  batch, classes = make_input(points, arms, flags.seed)
  loss, step = make_step(make_model(batch), classes)
  places = tf.placeholder(tf.float32, [None, 2])
  logits = make_model(places)
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())

    def guess(where):
      return session.run(logits, {places: where}).argmax(axis=1)

    planes = [_draw(guess, points, arms)]
    before = float(np.mean(guess(points) == arms))
    losses = [float(session.run([loss, step])[0]) for _ in range(flags.steps)]
    planes.append(_draw(guess, points, arms))
    after = float(np.mean(guess(points) == arms))
  picture = lesson.path(flags, 'planes.png')
  lesson.draw_rows(picture, [(
      'the arm that the network sees, before and after %d steps' % flags.steps,
      planes)], scale=1)
  return {'accuracy_before': before, 'accuracy_after': after,
          'loss_first': float(np.mean(losses[:5])),
          'loss_last': float(np.mean(losses[-5:])), 'picture': picture}


def _draw(guess, points, arms):
  """Returns the plane in the colors of what is seen, with the points on it."""
  along = np.linspace(-1.1, 1.1, _PIXELS, dtype=np.float32)
  grid = np.stack(np.meshgrid(along, along), axis=-1).reshape(-1, 2)
  colors = lesson.colors(ARMS)
  plane = 1 - (1 - colors[guess(grid)].reshape(_PIXELS, _PIXELS, 3)) / 3
  column, row = ((points + 1.1) / 2.2 * (_PIXELS - 2)).astype(int).T
  for down in range(2):
    for right in range(2):
      plane[row + down, column + right] = colors[arms] * 0.8
  return plane


if __name__ == '__main__':
  lesson.main(run, flags_)
