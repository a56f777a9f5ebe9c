r"""Trains CifarNet on CIFAR-10 with a tower a GPU, and keeps averaged weights.

  python download_and_convert_data.py --dataset_name=cifar10 \
      --dataset_dir=/tmp/cifar10_data
  python -m examples.train_cifar10_multi_gpu --num_gpus=2

  python -m examples.train_cifar10_multi_gpu --digits --num_gpus=2

The towers, tower_0, tower_1, ..., share the weights on the CPU. The loss of a
tower is its cross-entropy plus the weight decay of two layers, the mean
gradient is applied once a step, and the averages of the weights (decay 0.9999)
are those to evaluate. Without GPUs everything runs on the CPU. --digits needs
no download: 30 steps on digits in random colors; a call without any flag does
the same where there is no /tmp/cifar10_data. loss.png is in --train_dir.
"""
import os
import time

from examples import command_line

if __name__ == '__main__':
  # --help needs no TensorFlow, which loads here.
  flags_ = command_line.start(command_line.cifar10(__doc__))

import numpy as np
import tensorflow.compat.v1 as tf
import tf_slim as slim

from datasets import dataset_factory
from datasets.reading import input_pipeline
from examples import towers
from examples.lessons import deep_cnn
from examples.lessons import lesson
from nets import nets_factory
from preprocessing import preprocessing_factory

_IMAGE_SIZE, _NUM_CLASSES = 32, 10
_AVERAGE_DECAY, _WEIGHT_DECAY = 0.9999, 0.004
_LOG_EVERY, _SUMMARIZE_EVERY, _SAVE_EVERY = 10, 100, 1000


def tower_loss(images, labels, scope):
  """Returns the loss of one tower, whose name scope is `scope`."""
  logits, _ = nets_factory.get_network_fn(
      'cifarnet', _NUM_CLASSES, weight_decay=0.0, is_training=True)(images)
  tf.losses.sparse_softmax_cross_entropy(labels, logits)
  for layer in ('fc3', 'fc4'):
    weights = slim.get_unique_variable('CifarNet/%s/weights' % layer)
    tf.losses.add_loss(_WEIGHT_DECAY * tf.nn.l2_loss(weights))
  losses = tf.losses.get_losses(scope)
  for loss in losses:
    # All towers under one name.
    tf.summary.scalar(loss.op.name[len(scope):], loss)
  return tf.add_n(losses, name='total_loss')


def build(batch, num_gpus, optimizer, global_step):
  """Builds the towers of a batch; returns (train_op, loss)."""
  gradients, losses = [], []
  parts = zip(towers.split(batch.images, num_gpus),
              towers.split(batch.labels, num_gpus))
  for i, (images, labels) in enumerate(parts):
    with tf.device(towers.tower_device('/device:GPU:%d' % i)), (
        tf.variable_scope(tf.get_variable_scope(), reuse=i > 0)), (
            tf.name_scope('tower_%d' % i)) as scope:
      losses.append(tower_loss(images, labels, scope))
      gradients.append(optimizer.compute_gradients(losses[-1]))
  step = optimizer.apply_gradients(
      towers.average_gradients(gradients), global_step)
  average = tf.train.ExponentialMovingAverage(_AVERAGE_DECAY, global_step)
  with tf.control_dependencies([step]):
    return average.apply(tf.trainable_variables()), (
        tf.add_n(losses) / num_gpus)


def _digits(prepare, size):
  """Returns a tf.data Dataset of batches of digits in random colors."""
  images, labels = lesson.digits()
  images = deep_cnn.colored(np.pad(
      images, [[0, 0], [2, 2], [2, 2], [0, 0]], 'constant'), 0)
  data = tf.data.Dataset.from_tensor_slices(
      input_pipeline.Batch(images.astype(np.uint8), labels))
  return data.shuffle(len(labels)).repeat().map(
      lambda batch: batch._replace(images=prepare(batch.images))).batch(
          size, drop_remainder=True)


def train(options):
  """Trains; returns the last step."""
  if options.digits:
    print('Digits in random colors stand for the photographs; for CIFAR-10 '
          'convert it, see --help, and give --data_dir.')
  with tf.Graph().as_default(), tf.device('/device:CPU:0'):
    preprocess = preprocessing_factory.get_preprocessing('cifarnet', True)
    size = options.batch_size * options.num_gpus

    def prepare(image):
      return preprocess(image, _IMAGE_SIZE, _IMAGE_SIZE)

    batches = _digits(prepare, size) if options.digits else (
        input_pipeline.training_batches(dataset_factory.get_dataset(
            'cifar10', 'train', options.data_dir), prepare, size))
    batch, _ = input_pipeline.next_batch(batches.prefetch(2))
    global_step = tf.train.get_or_create_global_step()
    optimizer = tf.train.GradientDescentOptimizer(0.1)
    if options.use_fp16:
      optimizer = (
          tf.train.experimental.enable_mixed_precision_graph_rewrite(optimizer))
    train_op, loss = build(batch, options.num_gpus, optimizer, global_step)
    config = tf.ConfigProto(
        allow_soft_placement=True,
        log_device_placement=options.log_device_placement)
    with tf.train.MonitoredTrainingSession(
        checkpoint_dir=options.train_dir, config=config,
        hooks=[tf.train.StopAtStepHook(last_step=options.max_steps)],
        save_checkpoint_steps=_SAVE_EVERY, save_checkpoint_secs=None,
        save_summaries_steps=_SUMMARIZE_EVERY) as session:
      step, losses = _run(session, train_op, loss, global_step, options)
  # One point a pixel is enough.
  lesson.draw_curves(
      os.path.join(options.train_dir, 'loss.png'),
      {'loss': losses[::max(1, len(losses) // 600)]},
      'Loss; towers: %d, of %d images each' % (
          options.num_gpus, options.batch_size))
  return step


def _run(session, train_op, loss, global_step, options):
  start, logged, losses = time.time(), None, []
  while not session.should_stop():
    _, value, step = session.run([train_op, loss, global_step])
    if not np.isfinite(value):
      raise ValueError('The loss is %s at step %d.' % (value, step))
    losses.append(float(value))
    if logged is None or step - logged >= _LOG_EVERY:
      seconds = (time.time() - start) / max(1, step - (logged or step - 1))
      print('step %d, loss = %.2f (%.1f examples/s; %.3f s/batch)' % (
          step, value, options.batch_size * options.num_gpus / seconds,
          seconds), flush=True)
      start, logged = time.time(), step
  return int(step), losses


if __name__ == '__main__':
  print('Finished at step %d: %s.' % (
      train(flags_), os.path.join(flags_.train_dir, 'checkpoint')))
