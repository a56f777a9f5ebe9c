"""How good is LeNet as a 64-number embedding: three trainings, several seeds.

  python -m examples.lessons.compare_embeddings

The accuracy of the nearest neighbor among 4,000 known digits, on 1,000 others:
of the untrained network, of batch-hard triplets, and of the features before the
softmax of a classifier. All see the same number of batches of the same size.
examples/README.md has the table of --seeds=5, accuracies.md in --output_dir.
"""
from examples import command_line

if __name__ == '__main__':
  # --help needs no TensorFlow, which loads here.
  flags_ = command_line.start(command_line.lesson(
      __doc__, steps=100, seeds={
          'type': command_line.positive, 'default': 2,
          'help': 'number of seeds (default: %(default)s)'}))

import numpy as np
import tensorflow.compat.v1 as tf

from datasets.reading import class_batches
from examples.lessons import lesson
from image_classifier.losses import metric_learning
from nets import nets_factory
from slim_common import atomic_files

KINDS = ('untrained', 'batch hard', 'softmax features')
_CLASSES, _SAMPLES = 10, 6


def accuracy(kind, steps, seed):
  """Trains one embedding; returns its 1-NN accuracy."""
  images, labels = lesson.digits()
  with tf.Graph().as_default(), tf.Session() as session:
    tf.set_random_seed(seed)
    inputs = tf.placeholder(tf.float32, [None, 28, 28, 1])
    classes = tf.placeholder(tf.int64, [None])
    network = nets_factory.get_network_fn('lenet', 64, is_training=False)
    embeddings, _ = network(inputs - 0.5)
    if kind == 'softmax features':
      loss = tf.losses.sparse_softmax_cross_entropy(
          classes, _classify(embeddings))
    else:
      loss = metric_learning.batch_hard_triplet_loss(classes, embeddings, 0.5)
    step = tf.train.AdamOptimizer(3e-4).minimize(loss)
    session.run(tf.global_variables_initializer())
    order = class_batches.batches(labels, _CLASSES, _SAMPLES, seed)
    for _ in range(0 if kind == 'untrained' else steps):
      batch = next(order)
      session.run(step, {inputs: images[batch], classes: labels[batch]})
    queries, query_labels = lesson.digits('t10k')
    known = np.concatenate([
        session.run(embeddings, {inputs: part})
        for part in np.array_split(images, 8)])
    return lesson.nearest_accuracy(
        known, labels, session.run(embeddings, {inputs: queries}),
        query_labels)


def _classify(features):
  """Returns logits of features that are rectified, as a last layer's are."""
  weights = tf.get_variable(
      'classes/weights', [64, 10], initializer=tf.glorot_uniform_initializer())
  return tf.matmul(tf.nn.relu(features), weights)


def table(found):
  """Returns the lines of a Markdown table of {kind: accuracies}."""
  count = len(next(iter(found.values())))
  lines = [['embedding', 'mean', 'lowest', 'highest'] + [
      'run %d' % number for number in range(1, count + 1)]]
  lines.append(['---'] * len(lines[0]))
  for kind, values in found.items():
    lines.append([kind] + ['%.3f' % value for value in [
        np.mean(values), min(values), max(values)] + values])
  return ['| %s |' % ' | '.join(cells) for cells in lines]


def run(flags):
  """Prints mean and spread over the seeds; writes them as a table."""
  found = {kind: [accuracy(kind, flags.steps, flags.seed + number)
                  for number in range(flags.seeds)] for kind in KINDS}
  with atomic_files.publish(lesson.path(flags, 'accuracies.md')) as output:
    output.write('\n'.join(table(found)) + '\n')
  picture = lesson.path(flags, 'accuracies.png')
  lesson.draw_spread(picture, found, '1-NN accuracy, a mark a seed')
  return dict({kind: 'mean %.4f, from %.4f to %.4f' % (
      np.mean(values), min(values), max(values))
               for kind, values in found.items()}, picture=picture)


if __name__ == '__main__':
  lesson.main(run, flags_)
