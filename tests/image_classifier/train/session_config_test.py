"""The effect of device and precision flags on a session."""
import os
import subprocess
import sys

import pytest
import tensorflow.compat.v1 as tf
from tensorflow.core.protobuf import device_properties_pb2
from tensorflow.python.grappler import cluster
from tensorflow.python.grappler import tf_optimizer

from image_classifier import options
from image_classifier.train import optimizers
from image_classifier.train import session_config

# A TensorFlow without CUDA would ignore the simulated GPU below. Read once,
# when a graph is first rewritten.
os.environ['TF_AUTO_MIXED_PRECISION_GRAPH_REWRITE_SIMULATE_GPU'] = 'true'
_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(
    __file__))))


def _config(**flags):
  return session_config.session_config(options.Deployment(**flags))


def test_defaults():
  config = _config()
  assert config.allow_soft_placement
  assert not config.gpu_options.allow_growth
  assert not config.graph_options.optimizer_options.global_jit_level
  assert not config.graph_options.rewrite_options.auto_mixed_precision
  assert not config.intra_op_parallelism_threads


def test_gpu_memory_growth_and_threads():
  assert _config(gpu_memory_growth=True).gpu_options.allow_growth
  config = _config(cpu_threads=1)
  assert config.intra_op_parallelism_threads == 1
  assert config.inter_op_parallelism_threads == 1


def test_flags_for_gpus_that_are_not_there():
  lines = session_config.describe(
      options.Deployment(fp16=True, gpu_memory_growth=True))
  assert lines == [
      'Warning: --fp16 has no effect: TensorFlow sees no GPU.',
      'Warning: --gpu_memory_growth has no effect: TensorFlow sees no GPU.']
  assert session_config.describe(options.Deployment()) == []


_COMPILED = """
import tensorflow.compat.v1 as tf
from image_classifier import options
from image_classifier.train import session_config
tf.disable_v2_behavior()
config = session_config.session_config(options.Deployment(xla=True))
x = tf.placeholder(tf.float32, [8, 8])
y = x
for _ in range(5):
  y = tf.tanh(tf.matmul(y, y))
metadata = tf.RunMetadata()
with tf.Session(config=config) as session:
  session.run(y, {x: [[0.1] * 8] * 8}, run_metadata=metadata,
              options=tf.RunOptions(output_partition_graphs=True))
print('_XlaRun' in {node.op for graph in metadata.partition_graphs
                    for node in graph.node})
"""


def test_xla_compiles_on_the_cpu_too():
  # TensorFlow reads the flags of XLA once per process.
  out = subprocess.check_output(
      [sys.executable, '-c', _COMPILED], stderr=subprocess.DEVNULL,
      env=dict(os.environ, PYTHONPATH=_ROOT, TF_XLA_FLAGS=''))
  assert out.split()[-1] == b'True'


def test_flags_of_xla_are_added_to_those_of_the_user(monkeypatch):
  monkeypatch.setenv('TF_XLA_FLAGS', '--mine')
  for _ in range(2):
    _config(xla=True)
  assert os.environ['TF_XLA_FLAGS'] == '--mine --tf_xla_cpu_global_jit'


def _step(fp16):
  """Builds a step of a small network, as for a GPU."""
  with tf.device('/device:GPU:0'):
    images = tf.placeholder(tf.float32, [8, 16, 16, 4])
    weights = tf.get_variable('w', [3, 3, 4, 4])
    net = tf.nn.relu(tf.nn.conv2d(
        images, weights, strides=[1, 1, 1, 1], padding='SAME'))
    loss = tf.reduce_mean(net)
    optimizer = optimizers.build(options.Optimizer('sgd'), tf.constant(0.1))
    if fp16:
      optimizer = optimizers.scale_loss(optimizer)
    step = optimizer.minimize(loss)
  tf.add_to_collection('train_op', step)


@pytest.mark.parametrize('fp16', [False, True])
def test_fp16_rewrites_the_graph(fp16):
  _step(fp16)
  gpu = device_properties_pb2.NamedDevice(
      name='/job:localhost/replica:0/task:0/device:GPU:0',
      properties=device_properties_pb2.DeviceProperties(
          type='GPU', frequency=1000, num_cores=60,
          environment={'architecture': '7'}))
  config = _config(fp16=fp16)
  config.graph_options.rewrite_options.min_graph_nodes = -1
  rewritten = tf_optimizer.OptimizeGraph(
      config, tf.train.export_meta_graph(),
      cluster=cluster.Cluster(devices=[gpu]))
  kinds = {node.attr['T'].type for node in rewritten.node
           if node.op == 'Conv2D'}
  assert kinds == {tf.float16.as_datatype_enum if fp16 else
                   tf.float32.as_datatype_enum}
