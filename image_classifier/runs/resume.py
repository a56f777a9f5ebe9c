"""How a run starts, and what becomes of an earlier one in its directory.

1. --resume=never: anew.
2. train_dir holds checkpoints: the run goes on from the latest that can be
   read, if network and data are those of run.json (see run_record.py).
3. --resume=must: without such a checkpoint, an error.
4. --checkpoint_path: anew, with weights from there (see warm_start.py).
5. Otherwise anew, with random weights.

A run that starts anew moves the files of an earlier one to the sub-folder
earlier-1, earlier-2, ... of train_dir. Nothing is deleted.
"""
import collections
import fnmatch
import os
import re
import shutil

import tensorflow.compat.v1 as tf

from image_classifier.checkpoints import checkpoint_reader
from image_classifier.checkpoints import checkpoint_saver
from image_classifier.runs import run_log

# checkpoint is None for a run that starts anew; kept are the checkpoints of
# the run up to that one, oldest first.
Start = collections.namedtuple('Start', 'checkpoint step kept')
_ANEW = Start(None, 0, ())

# What a run leaves in its directory; the state, which names the others, first.
_LEFT_BY_A_RUN = (
    'checkpoint', 'model.ckpt-*', 'run.json', 'flags.txt', run_log.NAME,
    'graph.pbtxt', 'events.out.tfevents.*', 'timeline-*.json',
    'learning_curve.png', 'best', 'eval', checkpoint_saver.UNFINISHED)
_STEP = re.compile(r'model\.ckpt-(\d+)\.index$')


def check_directory(train_dir):
  """Checks, before the work, that a run can write to its directory.

  Raises:
    ValueError: it cannot.
  """
  if not train_dir:
    raise ValueError('--train_dir is empty: name the directory of the run.')
  place = os.path.abspath(train_dir)
  while not os.path.lexists(place):
    place = os.path.dirname(place)
  if not os.path.isdir(place):
    raise ValueError('--train_dir=%s: %s is no directory. Give another '
                     '--train_dir.' % (train_dir, place))
  if not os.access(place, os.W_OK | os.X_OK):
    raise ValueError('--train_dir=%s: the directory %s may not be written. '
                     'Give another --train_dir.' % (train_dir, place))


def make_directory(train_dir):
  """Makes the directory of a run, if it is not there.

  Raises:
    ValueError: it cannot be made.
  """
  try:
    os.makedirs(train_dir, exist_ok=True)
  except OSError as error:
    raise ValueError('--train_dir=%s cannot be made: %s. Give another '
                     '--train_dir.' % (train_dir, error.strerror))


def find(train_dir, resume):
  """Finds the checkpoint that a run goes on from.

  Args:
    train_dir: the directory of the run.
    resume: 'auto', 'never' or 'must'.

  Returns:
    A Start.

  Raises:
    ValueError: there are checkpoints, but none that can be read or that is one
      of a run; or there is none, and `resume` is 'must'.
  """
  if resume == 'never':
    return _ANEW
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
        'them aside and starts anew.' % (len(prefixes), train_dir))
  if resume == 'must':
    raise ValueError(
        '--resume=must, but --train_dir=%s holds no checkpoint to go on from. '
        'Give the directory of the run, or leave out --resume=must to start '
        'anew.' % train_dir)
  return _ANEW


def check_fits(start, variables, train_dir):
  """Checks that the checkpoint holds all that the run is made of.

  Args:
    start: a Start with a checkpoint.
    variables: the variables of the run, slots and averages among them.
    train_dir: the directory of the run, for the message.

  Raises:
    ValueError: a variable is not there, or has another shape.
  """
  shapes = tf.train.NewCheckpointReader(
      start.checkpoint).get_variable_to_shape_map()
  weights = {variable.op.name for variable in tf.model_variables()}
  needed = {variable.op.name: variable.shape.as_list()
            for variable in variables}
  cure = ('Give another --train_dir, or --resume=never, which moves the files '
          'of the earlier run to a sub-folder and starts anew.')
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
        'The checkpoint %s holds no %s, %d such variables in all: it was made '
        'with another --optimizer, --moving_average_decay or '
        '--trainable_scopes. Give those of the earlier run; or, to take its '
        'weights alone, --checkpoint_path=%s with another --train_dir.' % (
            start.checkpoint, missing[0], len(missing), start.checkpoint))


def check_apart(checkpoint, train_dir, resume):
  """Checks that a checkpoint to load from is not about to be moved.

  Raises:
    ValueError: it lies in `train_dir`.
  """
  if os.path.realpath(os.path.dirname(checkpoint)) == os.path.realpath(
      train_dir):
    raise ValueError(
        '--checkpoint_path=%s lies in --train_dir, whose files --resume=%s '
        'moves to a sub-folder. Give another --train_dir.' % (
            checkpoint, resume))


def move_aside(train_dir):
  """Moves what an earlier run made to a sub-folder: checkpoints or a log.

  Returns:
    The sub-folder, or None if there was nothing of the kind.
  """
  there = sorted(os.listdir(train_dir))
  if not _checkpoints(train_dir) and not run_log.read(train_dir):
    return None
  names = [name for pattern in _LEFT_BY_A_RUN
           for name in fnmatch.filter(there, pattern)]
  number = 1
  while os.path.exists(os.path.join(train_dir, 'earlier-%d' % number)):
    number += 1
  folder = os.path.join(train_dir, 'earlier-%d' % number)
  os.makedirs(folder)
  for name in names:
    shutil.move(os.path.join(train_dir, name), os.path.join(folder, name))
  return folder


def clean(train_dir, start):
  """Removes what a killed run wrote after the checkpoint it goes on from."""
  run_log.cut(train_dir, start.step)
  for name in fnmatch.filter(os.listdir(train_dir), 'graph.pbtxt.tmp*'):
    os.remove(os.path.join(train_dir, name))
  shutil.rmtree(os.path.join(train_dir, checkpoint_saver.UNFINISHED),
                ignore_errors=True)


def _checkpoints(train_dir):
  """Returns the prefixes of a directory's checkpoints, oldest first.

  What the file `checkpoint` names counts, as a user may have edited it; where
  it is missing or names nothing that is there, all that is there.
  """
  state = tf.train.get_checkpoint_state(train_dir)
  named = []
  if state is not None:
    latest = state.model_checkpoint_path
    named = [path for path in state.all_model_checkpoint_paths
             if path != latest] + [latest]
    # Paths are absolute in directories of slim's, which may have been moved.
    named = [path if _exists(path) else
             os.path.join(train_dir, os.path.basename(path)) for path in named]
  named = [path for path in named if _exists(path)]
  if named or not os.path.isdir(train_dir):
    return named
  steps = sorted(int(match.group(1)) for match in map(
      _STEP.match, os.listdir(train_dir)) if match)
  return [os.path.join(train_dir, 'model.ckpt-%d' % step) for step in steps]


def _exists(prefix):
  # A file without an index is of the format of 2016.
  return os.path.exists(prefix + '.index') or os.path.isfile(prefix)


def _step_of(prefix):
  step = checkpoint_reader.step_of(prefix)
  if step is None:
    raise ValueError(
        'The checkpoint %s has no global_step: it is not one of a run to go on '
        'from. Give it as --checkpoint_path, with another --train_dir.' %
        prefix)
  return step
