"""A network ready to be asked: its graph, its classes, its pictures."""
import collections
import functools
import inspect
import os
import re

import tensorflow.compat.v1 as tf

from datasets import dataset_factory
from image_classifier.checkpoints import checkpoint_reader
from image_classifier.graphs import label_offset
from image_classifier.graphs import moving_average
from image_classifier.graphs import quantization
from image_classifier.inference import activation
from image_classifier.inference import backends
from nets import nets_factory
from preprocessing import preprocessing_factory

# activation: what makes probabilities of the logits, 'softmax' or 'sigmoid'.
Classes = collections.namedtuple(
    'Classes', 'number names labels_offset activation')
# shape: that of `images`, None where free. size: the side of the pictures that
# preprocessing makes. end_points: a dict of tensors.
Network = collections.namedtuple(
    'Network', 'shape size images logits predictions end_points')

_NUMBERED = re.compile(r'^\d+:')


def find_classes(options, checkpoint):
  """Returns the Classes of a network.

  Args:
    options: an `options.Export` or `options.Classify`.
    checkpoint: the prefix of a checkpoint, or None.

  Raises:
    ValueError: the dataset is not known or not there, it leaves no class, or a
      list of names does not fit.
  """
  # The names of the classes would be missing, and nobody told.
  if checkpoint and options.dataset_dir and not tf.gfile.IsDirectory(
      options.dataset_dir):
    raise ValueError('There is no directory %s: check --dataset_dir.' %
                     options.dataset_dir)
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
  return Classes(number, names, offset, activation.choose(
      options.classifier_activation, checkpoint, dataset))


def read_labels(path, number):
  """Returns the names of classes from a file of one a line.

  Args:
    path: the file; `number:` before a name is left out.
    number: the number of names there must be.

  Raises:
    ValueError: there is no such file, it is no text, or it holds another
      number of names.
  """
  if not os.path.isfile(path):
    raise ValueError('There is no file %s.' % path)
  try:
    # Editors on Windows begin the file with a mark.
    with open(path, encoding='utf-8-sig') as lines:
      names = [_NUMBERED.sub('', line.rstrip('\n'))
               for line in lines if line.strip()]
  except UnicodeDecodeError as error:
    raise ValueError('%s is not text in UTF-8: %s. Save it as such.' % (
        path, error))
  if len(names) != number:
    raise ValueError(
        '%s names %d classes; the network has %d. Give a file with a line for '
        'each output of the network, or check --num_classes and '
        '--labels_offset.' % (path, len(names), number))
  return names


def build(options, classes, checkpoint, batch_size=None, frames=None,
          is_training=False, free_size=False):
  """Builds a network on a placeholder `input` in the default graph.

  Args:
    options: an `options.Export` or `options.Classify`.
    classes: the Classes.
    checkpoint: the prefix of the checkpoint to be restored, or None.
    batch_size: size of a batch; None for any.
    frames: number of frames of a video; None for pictures.
    is_training: whether dropout and batch normalisation are in training mode.
    free_size: whether pictures of any size are taken.

  Returns:
    A Network.

  Raises:
    ValueError: the network is not known or cannot be built so.
  """
  function = nets_factory.get_network_fn(
      options.model_name, classes.number, is_training=is_training)
  size = options.image_size or function.default_image_size
  sides = [None, None] if free_size else [size, size]
  shape = [batch_size] + ([frames] if frames else []) + sides + [
      _channels(options, checkpoint)]
  images = tf.placeholder(tf.float32, shape, name='input')
  if free_size:
    logits, end_points = _build_for_any_size(
        function, options.model_name, images, is_training)
  else:
    logits, end_points = _build_for_size(function, options.model_name, images)
  predictions = end_points.get('Predictions', end_points.get('predictions'))
  if classes.activation == activation.SIGMOID:
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
    # Some have an auxiliary head of a fixed size, which only training needs.
    arguments['create_aux_logits'] = False
  known = inspect.signature(nets_factory.networks_map[name]).parameters
  try:
    logits, end_points = function(images, **{
        key: value for key, value in arguments.items() if key in known})
  except (TypeError, ValueError) as error:
    raise ValueError(_needs_size(name, str(error).splitlines()[0]))
  if logits.shape.ndims != 2:
    raise ValueError(_needs_size(name, 'its logits would be a map'))
  return logits, end_points


def _needs_size(name, reason):
  return ('%s takes pictures of one size only (%s): leave out '
          '--free_image_size; --image_size chooses another.' % (name, reason))


def _channels(options, checkpoint):
  """Returns the channels of a picture: those the checkpoint was trained on."""
  if options.use_grayscale:
    return 1
  if not checkpoint:
    return 3
  # Only a first convolution has a kernel for so few channels.
  shapes = checkpoint_reader.shapes_in(checkpoint)
  few = {shape[-2] for name, shape in shapes.items()
         if name.endswith('/weights') and len(shape) >= 4
         and shape[-2] in (1, 3)}
  return 1 if few == {1} else 3


def restore(checkpoint, decay=None, quantize=False):
  """Starts a session of the default graph with a checkpoint's weights.

  Args:
    checkpoint: prefix of the checkpoint.
    decay: None, or any number for the moving averages of the weights.
    quantize: whether to insert the fake quantisation of the training.

  Returns:
    A `tf.Session` on the CPU.

  Raises:
    ValueError: the checkpoint does not fit or cannot be read.
  """
  variables = moving_average.variables_to_restore(decay)
  ranges = quantization.quantize_for_inference(quantize)
  variables.update(ranges)
  _check_quantized(checkpoint, ranges)
  checkpoint_reader.check_fits(checkpoint, variables)
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
  """Returns the line of a restore's error that says what is wrong."""
  # Above this is a guess, which is no help as `check_fits` has been there.
  text = str(error).split('Original error:')[-1]
  # TensorFlow 2 puts the reason behind where it happened.
  lines = re.split(r"\bNode: '[^']*'\n", text)[-1].strip().splitlines()
  return lines[0] if lines else type(error).__name__


def freeze(session, network):
  """Returns the session's graph with its weights as constants.

  Args:
    session: a `tf.Session`, see `restore`.
    network: the Network in its graph.

  Returns:
    A GraphDef with the nodes `input`, `logits` and `predictions`.
  """
  frozen = tf.graph_util.convert_variables_to_constants(
      session, session.graph.as_graph_def(),
      [network.logits.op.name, network.predictions.op.name])
  name_outputs(frozen, network)
  return frozen


def name_outputs(graph_def, network):
  """Adds the nodes `logits` and `predictions` to a network's GraphDef."""
  # They are added by hand: a Graph takes `predictions` and the scope
  # `Predictions` of some networks for one name, a GraphDef does not.
  for name, tensor in zip(
      backends.OUTPUTS, (network.logits, network.predictions)):
    node = graph_def.node.add(name=name, op='Identity', input=[tensor.op.name])
    node.attr['T'].type = tensor.dtype.as_datatype_enum


def _check_quantized(checkpoint, ranges):
  missing = set(ranges) - set(checkpoint_reader.shapes_in(checkpoint))
  if missing:
    raise ValueError(
        'The checkpoint %s has no ranges for the fake quantisation, such as '
        '%s: train with --quantize_delay, or leave out --quantize.' % (
            checkpoint, min(missing)))


def preprocessing_name(options):
  """Returns the name of the preprocessing, None where there is none.

  Networks for video have none: their frames come preprocessed.

  Raises:
    ValueError: the name, or the preprocessing of the network, is not known.
  """
  if (not options.preprocessing_name
      and nets_factory.takes_video(options.model_name)):
    return None
  name = options.preprocessing_name or options.model_name
  preprocessing_factory.describe(name)
  return name


def describe_preprocessing(name):
  """Returns what `preprocessing_factory.describe` says; None for None."""
  return name and preprocessing_factory.describe(name)


def picture_reader(name, channels, size, use_grayscale=False):
  """Returns a function that makes a network's picture of an encoded one.

  Args:
    name: of the preprocessing.
    channels: 1 or 3, those of the network's pictures.
    size: their side in pixels.
    use_grayscale: whether colours are to be turned to grey.

  Returns:
    A function of a string scalar, the content of a file, that returns float32
    [size, size, channels].
  """
  return functools.partial(
      _read_picture, preprocess=preprocessing_factory.get_preprocessing(
          name, is_training=False, use_grayscale=use_grayscale),
      channels=3 if use_grayscale else channels, size=size)


def _read_picture(encoded, preprocess, channels, size):
  image = tf.image.decode_image(
      encoded, channels=channels, expand_animations=False)
  image.set_shape([None, None, channels])
  return preprocess(image, size, size)
