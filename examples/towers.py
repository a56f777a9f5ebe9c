r"""Towers: a copy of LeNet on every device, with gradients averaged by hand.

  python -m examples.towers
  python -m examples.towers --data_dir=data/mnist --batch_size=1024 --steps=200

What `deployment.model_deploy` does for any network, here in one file: the batch
is split, the variables are on the CPU and shared by all towers, each tower has
a graph for training (with dropout) and one for testing, and the mean gradient
is applied once. Without GPUs the towers are on virtual CPU devices. Without
--data_dir the digits are those that come with the project. curves.png shows the
loss of all towers and the accuracy of the first.
"""
import os

from examples import command_line

if __name__ == '__main__':
  # --help needs no TensorFlow, which loads here.
  flags_ = command_line.start(command_line.towers(__doc__))

import tensorflow.compat.v1 as tf

from datasets import dataset_factory
from datasets.reading import input_pipeline
from deployment import devices
from examples.lessons import lesson
from nets import nets_factory
from preprocessing import preprocessing_factory

_VARIABLE_OPS = ('Variable', 'VariableV2', 'AutoReloadVariable', 'VarHandleOp')
_IMAGE_SIZE, _NUM_CLASSES = 28, 10


def tower_device(device, variables_device='/device:CPU:0'):
  """Returns a device function: variables on one device, the rest on another."""
  return lambda op: variables_device if op.type in _VARIABLE_OPS else device


def split(tensor, num_parts):
  """Splits a batch into equal parts; ValueError if there are none."""
  size = int(tensor.shape[0])
  if size % num_parts:
    raise ValueError(
        'A batch of %d cannot be split equally among %d devices, and with '
        'unequal parts the mean of their gradients is not that of the batch: '
        'use a multiple of %d.' % (size, num_parts, num_parts))
  return tf.split(tensor, num_parts)


def average_gradients(of_towers):
  """Averages the lists of (gradient, variable) that the towers computed.

  A tower whose loss does not depend on a variable has None, which counts as 0;
  sparse gradients are made dense.
  """
  averages = []
  for of_variable in zip(*of_towers):
    gradients = [tf.convert_to_tensor(gradient)
                 for gradient, _ in of_variable if gradient is not None]
    if gradients:
      averages.append((tf.add_n(gradients) / len(of_towers),
                       of_variable[0][1]))
  return averages


def build(images, labels, optimizer, num_devices, device_type='CPU'):
  """Builds the towers.

  Args:
    images: float32 [batch, 28, 28, 1].
    labels: int64 [batch].
    optimizer: a `tf.train.Optimizer`.
    num_devices: number of towers, of which the batch must be a multiple.
    device_type: 'CPU' or 'GPU'.

  Returns:
    (train_op, loss, accuracy): the accuracy is that of the first tower.
  """
  of_towers, losses, accuracies = [], [], []
  parts = zip(split(images, num_devices), split(labels, num_devices))
  for i, (tower_images, tower_labels) in enumerate(parts):
    with tf.device(tower_device('/device:%s:%d' % (device_type, i))), (
        tf.variable_scope(tf.get_variable_scope(), reuse=i > 0)):
      logits, _ = nets_factory.get_network_fn(
          'lenet', _NUM_CLASSES, is_training=True)(tower_images)
      losses.append(tf.losses.sparse_softmax_cross_entropy(
          tower_labels, logits))
      of_towers.append(optimizer.compute_gradients(losses[-1]))
    with tf.device(tower_device('/device:%s:%d' % (device_type, i))), (
        tf.variable_scope(tf.get_variable_scope(), reuse=True)):
      test_logits, _ = nets_factory.get_network_fn(
          'lenet', _NUM_CLASSES, is_training=False)(tower_images)
      accuracies.append(tf.reduce_mean(tf.cast(tf.equal(
          tf.argmax(test_logits, 1), tower_labels), tf.float32)))
  train_op = optimizer.apply_gradients(average_gradients(of_towers))
  return train_op, tf.add_n(losses) / num_devices, accuracies[0]


def _next_batch(data_dir, size):
  """Returns tensors (images, labels) of a batch, another one in every run."""
  if data_dir is None:
    images, labels = lesson.digits()
    batch, _ = input_pipeline.next_batch(tf.data.Dataset.from_tensor_slices(
        (images - 0.5, labels)).shuffle(len(labels)).repeat().batch(
            size, drop_remainder=True))
    return batch
  preprocess = preprocessing_factory.get_preprocessing('lenet', True)
  batch, _ = input_pipeline.next_batch(input_pipeline.training_batches(
      dataset_factory.get_dataset('mnist', 'train', data_dir),
      lambda image: preprocess(image, _IMAGE_SIZE, _IMAGE_SIZE), size))
  return batch.images, batch.labels


def train(options):
  """Trains; returns dict {'loss', 'accuracy'} of lists, a number a step."""
  images, labels = _next_batch(
      options.data_dir, options.batch_size * options.num_devices)
  train_op, loss, accuracy = build(
      images, labels, tf.train.AdamOptimizer(0.001),
      options.num_devices, 'GPU' if devices.available_gpus() else 'CPU')
  config = tf.ConfigProto(
      allow_soft_placement=True, device_count={'CPU': options.num_devices})
  curves = {'loss': [], 'accuracy': []}
  with tf.Session(config=config) as session:
    session.run([tf.global_variables_initializer(), tf.tables_initializer()])
    for step in range(1, options.steps + 1):
      _, *values = session.run([train_op, loss, accuracy])
      for curve, value in zip(curves.values(), values):
        curve.append(float(value))
      if step % 10 == 0 or step == options.steps:
        print('step %d  loss %.4f  accuracy %.4f' % (step, *values))
  return curves


def main(options):
  """Trains and draws; returns what `train` does."""
  os.makedirs(options.output_dir, exist_ok=True)
  picture = os.path.join(options.output_dir, 'curves.png')
  curves = train(options)
  # On one axis with the accuracy, which is at most 1.
  losses = [loss / curves['loss'][0] for loss in curves['loss']]
  lesson.draw_curves(
      picture, {'loss, relative to the first': losses,
                'accuracy of the first tower': curves['accuracy']},
      'Towers: %d, of %d images each' % (
          options.num_devices, options.batch_size))
  print('picture: %s' % picture)
  return curves


if __name__ == '__main__':
  main(flags_)
