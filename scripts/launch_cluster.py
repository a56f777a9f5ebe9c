r"""Starts the processes of a distributed training, and ends them together.

  python scripts/launch_cluster.py --workers=2 -- \
      python train_image_classifier.py --train_dir=runs/1 ...
  python scripts/launch_cluster.py --workers=4 --ps=1 --hosts=a,b -- ...

Every process gets the command with --worker_hosts, --task and, with parameter
servers, --ps_hosts and --job_name. Without --hosts all run on this machine.
With it they are spread over the hosts in turn and started by ssh in this
directory, which has to exist there, under the same path. Lines of output start
with the name of their process. SIGINT, SIGTERM and SIGHUP are passed on. When a
process fails, the others get the time to end by themselves and are ended then;
with --restarts all are started again, and the training resumes from its last
checkpoint. The exit status is 0, or that of the first process that failed.
"""
import argparse
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time

# A training that has lost another process needs up to 30 seconds to say so.
_GRACE_SECONDS = 30
_KILL_SECONDS = 10
_POLL_SECONDS = 0.1
# Exit status of a wrong command line, which no new start corrects.
_USAGE_ERROR = 2
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _parse(arguments):
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
  parser.add_argument('--workers', type=int, default=1,
                      help='Number of workers; worker 0 is the chief.')
  parser.add_argument('--ps', type=int, default=0,
                      help='Number of parameter servers. Default: 0, workers '
                      'average their gradients.')
  parser.add_argument('--hosts', default='', metavar='HOST,...',
                      help='Machines, by ssh. Default: this one.')
  parser.add_argument('--port', type=int, default=0,
                      help='First port. Default: free ones of this machine; '
                      '2222 with --hosts.')
  parser.add_argument('--restarts', type=int, default=0,
                      help='Number of times that all processes are started '
                      'again after a failure.')
  parser.add_argument('command', nargs=argparse.REMAINDER,
                      help='-- and the command of a process.')
  options = parser.parse_args(arguments)
  if options.command[:1] == ['--']:
    del options.command[0]
  if not options.command:
    parser.error('no command: write it after --, as in launch_cluster.py '
                 '--workers=2 -- python train_image_classifier.py ...')
  for name, minimum in (('workers', 1), ('ps', 0), ('restarts', 0)):
    if getattr(options, name) < minimum:
      parser.error('--%s=%d: it must be at least %d.' % (
          name, getattr(options, name), minimum))
  options.hosts = [host for host in options.hosts.split(',') if host]
  return options


def commands(options):
  """Returns {name of a process: (host or None, command)}.

  Args:
    options: what the command line says, with the attributes workers, ps, hosts,
      port and command.
  """
  count = options.ps + options.workers
  hosts = options.hosts or ['localhost']
  if options.port or options.hosts:
    first = options.port or 2222
    ports = [first + i // len(hosts) for i in range(count)] if (
        options.hosts) else [first + i for i in range(count)]
  else:
    ports = _free_ports(count)
  machines = [hosts[i % len(hosts)] for i in range(count)]
  addresses = ['%s:%d' % pair for pair in zip(machines, ports)]
  shared = ['--worker_hosts=' + ','.join(addresses[options.ps:])]
  if options.ps:
    shared.append('--ps_hosts=' + ','.join(addresses[:options.ps]))
  processes = {}
  for i, machine in enumerate(machines):
    job, task = ('ps', i) if i < options.ps else ('worker', i - options.ps)
    own = ['--task=%d' % task] + (
        ['--job_name=' + job] if options.ps else [])
    processes['%s %d' % (job, task)] = (
        machine if options.hosts else None, options.command + shared + own)
  return processes


def _free_ports(number):
  sockets = [socket.socket() for _ in range(number)]
  try:
    for one in sockets:
      one.bind(('localhost', 0))
    return [one.getsockname()[1] for one in sockets]
  finally:
    for one in sockets:
      one.close()


def _start(host, command):
  if host is not None:
    # A terminal there, so that the process ends with the connection.
    command = ['ssh', '-tt', '-o', 'BatchMode=yes', host, 'cd %s && exec %s' % (
        shlex.quote(os.getcwd()), ' '.join(map(shlex.quote, command)))]
  # In a group of its own: Ctrl-C reaches it through this program, once.
  return subprocess.Popen(
      command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
      stderr=subprocess.STDOUT, start_new_session=True,
      env=dict(os.environ, PYTHONUNBUFFERED='1'))


class Cluster:
  """The processes of one start.

  Args:
    processes: what `commands` returns.
    say: function that prints a line.
  """

  def __init__(self, processes, say=print):
    self._say = say
    self._processes, self._readers = {}, []
    for name, (host, command) in processes.items():
      process = self._processes[name] = _start(host, command)
      reader = threading.Thread(
          target=self._read, args=[name, process.stdout], daemon=True)
      reader.start()
      self._readers.append(reader)
      say('[%s] is process %d%s.' % (
          name, process.pid, ' (ssh to %s)' % host if host else ''))

  def send(self, number):
    """Sends a signal to all processes that are there."""
    for process in self._processes.values():
      if process.poll() is None:
        process.send_signal(number)

  def wait(self):
    """Waits for the end of all; returns the first exit status that is not 0.

    A process that a signal has ended counts as 128 + its number.
    """
    failed, deadline, ended = 0, None, set()
    while len(ended) < len(self._processes):
      for name, process in self._processes.items():
        if name in ended or process.poll() is None:
          continue
        ended.add(name)
        status = process.returncode
        status = 128 - status if status < 0 else status
        if status:
          self._say('[%s] has ended with status %d.' % (name, status))
          deadline = deadline or time.time() + _GRACE_SECONDS
        failed = failed or status
      if deadline and time.time() > deadline:
        self._end()
        deadline = None
      time.sleep(_POLL_SECONDS)
    for reader in self._readers:
      reader.join(_KILL_SECONDS)
    return failed

  def _end(self):
    """Ends what has not ended by itself."""
    self.send(signal.SIGTERM)
    end = time.time() + _KILL_SECONDS
    while time.time() < end and any(
        process.poll() is None for process in self._processes.values()):
      time.sleep(_POLL_SECONDS)
    self.send(signal.SIGKILL)

  def _read(self, name, output):
    with output:
      for line in output:
        self._say('[%s] %s' % (
            name, line.decode(errors='replace').rstrip('\r\n')))


def run(arguments):
  """Runs the program; returns its exit status."""
  options = _parse(arguments)
  signals = []

  def say(line):
    print(line, flush=True)

  for attempt in range(1 + options.restarts):
    if attempt:
      say('Starting all processes again, %d of %d times.' % (
          attempt, options.restarts))
    cluster = Cluster(commands(options), say)

    def forward(number, frame, cluster=cluster):
      del frame
      signals.append(number)
      cluster.send(number)

    for number in _SIGNALS:
      signal.signal(number, forward)
    status = cluster.wait()
    if status in (0, _USAGE_ERROR) or signals:
      break
  return status


if __name__ == '__main__':
  sys.exit(run(sys.argv[1:]))
