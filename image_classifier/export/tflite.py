"""TensorFlow Lite models, in floating point and in 8-bit integers."""
import contextlib
import os
import sys
import tempfile

import tensorflow.compat.v1 as tf

from image_classifier.export import int8_calibration
from image_classifier.inference.backends import OUTPUTS

# Dense layers get one scale for all their weights, as `int8_calibration`
# expects; without it, TensorFlow 2.21 gives each output a scale.
_ONE_SCALE = (
    '_experimental_disable_per_channel_quantization_for_dense_layers')


def convert(graph_def, shape, pictures=None):
  """Converts a frozen graph.

  Args:
    graph_def: a folded, frozen GraphDef with the nodes input, logits,
      predictions.
    shape: the shape of the input, [batch, height, width, channels], all known.
    pictures: None for a model in floating point; otherwise a list of float32
      arrays of that shape, from which the ranges of the activations and the
      corrections of the biases are measured; input and outputs stay floating
      point. A graph with fake quantisation brings its own ranges: only that
      of the input is measured, and input and outputs have 8 bits.

  Returns:
    The content of a .tflite file.

  Raises:
    ValueError: TensorFlow Lite lacks an operation of the network.
  """
  learnt = any(node.op.startswith('FakeQuant') for node in graph_def.node)
  if pictures is not None and not learnt:
    graph_def = int8_calibration.correct(graph_def, pictures)
  descriptor, path = tempfile.mkstemp(suffix='.pb')
  try:
    with os.fdopen(descriptor, 'wb') as file:
      file.write(graph_def.SerializeToString())
    with tf.Graph().as_default(), _own_programs():
      return _converter(path, shape, pictures, learnt).convert()
  except Exception as error:
    # The converters' own errors differ between the TensorFlows.
    raise ValueError(
        'TensorFlow Lite cannot hold this network: %s Leave out --tflite and '
        '--int8.' % _reason(error))
  finally:
    os.remove(path)


def _converter(path, shape, pictures, learnt):
  converter = tf.lite.TFLiteConverter.from_frozen_graph(
      path, ['input'], list(OUTPUTS), {'input': list(shape)})
  if pictures is not None and learnt:
    converter.inference_type = tf.uint8
    converter.quantized_input_stats = {'input': _input_stats(pictures)}
  elif pictures is not None:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([one] for one in pictures)
    setattr(converter, _ONE_SCALE, True)
  return converter


def _input_stats(pictures):
  """Returns (mean, std): a byte stands for (byte - mean) / std."""
  low = min(0.0, min(float(batch.min()) for batch in pictures))
  high = max(0.0, max(float(batch.max()) for batch in pictures))
  # A network that was given nothing but zeros still has a step.
  std = 255 / ((high - low) or 1.0)
  return -low * std, std


@contextlib.contextmanager
def _own_programs():
  """Lets the programs beside this Python be found.

  TensorFlow 1.15 converts with one, toco_from_protos, which is on the path of
  an activated environment only.
  """
  before = os.environ.get('PATH', '')
  os.environ['PATH'] = os.path.dirname(sys.executable) + os.pathsep + before
  try:
    yield
  finally:
    os.environ['PATH'] = before


def _reason(error):
  """Returns the line of a converter's long message that says what is wrong."""
  lines = [line.strip() for line in str(error).splitlines() if line.strip()]
  telling = [line for line in lines if 'unsupported' in line.lower()
             or 'not supported' in line.lower() or 'custom' in line.lower()]
  return (telling or lines or [type(error).__name__])[0][:300]
