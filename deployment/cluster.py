"""Training in several processes: workers and parameter servers.

Without parameter servers, see all_reduce.py. With them, each worker runs the
network on different batches; the variables are on the parameter servers. Worker
0 is the chief, which initializes the variables, saves and logs. The session of
a worker sees the parameter servers and its own devices, but not the other
workers, which may stop and restart.

Each process starts a server from the same list of hosts. If servers are already
running, `--master` names that of this worker instead. The functions take the
`options.Deployment` that `resolve` returns.
"""
import collections
import dataclasses
import time

import tensorflow.compat.v1 as tf

from deployment import agreement
from deployment import all_reduce
from deployment import cluster_hosts
from deployment import slow_steps

_HOW = ('Give every process the same --worker_hosts=HOST:PORT,... and its own '
        '--task, and for parameter servers --ps_hosts=HOST:PORT,... and '
        '--job_name; or give --master=grpc://HOST:PORT if servers are already '
        'running.')
# Interval at which a parameter server checks whether all workers have ended.
_POLL_SECONDS = 0.5
# More than all workers that end, restart and end again. All must say the same,
# also those that differ in the number of workers.
_ENDED_SIZE = 1 << 16
# Time after which a parameter server that does not answer counts as stopped.
_ANSWER_SECONDS = 10


def resolve(options):
  """Checks the flags of the cluster and counts its processes.

  Args:
    options: an `options.Deployment`.

  Returns:
    The options, with worker_replicas and num_ps_tasks set by the hosts.

  Raises:
    ValueError: the flags do not describe a cluster.
  """
  _check_addresses(options)
  if options.worker_hosts or options.ps_hosts:
    options = _count_hosts(options)
  if options.job_name == 'ps' and not options.ps_hosts:
    raise ValueError('--job_name=ps needs a cluster. ' + _HOW)
  workers, servers = options.worker_replicas, options.num_ps_tasks
  if not options.worker_hosts and not options.master and (
      workers > 1 or servers):
    raise ValueError(
        '--worker_replicas=%d and --num_ps_tasks=%d, but no cluster. %s' % (
            workers, servers, _HOW))
  if workers > 1 and not servers and options.master:
    raise ValueError(
        '--worker_replicas=%d with --master needs --num_ps_tasks of 1 or more: '
        'workers share variables on parameter servers. Without them, give '
        '--worker_hosts instead of --master.' % workers)
  limit = servers if options.job_name == 'ps' else workers
  if options.task >= limit:
    raise ValueError('--task=%d must be less than %d, the number of tasks of '
                     '--job_name=%s: the first is 0.' % (
                         options.task, limit, options.job_name))
  _check_synchronous(options)
  return options


def _check_addresses(options):
  for name in ('ps_hosts', 'worker_hosts'):
    cluster_hosts.check(name, getattr(options, name))
  cluster_hosts.check_different([*options.ps_hosts, *options.worker_hosts])
  cluster_hosts.check_master(options.master)


def _count_hosts(options):
  """Returns the options with the numbers of processes."""
  if not options.worker_hosts:
    raise ValueError('--ps_hosts=%s needs --worker_hosts. %s' % (
        ','.join(options.ps_hosts), _HOW))
  if options.master:
    raise ValueError(
        '--master=%s names a running server, --worker_hosts servers to start: '
        'leave one out.' % options.master)
  counts = {'worker_replicas': len(options.worker_hosts),
            'num_ps_tasks': len(options.ps_hosts)}
  for name, default in (('worker_replicas', 1), ('num_ps_tasks', 0)):
    given = getattr(options, name)
    if given not in (default, counts[name]):
      raise ValueError('--%s=%d, but %d hosts are given: leave out --%s.' % (
          name, given, counts[name], name))
  return dataclasses.replace(options, **counts)


def _check_synchronous(options):
  """Checks the flags of synchronous updates."""
  if not options.sync_replicas:
    return
  if all_reduce.is_used(options):
    raise ValueError(
        '--sync_replicas is for parameter servers; without --ps_hosts workers '
        'always average their gradients: leave it out.')
  if not options.num_ps_tasks:
    raise ValueError('--sync_replicas needs several workers. ' + _HOW)
  if options.fp16:
    raise ValueError(
        '--fp16 cannot be used with --sync_replicas: a worker whose gradients '
        'overflow would block the others. Leave one out.')


def is_chief(options):
  """Whether this process initializes, saves and logs."""
  return options.task == 0


def has_parameter_servers(options):
  """Whether the variables are on parameter servers."""
  return options.num_ps_tasks > 0


def start_worker(options, config=None):
  """Starts this worker's server, if hosts are given; returns its target."""
  return (_server(options, config).target if options.worker_hosts else
          options.master)


def device_filters(options):
  """Returns the device filters of a worker's session; [] for all devices."""
  return ['/job:ps', '/job:worker/task:%d' % options.task] if (
      has_parameter_servers(options)) else []


def serve(options):
  """Runs a parameter server until every worker has ended.

  Returns:
    0, the status of the program.
  """
  server = _server(options)
  print('Parameter server %d listens on %s. It ends with the last of the %d '
        'workers, or with Ctrl-C.' % (
            options.task, options.ps_hosts[options.task],
            options.worker_replicas), flush=True)
  ended, said = set(), (time.time(), '')
  with tf.Graph().as_default():
    queue = _ended_queue(options.task)
    size, next_ended = queue.size(), queue.dequeue()
    with tf.Session(server.target, config=_only(options.task)) as session:
      while len(ended) < options.worker_replicas:
        if not session.run(size):
          time.sleep(_POLL_SECONDS)
          said = cluster_hosts.say_missing({
              'worker %d' % index: host
              for index, host in enumerate(options.worker_hosts)
              if index not in ended}, said)
          continue
        ended.add(int(session.run(next_ended)))
        print('%d of %d workers have ended.' % (
            len(ended), options.worker_replicas), flush=True)
  return 0


def report_end(options):
  """Reports the end of this worker to the parameter servers.

  Servers that have stopped are ignored, as are those that were not started by
  these programs.
  """
  for index, host in enumerate(options.ps_hosts):
    with tf.Graph().as_default():
      enqueued = _ended_queue(index).enqueue(options.task)
      try:
        with tf.Session('grpc://' + host, config=_only(index)) as session:
          session.run(enqueued)
      except (tf.errors.DeadlineExceededError, tf.errors.UnavailableError):
        pass


def hooks(options):
  """Makes the workers of the default graph wait until the chief is ready.

  Otherwise a worker would start when the variables are initialized, before the
  chief has restored the weights of a warm start. A separate variable on a
  parameter server says that everything is restored.

  There must be several workers, and the graph must have all its variables.

  Returns:
    A list of hooks for the session of this worker.

  Raises:
    ValueError: a variable is on a device that other workers do not see.
  """
  variables = tf.global_variables()
  _check_shared(variables)
  slow = slow_steps_hook(options)
  with tf.device('/job:ps/task:0/device:CPU:0'):
    ready = tf.Variable(True, trainable=False, name='ready',
                        collections=['ready_mark'])
  if is_chief(options):
    return [_RunAfterCreation(ready.initializer), slow]
  # A session's scaffold waits for the operations in this collection.
  tf.add_to_collection(
      tf.GraphKeys.READY_OP,
      tf.report_uninitialized_variables(variables + [ready]))
  return [slow]


def slow_steps_hook(options):
  """Returns the hook that says for whom this worker waits in a long step."""
  return slow_steps.Hook(_others(options))


class WaitingSessionCreator(tf.train.SessionCreator):
  """Creates sessions once the servers that they need are there.

  Args:
    creator: the `tf.train.SessionCreator` that it calls then.
    options: the resolved `options.Deployment` of this worker.
    agreed: dict of what the workers of a parameter server must agree on.
  """

  def __init__(self, creator, options, agreed):
    self._creator, self._options, self._agreed = creator, options, agreed

  def create_session(self):
    """Returns a session.

    Raises:
      ValueError: a server is not there after --cluster_timeout_secs, or worker
        0 is at another training.
    """
    servers = _servers_needed(self._options)
    if not servers:
      return self._creator.create_session()
    cluster_hosts.wait_for(servers, self._options.cluster_timeout_secs)
    if self._options.ps_hosts:
      agreement.agree(self._options, self._agreed)
    missing = ', '.join(servers)
    if not is_chief(self._options) and has_parameter_servers(self._options):
      missing = 'worker 0 to make or load the variables'
    with cluster_hosts.lines_about(missing):
      return self._creator.create_session()


def _servers_needed(options):
  """Returns {what a server is called: its HOST:PORT}."""
  if options.master:
    return {'the server of --master': options.master[len('grpc://'):]}
  others = _others(options)
  if all_reduce.is_used(options):
    return others
  return collections.OrderedDict(
      item for item in others.items() if item[1] in options.ps_hosts)


def _others(options):
  """Returns {what another process is called: its HOST:PORT}."""
  hosts = [('parameter server', 'ps', options.ps_hosts),
           ('worker', 'worker', options.worker_hosts)]
  return collections.OrderedDict(
      ('%s %d' % (name, index), host)
      for name, job, of_job in hosts for index, host in enumerate(of_job)
      if (job, index) != (options.job_name, options.task))


class WorkerSessionCreator(tf.train.SessionCreator):
  """Creates the session of a worker that is not the chief, once it is ready.

  TensorFlow's class checks this only every 30 seconds.

  Args:
    scaffold: a `tf.train.Scaffold`.
    master: target of the session, a string.
    config: a `tf.ConfigProto`.
    seconds: limit of the wait; 0 for none.
  """

  def __init__(self, scaffold, master, config, seconds=0):
    self._scaffold, self._master, self._config = scaffold, master, config
    self._seconds = seconds

  def create_session(self):
    """Returns a session whose variables are ready.

    Raises:
      ValueError: they are not within the limit.
    """
    print('Waiting for worker 0 to make or load the variables.', flush=True)
    self._scaffold.finalize()
    manager = tf.train.SessionManager(
        local_init_op=self._scaffold.local_init_op,
        ready_op=self._scaffold.ready_op,
        ready_for_local_init_op=self._scaffold.ready_for_local_init_op,
        graph=tf.get_default_graph(), recovery_wait_secs=1)
    try:
      return manager.wait_for_session(
          self._master, config=self._config,
          max_wait_secs=self._seconds or float('inf'))
    except tf.errors.DeadlineExceededError:
      raise ValueError(cluster_hosts.late(
          'worker 0 to make or load the variables', self._seconds))


class _RunAfterCreation(tf.train.SessionRunHook):
  """Runs an operation whenever a session is created."""

  def __init__(self, operation):
    self._operation = operation

  def after_create_session(self, session, coord):
    del coord
    session.run(self._operation)


class SynchronousHook(tf.train.SessionRunHook):
  """Synchronizes the workers of a `tf.train.SyncReplicasOptimizer`.

  At the end, TensorFlow's hook waits two minutes for a thread of the chief and
  then prints its traceback.

  Args:
    optimizer: the `tf.train.SyncReplicasOptimizer`, after `apply_gradients`.
    options: the resolved `options.Deployment` of this worker.
  """

  def __init__(self, optimizer, options):
    # The session has waited for all variables, these among them.
    optimizer.ready_for_local_init_op.mark_used()
    self._start = [optimizer.local_step_init_op]
    self._runner = None
    if is_chief(options):
      # Each step takes a token. With none at the start, no worker is ahead of
      # the others; more are needed if an update aggregates more gradients than
      # there are workers.
      tokens = max(0, options.replicas_to_aggregate - options.worker_replicas)
      self._start = [
          optimizer.chief_init_op, optimizer.get_init_tokens_op(tokens)]
      runner = optimizer.get_chief_queue_runner()
      self._runner = tf.train.QueueRunner(
          runner.queue, runner.enqueue_ops, queue_closed_exception_types=(
              tf.errors.OutOfRangeError, tf.errors.CancelledError,
              tf.errors.AbortedError, tf.errors.UnavailableError))

  def after_create_session(self, session, coord):
    del coord
    for operation in self._start:
      session.run(operation)
    if self._runner:
      # Ends with the session.
      self._runner.create_threads(session, daemon=True, start=True)


def _check_shared(variables):
  """Raises ValueError if a variable is not on a parameter server."""
  local = [variable.op.name for variable in variables
           if '/job:ps' not in variable.device]
  if local:
    raise ValueError(
        'This training keeps the variable %s (%d in all) in the worker, where '
        'other workers do not see it, so that it works in one process only. '
        'Leave out --fp16 and --quantize_delay.' % (local[0], len(local)))


def check_port(options):
  """Raises ValueError if this process cannot have the port of its server."""
  flag = 'ps_hosts' if options.job_name == 'ps' else 'worker_hosts'
  hosts = getattr(options, flag)
  if hosts:
    cluster_hosts.check_free(flag, hosts[options.task])


def _server(options, config=None):
  check_port(options)
  hosts = collections.OrderedDict(
      [('ps', list(options.ps_hosts)), ('worker', list(options.worker_hosts))])
  return tf.train.Server(
      tf.train.ClusterSpec({job: hosts[job] for job in hosts if hosts[job]}),
      job_name=options.job_name, task_index=options.task, config=config)


def _ended_queue(index):
  """Returns the queue of ended workers on a parameter server."""
  with tf.device('/job:ps/task:%d/device:CPU:0' % index):
    return tf.FIFOQueue(
        _ENDED_SIZE, tf.int32, [()], shared_name='workers_ended')


def _only(index):
  """Returns the configuration of a session with one parameter server."""
  return tf.ConfigProto(
      device_filters=['/job:ps/task:%d' % index],
      operation_timeout_in_ms=1000 * _ANSWER_SECONDS)
