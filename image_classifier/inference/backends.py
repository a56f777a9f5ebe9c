"""Backends that run exports and checkpoints.

Each has a method `run(images)` from float32 images [batch, height, width,
channels], or videos [batch, frames, height, width, channels], to (logits,
predictions), both float32 [batch, classes], and a method `close()`.
"""
import inspect
import os
from typing import Union

import numpy as np
import tensorflow.compat.v1 as tf

from slim_common import runtime

OUTPUTS = ('logits', 'predictions')
# What ONNX Runtime computes with, the first that is there.
_PROVIDERS = ('CUDAExecutionProvider', 'CPUExecutionProvider')


class SessionBackend:
  """Runs the network in a TensorFlow session.

  Args:
    session: a `tf.Session`, which `close` closes.
    images: the tensor to feed, or its name.
    outputs: the tensors of logits and predictions, or their names.
  """

  def __init__(self, session, images='input:0', outputs=('logits:0',
                                                         'predictions:0')):
    self._session = session
    self._images = (session.graph.get_tensor_by_name(images)
                    if isinstance(images, str) else images)
    self._outputs = list(outputs)
    # A network may have been exported for batches of one size.
    self._batch = (
        self._images.shape.as_list()[0] if self._images.shape.ndims else None)

  def run(self, images):
    return _in_batches(self._run, images, self._batch)

  def _run(self, images):
    return self._session.run(self._outputs, {self._images: images})

  def close(self):
    self._session.close()


def load_graph_def(graph_def, config=None):
  """Returns the backend of a frozen GraphDef.

  Args:
    graph_def: a GraphDef with the nodes of an export: input, logits and
      predictions.
    config: a `tf.ConfigProto` for the session.

  Raises:
    ValueError: a node is missing.
  """
  graph = tf.Graph()
  with graph.as_default():
    try:
      tf.import_graph_def(graph_def, name='')
      for name in ('input:0',) + tuple(name + ':0' for name in OUTPUTS):
        graph.get_tensor_by_name(name)
    except (KeyError, ValueError) as error:
      raise ValueError(
          'The graph lacks the nodes of an export (input, logits, '
          'predictions): %s. Export it with export_inference_graph.py.' % (
              str(error).splitlines()[0]))
  return SessionBackend(tf.Session(graph=graph, config=config))


def load_frozen_graph(path):
  """Returns the backend of a file; ValueError if it is no frozen graph."""
  definition = tf.GraphDef()
  with open(path, 'rb') as file:
    content = file.read()
  try:
    definition.ParseFromString(content)
  except Exception as error:  # The type differs between versions of protobuf.
    raise ValueError('%s is not a frozen graph: %s.' % (path, error))
  return load_graph_def(definition)


def load_saved_model(directory):
  """Returns the backend of a SavedModel's `serving_default`, or ValueError."""
  session = tf.Session(graph=tf.Graph())
  try:
    loaded = tf.saved_model.loader.load(session, ['serve'], directory)
  except (OSError, RuntimeError, tf.errors.OpError) as error:
    raise ValueError('%s is not a SavedModel that can be served: %s.' % (
        directory, str(error).splitlines()[0]))
  signature = loaded.signature_def.get('serving_default')
  if (signature is None or 'input' not in signature.inputs
      or not set(OUTPUTS) <= set(signature.outputs)):
    raise ValueError(
        '%s has no signature serving_default from `input` to `logits` and '
        '`predictions`. Export it with export_inference_graph.py.' % directory)
  return SessionBackend(session, signature.inputs['input'].name, [
      signature.outputs[name].name for name in OUTPUTS])


class TFLiteBackend:
  """Runs a TensorFlow Lite model.

  Args:
    path: the file.
    num_threads: number of threads; TensorFlow 1.15 ignores it.

  Raises:
    ValueError: the file is not such a model.
  """

  def __init__(self, path, num_threads=None):
    known = inspect.signature(tf.lite.Interpreter.__init__).parameters
    arguments = ({'num_threads': num_threads}
                 if num_threads and 'num_threads' in known else {})
    try:
      with runtime.without_remarks():
        self._interpreter = tf.lite.Interpreter(path, **arguments)
        self._interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
      raise ValueError('%s is not a TensorFlow Lite model that this TensorFlow '
                       'can run: %s' % (path, str(error).splitlines()[0]))
    self._images = self._interpreter.get_input_details()[0]
    # The converter keeps the order of the outputs: logits, predictions.
    self._outputs = self._interpreter.get_output_details()

  def run(self, images):
    return _in_batches(self._run, images, self._images['shape'][0])

  def _run(self, images):
    self._interpreter.set_tensor(
        self._images['index'], _to_input(images, self._images))
    self._interpreter.invoke()
    return [_from_output(self._interpreter.get_tensor(output['index']), output)
            for output in self._outputs]

  def close(self):
    """Does nothing: the interpreter is freed with the object."""


class OnnxBackend:
  """Runs an ONNX model in ONNX Runtime, on a GPU where it has one.

  Args:
    path: the file.

  Raises:
    ValueError: the file is not such a model of an export, or onnxruntime is
      not installed.
  """

  def __init__(self, path):
    self._session = onnx_session(path)
    images = self._session.get_inputs()[0]
    found = {output.name for output in self._session.get_outputs()}
    if images.name != 'input' or not set(OUTPUTS) <= found:
      raise ValueError(
          '%s lacks the input `input` or the outputs `logits` and '
          '`predictions`. Export it with export_inference_graph.py --onnx.' %
          path)
    batch = images.shape[0]
    self._batch = batch if isinstance(batch, int) else None

  def run(self, images):
    return _in_batches(self._run, images, self._batch)

  def _run(self, images):
    return self._session.run(list(OUTPUTS), {'input': images})

  def close(self):
    """Does nothing: the session is freed with the object."""


def onnx_session(path):
  """Returns an `onnxruntime.InferenceSession`; ValueError if it cannot."""
  try:
    import onnxruntime
  except ImportError:
    raise ValueError(
        '%s needs onnxruntime: pip install onnxruntime' % path)
  available = onnxruntime.get_available_providers()
  try:
    return onnxruntime.InferenceSession(path, providers=[
        name for name in _PROVIDERS if name in available])
  except Exception as error:  # Its own types, which it does not export.
    raise ValueError('%s is not an ONNX model that this ONNX Runtime can run: '
                     '%s' % (path, str(error).splitlines()[0]))


def _in_batches(run, images, size):
  """Returns the outputs for any number of images.

  Args:
    run: function from float32 images to a list of arrays [batch, ...].
    images: floats [number, ...].
    size: the only size of a batch that `run` takes; the last image is repeated
      to fill the last batch. None where it takes any.
  """
  if size in (None, len(images)):
    return run(np.asarray(images, np.float32))
  rows = []
  for start in range(0, len(images), size):
    part = np.asarray(images[start:start + size], np.float32)
    missing = size - len(part)
    if missing:
      part = np.concatenate([part, np.repeat(part[-1:], missing, axis=0)])
    rows.append(run(part))
  return [np.concatenate(values)[:len(images)] for values in zip(*rows)]


def _to_input(values, details):
  """Returns values quantized as an input of a TensorFlow Lite model."""
  if details['dtype'] == np.float32:
    return values
  step, zero = details['quantization']
  limits = np.iinfo(details['dtype'])
  return np.clip(np.round(values / step) + zero, limits.min,
                 limits.max).astype(details['dtype'])


def _from_output(values, details):
  """Returns the dequantized float32 values of an output."""
  if details['dtype'] == np.float32:
    return values
  step, zero = details['quantization']
  return (values.astype(np.float32) - zero) * np.float32(step)


def load(path: str) -> Union[SessionBackend, TFLiteBackend, OnnxBackend]:
  """Returns the backend of an export of any form.

  Args:
    path: a frozen graph (.pb), a SavedModel's directory, a .tflite or a .onnx
      file.

  Raises:
    ValueError: the path does not exist, or cannot be loaded.
  """
  if os.path.isdir(path):
    return load_saved_model(path)
  if not os.path.exists(path):
    raise ValueError('There is no file %s.' % path)
  load_file = {'.tflite': TFLiteBackend, '.onnx': OnnxBackend}.get(
      os.path.splitext(path)[1], load_frozen_graph)
  return load_file(path)
