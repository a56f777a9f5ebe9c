"""What is checked and said before an evaluation begins."""
from image_classifier.evaluate import result_files
from image_classifier.runs import run_record
from slim_common import atomic_files
from slim_common import flags


def check(options):
  """Checks what can be checked before the work begins; makes folders.

  Args:
    options: an `options.Evaluate`.

  Raises:
    ValueError: flags do not go together, or what is to be written cannot be.
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
  atomic_files.check(
      {'recalibrated_checkpoint': saved and saved + '.index'},
      options.results.overwrite)
  result_files.check(options.results)


def differences(options, checkpoint, image_size):
  """Says by which flags the network sees other pictures than in its training.

  Args:
    options: an `options.Evaluate`.
    checkpoint: the prefix of the checkpoint, beside which its training may
      have written run.json.
    image_size: the side of the pictures, in pixels.

  Returns:
    A list of lines.
  """
  record = run_record.of_checkpoint(checkpoint)
  if record is None:
    return []
  ours, trained = flags.as_dict(options), record['flags']
  name = trained.get('model_name')
  if name != ours['model_name']:
    return ['The training was one of --model_name=%s.' % name]
  size = record.get('image_shape', [image_size])[0]
  return [
      'The training used %s and this evaluation does not: --%s=%s evaluates '
      'the same.' % (what, flag, there)
      for what, flag, there, here in (
          ('the preprocessing of %s' % _preprocessing(trained),
           'preprocessing_name', _preprocessing(trained),
           _preprocessing(ours)),
          ('grey pictures' if trained.get('use_grayscale') else
           'pictures in colour', 'use_grayscale',
           bool(trained.get('use_grayscale')), ours['use_grayscale']),
          ('pictures of %s x %s pixels' % (size, size), 'eval_image_size',
           size, image_size))
      if there != here]


def _preprocessing(options):
  return options.get('preprocessing_name') or options.get('model_name')
