"""Renews the goldens of the networks from the code, or checks all of them.

  python -m tests.golden.renew [--only='mobilenet_*'] [--check]

The tests compare a part of them, this program with --check all, in some
minutes. Renew them only where a network is meant to change, and read the
difference that version control shows: checkpoints that exist load by the names
and shapes in these files.
"""
import argparse
import fnmatch
import gc
import os
import sys

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')

# pylint: disable=wrong-import-position
import tensorflow.compat.v1 as tf

from tests.nets import golden_builds
from tests.nets import golden_cases
from tests.nets import manifests


def parse_arguments():
  """Returns the names of the cases to go through, and whether to check."""
  parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
  parser.add_argument(
      '--only', default='*', metavar='PATTERN',
      help='names of the goldens, with * for anything; all if left out')
  parser.add_argument(
      '--check', action='store_true',
      help='compare with the goldens as they are and write nothing')
  arguments = parser.parse_args()
  names = fnmatch.filter(golden_cases.CASES, arguments.only)
  if not names:
    parser.error('--only=%s fits none of: %s' % (
        arguments.only, ', '.join(golden_cases.CASES)))
  return names, arguments.check


def check(case):
  """Prints where a network and its golden differ; returns whether they do."""
  lines = golden_builds.differences(
      golden_builds.manifest(case), manifests.read(case.name))
  print(case.name, 'differs:' if lines else 'is as it was', flush=True)
  for line in lines:
    print('  ' + line)
  return bool(lines)


def renew(case):
  """Writes the golden of a network."""
  text = manifests.text(golden_builds.manifest(case), case.like)
  path = manifests.path_of(case.name)
  is_new = not path.exists() or path.read_text() != text
  path.write_text(text)
  print(case.name, 'renewed' if is_new else 'is as it was', flush=True)
  return False


def main():
  names, checks = parse_arguments()
  tf.disable_v2_behavior()
  tf.logging.set_verbosity(tf.logging.ERROR)
  differ = []
  for name in names:
    if (check if checks else renew)(golden_cases.CASES[name]):
      differ.append(name)
    gc.collect()
  if differ:
    sys.exit('%d of %d differ: %s' % (
        len(differ), len(names), ', '.join(differ)))


if __name__ == '__main__':
  main()
