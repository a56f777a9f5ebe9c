"""Starts distributed trainings that cannot work, and reads what they say.

  python -m tests.programs.cluster_faults [--only=NAME] [--at_once=2]

Each row of FAULTS is a training of LeNet on the bundled digits in two workers,
with or without a parameter server, and a fault: a process that is stopped,
does not come or comes late, a wrong name, a port in use, other lists of hosts.
Every process that notices must say why, with the name of the other one, within
30 seconds, or go on.
"""
import argparse
import concurrent.futures
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from typing import Dict, NamedTuple, Tuple

from scripts import launch_cluster
from tests.programs import kill_and_resume

_LIMIT_SECONDS = 30
_START_SECONDS = 120
_LATE_SECONDS = 15
_DELAY_SECONDS = 2


class Fault(NamedTuple):
  """A fault, and what is said of it.

  Attributes:
    servers: number of parameter servers.
    says: {process: pattern of a line}; {PORT} is that of `victim`.
    victim: process that has the fault.
    stops: whether the victim is stopped once both workers make steps.
    comes: 'now', 'late' or 'never': when the victim starts.
    host: name of the victim's machine.
    takes_port: whether another program has the victim's port.
    more_workers: number of workers that only the victim knows of.
    ends: {process: exit status} of those that end by themselves.
  """
  servers: int
  says: Dict[str, str]
  victim: str
  stops: bool = False
  comes: str = 'now'
  host: str = 'localhost'
  takes_port: bool = False
  more_workers: int = 0
  ends: Tuple[Tuple[str, int], ...] = ()


_LOST = r'ConnectionError: Worker %d at localhost:{PORT} has not answered'
_REFUSED = r'Waiting for %s at localhost:{PORT} \(Connection refused\) since'
_TAKEN = (r'ValueError: --%s: this process cannot listen on localhost:{PORT}: '
          r'Address already in use')
_STEP = r'step \d+ of'
_DIFFERENT = (r'Worker \d at \S+ has worker_hosts=\S+, but [Ww]orker '
              r'\d( at \S+)? has \S+\. All workers need the same flags')
_OTHER = 'ConnectionError: ' + _DIFFERENT

FAULTS = {
    'worker is stopped': Fault(
        0, {'worker 0': _LOST % 1}, 'worker 1', stops=True, ends=(('worker 0', 75),)),
    'chief is stopped': Fault(
        0, {'worker 1': _LOST % 0}, 'worker 0', stops=True, ends=(('worker 1', 75),)),
    'worker does not come': Fault(
        0, {'worker 0': _REFUSED % 'worker 1'}, 'worker 1', comes='never'),
    'chief does not come': Fault(
        0, {'worker 1': _REFUSED % 'worker 0'}, 'worker 0', comes='never'),
    'worker comes late': Fault(
        0, {'worker 0': _STEP, 'worker 1': _STEP}, 'worker 1', comes='late'),
    'worker has a wrong name': Fault(
        0, {'worker 0': r'Waiting for worker 1 at nowhere.invalid:{PORT} \(.*\) since'},
        'worker 1', comes='never', host='nowhere.invalid'),
    'port in use': Fault(
        0, {'worker 1': _TAKEN % 'worker_hosts'}, 'worker 1', takes_port=True,
        ends=(('worker 1', 1),)),
    'worker has more hosts': Fault(
        0, {'worker 0': _OTHER, 'worker 1': _OTHER}, 'worker 1', more_workers=1,
        ends=(('worker 0', 75), ('worker 1', 75))),
    'chief has more hosts': Fault(
        0, {'worker 0': _OTHER, 'worker 1': _OTHER}, 'worker 0', more_workers=1,
        ends=(('worker 0', 75), ('worker 1', 75))),
    'worker of a server is stopped': Fault(
        1, {'worker 0': _STEP}, 'worker 1', stops=True),
    'chief of a server is stopped': Fault(
        1, {'worker 1': _STEP}, 'worker 0', stops=True),
    'server is stopped': Fault(
        1, {name: r'This step has taken \d+ s so far\. These do not answer: parameter '
                  r'server 0 at localhost:{PORT} \(no answer for 2 s\)'
            for name in ('worker 0', 'worker 1')}, 'ps 0', stops=True),
    'server does not come': Fault(
        1, {name: _REFUSED % 'parameter server 0'
            for name in ('worker 0', 'worker 1')}, 'ps 0', comes='never'),
    'server comes late': Fault(
        1, {'worker 0': _STEP, 'worker 1': _STEP}, 'ps 0', comes='late'),
    'chief of a server does not come': Fault(
        1, {'worker 1': r'Waiting for worker 0 to make or load the variables since'},
        'worker 0', comes='never'),
    'server has a wrong name': Fault(
        1, {name: r'Waiting for parameter server 0 at nowhere.invalid:{PORT} \(.*\) since'
            for name in ('worker 0', 'worker 1')},
        'ps 0', comes='never', host='nowhere.invalid'),
    'port of a server in use': Fault(
        1, {'ps 0': _TAKEN % 'ps_hosts'}, 'ps 0', takes_port=True,
        ends=(('ps 0', 1),)),
    'port of a worker of a server in use': Fault(
        1, {'worker 1': _TAKEN % 'worker_hosts', 'worker 0': _STEP}, 'worker 1',
        takes_port=True, ends=(('worker 1', 1),)),
    'worker of a server has more hosts': Fault(
        1, {'worker 0': _STEP, 'worker 1': 'ValueError: ' + _DIFFERENT}, 'worker 1',
        more_workers=1, ends=(('worker 1', 1),)),
    'chief of a server has more hosts': Fault(
        1, {'worker 0': _STEP, 'worker 1': 'ValueError: ' + _DIFFERENT}, 'worker 0',
        more_workers=1, ends=(('worker 1', 1),))}


def run(name, data, directory):
  """Tries a fault; `kill_and_resume.Fault` if nobody says what is wrong."""
  fault = FAULTS[name]
  processes, port = _processes(fault, data, directory)
  with socket.socket() as other:
    if fault.takes_port:
      other.bind(('', port))
      other.listen(1)
    try:
      seconds = _try(fault, processes, port)
    except kill_and_resume.Fault as error:
      raise kill_and_resume.Fault('%s: %s' % (name, error))
    finally:
      for process in processes.values():
        process.end()
  print('%-32s %s' % (name, ', '.join(
      '%s after %.0f s' % item for item in sorted(seconds.items()))),
        flush=True)


def _try(fault, processes, port):
  """Returns {process: seconds until it said what it must}."""
  victim, stopped = processes[fault.victim], None
  for process in processes.values():
    if process is not victim or fault.comes == 'now':
      process.start()
  if fault.stops:
    for name in ('worker 0', 'worker 1'):
      processes[name].wait_for(_STEP)
    victim.process.send_signal(signal.SIGSTOP)
    # Lines of the next seconds may have been on their way.
    stopped = time.time() + _DELAY_SECONDS
  elif fault.comes == 'late':
    time.sleep(_LATE_SECONDS)
    victim.start()
  seconds = {}
  for name, pattern in fault.says.items():
    process = processes[name]
    start = stopped or (process.started if fault.takes_port else
                        process.wait_for('Training lenet'))
    seconds[name] = process.wait_for(
        pattern.replace('{PORT}', str(port)), start) - start
    if seconds[name] > _LIMIT_SECONDS:
      raise kill_and_resume.Fault('%s took %.0f s.' % (name, seconds[name]))
  for name, status in fault.ends:
    found = processes[name].process.wait(_LIMIT_SECONDS)
    if found != status:
      raise kill_and_resume.Fault('%s ended with %d.' % (name, found))
  return seconds


def _processes(fault, data, directory):
  """Returns ({name: _Process}, port of the victim)."""
  names = ['ps %d' % i for i in range(fault.servers)] + ['worker 0', 'worker 1']
  ports = launch_cluster.free_ports(len(names) + fault.more_workers)
  hosts = ['%s:%d' % (fault.host if name == fault.victim else 'localhost', port)
           for name, port in zip(names, ports)]
  more = ['localhost:%d' % port for port in ports[len(names):]]
  processes = {}
  for name in names:
    job, task = name.split()
    workers = hosts[fault.servers:] + (more if name == fault.victim else [])
    flags = ['--worker_hosts=' + ','.join(workers), '--task=' + task]
    if fault.servers:
      flags += ['--ps_hosts=' + ','.join(hosts[:fault.servers]),
                '--job_name=' + job]
    processes[name] = _Process(data, directory, flags)
  return processes, ports[names.index(fault.victim)]


class _Process:
  """A process of a training and what it prints.

  Attributes:
    process: the `subprocess.Popen`, None before the start.
    started: when it was started.
  """

  def __init__(self, data, directory, flags):
    self._command = [
        sys.executable, '-W', 'ignore',
        os.path.join(kill_and_resume.ROOT, 'train_image_classifier.py'),
        '--dataset_name=mnist', '--dataset_dir=' + data, '--model_name=lenet',
        '--train_dir=' + os.path.join(directory, 'run'), '--batch_size=2',
        '--max_number_of_steps=1000000', '--log_every_n_steps=1',
        '--clone_on_cpu', '--cpu_threads=1'] + flags
    self._lines = []
    self.process = self.started = None

  def start(self):
    self.started = time.time()
    self.process = subprocess.Popen(
        self._command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        universal_newlines=True, env=dict(os.environ, PYTHONUNBUFFERED='1'))
    threading.Thread(target=self._read, daemon=True).start()

  def _read(self):
    for line in self.process.stdout:
      self._lines.append((time.time(), line))

  def wait_for(self, pattern, since=0):
    """Returns the time of the first line since a time that matches."""
    end = time.time() + _START_SECONDS
    while time.time() < end:
      for seen, line in self._lines:
        if seen >= since and re.match(pattern, line):
          return seen
      time.sleep(0.1)
    raise kill_and_resume.Fault('No line matches %s in:\n%s' % (
        pattern, ''.join(line for _, line in self._lines[-50:])))

  def end(self):
    if self.process:
      self.process.kill()
      self.process.wait()


def main():
  """Runs the program."""
  parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
  parser.add_argument('--only', choices=sorted(FAULTS))
  parser.add_argument('--at_once', type=int, default=2)
  arguments = parser.parse_args()
  with tempfile.TemporaryDirectory() as directory, (
      concurrent.futures.ThreadPoolExecutor(arguments.at_once)) as pool:
    data = kill_and_resume.digits(directory)
    names = [arguments.only] if arguments.only else list(FAULTS)
    jobs = [pool.submit(run, name, data, os.path.join(directory, str(number)))
            for number, name in enumerate(names)]
    faults = [str(job.exception()) for job in jobs if job.exception()]
  print('\n\n'.join(faults) or 'All say what is wrong.')
  return 1 if faults else 0


if __name__ == '__main__':
  sys.exit(main())
