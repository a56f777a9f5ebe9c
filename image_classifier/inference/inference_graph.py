"""The inference graph of a network, its classes and its input images."""
import collections
import inspect
import os
import re

import tensorflow.compat.v1 as tf

from datasets import dataset_factory
from image_classifier.checkpoints import checkpoint_reader
from image_classifier.graphs import label_offset
from image_classifier.graphs import moving_average
from image_classifier.graphs import quantization
from image_classifier.inference import backends
from image_classifier.inference import decode
from image_classifier.inference import special_outputs
from image_classifier.runs import record_defaults
from image_classifier.runs import run_record
from nets import nets_factory
from nets import variants
from preprocessing import preprocessing_factory

SOFTMAX = 'softmax'
SIGMOID = 'sigmoid'

Classes = collections.namedtuple(
    'Classes', 'number names labels_offset activation')
Classes.__doc__ = """The classes of a network.

Attributes:
  number: int, number of classes.
  names: list of `number` names, in the order of the logits.
  labels_offset: int, id in the dataset of the first class.
  activation: 'softmax' or 'sigmoid', the function from logits to
    probabilities.
"""

Network = collections.namedtuple(
    'Network', 'shape size images logits predictions end_points named')
Network.__new__.__defaults__ = ({},)
Network.__doc__ = """A network built for inference.

Attributes:
  shape: list of the dimensions of `images`, None where any size is taken.
  size: int, height and width of the preprocessed images, in pixels.
  images: float32 placeholder [batch, height, width, channels], for videos
    [batch, frames, height, width, channels].
  logits: float32 tensor [batch, classes].
  predictions: float32 tensor [batch, classes], the probabilities.
  end_points: dict {name: tensor}.
  named: dict {name: tensor} of further outputs: `embedding`, which logits and
    predictions are then as well; or the probabilities of each task.
"""

# Attributes that operations of TensorFlow 1.15 have got since, and their
# default values.
_ADDED_ATTRIBUTES = {
    'explicit_paddings': tf.AttrValue(list=tf.AttrValue.ListValue()),
    'exponential_avg_factor': tf.AttrValue(f=1),
    'grad_a': tf.AttrValue(b=False),
    'grad_b': tf.AttrValue(b=False),
    'grad_x': tf.AttrValue(b=False),
    'grad_y': tf.AttrValue(b=False)}
_NUMBERED = re.compile(r'^\d+:')


def find_classes(options, checkpoint):
  """Returns the Classes of a network.

  Args:
    options: an `options.Export` or `options.Classify`.
    checkpoint: prefix of a checkpoint, or None.

  Raises:
    ValueError: the dataset is unknown or its directory does not exist, it
      leaves no class, or the number of names does not fit.
  """
  # Otherwise the names of the classes would be missing without a message.
  if checkpoint and options.dataset_dir and not tf.gfile.IsDirectory(
      options.dataset_dir):
    raise ValueError('There is no directory %s: check --dataset_dir.' %
                     options.dataset_dir)
  recorded = _recorded_classes(options, checkpoint)
  if recorded:
    return recorded
  dataset = dataset_factory.get_dataset(
      options.dataset_name, 'train', options.dataset_dir)
  offset = label_offset.resolve(
      options.labels_offset, dataset.num_classes, checkpoint,
      options.model_name)
  number = options.num_classes or dataset.num_classes - offset
  if number < 1:
    raise ValueError(
        '--labels_offset=%d leaves none of the %d classes of the dataset %s.' %
        (offset, dataset.num_classes, options.dataset_name))
  if options.labels_file:
    names = read_labels(options.labels_file, number)
  elif dataset.labels_to_names and number == dataset.num_classes - offset:
    names = [dataset.labels_to_names.get(label, 'class %d' % label)
             for label in range(offset, dataset.num_classes)]
  else:
    names = ['class %d' % (label + offset) for label in range(number)]
  return Classes(number, names, offset, choose_activation(
      options.classifier_activation, checkpoint, dataset))


def _recorded_classes(options, checkpoint):
  """Returns the Classes by the run.json of a checkpoint.

  None without the names in it (older ones), and where an option asks for other
  classes or for names from elsewhere.
  """
  record = checkpoint and run_record.of_checkpoint(checkpoint)
  names = record and record.get('class_names')
  trained = record_defaults.of_training(record) if names else {}
  asked = {'model_name', 'dataset_name', 'labels_offset'}
  if options.dataset_dir:
    asked.add('dataset_dir')
  if not names or options.labels_file or options.num_classes not in (
      None, len(names)) or any(
          trained.get(name) != getattr(options, name) for name in asked):
    return None
  return Classes(len(names), names, trained['labels_offset'],
                 choose_activation(options.classifier_activation, checkpoint,
                                   None))


def choose_activation(option, checkpoint, dataset):
  """Returns SOFTMAX (probabilities sum to 1) or SIGMOID (are independent).

  1. With `option`, that.
  2. Otherwise, with a run.json beside the checkpoint, what the training used:
     sigmoid for --loss=sigmoid or a multi-label dataset, else softmax.
  3. Otherwise sigmoid for a multi-label dataset, else softmax.

  Args:
    option: 'softmax', 'sigmoid' or None.
    checkpoint: prefix of a checkpoint, or None.
    dataset: a `slim.dataset.Dataset`.
  """
  if option:
    return option
  record = checkpoint and run_record.of_checkpoint(checkpoint)
  if record:
    is_sigmoid = (record.get('multi_label')
                  or record['flags'].get('loss') == SIGMOID)
  else:
    is_sigmoid = getattr(dataset, 'multi_label', False)
  return SIGMOID if is_sigmoid else SOFTMAX


def read_labels(path, number):
  """Returns the names of classes from a file with one name per line.

  Args:
    path: the file. A prefix `7:` of a name is removed.
    number: expected number of names.

  Raises:
    ValueError: the file does not exist, is not text, or has another number of
      names.
  """
  if not os.path.isfile(path):
    raise ValueError('There is no file %s.' % path)
  try:
    # Editors on Windows put a byte order mark at the start.
    with open(path, encoding='utf-8-sig') as lines:
      names = [_NUMBERED.sub('', line.rstrip('\n'))
               for line in lines if line.strip()]
  except UnicodeDecodeError as error:
    raise ValueError('%s is not UTF-8 text: %s. Save it as UTF-8.' % (
        path, error))
  if len(names) != number:
    raise ValueError(
        '%s names %d classes; the network has %d. Give a file with one line '
        'per output of the network, or check --num_classes and '
        '--labels_offset.' % (path, len(names), number))
  return names


def build(options, classes, checkpoint, batch_size=None, frames=None,
          is_training=False, free_size=False):
  """Builds a Network on a placeholder `input` in the default graph.

  Args:
    options: an `options.Export` or `options.Classify`.
    classes: the Classes.
    checkpoint: prefix of the checkpoint to be restored, or None.
    batch_size: size of a batch; None for any.
    frames: number of frames of a video; None for images.
    is_training: whether dropout and batch normalization are in training mode.
    free_size: whether the network takes images of any height and width.

  Raises:
    ValueError: the network is unknown or cannot be built for such an input.
  """
  function = variants.apply(options.model_name, nets_factory.get_network_fn(
      options.model_name, options.embedding_size or classes.number,
      is_training=is_training), options.network_variant)
  size = options.image_size or function.default_image_size
  height_and_width = [None, None] if free_size else [size, size]
  shape = [batch_size] + ([frames] if frames else []) + height_and_width + [
      _channels(options, checkpoint)]
  images = tf.placeholder(tf.float32, shape, name='input')
  if free_size:
    logits, end_points = _build_for_any_size(
        function, options.model_name, images, is_training)
  else:
    logits, end_points = _build_for_size(function, options.model_name, images)
  special = special_outputs.find(options, checkpoint, logits)
  if special:
    return Network(shape, size, images, *special[:2], end_points, special[2])
  predictions = end_points.get('Predictions', end_points.get('predictions'))
  if classes.activation == SIGMOID:
    predictions = tf.sigmoid(logits)
  elif predictions is None:
    predictions = tf.nn.softmax(logits)
  if predictions.shape.ndims != logits.shape.ndims:
    predictions = tf.reshape(predictions, tf.shape(logits))
  return Network(shape, size, images, logits, predictions, end_points)


def _build_for_size(function, name, images):
  try:
    return function(images)
  except ValueError as error:
    reason = str(error).splitlines()[-1].strip().rstrip('.')
    raise ValueError(
        '%s cannot be built for an input of %s (%s): check --image_size, and '
        '--is_video_model with --num_frames.' % (
            name, images.shape.as_list(), reason))


def _build_for_any_size(function, name, images, is_training):
  """Builds a network that averages over a map of any size."""
  arguments = {'global_pool': True}
  if not is_training:
    # Some have an auxiliary head of a fixed size, for training only.
    arguments['create_aux_logits'] = False
  known = inspect.signature(nets_factory.networks_map[name]).parameters
  try:
    logits, end_points = function(images, **{
        key: value for key, value in arguments.items() if key in known})
  except (TypeError, ValueError) as error:
    raise ValueError(_fixed_size_message(name, str(error).splitlines()[0]))
  if logits.shape.ndims != 2:
    raise ValueError(_fixed_size_message(name, 'its logits would be a map'))
  return logits, end_points


def _fixed_size_message(name, reason):
  return ('%s takes images of one size only (%s): leave out '
          '--free_image_size; --image_size chooses another.' % (name, reason))


def _channels(options, checkpoint):
  """Returns the number of channels of an image, read from the checkpoint."""
  if options.use_grayscale:
    return 1
  if not checkpoint:
    return 3
  # Only a first convolution has a kernel for so few channels.
  shapes = checkpoint_reader.shapes_in(checkpoint)
  few = {shape[-2] for name, shape in shapes.items() if len(shape) >= 4
         and name.endswith('/weights') and shape[-2] in (1, 3)}
  return 1 if few == {1} else 3


def restore(checkpoint, decay=None, quantize=False, scope=None):
  """Returns a CPU session of the default graph with a checkpoint's weights.

  Args:
    checkpoint: prefix of the checkpoint.
    decay: None for the weights, any number for their moving averages.
    quantize: whether to insert the fake quantization of the training.
    scope: scope of the network in the checkpoint; None for the same names.

  Raises:
    ValueError: the checkpoint does not fit or cannot be read.
  """
  variables = moving_average.variables_to_restore(decay)
  ranges = quantization.quantize_for_inference(quantize)
  variables.update(ranges)
  _check_quantized(checkpoint, ranges)
  variables = checkpoint_reader.check_fits(checkpoint, variables, scope)
  session = tf.Session(config=tf.ConfigProto(device_count={'GPU': 0}))
  try:
    tf.train.Saver(variables).restore(session, checkpoint)
  except (tf.errors.OpError, ValueError) as error:
    session.close()
    raise ValueError(
        'The checkpoint %s cannot be read to its end: %s. Is one of its files '
        'missing or cut short?' % (checkpoint, _reason(error)))
  return session


def _reason(error):
  """Returns the line of a restore's error that has the reason."""
  # Above this is a guess about the graph, which `check_fits` has ruled out.
  text = str(error).split('Original error:')[-1]
  # TensorFlow 2 names the operation first.
  lines = re.split(r"\bNode: '[^']*'\n", text)[-1].strip().splitlines()
  return lines[0] if lines else type(error).__name__


def freeze(session, network):
  """Returns the graph of a session and its Network, weights as constants.

  It is a GraphDef with the nodes `input`, `logits` and `predictions`.
  """
  frozen = tf.graph_util.convert_variables_to_constants(
      session, session.graph.as_graph_def(),
      [tensor.op.name for tensor in outputs(network).values()])
  name_outputs(frozen, network)
  return frozen


def outputs(network):
  """Returns {name: tensor} of all outputs of an exported Network."""
  return collections.OrderedDict(
      list(zip(backends.OUTPUTS, (network.logits, network.predictions))) +
      list(network.named.items()))


def name_outputs(graph_def, network):
  """Adds a node for each of the `outputs` to a network's GraphDef.

  Attributes that TensorFlow 1.15 would refuse are left out where they have
  their default value, so that it can read what TensorFlow 2 writes.
  """
  # A Graph would not accept `predictions` beside the scope `Predictions` of
  # some networks; a GraphDef does.
  for name, tensor in outputs(network).items():
    node = graph_def.node.add(name=name, op='Identity', input=[tensor.op.name])
    node.attr['T'].type = tensor.dtype.as_datatype_enum
  for node in graph_def.node:
    for name, default in _ADDED_ATTRIBUTES.items():
      if name in node.attr and node.attr[name] == default:
        del node.attr[name]


def _check_quantized(checkpoint, ranges):
  missing = set(ranges) - set(checkpoint_reader.shapes_in(checkpoint))
  if missing:
    raise ValueError(
        'The checkpoint %s has no ranges for the fake quantization, such as '
        '%s: train with --quantize_delay, or leave out --quantize.' % (
            checkpoint, min(missing)))


def preprocessing_name(options):
  """Returns the name of the preprocessing.

  It is None for video networks by default, whose frames come preprocessed.

  Raises:
    ValueError: the name is unknown, or the network has no preprocessing.
  """
  if (not options.preprocessing_name
      and nets_factory.takes_video(options.model_name)):
    return None
  name = options.preprocessing_name or options.model_name
  preprocessing_factory.describe(name)
  return name


def image_reader(name, channels, size, use_grayscale=False):
  """Returns a function that decodes and preprocesses an image.

  Args:
    name: name of the preprocessing.
    channels: 1 or 3, number of channels of the network's images.
    size: height and width of the network's images, in pixels.
    use_grayscale: whether to convert images to grayscale.

  Returns:
    A function from a string scalar, the content of an image file, to float32
    [size, size, channels].
  """
  preprocess = preprocessing_factory.get_preprocessing(
      name, use_grayscale=use_grayscale)
  channels = 3 if use_grayscale else channels

  def read(encoded):
    image = decode.decode(encoded, channels)
    image.set_shape([None, None, channels])
    return preprocess(image, size, size)

  return read
