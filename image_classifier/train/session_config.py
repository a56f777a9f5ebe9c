"""The configuration of a training's session."""
import os

import tensorflow.compat.v1 as tf
from tensorflow.core.protobuf import rewriter_config_pb2

from deployment import all_reduce

# Without it XLA does not compile for the CPU.
_XLA_ON_CPU = '--tf_xla_cpu_global_jit'


def session_config(options) -> tf.ConfigProto:
  """Returns the configuration of a session, given an `options.Deployment`.

  Operations without a kernel on their device are placed on another.
  """
  config = tf.ConfigProto(allow_soft_placement=True)
  config.gpu_options.allow_growth = options.gpu_memory_growth
  if options.cpu_threads is not None:
    config.intra_op_parallelism_threads = options.cpu_threads
    config.inter_op_parallelism_threads = options.cpu_threads
  if options.xla:
    _add_to_environment('TF_XLA_FLAGS', _XLA_ON_CPU)
    config.graph_options.optimizer_options.global_jit_level = (
        tf.OptimizerOptions.ON_1)
  if options.fp16:
    config.graph_options.rewrite_options.auto_mixed_precision = (
        rewriter_config_pb2.RewriterConfig.ON)
  return all_reduce.configure(config, options)


def describe(options):
  """Returns lines about flags of an `options.Deployment` without effect."""
  if tf.config.experimental.list_physical_devices('GPU'):
    return []
  return ['Warning: --%s has no effect: TensorFlow sees no GPU.' % name
          for name in ('fp16', 'gpu_memory_growth') if getattr(options, name)]


def _add_to_environment(name, flag):
  """Adds a flag to an environment variable that the first session reads."""
  flags = os.environ.get(name, '').split()
  if flag not in flags:
    os.environ[name] = ' '.join(flags + [flag])
