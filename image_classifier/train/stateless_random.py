"""Random numbers that depend on the step, not on the state of a session.

TensorFlow's random operations keep a state in the session, which no
checkpoint holds: after an interruption dropout would start with its first
masks again. Here such operations are replaced by stateless ones, whose seed is
made of the run's seed, the operation's name and the global step, so that a
resumed run gets the random numbers that it would have got without the stop.

Networks call `slim.dropout`, and no public function of TensorFlow replaces an
operation in a graph: this module uses private ones, for --deterministic only.
"""
from typing import List
import zlib

import tensorflow.compat.v1 as tf

_STATELESS = {
    'RandomUniform': tf.random.stateless_uniform,
    'RandomStandardNormal': tf.random.stateless_normal,
    'TruncatedNormal': tf.random.stateless_truncated_normal}


def operations() -> List[tf.Operation]:
  """Returns the random operations of the default graph, initializers aside."""
  initial = _initial_values()
  return [op for op in tf.get_default_graph().get_operations()
          if op.type in _STATELESS and op not in initial]


def tie_to_step(seed: int, global_step) -> List[str]:
  """Replaces the `operations` of the default graph by stateless ones.

  Call it after the forward pass is built and before the gradients.

  Args:
    seed: seed of the run.
    global_step: int64 scalar variable.

  Returns:
    The names of the operations replaced.
  """
  replaced = operations()
  for op in replaced:
    _replace(op, seed, global_step)
  return [op.name for op in replaced]


def _initial_values():
  """Returns the operations on which initial values of variables depend."""
  pending = [variable.initializer for variable in tf.global_variables()]
  found = set(pending)
  while pending:
    for tensor in pending.pop().inputs:
      if tensor.op not in found:
        found.add(tensor.op)
        pending.append(tensor.op)
  return found


def _replace(op, seed, global_step):
  """Makes the consumers of a random operation read a stateless one."""
  # The name is the same in every run with the same options, unlike the seed
  # that TensorFlow derives from the number of operations before.
  first = seed % 2 ** 31 * 2 ** 32 + zlib.crc32(op.name.encode())
  old = op.outputs[0]
  consumers = old.consumers()
  # An operation inside a conditional branch stays inside it.
  # pylint: disable=protected-access
  graph = op.graph
  context = graph._get_control_flow_context()
  graph._set_control_flow_context(op._get_control_flow_context())
  try:
    with tf.device(op.device), tf.name_scope(op.name + '_of_step/'):
      step = tf.cast(global_step, tf.int64)
      new = _STATELESS[op.type](
          op.inputs[0], seed=tf.stack([tf.constant(first, tf.int64), step]),
          dtype=old.dtype)
  finally:
    graph._set_control_flow_context(context)
  new.set_shape(old.shape)
  for consumer in consumers:
    for index, tensor in enumerate(consumer.inputs):
      if tensor is old:
        consumer._update_input(index, new)
