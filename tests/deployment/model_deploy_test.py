import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from deployment import model_deploy

_RNG = np.random.RandomState(0)
_INPUTS = _RNG.uniform(-1, 1, (8, 4)).astype(np.float32)
_LABELS = (_RNG.uniform(0, 1, (8, 1)) < 0.5).astype(np.float32)
_WEIGHTS = np.float32([[0.5], [-1.0], [0.25], [2.0]])
_DECAY = 0.1


class _OneClonePerCpu(model_deploy.DeploymentConfig):
  """Puts clone i on virtual CPU i."""

  def clone_device(self, clone_index):
    return '/device:CPU:%d' % clone_index


def _logistic(batches):
  """Logistic regression; each call takes the next batch."""
  inputs, labels = next(batches)
  logits = slim.fully_connected(
      tf.constant(inputs), 1, activation_fn=None,
      weights_initializer=tf.constant_initializer(_WEIGHTS),
      weights_regularizer=slim.l2_regularizer(_DECAY))
  tf.losses.sigmoid_cross_entropy(labels, logits)
  return logits


def _batches(*sizes):
  ends = np.cumsum(sizes)
  return iter([(_INPUTS[end - size:end], _LABELS[end - size:end])
               for end, size in zip(ends, sizes)])


def _with_batch_norm(inputs, labels):
  net = slim.batch_norm(inputs, decay=0.1)
  net = slim.fully_connected(
      net, 1, activation_fn=tf.sigmoid,
      weights_regularizer=slim.l2_regularizer(0.01))
  tf.losses.log_loss(labels, net)
  tf.summary.scalar('average', tf.reduce_mean(net))
  return net


def _expected(inputs, labels):
  """Loss and gradients of _logistic in numpy."""
  probability = 1 / (1 + np.exp(-np.float64(inputs.dot(_WEIGHTS))))
  loss = -np.mean(labels * np.log(probability) +
                  (1 - labels) * np.log(1 - probability))
  error = (probability - labels) / len(labels)
  return (loss + _DECAY * np.sum(_WEIGHTS ** 2) / 2,
          inputs.T.dot(error) + _DECAY * _WEIGHTS, error.sum(0))


def _run(fetches, cpus=1):
  config = tf.ConfigProto(device_count={'CPU': cpus})
  with tf.Session(config=config) as session:
    session.run(tf.global_variables_initializer())
    return session.run(fetches)


def _optimize(sizes, config=model_deploy.DeploymentConfig, cpus=1):
  clones = model_deploy.create_clones(
      config(num_clones=len(sizes), clone_on_cpu=True), _logistic,
      [_batches(*sizes)])
  optimizer = tf.train.GradientDescentOptimizer(1.0)
  loss, grads = model_deploy.optimize_clones(clones, optimizer)
  assert [var.op.name for _, var in grads] == [
      'fully_connected/weights', 'fully_connected/biases']
  return _run([loss] + [grad for grad, _ in grads], cpus)


def test_defaults():
  config = model_deploy.DeploymentConfig()
  assert (config.num_clones, config.clone_on_cpu) == (1, False)
  assert (config.replica_id, config.num_replicas) == (0, 1)
  assert config.num_ps_tasks == 0
  assert (config.ps_device, config.worker_device) == ('', '')
  assert config.caching_device() is None
  assert config.clone_device(0) == '/device:GPU:0'
  assert config.clone_scope(0) == ''
  assert config.optimizer_device() == '/device:CPU:0'
  assert config.inputs_device() == '/device:CPU:0'
  assert config.variables_device() == '/device:CPU:0'


def test_devices_of_several_clones():
  config = model_deploy.DeploymentConfig(num_clones=2)
  assert [config.clone_device(i) for i in (0, 1)] == [
      '/device:GPU:0', '/device:GPU:1']
  assert [config.clone_scope(i) for i in (0, 1)] == ['clone_0', 'clone_1']
  config = model_deploy.DeploymentConfig(num_clones=2, clone_on_cpu=True)
  assert [config.clone_device(i) for i in (0, 1)] == ['/device:CPU:0'] * 2


def test_devices_with_parameter_servers():
  config = model_deploy.DeploymentConfig(
      num_clones=2, replica_id=3, num_replicas=4, num_ps_tasks=2,
      worker_job_name='trainer', ps_job_name='params')
  assert config.ps_device == '/job:params'
  assert config.worker_device == '/job:trainer'
  assert config.clone_device(1) == '/job:trainer/device:GPU:1'
  assert config.optimizer_device() == '/job:trainer/device:CPU:0'
  assert config.inputs_device() == '/job:trainer/device:CPU:0'
  assert config.caching_device()(tf.no_op()) == ''


@pytest.mark.parametrize('use_resource', [False, True])
def test_variables_are_spread_over_the_parameter_servers(use_resource):
  config = model_deploy.DeploymentConfig(num_ps_tasks=2)
  with tf.device(config.variables_device()):
    variables = [
        tf.get_variable('v%d' % i, [1], use_resource=use_resource)
        for i in range(3)]
    constant = tf.constant(1.0)
    with tf.device('/device:CPU:7'):
      elsewhere = tf.get_variable('own', [1], use_resource=use_resource)
  assert [v.op.device for v in variables] == [
      '/job:ps/device:CPU:0/task:%d' % task for task in (0, 1, 0)]
  assert constant.op.device == ''
  assert elsewhere.op.device == '/device:CPU:7'


@pytest.mark.parametrize('arguments, message', [
    ({'num_clones': 0}, 'num_clones is 0; it must be at least 1'),
    ({'num_replicas': 0}, 'num_replicas is 0; it must be at least 1'),
    ({'num_ps_tasks': -1}, 'num_ps_tasks is -1; it must be at least 0'),
    ({'replica_id': -1}, 'replica_id is -1; it must be at least 0'),
    ({'num_replicas': 2},
     'num_replicas is 2 and num_ps_tasks is 0; it must be at least 1'),
    ({'replica_id': 2, 'num_replicas': 2, 'num_ps_tasks': 1},
     'replica_id is 2; it must be less than num_replicas, which is 2'),
    ({'num_ps_tasks': 1, 'worker_job_name': ''},
     "worker_job_name is ''; with num_ps_tasks=1 it must be the name"),
    ({'num_ps_tasks': 1, 'ps_job_name': ''},
     "ps_job_name is ''; with num_ps_tasks=1 it must be the name"),
])
def test_invalid_configurations(arguments, message):
  with pytest.raises(ValueError, match=message):
    model_deploy.DeploymentConfig(**arguments)


@pytest.mark.parametrize('index', [-1, 2])
def test_unknown_clone(index):
  config = model_deploy.DeploymentConfig(num_clones=2)
  message = 'clone_index is %d; .* less than num_clones, which is 2' % index
  with pytest.raises(ValueError, match=message):
    config.clone_device(index)
  with pytest.raises(ValueError, match=message):
    config.clone_scope(index)


@pytest.mark.parametrize('num_clones', [1, 2, 4])
def test_clones_share_variables(num_clones):
  config = model_deploy.DeploymentConfig(num_clones=num_clones)
  clones = model_deploy.create_clones(
      config, _with_batch_norm, [tf.zeros([2, 4])],
      {'labels': tf.zeros([2, 1])})
  scopes = [''] if num_clones == 1 else [
      'clone_%d/' % i for i in range(num_clones)]
  assert [clone.scope for clone in clones] == scopes
  for i, clone in enumerate(clones):
    assert clone.device == clone.outputs.op.device == '/device:GPU:%d' % i
    assert clone.outputs.op.name == clone.scope + 'fully_connected/Sigmoid'
    assert len(tf.get_collection(tf.GraphKeys.LOSSES, clone.scope)) == 1
    assert len(tf.get_collection(tf.GraphKeys.UPDATE_OPS, clone.scope)) == 2
  assert len(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)) == 1
  assert [v.op.name for v in slim.get_model_variables()] == [
      'BatchNorm/beta', 'BatchNorm/moving_mean', 'BatchNorm/moving_variance',
      'fully_connected/weights', 'fully_connected/biases']
  assert {v.op.device for v in slim.get_model_variables()} == {
      '/device:CPU:0'}


def test_clones_inside_a_variable_scope():
  with tf.variable_scope('outer'):
    clones = model_deploy.create_clones(
        model_deploy.DeploymentConfig(num_clones=2), _logistic,
        [_batches(4, 4)])
  assert [clone.scope for clone in clones] == [
      'outer/clone_0/', 'outer/clone_1/']
  assert [v.op.name for v in slim.get_model_variables()] == [
      'outer/fully_connected/weights', 'outer/fully_connected/biases']


@pytest.mark.parametrize('sizes', [(8,), (4, 4), (2, 2, 2, 2)])
def test_equal_batches_train_as_one(sizes):
  actual = _optimize(sizes)
  for value, expected in zip(actual, _expected(_INPUTS, _LABELS)):
    np.testing.assert_allclose(value, expected, rtol=0, atol=1e-6)


def test_each_clone_on_a_virtual_cpu():
  actual = _optimize((4, 4), _OneClonePerCpu, cpus=2)
  for value, expected in zip(actual, _expected(_INPUTS, _LABELS)):
    np.testing.assert_allclose(value, expected, rtol=0, atol=1e-6)


def test_unequal_batches_train_differently():
  _, weights, biases = _optimize((2, 6))
  _, one_batch, _ = _expected(_INPUTS, _LABELS)
  assert np.abs(weights - one_batch).max() > 0.01
  parts = [_expected(_INPUTS[:2], _LABELS[:2]),
           _expected(_INPUTS[2:], _LABELS[2:])]
  np.testing.assert_allclose(
      weights, (parts[0][1] + parts[1][1]) / 2, rtol=0, atol=1e-6)
  np.testing.assert_allclose(
      biases, (parts[0][2] + parts[1][2]) / 2, rtol=0, atol=1e-6)


@pytest.mark.parametrize('regularization_losses, expected', [
    ([], 0.0), (None, _DECAY * np.sum(_WEIGHTS ** 2) / 2)])
def test_regularization_counts_once(regularization_losses, expected):
  clones = model_deploy.create_clones(
      model_deploy.DeploymentConfig(num_clones=2, clone_on_cpu=True),
      _logistic, [_batches(4, 4)])
  loss, _ = model_deploy.optimize_clones(
      clones, tf.train.GradientDescentOptimizer(1.0), regularization_losses)
  of_clones = tf.losses.get_losses()
  loss, first, second = _run([loss] + of_clones)
  assert loss == pytest.approx((first + second) / 2 + expected, abs=1e-6)


def test_arguments_reach_compute_gradients():
  clones = model_deploy.create_clones(
      model_deploy.DeploymentConfig(num_clones=2, clone_on_cpu=True),
      _logistic, [_batches(4, 4)])
  biases = slim.get_variables_by_name('biases')
  _, grads = model_deploy.optimize_clones(
      clones, tf.train.GradientDescentOptimizer(1.0), var_list=biases)
  assert [var for _, var in grads] == biases


def _uses_some(used):
  """Each call uses the variables that the next item of `used` names."""
  variables = {name: slim.variable(name, initializer=tf.ones([3]))
               for name in 'abc'}
  names = next(used)
  if names:
    tf.losses.add_loss(
        tf.add_n([tf.reduce_sum(variables[name]) for name in names]))


def test_variables_that_clones_do_not_use():
  clones = model_deploy.create_clones(
      model_deploy.DeploymentConfig(num_clones=3, clone_on_cpu=True),
      _uses_some, [iter(['ab', '', 'b'])])
  loss, grads = model_deploy.optimize_clones(
      clones, tf.train.GradientDescentOptimizer(1.0))
  assert [var.op.name for _, var in grads] == ['a', 'b']
  loss, (of_a, of_b) = _run((loss, [grad for grad, _ in grads]))
  assert loss == pytest.approx((6 + 3) / 3.0)
  np.testing.assert_allclose(of_a, [1 / 3.0] * 3)
  np.testing.assert_allclose(of_b, [2 / 3.0] * 3)


def _looks_up(indices, dense=()):
  """Embedding of the next indices; `dense` lists calls that use all of it."""
  table = slim.variable('table', initializer=tf.ones([5, 2]))
  call, row = next(indices)
  loss = tf.reduce_sum(tf.gather(table, row))
  if call in dense:
    loss += tf.reduce_sum(table)
  tf.losses.add_loss(loss)


@pytest.mark.parametrize('dense', [(), (0, 1), (1,)])
def test_sparse_gradients(dense):
  clones = model_deploy.create_clones(
      model_deploy.DeploymentConfig(num_clones=2, clone_on_cpu=True),
      _looks_up, [enumerate([[0, 1], [1, 4]])], {'dense': dense})
  (grad, table), = model_deploy.optimize_clones(
      clones, tf.train.GradientDescentOptimizer(1.0))[1]
  assert isinstance(grad, tf.IndexedSlices) == (not dense)
  assert (grad.values if not dense else grad).op.name == 'table/sum_grads'
  update = tf.train.GradientDescentOptimizer(1.0).apply_gradients(
      [(grad, table)])
  with tf.control_dependencies([update]):
    after = tf.identity(table.read_value())
  expected = np.float32([0.5, 1, 0, 0, 0.5]) + len(dense) / 2.0
  np.testing.assert_allclose(
      1 - _run(after), np.stack([expected] * 2, 1), atol=1e-6)


def test_clones_without_loss():
  config = model_deploy.DeploymentConfig(num_clones=2, clone_on_cpu=True)
  with pytest.raises(ValueError, match='None of the 2 clones has a loss'):
    model_deploy.deploy(
        config, lambda: None,
        optimizer=tf.train.GradientDescentOptimizer(1.0))
  model = model_deploy.deploy(config, lambda: 'outputs')
  assert model.train_op is None
  assert model.summary_op is None
  assert model.total_loss is None
  assert [clone.outputs for clone in model.clones] == ['outputs'] * 2


def test_loss_without_variables():
  unused = tf.get_variable('unused', [])
  with pytest.raises(ValueError, match='No loss depends on .*: unused'):
    model_deploy.deploy(
        model_deploy.DeploymentConfig(clone_on_cpu=True),
        lambda: tf.losses.add_loss(tf.constant(1.0)),
        optimizer=tf.train.GradientDescentOptimizer(1.0))
  assert unused.trainable
