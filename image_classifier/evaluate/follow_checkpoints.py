"""New checkpoints of a directory, as a training writes them."""
import re
import time

import tensorflow.compat.v1 as tf

from image_classifier.runs import best_checkpoint
from image_classifier.runs import run_record


def follow(folder, options, say=print):
  """Yields each checkpoint of a directory once, the oldest first.

  It ends with the checkpoint of the training's last step, when the training
  stopped early, or when eval_timeout_secs brought no checkpoint.

  Args:
    folder: the directory, which need not be there yet.
    options: an `options.Following`; its max_number_of_steps is the last step,
      where it is given, otherwise the record of the run is read.
    say: function that prints a line.

  Raises:
    ValueError: `folder` is a checkpoint.
  """
  if not tf.gfile.IsDirectory(folder) and tf.train.checkpoint_exists(folder):
    raise ValueError(
        '--eval_interval_secs follows a directory; --checkpoint_path=%s is one '
        'checkpoint.' % folder)
  seen = set()
  step = None
  is_waiting = False
  last_news = time.time()
  while True:
    new = [path for path in _saved(folder) if path not in seen]
    for path in new:
      yield path
      seen.add(path)
      step = _step_of(path)
      if _is_last(step, folder, options):
        say('%s is the last of the training.' % path)
        return
      last_news = time.time()
    if _has_stopped_early(step, folder):
      say('The training in %s has stopped early.' % folder)
      return
    timeout = options.eval_timeout_secs
    if timeout and time.time() - last_news >= timeout:
      say('%d seconds brought no new checkpoint in %s.' % (timeout, folder))
      return
    if not seen and not is_waiting:
      say('Waiting for the first checkpoint in %s.' % folder)
      is_waiting = True
    time.sleep(_pause(options, last_news))


def _pause(options, last_news):
  """Returns the seconds until the next look, at the timeout at the latest."""
  pause = options.eval_interval_secs
  if not options.eval_timeout_secs:
    return pause
  left = last_news + options.eval_timeout_secs - time.time()
  return max(0.0, min(pause, left))


def _saved(folder):
  """Returns the checkpoints that the training keeps, the oldest first."""
  state = tf.train.get_checkpoint_state(folder)
  return [path for path in state.all_model_checkpoint_paths
          if tf.train.checkpoint_exists(path)] if state else []


def _step_of(path):
  match = re.search(r'-(\d+)$', path)
  return int(match.group(1)) if match else None


def _is_last(step, folder, options):
  last = options.max_number_of_steps or (
      run_record.read(folder) or {}).get('last_step')
  return step is not None and bool(last) and step >= last


def _has_stopped_early(step, folder):
  """Whether a training ended at a step because nothing had become better.

  Its evaluation of that step, which decides, comes after the checkpoint.
  """
  record, best = run_record.read(folder), best_checkpoint.read(folder)
  if step is None or not record or not best:
    return False
  return best_checkpoint.BestCheckpoint(
      folder, best['metric'], best['split'], step).is_exhausted(
          record.get('flags', {}).get('early_stopping_patience'))
