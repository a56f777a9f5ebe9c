"""Measures the images per second of training.

  python -m benchmarks.train [--models=lenet,cifarnet] [--windows=7]
      [--seconds=2]

For each network two trainings of the same graph alternate in one process, for
an interval of some steps each, so that a busy machine slows down both:

  bare        session.run of the training step on one batch kept in memory
  end to end  `loop.train` from record files, with all its hooks

The table has the medians of images/s, and of the ratio of adjacent intervals
with its quartiles, by wall time and by CPU time, which other programs on the
machine disturb less. The difference is the cost of reading and decoding.

LeNet reads the bundled digits, CifarNet PNGs of 32 x 32 pixels and the others
JPEGs of 500 x 375, which are generated. Each environment of `make env` that
exists (.venv, .venv-mkl, .venv-tf2) is measured in turn; without any, this
Python.
"""
import argparse
import collections
import contextlib
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from unittest import mock

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')

# pylint: disable=wrong-import-position
from benchmarks import common

# A training: its kind of data, as in `make_data`, and two flags.
Case = collections.namedtuple('Case', 'data preprocessing batch_size')
CASES = {
    'lenet': Case('digits', 'lenet', 50),
    'cifarnet': Case('png', 'cifarnet', 128),
    'mobilenet_v1_025': Case('jpeg', 'inception', 32),
    'mobilenet_v2': Case('jpeg', 'inception', 16),
    'resnet_v1_50': Case('jpeg', 'resnet_v1_50', 8),
}
_NUM_IMAGES = 400
# Per interval, which the two batches that are prefetched must not dominate.
_MIN_STEPS = 10
_HEAD = ('stack', 'network', 'batch', 'bare', 'end to end',
         'ratio (quartiles)', 'CPU ratio (quartiles)', 'input wait')


def parse_arguments():
  """Returns the command line's arguments."""
  parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
  parser.add_argument('--models', type=common.names_in(CASES),
                      default=list(CASES), metavar='NAME,...')
  parser.add_argument('--windows', type=int, default=7,
                      help='intervals of each training')
  parser.add_argument('--seconds', type=float, default=2.0,
                      help='length of an interval')
  parser.add_argument('--child', default='', help=argparse.SUPPRESS)
  return parser.parse_args()


def make_data(directory):
  """Writes the datasets; returns {kind: (name, directory)}."""
  import numpy as np
  from PIL import Image

  from benchmarks import jpeg_folder
  from datasets import download_and_convert_image_folder
  from datasets import download_and_convert_mnist
  jpeg, png = (os.path.join(directory, name) for name in ('jpegs', 'pngs'))
  jpeg_folder.make_source(jpeg, _NUM_IMAGES)
  random = np.random.RandomState(0)
  for index in range(10 * _NUM_IMAGES):
    path = os.path.join(png, 'class %d' % (index % 10))
    os.makedirs(path, exist_ok=True)
    Image.fromarray(random.randint(0, 256, [32, 32, 3]).astype(np.uint8)).save(
        os.path.join(path, '%05d.png' % index))
  data = {'digits': ('mnist', os.path.join(directory, 'digits')),
          'png': ('image_folder', os.path.join(directory, 'png')),
          'jpeg': ('image_folder', os.path.join(directory, 'jpeg'))}
  with contextlib.redirect_stdout(io.StringIO()):
    download_and_convert_mnist.run(data['digits'][1], source=common.DIGITS)
    for kind, source in (('png', png), ('jpeg', jpeg)):
      download_and_convert_image_folder.run(
          data[kind][1], source, num_validation=0)
  return data


def make_options(name, data, train_dir):
  """Returns the `options.Train` of a case."""
  from image_classifier import options
  case = CASES[name]
  dataset_name, dataset_dir = data[case.data]
  return options.Train(
      loop=options.Loop(train_dir=train_dir),
      data=options.TrainingData(
          dataset_name=dataset_name, dataset_dir=dataset_dir,
          batch_size=case.batch_size, preprocessing_name=case.preprocessing),
      model=options.Model(model_name=name),
      optimizer=options.Optimizer(optimizer='momentum'),
      deployment=options.Deployment(clone_on_cpu=True))


class BareStep:
  """The training step of the same graph, on a batch kept in memory."""

  def __init__(self, train_options):
    import tensorflow.compat.v1 as tf

    from datasets.reading import input_pipeline
    from image_classifier.train import resolved_run
    from image_classifier.train import session_config
    from image_classifier.train import train_graph
    training_batches = input_pipeline.training_batches

    def kept(*arguments, **keywords):
      return training_batches(*arguments, **keywords).take(1).cache().repeat()

    with tf.Graph().as_default() as graph:
      with mock.patch.object(input_pipeline, 'training_batches', kept):
        self._train_op = train_graph.build(
            resolved_run.resolve(train_options)).train_op
      self._session = tf.Session(graph=graph, config=(
          session_config.session_config(train_options.deployment)))
      self._session.run([tf.global_variables_initializer(),
                         tf.tables_initializer()])
    self.run(2)

  def run(self, steps):
    """Runs some steps."""
    for _ in range(steps):
      self._session.run(self._train_op)


def make_windows(bare, seconds, count):
  """Returns a hook that alternates between the two trainings.

  Args:
    bare: a BareStep.
    seconds: length of an interval of the training that has the hook.
    count: intervals after which the training ends.

  Returns:
    A `tf.train.SessionRunHook`; its `rows` are (steps, wall time end to end,
    CPU time end to end, wall time bare, CPU time bare), in seconds.
  """
  import tensorflow.compat.v1 as tf

  class Windows(tf.train.SessionRunHook):
    """Times an interval, then as many bare steps."""
    rows = []

    def begin(self):
      # The first steps are slow and not counted.
      self._steps = -3

    def after_run(self, run_context, run_values):
      del run_values
      self._steps += 1
      if self._steps == 0:
        self._start = common.now()
      if (self._steps < _MIN_STEPS or
          common.since(self._start)[0] < seconds):
        return
      window = common.since(self._start)
      # Lets prefetching finish before the bare steps.
      time.sleep(0.1)
      start = common.now()
      bare.run(self._steps)
      self.rows.append((self._steps,) + window + common.since(start))
      self._steps, self._start = 0, common.now()
      if len(self.rows) == count:
        run_context.request_stop()

  return Windows()


def measure(name, data, directory, arguments):
  """Returns the cells of a row of the table, without the stack."""
  from image_classifier.runs import run_log
  from image_classifier.train import loop
  train_dir = os.path.join(directory, 'model-' + name)
  train_options = make_options(name, data, train_dir)
  bare = BareStep(train_options)
  windows = make_windows(bare, arguments.seconds, arguments.windows)
  with contextlib.redirect_stdout(io.StringIO()):
    loop.train(train_options, extra_hooks=[windows])
  batch, rows = CASES[name].batch_size, windows.rows
  waits = [row['input_wait'] for row in run_log.read(train_dir)]
  return [
      name, '%d' % batch,
      '%.4g' % statistics.median(batch * row[0] / row[3] for row in rows),
      '%.4g' % statistics.median(batch * row[0] / row[1] for row in rows),
      _spread([row[3] / row[1] for row in rows]),
      _spread([row[4] / row[2] for row in rows]),
      '%.1f %%' % (100 * statistics.median(waits)) if waits else '-']


def _spread(ratios):
  ordered = sorted(ratios)
  quarter = len(ordered) // 4
  return '%.3f (%.3f-%.3f)' % (
      statistics.median(ordered), ordered[quarter], ordered[-1 - quarter])


def run_child(arguments):
  """Measures the networks with this Python; prints one line of JSON each."""
  from slim_common import runtime
  runtime.start()
  with tempfile.TemporaryDirectory() as directory:
    data = make_data(directory)
    for name in arguments.models:
      cells = [arguments.child] + measure(name, data, directory, arguments)
      print(json.dumps(cells), flush=True)


def main():
  """Runs the program."""
  arguments = parse_arguments()
  if arguments.child:
    run_child(arguments)
    return
  print('| ' + ' | '.join(_HEAD) + ' |\n' + '|---' * len(_HEAD) + '|')
  for stack, python in common.environments():
    process = subprocess.Popen(
        [python, '-m', 'benchmarks.train', '--child=' + stack,
         '--seconds=%g' % arguments.seconds, '--windows=%d' % arguments.windows,
         '--models=' + ','.join(arguments.models)],
        cwd=common.ROOT, stdout=subprocess.PIPE, universal_newlines=True)
    for line in process.stdout:
      if line.startswith('['):
        print('| %s |' % ' | '.join(json.loads(line)), flush=True)
    if process.wait():
      sys.exit('The measurement with %s failed.' % python)


if __name__ == '__main__':
  main()
