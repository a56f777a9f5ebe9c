"""Kills processes of a distributed training at random moments, many times.

  python -m tests.programs.kill_cluster [--kills=10] [--victim=1] [--seed=0]

Two workers train LeNet on the bundled digits by all-reduce, started by
scripts/launch_cluster.py with --restarts. One of them is killed with -9 again
and again. The training must end at its last step, log every step once, and
leave the weights of a training that was never killed.
"""
import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

from tests.programs import kill_and_resume

_ROOT = kill_and_resume.ROOT
_STEPS = 40
# An end later than this after a kill counts as a hang.
_LIMIT_SECONDS = 30


def run(directory, kills, victim=1, seed=0, say=print):
  """Kills and resumes; `kill_and_resume.Fault` if something is lost.

  Args:
    directory: an empty directory for data and models.
    kills: number of kills.
    victim: the worker that is killed.
    seed: seed of the times.
    say: function that prints a line.
  """
  data = kill_and_resume.digits(directory)
  killed = os.path.join(directory, 'killed')
  _train(data, killed, kills, victim, random.Random(seed), say)
  undisturbed = os.path.join(directory, 'undisturbed')
  _train(data, undisturbed, 0, victim, None, say)
  kill_and_resume.compare(killed, undisturbed, _STEPS)
  say('After %d kills of worker %d: every process ended within %d s, no step '
      'twice, and at step %d weights and slots equal to the last bit to those '
      'of an undisturbed training.' % (
          kills, victim, _LIMIT_SECONDS, _STEPS))


def _train(data, train_dir, kills, victim, moments, say):
  process = subprocess.Popen(
      [sys.executable, os.path.join(_ROOT, 'scripts', 'launch_cluster.py'),
       '--workers=2', '--restarts=%d' % kills, '--', sys.executable, '-W',
       'ignore', os.path.join(_ROOT, 'train_image_classifier.py'),
       '--dataset_name=mnist', '--dataset_dir=' + data, '--model_name=lenet',
       '--train_dir=' + train_dir, '--max_number_of_steps=%d' % _STEPS,
       '--batch_size=4', '--optimizer=momentum', '--seed=1', '--deterministic',
       '--cpu_threads=1', '--log_every_n_steps=1', '--save_interval_secs=1',
       '--clone_on_cpu'],
      stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
      universal_newlines=True)
  lines, pid, killed_at = [], None, None
  for line in process.stdout:
    lines.append(line)
    match = re.match(r'\[worker %d\] is process (\d+)' % victim, line)
    pid = int(match.group(1)) if match else pid
    ended = re.match(r'\[worker \d\] has ended with status (\d+)', line)
    if ended and killed_at:
      seconds = time.time() - killed_at
      say('  %s, %.0f s after the kill' % (line.strip(), seconds))
      if seconds > _LIMIT_SECONDS:
        raise kill_and_resume.Fault('Too late:\n' + ''.join(lines))
    if pid and kills and '[worker 0] step ' in line:
      time.sleep(moments.uniform(0, 2))
      os.kill(pid, signal.SIGKILL)
      killed_at, pid, kills = time.time(), None, kills - 1
  if process.wait():
    raise kill_and_resume.Fault('The training failed:\n' + ''.join(lines))


def main():
  """Runs the program."""
  parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
  parser.add_argument('--kills', type=int, default=10)
  parser.add_argument('--victim', type=int, default=1)
  parser.add_argument('--seed', type=int, default=0)
  arguments = parser.parse_args()
  with tempfile.TemporaryDirectory() as directory:
    run(directory, arguments.kills, arguments.victim, arguments.seed)


if __name__ == '__main__':
  main()
