"""Triplet loss with online mining: batch-all first, then batch-hard.

  python -m examples.lessons.triplet
  python -m examples.lessons.triplet --params=experiment.json

Each batch holds P digits with K images each. Batch-all averages over all
triplets that still cost something, batch-hard takes the hardest of each anchor;
hard mining from the first step may collapse all embeddings to one point, where
the loss stays at the margin. sheet.png shows held-out digits and the nearest
known ones; `tensorboard --logdir=triplet-output` shows the projector, and the
loss, the fraction of triplets that cost something, norms and distances.

The JSON file has some of the parameters of `examples/lessons/experiment.py`,
such as {"triplet_strategy": "batch_hard", "learning_rate": 1e-4, "margin": 1};
results.json has all of them beside what they gave.
"""
from examples import command_line
from examples.lessons import experiment

if __name__ == '__main__':
  # --help needs no TensorFlow, which loads here.
  flags_ = command_line.start(command_line.lesson(
      __doc__, steps='num_epochs of the experiment',
      params=experiment.FLAG))

import itertools
import json

import numpy as np
from PIL import Image
import tensorflow.compat.v1 as tf
import tf_slim as slim

from datasets.reading import class_batches
from examples.lessons import lesson
from image_classifier.losses import collapse
from image_classifier.losses import metric_learning
from slim_common import atomic_files

_SIZE, _KNOWN, _SUMMARIZE_EVERY = 28, 1000, 10


def embed(images, params, is_training=False):
  """Returns float32 [batch, size]: two convolutions, a dense layer, no norm.

  Args:
    images: float32 [batch, 28, 28, 1].
    params: an `experiment.Experiment`.
    is_training: whether batch normalization uses the statistics of the batch.
  """
  if params.image_size != _SIZE:
    images = tf.image.resize_images(images, 2 * [params.image_size])
  with tf.variable_scope('Triplet', reuse=tf.AUTO_REUSE), slim.arg_scope(
      [slim.conv2d],
      normalizer_fn=slim.batch_norm if params.use_batch_norm else None,
      normalizer_params={
          'decay': params.bn_momentum, 'is_training': is_training}):
    net = slim.conv2d(images, params.num_channels, 3, scope='conv1')
    net = slim.max_pool2d(net, 2)
    net = slim.conv2d(net, 2 * params.num_channels, 3, scope='conv2')
    net = slim.max_pool2d(net, 2)
    return slim.fully_connected(
        slim.flatten(net), params.embedding_size, activation_fn=None,
        scope='embedding')


def make_steps(classes, embeddings, params):
  """Returns what trains an experiment, and what there is to see.

  Args:
    classes: int64 [batch].
    embeddings: float32 [batch, size].
    params: an `experiment.Experiment`.

  Returns:
    (steps, seen): the operations of the first and the second half of the
    training; and a dict of float32 scalars for the summaries.
  """
  arguments = classes, embeddings, params.margin
  batch_all, fraction = metric_learning.batch_all_triplet_loss(
      *arguments, squared=params.squared)
  losses = {'batch_all': batch_all,
            'batch_hard': metric_learning.batch_hard_triplet_loss(
                *arguments, squared=params.squared)}
  halves = [('batch_all', 1), ('batch_hard', 0.1)]
  if params.triplet_strategy in losses:
    halves = [(params.triplet_strategy, 1)] * 2
  with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
    steps = [tf.train.AdamOptimizer(params.learning_rate * factor).minimize(
        losses[name]) for name, factor in halves]
  return steps, dict(metric_learning.statistics(*arguments), **dict(
      losses, fraction_positive=fraction))


def run(flags):
  """Trains with the strategy; returns accuracies and what fell."""
  params = flags.params
  pictures = tf.placeholder(tf.float32, [None, _SIZE, _SIZE, 1])
  classes = tf.placeholder(tf.int64, [None])
  steps, seen = make_steps(
      classes, embed(pictures, params, is_training=True), params)
  embeddings = embed(pictures, params)
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())

    def embed_all(values):
      return session.run(embeddings, {pictures: values})

    before = _accuracy(embed_all, params)
    fractions, values = _train(
        session, steps, seen, flags, (pictures, classes))
    after = _accuracy(embed_all, params)
    _draw(flags, embed_all)
  results = {
      'nearest_accuracy_before': before, 'nearest_accuracy_after': after,
      'fraction_positive_first': fractions[0],
      'fraction_positive_last': float(np.mean(fractions[-5:])),
      'mean_norm': float(values['mean_norm']),
      'diagnosis': collapse.message(
          values['batch_hard'], params.margin,
          values['negative_distance']) or 'not collapsed',
      'picture': lesson.path(flags, 'sheet.png')}
  with atomic_files.publish(lesson.path(flags, 'results.json')) as output:
    output.write(json.dumps(dict(
        results, params=params._asdict(), seed=flags.seed,
        fractions=fractions), indent=2) + '\n')
  return results


def _train(session, steps, seen, flags, placeholders):
  """Trains; returns the fractions of positive triplets, and what is seen last.
  """
  params = flags.params
  images, labels = lesson.digits(count=params.train_size)
  count = flags.steps or max(
      1, params.num_epochs * len(labels) // params.batch_size)
  order = class_batches.batches(
      labels, experiment.CLASSES, params.batch_size // experiment.CLASSES,
      flags.seed)
  summaries = tf.summary.merge(
      [tf.summary.scalar(name, value) for name, value in seen.items()])
  fractions = []
  with tf.summary.FileWriter(flags.output_dir) as writer:
    for number, batch in enumerate(itertools.islice(order, count)):
      feeds = dict(zip(placeholders, (images[batch], labels[batch])))
      if number % _SUMMARIZE_EVERY == 0:
        writer.add_summary(session.run(summaries, feeds), number)
      _, fraction = session.run(
          [steps[2 * number // count], seen['fraction_positive']], feeds)
      fractions.append(float(fraction))
  return fractions, session.run(seen, feeds)


def _accuracy(embed_all, params):
  known = lesson.digits(count=_KNOWN)
  queries = lesson.digits('t10k', params.eval_size)
  return lesson.nearest_accuracy(
      embed_all(known[0]), known[1], embed_all(queries[0]), queries[1])


def _draw(flags, embed_all):
  """Writes the sheet, and the files of TensorBoard's projector."""
  known, _ = lesson.digits(count=_KNOWN)
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
  lesson.main(run, flags_)
