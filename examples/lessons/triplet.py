"""Triplet loss with online mining: batch-all first, then batch-hard.

  python -m examples.lessons.triplet

Each batch holds P digits with K images each. Batch-all averages over all
triplets that still cost something, batch-hard takes the hardest of each anchor;
hard mining from the first step may collapse all embeddings to one point, where
the loss stays at the margin. sheet.png shows held-out digits and the nearest
known ones; `tensorboard --logdir=triplet-output` shows the projector.
"""
import numpy as np
from PIL import Image
import tensorflow.compat.v1 as tf
import tf_slim as slim

from datasets.reading import class_batches
from examples.lessons import lesson
from image_classifier.losses import collapse
from image_classifier.losses import metric_learning

MARGIN = 0.5
_SIZE, _CLASSES, _SAMPLES = 64, 8, 8


def embed(images):
  """Returns float32 [batch, 64]: two convolutions, a dense layer, no norm."""
  with tf.variable_scope('Triplet', reuse=tf.AUTO_REUSE):
    net = slim.max_pool2d(slim.conv2d(images, 32, 3, scope='conv1'), 2)
    net = slim.max_pool2d(slim.conv2d(net, 64, 3, scope='conv2'), 2)
    return slim.fully_connected(
        slim.flatten(net), _SIZE, activation_fn=None, scope='embedding')


def run(flags):
  """Trains both strategies in turn; returns accuracies and what fell."""
  images, labels = lesson.digits()
  pictures = tf.placeholder(tf.float32, [None, 28, 28, 1])
  classes = tf.placeholder(tf.int64, [None])
  embeddings = embed(pictures)
  batch_all, fraction = metric_learning.batch_all_triplet_loss(
      classes, embeddings, MARGIN)
  batch_hard = metric_learning.batch_hard_triplet_loss(
      classes, embeddings, MARGIN)
  statistics = metric_learning.statistics(classes, embeddings, MARGIN)
  steps = [tf.train.AdamOptimizer(rate).minimize(loss) for rate, loss in (
      (1e-3, batch_all), (1e-4, batch_hard))]
  order = class_batches.batches(labels, _CLASSES, _SAMPLES, flags.seed)
  fractions = []
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())

    def embed_all(values):
      return session.run(embeddings, {pictures: values})

    before = _accuracy(embed_all)
    for number in range(flags.steps):
      batch = next(order)
      feeds = {pictures: images[batch], classes: labels[batch]}
      _, value = session.run(
          [steps[number >= flags.steps // 2], fraction], feeds)
      fractions.append(float(value))
    seen = session.run(dict(statistics, loss=batch_hard), feeds)
    after = _accuracy(embed_all)
    _draw(flags, embed_all)
  return {
      'nearest_accuracy_before': before, 'nearest_accuracy_after': after,
      'fraction_positive_first': fractions[0],
      'fraction_positive_last': float(np.mean(fractions[-5:])),
      'mean_norm': float(seen['mean_norm']),
      'diagnosis': collapse.message(
          seen['loss'], MARGIN, seen['negative_distance']) or 'not collapsed',
      'picture': lesson.path(flags, 'sheet.png')}


def _accuracy(embed_all):
  known, queries = lesson.digits(count=1000), lesson.digits('t10k', 500)
  return lesson.nearest_accuracy(
      embed_all(known[0]), known[1], embed_all(queries[0]), queries[1])


def _draw(flags, embed_all):
  """Writes the sheet, and the files of TensorBoard's projector."""
  known, _ = lesson.digits(count=1000)
  images, labels = lesson.digits('t10k', 400)
  embedded, queries = embed_all(known), embed_all(images)
  rows = []
  for index in range(8):
    distances = np.linalg.norm(embedded - queries[index], axis=1)
    rows.append(('a held-out %d and the nearest of the known' % labels[index],
                 [images[index]] + [known[i] for i in distances.argsort()[:8]]))
  lesson.draw_rows(lesson.path(flags, 'sheet.png'), rows)
  np.savetxt(lesson.path(flags, 'embeddings.tsv'), queries, '%.6g', '\t')
  with open(lesson.path(flags, 'metadata.tsv'), 'w') as file:
    file.writelines('%d\n' % label for label in labels)
  _write_sprite(flags, images)
  with open(lesson.path(flags, 'projector_config.pbtxt'), 'w') as file:
    file.write('embeddings {\n  tensor_path: "embeddings.tsv"\n'
               '  metadata_path: "metadata.tsv"\n'
               '  sprite { image_path: "sprite.png"\n'
               '    single_image_dim: 28 single_image_dim: 28 }\n}\n')


def _write_sprite(flags, images):
  """Writes all images as the squares of one, row by row, as TensorBoard wants.
  """
  side = int(np.ceil(len(images) ** 0.5))
  tiles = np.zeros([side * side, 28, 28], np.uint8)
  tiles[:len(images)] = images[..., 0] * 255
  sprite = tiles.reshape(side, side, 28, 28).transpose(0, 2, 1, 3).reshape(
      side * 28, side * 28)
  Image.fromarray(255 - sprite).save(
      lesson.path(flags, 'sprite.png'))


if __name__ == '__main__':
  lesson.main(run, __doc__, steps=300)
