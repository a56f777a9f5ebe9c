"""Kills processes of a distributed training at random moments, many times.

  python -m tests.programs.kill_cluster [--kills=10] [--seed=0]
      [--mode=all_reduce|servers] [--victim=chief|worker|ps]

Two workers train LeNet on the bundled digits, by all-reduce or with a parameter
server, started by scripts/launch_cluster.py with --restarts. One process is
killed with -9 again and again, most times while it trains, some times while it
starts. Within 30 seconds after a kill the others must have ended, by
all-reduce; with a parameter server they must go on, or say whom they wait for.
The training must end at its last step, log no step twice, leave no process, and
by all-reduce leave the weights of a training that was never killed.
"""
import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

from image_classifier.runs import run_log
from tests.programs import kill_and_resume

_ROOT = kill_and_resume.ROOT
# {mode: {what is killed: name of the process}}
VICTIMS = {
    'all_reduce': {'chief': 'worker 0', 'worker': 'worker 1'},
    'servers': {'chief': 'worker 0', 'worker': 'worker 1', 'ps': 'ps 0'}}
_NEVER = 10 ** 6
# Steps after the last kill.
_MORE_STEPS = 20
# Time in which the others must have noticed a kill.
_LIMIT_SECONDS = 30
# Time for a start on a busy machine.
_START_SECONDS = 180
# What a worker prints that has noticed, by mode. One that still starts waits.
_ENDED = 'has ended with status 75'
_WAITS = 'Waiting for '
_GOES_ON = r'(step \d|Waiting for |This step has taken )'
# With servers, lines of this time may have been on their way.
_DELAY_SECONDS = 2


def run(directory, kills, mode='all_reduce', victim='worker', seed=0,
        say=print):
  """Kills and resumes; `kill_and_resume.Fault` if something is lost.

  Args:
    directory: an empty directory for data and models.
    kills: number of kills.
    mode: a key of VICTIMS.
    victim: what is killed, a key of VICTIMS[mode].
    seed: seed of the times.
    say: function that prints a line.
  """
  data = kill_and_resume.digits(directory)
  killed = os.path.join(directory, 'killed')
  longest = _kill_often(
      _Training(data, killed, mode, _NEVER, kills), mode,
      VICTIMS[mode][victim], random.Random(seed), say)
  last_step = _steps(killed)[-1] + _MORE_STEPS
  _Training(data, killed, mode, last_step).finish()
  equal = ''
  if mode == 'all_reduce':
    undisturbed = os.path.join(directory, 'undisturbed')
    _Training(data, undisturbed, mode, last_step).finish()
    kill_and_resume.compare(killed, undisturbed, last_step)
    equal = (', weights and slots equal to the last bit to those of an '
             'undisturbed training')
  steps = _steps(killed)
  # Workers that update independently may both be in a step at the end.
  if steps != sorted(set(steps)) or not 0 <= steps[-1] - last_step <= 2:
    raise kill_and_resume.Fault(
        'The steps %s do not increase to %d.' % (steps, last_step))
  say('%s, %d kills of the %s: the others had ended, gone on or said why not '
      'within %.0f s; step %d reached, no step twice, no process left%s.' % (
          mode, kills, victim, longest, last_step, equal))


def _kill_often(training, mode, victim, moments, say):
  """Kills a process; returns the longest time until all others noticed."""
  others = {'worker 0', 'worker 1'} - {victim}
  longest, start = 0, 0
  for number in range(1, training.kills + 1):
    # Some kills hit the start of the program, most its training.
    if number % 5:
      training.wait_for([r'\[worker 0\] step \d'], start)
    time.sleep(moments.uniform(0, 4))
    killed = training.kill(victim)
    noticed = _GOES_ON if mode == 'servers' else (
        _ENDED if number % 5 else '(%s|%s)' % (_ENDED, _WAITS))
    seen, line = training.wait_for(
        [r'\[%s\] %s' % (name, noticed) for name in others],
        killed + (_DELAY_SECONDS if mode == 'servers' else 0))
    say('  kill %d of %d, %.1f s: %s' % (
        number, training.kills, seen - killed, line.strip()))
    if number % 5:
      longest = max(longest, seen - killed)
    start, _ = training.wait_for([r'\[%s\] is process' % victim], killed)
  if longest > _LIMIT_SECONDS:
    raise kill_and_resume.Fault('It took %.0f s.' % longest)
  training.wait_for([r'\[worker 0\] step \d'], start)
  training.stop()
  training.finish(128 + signal.SIGTERM)
  return longest


def _steps(train_dir):
  """Returns the steps of the log, in its order."""
  return [row['step'] for row in run_log.read(train_dir) if 'loss' in row]


class _Training:
  """A distributed training and what it prints.

  Attributes:
    kills: number of times that the launcher starts processes again.
  """

  def __init__(self, data, train_dir, mode, last_step, kills=0):
    self.kills = kills
    self._pids, self._lines = {}, []
    self._process = subprocess.Popen(
        [sys.executable, os.path.join(_ROOT, 'scripts', 'launch_cluster.py'),
         '--workers=2', '--ps=%d' % (mode == 'servers'),
         '--restarts=%d' % kills, '--', sys.executable, '-W', 'ignore',
         os.path.join(_ROOT, 'train_image_classifier.py'),
         '--dataset_name=mnist', '--dataset_dir=' + data, '--model_name=lenet',
         '--train_dir=' + train_dir, '--max_number_of_steps=%d' % last_step,
         # Updates of two workers, each of an older state, diverge at 0.01.
         '--batch_size=4', '--optimizer=momentum', '--seed=1',
         '--learning_rate=0.001',
         '--deterministic', '--cpu_threads=1', '--log_every_n_steps=1',
         '--save_interval_secs=1', '--clone_on_cpu'],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        universal_newlines=True)
    self._reader = threading.Thread(target=self._read, daemon=True)
    self._reader.start()

  def _read(self):
    for line in self._process.stdout:
      match = re.match(r'\[(.*)\] is process (\d+)', line)
      if match:
        self._pids.setdefault(match.group(1), []).append(int(match.group(2)))
      self._lines.append((time.time(), line))

  def wait_for(self, patterns, since):
    """Returns (time, line) of the last of the first lines that match.

    Args:
      patterns: list of regular expressions, each of which must match a line.
      since: time of the first line to look at.
    """
    end = time.time() + _START_SECONDS
    while self._reader.is_alive() and time.time() < end:
      found = [next((item for item in self._lines if item[0] >= since and
                     re.match(pattern, item[1])), None)
               for pattern in patterns]
      if None not in found:
        return max(found)
      time.sleep(0.1)
    raise self._fault('No line matches %s.' % patterns)

  def kill(self, name):
    """Kills a process; returns when."""
    os.kill(self._pids[name][-1], signal.SIGKILL)
    return time.time()

  def stop(self):
    self._process.send_signal(signal.SIGTERM)

  def finish(self, status=0):
    """Waits for the end, with an exit status, of all processes."""
    found = self._process.wait()
    self._reader.join()
    if found != status:
      raise self._fault('The status is %d, not %d.' % (found, status))
    left = [pid for pids in self._pids.values() for pid in pids
            if os.path.exists('/proc/%d' % pid)]
    if left:
      raise self._fault('The processes %s are left.' % left)

  def _fault(self, text):
    return kill_and_resume.Fault(
        text + '\n' + ''.join(line for _, line in self._lines[-300:]))


def main():
  """Runs the program."""
  parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
  parser.add_argument('--kills', type=int, default=10)
  parser.add_argument('--mode', choices=sorted(VICTIMS), help='Default: both.')
  parser.add_argument('--victim', choices=('chief', 'worker', 'ps'),
                      help='Default: each.')
  parser.add_argument('--seed', type=int, default=0)
  arguments = parser.parse_args()
  for mode, victims in VICTIMS.items():
    for victim in victims:
      if arguments.mode in (None, mode) and arguments.victim in (None, victim):
        with tempfile.TemporaryDirectory() as directory:
          run(directory, arguments.kills, mode, victim, arguments.seed,
              lambda line: print(line, flush=True))


if __name__ == '__main__':
  main()
