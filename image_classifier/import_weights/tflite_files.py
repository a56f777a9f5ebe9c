"""Reads the weights of the layers in TensorFlow Lite files.

The format is a FlatBuffer; the numbers of its fields and kinds are those of
tensorflow/lite/schema/schema.fbs.
"""
import struct
from typing import Dict

import numpy as np

from image_classifier.import_weights import flat_buffer

IDENTIFIER = b'TFL3'  # At the fifth byte of a file.
# The layers with weights, and how these become those of TensorFlow.
_CONV, _DEPTHWISE, _DENSE = 3, 4, 9
_AXES = {_CONV: (1, 2, 3, 0), _DEPTHWISE: (1, 2, 3, 0), _DENSE: (1, 0)}
_DEQUANTIZE = 6
_DTYPES = {0: '<f4', 1: '<f2'}
# Fields: of the model, an operation's code, a subgraph, a tensor, an operation.
_CODES, _SUBGRAPHS, _BUFFERS = 1, 2, 4
_OLD_CODE, _CODE = 0, 3
_TENSORS, _OPERATIONS = 0, 3
_SHAPE, _TYPE, _BUFFER, _NAME = 0, 1, 2, 3
_CODE_INDEX, _INPUTS, _OUTPUTS, _OPTIONS = 0, 1, 2, 4
# Place of the activation in the options of an operation.
_ACTIVATIONS = {_CONV: 3, _DEPTHWISE: 4, _DENSE: 0}
RELU6 = 3


def read(path: str) -> Dict[str, np.ndarray]:
  """Returns the weights, {'layer_NUMBER/kernel' or '.../bias': array}.

  'layer_NUMBER/activation' is the number of the activation behind it.
  The layers have no reliable names, as each converter makes its own; so they
  are numbered in the order in which they compute: convolutions, depthwise and
  not, and fully connected ones.

  Raises:
    ValueError: the file is damaged, or its weights are no floats.
    OSError: the file cannot be read.
  """
  with open(path, 'rb') as file:
    content = file.read()
  try:
    return _layers(flat_buffer.Table(content), content)
  except (struct.error, IndexError):
    raise ValueError('%s is no complete TensorFlow Lite file.' % path)
  except ValueError as error:
    raise ValueError('%s is refused: %s.' % (path, error))


def _layers(model, content):
  codes = [_code(flat_buffer.Table(content, position))
           for position in model.positions(_CODES)]
  buffers = [flat_buffer.Table(content, position)
             for position in model.positions(_BUFFERS)]
  graph = flat_buffer.Table(content, model.positions(_SUBGRAPHS)[0])
  tensors = [flat_buffer.Table(content, position)
             for position in graph.positions(_TENSORS)]
  values, halves, number = {}, {}, 0
  for position in graph.positions(_OPERATIONS):
    operation = flat_buffer.Table(content, position)
    code = codes[operation.scalar(_CODE_INDEX, 'I')]
    inputs = _numbers(operation, _INPUTS)
    if code == _DEQUANTIZE:  # Weights kept as float16.
      halves[_numbers(operation, _OUTPUTS)[0]] = inputs[0]
    if code not in _AXES:
      continue
    for kind, place in zip(('kernel', 'bias'), inputs[1:]):
      if place >= 0:  # -1 stands for none.
        tensor = tensors[halves.get(place, place)]
        value = _array(tensor, buffers)
        values['layer_%d/%s' % (number, kind)] = (
            value.transpose(_AXES[code]) if kind == 'kernel' else value)
    values['layer_%d/activation' % number] = np.array(
        _activation(operation, code, content))
    number += 1
  return values


def _code(table):
  """Returns the kind of an operation; those below 127 are in the old field."""
  return max(table.scalar(_OLD_CODE, 'b'), table.scalar(_CODE, 'i'))


def _activation(operation, code, content):
  position = operation.reference(_OPTIONS)
  return 0 if position is None else flat_buffer.Table(
      content, position).scalar(_ACTIVATIONS[code], 'b')


def _numbers(table, field):
  data = table.vector(field, 'i')
  return np.frombuffer(data, '<i4').tolist()


def _array(tensor, buffers):
  name = tensor.data(_NAME).decode('utf-8', 'replace')
  kind = tensor.scalar(_TYPE, 'b')
  if kind not in _DTYPES:
    raise ValueError('the tensor %s is quantized: give the file in floating '
                     'point' % name)
  shape = _numbers(tensor, _SHAPE)
  data = buffers[tensor.scalar(_BUFFER, 'I')].data(0)
  value = np.frombuffer(data, _DTYPES[kind])
  if value.size != np.prod(shape):
    raise ValueError('the tensor %s has %d values for shape %s: it is no '
                     'constant, or the file is not complete' % (
                         name, value.size, shape))
  return value.reshape(shape)
