"""The layers of a network, as its graph has them."""
import collections
from typing import Dict, List, NamedTuple

import tensorflow.compat.v1 as tf

from nets import nets_factory
from nets import variants

_KERNELS = ('weights', 'depthwise_weights')
_POINTWISE = 'pointwise_weights'
_NORM = '/BatchNorm'


class Layer(NamedTuple):
  """A layer with variables.

  Attributes:
    scope: its variable scope, without the network's root. The 1x1 convolution
      of a separable one is a layer of its own.
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

  @property
  def title(self) -> str:
    """What `name_rules.Rule`s match: the scope, of a 1x1 one with its kind."""
    return self.scope + ('/pointwise' if _POINTWISE in self.conv else '')


class Network(NamedTuple):
  """A network to fill with weights.

  Attributes:
    root: the scope that all variables share, with its slash; '' for none.
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
  root = root_of(shapes)
  return Network(root, layers_of(shapes, root), epsilon_of(graph), size, graph,
                 images, logits)


def epsilon_of(graph) -> float:
  """Returns the epsilon of the batch normalization in a graph; 0.0 if none."""
  return max((op.get_attr('epsilon') for op in graph.get_operations()
              if op.type.startswith('FusedBatchNorm')), default=0.0)


def root_of(names) -> str:
  """Returns the first scope of all names with its slash; '' if they differ."""
  roots = {name.split('/')[0] for name in names}
  return roots.pop() + '/' if len(roots) == 1 else ''


def layers_of(shapes, root):
  """Groups the variables of a network, {name: shape}, into `Layer`s."""
  convs, norms = collections.OrderedDict(), collections.OrderedDict()
  for name, shape in shapes.items():
    scope, last = name[len(root):].rsplit('/', 1)
    is_conv = last in _KERNELS + (_POINTWISE, 'biases')
    key = (scope, last == _POINTWISE) if is_conv else scope
    (convs if is_conv else norms).setdefault(
        key, collections.OrderedDict())[last] = shape
  layers = [Layer(scope, conv, norms.pop(scope + _NORM, {}), scope + _NORM)
            for (scope, _), conv in convs.items()]
  return layers + [Layer(scope, {}, norm, scope)
                   for scope, norm in norms.items()]
