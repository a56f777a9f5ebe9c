"""Random numbers that depend on seed, operation and step, in any session."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from image_classifier.train import stateless_random
from nets import nets_factory
from nets.nasnet import nasnet

_LARGE = 2 ** 40


def _in_a_session(fetches, step_numbers, step):
  """Evaluates `fetches` at steps, in a separate session."""
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    values = []
    for number in step_numbers:
      session.run(tf.assign(step, number))
      values.append(session.run(fetches))
    return values


def _global_step():
  tf.set_random_seed(1)
  return tf.train.get_or_create_global_step()


@pytest.mark.parametrize('sample', [
    tf.random_uniform, tf.random_normal, tf.truncated_normal])
def test_the_step_decides(sample):
  step = _global_step()
  both = tf.stack([sample([50], name=name) + 1.0 for name in 'ab'])
  assert len(stateless_random.tie_to_step(3, step)) == 2
  first, second, again, large = _in_a_session(
      both, [0, 1, 0, _LARGE], step)
  np.testing.assert_array_equal(first, again)
  for one, other in ((first, second), (first, large), (first, first[::-1])):
    assert not np.isclose(one, other).all(axis=1).any()


def test_the_distributions_stay():
  step = _global_step()
  samples = [tf.random_uniform([20000], 2.0, 4.0),
             tf.random_normal([20000], 1.0, 2.0)]
  stateless_random.tie_to_step(3, step)
  (uniform, normal), = _in_a_session(samples, [5], step)
  assert 2 <= uniform.min() < 2.01 and 3.99 < uniform.max() < 4
  np.testing.assert_allclose(
      [normal.mean(), normal.std()], [1, 2], atol=0.05)


def test_the_seed_and_the_name_decide():
  values = []
  for seed, name in ((3, 'a'), (3, 'b'), (4, 'a'), (2 ** 31 - 1, 'a')):
    with tf.Graph().as_default():
      step = _global_step()
      # Operations built before make no difference.
      tf.constant(len(values))
      sample = tf.random_uniform([50], name=name) * 1.0
      stateless_random.tie_to_step(seed, step)
      values += _in_a_session(sample, [7], step)
  assert len({tuple(value) for value in values}) == 4


def test_initial_values_stay():
  step = _global_step()
  variable = tf.get_variable('w', [5])
  noise = tf.get_variable('n', initializer=tf.random_normal([5]))
  assert stateless_random.operations() == []
  assert stateless_random.tie_to_step(3, step) == []
  _in_a_session([variable, noise], [0], step)


def test_a_branch_samples_inside():
  step = _global_step()
  take = tf.placeholder_with_default(True, [])
  net = tf.cond(take, lambda: tf.random_uniform([4]), lambda: tf.zeros([4]))
  if not stateless_random.tie_to_step(3, step):
    pytest.skip('branches are functions on this TensorFlow')
  first, again = _in_a_session(net, [2, 2], step)
  np.testing.assert_array_equal(first, again)


def _small_nasnet():
  config = nasnet.cifar_config()
  config.num_cells = 3
  return {'config': config}


@pytest.mark.parametrize('name, shape, make_arguments, minimum', [
    ('lenet', [2, 28, 28, 1], dict, 1),
    ('mobilenet_v1_025', [2, 32, 32, 3], dict, 1),
    ('nasnet_cifar', [2, 32, 32, 3], _small_nasnet, 10)])
def test_networks(name, shape, make_arguments, minimum):
  step = _global_step()
  network = nets_factory.get_network_fn(name, 3, is_training=True)
  network(tf.ones(shape), **make_arguments())
  replaced = stateless_random.tie_to_step(3, step)
  assert len(replaced) >= minimum
  left = [op for op in tf.get_default_graph().get_operations()
          if op.name in replaced and op.outputs[0].consumers()]
  assert not left


def test_dropout_and_its_gradient_agree():
  step = _global_step()
  images = tf.ones([1, 1000])
  net = tf.nn.dropout(images, rate=0.5)
  stateless_random.tie_to_step(3, step)
  gradient = tf.gradients(net, images)[0]
  (first, slope), (again, _) = _in_a_session([net, gradient], [4, 4], step)
  np.testing.assert_array_equal(first, slope)
  np.testing.assert_array_equal(first, again)
  assert 400 < (first == 0).sum() < 600
