"""Tests of workers and parameter servers."""
import re
import threading

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from deployment import cluster
from image_classifier import options
from tests.deployment import free_hosts

_HOSTS = dict(ps_hosts=('a:1',), worker_hosts=('b:1', 'b:2'))


def _deployment(**changes):
  return options.Train().deployment.__class__(**changes)


def test_hosts_count_the_processes():
  resolved = cluster.resolve(_deployment(task=1, **_HOSTS))
  assert (resolved.worker_replicas, resolved.num_ps_tasks) == (2, 1)
  assert not cluster.is_chief(resolved)
  assert cluster.device_filters(resolved) == ['/job:ps', '/job:worker/task:1']


def test_one_process_is_its_own_chief():
  resolved = cluster.resolve(_deployment())
  assert cluster.is_chief(resolved)
  assert not cluster.has_parameter_servers(resolved)
  assert cluster.device_filters(resolved) == []
  assert cluster.start_worker(resolved) == ''
  cluster.report_end(resolved)


def test_servers_that_are_running():
  resolved = cluster.resolve(_deployment(
      master='grpc://b:2', worker_replicas=2, num_ps_tasks=1, task=1))
  assert cluster.start_worker(resolved) == 'grpc://b:2'


@pytest.mark.parametrize('changes, message', [
    (dict(worker_replicas=2),
     '--worker_replicas=2 and --num_ps_tasks=0, but no cluster. Give every '
     'process the same --worker_hosts=HOST:PORT,... and its own --task, and '
     'for parameter servers --ps_hosts=HOST:PORT,... and --job_name; or give '
     '--master=grpc://HOST:PORT if servers are already running.'),
    (dict(num_ps_tasks=1),
     '--worker_replicas=1 and --num_ps_tasks=1, but no cluster.'),
    (dict(job_name='ps'), '--job_name=ps needs a cluster. Give every process'),
    (dict(master='grpc://b:2', worker_replicas=2),
     '--worker_replicas=2 with --master needs --num_ps_tasks of 1 or more: '
     'workers share variables on parameter servers. Without them, give '
     '--worker_hosts instead of --master.'),
    (dict(ps_hosts=('a:1', 'a:2')),
     '--ps_hosts=a:1,a:2 needs --worker_hosts. Give every process'),
    (dict(worker_hosts=('b:1', 'b:2'), sync_replicas=True),
     '--sync_replicas is for parameter servers; without --ps_hosts workers '
     'always average their gradients: leave it out.'),
    (dict(worker_hosts=('b:1', 'b:2'), task=2),
     '--task=2 must be less than 2, the number of tasks of --job_name=worker'),
    (dict(master='grpc://b:2', **_HOSTS),
     '--master=grpc://b:2 names a running server'),
    (dict(worker_replicas=3, **_HOSTS),
     '--worker_replicas=3, but 2 hosts are given: leave out '
     '--worker_replicas.'),
    (dict(num_ps_tasks=2, **_HOSTS), '--num_ps_tasks=2, but 1 hosts are given'),
    (dict(task=2, **_HOSTS),
     '--task=2 must be less than 2, the number of tasks of --job_name=worker: '
     'the first is 0.'),
    (dict(task=1, job_name='ps', **_HOSTS),
     '--task=1 must be less than 1, the number of tasks of --job_name=ps'),
    (dict(task=1),
     '--task=1 must be less than 1, the number of tasks of --job_name=worker'),
    (dict(sync_replicas=True), '--sync_replicas needs several workers. Give'),
    (dict(sync_replicas=True, fp16=True, **_HOSTS),
     '--fp16 cannot be used with --sync_replicas'),
])
def test_messages(changes, message):
  with pytest.raises(ValueError, match=re.escape(message)):
    cluster.resolve(_deployment(**changes))


def test_a_variable_in_a_worker_is_an_error():
  with tf.device('/job:worker/device:CPU:0'):
    tf.Variable(1.0, name='scale')
  with pytest.raises(ValueError, match=re.escape(
      'keeps the variable scale (1 in all) in the worker, where other workers '
      'do not see it, so that it works in one process only. Leave out --fp16')):
    cluster.hooks(_deployment(num_ps_tasks=1))


def test_parameter_server_ends_with_its_workers(capsys):
  address, = free_hosts.free_hosts(1)
  hosts = dict(ps_hosts=(address,), worker_hosts=('b:1', 'b:2'))
  server = cluster.resolve(_deployment(job_name='ps', **hosts))

  def end():
    # Worker 1 ends, restarts and ends again; it knows of a third worker.
    more = dict(hosts, worker_hosts=('b:1', 'b:2', 'b:3'))
    for task, known in ((1, more), (1, more), (0, hosts)):
      cluster.report_end(cluster.resolve(_deployment(task=task, **known)))

  workers = threading.Thread(target=end)
  workers.start()
  assert cluster.serve(server) == 0
  workers.join()
  assert capsys.readouterr().out == (
      'Parameter server 0 listens on %s. It ends with the last of the 2 '
      'workers, or with Ctrl-C.\n1 of 2 workers have ended.\n1 of 2 workers '
      'have ended.\n2 of 2 workers have ended.\n' % address)


def test_a_stopped_parameter_server_is_ignored(monkeypatch):
  monkeypatch.setattr(cluster, '_ANSWER_SECONDS', 1)
  cluster.report_end(cluster.resolve(_deployment(
      ps_hosts=tuple(free_hosts.free_hosts(1)), worker_hosts=('b:1',))))


@pytest.fixture(scope='module')
def servers():
  """A cluster of a parameter server and two workers in this process."""
  ports = free_hosts.free_hosts(3)
  spec = tf.train.ClusterSpec({'ps': ports[:1], 'worker': ports[1:]})
  return [tf.train.Server(spec, job_name=job, task_index=task)
          for job, task in (('ps', 0), ('worker', 0), ('worker', 1))]


def _session(servers, deployment, hooks=()):
  """Makes the session of a worker of the default graph."""
  config = tf.ConfigProto(device_filters=cluster.device_filters(deployment))
  target = servers[1 + deployment.task].target
  creator = (tf.train.ChiefSessionCreator if cluster.is_chief(deployment) else
             cluster.WorkerSessionCreator)
  return tf.train.MonitoredSession(
      creator(tf.train.Scaffold(), target, config), list(hooks))


def test_workers_wait_for_the_chief_and_see_its_variables(servers):
  found = []

  def work(task):
    deployment = _deployment(task=task, worker_replicas=2, num_ps_tasks=1)
    with tf.Graph().as_default():
      with tf.device('/job:ps/task:0/device:CPU:0'):
        value = tf.Variable(1.0)
        tf.train.get_or_create_global_step()
      hooks = cluster.hooks(deployment)
      if task == 0:
        # As the weights of a warm start replace the initial ones.
        loaded = tf.assign(value, 5.0)
        hooks.insert(0, _Loading(loaded))
      with _session(servers, deployment, hooks) as session:
        found.append((task, session.run(value)))

  other = threading.Thread(target=work, args=[1])
  other.start()
  work(0)
  other.join()
  assert sorted(found) == [(0, 5.0), (1, 5.0)]


class _Loading(tf.train.SessionRunHook):
  """Loads weights after a while, so that a worker could come before."""

  def __init__(self, operation):
    self._operation = operation

  def after_create_session(self, session, coord):
    coord.wait_for_stop(2.5)
    session.run(self._operation)


def test_synchronous_updates_equal_those_of_the_joined_batch(servers):
  examples = np.arange(24, dtype=np.float32).reshape([4, 2, 3]) / 10
  results = []
  # A worker that is ahead could give both gradients of an update.
  both = threading.Barrier(2)

  def work(task):
    deployment = _deployment(
        task=task, worker_replicas=2, num_ps_tasks=1, sync_replicas=True,
        replicas_to_aggregate=2)
    with tf.Graph().as_default():
      with tf.device('/job:ps/task:0/device:CPU:0'):
        step = tf.train.get_or_create_global_step()
        weights = tf.Variable([1.0, 2.0, 3.0], name='weights')
      with tf.device('/job:worker/device:CPU:0'):
        batch = tf.placeholder(tf.float32, [3])
        optimizer = tf.train.SyncReplicasOptimizer(
            tf.train.GradientDescentOptimizer(0.1), 2, 2)
        train = optimizer.minimize(
            tf.reduce_sum(tf.square(weights * batch)), global_step=step)
      hooks = cluster.hooks(deployment) + [
          cluster.SynchronousHook(optimizer, deployment)]
      with _session(servers, deployment, hooks) as session:
        for example in examples[:, task]:
          both.wait()
          session.run(train, {batch: example})
        if task == 0:
          results.extend(session.run([step, weights]))

  other = threading.Thread(target=work, args=[1])
  other.start()
  work(0)
  other.join()
  expected = np.array([1, 2, 3], np.float32)
  for pair in examples:
    expected -= 0.1 * np.mean(2 * expected * pair ** 2, axis=0)
  assert results[0] == 4
  np.testing.assert_allclose(results[1], expected, rtol=1e-5)
