"""What slim's own loops need for a network on the bundled digits.

  python -m benchmarks.contenders.slim_program train DATA_DIR TRAIN_DIR NETWORK
      BATCH_SIZE
  python -m benchmarks.contenders.slim_program evaluate (the same)
  python -m benchmarks.contenders.slim_program step (the same)

One training step by tf_slim.learning, or 1,000 test images by
tf_slim.evaluation: what a program of a user of tf_slim alone does, with this
project's network, preprocessing and description of the dataset. The training
has the losses of slim's own training program and writes its summaries: of
activations, weights, losses and learning rate. `step` makes the same step
without files, input, summaries and checkpoints: what TensorFlow itself takes.
"""
import sys

import tensorflow.compat.v1 as tf
import tf_slim as slim

from datasets import dataset_factory
from nets import nets_factory
from preprocessing import preprocessing_factory

_IMAGES, _CLASSES = 1000, 10
# As in slim's training program; how long the decay takes is no matter here.
_WEIGHT_DECAY, _LEARNING_RATE = 4e-5, 0.01
_DECAY_FACTOR, _DECAY_STEPS = 0.94, 200
_AUXILIARY_WEIGHT = 0.4


def _network_fn(network, is_training):
  return nets_factory.get_network_fn(
      network, _CLASSES, _WEIGHT_DECAY, is_training)


def _batch(split, data_dir, network, batch_size, is_training):
  """Returns images and labels."""
  provider = slim.dataset_data_provider.DatasetDataProvider(
      dataset_factory.get_dataset('mnist', split, data_dir),
      shuffle=is_training, common_queue_capacity=20 * batch_size,
      common_queue_min=10 * batch_size)
  image, label = provider.get(['image', 'label'])
  if network != 'lenet':
    image = tf.image.grayscale_to_rgb(image)
  size = _network_fn(network, is_training).default_image_size
  image = preprocessing_factory.get_preprocessing(network, is_training)(
      image, size, size)
  return tf.train.batch(
      [image, label], batch_size, num_threads=4, capacity=5 * batch_size)


def _training(images, labels, network):
  """Returns the operation of a step, the learning rate and the end points."""
  logits, end_points = _network_fn(network, True)(images)
  if 'AuxLogits' in end_points:
    tf.losses.sparse_softmax_cross_entropy(
        labels, end_points['AuxLogits'], _AUXILIARY_WEIGHT)
  tf.losses.sparse_softmax_cross_entropy(labels, logits)
  rate = tf.train.exponential_decay(
      _LEARNING_RATE, tf.train.get_or_create_global_step(), _DECAY_STEPS,
      _DECAY_FACTOR, staircase=True)
  train_op = slim.learning.create_train_op(
      tf.losses.get_total_loss(), tf.train.MomentumOptimizer(rate, 0.9))
  return train_op, rate, end_points


def _summarize(end_points, rate):
  """Adds the summaries of slim's training program."""
  for name, end_point in end_points.items():
    tf.summary.histogram('activations/' + name, end_point)
    tf.summary.scalar('sparsity/' + name, tf.nn.zero_fraction(end_point))
  for loss in tf.losses.get_losses():
    tf.summary.scalar('losses/' + loss.op.name, loss)
  for variable in slim.get_model_variables():
    tf.summary.histogram(variable.op.name, variable)
  tf.summary.scalar('learning_rate', rate)


def train(data_dir, train_dir, network, batch_size):
  """Makes one step and saves it."""
  train_op, rate, end_points = _training(
      *_batch('train', data_dir, network, int(batch_size), True), network)
  _summarize(end_points, rate)
  slim.learning.train(train_op, train_dir, number_of_steps=1)


def step(unused_data_dir, unused_train_dir, network, batch_size):
  """Makes one step on a batch in memory and saves nothing."""
  size = _network_fn(network, True).default_image_size
  shape = [int(batch_size), size, size, 1 if network == 'lenet' else 3]
  train_op, _, _ = _training(
      tf.random.uniform(shape, -1, 1), tf.zeros(shape[:1], tf.int64), network)
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    session.run(train_op)


def evaluate(data_dir, train_dir, network, batch_size):
  """Counts the right answers among the test images."""
  images, labels = _batch('test', data_dir, network, int(batch_size), False)
  logits, _ = _network_fn(network, False)(images)
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
  {'train': train, 'evaluate': evaluate, 'step': step}[sys.argv[1]](
      *sys.argv[2:])
