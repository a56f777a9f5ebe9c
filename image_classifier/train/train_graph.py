"""The training graph, stage by stage."""
import collections

import tensorflow.compat.v1 as tf
import tf_slim as slim

from deployment import all_reduce
from deployment import batch_norm_statistics
from deployment import cluster
from deployment import devices
from deployment import model_deploy
from image_classifier.checkpoints import shape_mismatch
from image_classifier.checkpoints import warm_start
from image_classifier.graphs import moving_average
from image_classifier.graphs import quantization
from image_classifier.losses import classification as losses
from image_classifier.losses import embedding
from image_classifier.losses import task_heads
from image_classifier.losses import task_turns
from image_classifier.train import batch_norm_mode
from image_classifier.train import class_weights
from image_classifier.train import data_format
from image_classifier.train import hooks
from image_classifier.train import learning_rate as learning_rates
from image_classifier.train import optimizers
from image_classifier.train import positive_weights
from image_classifier.train import session_config
from image_classifier.train import stateless_random
from image_classifier.train import train_input
from nets import nets_factory
from nets import normalization
from nets import variants

TrainGraph = collections.namedtuple('TrainGraph', (
    'train_op', 'total_loss', 'learning_rate', 'input_wait', 'global_step',
    'summary_op', 'average', 'images', 'trained_variables', 'devices', 'notes',
    'hooks', 'workers'))
TrainGraph.__doc__ = """A training graph.

Attributes:
  train_op: float32 scalar, the total loss; evaluating it makes one step.
  total_loss: float32 scalar, the mean over the clones, and over the workers,
    with regularization.
  learning_rate: float32 scalar.
  input_wait: float64 scalar, the seconds that a step waits for its batch.
  global_step: int64 scalar variable.
  summary_op: string scalar, all summaries.
  average: the `moving_average.MovingAverage` of the weights, or None.
  images: float32 [batch of all clones, height, width, channels].
  trained_variables: list of variables.
  devices: list of str, the device of each clone.
  notes: list of str, lines to print at the start of the run.
  hooks: list of `tf.train.SessionRunHook` that the session needs.
  workers: the `collectives.Workers` that train together; None for one worker,
    and with parameter servers.
"""


def build(run) -> TrainGraph:
  """Builds the graph of a training run in the default graph.

  Args:
    run: a `resolved_run.Run`. The data start at the batch of its first step.

  Raises:
    ValueError: a name, size or scope in the options does not fit.
  """
  options = run.options
  if options.data.seed is not None:
    tf.set_random_seed(options.data.seed)
  deployment = _deployment(run.deployment)
  workers = all_reduce.workers(run.deployment, not deployment.clone_on_cpu)
  with tf.device(deployment.variables_device()):
    global_step = tf.train.get_or_create_global_step()

  network = _network(options.model, run.num_outputs)
  with tf.device(deployment.inputs_device()):
    batches, input_wait = train_input.batches(run)

  clones, notes = _clones(run, deployment, network, batches, workers)
  quantization.quantize_for_training(options.model.quantize_delay)
  first_scope = deployment.clone_scope(0)
  # What they update says --batch_norm_statistics.
  update_ops = tf.get_collection(tf.GraphKeys.UPDATE_OPS, first_scope)
  first_losses = tf.get_collection(tf.GraphKeys.LOSSES, first_scope)
  variables = _trained_variables(run)
  decay = options.model.moving_average_decay
  average = None if decay is None else moving_average.MovingAverage(
      decay, global_step)

  with tf.device(deployment.optimizer_device()):
    rate, optimizer = _optimizer(run, global_step, average)
  # Before the gradients, which must be those of the same random numbers.
  notes += _random_numbers(run, global_step)
  total_loss, gradients = _gradients(clones, optimizer, variables, workers)
  train_op = _train_op(run, optimizer, gradients, global_step, total_loss,
                       update_ops, average)
  _summarize(clones[0].outputs, first_losses, total_loss, rate, input_wait)
  return TrainGraph(
      train_op, total_loss, rate, input_wait, global_step,
      tf.summary.merge_all(name='summary_op/summary_op'), average,
      batches.images, variables,
      [deployment.clone_device(i) for i in range(deployment.num_clones)],
      session_config.describe(run.deployment) + train_input.describe(run) +
      notes, _hooks(run, optimizer, first_losses), workers)


def _deployment(options):
  return model_deploy.DeploymentConfig(
      num_clones=options.num_clones,
      clone_on_cpu=devices.choose_clone_on_cpu(
          options.clone_on_cpu, options.num_clones),
      num_ps_tasks=options.num_ps_tasks,
      **(dict(replica_id=options.task, num_replicas=options.worker_replicas)
         if options.num_ps_tasks else {}))


def _network(options, num_classes):
  """Returns the function of images that builds the network."""
  network = nets_factory.get_network_fn(
      options.model_name, num_classes, weight_decay=options.weight_decay,
      is_training=True)
  network = variants.apply(
      options.model_name, network, options.network_variant)
  network = nets_factory.in_layout(
      options.model_name, network, options.data_format)
  data_format.check(options.data_format)
  return network


def _clones(run, deployment, network, batches, workers):
  """Builds the network and its losses on every device.

  Returns:
    (clones, notes): a list of model_deploy.Clone whose outputs are the end
    points, and lines of text about losses and batch normalization.
  """
  options = run.options
  recipe = _loss_recipe(run)
  mode = batch_norm_mode.BatchNormMode(
      options.model.freeze_batch_norm, options.model.batch_norm_decay,
      options.warm_start.trainable_scopes,
      warm_start.loadable(options.warm_start), run.length.last_step)
  parts = iter(zip(
      tf.split(batches.images, deployment.num_clones),
      tf.split(batches.labels, deployment.num_clones)))

  def clone():
    images, labels = next(parts)
    logits, end_points = network(images)
    recipe.add(logits, labels, end_points)
    return end_points

  statistics = batch_norm_statistics.choose(options.model)
  with batch_norm_statistics.of_clones(
      statistics, deployment.num_clones, workers), (
          normalization.overridden(mode)):
    clones = model_deploy.create_clones(deployment, clone)
  notes = recipe.describe() + class_weights.describe(
      getattr(recipe, 'class_weights', None), run.dataset.labels_to_names,
      run.labels_offset) + positive_weights.describe(
          _positive_weights(run), _yes_or_no(run),
          run.dataset.labels_to_names)
  return clones, notes + _batch_norm_notes(
      run, mode.layers, statistics, workers.size if workers else 1)


def _batch_norm_notes(run, layers, statistics, num_workers):
  """Returns lines of text about batch normalization."""
  given = [name for name in ('batch_norm_decay', 'freeze_batch_norm')
           if getattr(run.options.model, name) is not None]
  if statistics != batch_norm_statistics.FIRST_CLONE:
    given.append('batch_norm_statistics')
  notes = batch_norm_mode.describe(layers, run.length.last_step, given)
  if layers:
    notes += batch_norm_statistics.describe(
        statistics, run.deployment.num_clones, num_workers)
  return notes


def _trained_variables(run):
  """Returns the variables to train, weights of tasks among them."""
  variables = warm_start.variables_to_train(run.options.warm_start)
  if run.options.model.task_weighting == 'uncertainty':
    variables = variables + [
        variable for variable in task_heads.log_variances(run.heads).values()
        if variable not in variables]
  return variables


def _loss_recipe(run):
  """Returns what adds the losses of a run: a Recipe of one of three kinds."""
  model, data = run.options.model, run.options.data
  if run.embedding_size:
    return embedding.Recipe(model.loss, model.margin, model.normalize_embedding,
                            model.batch_all_steps)
  yes = _positive_weights(run)
  if run.heads:
    return task_heads.Recipe(
        run.heads, model.label_smoothing,
        model.task_weighting == 'uncertainty', run.turns, yes)
  return losses.Recipe(
      losses.choose(model.loss, run.multi_label), model.label_smoothing,
      model.focal_gamma, class_weights.load(
          model.class_weights, data.dataset_dir, data.dataset_split_name,
          run.dataset.labels_to_names, run.labels_offset), run.multi_label,
      yes if yes is None else yes[run.labels_offset:])


def _positive_weights(run):
  data = run.options.data
  return positive_weights.load(
      run.options.model.positive_weights, run.dataset, data.dataset_dir,
      data.dataset_split_name)


def _yes_or_no(run):
  """Returns the ids of the classes that --positive_weights can be for."""
  if not run.heads:
    return range(run.labels_offset, run.dataset.num_classes)
  return [label for head in run.heads if head.multi_label for label in head.ids]


def _optimizer(run, global_step, average):
  """Returns (learning rate, optimizer)."""
  options, deployment = run.options, run.deployment
  optimizers.check(options.optimizer, options.schedule)
  rate = learning_rates.build(
      options.schedule, global_step, run.steps_per_epoch, run.length.last_step)
  optimizer = optimizers.build(options.optimizer, rate)
  if deployment.fp16:
    optimizer = optimizers.scale_loss(optimizer)
  if deployment.sync_replicas:
    optimizer = tf.train.SyncReplicasOptimizer(
        optimizer, deployment.replicas_to_aggregate,
        deployment.worker_replicas,
        variable_averages=average and average.average,
        variables_to_average=average and average.variables)
  return rate, optimizer


def _gradients(clones, optimizer, variables, workers):
  """Returns the loss of all clones and workers, and the gradients."""
  loss, gradients = model_deploy.optimize_clones(
      clones, optimizer, var_list=variables)
  if workers:
    loss, gradients = workers(loss), workers.mean_gradients(gradients)
  return loss, gradients


def _random_numbers(run, global_step):
  """Ties random numbers to the step if asked for; returns lines of text."""
  if run.options.data.deterministic:
    stateless_random.tie_to_step(run.seed, global_step)
  elif run.seed is not None and stateless_random.operations():
    return ['Resuming restarts the random numbers of dropout, except with '
            '--deterministic.']
  return []


def _train_op(run, optimizer, gradients, global_step, total_loss, update_ops,
              average):
  """Returns the total loss as a tensor whose evaluation makes one step."""
  if run.length.head_steps:
    gradients = optimizers.keep_until(
        gradients, global_step, run.length.head_steps, shape_mismatch.is_head)
  gradients = optimizers.clip(
      gradients, run.options.optimizer.clip_gradient_norm)
  # No gradient needs the sum of the weight decay. Without this it could be
  # read while the weights change, and the loss reported be of neither state.
  with tf.control_dependencies([total_loss]):
    gradients = [(tf.identity(gradient), variable)
                 for gradient, variable in gradients]

  def apply():
    return optimizer.apply_gradients(gradients, global_step=global_step)

  step = task_turns.keep_other_heads(
      apply, _last_layers(run, gradients), run.heads, run.turns,
      global_step) if run.turns else apply()
  # Synchronous updates of several workers include the averages.
  if average is not None and not run.deployment.sync_replicas:
    # After the step, so that the averages see the new weights.
    with tf.control_dependencies([step]):
      step = average.update_op()
  with tf.control_dependencies(list(update_ops) + [step]):
    return tf.identity(total_loss, name='train_op')


def _last_layers(run, gradients):
  """Returns the trained variables whose last dimension is the outputs."""
  return [variable for _, variable in gradients
          if shape_mismatch.is_head(variable.op.name) and
          variable.shape.as_list()[-1:] == [run.num_outputs]]


def _summarize(end_points, first_losses, total_loss, rate, input_wait):
  """Adds the summaries, under the names that slim's users know."""
  # The tensor itself is total_loss, so that this becomes total_loss_1.
  tf.summary.scalar('total_loss', total_loss)
  for name, end_point in end_points.items():
    tf.summary.histogram('activations/' + name, end_point)
    tf.summary.scalar('sparsity/' + name, tf.nn.zero_fraction(end_point))
  for loss in first_losses:
    tf.summary.scalar('losses/' + loss.op.name, loss)
  for name, value in embedding.statistics().items():
    tf.summary.scalar('embedding/' + name, value)
  for variable in tf.trainable_variables('log_variance/'):
    tf.summary.scalar(variable.op.name, variable)
  for variable in slim.get_model_variables():
    tf.summary.histogram(variable.op.name, variable)
  tf.summary.scalar('learning_rate', rate)
  tf.summary.scalar('input_wait_seconds', input_wait)


def _collapse_hooks(run, first_losses):
  """Returns the hook that says where an embedding collapses."""
  statistics = embedding.statistics()
  margin = statistics and _loss_recipe(run).plateau()
  return [hooks.CollapseHook(
      first_losses[-1], statistics['negative_distance'], margin,
      run.options.loop.log_every_n_steps)] if margin else []


def _hooks(run, optimizer, first_losses):
  """Returns the hooks that watch an embedding and synchronize workers."""
  needed, deployment = _collapse_hooks(run, first_losses), run.deployment
  if cluster.has_parameter_servers(deployment):
    needed += cluster.hooks(deployment)
  elif all_reduce.is_used(deployment):
    needed.append(cluster.slow_steps_hook(deployment))
  if deployment.sync_replicas:
    needed.append(cluster.SynchronousHook(optimizer, deployment))
  return needed
