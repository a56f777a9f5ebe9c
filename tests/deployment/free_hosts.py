"""Addresses for the processes of a test."""
import socket


def free_hosts(number):
  """Returns localhost:PORT for free ports of this machine."""
  sockets = [socket.socket() for _ in range(number)]
  try:
    for one in sockets:
      one.bind(('localhost', 0))
    return ['localhost:%d' % one.getsockname()[1] for one in sockets]
  finally:
    for one in sockets:
      one.close()
