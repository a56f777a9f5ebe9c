"""model_deploy.deploy: whole training graphs."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from deployment import model_deploy


def _classifier(inputs, labels, use_batch_norm=True):
  net = inputs
  if use_batch_norm:
    net = slim.batch_norm(net, decay=0.1)
  net = slim.fully_connected(
      net, 1, activation_fn=tf.sigmoid,
      weights_regularizer=slim.l2_regularizer(0.01))
  tf.losses.log_loss(labels, net)
  tf.summary.scalar('average', tf.reduce_mean(net))


def _data():
  rng = np.random.RandomState(1)
  labels = np.arange(16) % 2
  inputs = rng.uniform(0, 1, (16, 4))
  inputs[np.arange(16), labels] += 2
  return tf.constant(inputs, tf.float32), tf.constant(
      labels[:, None], tf.float32)


def _deploy(optimizer=True, summarize_gradients=False, **config):
  return model_deploy.deploy(
      model_deploy.DeploymentConfig(**config), _classifier, _data(),
      optimizer=tf.train.GradientDescentOptimizer(1.0) if optimizer else None,
      summarize_gradients=summarize_gradients)


def _names_of_summaries(model):
  return sorted(op.op.name for op in model.summary_op.op.inputs)


@pytest.mark.parametrize('num_clones', [1, 2])
def test_classifier_learns(num_clones):
  tf.set_random_seed(0)
  model = _deploy(num_clones=num_clones, clone_on_cpu=True)
  step = tf.train.get_global_step()
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    losses = [session.run(model.train_op) for _ in range(30)]
    assert session.run(step) == 30
    assert session.run(model.total_loss) < losses[-1]
  assert losses[-1] < 0.3 * losses[0]


def test_names_and_devices_of_one_clone():
  model = _deploy()
  assert (model.train_op.op.name, model.train_op.op.device) == (
      'train_op', '/device:CPU:0')
  assert (model.total_loss.op.name, model.total_loss.op.device) == (
      'total_loss', '/device:CPU:0')
  assert model.summary_op.op.name == 'summary_op/summary_op'
  assert _names_of_summaries(model) == [
      'Losses/clone_loss', 'Losses/regularization_loss', 'average',
      'total_loss_1']
  graph = tf.get_default_graph()
  for name in ('clone_loss', 'regularization_loss'):
    assert graph.get_operation_by_name(name).device == '/device:GPU:0'
  assert not [op for op in graph.get_operations() if 'sum_grads' in op.name]


def test_names_and_devices_of_two_clones():
  model = _deploy(num_clones=2)
  assert _names_of_summaries(model) == [
      'clone_0/Losses/clone_0//clone_loss',
      'clone_0/Losses/regularization_loss', 'clone_0/average', 'total_loss_1']
  graph = tf.get_default_graph()
  for name, device in (
      ('clone_0/clone_loss', 'GPU:0'), ('clone_0/scaled_clone_loss', 'GPU:0'),
      ('clone_0/regularization_loss', 'GPU:0'),
      ('clone_1/clone_loss', 'GPU:1'), ('clone_1/scaled_clone_loss', 'GPU:1'),
      ('total_loss', 'CPU:0'), ('global_step', 'CPU:0'),
      ('BatchNorm/beta/sum_grads', 'CPU:0'),
      ('fully_connected/weights/sum_grads', 'CPU:0'),
      ('fully_connected/biases/sum_grads', 'CPU:0')):
    assert graph.get_operation_by_name(name).device == '/device:' + device


def test_placement_with_parameter_servers():
  model = _deploy(num_clones=2, num_ps_tasks=2, num_replicas=4)
  server = '/job:ps/task:%d/device:CPU:0'
  assert [v.op.device for v in slim.get_model_variables()] == [
      server % task for task in (0, 1, 0, 1, 0)]
  assert tf.train.get_global_step().op.device == server % 0
  assert model.total_loss.op.device == '/job:worker/device:CPU:0'
  graph = tf.get_default_graph()
  assert graph.get_operation_by_name('clone_1/clone_loss').device == (
      '/job:worker/device:GPU:1')
  assert graph.get_operation_by_name('BatchNorm/beta/sum_grads').device == (
      '/job:worker/device:CPU:0')


@pytest.mark.parametrize('config, device', [
    (dict(num_clones=1), '/device:CPU:0'),
    (dict(num_clones=2), '/device:CPU:0'),
    (dict(num_clones=2, clone_on_cpu=True), '/device:CPU:0'),
    (dict(num_clones=2, num_ps_tasks=1), '/job:worker/device:CPU:0')])
@pytest.mark.parametrize('optimizer', [True, False])
def test_every_summary_is_on_the_cpu(config, device, optimizer):
  """Those of losses, gradients and the model function, and what merges them."""
  model = _deploy(optimizer, summarize_gradients=True, **config)
  assert {'average', 'regularization_loss', 'total_loss_1'} <= {
      name.split('/')[-1] for name in _names_of_summaries(model)}
  assert model.summary_op.device == device
  assert {summary.device for summary in model.summary_op.op.inputs} == {device}
  # Those of the other clones are not merged.
  summaries = [op for op in tf.get_default_graph().get_operations()
               if op.type.endswith('Summary')]
  assert {op.device for op in summaries} == {device}
  assert len(summaries) >= (11 if optimizer else 5)


def test_summaries_of_gradients():
  model = _deploy(summarize_gradients=True, num_clones=2, clone_on_cpu=True)
  names = _names_of_summaries(model)
  for variable in ('BatchNorm/beta', 'fully_connected/weights',
                   'fully_connected/biases'):
    assert variable + '_gradient' in names
    assert variable + '_gradient_norm' in names
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    written = tf.Summary.FromString(session.run(model.summary_op))
  assert sorted(value.tag for value in written.value) == names


def test_earlier_summaries_are_kept():
  tf.summary.scalar('learning_rate', 0.5)
  model = _deploy(num_clones=2, clone_on_cpu=True)
  assert 'learning_rate' in _names_of_summaries(model)
  assert 'clone_1/average' not in _names_of_summaries(model)


def test_without_optimizer():
  model = _deploy(optimizer=False, num_clones=2, clone_on_cpu=True)
  assert model.train_op is None
  assert tf.train.get_global_step() is None
  parts = tf.losses.get_losses() + tf.losses.get_regularization_losses()
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    total, (first, second, regularization) = session.run(
        (model.total_loss, parts))
  assert total == pytest.approx((first + second) / 2 + regularization)


def test_update_ops_of_the_first_clone_alone_run():
  batches = iter([[1., 2, 3, 6], [10., 20, 30, 60]])

  def normalized():
    net = tf.reshape(tf.constant(next(batches)), [4, 1, 1, 1])
    net = slim.batch_norm(net, decay=0.9, fused=True)
    tf.losses.add_loss(tf.reduce_sum(net))

  model = model_deploy.deploy(
      model_deploy.DeploymentConfig(num_clones=2, clone_on_cpu=True),
      normalized, optimizer=tf.train.GradientDescentOptimizer(0.1))
  mean, = slim.get_variables_by_name('moving_mean')
  variance, = slim.get_variables_by_name('moving_variance')
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    session.run(model.train_op)
    mean, variance = session.run([mean, variance])
  # 0.1 * 3, and 0.9 + 0.1 * 14 / 3 of the unbiased variance.
  np.testing.assert_allclose(mean, [0.3], atol=1e-6)
  np.testing.assert_allclose(variance, [1.3666668], atol=1e-6)


def test_one_and_four_clones_end_with_the_same_weights():
  weights = []
  for num_clones in (1, 4):
    inputs, labels = np.random.RandomState(2).uniform(0, 1, (2, 8, 3))
    batches = iter(list(zip(
        np.split(inputs, num_clones), np.split(labels, num_clones))))

    def regression(batches):
      inputs, labels = next(batches)
      net = slim.fully_connected(
          tf.constant(inputs, tf.float32), 3,
          weights_initializer=tf.ones_initializer())
      tf.losses.mean_squared_error(labels, net)

    with tf.Graph().as_default():
      model = model_deploy.deploy(
          model_deploy.DeploymentConfig(num_clones, clone_on_cpu=True),
          regression, [batches], optimizer=tf.train.MomentumOptimizer(0.1, 0.9))
      with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for _ in range(5):
          session.run(model.train_op)
        weights.append(session.run(slim.get_model_variables()))
  assert len(weights[0]) == len(weights[1]) == 2
  for one, four in zip(*weights):
    np.testing.assert_allclose(one, four, atol=1e-6)
