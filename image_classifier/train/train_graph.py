"""The training graph, stage by stage."""
import collections
import dataclasses
import functools

import tensorflow.compat.v1 as tf

from datasets import dataset_factory
from datasets.reading import input_pipeline
from deployment import cluster
from deployment import devices
from deployment import model_deploy
from image_classifier.checkpoints import warm_start
from image_classifier.graphs import label_offset
from image_classifier.graphs import moving_average
from image_classifier.graphs import quantization
from image_classifier.losses import classification as losses
from image_classifier.train import batch_norm_mode
from image_classifier.train import class_weights
from image_classifier.train import data_format
from image_classifier.train import learning_rate as learning_rates
from image_classifier.train import optimizers
from image_classifier.train import run_length
from image_classifier.train import session_config
from image_classifier.train import stateless_random
from image_classifier.train import summaries
from nets import nets_factory
from nets import normalization
from preprocessing import preprocessing_factory

TrainGraph = collections.namedtuple('TrainGraph', (
    'train_op', 'total_loss', 'learning_rate', 'input_wait', 'global_step',
    'summary_op', 'average', 'facts', 'images', 'hooks'))
# What the start of a run tells about it; the notes are lines of text.
Facts = collections.namedtuple('Facts', (
    'num_examples', 'num_classes', 'image_shape', 'examples_per_step',
    'steps_per_epoch', 'trained_variables', 'labels_offset', 'devices',
    'notes'))


def build(options, first_step=0, checkpoint=None):
  """Builds the graph of a training run in the default graph.

  Args:
    options: an `options.Train`.
    first_step: the step from which train_dir's run goes on; the data go on
      there too.
    checkpoint: the checkpoint from which it goes on.

  Returns:
    A TrainGraph. `train_op` does one step and evaluates to the total loss;
    `hooks` are what a session needs for it.

  Raises:
    ValueError: a name, size or scope in the options does not fit.
  """
  if options.data.seed is not None:
    tf.set_random_seed(options.data.seed)
  deployment = _deployment(options.deployment)
  with tf.device(deployment.variables_device()):
    global_step = tf.train.get_or_create_global_step()

  dataset = _dataset(options.data)
  options = _resolve_labels_offset(options, dataset, checkpoint)
  network = _network(options.model, _num_classes(dataset, options.data))
  with tf.device(deployment.inputs_device()):
    batches, input_wait = _batches(options, dataset, network, first_step)

  clones, notes = _clones(options, deployment, dataset, network, batches)
  quantization.quantize_for_training(options.model.quantize_delay)
  first_scope = deployment.clone_scope(0)
  # Only the first clone's statistics are averaged: those of the others come
  # from batches of the same distribution.
  update_ops = tf.get_collection(tf.GraphKeys.UPDATE_OPS, first_scope)
  first_losses = tf.get_collection(tf.GraphKeys.LOSSES, first_scope)
  variables = warm_start.variables_to_train(options.warm_start)
  average = _average(options.model.moving_average_decay, global_step)

  facts = _facts(options, deployment, dataset, batches, variables, notes)
  with tf.device(deployment.optimizer_device()):
    rate, optimizer = _optimizer(options, global_step, facts, average)
  if options.data.seed is not None:
    # Before the gradients, which are to be those of the new draws.
    stateless_random.tie_to_step(_seed_of_worker(options), global_step)
  total_loss, gradients = model_deploy.optimize_clones(
      clones, optimizer, var_list=variables)
  train_op = _train_op(options, optimizer, gradients, global_step, total_loss,
                       update_ops, average)
  # Named by hand: the name total_loss belongs to the sum itself, so that this
  # summary is total_loss_1, as ever.
  tf.summary.scalar('total_loss', total_loss)
  summaries.add(clones[0].outputs, first_losses, rate, input_wait)
  return TrainGraph(train_op, total_loss, rate, input_wait, global_step,
                    summaries.merge(), average, facts, batches.images,
                    _hooks(options.deployment, optimizer))


def _deployment(options):
  return model_deploy.DeploymentConfig(
      num_clones=options.num_clones,
      clone_on_cpu=devices.choose_clone_on_cpu(
          options.clone_on_cpu, options.num_clones),
      replica_id=options.task, num_replicas=options.worker_replicas,
      num_ps_tasks=options.num_ps_tasks)


def _seed_of_worker(options):
  """Returns the seed of what each worker draws for itself; None for none."""
  seed = options.data.seed
  return None if seed is None else seed + options.deployment.task


def _batches_before(options, step):
  """Returns how many batches each worker had made until a global step."""
  deployment = options.deployment
  return (step * run_length.workers_of_step(deployment) //
          deployment.worker_replicas)


def _dataset(options):
  return dataset_factory.get_dataset(
      options.dataset_name, options.dataset_split_name, options.dataset_dir)


def _resolve_labels_offset(options, dataset, checkpoint):
  """Returns the options with a number in place of --labels_offset=auto."""
  offset = label_offset.resolve(
      options.data.labels_offset, dataset.num_classes,
      checkpoint or options.warm_start.checkpoint_path,
      options.model.model_name)
  if offset and getattr(dataset, 'multi_label', False):
    raise ValueError(
        '--labels_offset=%d: the pictures of %s have several classes, none of '
        'which is left out: --labels_offset=0.' % (
            offset, options.data.dataset_name))
  return dataclasses.replace(options, data=dataclasses.replace(
      options.data, labels_offset=offset))


def _num_classes(dataset, options):
  num_classes = dataset.num_classes - options.labels_offset
  least = 1 if getattr(dataset, 'multi_label', False) else 2
  if num_classes < least:
    raise ValueError(
        '--labels_offset=%d leaves %d of the %d classes of the dataset %s; at '
        'least %d are needed.' % (options.labels_offset, num_classes,
                                  dataset.num_classes, options.dataset_name,
                                  least))
  return num_classes


def _network(options, num_classes):
  """Returns the function of pictures that builds the network."""
  network = nets_factory.get_network_fn(
      options.model_name, num_classes, weight_decay=options.weight_decay,
      is_training=True)
  arguments = nets_factory.layout_arguments(
      options.model_name, options.data_format)
  data_format.check(options.data_format)
  return functools.update_wrapper(
      functools.partial(network, **arguments), network)


def _batches(options, dataset, network, first_step):
  """Returns a Batch for all clones together, and the seconds it is awaited."""
  data = options.data
  size = options.model.train_image_size or network.default_image_size
  preprocess, preprocess_jpeg, preprocess_batch, mix = _preprocessing(
      options, _num_classes(dataset, data))
  sized_jpeg = preprocess_jpeg and (
      lambda encoded, channels, **seed: preprocess_jpeg(
          encoded, channels, size, size, **seed))
  sized_batch = preprocess_batch and (
      lambda images: preprocess_batch(images, size, size))
  if options.loop.summarize_images:
    _summarize_picture(dataset, lambda image: preprocess(image, size, size))
  threads = data.num_preprocessing_threads
  batches = input_pipeline.training_batches(
      dataset, lambda image, **seed: preprocess(image, size, size, **seed),
      data.batch_size * options.deployment.num_clones,
      num_readers=data.num_readers, num_threads=threads,
      shuffle_buffer=data.shuffle_buffer, labels_offset=data.labels_offset,
      seed=_seed_of_worker(options), preprocess_jpeg=sized_jpeg,
      deterministic=(
          data.deterministic or data.seed is not None and threads == 1),
      mix=mix,
      shard=((options.deployment.task, options.deployment.worker_replicas)
             if data.shard_by_worker else (0, 1)),
      max_bad_records=data.bad_records_allowed,
      first_batch=_batches_before(options, first_step),
      preprocess_batch=sized_batch)
  return input_pipeline.next_batch(batches)


def _summarize_picture(dataset, preprocess):
  """Shows a picture and the stages of its preprocessing in the summaries.

  Summaries made inside tf.data reach no file. This picture is read, outside of
  it, whenever the summaries are.
  """
  picture = input_pipeline.next_image(dataset)
  tf.summary.image('input_picture', tf.expand_dims(picture, 0))
  preprocess(picture)


def _preprocessing(options, num_classes):
  """Returns the functions that preprocess and mix, all but the first or None.

  They are of a picture, of a JPEG, of a batch of pictures, and of a batch that
  is to be mixed.
  """
  data = options.data
  name = data.preprocessing_name or options.model.model_name
  if data.augmentation == 'none':
    arguments = dict(use_grayscale=data.use_grayscale)
    return (preprocessing_factory.get_preprocessing(name, **arguments), None,
            preprocessing_factory.get_batch_preprocessing(name, **arguments),
            None)
  augmentation = preprocessing_factory.Augmentation(**{
      field.name: getattr(data, field.name) for field in dataclasses.fields(
          preprocessing_factory.Augmentation)})
  arguments = dict(is_training=True, use_grayscale=data.use_grayscale,
                   augmentation=augmentation)
  return (preprocessing_factory.get_preprocessing(name, **arguments),
          preprocessing_factory.get_jpeg_preprocessing(
              # What numba compiles lives in this process.
              name, in_one_pass=False if options.deployment.master else None,
              **arguments),
          preprocessing_factory.get_batch_preprocessing(name, **arguments),
          preprocessing_factory.get_mixing(
              num_classes, data.mixup_alpha, data.cutmix_alpha))


def _notes_on_preprocessing(options):
  """Returns a line where numba would help but cannot."""
  name = options.data.preprocessing_name or options.model.model_name
  if options.data.augmentation == 'none' or not (
      preprocessing_factory.get_jpeg_preprocessing(
          name, is_training=True, in_one_pass=False)):
    return []
  reason = preprocessing_factory.reason_against_one_pass()
  if options.deployment.master:
    reason = 'the server of --master may be another process'
  return [] if reason is None else [
      'Warning: pictures take up to half as long again to preprocess, by '
      'TensorFlow operations: %s.' % reason]


def _clones(options, deployment, dataset, network, batches):
  """Builds the network and its losses on every device.

  Returns:
    (clones, notes): a list of model_deploy.Clone whose outputs are the end
    points, and lines of text about losses and batch normalisation.
  """
  recipe = _loss_recipe(options, dataset)
  chooser = batch_norm_mode.Chooser(
      options.model.freeze_batch_norm, options.model.batch_norm_decay,
      options.warm_start.trainable_scopes)
  shares = iter(zip(
      tf.split(batches.images, deployment.num_clones),
      tf.split(batches.labels, deployment.num_clones)))

  def clone():
    images, labels = next(shares)
    logits, end_points = network(images)
    losses.add(logits, labels, end_points, recipe)
    return end_points

  with normalization.overridden(chooser):
    clones = model_deploy.create_clones(deployment, clone)
  return clones, losses.describe(recipe) + class_weights.describe(
      recipe.class_weights, dataset.labels_to_names,
      options.data.labels_offset) + batch_norm_mode.describe(
          chooser.layers, options.loop.max_number_of_steps,
          [name for name in ('batch_norm_decay', 'freeze_batch_norm')
           if getattr(options.model, name) is not None])


def _loss_recipe(options, dataset):
  """Returns how the losses are made, a losses.Recipe."""
  model, data = options.model, options.data
  multi_label = bool(getattr(dataset, 'multi_label', False))
  return losses.Recipe(
      losses.choose(model.loss, multi_label), model.label_smoothing,
      model.focal_gamma, class_weights.load(
          model.class_weights, data.dataset_dir, data.dataset_split_name,
          dataset.labels_to_names, data.labels_offset), multi_label)


def _average(decay, global_step):
  if decay is None:
    return None
  return moving_average.MovingAverage(decay, global_step)


def _facts(options, deployment, dataset, batches, variables, notes):
  """Returns what the start of the run tells."""
  data = options.data
  return Facts(
      dataset.num_samples, _num_classes(dataset, data),
      batches.images.shape.as_list()[1:],
      run_length.examples_of_step(options), dataset.num_samples / (
          run_length.examples_of_step(options) / deployment.num_clones),
      variables, data.labels_offset,
      [deployment.clone_device(i) for i in range(deployment.num_clones)],
      session_config.describe(options.deployment) +
      _notes_on_preprocessing(options) + notes)


def _optimizer(options, global_step, facts, average):
  """Returns (learning rate, optimiser)."""
  optimizers.check(options.optimizer, options.schedule)
  rate = learning_rates.build(
      options.schedule, global_step, facts.steps_per_epoch,
      options.loop.max_number_of_steps)
  optimizer = optimizers.build(options.optimizer, rate)
  if options.deployment.fp16:
    optimizer = optimizers.scale_loss(optimizer)
  if options.deployment.sync_replicas:
    optimizer = tf.train.SyncReplicasOptimizer(
        optimizer, options.deployment.replicas_to_aggregate,
        options.deployment.worker_replicas,
        variable_averages=average and average.average,
        variables_to_average=average and average.variables)
  return rate, optimizer


def _hooks(options, optimizer):
  """Returns the hooks by which several workers keep together."""
  hooks = []
  if cluster.has_parameter_servers(options):
    hooks += cluster.hooks(options)
  if options.sync_replicas:
    hooks.append(cluster.SynchronousHook(optimizer, options))
  return hooks


def _train_op(options, optimizer, gradients, global_step, total_loss,
              update_ops, average):
  """Returns the total loss as a tensor whose evaluation makes one step."""
  gradients = optimizers.clip(gradients, options.optimizer.clip_gradient_norm)
  # No gradient needs the sum of the weights' decay. Without this it could be
  # read while the weights change, and the loss reported be of neither state.
  with tf.control_dependencies([total_loss]):
    gradients = [(tf.identity(gradient), variable)
                 for gradient, variable in gradients]
  step = optimizer.apply_gradients(gradients, global_step=global_step)
  # Updates of several workers together see to the averages themselves.
  if average is not None and not options.deployment.sync_replicas:
    # After the step, so that the averages see the new weights.
    with tf.control_dependencies([step]):
      step = average.update_op()
  with tf.control_dependencies(list(update_ops) + [step]):
    return tf.identity(total_loss, name='train_op')
