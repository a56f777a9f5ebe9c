"""Processes of a distributed training that are killed."""
import os
import re
import signal
import subprocess
import sys

import pytest

from tests.deployment import free_hosts
from tests.programs import kill_and_resume
from tests.programs import kill_cluster


@pytest.mark.slow
@pytest.mark.parametrize('mode, victim', [
    ('all_reduce', 'chief'), ('servers', 'ps')])
def test_kill_and_restart(mode, victim, tmp_path):
  lines = []
  kill_cluster.run(str(tmp_path), 1, mode, victim, say=lines.append)
  assert re.match(
      '%s, 1 kills of the %s: the others had ended, gone on or said why not '
      r'within \d+ s; step \d+ reached, no step twice, no process left' % (
          mode, victim), lines[-1])


@pytest.mark.slow
def test_a_worker_that_is_killed_is_named(tmp_path):
  data, train_dir = kill_and_resume.digits(str(tmp_path)), tmp_path / 'run'
  hosts = free_hosts.free_hosts(2)
  processes = [subprocess.Popen(
      [sys.executable, '-W', 'ignore', os.path.join(
          kill_and_resume.ROOT, 'train_image_classifier.py'),
       '--dataset_name=mnist', '--dataset_dir=' + data, '--model_name=lenet',
       '--train_dir=%s' % train_dir, '--batch_size=2', '--log_every_n_steps=1',
       '--max_number_of_steps=1000000', '--clone_on_cpu',
       '--worker_hosts=' + ','.join(hosts), '--task=%d' % task],
      stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
      universal_newlines=True, env=dict(os.environ, PYTHONUNBUFFERED='1'))
               for task in range(2)]
  try:
    lines = []
    while not lines or lines[-1] and not lines[-1].startswith('step 3 '):
      lines.append(processes[0].stdout.readline())
    processes[1].kill()
    text = ''.join(lines) + processes[0].communicate(timeout=60)[0]
  finally:
    for process in processes:
      process.kill()
  assert processes[1].wait() == -signal.SIGKILL
  assert processes[0].returncode == 75, text
  assert re.search(
      r'\nConnectionError: Worker 1 at %s has (ended|not answered for 12 s)\. '
      r'The last checkpoint is %s/model\.ckpt-\d+: start every process again, '
      r'with the same flags, to resume from it\.\n' % (hosts[1], train_dir),
      text), text
