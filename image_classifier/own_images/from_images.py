"""One command from a directory of images to a program that classifies them."""
import os

from datasets import dataset_factory
from datasets.conversion import convert_options
from image_classifier import options as program_options
from image_classifier.evaluate import evaluation
from image_classifier.export import export
from image_classifier.runs import best_checkpoint
from image_classifier.train import loop
from slim_common import flags

_DATASET = 'image_folder'
# Flags of a training that need more than one process.
_CLUSTER = ('worker_hosts', 'ps_hosts', 'master')


def run(options: program_options.Train) -> int:
  """Converts the images, trains, evaluates and exports.

  The same command goes on where an earlier one was interrupted.

  Args:
    options: an `options.Train` with a source. TRAIN_DIR-data receives the
      dataset, and TRAIN_DIR-export the network. If dataset_dir is given, the
      dataset is there, and is only made if it does not exist.

  Returns:
    The exit status of the program: 0, or 128 + the signal that ended the run.

  Raises:
    ValueError, OSError: as of the four programs that it stands for.
  """
  _check(options)
  train_dir = options.loop.train_dir.rstrip(os.sep)
  dataset_dir = options.data.dataset_dir or train_dir + '-data'
  export_dir = train_dir + '-export'
  convert_options.convert(convert_options.ConvertOptions(
      dataset_name=_DATASET, dataset_dir=dataset_dir,
      source=options.warm_start.source,
      # What was converted by hand, maybe with other options, stays.
      keep=options.data.dataset_dir is not None))
  options = flags.replace(
      options, dict(dataset_name=_DATASET, dataset_dir=dataset_dir))
  status = loop.train(options)
  if status:
    return status
  best = os.path.join(train_dir, best_checkpoint.DIRECTORY)
  checkpoint = best if os.path.isdir(best) else train_dir
  _evaluate(options, checkpoint, dataset_dir)
  for path in export.export(program_options.Export(
      checkpoint_path=checkpoint, output_dir=export_dir, overwrite=True)):
    print('Wrote %s' % path)
  print('Classify images with:\n'
        '  python classify_image.py --graph=%s IMAGE...' % export_dir)
  return 0


def _check(options):
  """Raises ValueError for flags that do not go with --source."""
  given = flags.as_dict(options)
  if 'dataset_name' in flags.typed(options) and (
      options.data.dataset_name != _DATASET):
    raise ValueError(
        '--source converts images as --dataset_name=%s, not %s: leave out '
        '--dataset_name, or convert with download_and_convert_data.py.' % (
            _DATASET, options.data.dataset_name))
  for name in _CLUSTER:
    if given[name]:
      raise ValueError(
          '--source is for one process, without --%s: convert the images with '
          'download_and_convert_data.py first.' % name)
  if options.loop.max_number_of_steps is None and (
      options.loop.num_epochs is None):
    raise ValueError(
        '--source evaluates and exports at the end of the training, and this '
        'one has none: give --preset=finetune, --num_epochs or '
        '--max_number_of_steps.')


def _evaluate(options, checkpoint, dataset_dir):
  """Evaluates on the validation images, if there are any."""
  split = options.loop.eval_split or 'validation'
  try:
    dataset_factory.get_dataset(_DATASET, split, dataset_dir)
  except ValueError as error:
    print('Not evaluated: %s' % error)
    return
  evaluation.evaluate(flags.replace(program_options.Evaluate(), dict(
      checkpoint_path=checkpoint, dataset_name=_DATASET,
      dataset_dir=dataset_dir, dataset_split_name=split, eval_dir='')))
