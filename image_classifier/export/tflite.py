"""TensorFlow Lite models, in floating point and 8-bit integers."""
import contextlib
import os
import sys
import tempfile

import tensorflow.compat.v1 as tf

from image_classifier.export import int8_calibration
from image_classifier.inference.backends import OUTPUTS
from slim_common import atomic_files
from slim_common import runtime

# Dense layers get one scale for all their weights, as `int8_calibration`
# expects; without it, TensorFlow 2.21 gives each output a scale.
_ONE_SCALE = (
    '_experimental_disable_per_channel_quantization_for_dense_layers')


def convert(graph_def, shape, images=None):
  """Converts a frozen graph.

  Args:
    graph_def: a folded, frozen GraphDef with the nodes input, logits,
      predictions.
    shape: the shape of the input, [batch, height, width, channels], all known.
    images: None for a model in floating point. For 8 bits, a list of float32
      arrays of that shape to measure the ranges of the activations and the
      corrections of the biases on; input and outputs are float32. A graph with
      fake quantization has its ranges, except that of the input; its input and
      outputs are uint8.

  Returns:
    The content of a .tflite file, bytes.

  Raises:
    ValueError: TensorFlow Lite lacks an operation of the network.
    OSError: a temporary file cannot be written.
  """
  has_ranges = any(node.op.startswith('FakeQuant') for node in graph_def.node)
  if images is not None and not has_ranges:
    graph_def = int8_calibration.correct_biases(graph_def, images)
  descriptor, path = tempfile.mkstemp(suffix='.pb')
  try:
    with atomic_files.naming(path), os.fdopen(descriptor, 'wb') as file:
      file.write(graph_def.SerializeToString())
    with tf.Graph().as_default(), _programs_on_path(), (
        runtime.without_remarks()):
      return _converter(path, shape, images, has_ranges).convert()
  except OSError:  # A full disk.
    raise
  except Exception as error:
    # The types of the converter's errors differ between TensorFlow versions.
    raise ValueError(
        'TensorFlow Lite cannot represent this network: %s Leave out --tflite '
        'and --int8.' % _reason(error))
  finally:
    os.remove(path)


def _converter(path, shape, images, has_ranges):
  converter = tf.lite.TFLiteConverter.from_frozen_graph(
      path, ['input'], list(OUTPUTS), {'input': list(shape)})
  if images is not None and has_ranges:
    converter.inference_type = tf.uint8
    converter.quantized_input_stats = {'input': _input_stats(images)}
  elif images is not None:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([batch] for batch in images)
    setattr(converter, _ONE_SCALE, True)
  return converter


def _input_stats(images):
  """Returns (mean, std): a byte represents (byte - mean) / std."""
  low = min(0.0, min(float(batch.min()) for batch in images))
  high = max(0.0, max(float(batch.max()) for batch in images))
  # Images of nothing but zeros need a scale, too.
  std = 255 / ((high - low) or 1.0)
  return -low * std, std


@contextlib.contextmanager
def _programs_on_path():
  """Puts the directory of this Python on the path.

  TensorFlow 1.15 converts with a program there, toco_from_protos, which it
  finds only in an activated environment otherwise.
  """
  before = os.environ.get('PATH', '')
  os.environ['PATH'] = os.path.dirname(sys.executable) + os.pathsep + before
  try:
    yield
  finally:
    os.environ['PATH'] = before


def _reason(error):
  """Returns the line of a converter's long message that has the reason."""
  lines = [line.strip() for line in str(error).splitlines() if line.strip()]
  reasons = [line for line in lines if 'unsupported' in line.lower()
             or 'not supported' in line.lower() or 'custom' in line.lower()]
  return (reasons or lines or [type(error).__name__])[0][:300]
