r"""Starts the processes of a distributed training, and ends them together.

  python scripts/launch_cluster.py --workers=2 -- \
      python train_image_classifier.py --train_dir=runs/1 ...
  python scripts/launch_cluster.py --workers=4 --ps=1 --hosts=a,b -- ...

Every process gets the command with --worker_hosts, --task and, with parameter
servers, --ps_hosts and --job_name. Without --hosts all run on this machine.
With it they are spread over the hosts in turn and started by ssh in this
directory, which has to exist there, under the same path. Lines of output start
with the name of their process. SIGINT, SIGTERM and SIGHUP are passed on to the
workers.

When a process fails, --restarts starts it again: with --ps alone, while the
others go on; without, together with all others, and the training resumes from
its last checkpoint. After the last restart the others get the time to end by
themselves and are ended then, as are parameter servers once all workers have
ended. The exit status is 0, or that of the first process that failed. If this
program itself is killed, Linux kills the processes with it.
"""
import argparse
import ctypes
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
# Of prctl(2): the signal that a process gets when its parent ends.
_PR_SET_PDEATHSIG = 1


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
                      help='Number of times that processes are started again '
                      'after a failure.')
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
    ports = free_ports(count)
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


def free_ports(number):
  """Returns numbers of ports that are free on this machine now."""
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
      env=dict(os.environ, PYTHONUNBUFFERED='1'),
      preexec_fn=_ending_with(os.getpid()))


def _ending_with(parent):
  """Returns what a new process calls to be killed when its parent ends."""
  if not sys.platform.startswith('linux'):
    return None
  prctl = ctypes.CDLL(None).prctl

  def prepare():
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
      # It has ended just before.
      os.kill(os.getpid(), signal.SIGKILL)

  return prepare


class Cluster:
  """The processes of a training.

  Args:
    processes: what `commands` returns.
    say: function that prints a line.
    restarts: number of times that a process alone is started again.
  """

  def __init__(self, processes, say=print, restarts=0):
    self._commands, self._say = processes, say
    self._restarts, self._restarted = restarts, 0
    self._processes, self._readers = {}, []
    self._is_stopped, self._surplus = False, []
    for name in processes:
      self._start(name)

  def _start(self, name):
    host, command = self._commands[name]
    process = self._processes[name] = _start(host, command)
    reader = threading.Thread(
        target=self._read, args=[name, process.stdout], daemon=True)
    reader.start()
    self._readers.append(reader)
    self._say('[%s] is process %d%s.' % (
        name, process.pid, ' (ssh to %s)' % host if host else ''))

  def stop(self, number):
    """Sends a signal to the workers; no process is started again.

    Parameter servers stay as long as workers save what they hold.
    """
    self._is_stopped = True
    self._send(number, _workers(self._processes))

  def _send(self, number, names):
    for name in names:
      if self._processes[name].poll() is None:
        self._processes[name].send_signal(number)

  def wait(self):
    """Waits for the end of all; returns the first exit status that is not 0.

    A process that a signal has ended counts as 128 + its number.
    """
    failed, deadline, left = 0, None, list(self._commands)
    while left:
      for name in list(left):
        status = self._status(name)
        if status is None or status and self._start_again(name, status):
          continue
        left.remove(name)
        failed = failed or (0 if name in self._surplus else status)
        if status or not _workers(left):
          deadline = deadline or time.time() + _GRACE_SECONDS
      is_late = deadline and time.time() > deadline
      if left and (is_late or self._is_stopped and not _workers(left)):
        self._end(left)
        deadline = None
      time.sleep(_POLL_SECONDS)
    for reader in self._readers:
      reader.join(_KILL_SECONDS)
    return failed

  def _status(self, name):
    """Returns the exit status of a process; None while it runs."""
    status = self._processes[name].poll()
    if status is None:
      return None
    status = 128 - status if status < 0 else status
    if status:
      self._say('[%s] has ended with status %d.' % (name, status))
    return status

  def _start_again(self, name, status):
    """Starts a process alone again, if it may be; returns whether it did."""
    if (self._restarted == self._restarts or self._is_stopped or
        status == _USAGE_ERROR):
      return False
    self._restarted += 1
    self._say('Starting %s again, %d of %d times.' % (
        name, self._restarted, self._restarts))
    self._start(name)
    return True

  def _end(self, left):
    """Ends what has not ended by itself."""
    if not _workers(left):
      # They wait for workers whose end an earlier server was told, or that
      # were stopped.
      self._surplus = left[:]
      self._say('All workers have ended. Ending %s.' % ', '.join(left))
    self._is_stopped = True
    self._send(signal.SIGTERM, left)
    end = time.time() + _KILL_SECONDS
    while time.time() < end and any(
        self._processes[name].poll() is None for name in left):
      time.sleep(_POLL_SECONDS)
    self._send(signal.SIGKILL, left)

  def _read(self, name, output):
    with output:
      for line in output:
        self._say('[%s] %s' % (
            name, line.decode(errors='replace').rstrip('\r\n')))


def _workers(names):
  return [name for name in names if name.startswith('worker ')]


def run(arguments):
  """Runs the program; returns its exit status."""
  options = _parse(arguments)
  signals = []
  alone, together = (
      (options.restarts, 0) if options.ps else (0, options.restarts))

  lock = threading.Lock()

  def say(line):
    # From a thread of each process; print writes a line's end separately.
    with lock:
      print(line, flush=True)

  for attempt in range(1 + together):
    if attempt:
      say('Starting all processes again, %d of %d times.' % (
          attempt, together))
    started = []

    def forward(number, frame, started=started):
      del frame
      signals.append(number)
      for cluster in started:
        cluster.stop(number)

    for number in _SIGNALS:
      signal.signal(number, forward)
    cluster = Cluster(commands(options), say, alone)
    started.append(cluster)
    if signals:
      # It came while the processes were being started.
      cluster.stop(signals[-1])
    status = cluster.wait()
    if status in (0, _USAGE_ERROR) or signals:
      break
  return status


if __name__ == '__main__':
  sys.exit(run(sys.argv[1:]))
