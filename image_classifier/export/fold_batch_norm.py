"""Folding of batch normalization and constants in a frozen graph.

A batch normalization with fixed moments is a factor and an offset per channel.
Directly behind a convolution, the factor goes into its weights and the offset
becomes its bias. Runtimes then fuse convolution, bias and activation.
"""
import collections

import numpy as np
import tensorflow.compat.v1 as tf

_CONVOLUTIONS = ('Conv2D', 'Conv3D', 'DepthwiseConv2dNative')
_CHANNELS_LAST = (b'NHWC', b'NDHWC')
_NORMALIZATIONS = ('FusedBatchNorm', 'FusedBatchNormV2', 'FusedBatchNormV3')
_KEPT = ('Const', 'Placeholder', 'PlaceholderWithDefault')
# Converters read the ranges of the weights from these operations.
_FAKE_QUANTIZATION = 'FakeQuant'

# A node that computes x * scale + shift of each channel x of node `source`.
_Affine = collections.namedtuple('_Affine', 'source scale shift')


def fold(graph_def, outputs):
  """Folds a frozen graph; the remaining nodes keep their names.

  Args:
    graph_def: a GraphDef without variables.
    outputs: names of the output nodes.

  Returns:
    A GraphDef that computes the same outputs up to rounding, without the nodes
    that none of them needs. Convolutions of channels-first data and those with
    fake quantization of the weights are not changed.
  """
  graph_def = tf.graph_util.extract_sub_graph(graph_def, list(outputs))
  nodes = collections.OrderedDict(
      (node.name, node) for node in graph_def.node)
  _drop_copies(nodes, outputs)
  _fold_constants(nodes, outputs)
  readers = _readers(nodes)
  for node in list(nodes.values()):
    if node.op in _CONVOLUTIONS:
      _fold_behind(node, nodes, readers, outputs)
  folded = tf.GraphDef()
  folded.CopyFrom(graph_def)
  del folded.node[:]
  folded.node.extend(nodes.values())
  return tf.graph_util.extract_sub_graph(folded, list(outputs))


def _drop_copies(nodes, outputs):
  """Connects the readers of the Identity of a constant to the constant."""
  source = {}
  for name, node in nodes.items():
    if (node.op == 'Identity' and len(node.input) == 1
        and name not in outputs and nodes[_name(node.input[0])].op == 'Const'):
      source[name] = node.input[0]
  for node in nodes.values():
    for index, tensor in enumerate(node.input):
      while tensor in source:
        tensor = source[tensor]
      node.input[index] = tensor


def _fold_constants(nodes, outputs):
  """Replaces nodes that depend on constants only by their values."""
  with tf.Graph().as_default() as graph:
    tf.import_graph_def(tf.GraphDef(node=nodes.values()), name='')
    known = set()
    # A graph lists operations in the order of creation: inputs first.
    for op in graph.get_operations():
      if _is_known(op, known):
        known.add(op.name)
    replaced = sorted({
        name for name in known if nodes[name].op != 'Const'
        and name not in outputs and any(
            reader.name not in known
            for reader in graph.get_tensor_by_name(name + ':0').consumers())})
    with tf.Session(config=tf.ConfigProto(
        device_count={'GPU': 0})) as session:
      values = session.run([name + ':0' for name in replaced])
  for name, value in zip(replaced, values):
    nodes[name].CopyFrom(_constant(name, value))


def _is_known(op, known):
  if op.type == 'Const':
    return True
  return (bool(op.inputs) and len(op.outputs) == 1 and op.type not in _KEPT
          and not op.type.startswith(_FAKE_QUANTIZATION)
          and not op.control_inputs and not op.op_def.is_stateful
          and all(tensor.op.name in known for tensor in op.inputs))


def _fold_behind(convolution, nodes, readers, outputs):
  """Folds the chain of factors and offsets behind one convolution."""
  weights = _value(nodes, convolution.input[1])
  if (weights is None
      or convolution.attr['data_format'].s not in _CHANNELS_LAST):
    return
  depthwise = convolution.op == 'DepthwiseConv2dNative'
  channels = int(np.prod(weights.shape[-2:])) if depthwise else (
      weights.shape[-1])
  scale, shift = np.ones(channels), np.zeros(channels)
  last, kinds = convolution, []
  while last.name not in outputs and len(readers[last.name]) == 1:
    node = nodes[readers[last.name][0]]
    step = _affine(node, nodes, channels)
    if step is None or step.source != last.name:
      break
    scale, shift = scale * step.scale, shift * step.scale + step.shift
    last = node
    kinds.append(node.op)
  if not kinds or kinds == ['BiasAdd']:
    return
  folded = weights * scale.reshape(weights.shape[-2:] if depthwise else -1)
  _add_constant(nodes, convolution.name + '/folded_weights', folded, weights)
  convolution.input[1] = convolution.name + '/folded_weights'
  _add_constant(nodes, last.name + '/folded_bias', shift, weights)
  bias = tf.NodeDef(
      name=last.name, op='BiasAdd',
      input=[convolution.name, last.name + '/folded_bias'])
  bias.attr['T'].CopyFrom(convolution.attr['T'])
  bias.attr['data_format'].s = b'NHWC'
  nodes[last.name].CopyFrom(bias)


def _affine(node, nodes, channels):
  """Returns the _Affine that a node computes, or None."""
  if node.op in _NORMALIZATIONS:
    return _normalization(node, nodes)
  if len(node.input) != 2:
    return None
  constants = [_value(nodes, tensor) for tensor in node.input]
  # One input is data; for a difference and a bias that is the first.
  index = 0 if constants[1] is not None else 1
  value = constants[1 - index]
  if value is None or not _is_per_channel(value, channels):
    return None
  source, value = node.input[index], value.astype(np.float64).reshape(-1)
  if node.op in ('Add', 'AddV2') or (node.op == 'BiasAdd' and index == 0):
    return _Affine(source, 1.0, value)
  if node.op == 'Sub' and index == 0:
    return _Affine(source, 1.0, -value)
  if node.op == 'Mul':
    return _Affine(source, value, 0.0)
  return None


def _normalization(node, nodes):
  values = [_value(nodes, tensor) for tensor in node.input[1:5]]
  if (node.attr['is_training'].b or any(value is None for value in values)
      or node.attr['data_format'].s not in _CHANNELS_LAST):
    return None
  gamma, beta, mean, variance = (value.astype(np.float64) for value in values)
  scale = gamma / np.sqrt(variance + node.attr['epsilon'].f)
  return _Affine(node.input[0], scale, beta - mean * scale)


def _is_per_channel(value, channels):
  return value.size == 1 or (
      value.size == channels and value.shape[-1] == channels)


def _readers(nodes):
  """Returns {name of a node: names of the nodes that read it, one per input}.

  Readers of other outputs than the first and control dependencies count too,
  so that a node with these is not folded.
  """
  readers = collections.defaultdict(list)
  for node in nodes.values():
    for tensor in node.input:
      readers[_name(tensor)].append(node.name)
  return readers


def _name(tensor):
  return tensor.lstrip('^').split(':')[0]


def _value(nodes, tensor):
  """Returns the value of a constant as an array, or None for other tensors."""
  node = nodes.get(tensor)
  if node is None or node.op != 'Const':
    return None
  return tf.make_ndarray(node.attr['value'].tensor)


def _add_constant(nodes, name, value, like):
  nodes[name] = _constant(name, value.astype(like.dtype))


def _constant(name, value):
  value = np.asarray(value)
  node = tf.NodeDef(name=name, op='Const')
  node.attr['dtype'].type = tf.as_dtype(value.dtype).as_datatype_enum
  node.attr['value'].tensor.CopyFrom(tf.make_tensor_proto(value))
  return node
