"""Exports and checkpoints, loaded and ready to compute.

Each has `run(images)`: float32 pictures, [batch, height, width, channels] or
[batch, frames, height, width, channels], to (logits, predictions), float32
[batch, classes].
"""
import inspect
import os

import numpy as np
import tensorflow.compat.v1 as tf

OUTPUTS = ('logits', 'predictions')


class SessionRunner:
  """A session with the network."""

  def __init__(self, session, images='input:0', outputs=('logits:0',
                                                         'predictions:0')):
    """Takes a session over.

    Args:
      session: a `tf.Session`.
      images: the tensor to feed, or its name.
      outputs: the tensors of logits and predictions, or their names.
    """
    self._session = session
    self._images = images
    self._outputs = list(outputs)

  def run(self, images):
    return self._session.run(self._outputs, {self._images: images})

  def close(self):
    self._session.close()


def of_graph_def(graph_def, config=None):
  """Returns the runner of a frozen GraphDef with the names of an export."""
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
  return SessionRunner(tf.Session(graph=graph, config=config))


def of_frozen_graph(path):
  """Returns the runner of a frozen graph's file.

  Raises:
    ValueError: the file is no frozen graph, or not of this project.
  """
  definition = tf.GraphDef()
  with open(path, 'rb') as file:
    content = file.read()
  try:
    definition.ParseFromString(content)
  except Exception as error:  # protobuf's own error, which moved with versions.
    raise ValueError('%s is not a frozen graph: %s.' % (path, error))
  return of_graph_def(definition)


def of_saved_model(folder):
  """Returns the runner of a SavedModel's `serving_default`.

  Raises:
    ValueError: the folder holds no SavedModel with that signature.
  """
  session = tf.Session(graph=tf.Graph())
  try:
    loaded = tf.saved_model.loader.load(session, ['serve'], folder)
  except (OSError, RuntimeError, tf.errors.OpError) as error:
    raise ValueError('%s is not a SavedModel that can be served: %s.' % (
        folder, str(error).splitlines()[0]))
  signature = loaded.signature_def.get('serving_default')
  if (signature is None or 'input' not in signature.inputs
      or not set(OUTPUTS) <= set(signature.outputs)):
    raise ValueError(
        '%s has no signature serving_default from `input` to `logits` and '
        '`predictions`. Export it with export_inference_graph.py.' % folder)
  return SessionRunner(session, signature.inputs['input'].name, [
      signature.outputs[name].name for name in OUTPUTS])


class TFLiteRunner:
  """A TensorFlow Lite model."""

  def __init__(self, path, num_threads=None):
    """Loads a model.

    Args:
      path: the file.
      num_threads: threads to use, where this TensorFlow lets one choose.

    Raises:
      ValueError: the file is no such model.
    """
    known = inspect.signature(tf.lite.Interpreter.__init__).parameters
    arguments = ({'num_threads': num_threads}
                 if num_threads and 'num_threads' in known else {})
    try:
      self._interpreter = tf.lite.Interpreter(path, **arguments)
      self._interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
      raise ValueError('%s is not a TensorFlow Lite model that this TensorFlow '
                       'can run: %s' % (path, str(error).splitlines()[0]))
    self._images = self._interpreter.get_input_details()[0]
    # The converter keeps the order: logits, predictions.
    self._outputs = self._interpreter.get_output_details()

  def run(self, images):
    batch = self._images['shape'][0]
    rows = []
    for start in range(0, len(images), batch):
      part = np.asarray(images[start:start + batch], np.float32)
      missing = batch - len(part)
      if missing:
        part = np.concatenate([part, np.repeat(part[-1:], missing, axis=0)])
      self._interpreter.set_tensor(
          self._images['index'], _to_input(part, self._images))
      self._interpreter.invoke()
      rows.append([_from_output(
          self._interpreter.get_tensor(output['index']), output)
                   for output in self._outputs])
    return [np.concatenate(values)[:len(images)] for values in zip(*rows)]

  def close(self):
    """Does nothing; the interpreter goes with the object."""


def _to_input(values, details):
  """Returns values as an input of a TensorFlow Lite model takes them."""
  if details['dtype'] == np.float32:
    return values
  step, zero = details['quantization']
  limits = np.iinfo(details['dtype'])
  return np.clip(np.round(values / step) + zero, limits.min,
                 limits.max).astype(details['dtype'])


def _from_output(values, details):
  """Returns the float32 values that an output stands for."""
  if details['dtype'] == np.float32:
    return values
  step, zero = details['quantization']
  return (values.astype(np.float32) - zero) * np.float32(step)


def load(path):
  """Returns the runner of an export, whichever form it has.

  Args:
    path: a frozen graph (.pb), a SavedModel's folder or a .tflite file.

  Raises:
    ValueError: there is nothing there, or it cannot be loaded.
  """
  if os.path.isdir(path):
    return of_saved_model(path)
  if not os.path.exists(path):
    raise ValueError('There is no file %s.' % path)
  return TFLiteRunner(path) if path.endswith('.tflite') else (
      of_frozen_graph(path))
