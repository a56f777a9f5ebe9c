"""The log of a run: `train_log.jsonl`, one JSON object per line.

A line of training has the keys step, loss, learning_rate, images_per_second,
input_wait (fraction of the time) and seconds (since the run started or
resumed). A line of evaluation has step, split, evaluation (a dict of metrics)
and seconds (the duration of the evaluation).
"""
import json
import os

from slim_common import atomic_files

NAME = 'train_log.jsonl'


def path(train_dir):
  """Returns the path of a run's log."""
  return os.path.join(train_dir, NAME)


def read(train_dir):
  """Returns the rows of a log, a list of dicts; [] if there is none.

  A last line that a killed run left unfinished is skipped.
  """
  try:
    with open(path(train_dir)) as lines:
      return [row for row in map(_parsed, lines) if row]
  except FileNotFoundError:
    return []


def append(train_dir, row):
  """Appends a row, a dict."""
  name = path(train_dir)
  with atomic_files.naming(name), open(name, 'a') as log:
    log.write(json.dumps(row) + '\n')


def cut(train_dir, step):
  """Removes the rows after `step`, so that a resumed run repeats none."""
  rows = [row for row in read(train_dir) if row['step'] <= step]
  if os.path.exists(path(train_dir)):
    with atomic_files.publish(path(train_dir)) as log:
      log.writelines(json.dumps(row) + '\n' for row in rows)


def evaluations(rows):
  """Returns the rows of evaluations."""
  return [row for row in rows if 'evaluation' in row]


def _parsed(line):
  try:
    return json.loads(line)
  except ValueError:
    return None
