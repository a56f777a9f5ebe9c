"""ONNX models, for ONNX Runtime and other readers of ONNX."""
import importlib.util
import json

from image_classifier.inference import exports
from slim_common import runtime

_PACKAGES = ('tf2onnx', 'onnxruntime')


def check_packages() -> None:
  """Raises ValueError if a package that converts or verifies is missing."""
  missing = [name for name in _PACKAGES
             if importlib.util.find_spec(name) is None]
  if missing:
    raise ValueError('--onnx needs %s: pip install %s' % (
        ' and '.join(missing), ' '.join(missing)))


def convert(graph_def, record, names) -> bytes:
  """Converts a frozen graph.

  Args:
    graph_def: a folded, frozen GraphDef with the node `input` and the outputs
      that the record names.
    record: dict, the content of model.json, which the file holds too.
    names: list of the names of the classes, which the file holds too.

  Returns:
    The content of a .onnx file. The tensors of its inputs and outputs have the
    names and shapes of those of the graph.

  Raises:
    ValueError: tf2onnx does not know an operation of the network.
  """
  # Both take a second to load.
  import onnx
  from tf2onnx import convert as tf2onnx_convert
  outputs = record['outputs']
  ends = {name + ':0': name for name in ['input'] + outputs}
  try:
    with runtime.without_remarks():
      model, _ = tf2onnx_convert.from_graph_def(
          graph_def, input_names=['input:0'],
          output_names=[name + ':0' for name in outputs])
      # tf2onnx leaves an operation that it does not know as it is.
      onnx.checker.check_model(model)
  except Exception as error:  # The types differ between its versions.
    raise ValueError('tf2onnx cannot represent this network: %s. Leave out '
                     '--onnx.' % (str(error).splitlines() or [error])[0])
  _rename(model.graph, ends)
  onnx.helper.set_model_props(model, {
      exports.MODEL: json.dumps(record), exports.LABELS: exports.labels_text(
          names)})
  return model.SerializeToString()


def _rename(graph, ends):
  """Gives the tensors at the ends of an ONNX graph other names."""
  for node in graph.node:
    for tensors in node.input, node.output:
      tensors[:] = [ends.get(name, name) for name in tensors]
  for value in list(graph.input) + list(graph.output):
    value.name = ends.get(value.name, value.name)
