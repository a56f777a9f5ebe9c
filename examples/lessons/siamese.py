"""Siamese network: one network, two inputs, a distance that means something.

  python -m examples.lessons.siamese

The same variables see both images of a pair (reuse=True for the second). The
contrastive loss pulls pairs of one digit together and pushes others apart, up
to a margin. Two numbers per digit are enough to see it: siamese.png shows held
out digits where the network puts them, retrieval.png the nearest to some, by
distance, which is what is trained, and by cosine, which is the angle alone.
"""
from examples import command_line

if __name__ == '__main__':
  # --help needs no TensorFlow, which loads here.
  flags_ = command_line.start(command_line.lesson(__doc__, steps=200))

import numpy as np
import tensorflow.compat.v1 as tf
import tf_slim as slim

from examples.lessons import lesson
from image_classifier.losses import metric_learning

MARGIN = 0.5
_BATCH = 64
_SHOWN = 300
# Filters and size of each convolution; each is followed by a 2x2 pooling, so
# that 28 pixels become 14, 7, 4, 2 and 1.
_LAYERS = ((32, 7), (64, 5), (128, 3), (256, 1), (2, 1))


def embed(images, reuse=None):
  """Returns points, float32 [batch, 2], of images [batch, 28, 28, 1]."""
  net = images
  with tf.variable_scope('Siamese', reuse=reuse):
    for number, (filters, size) in enumerate(_LAYERS, 1):
      is_last = number == len(_LAYERS)
      net = slim.conv2d(
          net, filters, size, scope='conv%d' % number,
          activation_fn=None if is_last else tf.nn.relu)
      net = slim.max_pool2d(net, 2, padding='SAME', scope='pool%d' % number)
  return tf.squeeze(net, [1, 2])


def pairs(labels, count, random):
  """Returns pairs: half of one digit, half of two.

  Args:
    labels: integers [images].
    count: number of pairs.
    random: a RandomState.

  Returns:
    (left, right, is_same): integers [count], two indices and 1 or 0.
  """
  of_class = [np.flatnonzero(labels == label) for label in np.unique(labels)]
  rows = []
  for is_same in random.randint(2, size=count):
    if is_same:
      left, right = random.choice(
          of_class[random.randint(len(of_class))], 2, replace=False)
    else:
      left, right = [random.choice(of_class[label]) for label in random.choice(
          len(of_class), 2, replace=False)]
    rows.append((left, right, is_same))
  return np.array(rows).T


def run(flags):
  """Trains; returns distances and accuracies before and after."""
  images, labels = lesson.digits()
  left, right = [tf.placeholder(tf.float32, [None, 28, 28, 1])
                 for _ in range(2)]
  is_same = tf.placeholder(tf.float32, [None])
  points = embed(left)
  loss = metric_learning.contrastive_loss(
      is_same, points, embed(right, reuse=True), MARGIN)
  step = tf.train.MomentumOptimizer(
      0.01, 0.9, use_nesterov=True).minimize(loss)
  random = np.random.RandomState(flags.seed)
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())

    def points_of(pictures):
      return session.run(points, {left: pictures})

    before = _measure(points_of)
    for _ in range(flags.steps):
      rows = pairs(labels, _BATCH, random)
      session.run(step, {left: images[rows[0]], right: images[rows[1]],
                         is_same: rows[2]})
    after = _measure(points_of)
    _draw(flags, points_of)
  return dict({'variables': len(tf.trainable_variables()),
               'picture': lesson.path(flags, 'siamese.png')},
              **{'%s_%s' % (name, when): values[name] for when, values in (
                  ('before', before), ('after', after)) for name in values})


def _measure(points_of):
  """Returns the gap of the mean distances, and the 1-NN accuracy."""
  (known, known_labels), (queries, labels) = [
      (points_of(images), labels) for images, labels in (
          lesson.digits(count=1000), lesson.digits('t10k', 500))]
  distances = np.linalg.norm(queries[:, None] - queries, axis=2)
  is_same = labels[:, None] == labels
  scale = distances.mean() or 1
  return {'gap': float((distances[~is_same].mean() -
                        distances[is_same].mean()) / scale),
          'nearest_accuracy': lesson.nearest_accuracy(
              known, known_labels, queries, labels)}


def _draw(flags, points_of):
  images, labels = lesson.digits('t10k', _SHOWN)
  points = points_of(images)
  lesson.draw_points(
      lesson.path(flags, 'siamese.png'), points, images, labels)
  directions = points / np.maximum(
      np.linalg.norm(points, axis=1, keepdims=True), 1e-9)
  rows = []
  for query in range(5):
    for measure, distances in (
        ('distance', np.linalg.norm(points - points[query], axis=1)),
        ('cosine', -directions @ directions[query])):
      order = np.argsort(distances, kind='stable')
      rows.append(('a %d and the nearest by %s' % (labels[query], measure),
                   [images[i] for i in order[:10]]))
  lesson.draw_rows(lesson.path(flags, 'retrieval.png'), rows)


if __name__ == '__main__':
  lesson.main(run, flags_)
