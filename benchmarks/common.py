"""What the benchmarks share: paths, clocks, and arguments that are names."""
import argparse
import os
import resource
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DIGITS = os.path.join(ROOT, 'datasets', 'samples', 'mnist')
# The environments of `make env`, the reference first.
_STACKS = (('stock', '.venv'), ('mkl', '.venv-mkl'),
           ('tf212', '.venv-tf212'), ('tf2', '.venv-tf2'))


def environments():
  """Returns [(stack, Python)] of the environments that exist, or this one."""
  found = [(stack, os.path.join(ROOT, name, 'bin', 'python'))
           for stack, name in _STACKS]
  return [item for item in found if os.path.exists(item[1])] or [
      ('this', sys.executable)]


def now():
  """Returns the wall-clock and CPU seconds, ended child processes included."""
  return time.time(), sum(sum(resource.getrusage(who)[:2]) for who in (
      resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def since(start):
  """Returns the wall-clock and CPU seconds since `start`, a result of `now`."""
  return tuple(end - begin for end, begin in zip(now(), start))


def name_in(known):
  """Returns the argparse type of a name that must be one of `known`."""

  def check(name):
    if name not in known:
      raise argparse.ArgumentTypeError(
          '%r is not one of %s' % (name, ', '.join(known)))
    return name

  return check


def names_in(known):
  """Returns the argparse type of a list of names, separated by commas."""
  check = name_in(known)
  return lambda text: [check(name) for name in text.split(',')]


def directory(text):
  """Returns the argument of a directory, which is made where it is missing."""
  try:
    os.makedirs(text, exist_ok=True)
  except OSError as error:
    raise argparse.ArgumentTypeError('%s cannot be made: %s' % (
        text, error.strerror))
  return text


def count(text):
  """Returns the whole number above 0 of an argument."""
  if not text.isdecimal() or not int(text):
    raise argparse.ArgumentTypeError(
        '%r must be a whole number above 0' % text)
  return int(text)


def numbers(text):
  """Returns the whole numbers of an argument such as 1,4,16, each above 0."""
  words = text.split(',')
  if not all(word.isdecimal() and int(word) for word in words):
    raise argparse.ArgumentTypeError(
        '%r must be whole numbers above 0, separated by commas' % text)
  return list(map(int, words))
