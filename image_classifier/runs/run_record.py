"""The record of a run in its directory: run.json and flags.txt.

run.json holds the network, the names of its classes, the labels offset, the
image size, the preprocessing with its numbers, the activation, the loss, the
dataset with a fingerprint, versions, and every flag. Evaluation, export and
classification take from it what is not given (see record_defaults.py). A run
resumes only where network and data are the same; flags may change, and the
changes are printed. flags.txt repeats the run:
`train_image_classifier.py --flagfile=flags.txt`.
"""
import hashlib
import json
import os
import platform
from typing import Any, Dict, Optional

import tensorflow.compat.v1 as tf

from image_classifier import options as program_options
from image_classifier.losses import task_heads
from image_classifier.runs import best_checkpoint
from image_classifier.runs import record_types
from preprocessing import preprocessing_factory
from slim_common import atomic_files
from slim_common import flags
from slim_common import help_page

NAME = 'run.json'
FLAGFILE = 'flags.txt'
# 1 had neither the names of the classes nor what follows from the flags.
_FORMAT_VERSION = 2

# Key in the record, and its name in messages.
_FACTS = (
    ('model_name', 'the network'), ('num_classes', 'the number of classes'),
    ('image_shape', 'the image size'), ('dataset_name', 'the dataset'),
    ('dataset_split', 'the split'), ('num_examples', 'the number of examples'),
    ('fingerprint', 'the content of the record files'),
    ('embedding_size', 'the size of the embedding'), ('tasks', 'the tasks'))
# Flags with text that later programs need. Other text may be a path or an
# address, which an export does not tell.
_PUBLIC_FLAGS = (
    'model_name', 'network_variant', 'dataset_name', 'dataset_split_name',
    'preprocessing_name',
    'labels_offset', 'loss', 'data_format', 'optimizer')
# Flags of one call of the program, not of the run.
_NOT_RECORDED = ('resume', 'list_models', 'describe_model')


def make(options, dataset, num_classes: int, image_shape,
         last_step: Optional[int]) -> Dict[str, Any]:
  """Returns the record of a run, ready for JSON.

  Args:
    options: the `options.Train`, as given.
    dataset: the `slim.dataset.Dataset`.
    num_classes: number of outputs of the network.
    image_shape: (height, width, channels) of the network's input.
    last_step: step at which the run ends; None if it does not end.
  """
  multi_label = bool(getattr(dataset, 'multi_label', False))
  given = flags.as_dict(options)
  loss = given['loss'] or ('sigmoid' if multi_label else 'softmax')
  is_embedding = loss in program_options.METRIC_LOSSES
  heads = task_heads.of_dataset(dataset, options.model.tasks)
  offset = 0 if heads else dataset.num_classes - num_classes
  return json.loads(json.dumps({
      'format_version': _FORMAT_VERSION,
      'num_classes': num_classes,
      'image_shape': image_shape,
      'model_name': options.model.model_name,
      'dataset_name': options.data.dataset_name,
      'dataset_split': options.data.dataset_split_name,
      'num_examples': dataset.num_samples,
      'multi_label': multi_label,
      'labels_offset': offset,
      'class_names': (task_heads.names(heads) if heads else
                      _class_names(dataset, offset)),
      'preprocessing': _preprocessing(given),
      'use_grayscale': given['use_grayscale'],
      'averaged_weights': given['moving_average_decay'] is not None,
      'classifier_activation': None if is_embedding else (
          'sigmoid' if multi_label or loss == 'sigmoid' else 'softmax'),
      'embedding_size': given['embedding_size'] if is_embedding else None,
      'tasks': [{'task': head.task, 'classes': head.classes,
                 'multi_label': head.multi_label} for head in heads or []],
      'loss': loss,
      'data_format': given['data_format'],
      'fingerprint': fingerprint(dataset),
      'last_step': last_step,
      'working_directory': os.getcwd(),
      'tensorflow': tf.__version__,
      'python': platform.python_version(),
      'flags': {name: value for name, value in given.items()
                if name not in _NOT_RECORDED}}))


def _class_names(dataset, labels_offset):
  """Returns the names in the order of the logits; None without names."""
  names = dataset.labels_to_names
  return names and [names.get(label, 'class %d' % label) for label in range(
      labels_offset, dataset.num_classes)]


def _preprocessing(given):
  """Returns what `preprocessing_factory.describe` does; None for videos."""
  name = given['preprocessing_name'] or given['model_name']
  try:
    return preprocessing_factory.describe(name)
  except ValueError:
    return None


def fingerprint(dataset):
  """Returns a hash of a `slim.dataset.Dataset`'s classes and record files.

  Names and sizes of the files count, not their directory: data may be moved.
  """
  names = dataset.labels_to_names or {}
  files = sorted(tf.gfile.Glob(dataset.data_sources))
  text = json.dumps([
      dataset.num_samples, dataset.num_classes, sorted(names.items()),
      [(os.path.basename(file), tf.gfile.Stat(file).length) for file in files]])
  return hashlib.sha256(text.encode('utf-8')).hexdigest()


def read(train_dir: str) -> Optional[Dict[str, Any]]:
  """Returns the record in a directory, or None.

  Raises:
    ValueError: the file is damaged.
  """
  path = os.path.join(train_dir, NAME)
  try:
    with open(path, encoding='utf-8') as file:
      record = json.load(file)
  except FileNotFoundError:
    return None
  except (ValueError, RecursionError) as error:
    raise ValueError('%s cannot be read (%s). %s' % (
        path, error, record_types.CURE))
  # Other programs write files of this name too.
  if not isinstance(record, dict):
    return None
  record_types.check(record, path)
  return record


def of_checkpoint(prefix: str) -> Optional[Dict[str, Any]]:
  """Returns the record of the run that wrote a checkpoint, or None.

  Args:
    prefix: the checkpoint, in the directory of its run or in `best` below it.
  """
  directory = os.path.dirname(os.path.abspath(prefix))
  if os.path.basename(directory) == best_checkpoint.DIRECTORY:
    directory = os.path.dirname(directory)
  record = read(directory)
  return record if record and isinstance(record.get('flags'), dict) else None


def dataset_dir(record: Dict[str, Any]) -> Optional[str]:
  """Returns the directory of a run's data where it exists, or None.

  A relative one is looked for from here, then from where the run was started.
  """
  directory = record['flags'].get('dataset_dir')
  if not directory:
    return None
  started = os.path.join(record.get('working_directory') or '', directory)
  return next(filter(tf.gfile.IsDirectory, (directory, started)), None)


def without_paths(record):
  """Returns a record without what may name a path; None for None."""
  if not record:
    return None
  public = dict(record, flags={
      name: value for name, value in record['flags'].items()
      if name in _PUBLIC_FLAGS or value is None
      or isinstance(value, (bool, int, float))})
  public.pop('working_directory', None)
  return public


def check(train_dir, record):
  """Checks that the run of a record can resume in a directory.

  Raises:
    ValueError: the directory holds a run of another network or other data.
  """
  earlier = read(train_dir) or {}
  differences = [
      '%s (%s there, %s here)' % (
          name, _shown(earlier[key]), _shown(record[key]))
      for key, name in _FACTS
      if key in earlier and key in record and earlier[key] != record[key]]
  if differences:
    raise ValueError(
        '--train_dir=%s holds another run; what differs is %s. Give another '
        '--train_dir, or --resume=never, which moves the files of the earlier '
        'run to a subdirectory and starts from scratch.' % (
            train_dir, ', '.join(differences)))


def changes(train_dir, record):
  """Returns a sentence for each flag that differs from the earlier record."""
  earlier = (read(train_dir) or {}).get('flags', {})
  return ['--%s was %s, now %s.' % (
      name, _shown(earlier[name]), _shown(value))
          for name, value in sorted(record['flags'].items())
          if name in earlier and earlier[name] != value]


def write(train_dir, record, default_flags):
  """Writes run.json and flags.txt, each completely or not at all.

  flags.txt holds what differs from `default_flags`, a dict.
  """
  # JSON has made lists of the tuples.
  default_flags = json.loads(json.dumps(default_flags))
  lines = [
      help_page.setting(
          name, ','.join(value) if isinstance(value, list) else value)
      for name, value in record['flags'].items() if value is not None and
      name in default_flags and value != default_flags[name]]
  with atomic_files.publish(os.path.join(train_dir, FLAGFILE)) as file:
    file.write('\n'.join(lines) + '\n')
  with atomic_files.publish(os.path.join(train_dir, NAME)) as file:
    file.write(json.dumps(record, indent=1, sort_keys=True) + '\n')


def _shown(value):
  if isinstance(value, list):
    return ('x' if value and isinstance(value[0], int) else ',').join(
        map(str, value)) or 'none'
  if isinstance(value, str) and len(value) == 64:
    return value[:8]
  return 'not given' if value is None else str(value)
