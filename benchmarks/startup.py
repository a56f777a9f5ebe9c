"""Measures programs as whole processes, beside slim's own loops.

  python -m benchmarks.startup [--rounds=7] [--only=help,train]

The start of Python and the import of TensorFlow included, on each environment
of `make env` that exists:

  help        `train_image_classifier.py --help`
  import      the import of TensorFlow and tf_slim alone
  train       a LeNet training of one step, by this project, by a program that
              calls tf_slim.learning.train, and by TensorFlow alone: without
              files, input, summaries and checkpoints
  evaluate    the evaluation of 1,000 digits, likewise
  first step  the same of inception_v3, batch 2
  convert     256 JPEGs of 500 x 375 pixels to record files
"""
import argparse
import os
import shutil
import subprocess
import tempfile
import time

from benchmarks import common
from benchmarks.contenders import turns

_TAIL = 200


class Program:
  """A command that is a contender: a turn is a run of it, an image nothing.

  Args:
    name: what stands in tables.
    command: list of arguments; DIR in one is a new directory of each run.
    directory: where those directories are made.
  """

  def __init__(self, name, command, directory):
    self.name, self.turns, self.problem = name, [], ''
    self._command, self._directory = command, directory

  def ask(self, **unused_amount):
    """Runs it once."""
    if self.problem:
      return
    work = tempfile.mkdtemp(dir=self._directory)
    with tempfile.TemporaryFile('w+') as output:
      start = time.time()
      process = subprocess.Popen(
          [argument.replace('DIR', work) for argument in self._command],
          cwd=common.ROOT, stdout=output, stderr=subprocess.STDOUT,
          env=dict(os.environ, TF_CPP_MIN_LOG_LEVEL='3',
                   CUDA_VISIBLE_DEVICES='', PYTHONWARNINGS='ignore'))
      # The resources of this one child; subprocess would not tell them.
      _, status, used = os.wait4(process.pid, 0)
      seconds = time.time() - start
      if status:
        output.seek(0)
        self.problem = 'it failed: ' + output.read()[-_TAIL:].strip()
    shutil.rmtree(work)
    self.turns.append(turns.Turn(
        1, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss // 1024))

  def close(self):
    """Nothing is left to end."""


def _ours(program, data, *arguments):
  return [os.path.join(common.ROOT, program), '--dataset_name=mnist',
          '--dataset_dir=' + os.path.join(data, 'digits')] + list(arguments)


def _train(data, model, *arguments):
  return _ours('train_image_classifier.py', data, '--model_name=' + model,
               '--train_dir=DIR/model', '--max_number_of_steps=1',
               '--clone_on_cpu', '--optimizer=momentum', *arguments)


def _slim(what, data, directory, network, batch_size):
  return ['-m', 'benchmarks.contenders.slim_program', what,
          os.path.join(data, 'digits'), directory, network, str(batch_size)]


def commands(data):
  """Returns {case: {contender: arguments of Python}}.

  Args:
    data: directory that `prepare` has filled.
  """
  model = os.path.join(data, 'lenet')
  return {
      'help': {'ours': _ours('train_image_classifier.py', data, '--help')},
      'import': {'TensorFlow': [
          '-c', 'import tensorflow.compat.v1; '
          'from slim_common import tf_versions; import tf_slim']},
      'train': {'ours': _train(data, 'lenet', '--batch_size=50'),
                "slim's loop": _slim('train', data, 'DIR/model', 'lenet', 50),
                'TensorFlow alone': _slim('step', data, '', 'lenet', 50)},
      'evaluate': {
          'ours': _ours('eval_image_classifier.py', data, '--eval_dir=DIR/eval',
                        '--checkpoint_path=' + model, '--batch_size=50'),
          "slim's loop": _slim('evaluate', data, model, 'lenet', 50)},
      'first step': {
          'ours': _train(data, 'inception_v3', '--batch_size=2'),
          "slim's loop": _slim('train', data, 'DIR/model', 'inception_v3', 2),
          'TensorFlow alone': _slim('step', data, '', 'inception_v3', 2)},
      'convert': {'ours': [
          os.path.join(common.ROOT, 'download_and_convert_data.py'),
          '--dataset_name=image_folder', '--dataset_dir=DIR/records',
          '--source=' + os.path.join(data, 'jpegs')]},
  }


CASES = tuple(commands(''))


def prepare(python, data):
  """Writes what the contenders read, and a checkpoint of LeNet."""
  for arguments in (['-W', 'ignore', '-m', 'benchmarks.contenders.data', data],
                    [argument.replace('DIR/model', os.path.join(data, 'lenet'))
                     for argument in _train(data, 'lenet')]):
    subprocess.run([python] + arguments, cwd=common.ROOT, check=True,
                   stdout=subprocess.DEVNULL)


def contenders(case, environments, data):
  """Returns the `Program`s of a case, one per environment and command."""
  return [Program('%s, %s' % (name, stack), [python] + arguments, data)
          for stack, python in environments
          for name, arguments in commands(data)[case].items()]


def main():
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
  parser.add_argument('--rounds', type=common.count, default=7,
                      help='runs of each')
  parser.add_argument('--only', type=common.names_in(CASES),
                      default=list(CASES), metavar='NAME,...')
  arguments = parser.parse_args()
  environments = common.environments()
  with tempfile.TemporaryDirectory() as data:
    prepare(environments[0][1], data)
    print('| case | program | seconds (quartiles) | CPU seconds |\n'
          '|---|---|---|---|')
    for case in arguments.only:
      programs = contenders(case, environments, data)
      turns.play(programs, arguments.rounds, 0)
      for program in programs:
        print('| %s | %s | %s |' % (case, program.name, program.problem or
                                    _cells(program.turns)), flush=True)


def _cells(taken):
  return '%.2f (%.2f to %.2f) | %.2f' % (
      turns.spread([turn.seconds for turn in taken]) +
      turns.spread([turn.cpu for turn in taken])[:1])


if __name__ == '__main__':
  main()
