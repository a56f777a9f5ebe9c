"""Random numbers that depend on the step, not on how often a session drew.

TensorFlow's random operations keep a state in the session, which no
checkpoint holds: after an interruption dropout would begin with its first
masks again. Here such operations give way to stateless ones, whose seed is
made of the run's seed, the operation's name and the global step. So a run that
goes on from a checkpoint draws what it would have drawn without the stop.
"""
import zlib

import tensorflow.compat.v1 as tf

_STATELESS = {
    'RandomUniform': tf.random.stateless_uniform,
    'RandomStandardNormal': tf.random.stateless_normal,
    'TruncatedNormal': tf.random.stateless_truncated_normal}


def tie_to_step(seed, global_step):
  """Replaces the random operations of the default graph that exist now.

  Those that give variables their initial values stay. It is called after the
  forward pass is built and before its gradients are.

  Args:
    seed: int, seed of the run.
    global_step: int64 scalar variable.

  Returns:
    The names of the operations replaced, a list.
  """
  initial = _initial_values()
  operations = [op for op in tf.get_default_graph().get_operations()
                if op.type in _STATELESS and op not in initial]
  for op in operations:
    _replace(op, seed, global_step)
  return [op.name for op in operations]


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
  """Lets the readers of a random operation read a stateless one instead."""
  # The name is the same in every run with the same options. The number that
  # TensorFlow makes seeds of counts all operations made before.
  first = seed % 2 ** 31 * 2 ** 32 + zlib.crc32(op.name.encode())
  old = op.outputs[0]
  readers = old.consumers()
  # Where a conditional branch draws, it draws inside of it still.
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
  for reader in readers:
    for index, tensor in enumerate(reader.inputs):
      if tensor is old:
        reader._update_input(index, new)
