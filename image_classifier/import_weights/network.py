"""The layers of a network, as its graph has them."""
import collections
from typing import Dict, List, NamedTuple

import tensorflow.compat.v1 as tf

from nets import nets_factory
from nets import variants

_KERNELS = ('weights', 'depthwise_weights')
_NORM = '/BatchNorm'


class Layer(NamedTuple):
  """A layer with variables.

  Attributes:
    scope: its variable scope, without the network's root.
    conv: dict {last part of the name: shape} of the variables of the
      convolution; empty for a batch normalization without one.
    norm: the same of the batch normalization.
    norm_scope: scope of the latter's variables, without the root.
  """
  scope: str
  conv: Dict[str, List[int]]
  norm: Dict[str, List[int]]
  norm_scope: str

  @property
  def is_depthwise(self) -> bool:
    return 'depthwise_weights' in self.conv


class Network(NamedTuple):
  """A network to fill with weights.

  Attributes:
    root: the first scope of its variables.
    layers: list of `Layer`s in the order of the graph.
    epsilon: that of its batch normalization; 0.0 without any.
    image_size: height and width of its images, in pixels.
    graph: the graph it was built in, for images `images`, with `logits`.
  """
  root: str
  layers: List[Layer]
  epsilon: float
  image_size: int
  graph: tf.Graph
  images: tf.Tensor
  logits: tf.Tensor


def describe(name: str, num_classes: int, variant: str) -> Network:
  """Builds a network in a graph of its own.

  Raises:
    ValueError: the name is unknown, or it has no such variant.
  """
  function = variants.apply(
      name, nets_factory.get_network_fn(name, num_classes), variant)
  size = function.default_image_size
  with tf.Graph().as_default() as graph:
    images = tf.placeholder(tf.float32, [None, size, size, 3])
    logits, _ = function(images)
    shapes = collections.OrderedDict(
        (v.op.name, v.shape.as_list()) for v in tf.global_variables())
    epsilons = {op.get_attr('epsilon') for op in graph.get_operations()
                if op.type.startswith('FusedBatchNorm')}
  root = next(iter(shapes)).split('/')[0]
  return Network(root, layers_of(shapes, root), max(epsilons, default=0.0),
                 size, graph, images, logits)


def layers_of(shapes, root):
  """Groups the variables of a network, {name: shape}, into `Layer`s."""
  convs, norms = collections.OrderedDict(), collections.OrderedDict()
  for name, shape in shapes.items():
    scope, last = name[len(root) + 1:].rsplit('/', 1)
    is_conv = last in _KERNELS + ('biases',)
    (convs if is_conv else norms).setdefault(
        scope, collections.OrderedDict())[last] = shape
  layers = [Layer(scope, conv, norms.pop(scope + _NORM, {}), scope + _NORM)
            for scope, conv in convs.items()]
  return layers + [Layer(scope, {}, norm, scope)
                   for scope, norm in norms.items()]
