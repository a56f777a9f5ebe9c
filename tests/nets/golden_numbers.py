"""Runs networks on deterministic weights and images.

Every value is from one sequence of 4099 normal deviates, repeated as often as
needed. A variable starts at a position that depends on its name. The last part
of its name decides the rest:

  gamma, moving_variance  1 + 0.1 |deviate|
  rank less than two      0.1 deviate
  depthwise_weights       gain * deviate * sqrt(2 / (height * width))
  all others              gain * deviate * sqrt(2 / inputs of an output)

The gain is for networks whose results would hardly depend on the images
otherwise: 1 keeps the variance through convolutions and rectifiers. The images
are the deviates from their start, divided by 3 and clipped to [-1, 1].
"""
import zlib

import numpy as np
import tensorflow.compat.v1 as tf

_DEVIATES = np.random.RandomState(15).standard_normal(4099)
_BATCH = 2
_VALUES = 16
_TOLERANCE = 1e-3


def run(net, images, gain):
  """Returns some of the values of `net`, with regularization losses.

  Args:
    net: result of a network in evaluation mode in the default graph.
    images: placeholder that it depends on; the batch is not known.
    gain: factor of the weights.

  Returns:
    A dict: 'mean' and 'deviation' of all values for two images, 'values' of
    16 of them at equal distances, and 'regularization', the sum of the losses.
  """
  variables = tf.global_variables()
  shape = [_BATCH] + images.shape.as_list()[1:]
  losses = tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)
  settings = tf.ConfigProto(intra_op_parallelism_threads=1)
  # What is run once is not worth being optimized.
  settings.graph_options.rewrite_options.disable_meta_optimizer = True
  with tf.Session(config=settings) as session:
    session.run(
        [variable.initializer for variable in variables],
        {variable.initializer.inputs[1]: _weights(variable, gain)
         for variable in variables})
    values, regularization = session.run(
        [net, sum(losses) if losses else tf.zeros([])],
        {images: np.clip(_deviates(0, shape) / 3, -1, 1)})
  indices = np.linspace(0, values.size - 1, _VALUES).astype(int)
  return {
      'mean': _rounded(values.mean()),
      'deviation': _rounded(values.std()),
      'values': [_rounded(value) for value in values.flat[indices]],
      'regularization': _rounded(regularization),
  }


def differences(found, expected):
  """Compares what `run` returned; returns a list of lines."""
  lines = []
  for name, wanted in expected.items():
    scale = 0 if name == 'regularization' else expected['deviation']
    if not np.allclose(found[name], wanted, rtol=_TOLERANCE,
                       atol=_TOLERANCE * scale):
      lines.append('numbers: %s is %s, expected %s' % (
          name, found[name], wanted))
  return lines


def _weights(variable, gain):
  name = variable.op.name
  kind = name.split('/')[-1]
  shape = variable.shape.as_list()
  values = _deviates(zlib.crc32(name.encode()), shape)
  if kind in ('gamma', 'moving_variance'):
    return 1 + 0.1 * np.abs(values)
  if len(shape) < 2:
    return (0.1 * values).astype(variable.dtype.base_dtype.as_numpy_dtype)
  inputs = shape[:2] if kind == 'depthwise_weights' else shape[:-1]
  return values * gain * np.sqrt(2 / np.prod(inputs))


def _deviates(start, shape):
  row = np.roll(_DEVIATES, -(start % len(_DEVIATES)))
  return np.resize(row, int(np.prod(shape))).reshape(shape)


def _rounded(value):
  return float('%.6g' % value)
