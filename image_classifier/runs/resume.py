"""How a run starts, and what happens to an earlier one in its directory.

1. --resume=never: from scratch.
2. train_dir holds checkpoints: the run resumes from the latest that can be
   read, if network and data are those of run.json (see run_record.py).
3. --resume=must: without such a checkpoint, an error.
4. --checkpoint_path: step 0 with weights from there (see warm_start.py).
5. Otherwise step 0 with random weights.

A run that starts at step 0 moves the files of an earlier one to a subdirectory
earlier-1, earlier-2, ... of train_dir. Nothing is deleted.
"""
import fnmatch
import os
import re
import shutil
from typing import NamedTuple, Optional, Tuple

import tensorflow.compat.v1 as tf

from image_classifier.checkpoints import checkpoint_reader
from image_classifier.checkpoints import checkpoint_saver
from image_classifier.runs import run_log
from slim_common import locks


class Start(NamedTuple):
  """What a run starts from.

  Attributes:
    checkpoint: prefix of the checkpoint to resume from; None for a run that
      starts from scratch or with a warm start.
    step: global step of that checkpoint; 0 without one.
    kept: prefixes of the checkpoints of the run up to that one, oldest first.
  """
  checkpoint: Optional[str] = None
  step: int = 0
  kept: Tuple[str, ...] = ()


# What a run leaves in its directory; the state, which names the others, first.
_LEFT_BY_A_RUN = (
    'checkpoint', 'model.ckpt-*', 'run.json', 'flags.txt', run_log.NAME,
    'graph.pbtxt', 'events.out.tfevents.*', 'timeline-*.json',
    'learning_curve.png', 'best', 'eval', checkpoint_saver.UNFINISHED)
_LOCK = '.train.lock'
_STEP = re.compile(r'model\.ckpt-(\d+)\.index$')


def check_directory(train_dir: str) -> None:
  """Raises ValueError unless a run can write to its directory."""
  if not train_dir:
    raise ValueError('--train_dir is empty: name the directory of the run.')
  path = os.path.abspath(train_dir)
  while not os.path.lexists(path):
    path = os.path.dirname(path)
  if not os.path.isdir(path):
    raise ValueError('--train_dir=%s: %s is not a directory. Give another '
                     '--train_dir.' % (train_dir, path))
  if not os.access(path, os.W_OK | os.X_OK):
    raise ValueError('--train_dir=%s: the directory %s is not writable. Give '
                     'another --train_dir.' % (train_dir, path))


def make_directory(train_dir: str) -> None:
  """Makes the directory of a run; ValueError if it cannot be created."""
  try:
    os.makedirs(train_dir, exist_ok=True)
  except OSError as error:
    raise ValueError('--train_dir=%s cannot be created: %s. Give another '
                     '--train_dir.' % (train_dir, error.strerror))


def lock(train_dir: str) -> locks.Lock:
  """Returns the lock of a training on its directory, not taken yet.

  Programs that only read the directory do not take it.
  """
  return locks.Lock(
      os.path.join(train_dir, _LOCK),
      '--train_dir=%s is in use by another training (%%s): wait for its end, '
      'stop it, or give another --train_dir.' % train_dir.replace('%', '%%'))


def find(train_dir: str, resume: str) -> Start:
  """Finds the checkpoint that a run resumes from.

  Args:
    train_dir: the directory of the run.
    resume: 'auto', 'never' or 'must'.

  Raises:
    ValueError: there are checkpoints, but none that can be read or that has a
      global step; or there is none, and `resume` is 'must'.
  """
  if resume == 'never':
    return Start()
  prefixes = _checkpoints(train_dir)
  for index in reversed(range(len(prefixes))):
    fault = checkpoint_saver.fault(prefixes[index])
    if fault is None:
      return Start(prefixes[index], _step_of(prefixes[index]),
                   tuple(prefixes[:index + 1]))
    print('The checkpoint %s cannot be read: %s' % (prefixes[index], fault))
  if prefixes:
    raise ValueError(
        'None of the %d checkpoints in %s can be read. --resume=never moves '
        'them to a subdirectory and starts from scratch.' % (
            len(prefixes), train_dir))
  if resume == 'must':
    raise ValueError(
        '--resume=must, but --train_dir=%s holds no checkpoint to resume from. '
        'Give the directory of the run, or leave out --resume=must to start '
        'from scratch.' % train_dir)
  return Start()


def check_still(start, train_dir, resume):
  """Raises ValueError if another training has come first to a new directory."""
  if find(train_dir, resume) != start:
    raise ValueError(
        '--train_dir=%s was made by another training in the meantime. Run the '
        'same command again to resume from its checkpoint, or give another '
        '--train_dir.' % train_dir)


def check_fits(start, variables, train_dir):
  """Checks that the checkpoint of a Start holds all variables of the run.

  Raises:
    ValueError: a variable, slots and averages included, is missing or has
      another shape.
  """
  shapes = tf.train.NewCheckpointReader(
      start.checkpoint).get_variable_to_shape_map()
  weights = {variable.op.name for variable in tf.model_variables()}
  needed = {variable.op.name: variable.shape.as_list()
            for variable in variables}
  cure = ('Give another --train_dir, or --resume=never, which moves the files '
          'of the earlier run to a subdirectory and starts from scratch.')
  for name in sorted(weights & set(needed)):
    if shapes.get(name) != needed[name]:
      raise ValueError(
          '--train_dir=%s holds a checkpoint of another network: %s has %s, '
          'and this run needs the shape %s. %s' % (
              train_dir, start.checkpoint,
              '%s of shape %s' % (name, shapes[name]) if name in shapes
              else 'no variable %s' % name, needed[name], cure))
  missing = sorted(set(needed) - set(shapes))
  if missing:
    raise ValueError(
        'The checkpoint %s lacks %d variables, such as %s: it was made with '
        'another --optimizer, --moving_average_decay, --task_weighting or '
        '--trainable_scopes. Give those of the earlier run; or, to load its '
        'weights only, --checkpoint_path=%s with another --train_dir.' % (
            start.checkpoint, len(missing), missing[0], start.checkpoint))


def check_apart(checkpoint, train_dir, resume):
  """Raises ValueError for a checkpoint in `train_dir`, about to be moved."""
  if os.path.realpath(os.path.dirname(checkpoint)) == os.path.realpath(
      train_dir):
    raise ValueError(
        '--checkpoint_path=%s is in --train_dir, whose files --resume=%s moves '
        'to a subdirectory. Give another --train_dir.' % (checkpoint, resume))


def move_aside(train_dir):
  """Moves the files of an earlier run to a subdirectory.

  Returns:
    The path of the subdirectory; None if there was neither checkpoint nor log.
  """
  present = sorted(os.listdir(train_dir))
  if not _checkpoints(train_dir) and not run_log.read(train_dir):
    return None
  names = [name for pattern in _LEFT_BY_A_RUN
           for name in fnmatch.filter(present, pattern)]
  number = 1
  while os.path.exists(os.path.join(train_dir, 'earlier-%d' % number)):
    number += 1
  directory = os.path.join(train_dir, 'earlier-%d' % number)
  os.makedirs(directory)
  for name in names:
    shutil.move(os.path.join(train_dir, name), os.path.join(directory, name))
  return directory


def clean(train_dir, start):
  """Removes what a killed run wrote after the checkpoint to resume from."""
  run_log.cut(train_dir, start.step)
  shutil.rmtree(os.path.join(train_dir, checkpoint_saver.UNFINISHED),
                ignore_errors=True)


def _checkpoints(train_dir):
  """Returns the prefixes of a directory's checkpoints, oldest first.

  They are those that the file `checkpoint` names, which a user may have
  edited; where it is missing or names none that exists, all in the directory.
  """
  named = checkpoint_reader.listed(train_dir)
  if named or not os.path.isdir(train_dir):
    return named
  steps = sorted(int(match.group(1)) for match in map(
      _STEP.match, os.listdir(train_dir)) if match)
  return [os.path.join(train_dir, 'model.ckpt-%d' % step) for step in steps]


def _step_of(prefix):
  step = checkpoint_reader.step_of(prefix)
  if step is None:
    raise ValueError(
        'The checkpoint %s has no global_step, so no run can resume from it. '
        'Give it as --checkpoint_path, with another --train_dir.' % prefix)
  return step
