"""Training in several workers without parameter servers.

Every worker has the weights, computes gradients for its part of the data, and
applies the mean of all workers' gradients, so that the weights stay equal.
Worker 0, the chief, makes or loads them, saves and logs. All workers make
every step together: they start together, a wish to stop reaches all of them
with the next step, and a worker that is lost ends the others, see watch.py.
"""
import signal

import tensorflow.compat.v1 as tf

from deployment import collectives

_LEADER = '/job:worker/replica:0/task:0'
# What a wish to stop says: this number, plus that of the signal if there was
# one.
_STOP = 1


def is_used(options) -> bool:
  """Whether an `options.Deployment` asks for it."""
  return len(options.worker_hosts) > 1 and not options.ps_hosts


def workers(options, on_gpu):
  """Returns the `collectives.Workers` of the default graph, or None."""
  if not is_used(options):
    return None
  return collectives.Workers(
      options.task, len(options.worker_hosts), on_gpu,
      options.collective_communication)


def configure(config, options):
  """Completes the configuration of a server and session, if it is used."""
  if is_used(options):
    config.experimental.collective_group_leader = _LEADER
    config.device_filters.append('/job:worker/task:%d' % options.task)
  return config


def describe(options, batch_size, learning_rate):
  """Returns lines about steps and learning rate for the start of a run."""
  if not is_used(options):
    return []
  size, clones = len(options.worker_hosts), options.num_clones
  return [
      'All-reduce: this is worker %d of %d. A step is the mean gradient of %d '
      'workers x %d clones x %d = %d images, each worker reading its own part '
      'of the records.' % (
          options.task, size, size, clones, batch_size,
          size * clones * batch_size),
      'Learning rate: %g is used as it is. If it was chosen for a batch of %d, '
      'try %g with --warmup_epochs=5.' % (
          learning_rate, batch_size, learning_rate * size * clones)]


def hooks(group, others, stop_hook, watcher):
  """Returns the hooks of a worker, which all start and stop together.

  Args:
    group: the `collectives.Workers`.
    others: list of the hooks whose requests to stop all workers follow.
    stop_hook: the hook with the attribute `signal_number`, among them.
    watcher: the `watch.Watch`.
  """
  together = _Together(group, stop_hook, watcher)
  # All workers come to the last step at the same time.
  return [together] + [
      hook if isinstance(hook, tf.train.StopAtStepHook) else
      _Asking(hook, together) for hook in others]


class _Together(tf.train.SessionRunHook):
  """Starts all workers with the values of worker 0, and stops them together.

  Attributes:
    is_asked: whether a hook of this worker has requested to stop.
  """

  def __init__(self, group, stop_hook, watcher):
    self._stop_hook, self._watcher = stop_hook, watcher
    self._wish = tf.placeholder(tf.int32, [], 'wish_to_stop')
    self._strongest = group.maximum(self._wish, _STOP + signal.NSIG)
    self._start = group.broadcast(tf.global_variables())
    self.is_asked = False

  def after_create_session(self, session, coord):
    del coord
    session.run(self._start)

  def before_run(self, run_context):
    del run_context
    wish = _STOP + (self._stop_hook.signal_number or 0) if self.is_asked else 0
    return tf.train.SessionRunArgs(self._strongest, {self._wish: wish})

  def after_run(self, run_context, run_values):
    wish = int(run_values.results)
    if wish:
      run_context.request_stop()
    if wish > _STOP:
      self._stop_hook.signal_number = wish - _STOP

  def end(self, session):
    del session
    self._watcher.finish()


class _Asking(tf.train.SessionRunHook):
  """Makes a hook ask all workers to stop, rather than this one."""

  def __init__(self, hook, together):
    self._hook, self._together = hook, together
    self.begin, self.before_run = hook.begin, hook.before_run
    self.after_create_session = hook.after_create_session
    self.end = hook.end

  def after_run(self, run_context, run_values):
    own = tf.train.SessionRunContext(
        run_context.original_args, run_context.session)
    self._hook.after_run(own, run_values)
    self._together.is_asked |= own.stop_requested


class SessionCreator(tf.train.SessionCreator):
  """Creates the session of a worker once, and starts to watch the others.

  Args:
    creator: the `tf.train.SessionCreator` that it calls.
    watcher: the `watch.Watch`.
  """

  def __init__(self, creator, watcher):
    self._creator, self._watcher = creator, watcher
    self._is_created = False

  def create_session(self):
    """Returns the session; the second time another worker is lost."""
    if self._is_created:
      self._watcher.wait_for_cause()
      raise ConnectionError('A worker is lost. Start every process again.')
    self._is_created = True
    self._watcher.start()
    return self._creator.create_session()
