"""New checkpoints of a directory, as a training writes them."""
import re
import time

import tensorflow.compat.v1 as tf

from training import run_record


def follow(folder, options, say=print):
  """Yields each checkpoint of a directory once, the oldest first.

  It ends with the checkpoint of the training's last step, or when
  eval_timeout_secs brought none.

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
  is_waiting = False
  last_news = time.time()
  while True:
    new = [path for path in _saved(folder) if path not in seen]
    for path in new:
      yield path
      seen.add(path)
      if _is_last(path, folder, options):
        say('%s is the last of the training.' % path)
        return
      last_news = time.time()
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


def _is_last(path, folder, options):
  last = options.max_number_of_steps or (
      run_record.read(folder) or {}).get('last_step')
  match = re.search(r'-(\d+)$', path)
  return bool(last and match and int(match.group(1)) >= last)
