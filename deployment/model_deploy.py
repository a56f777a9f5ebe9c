"""Copies of one model on several devices, trained as one.

A model function is called once for each clone, each time under the clone's
device and name scope. The clones share their variables. The gradients of the
clones are summed and applied once:

  config = model_deploy.DeploymentConfig(num_clones=2, clone_on_cpu=True)
  with tf.device(config.inputs_device()):
    batches = ...
  with tf.device(config.optimizer_device()):
    optimizer = tf.train.MomentumOptimizer(0.01, 0.9)
  model = model_deploy.deploy(config, model_fn, [batches], optimizer=optimizer)
  slim.learning.train(model.train_op, my_log_dir,
                      summary_op=model.summary_op)

Each clone's loss is divided by the number of clones, so that clones with
batches of one size train as a single clone with the joined batch would.
Clones with batches of different sizes do not: an example in a small batch then
counts for more than one in a large batch.
"""
import collections
import itertools

import tensorflow.compat.v1 as tf
import tf_slim as slim

__all__ = [
    'create_clones', 'deploy', 'optimize_clones', 'DeployedModel',
    'DeploymentConfig', 'Clone']

Clone = collections.namedtuple('Clone', 'outputs scope device')
Clone.__doc__ += """

outputs: what the model function returned.
scope: the name scope with its slash, as in 'clone_0/'; '' for a single clone.
device: the device of the clone, a string.
"""

DeployedModel = collections.namedtuple(
    'DeployedModel', 'train_op summary_op total_loss clones')
DeployedModel.__doc__ += """

train_op: the total loss as a tensor whose evaluation makes one training step;
  None without an optimizer.
summary_op: all summaries merged, a string tensor; None if there are none.
total_loss: float scalar tensor; None if the model has no loss.
clones: list of `Clone`.
"""

_VARIABLE_OPS = ('Variable', 'VariableV2', 'AutoReloadVariable', 'VarHandleOp')


class DeploymentConfig:
  """Where the parts of a model run.

  Every replica is a worker process of its own with `num_clones` clones. The
  replicas share their variables, which therefore lie on parameter servers.
  Devices then name the job of the workers but not the task: the session's
  `device_filters` tie a worker to its own devices.
  """

  def __init__(self, num_clones=1, clone_on_cpu=False, replica_id=0,
               num_replicas=1, num_ps_tasks=0, worker_job_name='worker',
               ps_job_name='ps'):
    """Checks and keeps the configuration.

    Args:
      num_clones: number of clones in each replica, at least 1.
      clone_on_cpu: puts the clones on the CPU. Otherwise clone i is on GPU i.
      replica_id: index of this replica; 0 is the chief.
      num_replicas: number of replicas. More than one need parameter servers.
      num_ps_tasks: number of parameter servers; with 0 the variables are on
        this machine's CPU.
      worker_job_name: job of the replicas, if there are parameter servers.
      ps_job_name: job of the parameter servers.

    Raises:
      ValueError: a number is out of range or a job has no name.
    """
    _check_at_least('num_clones', num_clones, 1)
    _check_at_least('num_replicas', num_replicas, 1)
    _check_at_least('num_ps_tasks', num_ps_tasks, 0)
    _check_at_least('replica_id', replica_id, 0)
    if num_replicas > 1 and num_ps_tasks < 1:
      raise ValueError(
          'num_replicas is %d and num_ps_tasks is 0. Replicas share their '
          'variables through parameter servers: num_ps_tasks must be at least '
          '1, or num_replicas 1.' % num_replicas)
    if replica_id >= num_replicas:
      raise ValueError(
          'replica_id is %d; it must be less than num_replicas, which is %d.' %
          (replica_id, num_replicas))
    for argument, job in (
        ('worker_job_name', worker_job_name), ('ps_job_name', ps_job_name)):
      if num_ps_tasks and not job:
        raise ValueError(
            '%s is %r; with num_ps_tasks=%d it must be the name of a job of '
            "the cluster, such as 'worker' or 'ps'." % (
                argument, job, num_ps_tasks))
    self._num_clones = num_clones
    self._clone_on_cpu = clone_on_cpu
    self._replica_id = replica_id
    self._num_replicas = num_replicas
    self._num_ps_tasks = num_ps_tasks
    self._ps_device = '/job:' + ps_job_name if num_ps_tasks else ''
    self._worker_device = '/job:' + worker_job_name if num_ps_tasks else ''

  @property
  def num_clones(self):
    """Number of clones in each replica."""
    return self._num_clones

  @property
  def clone_on_cpu(self):
    """Whether the clones are on the CPU."""
    return self._clone_on_cpu

  @property
  def replica_id(self):
    """Index of this replica."""
    return self._replica_id

  @property
  def num_replicas(self):
    """Number of replicas."""
    return self._num_replicas

  @property
  def num_ps_tasks(self):
    """Number of parameter servers."""
    return self._num_ps_tasks

  @property
  def ps_device(self):
    """The parameter servers' job as a device; '' without them."""
    return self._ps_device

  @property
  def worker_device(self):
    """The workers' job as a device; '' without parameter servers."""
    return self._worker_device

  def caching_device(self):
    """Returns where variables are cached: None, or a function of an op.

    With parameter servers the cached value of a variable is where the reading
    op is, so that one step fetches it once.
    """
    return (lambda op: op.device) if self._num_ps_tasks else None

  def clone_device(self, clone_index):
    """Returns the device of clone `clone_index`, a string.

    Raises:
      ValueError: there is no such clone.
    """
    self._check_clone_index(clone_index)
    if self._clone_on_cpu:
      return self._worker_device + '/device:CPU:0'
    return self._worker_device + '/device:GPU:%d' % clone_index

  def clone_scope(self, clone_index):
    """Returns the name scope of a clone: '' for one alone, else 'clone_<i>'.

    Raises:
      ValueError: there is no such clone.
    """
    self._check_clone_index(clone_index)
    return 'clone_%d' % clone_index if self._num_clones > 1 else ''

  def optimizer_device(self):
    """Returns the device of the optimizer and of the sums of gradients."""
    return self._worker_device + '/device:CPU:0'

  def inputs_device(self):
    """Returns the device of the input pipeline."""
    return self._worker_device + '/device:CPU:0'

  def variables_device(self):
    """Returns the device of variables: a string, or a function of an op.

    With parameter servers each call returns a new function, which gives the
    variables to the servers in turn and leaves all other ops where they are.
    """
    if not self._num_ps_tasks:
      return '/device:CPU:0'
    tasks = itertools.cycle(range(self._num_ps_tasks))

    def place(op):
      if op.device or op.type not in _VARIABLE_OPS:
        return op.device
      return '%s/device:CPU:0/task:%d' % (self._ps_device, next(tasks))

    return place

  def _check_clone_index(self, clone_index):
    if not 0 <= clone_index < self._num_clones:
      raise ValueError(
          'clone_index is %d; it must be at least 0 and less than num_clones, '
          'which is %d.' % (clone_index, self._num_clones))


def _check_at_least(name, value, least):
  if value < least:
    raise ValueError('%s is %d; it must be at least %d.' % (
        name, value, least))


def create_clones(config, model_fn, args=None, kwargs=None):
  """Calls a model function once for each clone.

  The first call makes the variables, the later ones reuse them. Every call
  adds its own losses, update ops and summaries, under the clone's name scope;
  the regularisation losses, which belong to the variables, exist once.

  Args:
    config: a `DeploymentConfig`.
    model_fn: a function of `*args, **kwargs` that adds its losses to
      `tf.GraphKeys.LOSSES`. It makes its variables with slim's layers.
    args: positional arguments for the model function.
    kwargs: keyword arguments for the model function.

  Returns:
    A list of `Clone`, one for each call.
  """
  args = args or []
  kwargs = kwargs or {}
  clones = []
  with slim.arg_scope([slim.model_variable, slim.variable],
                      device=config.variables_device()):
    for i in range(config.num_clones):
      device = config.clone_device(i)
      with tf.variable_scope(
          tf.get_variable_scope(), reuse=True if i else None,
          auxiliary_name_scope=False):
        with tf.name_scope(config.clone_scope(i)) as scope, tf.device(device):
          outputs = model_fn(*args, **kwargs)
      clones.append(Clone(outputs, scope, device))
  return clones


def optimize_clones(clones, optimizer, regularization_losses=None, **kwargs):
  """Computes the total loss of the clones and the sums of their gradients.

  Args:
    clones: a list of `Clone`, from `create_clones`.
    optimizer: a `tf.train.Optimizer`.
    regularization_losses: a list of float scalar tensors, added to the first
      clone's loss; None for `tf.GraphKeys.REGULARIZATION_LOSSES`, [] for none.
    **kwargs: arguments for `optimizer.compute_gradients`, such as `var_list`.

  Returns:
    total_loss: float scalar tensor.
    grads_and_vars: a list of (gradient, variable). A gradient is a tensor or
      `tf.IndexedSlices`, summed over the clones whose loss depends on the
      variable. Variables on which no loss depends are left out.

  Raises:
    ValueError: no clone has a loss, or no loss depends on a variable.
  """
  losses = []
  gradients = []
  for clone, loss in _losses_of_clones(clones, regularization_losses):
    with tf.name_scope(clone.scope), tf.device(clone.device):
      gradients.append(optimizer.compute_gradients(loss, **kwargs))
    losses.append(loss)
  if not losses:
    raise ValueError(
        'None of the %d clones has a loss. The model function must add one to '
        'tf.GraphKeys.LOSSES, as the functions of tf.losses do.' % len(clones))
  total_loss = tf.add_n(losses, name='total_loss')
  grads_and_vars = _sum_gradients(gradients)
  if not grads_and_vars:
    raise ValueError(
        'No loss depends on any of the variables to train: %s.' % (
            ', '.join(var.op.name for _, var in gradients[0]) or 'none'))
  return total_loss, grads_and_vars


def deploy(config, model_fn, args=None, kwargs=None, optimizer=None,
           summarize_gradients=False):
  """Builds the clones of a model and, given an optimizer, their training.

  Args:
    config: a `DeploymentConfig`.
    model_fn: a function of `*args, **kwargs`, see `create_clones`.
    args: positional arguments for the model function.
    kwargs: keyword arguments for the model function.
    optimizer: a `tf.train.Optimizer`; None to build no training.
    summarize_gradients: whether to add a histogram and the norm of each
      gradient to the summaries.

  Returns:
    A `DeployedModel`. Its update ops and summaries are those of the first
    clone, and the summaries that existed before.

  Raises:
    ValueError: there is an optimizer but nothing to optimize, see
      `optimize_clones`.
  """
  summaries = set(tf.get_collection(tf.GraphKeys.SUMMARIES))
  clones = create_clones(config, model_fn, args, kwargs)
  train_op = None
  with tf.device(config.optimizer_device()):
    if optimizer:
      with tf.device(config.variables_device()):
        global_step = tf.train.get_or_create_global_step()
      total_loss, grads_and_vars = optimize_clones(clones, optimizer)
      if summarize_gradients:
        summaries.update(_add_gradient_summaries(grads_and_vars))
      updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS, clones[0].scope)
      updates.append(optimizer.apply_gradients(grads_and_vars, global_step))
      with tf.control_dependencies(updates):
        train_op = tf.identity(total_loss, name='train_op')
    else:
      losses = [loss for _, loss in _losses_of_clones(clones)]
      total_loss = tf.add_n(losses, name='total_loss') if losses else None
  summaries.update(tf.get_collection(tf.GraphKeys.SUMMARIES, clones[0].scope))
  if total_loss is not None:
    summaries.add(tf.summary.scalar('total_loss', total_loss))
  summary_op = None
  if summaries:
    summary_op = tf.summary.merge(
        sorted(summaries, key=lambda summary: summary.name), name='summary_op')
  return DeployedModel(train_op, summary_op, total_loss, clones)


def _losses_of_clones(clones, regularization_losses=None):
  """Yields (clone, loss) for the clones that have a loss."""
  if regularization_losses is None:
    regularization_losses = tf.get_collection(
        tf.GraphKeys.REGULARIZATION_LOSSES)
  for clone in clones:
    loss = _loss_of_clone(clone, len(clones), regularization_losses)
    regularization_losses = []
    if loss is not None:
      yield clone, loss


def _loss_of_clone(clone, num_clones, regularization_losses):
  """Returns what one clone adds to the total loss; None if nothing."""
  losses = tf.get_collection(tf.GraphKeys.LOSSES, clone.scope)
  parts = []
  summaries = {}
  with tf.name_scope(clone.scope):
    with tf.device(clone.device):
      if losses:
        loss = tf.add_n(losses, name='clone_loss')
        # The double slash after a scope is the name that dashboards know.
        name = clone.scope and clone.scope + '/'
        summaries['Losses/%sclone_loss' % name] = loss
        if num_clones > 1:
          loss = tf.realdiv(loss, num_clones, name='scaled_clone_loss')
        parts.append(loss)
      if regularization_losses:
        loss = tf.add_n(regularization_losses, name='regularization_loss')
        summaries['Losses/regularization_loss'] = loss
        parts.append(loss)
      total = tf.add_n(parts) if parts else None
    # Outside the device: summaries have no kernel for a GPU.
    for name, loss in summaries.items():
      tf.summary.scalar(name, loss)
  return total


def _sum_gradients(gradients):
  """Sums lists of (gradient or None, variable), one list a clone."""
  sums = []
  for of_variable in zip(*gradients):
    var = of_variable[0][1]
    grads = [grad for grad, _ in of_variable if grad is not None]
    if len(grads) == 1:
      sums.append((grads[0], var))
    elif grads:
      sums.append((_sum_gradient(grads, var.op.name + '/sum_grads'), var))
  return sums


def _sum_gradient(grads, name):
  """Sums gradients of one variable; sparse ones without making them dense."""
  if not all(isinstance(grad, tf.IndexedSlices) for grad in grads):
    return tf.add_n([tf.convert_to_tensor(grad) for grad in grads], name=name)
  return tf.IndexedSlices(
      tf.concat([grad.values for grad in grads], 0, name=name),
      tf.concat([grad.indices for grad in grads], 0),
      grads[0].dense_shape)


def _add_gradient_summaries(grads_and_vars):
  summaries = []
  for grad, var in grads_and_vars:
    values = grad.values if isinstance(grad, tf.IndexedSlices) else grad
    name = var.op.name + '_gradient'
    summaries.append(tf.summary.histogram(name, values))
    summaries.append(
        tf.summary.scalar(name + '_norm', tf.global_norm([values])))
  return summaries
