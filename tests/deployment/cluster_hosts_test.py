"""Addresses of a cluster, and waiting for its processes."""
import re
import socket
import threading

import pytest
import tensorflow.compat.v1 as tf

from deployment import agreement
from deployment import cluster
from deployment import cluster_hosts
from image_classifier import options
from tests.deployment import free_hosts


def _deployment(**changes):
  return options.Train().deployment.__class__(**changes)


@pytest.mark.parametrize('address', [
    'a', 'a:', ':2222', 'a:x', 'a:0', 'a:65536', 'a:-1', 'a b:1', 'a:1:2',
    'grpc://a:1', '', '::1:2222', 'a:٣', '[::1]'])
def test_addresses_that_are_refused(address):
  for flag, other in (('ps_hosts', 'worker_hosts'),
                      ('worker_hosts', 'ps_hosts')):
    with pytest.raises(ValueError, match=re.escape(
        '--%s: %r is not HOST:PORT with a port from 1 to 65535: write an '
        'address such as localhost:2222.' % (flag, address))):
      cluster.resolve(_deployment(**{flag: ('b:1', address), other: ('c:1',)}))


@pytest.mark.parametrize('address', [
    'localhost:1', '10.0.0.1:65535', 'my-host.example.org:2222', '[::1]:2222',
    'node_7:80'])
def test_addresses_that_are_taken(address):
  cluster.resolve(_deployment(ps_hosts=(address,), worker_hosts=('b:1',)))
  cluster.resolve(_deployment(master='grpc://' + address))


def test_other_addresses_that_are_refused():
  with pytest.raises(ValueError, match='--ps_hosts and --worker_hosts name a:1 '
                     'twice: every process needs an address of its own.'):
    cluster.resolve(_deployment(ps_hosts=('a:1',), worker_hosts=('a:1',)))
  for master in ('a:1', 'grpc://a', 'grpc://a:99999', 'grpc://'):
    with pytest.raises(ValueError, match=re.escape(
        '--master=%s is not grpc://HOST:PORT with a port from 1 to 65535: '
        'write an address such as grpc://localhost:2222.' % master)):
      cluster.resolve(_deployment(master=master))


@pytest.fixture(name='taken')
def _taken():
  """The address of a socket that listens."""
  with socket.socket() as listening:
    listening.bind(('localhost', 0))
    listening.listen(1)
    yield 'localhost:%d' % listening.getsockname()[1]


def _free():
  return free_hosts.free_hosts(1)[0]


def test_a_port_in_use(taken):
  with pytest.raises(ValueError, match=(
      '--ps_hosts: this process cannot listen on %s: Address already in use. '
      'Stop the process that has the port, .* or give another port' % taken)):
    cluster.serve(cluster.resolve(_deployment(
        ps_hosts=(taken,), worker_hosts=('b:1',), job_name='ps')))
  worker = cluster.resolve(_deployment(
      ps_hosts=(_free(),), worker_hosts=(taken,)))
  for function in (cluster.check_port, cluster.start_worker):
    with pytest.raises(ValueError, match='--worker_hosts: this process cannot'):
      function(worker)
  cluster.check_port(cluster.resolve(_deployment()))


@pytest.fixture(name='soon')
def _soon(monkeypatch):
  """Lines come at once; what stands for a server holds no variable."""
  monkeypatch.setattr(agreement, 'write', lambda *_: None)
  monkeypatch.setattr(agreement, 'check', lambda *_: None)
  monkeypatch.setattr(cluster_hosts, '_LINE_SECONDS', 0.01)
  monkeypatch.setattr(cluster_hosts, '_POLL_SECONDS', 0.01)


class _Creator(tf.train.SessionCreator):
  """Stands for one of TensorFlow's, which waits in silence."""

  def create_session(self):
    threading.Event().wait(0.1)
    return 'session'


def _create(**changes):
  return cluster.WaitingSessionCreator(
      _Creator(), cluster.resolve(_deployment(**changes)), {}).create_session()


def test_a_server_that_does_not_come(soon, capsys):
  address = _free()
  for changes, name in (
      (dict(ps_hosts=(address,), worker_hosts=('b:1',)), 'parameter server 0'),
      (dict(master='grpc://' + address), 'the server of --master')):
    missing = '%s at %s (Connection refused)' % (name, address)
    with pytest.raises(ValueError, match=re.escape(
        'Waited 1 s (--cluster_timeout_secs) for %s: start it, correct its '
        'address, or wait longer.' % missing)):
      _create(cluster_timeout_secs=1, **changes)
    line = capsys.readouterr().out.splitlines()[0]
    assert re.fullmatch('Waiting for %s since [0-9:]{8}, 0 s ago.' % re.escape(
        missing), line), line


def test_a_host_that_is_not_known(soon):
  with pytest.raises(ValueError, match=(
      r'for parameter server 1 at nowhere.invalid:2222 \(.*\): start it')):
    cluster_hosts.wait_for(
        {'parameter server 1': 'nowhere.invalid:2222'}, 0.001)


def test_servers_that_do_not_answer(taken, monkeypatch, capsys):
  monkeypatch.setattr(cluster_hosts, '_CONNECT_SECONDS', 0.2)
  gone, server = _free(), tf.train.Server.create_local_server()
  servers = {'worker 0': gone, 'worker 1': taken,
             'worker 2': server.target[len('grpc://'):]}
  missing = ('worker 0 at %s (Connection refused), worker 1 at %s (no answer '
             'for 0 s)' % (gone, taken))
  assert cluster_hosts.missing(servers, must_answer=True) == missing
  assert cluster_hosts.missing({'worker 1': taken}) == ''
  said = cluster_hosts.say_missing(servers, (0, ''))
  assert capsys.readouterr().out == (
      'These do not answer: %s. Start them again, or end this process with '
      'Ctrl-C.\n' % missing)
  for last in ((0, missing), said):
    assert cluster_hosts.say_missing(servers, last)[1] == missing
  assert not capsys.readouterr().out


def test_a_server_that_comes_late(soon, capsys):
  address = _free()
  late = socket.socket()

  def come():
    threading.Event().wait(0.3)
    late.bind(('localhost', int(address.split(':')[1])))
    late.listen(5)

  thread = threading.Thread(target=come)
  thread.start()
  try:
    assert _create(ps_hosts=(address,), worker_hosts=('b:1',)) == 'session'
  finally:
    thread.join()
    late.close()
  assert 'Waiting for parameter server 0 at ' in capsys.readouterr().out


def test_a_session_that_takes_long(soon, taken, capsys):
  hosts = dict(ps_hosts=(taken,), worker_hosts=('b:1', 'b:2'))
  for task, missing in ((0, 'parameter server 0'),
                        (1, 'worker 0 to make or load the variables')):
    assert _create(task=task, **hosts) == 'session'
    assert 'Waiting for %s since ' % missing in capsys.readouterr().out
  assert _create() == 'session'
  assert not capsys.readouterr().out


def test_a_chief_that_does_not_come():
  server = tf.train.Server.create_local_server()
  with tf.Graph().as_default():
    tf.Variable(1.0)
    with pytest.raises(ValueError, match=re.escape(
        'Waited 2 s (--cluster_timeout_secs) for worker 0 to make or load the '
        'variables: start it, correct its address, or wait longer.')):
      cluster.WorkerSessionCreator(
          tf.train.Scaffold(), server.target, None, 2).create_session()
