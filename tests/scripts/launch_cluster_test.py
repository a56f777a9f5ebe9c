"""scripts/launch_cluster.py, with small programs in place of trainings."""
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from scripts import launch_cluster

_PROGRAM = os.path.abspath(launch_cluster.__file__)


def _launch(*flags, program, **arguments):
  return subprocess.run(
      [sys.executable, _PROGRAM, *flags, '--', sys.executable, '-c', program],
      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
      universal_newlines=True, **arguments)


def _without_numbers(lines):
  return [line for line in lines
          if not re.match(r'\[\w+ \d\] is process \d+\.', line)]


def _options(*flags):
  # pylint: disable=protected-access
  return launch_cluster._parse([*flags, '--', 'train', '--train_dir=d'])


def test_workers_of_this_machine():
  processes = launch_cluster.commands(_options('--workers=2', '--port=9000'))
  hosts = '--worker_hosts=localhost:9000,localhost:9001'
  assert processes == {
      'worker 0': (None, ['train', '--train_dir=d', hosts, '--task=0']),
      'worker 1': (None, ['train', '--train_dir=d', hosts, '--task=1'])}


def test_parameter_servers_and_workers_of_several_machines():
  processes = launch_cluster.commands(
      _options('--workers=2', '--ps=1', '--hosts=a,b'))
  shared = ['train', '--train_dir=d', '--worker_hosts=b:2222,a:2223',
            '--ps_hosts=a:2222']
  assert processes == {
      'ps 0': ('a', shared + ['--task=0', '--job_name=ps']),
      'worker 0': ('b', shared + ['--task=0', '--job_name=worker']),
      'worker 1': ('a', shared + ['--task=1', '--job_name=worker'])}


def test_lines_of_several_processes_stay_whole():
  done = _launch('--workers=3', program='print("line\\n" * 3000)')
  assert done.returncode == 0
  assert set(_without_numbers(done.stdout.splitlines())) == {
      '[worker %d] %s' % (i, text) for i in range(3) for text in ('line', '')}


def test_output_has_names_and_the_first_failure_is_the_status():
  done = _launch('--workers=2', program=(
      'import sys; task = sys.argv[-1][-1]; print("I am", task); '
      'sys.exit(7 * int(task))'))
  lines = _without_numbers(done.stdout.splitlines())
  assert done.returncode == 7
  assert {'[worker 0] I am 0', '[worker 1] I am 1',
          '[worker 1] has ended with status 7.'} == set(lines)


def test_restarts_until_it_works(tmp_path):
  mark = str(tmp_path / 'mark')
  done = _launch('--restarts=3', program=(
      'import os, signal; mark = %r\n'
      'if os.path.exists(mark): print("resumed")\n'
      'else: open(mark, "w"); os.kill(os.getpid(), signal.SIGKILL)' % mark))
  assert done.returncode == 0
  assert _without_numbers(done.stdout.splitlines()) == [
      '[worker 0] has ended with status 137.',
      'Starting all processes again, 1 of 3 times.', '[worker 0] resumed']


def test_with_parameter_servers_one_is_started_again_alone(tmp_path):
  mark = str(tmp_path / 'mark')
  done = _launch('--workers=2', '--ps=1', '--restarts=1', program=(
      'import os, signal, sys, time; mark = %r\n'
      'name = sys.argv[-1] + sys.argv[-2]\n'
      'if name == "--job_name=worker--task=1" and not os.path.exists(mark):\n'
      '  open(mark, "w"); os.kill(os.getpid(), signal.SIGKILL)\n'
      'while not os.path.exists(mark): time.sleep(0.1)\n'
      'print("ended")' % mark))
  assert done.returncode == 0
  assert sorted(_without_numbers(done.stdout.splitlines())) == [
      'Starting worker 1 again, 1 of 1 times.', '[ps 0] ended',
      '[worker 0] ended', '[worker 1] ended',
      '[worker 1] has ended with status 137.']


_SERVER_OR_WORKER = (
    'import signal, sys, time\n'
    'if sys.argv[-1] == "--job_name=ps": time.sleep(60)\n'
    'signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n'
    'print("ready"); time.sleep(%d)')


def test_a_server_ends_after_the_workers(monkeypatch):
  monkeypatch.setattr(launch_cluster, '_GRACE_SECONDS', 1)
  options = launch_cluster._parse([  # pylint: disable=protected-access
      '--ps=1', '--', sys.executable, '-c', _SERVER_OR_WORKER % 0])
  lines = []
  cluster = launch_cluster.Cluster(
      launch_cluster.commands(options), lines.append)
  assert cluster.wait() == 0
  assert _without_numbers(lines) == [
      '[worker 0] ready', 'All workers have ended. Ending ps 0.',
      '[ps 0] has ended with status 143.']


def test_a_signal_reaches_servers_after_the_workers():
  process = subprocess.Popen(
      [sys.executable, _PROGRAM, '--ps=1', '--restarts=1', '--',
       sys.executable, '-c', _SERVER_OR_WORKER % 60],
      stdout=subprocess.PIPE, universal_newlines=True)
  try:
    while 'ready' not in process.stdout.readline():
      pass
    process.send_signal(signal.SIGTERM)
    rest = process.communicate(timeout=90)[0]
  finally:
    process.kill()
  assert process.returncode == 143
  assert rest.splitlines() == [
      '[worker 0] has ended with status 143.',
      'All workers have ended. Ending ps 0.',
      '[ps 0] has ended with status 143.']


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='Linux only')
def test_processes_end_with_the_program():
  process = subprocess.Popen(
      [sys.executable, _PROGRAM, '--workers=2', '--', sys.executable, '-c',
       'import time; time.sleep(60)'],
      stdout=subprocess.PIPE, universal_newlines=True)
  lines = [process.stdout.readline() for _ in range(2)]
  process.kill()
  # Ends when no process holds its end.
  process.communicate(timeout=90)
  for line in lines:
    assert _has_ended(int(re.search(r'is process (\d+)', line).group(1)))


def _has_ended(pid):
  """Whether a process ends within 10 s; nobody may have asked how yet."""
  for _ in range(100):
    try:
      with open('/proc/%d/stat' % pid) as file:
        if file.read().rsplit(')', 1)[1].split()[0] == 'Z':
          return True
    except FileNotFoundError:
      return True
    time.sleep(0.1)
  return False


def test_signals_reach_every_process_and_end_the_restarts():
  program = ('import signal, sys, time\n'
             'signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n'
             'print("ready"); time.sleep(60)')
  process = subprocess.Popen(
      [sys.executable, _PROGRAM, '--workers=2', '--restarts=1', '--',
       sys.executable, '-c', program],
      stdout=subprocess.PIPE, universal_newlines=True)
  try:
    lines = [process.stdout.readline() for _ in range(4)]
    process.send_signal(signal.SIGTERM)
    rest = process.communicate(timeout=90)[0]
  finally:
    process.kill()
  assert sorted(_without_numbers(lines)) == [
      '[worker 0] ready\n', '[worker 1] ready\n']
  assert sorted(rest.splitlines()) == [
      '[worker 0] has ended with status 143.',
      '[worker 1] has ended with status 143.']
  assert process.returncode == 143


def test_what_does_not_end_is_ended(monkeypatch):
  monkeypatch.setattr(launch_cluster, '_GRACE_SECONDS', 1)
  monkeypatch.setattr(launch_cluster, '_KILL_SECONDS', 1)
  stubborn = ('import signal, time; '
              'signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)')
  lines = []
  cluster = launch_cluster.Cluster({
      'worker 0': (None, [sys.executable, '-c', stubborn]),
      'worker 1': (None, [sys.executable, '-c', 'import sys; sys.exit(3)'])},
                                   lines.append)
  assert cluster.wait() == 3
  assert _without_numbers(lines) == ['[worker 1] has ended with status 3.',
                   '[worker 0] has ended with status 137.']


@pytest.mark.parametrize('flags, message', [
    ([], 'no command: write it after --, as in launch_cluster.py --workers=2 '
     '-- python train_image_classifier.py ...'),
    (['--workers=0', '--', 'train'], '--workers=0: it must be at least 1.'),
    (['--ps=-1', '--', 'train'], '--ps=-1: it must be at least 0.')])
def test_messages(flags, message, capsys):
  with pytest.raises(SystemExit) as end:
    launch_cluster.run(flags)
  assert end.value.code == 2
  assert re.search(re.escape(message), capsys.readouterr().err)
