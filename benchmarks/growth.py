"""Measures how training grows with the depth of ResNet V1, and draws it.

  python -m benchmarks.growth [--output_dir=DIR] [--networks=resnet_v1_50,...]
      [--batch_sizes=1,4,16] [--image_size=64] [--rounds=7]

Every network and batch size has a process of its own: the CPU seconds of
building the graph with its gradients, those until the first step has ended, the
seconds of a step (median and quartiles), and the highest memory. DIR gets
growth.md and growth.png.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import time

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')

# pylint: disable=wrong-import-position
from benchmarks import common
from benchmarks.contenders import turns

_NETWORKS = ('resnet_v1_50', 'resnet_v1_101', 'resnet_v1_152', 'resnet_v1_200')
_CLASSES = 1001
_HEAD = ('network', 'batch', 'operations', 'graph, CPU s', 'first step, s',
         'step, s (quartiles)', 'memory, MiB')


def measure(network, batch, size, rounds):
  """Builds and trains a network in this process; returns a dict of figures."""
  import tensorflow.compat.v1 as tf

  from nets import nets_factory
  from slim_common import runtime
  runtime.start()
  network_fn = nets_factory.get_network_fn(
      network, _CLASSES, weight_decay=1e-4, is_training=True)
  start = time.process_time()
  images = tf.random.uniform([batch, size, size, 3], -1, 1)
  labels = tf.zeros([batch], tf.int32)
  tf.losses.sparse_softmax_cross_entropy(labels, network_fn(images)[0])
  loss = tf.losses.get_total_loss()
  with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
    train_op = tf.train.MomentumOptimizer(0.01, 0.9).minimize(loss)
  building = time.process_time() - start
  seconds = []
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for _ in range(rounds + 1):
      start = time.time()
      session.run(train_op)
      seconds.append(time.time() - start)
  return dict(
      network=network, batch=batch, building=building, first=seconds[0],
      operations=len(tf.get_default_graph().get_operations()),
      step=turns.spread(seconds[1:]), memory=turns.peak_memory())


def _in_a_process(network, batch, arguments):
  output = subprocess.check_output([
      sys.executable, '-W', 'ignore', '-m', 'benchmarks.growth',
      '--networks=' + network, '--batch_sizes=%d' % batch, '--child',
      '--image_size=%d' % arguments.image_size,
      '--rounds=%d' % arguments.rounds], cwd=common.ROOT)
  return json.loads(output.decode().splitlines()[-1])


def table(rows):
  """Yields the lines of the table of `measure`'s results."""
  yield '| %s |' % ' | '.join(_HEAD)
  yield '|---' * len(_HEAD) + '|'
  for row in rows:
    yield '| %s | %d | %d | %.1f | %.1f | %.3f (%.3f to %.3f) | %d |' % (
        (row['network'], row['batch'], row['operations'], row['building'],
         row['first']) + tuple(row['step']) + (row['memory'],))


def draw(rows, path):
  """Draws graph building, steps and memory by the number of layers."""
  import matplotlib
  matplotlib.use('Agg')
  from matplotlib import pyplot
  figure, axes = pyplot.subplots(1, 3, figsize=(11, 3.4))
  for axis, name, title in zip(axes, ('building', 'step', 'memory'), (
      'building the graph, CPU seconds', 'training step, seconds',
      'highest memory, MiB')):
    for batch in sorted({row['batch'] for row in rows}):
      found = [row for row in rows if row['batch'] == batch]
      axis.plot([_layers(row) for row in found],
                [row[name][0] if name == 'step' else row[name]
                 for row in found], 'o-', label='batch %d' % batch)
    axis.set_xlabel('layers')
    axis.set_title(title, fontsize=10)
    axis.set_ylim(bottom=0)
    axis.grid(alpha=0.3)
  axes[0].legend()
  figure.tight_layout()
  figure.savefig(path, dpi=100)
  pyplot.close(figure)


def _layers(row):
  return int(re.findall(r'\d+', row['network'])[-1])


def parse_arguments(arguments=None):
  """Returns the command line's arguments."""
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
  parser.add_argument('--output_dir', default='.', help='default: this one')
  parser.add_argument('--networks', type=common.names_in(_NETWORKS),
                      default=list(_NETWORKS), metavar='NAME,...')
  parser.add_argument(
      '--batch_sizes', metavar='N,...', default=[1, 4, 16],
      type=common.numbers)
  parser.add_argument('--image_size', type=int, default=64)
  parser.add_argument('--rounds', type=common.count, default=7,
                      help='steps timed')
  parser.add_argument('--child', action='store_true', help=argparse.SUPPRESS)
  return parser.parse_args(arguments)


def main():
  arguments = parse_arguments()
  if arguments.child:
    print(json.dumps(measure(arguments.networks[0], arguments.batch_sizes[0],
                             arguments.image_size, arguments.rounds)))
    return
  rows = [_in_a_process(network, batch, arguments)
          for network in arguments.networks for batch in arguments.batch_sizes]
  lines = list(table(rows))
  print('\n'.join(lines))
  os.makedirs(arguments.output_dir, exist_ok=True)
  with open(os.path.join(arguments.output_dir, 'growth.md'), 'w') as target:
    target.write('\n'.join(lines) + '\n')
  draw(rows, os.path.join(arguments.output_dir, 'growth.png'))


if __name__ == '__main__':
  main()
