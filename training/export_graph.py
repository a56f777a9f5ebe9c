"""Graphs for users of a trained network: architecture alone, or frozen."""
import collections
import json
import os

import tensorflow.compat.v1 as tf

from datasets import dataset_factory
from nets import nets_factory
from preprocessing import preprocessing_factory
from training import checkpoints
from training import moving_average

# What writes an export, relative to --output_dir.
FROZEN_GRAPH = 'frozen_inference_graph.pb'
LABELS = 'labels.txt'
MODEL = 'model.json'

Classes = collections.namedtuple('Classes', 'number names')


def export(options):
  """Writes what was asked for.

  With output_file, the GraphDef of the architecture: a placeholder `input`,
  float32, and no weights. With checkpoint_path, a GraphDef with the weights as
  constants, the names of the classes in the order of the logits, and a JSON
  file that says how the graph is used. Nothing that exists is replaced unless
  `overwrite` is set.

  Args:
    options: an `options.Export`.

  Returns:
    A list of the paths written.

  Raises:
    ValueError: the options or the checkpoint do not fit, or a file exists.
  """
  files = _output_files(options)
  classes = _classes(options)
  checkpoint = None
  if options.checkpoint_path:
    checkpoint = checkpoints.find(options.checkpoint_path)
  graph = tf.Graph()
  with graph.as_default():
    shape, logits, end_points = _build(options, classes, checkpoint)
    architecture = graph.as_graph_def()
    contents = {}
    if options.output_file:
      contents[options.output_file] = (
          str(architecture).encode() if options.write_text_graphdef
          else architecture.SerializeToString())
    if checkpoint:
      record = _record(options, classes, shape, checkpoint)
      frozen = _freeze(options, checkpoint, _outputs(logits, end_points))
      contents.update(zip(files[-3:], (
          frozen.SerializeToString(), _labels_text(classes).encode(),
          (json.dumps(record, indent=2) + '\n').encode())))
  for path, content in contents.items():
    _write(path, content)
  return list(contents)


def _output_files(options):
  """Returns the paths to write; raises ValueError if one may not be."""
  if not options.output_file and not options.checkpoint_path:
    raise ValueError(
        'You must supply the path to save to with --output_file, or a trained '
        'network with --checkpoint_path.')
  files = [options.output_file] if options.output_file else []
  if options.checkpoint_path:
    folder = options.output_dir or os.path.dirname(options.output_file)
    if not options.output_dir and not options.output_file:
      raise ValueError('Say where the export goes with --output_dir.')
    files += [os.path.join(folder, name)
              for name in (FROZEN_GRAPH, LABELS, MODEL)]
  there = [path for path in files if os.path.exists(path)]
  if there and not options.overwrite:
    raise ValueError('%s exists already; pass --overwrite to replace it.' % (
        ', '.join(there)))
  return files


def _classes(options):
  """Returns the number of logits, and their names where they are known."""
  dataset = dataset_factory.get_dataset(
      options.dataset_name, 'train', options.dataset_dir)
  number = dataset.num_classes - options.labels_offset
  names = dataset.labels_to_names or {}
  return Classes(number, [
      names.get(label, 'class %d' % label)
      for label in range(options.labels_offset, dataset.num_classes)])


def _build(options, classes, checkpoint):
  """Builds the network on a placeholder `input`.

  Returns:
    (shape of the input, logits, end points).
  """
  if options.is_video_model and not options.num_frames:
    raise ValueError(
        'Number of frames must be specified for video models with --num_frames')
  network = nets_factory.get_network_fn(
      options.model_name, classes.number, is_training=options.is_training)
  size = options.image_size or network.default_image_size
  frames = [options.num_frames] if options.is_video_model else []
  shape = [options.batch_size] + frames + [size, size, _channels(
      options, checkpoint)]
  images = tf.placeholder(tf.float32, shape, name='input')
  logits, end_points = network(images)
  return shape, logits, end_points


def _channels(options, checkpoint):
  """Returns the channels of a picture: those the checkpoint was trained on."""
  if options.use_grayscale:
    return 1
  if not checkpoint:
    return 3
  shapes = tf.train.NewCheckpointReader(checkpoint).get_variable_to_shape_map()
  # Only a first convolution has a kernel for so few channels.
  few = {shape[-2] for name, shape in shapes.items()
         if name.endswith('/weights') and len(shape) >= 4
         and shape[-2] in (1, 3)}
  return 1 if few == {1} else 3


def _outputs(logits, end_points):
  """Returns the tensors by the names that they have in every export."""
  predictions = end_points.get('Predictions', end_points.get('predictions'))
  if predictions is None:
    predictions = tf.nn.softmax(logits)
  return collections.OrderedDict([
      ('logits', logits),
      ('predictions', tf.reshape(predictions, tf.shape(logits)))])


def _record(options, classes, shape, checkpoint):
  """Returns what model.json says."""
  preprocessing = options.preprocessing_name or options.model_name
  return collections.OrderedDict([
      ('model_name', options.model_name),
      ('num_classes', classes.number),
      ('labels_offset', options.labels_offset),
      ('input', 'input'),
      ('input_shape', shape),
      ('outputs', ['logits', 'predictions']),
      ('preprocessing_name', preprocessing),
      ('preprocessing', preprocessing_factory.describe(preprocessing)),
      ('use_grayscale', options.use_grayscale),
      ('averaged_weights', options.moving_average_decay is not None),
      ('checkpoint', os.path.basename(checkpoint)),
      ('global_step', checkpoints.step_of(checkpoint)),
      ('tensorflow', tf.__version__)])


def _freeze(options, checkpoint, outputs):
  """Returns the default graph with the checkpoint's weights as constants."""
  variables = moving_average.variables_to_restore(options.moving_average_decay)
  checkpoints.check_fits(checkpoint, variables)
  saver = tf.train.Saver(variables)
  with tf.Session(config=tf.ConfigProto(
      device_count={'GPU': 0})) as session:
    saver.restore(session, checkpoint)
    frozen = tf.graph_util.convert_variables_to_constants(
        session, tf.get_default_graph().as_graph_def(),
        [tensor.op.name for tensor in outputs.values()])
  # These nodes are added by hand: a Graph takes `predictions` and the scope
  # `Predictions` of some networks for one name, a GraphDef does not.
  for name, tensor in outputs.items():
    node = frozen.node.add(name=name, op='Identity', input=[tensor.op.name])
    node.attr['T'].type = tensor.dtype.as_datatype_enum
  return frozen


def _labels_text(classes):
  return ''.join('%d:%s\n' % row for row in enumerate(classes.names))


def _write(path, content):
  """Writes a file that appears under its name only when it is complete."""
  folder = os.path.dirname(path)
  if folder:
    os.makedirs(folder, exist_ok=True)
  unfinished = path + '.unfinished'
  with open(unfinished, 'wb') as output:
    output.write(content)
  os.replace(unfinished, path)
