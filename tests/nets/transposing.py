"""Runs graphs of the layout NCHW where only NHWC can be computed."""
import tensorflow.compat.v1 as tf

_TO_NHWC = (0, 2, 3, 1)
_TO_NCHW = (0, 3, 1, 2)
_LISTS = ('strides', 'ksize', 'dilations')


def substitute(graph_def):
  """Replaces each operation in NCHW by one in NHWC between transpositions.

  Args:
    graph_def: a tf.GraphDef; of operations with several outputs only the first
      may be used.

  Returns:
    (graph_def, count): a tf.GraphDef, and the number of the replaced.
  """
  result, count = tf.GraphDef(versions=graph_def.versions), 0
  for node in graph_def.node:
    if 'data_format' not in node.attr or (
        node.attr['data_format'].s != b'NCHW'):
      result.node.add().CopyFrom(node)
      continue
    count += 1
    inner = result.node.add()
    inner.CopyFrom(node)
    inner.name = node.name + '/nhwc'
    inner.attr['data_format'].s = b'NHWC'
    for name in _LISTS:
      if name in node.attr:
        values = node.attr[name].list.i
        inner.attr[name].list.i[:] = [values[axis] for axis in _TO_NHWC]
    inner.input[0] = node.name + '/before'
    _add_transpose(result, node, inner.input[0], node.input[0], _TO_NHWC)
    _add_transpose(result, node, node.name, inner.name, _TO_NCHW)
  return result, count


def _add_transpose(graph_def, node, name, source, order):
  constant = graph_def.node.add(name=name + '/order', op='Const')
  constant.attr['dtype'].type = tf.int32.as_datatype_enum
  constant.attr['value'].tensor.CopyFrom(
      tf.make_tensor_proto(order, tf.int32))
  added = graph_def.node.add(
      name=name, op='Transpose', input=[source, constant.name])
  added.attr['T'].type = node.attr['T'].type
  added.attr['Tperm'].type = tf.int32.as_datatype_enum
