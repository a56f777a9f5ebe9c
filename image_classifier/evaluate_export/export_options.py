"""The options of the evaluation of an export: its model.json completes them."""
import os

import tensorflow.compat.v1 as tf

from image_classifier.checkpoints import checkpoint_reader
from image_classifier.inference import exports
from image_classifier.runs import best_checkpoint
from image_classifier.runs import record_defaults
from image_classifier.runs import run_record
from slim_common import flags
from slim_common import help_page

# Flags that an evaluation of an export has no use for: names, and the reason.
_CONFLICTS = (
    (('checkpoint_path', 'checkpoint_scope'),
     'give one of the two, or --compare, which evaluates both'),
    (('model_name', 'eval_image_size', 'moving_average_decay', 'quantize',
      'preprocessing_name', 'use_grayscale', 'labels_offset',
      'embedding_size', 'normalize_embedding', 'tasks'),
     'the model.json of an export has its value; leave it out'),
    (('eval_interval_secs', 'eval_timeout_secs', 'max_number_of_steps'),
     'an export does not change, and is evaluated once; leave it out'),
    (('recalibrate_batch_norm', 'recalibrated_checkpoint'),
     'the weights of an export are fixed: recalibrate its checkpoint, and '
     'export that'),
    (('master', 'num_clones', 'clone_on_cpu'),
     'an export runs as one copy, in this process; leave it out'))
_COMPARE_CONFLICTS = (
    (('predictions_file', 'confusion_matrix', 'eval_dir'),
     'it is of one network: give one form of the export with --graph, without '
     '--compare'),)


def check(options):
  """Checks that the flags of an `options.Evaluate` go with --graph.

  Raises:
    ValueError: a flag conflicts with --graph or --compare.
  """
  graph, compare = options.exported.graph, options.exported.compare
  if not graph:
    raise ValueError('--compare compares the forms of an export: give its '
                     'directory with --graph.')
  if compare and not exports.is_directory(graph):
    raise ValueError('--compare needs the directory of an export, with %s and '
                     'every form; --graph=%s is none.' % (exports.MODEL, graph))
  ours, given = flags.as_dict(options), flags.given(options)
  rows = [('graph', row) for row in _CONFLICTS[bool(compare):]] + [
      ('compare', row) for row in _COMPARE_CONFLICTS if compare]
  for ruler, (names, reason) in rows:
    for name in names:
      if name in given and ours[name] not in (None, ''):
        raise ValueError(
            '--%s does not go with --%s: %s.' % (name, ruler, reason))


def find_checkpoint(options, exported):
  """Returns the checkpoint that was exported, or None.

  Args:
    options: an `options.Evaluate`, whose checkpoint_path is taken if given.
    exported: the `exports.Exported`.

  Raises:
    ValueError: there is no checkpoint in the checkpoint_path given.
  """
  path = options.evaluation.checkpoint_path
  if path and 'checkpoint_path' in flags.given(options):
    return checkpoint_reader.find(path)
  name = exported.record.get('checkpoint')
  prefixes = [os.path.join(directory, below, name)
              for directory in _directories(exported.path)
              for below in ('', best_checkpoint.DIRECTORY)] if name else []
  # `tf.train.checkpoint_exists` fails where the directory does not exist.
  return next((prefix for prefix in prefixes
               if tf.gfile.Exists(prefix + '.index')), None)


def complete(options, exported, checkpoint=None):
  """Completes options with what an export says.

  Args:
    options: an `options.Evaluate`, checked.
    exported: the `exports.Exported`.
    checkpoint: prefix of the checkpoint that was exported, or None.

  Returns:
    (options, lines): the options of an evaluation of it, and what to print.

  Raises:
    ValueError: no directory of the data is given or known.
  """
  ours, given = flags.as_dict(options), flags.given(options)
  trained = (exported.record.get('training') or {}).get('flags', {})
  known = dict(_of_record(exported.record, trained), **_data(
      exported, trained, checkpoint))
  if 'dataset_name' in given and (
      ours['dataset_name'] != known.get('dataset_name')):
    known.pop('dataset_dir', None)
  completed = {name: value for name, value in known.items()
               if name not in given and value != ours[name]}
  ours.update(completed)
  if not ours['dataset_dir']:
    raise ValueError('--dataset_dir is required: an export does not hold the '
                     'directory of its data.')
  if 'dataset_split_name' not in given:
    completed.update(record_defaults.other_split(ours, trained))
  lines = ['From %s: %s.' % (exports.MODEL, ' '.join(
      help_page.setting(name, value) for name, value in completed.items()))]
  return flags.replace(options, completed), lines if completed else []


def _of_record(record, trained):
  """Returns the flags that model.json answers."""
  averages = trained.get('moving_average_decay') or 0.0
  known = {
      'preprocessing_name': record['preprocessing_name'],
      'use_grayscale': record['use_grayscale'],
      'eval_image_size': exports.image_size(record),
      'labels_offset': record.get('labels_offset', 0),
      'quantize': record.get('quantization_aware', False),
      # Any number says that they are averages.
      'moving_average_decay': (
          averages if record.get('averaged_weights') else None),
      'loss': trained.get('loss') or (
          'sigmoid' if record.get('classifier_activation') == 'sigmoid'
          else None)}
  known.update((name, trained[name]) for name in (
      'dataset_name', 'focal_gamma') if name in trained)
  known['embedding_size'] = record.get('embedding_size')
  if known['embedding_size'] and 'dataset_split_name' in trained:
    known['gallery_split'] = trained['dataset_split_name']
  known['normalize_embedding'] = record.get('normalize_embedding', False)
  known['tasks'] = tuple(task['task'] for task in record.get('tasks') or ())
  if 'model_name' in record:
    known['model_name'] = record['model_name']
  return known


def _data(exported, trained, checkpoint):
  """Returns the flag of the directory of the training's data, or no flag.

  It stands in the run.json beside the checkpoint or the export.
  """
  run = checkpoint and run_record.of_checkpoint(checkpoint)
  runs = [run] + [
      record for record in map(run_record.read, _directories(exported.path))
      if record and isinstance(record.get('flags'), dict)
      and run_record.without_paths(record)['flags'] == trained]
  directories = [run_record.dataset_dir(record) for record in runs if record]
  return {'dataset_dir': directories[0]} if any(directories[:1]) else {}


def _directories(path):
  """Returns the directory of a form of an export, and the one around it."""
  directory = os.path.dirname(os.path.abspath(path))
  return [directory, os.path.dirname(directory)]
