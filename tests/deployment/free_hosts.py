"""Addresses for the processes of a test."""
from scripts import launch_cluster


def free_hosts(number):
  """Returns localhost:PORT for free ports of this machine."""
  return ['localhost:%d' % port for port in launch_cluster.free_ports(number)]
