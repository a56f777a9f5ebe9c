"""Evaluations, of one checkpoint or of every checkpoint of a training."""
import contextlib
from typing import Dict

import tensorflow.compat.v1 as tf

from image_classifier.checkpoints import checkpoint_reader
from image_classifier.evaluate import follow_checkpoints
from image_classifier.evaluate import result_files
from image_classifier.evaluate.evaluator import Evaluator
from image_classifier.options import Evaluate
from slim_common import atomic_files


def evaluate(options: Evaluate, quiet: bool = False) -> Dict[str, float]:
  """Evaluates a checkpoint on every example of a split, each once.

  It uses a new graph and session, so it can run during a training. It prints
  the metrics, writes them as summaries to eval_dir ('' for none), and writes
  the result files that the options name.

  Args:
    options: an `options.Evaluate`. With eval_interval_secs, every checkpoint
      of a training is evaluated and the result files are those of the last.
    quiet: whether to print nothing.

  Returns:
    A dict of the metrics: 'Accuracy', 'Recall_5', 'Loss' and the others that
    `metrics.SingleLabelMetrics` or `metrics.MultiLabelMetrics` lists.

  Raises:
    ValueError: the options, the data or the checkpoint do not fit, or a
      result file exists.
  """
  check(options)
  path = options.evaluation.checkpoint_path
  if not options.following.eval_interval_secs:
    checkpoint = checkpoint_reader.find(path)
    with Evaluator(options, checkpoint, quiet) as evaluator:
      return evaluator.evaluate(checkpoint)
  results = _follow(path, options, quiet)
  if results is None:
    raise ValueError('There was no checkpoint in %s to evaluate.' % path)
  return results


def check(options):
  """Checks `options.Evaluate` before the evaluation; makes directories.

  Raises:
    ValueError: flags do not go together, or an output cannot be written.
  """
  following, batch_norm = options.following, options.batch_norm
  if not options.evaluation.checkpoint_path:
    raise ValueError('--checkpoint_path is empty: give a checkpoint, or the '
                     'directory of a training.')
  if not following.eval_interval_secs:
    for name in ('eval_timeout_secs', 'max_number_of_steps'):
      if getattr(following, name) is not None:
        raise ValueError('--%s is for following a training: pass '
                         '--eval_interval_secs too.' % name)
  elif batch_norm.recalibrated_checkpoint is not None:
    raise ValueError('--recalibrated_checkpoint is for one checkpoint: leave '
                     'out --eval_interval_secs.')
  saved = batch_norm.recalibrated_checkpoint
  if saved is not None and not batch_norm.recalibrate_batch_norm:
    raise ValueError('--recalibrated_checkpoint needs '
                     '--recalibrate_batch_norm=N, such as 100.')
  atomic_files.check_directory('eval_dir', options.evaluation.eval_dir)
  atomic_files.check({'recalibrated_checkpoint': saved and saved + '.index'},
                     options.results.overwrite)
  result_files.check(options.results)


def _follow(train_dir, options, quiet):
  """Returns the metrics of the last checkpoint of a training, or None."""
  say = (lambda line: None) if quiet else print
  evaluator = results = None
  with contextlib.ExitStack() as stack:
    for checkpoint in follow_checkpoints.follow(
        train_dir, options.following, say):
      try:
        evaluator = evaluator or stack.enter_context(
            Evaluator(options, checkpoint, quiet))
        results = evaluator.evaluate(checkpoint)
      except ValueError:
        if tf.train.checkpoint_exists(checkpoint):
          raise
        say('%s was removed before it could be evaluated.' % checkpoint)
  return results
