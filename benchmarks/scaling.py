"""Measures and models how training scales with clones and workers.

  python -m benchmarks.scaling [--model=resnet_v1_50] [--batch_size=8]
      [--steps=12] [--image_size=64] [--rounds=1]
      [--layouts=0,1,2,3,4] [--only=measurements|model|check]
      [--check=mobilenet_v1_025,resnet_v1_50,lenet,mobilenet_v2]

Measured: images/s of 1, 2 and 4 clones in one process, of 2 all-reduce workers,
and of a parameter server with 2 workers that update together, all with the same
number of images in a step, so that on a machine whose cores they share the
figure is what the distribution costs. Trainings are started one after the
other, all layouts in each round; the first steps do not count.

On a machine with other work, the CPU seconds of a step are the better figure:
those of all processes of a training, without the launcher. The bytes of a step
are what the loopback interface has sent meanwhile (/proc/net/dev, so Linux
only), for all workers together and with the headers of TCP; nothing else should
use it.

Modelled: the time of a step on N GPUs,

  compute + max(0, exchange - overlap x compute)
  exchange = 2 (N - 1) / N x bytes / bandwidth + 2 (N - 1) x latency

with the constants of _MACHINES and _NETWORKS, for all-reduce in one ring.

Checked: on this machine the same formula, with 2 clones of one process for the
computation and no overlap as the cores have no time left, gets its bandwidth
and latency from the first two networks of --check; the time that it gives for
the steps of 2 workers with the other networks stands beside the measured one.
"""
import argparse
import collections
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_IMAGES = 200
_SKIPPED_STEPS = 3

# bandwidth: bytes/s between neighbors; latency: seconds of a message; overlap:
# the part of the computation that an exchange can hide behind.
Machine = collections.namedtuple(
    'Machine', 'name bandwidth latency overlap')
_MACHINES = (
    Machine('NVLink, as if among all', 130e9, 5e-6, 0.6),
    Machine('100 Gbit/s network', 11e9, 20e-6, 0.6),
    Machine('10 Gbit/s network', 1.1e9, 50e-6, 0.6))
# images/s of one V100 at this batch, in half precision: round numbers of the
# order of what is published, as an example to be replaced by measurements.
Network = collections.namedtuple(
    'Network', 'name parameters batch images_per_second')
_NETWORKS = (
    Network('resnet_v1_50', 25.6e6, 128, 800.0),
    Network('inception_v3', 27.2e6, 128, 500.0),
    Network('mobilenet_v2', 3.5e6, 128, 1200.0),
    Network('vgg_16', 138.4e6, 64, 400.0))
_SIZES = (1, 8, 64, 256, 1024)


def exchanged_bytes(parameters, workers):
  """Returns the bytes that a worker sends in a step, of float32 gradients."""
  return 2 * (workers - 1) / workers * 4 * parameters


def step_seconds(network, machine, workers):
  """Returns the modelled seconds of a step of an all-reduce training."""
  compute = network.batch / network.images_per_second
  exchange = (exchanged_bytes(network.parameters, workers) / machine.bandwidth +
              2 * (workers - 1) * machine.latency)
  return compute + max(0.0, exchange - machine.overlap * compute)


def efficiency(network, machine, workers):
  """Returns the modelled speed, as a fraction of N times that of one GPU."""
  return (network.batch / network.images_per_second /
          step_seconds(network, machine, workers))


def model_table():
  """Yields the lines of the table of the model."""
  yield '| network, batch of a GPU | between GPUs | %s |' % ' | '.join(
      'N = {:,}'.format(size) for size in _SIZES)
  yield '|---|---|%s' % ('---|' * len(_SIZES))
  for network in _NETWORKS:
    for machine in _MACHINES:
      yield '| %s, %d | %s | %s |' % (
          network.name, network.batch, machine.name, ' | '.join(
              '%.0f %%' % (100 * efficiency(network, machine, size))
              for size in _SIZES))


# How a training is distributed: clones of a process, workers, servers.
Layout = collections.namedtuple('Layout', 'name clones workers servers')
_LAYOUTS = (
    Layout('1 process', 1, 1, 0), Layout('2 clones', 2, 1, 0),
    Layout('4 clones', 4, 1, 0), Layout('2 workers, all-reduce', 1, 2, 0),
    Layout('1 server, 2 workers', 1, 2, 1))


def command(layout, options, data, train_dir):
  """Returns the command line of a training with a layout."""
  parts = layout.clones * layout.workers
  train = [
      sys.executable, os.path.join(_ROOT, 'train_image_classifier.py'),
      '--dataset_name=image_folder', '--dataset_dir=' + data,
      '--model_name=' + options.model, '--train_dir=' + train_dir,
      '--train_image_size=%d' % options.image_size, '--clone_on_cpu',
      '--batch_size=%d' % (options.batch_size // parts),
      '--num_clones=%d' % layout.clones, '--log_every_n_steps=1',
      '--max_number_of_steps=%d' % options.steps, '--augmentation=none',
      # As if each process had a machine of its own: those that share cores take
      # no more threads than there are.
      '--cpu_threads=%d' % max(1, os.cpu_count() // layout.workers)]
  if layout.servers:
    train += ['--sync_replicas', '--replicas_to_aggregate=%d' % layout.workers]
  if layout.workers == 1:
    return train
  return [sys.executable, os.path.join(_ROOT, 'scripts', 'launch_cluster.py'),
          '--workers=%d' % layout.workers, '--ps=%d' % layout.servers,
          '--'] + train


def total_bytes(layout, parameters):
  """Returns the bytes that all processes of a layout send in a step."""
  if layout.servers:
    # The weights to each worker, and its gradients back.
    return 2 * layout.workers * 4 * parameters
  return layout.workers * exchanged_bytes(parameters, layout.workers)


# Of a step: seconds by the clock, seconds of CPU, bytes; and the parameters of
# the network.
Measured = collections.namedtuple('Measured', 'seconds cpu bytes parameters')
_PROCESS = re.compile(r'\[(?:worker|ps) \d+\] is process (\d+)')
_STEP = re.compile(r'(?:\[worker 0\] )?step (\d+) of ')
_PARAMETERS = re.compile(r'.* Trained: \d+ variables, (\d+) parameters')


def measure(layout, options, data):
  """Trains with a layout; returns Measured, the mean of its steps."""
  lines, pids, samples, parameters = [], [], {}, 0
  with tempfile.TemporaryDirectory() as directory:
    process = subprocess.Popen(
        command(layout, options, data, os.path.join(directory, 'run')),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        universal_newlines=True, env=dict(os.environ, PYTHONUNBUFFERED='1'))
    for line in process.stdout:
      lines.append(line)
      if _PROCESS.match(line):
        pids.append(int(_PROCESS.match(line).group(1)))
      elif _PARAMETERS.match(line):
        parameters = int(_PARAMETERS.match(line).group(1))
      elif _STEP.match(line):
        step = int(_STEP.match(line).group(1))
        # After the last step they may end at any time.
        if step in (_SKIPPED_STEPS, options.steps - 1):
          samples[step] = _sample(pids or [process.pid])
    if process.wait():
      raise SystemExit('%s failed:\n%s' % (layout.name, ''.join(lines)))
  first, last = samples[_SKIPPED_STEPS], samples[options.steps - 1]
  steps = options.steps - 1 - _SKIPPED_STEPS
  return Measured(*[(end - start) / steps for start, end in zip(first, last)],
                  parameters)


def _sample(pids):
  """Returns (time, CPU seconds of processes, bytes sent) until now."""
  ticks = 0
  for pid in pids:
    with open('/proc/%d/stat' % pid) as file:
      # Behind the name, which may hold anything: the time in the program is
      # the twelfth field, then that in the kernel.
      fields = file.read().rsplit(')', 1)[1].split()
    ticks += int(fields[11]) + int(fields[12])
  return time.time(), ticks / os.sysconf('SC_CLK_TCK'), _sent_bytes()


def _sent_bytes():
  with open('/proc/net/dev') as file:
    line = next(line for line in file if line.strip().startswith('lo:'))
  return int(line.split(':')[1].split()[8])


def measured_table(options, data):
  """Yields the lines of the table of the measurements."""
  layouts = [_LAYOUTS[int(number)] for number in options.layouts.split(',')]
  found = {layout: [] for layout in layouts}
  for _ in range(options.rounds):
    for layout in layouts:
      found[layout].append(measure(layout, options, data))
      print('%s: %s' % (layout.name, found[layout][-1]), file=sys.stderr)
  yield ('| %s, %d images a step | images/s | CPU s a step | of the first | MB '
         'a step | computed |' % (options.model, options.batch_size))
  yield '|---|---|---|---|---|---|'
  first = None
  for layout in layouts:
    seconds, cpu, sent, parameters = map(
        statistics.median, zip(*found[layout]))
    first = first or cpu
    yield '| %s | %.1f | %.2f | %+.0f %% | %.1f | %.1f |' % (
        layout.name, options.batch_size / seconds, cpu,
        100 * (cpu / first - 1), sent / 1e6,
        total_bytes(layout, parameters) / 1e6)


def check_table(options, data):
  """Yields the lines of the table of the model against measurements."""
  machine, networks, steps = None, [], []
  yield ('| network | parameters | s of 2 clones | s of 2 workers | modelled | '
         'difference |')
  yield '|---|---|---|---|---|---|'
  for name in options.check.split(','):
    options.model = name
    clones, workers = [
        [measure(layout, options, data) for _ in range(options.rounds)]
        for layout in (_LAYOUTS[1], _LAYOUTS[3])]
    compute, step = [statistics.median(each.seconds for each in found)
                     for found in (clones, workers)]
    networks.append(Network(name, clones[0].parameters, options.batch_size,
                            options.batch_size / compute))
    steps.append(step)
    if len(steps) == 2:
      machine = fit(networks, steps)
    modelled = step_seconds(networks[-1], machine, 2) if machine else step
    yield '| %s | %.2f million | %.3f | %.3f | %s |' % (
        name, networks[-1].parameters / 1e6, compute, step,
        '%.3f | %+.0f %%' % (modelled, 100 * (modelled / step - 1))
        if len(steps) > 2 else 'fitted |')
  yield 'Fitted: %.0f MB/s, %.1f ms.' % (
      machine.bandwidth / 1e6, machine.latency * 1e3)


def fit(networks, steps):
  """Returns the `Machine` whose modelled steps of 2 workers are those given.

  Args:
    networks: two of `Network`.
    steps: their measured seconds.
  """
  sent = [exchanged_bytes(network.parameters, 2) for network in networks]
  added = [step - network.batch / network.images_per_second
           for network, step in zip(networks, steps)]
  bandwidth = (sent[1] - sent[0]) / (added[1] - added[0])
  return Machine(
      'this one', bandwidth, (added[0] - sent[0] / bandwidth) / 2, 0.0)


def _make_data(directory):
  import numpy as np
  from PIL import Image
  source, random = os.path.join(directory, 'images'), np.random.RandomState(0)
  for i in range(_IMAGES):
    folder = os.path.join(source, 'train', 'class_%d' % (i % 4))
    os.makedirs(folder, exist_ok=True)
    Image.fromarray(random.randint(0, 255, [64, 64, 3]).astype(
        np.uint8)).save(os.path.join(folder, '%d.png' % i))
  data = os.path.join(directory, 'data')
  subprocess.check_output([
      sys.executable, os.path.join(_ROOT, 'download_and_convert_data.py'),
      '--dataset_name=image_folder', '--source=' + source,
      '--dataset_dir=' + data])
  return data


def main():
  """Runs the program."""
  parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
  parser.add_argument('--model', default='resnet_v1_50')
  parser.add_argument('--batch_size', type=int, default=8)
  parser.add_argument('--image_size', type=int, default=64)
  parser.add_argument('--steps', type=int, default=12)
  parser.add_argument('--rounds', type=int, default=1)
  parser.add_argument(
      '--layouts', default=','.join(map(str, range(len(_LAYOUTS)))),
      help=', '.join('%d: %s' % (number, layout.name)
                     for number, layout in enumerate(_LAYOUTS)))
  parser.add_argument('--only', choices=('measurements', 'model', 'check'))
  parser.add_argument(
      '--check', default='mobilenet_v1_025,resnet_v1_50,lenet,mobilenet_v2',
      help='networks to check the model with, the first two to fit it')
  options = parser.parse_args()
  if options.check.count(',') < 2:
    parser.error('--check=%s: name three networks or more, the first two to '
                 'fit the model.' % options.check)
  tables = {'measurements': measured_table, 'check': check_table}
  with tempfile.TemporaryDirectory() as directory:
    data = None if options.only == 'model' else _make_data(directory)
    for name in tables:
      if options.only in (name, None):
        for line in tables[name](options, data):
          print(line, flush=True)
  if options.only in ('model', None):
    print('\n'.join(model_table()))


if __name__ == '__main__':
  main()
