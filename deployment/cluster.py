"""The processes of one training: workers and parameter servers.

Every worker runs the network on batches of its own; the variables lie on the
parameter servers. Worker 0 is the chief: it initialises the variables, saves
and logs. A worker's session sees the parameter servers and its own devices,
not those of the other workers, which may come and go.

Each process starts its server from the same list of hosts. Where servers run
already, `--master` names that of this worker instead.
"""
import collections
import dataclasses
import time

import tensorflow.compat.v1 as tf

_HOW = ('Give --ps_hosts=HOST:PORT,... and --worker_hosts=HOST:PORT,..., the '
        'same in every process, and each its --job_name and --task; or '
        '--master=grpc://HOST:PORT where servers run already.')
# A parameter server looks this often whether all workers have ended.
_POLL_SECONDS = 0.5
# After this long without an answer a parameter server is taken to be gone.
_ANSWER_SECONDS = 10


def resolve(options):
  """Checks the flags of the cluster and counts its processes.

  Args:
    options: an `options.Deployment`.

  Returns:
    The options, with worker_replicas and num_ps_tasks as the hosts say.

  Raises:
    ValueError: the flags do not describe a cluster; the message says what to
      type.
  """
  if options.worker_hosts or options.ps_hosts:
    options = _count_hosts(options)
  elif options.job_name == 'ps':
    raise ValueError('--job_name=ps needs a cluster. ' + _HOW)
  workers, servers = options.worker_replicas, options.num_ps_tasks
  if not options.worker_hosts and not options.master and (
      workers > 1 or servers):
    raise ValueError(
        '--worker_replicas=%d and --num_ps_tasks=%d, but no cluster. %s' % (
            workers, servers, _HOW))
  if workers > 1 and not servers:
    raise ValueError(
        '--worker_replicas=%d needs --num_ps_tasks of 1 or more: the workers '
        'share their variables through parameter servers.' % workers)
  limit = servers if options.job_name == 'ps' else workers
  if options.task >= limit:
    raise ValueError('--task=%d, but --job_name=%s has %d: the first is 0.' % (
        options.task, options.job_name, limit))
  _check_synchronous(options)
  return options


def _count_hosts(options):
  """Returns the options with the numbers of processes."""
  for name, other in (('worker_hosts', 'ps_hosts'),
                      ('ps_hosts', 'worker_hosts')):
    if not getattr(options, name):
      raise ValueError('--%s is missing beside --%s=%s. %s' % (
          name, other, ','.join(getattr(options, other)), _HOW))
  if options.master:
    raise ValueError(
        '--master=%s names a server that runs already, --worker_hosts those '
        'to start: leave one out.' % options.master)
  counts = {'worker_replicas': len(options.worker_hosts),
            'num_ps_tasks': len(options.ps_hosts)}
  for name, default in (('worker_replicas', 1), ('num_ps_tasks', 0)):
    given = getattr(options, name)
    if given not in (default, counts[name]):
      raise ValueError('--%s=%d, but %d hosts are named: leave out --%s.' % (
          name, given, counts[name], name))
  return dataclasses.replace(options, **counts)


def _check_synchronous(options):
  """Checks the flags of synchronous updates."""
  if not options.sync_replicas:
    return
  if not options.num_ps_tasks:
    raise ValueError('--sync_replicas needs several workers. ' + _HOW)
  if options.fp16:
    raise ValueError(
        '--fp16 does not go with --sync_replicas: a worker whose gradients '
        'overflow would hold up the others. Leave one out.')


def is_chief(options):
  """Whether this process initialises, saves and logs."""
  return options.task == 0


def is_several(options):
  """Whether the variables lie on parameter servers."""
  return options.num_ps_tasks > 0


def start_worker(options):
  """Returns what a session of this worker connects to.

  Args:
    options: the resolved `options.Deployment`.
  """
  if not options.worker_hosts:
    return options.master
  return _server(options).target


def device_filters(options):
  """Returns the devices that a worker's session sees; [] for all."""
  if not is_several(options):
    return []
  return ['/job:ps', '/job:worker/task:%d' % options.task]


def serve(options):
  """Runs a parameter server until every worker has ended.

  Args:
    options: the resolved `options.Deployment`, with job_name ps.

  Returns:
    0, the status of the program.
  """
  server = _server(options)
  print('Parameter server %d listens on %s. It ends with the last of the %d '
        'workers, or with Ctrl-C.' % (
            options.task, options.ps_hosts[options.task],
            options.worker_replicas), flush=True)
  ended = set()
  with tf.Graph().as_default():
    queue = _ended_queue(options, options.task)
    size, next_ended = queue.size(), queue.dequeue()
    with tf.Session(server.target, config=_only(options.task)) as session:
      while len(ended) < options.worker_replicas:
        if not session.run(size):
          time.sleep(_POLL_SECONDS)
          continue
        ended.add(int(session.run(next_ended)))
        print('%d of %d workers have ended.' % (
            len(ended), options.worker_replicas), flush=True)
  return 0


def tell_end(options):
  """Tells the parameter servers that this worker has ended.

  One that is gone already is left alone. Nothing is done where the servers
  were not started by these programs.

  Args:
    options: the resolved `options.Deployment` of a worker.
  """
  for index, host in enumerate(options.ps_hosts):
    with tf.Graph().as_default():
      told = _ended_queue(options, index).enqueue(options.task)
      try:
        with tf.Session('grpc://' + host, config=_only(index)) as session:
          session.run(told)
      except (tf.errors.DeadlineExceededError, tf.errors.UnavailableError):
        pass


def hooks(options):
  """Makes the workers of the default graph wait until the chief is ready.

  Without it, a worker would begin when the variables are initialised, before
  the chief has loaded the weights of a warm start over them. A variable of its
  own on a parameter server says that all is loaded.

  Args:
    options: the resolved `options.Deployment` of several workers. The graph
      has all its variables.

  Returns:
    A list of hooks for the session of this worker.

  Raises:
    ValueError: a variable lies where the other workers do not see it.
  """
  variables = tf.global_variables()
  _check_shared(variables)
  with tf.device('/job:ps/task:0/device:CPU:0'):
    ready = tf.Variable(True, trainable=False, name='ready',
                        collections=['ready_mark'])
  if is_chief(options):
    return [_RunAfterCreation(ready.initializer)]
  # Where a session's scaffold looks for what it has to wait for.
  tf.add_to_collection(
      tf.GraphKeys.READY_OP,
      tf.report_uninitialized_variables(variables + [ready]))
  return []


class WorkerSessionCreator(tf.train.SessionCreator):
  """Makes the session of a worker that is not the chief, once it is ready.

  TensorFlow's own looks every 30 seconds whether it is.
  """

  def __init__(self, scaffold, master, config):
    """Keeps what a session is made of.

    Args:
      scaffold: a `tf.train.Scaffold`.
      master: what the session connects to.
      config: its `tf.ConfigProto`.
    """
    self._scaffold = scaffold
    self._master = master
    self._config = config

  def create_session(self):
    """Returns a session whose variables are ready; waits as long as it takes.
    """
    print('Waiting for worker 0 to make or load the variables.', flush=True)
    self._scaffold.finalize()
    manager = tf.train.SessionManager(
        local_init_op=self._scaffold.local_init_op,
        ready_op=self._scaffold.ready_op,
        ready_for_local_init_op=self._scaffold.ready_for_local_init_op,
        graph=tf.get_default_graph(), recovery_wait_secs=1)
    return manager.wait_for_session(
        self._master, config=self._config, max_wait_secs=float('inf'))


class _RunAfterCreation(tf.train.SessionRunHook):
  """Runs an operation whenever a session was made or made anew."""

  def __init__(self, operation):
    self._operation = operation

  def after_create_session(self, session, coord):
    del coord
    session.run(self._operation)


class SynchronousHook(tf.train.SessionRunHook):
  """Keeps the workers of a `tf.train.SyncReplicasOptimizer` in step.

  TensorFlow's own waits for two minutes at the end for a thread of the chief,
  and then prints its traceback.
  """

  def __init__(self, optimizer, options):
    """Makes the hook.

    Args:
      optimizer: the `tf.train.SyncReplicasOptimizer`, after its
        `apply_gradients`.
      options: the resolved `options.Deployment` of this worker.
    """
    # The session has waited for all variables, these among them.
    optimizer.ready_for_local_init_op.mark_used()
    self._start = [optimizer.local_step_init_op]
    self._runner = None
    if is_chief(options):
      # A token is leave to make a step. Without any at the start no worker is
      # ahead of the others; more are needed where fewer workers than
      # gradients make an update.
      tokens = max(
          0, options.replicas_to_aggregate - options.worker_replicas)
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
  alone = [variable.op.name for variable in variables
           if '/job:ps' not in variable.device]
  if alone:
    raise ValueError(
        'This training keeps %s (%d in all) in the worker, where the other '
        'workers do not see it: it works in one process only. --fp16 and '
        '--quantize_delay do so.' % (alone[0], len(alone)))


def _server(options):
  hosts = collections.OrderedDict(
      [('ps', list(options.ps_hosts)), ('worker', list(options.worker_hosts))])
  return tf.train.Server(
      tf.train.ClusterSpec(hosts), job_name=options.job_name,
      task_index=options.task)


def _ended_queue(options, index):
  """Returns the queue of ended workers on a parameter server."""
  with tf.device('/job:ps/task:%d/device:CPU:0' % index):
    # Room for workers that end, are started once more and end again.
    return tf.FIFOQueue(16 * options.worker_replicas, tf.int32, [()],
                        shared_name='workers_ended')


def _only(index):
  """Returns the configuration of a session with one parameter server."""
  return tf.ConfigProto(
      device_filters=['/job:ps/task:%d' % index],
      operation_timeout_in_ms=1000 * _ANSWER_SECONDS)
