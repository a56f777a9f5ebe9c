"""Kills a training at random moments and resumes it, many times.

  python -m tests.programs.kill_and_resume [--kills=20] [--seed=0]

LeNet is trained on the bundled digits, and saved and evaluated every few steps,
so that much of the time is spent saving. After every kill -9 each checkpoint
must be readable, the log must hold no step twice, and the next start must
resume from the latest checkpoint. At the end, weights, slots and log must be
those of a training that was never killed: the log except for rounding, as
TensorFlow adds up the losses in another order in a step that writes summaries,
which the first one after a start does.
"""
import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
_EVAL_EVERY = 6
_NEVER = 10 ** 6
# Relative error of a loss, a few float32 roundings.
_ROUNDING = 5e-7


class Fault(AssertionError):
  """Raised for an effect that a kill must not have."""


def run(directory, kills, seed=0, say=print):
  """Kills and resumes.

  Args:
    directory: an empty directory for data and models.
    kills: number of kills.
    seed: seed of the times.
    say: function that prints a line.

  Raises:
    Fault: something was lost, broken or done twice.
  """
  moments = random.Random(seed)
  data = digits(directory)
  train_dir = os.path.join(directory, 'killed')
  latest = 0
  for number in range(1, kills + 1):
    # Some kills hit the start of the program, most its training.
    _live(data, train_dir, moments.uniform(0, 4),
          wait_for_steps=number % 5 != 0)
    latest = _check(train_dir, latest)
    say('kill %2d of %d: the latest checkpoint is of step %d' % (
        number, kills, latest))
  last_step = latest + _EVAL_EVERY
  _finish(data, train_dir, last_step)
  undisturbed = os.path.join(directory, 'undisturbed')
  _finish(data, undisturbed, last_step)
  compare(train_dir, undisturbed, last_step)
  say('After %d kills: every checkpoint readable, no step twice, and at step '
      '%d weights, slots and averages equal to the last bit to those of an '
      'undisturbed training, the log except for rounding.' % (
          kills, last_step))


def digits(directory):
  data = os.path.join(directory, 'digits')
  subprocess.check_output([
      sys.executable, os.path.join(ROOT, 'download_and_convert_data.py'),
      '--dataset_name=mnist', '--dataset_dir=' + data,
      '--source=' + os.path.join(ROOT, 'datasets', 'samples', 'mnist')])
  return data


def _start(data, train_dir, last_step):
  return subprocess.Popen(
      [sys.executable, os.path.join(ROOT, 'train_image_classifier.py'),
       '--dataset_name=mnist', '--dataset_dir=' + data, '--model_name=lenet',
       '--train_dir=' + train_dir, '--max_number_of_steps=%d' % last_step,
       '--batch_size=4', '--optimizer=adam', '--learning_rate=0.001',
       '--moving_average_decay=0.9', '--seed=1', '--deterministic',
       '--cpu_threads=1', '--log_every_n_steps=1', '--save_interval_secs=1',
       '--eval_every=%d' % _EVAL_EVERY, '--clone_on_cpu'],
      stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
      universal_newlines=True, env=dict(os.environ, PYTHONUNBUFFERED='1'))


def _live(data, train_dir, seconds, wait_for_steps):
  """Starts the program, and kills it a while after its start or first step."""
  process = _start(data, train_dir, _NEVER)
  lines = []
  while wait_for_steps:
    line = process.stdout.readline()
    lines.append(line)
    if not line or line.startswith('step '):
      break
  time.sleep(seconds)
  process.kill()
  output = ''.join(lines) + process.communicate()[0]
  if process.returncode != -signal.SIGKILL:
    raise Fault('The program ended before the kill:\n' + output)


def _finish(data, train_dir, last_step):
  process = _start(data, train_dir, last_step)
  output = process.communicate()[0]
  if process.returncode:
    raise Fault('The program failed:\n' + output)


def _check(train_dir, latest):
  """Checks a directory after a kill; returns the latest checkpoint's step."""
  if not os.path.isdir(train_dir):
    return 0
  steps = []
  for name in os.listdir(train_dir):
    match = re.match(r'model\.ckpt-(\d+)\.index$', name)
    if match:
      _read(os.path.join(train_dir, name[:-len('.index')]))
      steps.append(int(match.group(1)))
  import tensorflow.compat.v1 as tf
  named = tf.train.latest_checkpoint(train_dir)
  step = int(named.rsplit('-', 1)[1]) if named else 0
  if step < latest:
    raise Fault('The latest checkpoint went back from step %d to %d.' % (
        latest, step))
  if named and step not in steps:
    raise Fault('%s is named but does not exist.' % named)
  _steps_of_log(train_dir)
  return step


def _read(prefix):
  """Returns all variables of a checkpoint."""
  import tensorflow.compat.v1 as tf
  try:
    reader = tf.train.NewCheckpointReader(prefix)
    return {name: reader.get_tensor(name)
            for name in reader.get_variable_to_shape_map()}
  except tf.errors.OpError as error:
    raise Fault('%s cannot be read: %s' % (prefix, error))


def _steps_of_log(train_dir):
  """Returns {step: loss} of the log, whose steps must increase by 1."""
  path = os.path.join(train_dir, 'train_log.jsonl')
  losses = {}
  if not os.path.exists(path):
    return losses
  with open(path) as file:
    lines = file.read().split('\n')[:-1]
  for line in lines:
    row = json.loads(line)
    if 'loss' in row:
      if row['step'] != len(losses) + 1:
        raise Fault('Step %d of the log follows step %d.' % (
            row['step'], len(losses)))
      losses[row['step']] = row['loss']
  return losses


def compare(killed, undisturbed, step):
  """Checks that two trainings have the same result."""
  first, second = (_read(os.path.join(directory, 'model.ckpt-%d' % step))
                   for directory in (killed, undisturbed))
  different = sorted(
      set(first) ^ set(second) |
      {name for name in set(first) & set(second)
       if not np.array_equal(first[name], second[name])})
  if different:
    raise Fault('%d of %d variables differ at step %d, such as %s.' % (
        len(different), len(first), step, different[0]))
  logs = [_steps_of_log(directory) for directory in (killed, undisturbed)]
  different = [
      number for number in range(1, max(step, *map(len, logs)) + 1)
      if not np.isclose(*[log.get(number, np.nan) for log in logs],
                        rtol=_ROUNDING, atol=0)]
  if different:
    raise Fault('The logs differ at the steps %s: %s' % (different, [
        [log.get(number) for log in logs] for number in different]))


def main():
  """Runs the program."""
  parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
  parser.add_argument('--kills', type=int, default=20)
  parser.add_argument('--seed', type=int, default=0)
  arguments = parser.parse_args()
  start = time.time()
  with tempfile.TemporaryDirectory() as directory:
    run(directory, arguments.kills, arguments.seed)
  print('It took %.0f seconds.' % (time.time() - start))


if __name__ == '__main__':
  main()
