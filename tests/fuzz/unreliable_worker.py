"""A worker that crashes and hangs, to test the code that watches it.

It imports little, as each new worker process imports it again.
"""
import os


def work(connection, unused_seed, unused_directory, errors):
  """Replaces the worker of `run`: 1 makes it crash and 2 hang."""
  connection.send('ready')
  for index in iter(connection.recv, None):
    connection.send('toy')
    if index == 1:
      with open(errors, 'w') as target:
        target.write('last words')
      os.abort()
    if index == 2:
      connection.recv()
    connection.send(('read', ''))
