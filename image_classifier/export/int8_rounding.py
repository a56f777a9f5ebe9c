"""Weights rounded to 8 bits so that their errors cancel.

Each weight of a channel is rounded in turn, and the weights still to come take
over what the rounding has changed in the output, as far as their inputs go
together on pictures. E. Frantar et al., "GPTQ: Accurate Post-Training
Quantization for Generative Pre-trained Transformers", arXiv:2210.17323. Only
the part of the output that varies counts here; `quantization_correction` takes
care of its mean.
"""
import numpy as np
import tensorflow.compat.v1 as tf

LEVELS = 127
# The axes of the weights that share a step. TensorFlow Lite gives the weights
# of a convolution one for each channel, those of a matrix product only one.
SHARED_AXES = {'Conv2D': (0, 1, 2), 'DepthwiseConv2dNative': (0, 1),
               'MatMul': (0, 1)}

# Inputs of one output; with more the time grows, and single errors count less.
_MOST_INPUTS = 1200
# Places in a picture, along each side, whose values are looked at.
_PLACES = 8
# Added to the variances, as a share of their mean: what pictures not seen do.
_DAMPING = 0.01


def nearest(weights, kind):
  """Returns weights at the nearest of the steps that 8 bits hold.

  Args:
    weights: those of an operation, in its layout.
    kind: the operation, a key of SHARED_AXES.
  """
  step = _step(weights, kind)
  return (np.round(weights / step) * step).astype(weights.dtype)


def _step(weights, kind):
  step = np.abs(weights).max(axis=SHARED_AXES[kind], keepdims=True) / LEVELS
  return np.where(step > 0, step, 1)


def round_weights(network, session, feeds):
  """Rounds the weights of a network's convolutions.

  Args:
    network: its operations.
    session: a session of their graph, to which operations are added.
    feeds: dicts for the session, each with some pictures.

  Returns:
    {name of the constant: rounded weights}. Weights that are no constant or
    have several readers, and those of large kernels, are left out.
  """
  layers = [op for op in network if _is_compensated(op)]
  values = [_inputs(op) for op in layers]
  covariances = [_Covariance() for _ in layers]
  for feed in feeds:
    for covariance, found in zip(covariances, session.run(values, feed)):
      covariance.add(found)
  return {op.inputs[1].op.name: _rounded(_weights(op), op.type, covariance)
          for op, covariance in zip(layers, covariances)}


def _weights(op):
  return tf.make_ndarray(op.inputs[1].op.get_attr('value'))


def _is_compensated(op):
  if (op.type not in ('Conv2D', 'DepthwiseConv2dNative')
      or op.inputs[1].op.type != 'Const'
      or len(op.inputs[1].consumers()) > 1
      or op.get_attr('data_format') != b'NHWC'):
    return False
  shape = op.inputs[1].shape.as_list()
  inputs = shape[0] * shape[1] * (shape[2] if op.type == 'Conv2D' else 1)
  return inputs <= _MOST_INPUTS


def _inputs(op):
  """Returns what each output sees at some places, [groups, places, inputs].

  A convolution is one group, a depthwise one has a group for each channel.
  """
  height, width, channels = op.inputs[1].shape.as_list()[:3]
  strides = op.get_attr('strides')
  sides = op.outputs[0].shape.as_list()[1:3]
  jumps = [stride * max(1, (side or 1) // _PLACES)
           for stride, side in zip(strides[1:3], sides)]
  patches = tf.image.extract_image_patches(
      op.inputs[0], [1, height, width, 1], [1] + jumps + [1],
      op.get_attr('dilations'), op.get_attr('padding').decode())
  if op.type == 'Conv2D':
    return tf.reshape(patches, [1, -1, height * width * channels])
  return tf.transpose(
      tf.reshape(patches, [-1, height * width, channels]), [2, 0, 1])


class _Covariance:
  """Covariance of inputs, batch after batch, [groups, inputs, inputs]."""

  def __init__(self):
    self._number, self._sum, self._products = 0, 0, 0

  def add(self, values):
    values = values.astype(np.float64)
    self._number += values.shape[1]
    self._sum = self._sum + values.sum(axis=1)
    self._products = self._products + np.matmul(
        values.transpose(0, 2, 1), values)

  def damped(self):
    """Returns it with something added, so that it can be inverted."""
    mean = self._sum / self._number
    found = self._products / self._number - mean[:, :, None] * mean[:, None]
    variances = np.trace(found, axis1=1, axis2=2) / found.shape[1]
    # Inputs that never vary have no variance at all.
    added = _DAMPING * np.maximum(variances, 1e-6)
    return found + added[:, None, None] * np.eye(found.shape[1])


def _rounded(weights, kind, covariance):
  """Returns weights rounded, in their layout."""
  groups = weights.shape[2] if kind == 'DepthwiseConv2dNative' else 1
  def grouped(values):
    return values.reshape(-1, groups, values.shape[-1]).transpose(1, 0, 2)
  step = grouped(_step(weights, kind))
  steps = _compensate(grouped(weights) / step, covariance.damped())
  found = (steps * step).transpose(1, 0, 2).reshape(weights.shape)
  # The largest weight of a channel makes the step, it stays.
  largest = np.abs(weights) == np.abs(weights).max(
      axis=SHARED_AXES[kind], keepdims=True)
  return np.where(largest, weights, found).astype(weights.dtype)


def _compensate(weights, covariance):
  """Returns weights as whole numbers, each error made good by the next ones.

  Args:
    weights: float [groups, inputs, outputs], in steps.
    covariance: float [groups, inputs, inputs] of the inputs.
  """
  # Those that matter most come first, when all others can still give way.
  order = np.argsort(
      -np.diagonal(covariance, axis1=1, axis2=2), axis=1)
  weights = np.take_along_axis(weights, order[:, :, None], axis=1)
  covariance = np.take_along_axis(
      np.take_along_axis(covariance, order[:, :, None], axis=1),
      order[:, None, :], axis=2)
  # Row i: how the inputs from i on follow input i, the earlier ones fixed.
  follow = np.linalg.cholesky(np.linalg.inv(covariance)).transpose(0, 2, 1)
  for row in range(weights.shape[1]):
    rounded = np.clip(np.round(weights[:, row]), -LEVELS, LEVELS)
    error = (weights[:, row] - rounded) / follow[:, row, row, None]
    weights[:, row:] -= follow[:, row, row:, None] * error[:, None]
    weights[:, row] = rounded
  return np.take_along_axis(
      weights, np.argsort(order, axis=1)[:, :, None], axis=1)
