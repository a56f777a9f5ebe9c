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

Each clone's loss is divided by the number of clones, so that clones with equal
batch sizes train like a single clone with the joined batch. With different
batch sizes, an example in a small batch counts more than one in a large batch.
"""
import collections
import dataclasses
import itertools
from typing import Callable, Optional, Union

import tensorflow.compat.v1 as tf
import tf_slim as slim

from deployment import batch_norm_statistics

__all__ = [
    'create_clones', 'deploy', 'optimize_clones', 'DeployedModel',
    'DeploymentConfig', 'Clone']

Clone = collections.namedtuple('Clone', 'outputs scope device')
Clone.__doc__ = """One copy of the model.

Attributes:
  outputs: what the model function returned.
  scope: str, name scope with its slash, as in 'clone_0/'; '' for one clone.
  device: str, device of the clone.
"""

DeployedModel = collections.namedtuple(
    'DeployedModel', 'train_op summary_op total_loss clones')
DeployedModel.__doc__ = """What `deploy` builds.

Attributes:
  train_op: float scalar, the total loss, whose evaluation runs one training
    step; None without an optimizer.
  summary_op: string scalar, all summaries merged; None if there are none.
  total_loss: float scalar; None if the model has no loss.
  clones: list of `Clone`.
"""

_VARIABLE_OPS = ('Variable', 'VariableV2', 'AutoReloadVariable', 'VarHandleOp')


@dataclasses.dataclass(frozen=True, eq=False)
class DeploymentConfig:
  """The devices of the parts of a model.

  Each replica is a worker process with `num_clones` clones. Several replicas
  share variables on parameter servers. Devices then name the job of the workers
  but not the task: the session's `device_filters` limit a worker to its own
  devices.

  Attributes:
    num_clones: number of clones in each replica, at least 1.
    clone_on_cpu: whether all clones are on the CPU, not clone i on GPU i.
    replica_id: index of this replica; 0 is the chief.
    num_replicas: number of replicas; more than one need parameter servers.
    num_ps_tasks: number of parameter servers; with 0 the variables are on this
      machine's CPU.
    worker_job_name: job of the replicas, if there are parameter servers.
    ps_job_name: job of the parameter servers.

  Raises:
    ValueError: a number is out of range or a job has no name.
  """
  num_clones: int = 1
  clone_on_cpu: bool = False
  replica_id: int = 0
  num_replicas: int = 1
  num_ps_tasks: int = 0
  worker_job_name: str = 'worker'
  ps_job_name: str = 'ps'

  def __post_init__(self):
    for name, minimum in (('num_clones', 1), ('num_replicas', 1),
                          ('num_ps_tasks', 0), ('replica_id', 0)):
      if getattr(self, name) < minimum:
        raise ValueError('%s is %d; it must be at least %d.' % (
            name, getattr(self, name), minimum))
    if self.num_replicas > 1 and not self.num_ps_tasks:
      raise ValueError(
          'num_replicas is %d and num_ps_tasks is 0; it must be at least 1, as '
          'replicas share variables on parameter servers.' % self.num_replicas)
    if self.replica_id >= self.num_replicas:
      raise ValueError(
          'replica_id is %d; it must be less than num_replicas, which is %d.' %
          (self.replica_id, self.num_replicas))
    for name in ('worker_job_name', 'ps_job_name'):
      if self.num_ps_tasks and not getattr(self, name):
        raise ValueError(
            '%s is %r; with num_ps_tasks=%d it must be the name of a job of '
            "the cluster, such as 'ps'." % (
                name, getattr(self, name), self.num_ps_tasks))

  @property
  def ps_device(self) -> str:
    """The parameter servers' job as a device; '' without them."""
    return '/job:' + self.ps_job_name if self.num_ps_tasks else ''

  @property
  def worker_device(self) -> str:
    """The workers' job as a device; '' without parameter servers."""
    return '/job:' + self.worker_job_name if self.num_ps_tasks else ''

  def caching_device(self) -> Optional[Callable]:
    """Returns the caching device of variables: None, or a function of an op.

    With parameter servers, a variable is cached on the device of the op that
    reads it, so that a step fetches it once.
    """
    return (lambda op: op.device) if self.num_ps_tasks else None

  def clone_device(self, clone_index: int) -> str:
    """Returns the device of clone `clone_index`, a string.

    Raises:
      ValueError: there is no such clone.
    """
    self._check_clone_index(clone_index)
    return self.worker_device + (
        '/device:CPU:0' if self.clone_on_cpu else
        '/device:GPU:%d' % clone_index)

  def clone_scope(self, clone_index: int) -> str:
    """Returns the name scope of a clone, 'clone_<i>'; '' if it is the only one.

    Raises:
      ValueError: there is no such clone.
    """
    self._check_clone_index(clone_index)
    return 'clone_%d' % clone_index if self.num_clones > 1 else ''

  def optimizer_device(self) -> str:
    """Returns the device of the optimizer and of the sums of gradients."""
    return self.worker_device + '/device:CPU:0'

  def inputs_device(self) -> str:
    """Returns the device of the input pipeline."""
    return self.worker_device + '/device:CPU:0'

  def variables_device(self) -> Union[str, Callable]:
    """Returns the device of variables: a string, or a function of an op.

    With parameter servers, each call returns a new function, which assigns the
    variables to the servers in turn and leaves all other ops unchanged.
    """
    if not self.num_ps_tasks:
      return '/device:CPU:0'
    tasks = itertools.cycle(range(self.num_ps_tasks))

    def device_of(op):
      if op.device or op.type not in _VARIABLE_OPS:
        return op.device
      return '%s/device:CPU:0/task:%d' % (self.ps_device, next(tasks))

    return device_of

  def _check_clone_index(self, index):
    if not 0 <= index < self.num_clones:
      raise ValueError('clone_index is %d; it must be at least 0 and less than '
                       'num_clones, which is %d.' % (index, self.num_clones))


def create_clones(config, model_fn, args=None, kwargs=None):
  """Calls a model function once for each clone.

  The first call creates the variables and the others reuse them. Each call adds
  losses, update ops and summaries under the clone's name scope; regularization
  losses, which belong to the variables, are added once.

  Args:
    config: a `DeploymentConfig`.
    model_fn: function of `*args, **kwargs` that adds its losses to
      `tf.GraphKeys.LOSSES` and creates its variables with slim's layers.
    args, kwargs: arguments for the model function.

  Returns:
    A list of `Clone`.
  """
  clones = []
  with slim.arg_scope([slim.model_variable, slim.variable],
                      device=config.variables_device()):
    for i in range(config.num_clones):
      device = config.clone_device(i)
      with tf.variable_scope(
          tf.get_variable_scope(), reuse=True if i else None,
          auxiliary_name_scope=False):
        with tf.name_scope(config.clone_scope(i)) as scope, tf.device(device):
          outputs = model_fn(*(args or []), **(kwargs or {}))
      clones.append(Clone(outputs, scope, device))
  return clones


def optimize_clones(clones, optimizer, regularization_losses=None, **kwargs):
  """Computes the total loss of the clones and the sums of their gradients.

  Args:
    clones: list of `Clone`, from `create_clones`.
    optimizer: a `tf.train.Optimizer`.
    regularization_losses: list of float scalar tensors, added to the first
      clone's loss; None for `tf.GraphKeys.REGULARIZATION_LOSSES`, [] for none.
    **kwargs: arguments for `optimizer.compute_gradients`, such as `var_list`.

  Returns:
    (total_loss, grads_and_vars): float scalar, list of (gradient, variable). A
    gradient is a tensor or `tf.IndexedSlices`, summed over the clones whose
    loss depends on the variable; variables without a gradient are left out.

  Raises:
    ValueError: no clone has a loss, or no loss depends on a variable.
  """
  losses, gradients = [], []
  is_joint = batch_norm_statistics.are_synchronized()
  for clone, loss in _losses_of_clones(clones, regularization_losses):
    losses.append(loss)
    if not is_joint:
      with tf.name_scope(clone.scope), tf.device(clone.device):
        gradients.append(optimizer.compute_gradients(loss, **kwargs))
  if not losses:
    raise ValueError(
        'None of the %d clones has a loss. The model function must add one to '
        'tf.GraphKeys.LOSSES, as the functions of tf.losses do.' % len(clones))
  total_loss = tf.add_n(losses, name='total_loss')
  if is_joint:
    # Each clone's loss depends on all clones: one pass back through them for
    # the sum, where every clone's own loss would need one.
    gradients.append(optimizer.compute_gradients(
        total_loss, **dict(kwargs, colocate_gradients_with_ops=True)))
  grads_and_vars = _sum_gradients(gradients)
  if not grads_and_vars:
    raise ValueError(
        'No loss depends on any of the variables to train: %s.' % (
            ', '.join(var.op.name for _, var in gradients[0]) or 'none'))
  return total_loss, grads_and_vars


def deploy(config, model_fn, args=None, kwargs=None, optimizer=None,
           summarize_gradients=False):
  """Builds the clones of a model and, given an optimizer, their training.

  All summaries are on the CPU, those of the model function included.

  Args:
    config, model_fn, args, kwargs: see `create_clones`.
    optimizer: a `tf.train.Optimizer`; None to build no training.
    summarize_gradients: whether to add a histogram and the norm of each
      gradient to the summaries.

  Returns:
    A `DeployedModel`. Its update ops are those of the first clone, its
    summaries those of the first clone and those that existed before.

  Raises:
    ValueError: there is an optimizer but nothing to optimize, see
      `optimize_clones`.
  """
  summaries = set(tf.get_collection(tf.GraphKeys.SUMMARIES))
  with tf.device(_summaries_on_cpu):
    clones = create_clones(config, model_fn, args, kwargs)
  train_op = None
  with tf.device(config.optimizer_device()):
    if optimizer:
      with tf.device(config.variables_device()):
        global_step = tf.train.get_or_create_global_step()
      total_loss, grads_and_vars = optimize_clones(clones, optimizer)
      if summarize_gradients:
        summaries.update(_gradient_summaries(grads_and_vars))
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
    summary_op = tf.summary.merge(
        sorted(summaries, key=lambda summary: summary.name),
        name='summary_op') if summaries else None
  return DeployedModel(train_op, summary_op, total_loss, clones)


def _summaries_on_cpu(op):
  """Device function: summaries, which have no GPU kernel, are on the CPU."""
  if not op.device or not op.type.endswith('Summary'):
    return op.device
  return tf.DeviceSpec.from_string(op.device).replace(
      device_type='CPU', device_index=0).to_string()


def _losses_of_clones(clones, regularization_losses=None):
  """Yields (clone, loss) for the clones that have a loss."""
  if regularization_losses is None:
    regularization_losses = tf.losses.get_regularization_losses()
  for clone in clones:
    loss = _loss_of_clone(clone, len(clones), regularization_losses)
    regularization_losses = []
    if loss is not None:
      yield clone, loss


def _loss_of_clone(clone, num_clones, regularization_losses):
  """Returns the part of the total loss of one clone; None if it has none."""
  losses = tf.get_collection(tf.GraphKeys.LOSSES, clone.scope)
  parts, summaries = [], {}
  with tf.name_scope(clone.scope):
    with tf.device(clone.device):
      if losses:
        loss = tf.add_n(losses, name='clone_loss')
        # Slim's name of this summary has two slashes after the scope.
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
    # Outside the clone's device: summaries have no GPU kernel.
    for name, loss in summaries.items():
      tf.summary.scalar(name, loss)
  return total


def _sum_gradients(gradients):
  """Sums lists of (gradient or None, variable), one list per clone."""
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
  """Sums gradients of one variable; sparse ones stay sparse."""
  if not all(isinstance(grad, tf.IndexedSlices) for grad in grads):
    return tf.add_n([tf.convert_to_tensor(grad) for grad in grads], name=name)
  return tf.IndexedSlices(
      tf.concat([grad.values for grad in grads], 0, name=name),
      tf.concat([grad.indices for grad in grads], 0),
      grads[0].dense_shape)


def _gradient_summaries(grads_and_vars):
  for grad, var in grads_and_vars:
    values = grad.values if isinstance(grad, tf.IndexedSlices) else grad
    name = var.op.name + '_gradient'
    yield tf.summary.histogram(name, values)
    yield tf.summary.scalar(name + '_norm', tf.global_norm([values]))
