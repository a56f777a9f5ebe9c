"""Addresses of a cluster's processes: their form, and waiting for them.

TensorFlow aborts at some wrong addresses, and waits in silence at others.
"""
import contextlib
import re
import socket
import threading
import time

# HOST:PORT; an IPv6 address stands in brackets.
_ADDRESS = re.compile(
    r'(?P<host>\[[0-9A-Fa-f:.%]+\]|[\w.-]+):(?P<port>[0-9]{1,5})')
_MAX_PORT = 65535
_SCHEME = 'grpc://'
# Interval of the lines about who is waited for, and of attempts to connect.
_LINE_SECONDS = 10
_LOOK_SECONDS = 20
_POLL_SECONDS = 0.5
_CONNECT_SECONDS = 2
# How a client starts HTTP/2, which TensorFlow's servers speak: its greeting and
# an empty frame of settings. A server answers with its own settings.
_GREETING = (b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' +
             bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))


def check(flag, addresses):
  """Raises ValueError unless each address is HOST:PORT."""
  for address in addresses:
    if _parse(address) is None:
      raise ValueError(
          '--%s: %r is not HOST:PORT with a port from 1 to %d: write an '
          'address such as localhost:2222.' % (flag, address, _MAX_PORT))


def check_different(addresses):
  """Raises ValueError if two processes have the same address."""
  for address in addresses:
    if addresses.count(address) > 1:
      raise ValueError(
          '--ps_hosts and --worker_hosts name %s twice: every process needs an '
          'address of its own.' % address)


def check_master(master):
  """Raises ValueError unless --master is '' or grpc://HOST:PORT."""
  if master and not (master.startswith(_SCHEME) and
                     _parse(master[len(_SCHEME):])):
    raise ValueError(
        '--master=%s is not grpc://HOST:PORT with a port from 1 to %d: write '
        'an address such as grpc://localhost:2222.' % (master, _MAX_PORT))


def check_free(flag, address):
  """Raises ValueError if this machine's port of an address is in use."""
  _, port = _parse(address)
  with contextlib.closing(socket.socket()) as trial:
    # A port whose last connection has just ended is free.
    trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
      trial.bind(('', port))
    except OSError as error:
      raise ValueError(
          '--%s: this process cannot listen on %s: %s. Stop the process that '
          'has the port, which may be one of an earlier training, or give '
          'another port, the same to every process.' % (
              flag, address, error.strerror))


def wait_for(servers, seconds):
  """Waits until servers accept connections, with a line every 10 s.

  Args:
    servers: dict of what a server is called to its HOST:PORT.
    seconds: limit; 0 for none.

  Raises:
    ValueError: the time is over.
  """
  wait_until_none(lambda: missing(servers), seconds)


def wait_until_none(missing, seconds):
  """Does the same for who is missing by `missing`, which returns a text."""
  start = said = time.time()
  while True:
    faults = missing()
    if not faults:
      return
    if seconds and time.time() - start >= seconds:
      raise ValueError(late(faults, seconds))
    if time.time() - said >= _LINE_SECONDS:
      said = time.time()
      _say(faults, start)
    time.sleep(_POLL_SECONDS)


def missing(servers, must_answer=False):
  """Returns which servers accept no connection and why, a text; '' if all do.

  Args:
    servers: dict of what a server is called to its HOST:PORT.
    must_answer: whether those that accept connections must answer too, which a
      process that is stopped does not.
  """
  faults = {name: _fault(address, must_answer)
            for name, address in servers.items()}
  return ', '.join('%s at %s (%s)' % (name, servers[name], fault)
                   for name, fault in faults.items() if fault)


def say_missing(servers, said):
  """Prints every 20 s which servers do not answer, if that has changed.

  Args:
    servers: dict of what a server is called to its HOST:PORT.
    said: (time, text) of the last look.

  Returns:
    The same of this look.
  """
  if time.time() - said[0] < _LOOK_SECONDS:
    return said
  gone = missing(servers, must_answer=True)
  if gone and gone != said[1]:
    print('These do not answer: %s. Start them again, or end this process with '
          'Ctrl-C.' % gone, flush=True)
  return time.time(), gone


def is_closed(address):
  """Whether nothing listens at an address: its process has ended."""
  try:
    socket.create_connection(_parse(address), _CONNECT_SECONDS).close()
  except ConnectionRefusedError:
    return True
  except OSError:
    pass  # A network that is slow or down for a moment.
  return False


@contextlib.contextmanager
def lines_about(missing):
  """Prints every 10 s that the block waits for `missing`, a text."""
  ended, start = threading.Event(), time.time()

  def work():
    while not ended.wait(_LINE_SECONDS):
      _say(missing, start)

  thread = threading.Thread(target=work, daemon=True)
  thread.start()
  try:
    yield
  finally:
    ended.set()
    thread.join()


def late(missing, seconds):
  """Returns the message of a wait for `missing` that has lasted too long."""
  return ('Waited %d s (--cluster_timeout_secs) for %s: start it, correct its '
          'address, or wait longer.' % (seconds, missing))


def _say(missing, start):
  print('Waiting for %s since %s, %d s ago.' % (
      missing, time.strftime('%H:%M:%S', time.localtime(start)),
      time.time() - start), flush=True)


def _parse(address):
  """Returns (host, port); None where the form is wrong."""
  match = _ADDRESS.fullmatch(address)
  if match is None or not 1 <= int(match.group('port')) <= _MAX_PORT:
    return None
  return match.group('host').strip('[]'), int(match.group('port'))


def _fault(address, must_answer):
  """Returns why a server accepts no connection; None if it does."""
  try:
    with contextlib.closing(socket.create_connection(
        _parse(address), _CONNECT_SECONDS)) as connection:
      if must_answer:
        connection.sendall(_GREETING)
        connection.recv(1)
  except socket.timeout:
    return 'no answer for %d s' % _CONNECT_SECONDS
  except OSError as error:
    return error.strerror or str(error)
  return None
