"""The evaluation graph."""
import collections
import contextlib

import tensorflow.compat.v1 as tf

from datasets import dataset_factory
from datasets.reading import input_pipeline
from datasets.reading import record_files
from deployment import devices
from deployment import model_deploy
from image_classifier.graphs import label_offset
from image_classifier.graphs import moving_average
from image_classifier.graphs import quantization
from image_classifier.losses import embedding
from image_classifier.losses import task_heads
from nets import nets_factory
from nets import normalization
from nets import variants
from preprocessing import preprocessing_factory

EvalGraph = collections.namedtuple('EvalGraph', (
    'batch', 'logits', 'variables_to_restore', 'dataset', 'num_classes',
    'labels_offset', 'multi_label', 'deployment', 'end_points', 'num_outputs',
    'heads'))
EvalGraph.__doc__ = """The graph of an evaluation.

Attributes:
  batch: the next `input_pipeline.EvaluationBatch`; OutOfRangeError after the
    last one, until `restart_input`.
  logits: float32 tensor [batch, num_outputs], logits or embeddings; None
    without the network.
  variables_to_restore: dict {name in the checkpoint: variable}.
  dataset: the `slim.dataset.Dataset`.
  num_classes: int, number of the network's classes.
  labels_offset: int, id in the dataset of the network's first class.
  multi_label: bool, whether labels are float32 [batch, num_classes] of 0 and 1
    instead of int64 [batch].
  deployment: the `model_deploy.DeploymentConfig`.
  end_points: dict {name: tensor} of the network; None without it, or with
    several clones.
  num_outputs: int, width of the network's last layer.
  heads: list of `task_heads.Head`; None for a dataset of one task.
"""


def build(options, checkpoint=None, with_network=True):
  """Builds the graph of an evaluation in the default graph.

  Args:
    options: an `options.Evaluate`.
    checkpoint: prefix of the checkpoint that decides labels_offset=auto.
    with_network: whether to build the network, or the images alone.

  Returns:
    An EvalGraph.

  Raises:
    ValueError: a name or size in the options does not fit.
  """
  dataset = _dataset(options.data, options.data.dataset_split_name)
  labels_offset = label_offset.resolve(
      options.data.labels_offset, dataset.num_classes, checkpoint,
      options.evaluation.model_name)
  heads = task_heads.of_dataset(dataset, options.evaluation.tasks)
  num_classes = (task_heads.number_of_outputs(heads) if heads else
                 dataset.num_classes - labels_offset)
  if num_classes < 1:
    raise ValueError(
        '--labels_offset=%d leaves none of the %d classes of the dataset %s.' %
        (labels_offset, dataset.num_classes, options.data.dataset_name))
  num_outputs = options.evaluation.embedding_size or num_classes
  network = _network(options, num_outputs)
  batches = input_pipeline.evaluation_batches(
      dataset, _preprocessing(options, network),
      options.data.batch_size * options.evaluation.num_clones,
      num_threads=options.data.num_preprocessing_threads,
      labels_offset=labels_offset,
      max_bad_records=options.data.bad_records_allowed)
  batch, _ = input_pipeline.next_batch(batches)
  deployment = _deployment(options.evaluation)
  logits = end_points = None
  variables = {}
  if with_network:
    with _size_errors_explained(options.evaluation, network):
      logits, end_points = _logits(deployment, network, batch.images)
      logits = embedding.embed(logits, options.evaluation.normalize_embedding)
    variables = moving_average.variables_to_restore(
        options.evaluation.moving_average_decay)
    variables.update(
        quantization.quantize_for_inference(options.evaluation.quantize))
  return EvalGraph(
      batch, logits, variables, dataset, num_classes, labels_offset,
      bool(getattr(dataset, 'multi_label', False)), deployment, end_points,
      num_outputs, heads)


def evaluation_batch(options, graph, split):
  """Adds a stream of all images of another split, each once, in file order.

  Args:
    options, graph: as for `training_logits`.
    split: name of the split to read.

  Returns:
    The next `input_pipeline.EvaluationBatch`.
  """
  network = nets_factory.get_network_fn(
      options.evaluation.model_name, graph.num_outputs)
  return input_pipeline.next_batch(input_pipeline.evaluation_batches(
      _dataset(options.data, split), _preprocessing(options, network),
      options.data.batch_size,
      num_threads=options.data.num_preprocessing_threads,
      labels_offset=graph.labels_offset,
      max_bad_records=options.data.bad_records_allowed))[0]


def restart_input(session):
  """Restarts every stream of batches in a session's graph at its first."""
  with session.graph.as_default():
    session.run(tf.tables_initializer())


def count_records(graph):
  """Returns the number of records in the files of an EvalGraph's dataset."""
  return sum(record_files.count_records(file)
             for file in record_files.find_files(graph.dataset))


def training_batch(options, graph, split):
  """Adds an endless stream of shuffled batches, preprocessed for evaluation.

  Args:
    options, graph: as for `training_logits`.
    split: name of the split to read.

  Returns:
    The images of the next batch, float32 [batch, height, width, channels].
  """
  network = nets_factory.get_network_fn(
      options.evaluation.model_name, graph.num_outputs)
  size = _image_size(options, network)
  preprocess_batch = preprocessing_factory.get_batch_preprocessing(
      _preprocessing_name(options), use_grayscale=options.data.use_grayscale)
  batches = input_pipeline.training_batches(
      _dataset(options.data, split), _preprocessing(options, network),
      options.data.batch_size, seed=0,
      num_threads=options.data.num_preprocessing_threads,
      labels_offset=graph.labels_offset,
      max_bad_records=options.data.bad_records_allowed,
      preprocess_batch=preprocess_batch and (
          lambda images: preprocess_batch(images, size, size)))
  return input_pipeline.next_batch(batches)[0].images


def training_logits(options, graph, images):
  """Adds the network in training mode, on the existing variables.

  Its batch normalization sets the moving statistics to those of the batch,
  without decay.

  Args:
    options: an `options.Evaluate`.
    graph: the EvalGraph in the default graph.
    images: float32 [batch, height, width, channels].

  Returns:
    (logits, update_ops): float32 [batch, num_classes], and the list of ops
    that set the moving statistics. Variables of training alone, such as those
    of an auxiliary head, are new.
  """
  network = _network(options, graph.num_outputs, is_training=True)
  before = set(tf.get_collection(tf.GraphKeys.UPDATE_OPS))
  with normalization.overridden(lambda name, arguments: {'decay': 0.0}):
    with tf.variable_scope(tf.get_variable_scope(), reuse=tf.AUTO_REUSE,
                           auxiliary_name_scope=False):
      logits, _ = network(images)
  return logits, [op for op in tf.get_collection(tf.GraphKeys.UPDATE_OPS)
                  if op not in before]


def _network(options, num_classes, is_training=False):
  """Returns the function of images that builds the network."""
  evaluation = options.evaluation
  return variants.apply(
      evaluation.model_name, nets_factory.get_network_fn(
          evaluation.model_name, num_classes, is_training=is_training),
      evaluation.network_variant)


def _dataset(data, split):
  return dataset_factory.get_dataset(
      data.dataset_name, split, data.dataset_dir)


def _preprocessing(options, network):
  """Returns the function that preprocesses an image for evaluation."""
  size = _image_size(options, network)
  preprocess = preprocessing_factory.get_preprocessing(
      _preprocessing_name(options), use_grayscale=options.data.use_grayscale)
  return lambda image: preprocess(image, size, size)


def _image_size(options, network):
  return options.evaluation.eval_image_size or network.default_image_size


def _preprocessing_name(options):
  return options.data.preprocessing_name or options.evaluation.model_name


def _deployment(evaluation):
  # Nothing is printed: this runs many times during a training.
  on_cpu = evaluation.clone_on_cpu or not devices.available_gpus()
  return model_deploy.DeploymentConfig(
      num_clones=evaluation.num_clones,
      clone_on_cpu=on_cpu or devices.choose_clone_on_cpu(
          num_clones=evaluation.num_clones))


@contextlib.contextmanager
def _size_errors_explained(evaluation, network):
  """Turns a network's error for an image size into one that names the flag."""
  try:
    yield
  except ValueError as error:
    size = evaluation.eval_image_size
    if not size:
      raise
    # The reason is the last line; before it TensorFlow names the operation.
    reason = str(error).strip().split('\n')[-1].strip().rstrip('.')
    raise ValueError(
        '--eval_image_size=%d: %s cannot take images of %d x %d pixels. Its '
        'default size is %d. (%s)' % (
            size, evaluation.model_name, size, size,
            network.default_image_size, reason)) from error


def _logits(deployment, network, images):
  """Returns the logits of a batch, which is split among the clones.

  And the end points, None if there are several clones.
  """
  num_clones = deployment.num_clones
  size = tf.shape(images)[0]
  if num_clones > 1:
    # Every clone gets the same number, at least one: the last image is
    # repeated, and the logits of the copies are cut off.
    padded = -(-size // num_clones) * num_clones
    images = tf.gather(images, tf.minimum(tf.range(padded), size - 1))
  parts = iter(tf.split(images, num_clones))
  clones = model_deploy.create_clones(
      deployment, lambda: network(next(parts)))
  if num_clones == 1:
    return clones[0].outputs
  return tf.concat([clone.outputs[0] for clone in clones], 0)[:size], None
