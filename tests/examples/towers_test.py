"""The towers of examples/, on virtual CPU devices."""
import io
import re

import numpy as np
from PIL import Image
import pytest
import tensorflow.compat.v1 as tf

from datasets import dataset_utils
from examples import command_line
from examples import towers
from examples import train_cifar10_multi_gpu
from nets import nets_factory


def _linear(num_towers, steps=5):
  """Trains a linear model on towers.

  Returns:
    (weights, gradient): the last weights, and the first mean gradient.
  """
  random = np.random.RandomState(0)
  inputs = random.uniform(-1, 1, [8, 3]).astype(np.float32)
  targets = random.uniform(-1, 1, [8, 1]).astype(np.float32)
  with tf.Graph().as_default():
    optimizer, gradients = tf.train.GradientDescentOptimizer(0.5), []
    for i, (part, target) in enumerate(zip(
        towers.split(tf.constant(inputs), num_towers),
        towers.split(tf.constant(targets), num_towers))):
      device = towers.tower_device('/device:CPU:%d' % i)
      with tf.device(device), tf.variable_scope('model', reuse=i > 0):
        weights = tf.get_variable('weights', [3, 1], initializer=(
            tf.constant_initializer([1.0, 2.0, 3.0])))
        outputs = tf.matmul(part, weights)
        gradients.append(optimizer.compute_gradients(
            tf.reduce_mean(tf.square(outputs - target))))
    assert outputs.op.device == '/device:CPU:%d' % (num_towers - 1)
    assert [v.device for v in tf.trainable_variables()] == ['/device:CPU:0']
    averages = towers.average_gradients(gradients)
    step = optimizer.apply_gradients(averages)
    with tf.Session(config=tf.ConfigProto(
        device_count={'CPU': num_towers})) as session:
      session.run(tf.global_variables_initializer())
      first = session.run(averages[0][0])
      for _ in range(steps):
        session.run(step)
      return session.run(weights), first


def test_number_of_towers_does_not_matter():
  """Gradients differ by the rounding of sums, which have another order.

  A unit in the last place of a float32 between 1/4 and 1/2 is 3e-8; how many of
  them two sums of 8 numbers differ by depends on the machine.
  """
  expected, gradient = _linear(1)
  for num_towers in (2, 4):
    weights, found = _linear(num_towers)
    np.testing.assert_allclose(weights, expected, atol=1e-6)
    np.testing.assert_allclose(
        found, gradient, rtol=0, atol=8 * np.spacing(np.abs(gradient).max()))
  assert np.spacing(np.float32(.25)) == pytest.approx(3e-8, abs=5e-10)


def test_unused_variables_and_sparse_gradients():
  table, unused = tf.Variable(tf.ones([4, 2])), tf.Variable(1.0)
  optimizer = tf.train.GradientDescentOptimizer(1.0)
  losses = [tf.reduce_sum(tf.gather(table, [0, 2])),
            tf.reduce_sum(tf.gather(table, [2])) * unused]
  averages = towers.average_gradients(
      [optimizer.compute_gradients(loss, [table, unused]) for loss in losses])
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    found = session.run([gradient for gradient, _ in averages])
  np.testing.assert_allclose(found[0], [[.5, .5], [0, 0], [1, 1], [0, 0]])
  assert found[1] == 1.0  # (0 + 2) / 2
  assert [variable for _, variable in averages] == [table, unused]


def test_unequal_parts_are_refused():
  with pytest.raises(ValueError, match=re.escape(
      'A batch of 9 cannot be split equally among 2 devices, and with unequal '
      'parts the mean of their gradients is not that of the batch: use a '
      'multiple of 2.')):
    towers.split(tf.zeros([9, 1]), 2)


def test_lenet_shares_its_weights():
  train_op, loss, accuracy = towers.build(
      tf.zeros([4, 28, 28, 1]), tf.zeros([4], tf.int64),
      tf.train.GradientDescentOptimizer(0.1), 2)
  assert len(tf.trainable_variables()) == 8
  with tf.Session(config=tf.ConfigProto(device_count={'CPU': 2})) as session:
    session.run(tf.global_variables_initializer())
    values = [session.run([train_op, loss, accuracy])[1:] for _ in range(20)]
  assert values[-1][0] < values[0][0]
  assert values[-1][1] == 1.0


@pytest.fixture(scope='module')
def cifar(tmp_path_factory):
  """A directory with 40 random images as CIFAR-10's training split."""
  directory = tmp_path_factory.mktemp('cifar')
  random = np.random.RandomState(0)
  with tf.io.TFRecordWriter(str(directory / 'cifar10_train.tfrecord')) as file:
    for i in range(40):
      png = io.BytesIO()
      Image.fromarray(random.randint(0, 255, [32, 32, 3]).astype(
          np.uint8)).save(png, 'PNG')
      file.write(dataset_utils.image_to_tfexample(
          png.getvalue(), b'png', 32, 32, i % 10).SerializeToString())
  return directory


@pytest.mark.slow
def test_cifar10_on_two_gpus_or_what_there_is(cifar, tmp_path, capsys):
  flags = command_line.cifar10('', [
      '--num_gpus=2', '--max_steps=3', '--batch_size=4',
      '--train_dir=%s' % tmp_path, '--data_dir=%s' % cifar])
  assert train_cifar10_multi_gpu.train(flags) == 3
  assert re.search(r'step 1, loss = \d+\.\d\d \(\d+\.\d examples/s',
                   capsys.readouterr().out)
  reader = tf.train.NewCheckpointReader(str(tmp_path / 'model.ckpt-3'))
  assert reader.get_tensor('global_step') == 3
  names = reader.get_variable_to_shape_map()
  assert 'CifarNet/conv1/weights/ExponentialMovingAverage' in names
  assert not [name for name in names if 'tower' in name]


def test_digits_stand_for_photographs(tmp_path):
  flags = command_line.cifar10('', [
      '--digits', '--num_gpus=2', '--max_steps=3', '--batch_size=4',
      '--train_dir=%s' % tmp_path])
  assert train_cifar10_multi_gpu.train(flags) == 3
  assert Image.open(str(tmp_path / 'loss.png')).size[0] == 640


def test_towers_learn_the_digits_that_come_with_the_project(tmp_path):
  losses = towers.main(command_line.towers('', [
      '--steps=20', '--batch_size=16',
      '--output_dir=%s' % (tmp_path / 'new')]))['loss']
  assert np.mean(losses[-5:]) < np.mean(losses[:5]) - .3
  assert (tmp_path / 'new' / 'curves.png').exists()
  assert len(tf.trainable_variables()) == 8


def _gradients(num_towers):
  """Returns the mean gradients of LeNet in evaluation mode, and variables."""
  tf.set_random_seed(0)
  random = np.random.RandomState(0)
  images = tf.constant(random.uniform(-.1, .1, [8, 28, 28, 1]).astype(
      np.float32))
  labels = tf.constant(random.randint(10, size=8))
  optimizer, of_towers = tf.train.GradientDescentOptimizer(.1), []
  for i, (part, own) in enumerate(zip(
      towers.split(images, num_towers), towers.split(labels, num_towers))):
    with tf.device(towers.tower_device('/device:CPU:%d' % i)), (
        tf.variable_scope('', reuse=i > 0)):
      logits, _ = nets_factory.get_network_fn('lenet', 10)(part)
      of_towers.append(optimizer.compute_gradients(
          tf.losses.sparse_softmax_cross_entropy(own, logits)))
  return [gradient for gradient, _ in towers.average_gradients(of_towers)]


def test_gradients_are_those_of_the_whole_batch():
  values, weights = [], None
  for num_towers in (1, 2, 4):
    with tf.Graph().as_default(), tf.Session(config=tf.ConfigProto(
        device_count={'CPU': 4})) as session:
      gradients = _gradients(num_towers)
      variables = tf.trainable_variables()
      assert len(variables) == 8
      session.run(tf.global_variables_initializer())
      weights = weights or session.run(variables)
      for variable, value in zip(variables, weights):
        variable.load(value, session)
      values.append(session.run(gradients))
  for found in values[1:]:
    for one, other in zip(found, values[0]):
      np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_loss_of_a_tower_has_two_terms_of_weight_decay():
  with tf.name_scope('tower_0') as scope:
    train_cifar10_multi_gpu.tower_loss(
        tf.zeros([2, 32, 32, 3]), tf.zeros([2], tf.int64), scope)
  assert len(tf.losses.get_losses('tower_0/')) == 3
  assert not tf.losses.get_regularization_losses()
  summaries = tf.get_collection(tf.GraphKeys.SUMMARIES)
  assert len(summaries) == 3
