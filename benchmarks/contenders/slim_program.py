"""What slim's own loops need for a network on the bundled digits.

  python -m benchmarks.contenders.slim_program train DATA_DIR TRAIN_DIR NETWORK
      BATCH_SIZE
  python -m benchmarks.contenders.slim_program evaluate (the same)

One training step by tf_slim.learning, or 1,000 test images by
tf_slim.evaluation: what a program of a user of tf_slim alone does, with this
project's network, preprocessing and description of the dataset. The training
writes what slim's own training program does: summaries of activations, weights,
losses and learning rate.
"""
import sys

import tensorflow.compat.v1 as tf
import tf_slim as slim

from datasets import dataset_factory
from nets import nets_factory
from preprocessing import preprocessing_factory

_IMAGES = 1000


def _batch(split, data_dir, network, batch_size, is_training):
  """Returns the logits, end points and labels of a batch."""
  dataset = dataset_factory.get_dataset('mnist', split, data_dir)
  network_fn = nets_factory.get_network_fn(
      network, dataset.num_classes, is_training=is_training)
  provider = slim.dataset_data_provider.DatasetDataProvider(
      dataset, shuffle=is_training, common_queue_capacity=20 * batch_size,
      common_queue_min=10 * batch_size)
  image, label = provider.get(['image', 'label'])
  if network != 'lenet':
    image = tf.image.grayscale_to_rgb(image)
  size = network_fn.default_image_size
  image = preprocessing_factory.get_preprocessing(network, is_training)(
      image, size, size)
  images, labels = tf.train.batch(
      [image, label], batch_size, num_threads=4, capacity=5 * batch_size)
  return (*network_fn(images), labels)


def _summarize(end_points):
  """Adds the summaries of slim's training program."""
  for name, end_point in end_points.items():
    tf.summary.histogram('activations/' + name, end_point)
    tf.summary.scalar('sparsity/' + name, tf.nn.zero_fraction(end_point))
  for loss in tf.losses.get_losses():
    tf.summary.scalar('losses/' + loss.op.name, loss)
  for variable in slim.get_model_variables():
    tf.summary.histogram(variable.op.name, variable)
  tf.summary.scalar('learning_rate', 0.01)


def train(data_dir, train_dir, network, batch_size):
  """Makes one step and saves it."""
  logits, end_points, labels = _batch(
      'train', data_dir, network, int(batch_size), True)
  tf.losses.sparse_softmax_cross_entropy(labels, logits)
  _summarize(end_points)
  train_op = slim.learning.create_train_op(
      tf.losses.get_total_loss(), tf.train.MomentumOptimizer(0.01, 0.9))
  slim.learning.train(train_op, train_dir, number_of_steps=1)


def evaluate(data_dir, train_dir, network, batch_size):
  """Counts the right answers among the test images."""
  logits, _, labels = _batch('test', data_dir, network, int(batch_size), False)
  _, updates = slim.metrics.aggregate_metric_map({
      'accuracy': slim.metrics.streaming_accuracy(
          tf.argmax(logits, 1), labels)})
  tf.train.get_or_create_global_step()
  slim.evaluation.evaluate_once(
      '', tf.train.latest_checkpoint(train_dir), train_dir + '-evaluation',
      num_evals=_IMAGES // int(batch_size), eval_op=list(updates.values()))


if __name__ == '__main__':
  tf.disable_v2_behavior()
  tf.logging.set_verbosity(tf.logging.ERROR)
  {'train': train, 'evaluate': evaluate}[sys.argv[1]](*sys.argv[2:])
