"""Descriptions of networks: sizes, costs, scopes and end points."""
import collections
import inspect

import tensorflow.compat.v1 as tf

from nets import nets_factory
from preprocessing import preprocessing_factory

_VIDEO_FRAMES = 16
_COUNTED = ('Conv2D', 'Conv3D', 'DepthwiseConv2dNative', 'MatMul')

Card = collections.namedtuple('Card', (
    'name', 'image_size', 'is_video', 'num_classes', 'parameters',
    'multiply_adds', 'preprocessing', 'scopes', 'heads', 'end_points'))
Card.__doc__ = """The description of a network.

Attributes:
  name: name in `nets_factory`.
  image_size: int, default height and width of the images, in pixels.
  is_video: bool, whether the network takes videos.
  num_classes: int, number of classes that the costs are given for.
  parameters: int, number of trainable parameters.
  multiply_adds: int, for one image, or for one video of 16 frames.
  preprocessing: name of the preprocessing family.
  scopes: list of the first two levels of the variable names.
  heads: list of those scopes whose width is the number of classes.
  end_points: dict {name: list of the dimensions without the batch}.
"""


def list_models():
  """Returns one line per network: name, image size and preprocessing."""
  rows = [(name, function.default_image_size, _preprocessing(name))
          for name, function in nets_factory.networks_map.items()]
  return ['%-32s %-6s %s' % row for row in [
      ('name', 'size', 'preprocessing')] + rows]


def describe(name):
  """Builds a network and returns its Card; ValueError if it is unknown."""
  # The training graph has the auxiliary heads of every family.
  with tf.Graph().as_default():
    network, classes, shape = _build(name, is_training=True)[:3]
    variables = tf.trainable_variables()
  with tf.Graph().as_default() as graph:
    end_points = _build(name, is_training=False)[3]
    cost = multiply_adds(graph)
  scopes = _scopes(variables)
  return Card(
      name=name, image_size=network.default_image_size,
      is_video=len(shape) == 5, num_classes=classes,
      parameters=sum(v.shape.num_elements() for v in variables),
      multiply_adds=cost, preprocessing=_preprocessing(name), scopes=scopes,
      heads=[scope for scope in scopes if _is_head(scope, variables, classes)],
      end_points={key: end_point.shape.as_list()[1:]
                  for key, end_point in end_points.items()})


def lines(card):
  """Returns a Card as lines of text."""
  size = 'x'.join([str(card.image_size)] * 2)
  text = [
      card.name,
      '  image size:     %s%s' % (
          size, ', videos of any number of frames' if card.is_video else ''),
      '  preprocessing:  ' + card.preprocessing,
  ] + _published(card.name) + [
      '  with %d classes, on one %s:' % (
          card.num_classes, 'video of %d frames' % _VIDEO_FRAMES
          if card.is_video else 'image'),
      '    parameters:     {:,}'.format(card.parameters),
      '    multiply-adds:  {:,}'.format(card.multiply_adds),
      '  head, for --checkpoint_exclude_scopes and --trainable_scopes:',
      '    ' + ','.join(card.heads),
      '  scopes:',
      '    ' + ', '.join(card.scopes),
      '  end points:']
  for name, shape in card.end_points.items():
    text.append('    %-40s %s' % (name, 'x'.join(map(str, shape))))
  return text


def _published(name):
  """Returns the line about the published checkpoints, if they differ."""
  facts = nets_factory.published(name)
  return ['  published ImageNet checkpoints: %dx%d, preprocessing %s, '
          '--labels_offset=%d' % (
              facts.image_size, facts.image_size, facts.preprocessing,
              facts.labels_offset)] if facts else []


def multiply_adds(graph):
  """Counts the multiply-adds of one run of a graph.

  Only convolutions and matrix products count: no biases, normalization (which
  folds into the weights), activations or pooling.

  Raises:
    ValueError: the shape of an output is unknown.
  """
  return sum(_multiply_adds_of(op) for op in graph.get_operations()
             if op.type in _COUNTED)


def _multiply_adds_of(op):
  """Returns the number of outputs times the inputs of each."""
  outputs = op.outputs[0].shape.num_elements()
  if outputs is None:
    raise ValueError('The shape of %s is %s; build the graph with images of a '
                     'fixed size and batch.' % (op.name, op.outputs[0].shape))
  weights = op.inputs[1].shape.as_list()
  if op.type == 'MatMul':
    return outputs * weights[1 if op.get_attr('transpose_b') else 0]
  if op.type == 'DepthwiseConv2dNative':
    return outputs * weights[0] * weights[1]
  return outputs * tf.TensorShape(weights[:-1]).num_elements()


def _build(name, is_training):
  """Builds a network on one image or video.

  Returns:
    (network function, number of classes, shape of the input, end points).
  """
  function = nets_factory.get_network_fn(name, 1)  # Checks the name.
  default = inspect.signature(function).parameters['num_classes'].default
  classes = default if isinstance(default, int) else 1000
  network = nets_factory.get_network_fn(
      name, classes, is_training=is_training)
  size = network.default_image_size
  frames = [_VIDEO_FRAMES] if nets_factory.takes_video(name) else []
  shape = [1] + frames + [size, size, 3]
  tf.train.create_global_step()
  _, end_points = network(tf.zeros(shape))
  return network, classes, shape, end_points


def _preprocessing(name):
  try:
    return preprocessing_factory.describe(name)['family']
  except ValueError:
    return 'none by default, give --preprocessing_name'


def _scopes(variables):
  """Returns the first two levels of the names of layers, in graph order."""
  names = ['/'.join(v.op.name.split('/')[:-1][:2]) for v in variables]
  return list(collections.OrderedDict.fromkeys(names))


def _is_head(scope, variables, classes):
  return any(v.op.name.startswith(scope + '/')
             and v.shape.as_list()[-1] == classes for v in variables)
