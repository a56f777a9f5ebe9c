"""The training graph, stage by stage."""
import collections

import tensorflow.compat.v1 as tf

from datasets import dataset_factory
from datasets import input_pipeline
from deployment import devices
from deployment import model_deploy
from nets import nets_factory
from preprocessing import preprocessing_factory
from training import learning_rate as learning_rates
from training import losses
from training import moving_average
from training import optimizers
from training import summaries
from training import warm_start

TrainGraph = collections.namedtuple('TrainGraph', (
    'train_op', 'total_loss', 'learning_rate', 'input_wait', 'global_step',
    'summary_op', 'average', 'facts'))
# What the start of a run tells about it.
Facts = collections.namedtuple('Facts', (
    'num_examples', 'num_classes', 'image_shape', 'examples_per_step',
    'steps_per_epoch', 'trained_variables'))


def build(options):
  """Builds the graph of a training run in the default graph.

  Args:
    options: an `options.Train`.

  Returns:
    A TrainGraph. `train_op` does one step and evaluates to the total loss.

  Raises:
    ValueError: a name, size or scope in the options does not fit.
  """
  if options.data.seed is not None:
    tf.set_random_seed(options.data.seed)
  deployment = _deployment(options.deployment)
  with tf.device(deployment.variables_device()):
    global_step = tf.train.get_or_create_global_step()

  dataset = _dataset(options.data)
  num_classes = _num_classes(dataset, options.data)
  network = nets_factory.get_network_fn(
      options.model.model_name, num_classes,
      weight_decay=options.model.weight_decay, is_training=True)
  with tf.device(deployment.inputs_device()):
    batches, input_wait = _batches(options, dataset, network, deployment)

  clones = _clones(options, deployment, network, batches)
  first_scope = deployment.clone_scope(0)
  # Only the first clone's statistics are averaged: those of the others come
  # from batches of the same distribution.
  update_ops = tf.get_collection(tf.GraphKeys.UPDATE_OPS, first_scope)
  first_losses = tf.get_collection(tf.GraphKeys.LOSSES, first_scope)
  variables = warm_start.variables_to_train(options.warm_start)
  average = _average(options.model.moving_average_decay, global_step)

  facts = Facts(
      dataset.num_samples, num_classes, batches.images.shape.as_list()[1:],
      options.data.batch_size * deployment.num_clones,
      dataset.num_samples / options.data.batch_size, variables)
  with tf.device(deployment.optimizer_device()):
    rate, optimizer = _optimizer(options, global_step, facts.steps_per_epoch)
  total_loss, gradients = model_deploy.optimize_clones(
      clones, optimizer, var_list=variables)
  train_op = _train_op(
      optimizer, gradients, global_step, total_loss, update_ops, average)
  # Named by hand: the name total_loss belongs to the sum itself, so that this
  # summary is total_loss_1, as ever.
  tf.summary.scalar('total_loss', total_loss)
  summaries.add(clones[0].outputs, first_losses, rate, input_wait)
  return TrainGraph(train_op, total_loss, rate, input_wait, global_step,
                    summaries.merge(), average, facts)


def _deployment(options):
  return model_deploy.DeploymentConfig(
      num_clones=options.num_clones,
      clone_on_cpu=devices.choose_clone_on_cpu(
          options.clone_on_cpu, options.num_clones))


def _dataset(options):
  return dataset_factory.get_dataset(
      options.dataset_name, options.dataset_split_name, options.dataset_dir)


def _num_classes(dataset, options):
  num_classes = dataset.num_classes - options.labels_offset
  if num_classes < 2:
    raise ValueError(
        '--labels_offset=%d leaves %d of the %d classes of the dataset %s; at '
        'least 2 are needed.' % (options.labels_offset, num_classes,
                                 dataset.num_classes, options.dataset_name))
  return num_classes


def _batches(options, dataset, network, deployment):
  """Returns a Batch for all clones together, and the seconds it is awaited."""
  size = options.model.train_image_size or network.default_image_size
  preprocess = preprocessing_factory.get_preprocessing(
      options.data.preprocessing_name or options.model.model_name,
      is_training=True, use_grayscale=options.data.use_grayscale)
  batches = input_pipeline.training_batches(
      dataset, lambda image: preprocess(image, size, size),
      options.data.batch_size * deployment.num_clones,
      num_readers=options.data.num_readers,
      num_threads=options.data.num_preprocessing_threads,
      shuffle_buffer=options.data.shuffle_buffer,
      labels_offset=options.data.labels_offset, seed=options.data.seed)
  return input_pipeline.next_batch(batches)


def _clones(options, deployment, network, batches):
  """Builds the network and its losses on every device."""
  shares = iter(zip(
      tf.split(batches.images, deployment.num_clones),
      tf.split(batches.labels, deployment.num_clones)))

  def clone():
    images, labels = next(shares)
    logits, end_points = network(images)
    losses.add_softmax(
        logits, labels, end_points, options.model.label_smoothing)
    return end_points

  return model_deploy.create_clones(deployment, clone)


def _average(decay, global_step):
  if decay is None:
    return None
  return moving_average.MovingAverage(decay, global_step)


def _optimizer(options, global_step, steps_per_epoch):
  """Returns (learning rate, optimiser)."""
  rate = learning_rates.build(options.schedule, global_step, steps_per_epoch)
  return rate, optimizers.build(options.optimizer, rate)


def _train_op(optimizer, gradients, global_step, total_loss, update_ops,
              average):
  """Returns the total loss as a tensor whose evaluation makes one step."""
  step = optimizer.apply_gradients(gradients, global_step=global_step)
  if average is not None:
    # After the step, so that the averages see the new weights.
    with tf.control_dependencies([step]):
      step = average.update_op()
  with tf.control_dependencies(list(update_ops) + [step]):
    return tf.identity(total_loss, name='train_op')
