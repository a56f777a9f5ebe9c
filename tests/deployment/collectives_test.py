"""All-reduce workers, as servers of this process, against one joined batch."""
import itertools
import threading

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from deployment import all_reduce
from deployment import batch_norm_statistics
from deployment import collectives
from image_classifier import options
from nets import normalization
from tests.deployment import free_hosts

_STEPS = 10
_OPTIMIZERS = {
    'sgd': lambda: tf.train.GradientDescentOptimizer(0.1),
    'momentum': lambda: tf.train.MomentumOptimizer(0.1, 0.9)}
_MODELS = [(optimizer, use_batch_norm) for optimizer in sorted(_OPTIMIZERS)
           for use_batch_norm in (False, True)]


def _examples(size):
  return np.random.RandomState(0).uniform(
      -1, 1, [_STEPS, size, 6, 5]).astype(np.float32)


def _build(inputs, workers):
  """Trains all _MODELS at once; returns the op of a step."""
  steps = []
  for optimizer_name, use_batch_norm in _MODELS:
    with tf.variable_scope('%s_%d' % (optimizer_name, use_batch_norm)), (
        batch_norm_statistics.of_clones('synchronized', 1, workers)):
      net = slim.fully_connected(
          inputs, 4, activation_fn=tf.tanh,
          normalizer_fn=normalization.batch_norm if use_batch_norm else None)
      net = slim.fully_connected(net, 1, activation_fn=None)
    optimizer = _OPTIMIZERS[optimizer_name]()
    gradients = optimizer.compute_gradients(
        tf.reduce_mean(tf.square(
            net - tf.reduce_sum(inputs, 1, keepdims=True))),
        tf.trainable_variables('%s_%d/' % (optimizer_name, use_batch_norm)))
    if workers:
      gradients = workers.mean_gradients(gradients)
    steps.append(optimizer.apply_gradients(gradients))
  return tf.group(*steps, *tf.get_collection(tf.GraphKeys.UPDATE_OPS))


class _Worker:
  """A worker: a server, a graph, and a session in a thread of its own."""

  def __init__(self, hosts, task):
    deployment = options.train.Deployment(worker_hosts=hosts, task=task)
    config = all_reduce.configure(tf.ConfigProto(), deployment)
    server = tf.train.Server(
        tf.train.ClusterSpec({'worker': list(hosts)}), job_name='worker',
        task_index=task, config=config)
    workers = all_reduce.workers(deployment, on_gpu=False)
    with tf.Graph().as_default() as graph:
      # Without the broadcast each worker would start from its own values.
      tf.set_random_seed(task)
      self._inputs = tf.placeholder(tf.float32, [6, 5])
      self._step = _build(self._inputs, workers)
      self._largest = workers.maximum(tf.constant(5 * task), 64)
      self._variables = tf.global_variables()
      self._start = workers.broadcast(self._variables)
      self._initialize = tf.global_variables_initializer()
      self._session = tf.Session(server.target, graph, config)

  def train(self, examples):
    run = self._session.run
    run(self._initialize)
    run(self._start)
    self.first = run(self._variables)
    for example in examples:
      _, self.largest = run([self._step, self._largest],
                            {self._inputs: example})
    self.last = run(self._variables)


def _train_one(first, examples):
  """Trains in one process on the joined batches."""
  with tf.Graph().as_default(), tf.Session() as session:
    inputs = tf.placeholder(tf.float32, [None, 5])
    step = _build(inputs, None)
    variables = tf.global_variables()
    session.run([variable.initializer for variable in variables], {
        variable.initializer.inputs[1]: value
        for variable, value in zip(variables, first)})
    for example in examples:
      session.run(step, {inputs: example.reshape([-1, 5])})
    return {variable.op.name: value
            for variable, value in zip(variables, session.run(variables))}


@pytest.mark.parametrize('size', [2, 3])
def test_weights_equal_those_of_one_process(size):
  hosts = tuple(free_hosts.free_hosts(size))
  workers = [_Worker(hosts, task) for task in range(size)]
  examples = _examples(size)
  threads = [threading.Thread(target=worker.train, args=[examples[:, task]])
             for task, worker in enumerate(workers)]
  for thread in threads:
    thread.start()
  for thread in threads:
    thread.join()
  expected = _train_one(workers[0].first, examples)
  for worker in workers:
    assert worker.largest == 5 * (size - 1)
    for name, value, other in zip(expected, worker.last, workers[0].last):
      np.testing.assert_allclose(
          value, expected[name], atol=1e-6, rtol=1e-5, err_msg=name)
      # To the last bit, so that they stay equal for ever.
      np.testing.assert_array_equal(value, other, err_msg=name)


@pytest.mark.parametrize('sizes, buckets', [
    ([], []), ([3, 2], [[1, 0]]),
    ([1 << 20, 1 << 20, 1 << 19, 1], [[3, 2, 1], [0]]),
    ([1 << 22, 7], [[1], [0]])])
def test_gradients_travel_in_buckets_from_the_last(sizes, buckets):
  tensors = [tf.placeholder(tf.float32, [size]) for size in sizes]
  # pylint: disable=protected-access
  assert collectives._buckets(tensors) == buckets


def test_numbers_are_the_same_in_every_worker():
  graphs = []
  for task in (0, 1):
    with tf.Graph().as_default() as graph:
      workers = collectives.Workers(task, 2)
      tf.gradients(workers(workers(tf.constant([2.0]))), tf.constant(1.0))
      graphs.append([op.get_attr('instance_key')
                     for op in graph.get_operations()
                     if op.type.startswith('Collective')])
  assert graphs[0] == graphs[1] == list(
      itertools.islice(itertools.count(1), len(graphs[0])))


def test_banner():
  deployment = options.train.Deployment(
      worker_hosts=('a:1', 'b:1'), task=1, num_clones=2)
  assert all_reduce.describe(deployment, 8, 0.01) == [
      'All-reduce: this is worker 1 of 2. A step is the mean gradient of 2 '
      'workers x 2 clones x 8 = 32 images, each worker reading its own part of '
      'the records.',
      'Learning rate: 0.01 is used as it is. If it was chosen for a batch of '
      '8, try 0.04 with --warmup_epochs=5.']
  assert all_reduce.describe(options.train.Deployment(), 8, 0.01) == []
