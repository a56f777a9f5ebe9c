"""Measures the time that building each network of the factory takes.

  python -m benchmarks.build_graphs [--only=resnet_v1_50,lenet] [--repeat=5]

Each network is built in training mode in a fresh graph, for two images (or
videos) of its default size. The time is the median of the repetitions, in
seconds of this process on the CPU, which other programs affect little. It does
not include the import of the network's module; that of nets_factory is printed
first, with TensorFlow and tf_slim imported before.
"""
import argparse
import gc
import importlib
import os
import statistics
import time

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')

# pylint: disable=wrong-import-position, unused-import
import tensorflow.compat.v1 as tf
import tf_slim  # noqa: F401

_VIDEO_NETWORKS = ('i3d', 's3dg')
_BATCH, _FRAMES, _CLASSES = 2, 16, 1001


def build(network_fn, is_video):
  """Builds a network in a fresh graph.

  Args:
    network_fn: the network, see `nets_factory.get_network_fn`.
    is_video: whether it takes videos.

  Returns:
    (CPU time in seconds, number of operations, number of variables).
  """
  size = network_fn.default_image_size
  shape = [_BATCH] + [_FRAMES] * is_video + [size, size, 3]
  gc.collect()
  with tf.Graph().as_default() as graph:
    images = tf.placeholder(tf.float32, shape)
    tf.train.get_or_create_global_step()  # As in training; NASNet reads it.
    before = len(graph.get_operations()), len(tf.global_variables())
    start = time.process_time()
    network_fn(images)
    seconds = time.process_time() - start
    return (seconds, len(graph.get_operations()) - before[0],
            len(tf.global_variables()) - before[1])


def parse_arguments():
  """Returns the names of the networks ('' for all) and the repetitions."""
  parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
  parser.add_argument(
      '--only', default='', metavar='NAME,...',
      help='networks to build; all networks of the factory by default')
  parser.add_argument('--repeat', type=int, default=3,
                      help='number of repetitions (default: %(default)s)')
  arguments = parser.parse_args()
  if arguments.repeat < 1:
    parser.error('--repeat must be 1 or more, given %d' % arguments.repeat)
  return arguments


def main():
  arguments = parse_arguments()
  tf.logging.set_verbosity(tf.logging.ERROR)
  tf.disable_v2_behavior()
  start = time.process_time()
  nets_factory = importlib.import_module('nets.nets_factory')
  print('import of nets_factory: %.4f s' % (time.process_time() - start))
  # TensorFlow loads parts at their first use, which are not to be measured.
  build(nets_factory.get_network_fn('lenet', _CLASSES), is_video=False)

  print('%-32s %8s %11s %10s' % (
      'network', 'seconds', 'operations', 'variables'))
  for name in arguments.only.split(',') if arguments.only else (
      nets_factory.networks_map):
    network_fn = nets_factory.get_network_fn(
        name, _CLASSES, weight_decay=4e-5, is_training=True)
    runs = [build(network_fn, name in _VIDEO_NETWORKS)
            for _ in range(arguments.repeat)]
    seconds = statistics.median(run[0] for run in runs)
    print('%-32s %8.2f %11d %10d' % (name, seconds, *runs[0][1:]), flush=True)


if __name__ == '__main__':
  main()
