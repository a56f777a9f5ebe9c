"""Quantization-aware training with tensorflow.contrib of TensorFlow 1.15.

B. Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference", arXiv:1712.05877.
"""
import tensorflow.compat.v1 as tf


def quantize_for_training(quant_delay, graph=None):
  """Inserts fake quantization that learns the ranges of activations.

  Call it after the network and its losses are built, before the gradients.

  Args:
    quant_delay: step at which quantization starts; negative for none.
    graph: a `tf.Graph`; the default graph if None.

  Raises:
    ValueError: this TensorFlow has no contrib.
  """
  if quant_delay >= 0:
    _contrib('--quantize_delay').create_training_graph(
        input_graph=graph, quant_delay=quant_delay)


def quantize_for_inference(quantize=True, graph=None):
  """Inserts fake quantization with the ranges learned in training.

  Call it after the network is built, before variables are restored.

  Args:
    quantize: whether to insert any.
    graph: as for `quantize_for_training`.

  Returns:
    A dict {name in the checkpoint: variable} of the ranges, to restore with
    the weights.

  Raises:
    ValueError: this TensorFlow has no contrib.
  """
  if not quantize:
    return {}
  graph = graph or tf.get_default_graph()
  before = set(graph.get_collection(tf.GraphKeys.GLOBAL_VARIABLES))
  _contrib('--quantize').create_eval_graph(input_graph=graph)
  return {variable.op.name: variable for variable in graph.get_collection(
      tf.GraphKeys.GLOBAL_VARIABLES) if variable not in before}


def _contrib(flag):
  try:
    from tensorflow.contrib import quantize
  except ImportError:
    raise ValueError(
        '%s needs TensorFlow 1.15: later versions do not rewrite graphs for '
        'quantization. Train without it, and export with post-training '
        'quantization: export_inference_graph.py --int8.' % flag)
  return quantize
