"""The checkpoints of a directory, as a training writes them."""
import re
import time

import tensorflow.compat.v1 as tf

from image_classifier.checkpoints import checkpoint_reader
from image_classifier.runs import best_checkpoint
from image_classifier.runs import run_record


def follow(directory, options, say=print):
  """Yields each checkpoint of a directory once, the oldest first.

  It ends after the checkpoint of the training's last step, when the training
  has stopped early, or after eval_timeout_secs without a new checkpoint.

  Args:
    directory: path of the directory, which need not exist yet.
    options: an `options.Following`; max_number_of_steps=None reads the last
      step from the record of the run.
    say: function that prints a line.

  Yields:
    The prefix of a checkpoint.

  Raises:
    ValueError: `directory` is a checkpoint.
  """
  if (not tf.gfile.IsDirectory(directory)
      and tf.train.checkpoint_exists(directory)):
    raise ValueError(
        '--eval_interval_secs follows a directory; --checkpoint_path=%s is one '
        'checkpoint.' % directory)
  seen = set()
  step = None
  is_waiting = False
  last_news = time.time()
  while True:
    new = [path for path in checkpoint_reader.listed(directory)
           if path not in seen]
    for path in new:
      yield path
      seen.add(path)
      step = _step_of(path)
      if _is_last(step, directory, options):
        say('%s is the last of the training.' % path)
        return
      last_news = time.time()
    if _has_stopped_early(step, directory):
      say('The training in %s has stopped early.' % directory)
      return
    timeout = options.eval_timeout_secs
    if timeout and time.time() - last_news >= timeout:
      say('No new checkpoint in %s for %d seconds.' % (directory, timeout))
      return
    if not seen and not is_waiting:
      say('Waiting for the first checkpoint in %s.' % directory)
      is_waiting = True
    time.sleep(_pause(options, last_news))


def _pause(options, last_news):
  """Returns the seconds until the next check, at most those to the timeout."""
  if not options.eval_timeout_secs:
    return options.eval_interval_secs
  left = last_news + options.eval_timeout_secs - time.time()
  return max(0.0, min(options.eval_interval_secs, left))


def _step_of(path):
  match = re.search(r'-(\d+)$', path)
  return int(match.group(1)) if match else None


def _is_last(step, directory, options):
  last = options.max_number_of_steps or (
      run_record.read(directory) or {}).get('last_step')
  return step is not None and bool(last) and step >= last


def _has_stopped_early(step, directory):
  """Returns whether the evaluation of a step, the last, ended the training."""
  record, best = run_record.read(directory), best_checkpoint.read(directory)
  if step is None or not record or not best:
    return False
  return best_checkpoint.BestCheckpoint(
      directory, best['metric'], best['split'], step).is_exhausted(
          record.get('flags', {}).get('early_stopping_patience'))
