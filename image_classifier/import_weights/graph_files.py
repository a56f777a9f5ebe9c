"""Reads the weights in GraphDefs and SavedModels with the names of slim."""
import os
from typing import Dict

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.core.protobuf import saved_model_pb2

from image_classifier.checkpoints import shape_mismatch

_SAVED_MODEL = 'saved_model.pb'
_VARIABLES = os.path.join('variables', 'variables')
_AVERAGE = '/ExponentialMovingAverage'
_INCOMPLETE = 'it is no complete GraphDef or SavedModel'


def is_saved_model(path: str) -> bool:
  """Returns whether a path is the directory of a SavedModel or Hub module."""
  return os.path.exists(os.path.join(path, _SAVED_MODEL))


def read(path: str) -> Dict[str, np.ndarray]:
  """Returns the weights, {name: array}.

  Of a SavedModel the variables, or if it has none the constants. Averages of
  weights (ExponentialMovingAverage) replace the weights.

  Args:
    path: a frozen GraphDef, or the directory of a SavedModel.

  Raises:
    ValueError: the file is damaged, or has no weights.
  """
  try:
    if not is_saved_model(path):
      values = _constants(_parsed(path, tf.GraphDef()))
    elif os.path.exists(os.path.join(path, _VARIABLES + '.index')):
      reader = tf.train.NewCheckpointReader(os.path.join(path, _VARIABLES))
      values = {name: reader.get_tensor(name)
                for name in reader.get_variable_to_shape_map()}
    else:
      model = _parsed(os.path.join(path, _SAVED_MODEL),
                      saved_model_pb2.SavedModel())
      if not model.meta_graphs:  # Bytes of another kind can be parsed so.
        raise ValueError(_INCOMPLETE)
      values = _constants(model.meta_graphs[0].graph_def)
  except (ValueError, IndexError, RuntimeError, tf.errors.OpError) as error:
    raise ValueError('%s is refused: %s.' % (
        path, str(error).splitlines()[0].rstrip('.')))
  averages = {name[:-len(_AVERAGE)]: value for name, value in values.items()
              if name.endswith(_AVERAGE)}
  values = {name: value for name, value in values.items()
            if not name.endswith(_AVERAGE)}
  return dict(values, **averages)


def _parsed(path, message):
  with open(path, 'rb') as file:
    content = file.read()
  try:
    message.ParseFromString(content)
  except Exception:  # DecodeError, of a module that differs between versions.
    raise ValueError(_INCOMPLETE)
  return message


def _constants(graph_def):
  return {node.name: tf.make_ndarray(node.attr['value'].tensor)
          for node in graph_def.node if node.op == 'Const' and
          node.attr['value'].tensor.dtype == tf.float32.as_datatype_enum}


def num_classes(tensors: Dict[str, np.ndarray], path: str) -> int:
  """Returns the width of the last layer.

  Raises:
    ValueError: there is none.
  """
  widths = [value.shape[-1] for name, value in tensors.items()
            if shape_mismatch.is_head(name) and name.endswith('/biases') and
            'aux' not in name.lower()]
  if not widths:
    raise ValueError(
        '%s has no biases of a last layer with a name of slim, such as '
        'InceptionV3/Logits/Conv2d_1c_1x1/biases.' % path)
  return widths[-1]


def fill(network, tensors: Dict[str, np.ndarray], path: str):
  """Returns (values, used, initialized) for a `network.Network`.

  The names in the file may have a prefix, such as `module/` or `import/`.

  Raises:
    ValueError: a variable is missing, or has another shape.
  """
  with network.graph.as_default():
    shapes = {variable.op.name: variable.shape.as_list()
              for variable in tf.global_variables()}
  prefix = _prefix(next(iter(shapes)), tensors)
  values, initialized = {}, []
  for name, shape in shapes.items():
    value = tensors.get(prefix + name)
    if value is None and 'aux' in name.lower():
      initialized.append(name)
      continue
    if value is None:
      raise ValueError(
          '%s has no tensor %s: is it a file of another network, or one whose '
          'batch normalization is folded into the weights?' % (
              path, prefix + name))
    if list(value.shape) != shape:
      raise ValueError('%s: %s has shape %s there and %s here. %s' % (
          path, name, list(value.shape), shape, shape_mismatch.cause(
              name, {name: list(value.shape)}, shapes)))
    values[name] = value
  return values, {prefix + name for name in values}, initialized


def _prefix(name, tensors):
  """Returns what is before a variable's name in a file."""
  for each in tensors:
    if ('/' + each).endswith('/' + name):
      return each[:-len(name)]
  return ''
