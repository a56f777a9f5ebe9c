"""What a run is, written to its directory: run.json and flags.txt.

run.json holds the network, the classes, the picture size, the dataset with a
fingerprint, and every flag. A run goes on only where these facts are the same;
flags may change, and what changed is said. flags.txt replays the run:
`train_image_classifier.py --flagfile=flags.txt`.
"""
import hashlib
import json
import os

import tensorflow.compat.v1 as tf

from image_classifier.runs import best_checkpoint
from slim_common import atomic_files
from slim_common import flags

NAME = 'run.json'
FLAGFILE = 'flags.txt'
_FORMAT_VERSION = 1

# Key in the record, and its name in messages.
_FACTS = (
    ('model_name', 'the network'),
    ('num_classes', 'the number of classes'),
    ('image_shape', 'the picture size'),
    ('dataset_name', 'the dataset'),
    ('dataset_split', 'the split'),
    ('num_examples', 'the number of examples'),
    ('fingerprint', 'the content of the record files'),
)
# Flags of the way the program is called, not of the run.
_PASSING = ('resume', 'list_models', 'describe_model')


def make(options, graph_facts, dataset, last_step):
  """Returns the record of a run, a dict ready for JSON.

  Args:
    options: the `options.Train`, as given.
    graph_facts: the `train_graph.Facts`; None where there is no graph yet,
      for a record without what they say.
    dataset: the `slim.dataset.Dataset`.
    last_step: step at which the run ends; None for never.
  """
  of_graph = graph_facts and {
      'num_classes': graph_facts.num_classes,
      'image_shape': graph_facts.image_shape}
  return json.loads(json.dumps({
      'format_version': _FORMAT_VERSION,
      **(of_graph or {}),
      'model_name': options.model.model_name,
      'dataset_name': options.data.dataset_name,
      'dataset_split': options.data.dataset_split_name,
      'num_examples': dataset.num_samples,
      'multi_label': bool(getattr(dataset, 'multi_label', False)),
      'fingerprint': fingerprint(dataset),
      'last_step': last_step,
      'tensorflow': tf.__version__,
      'flags': {name: value for name, value in flags.as_dict(options).items()
                if name not in _PASSING}}))


def fingerprint(dataset):
  """Returns a hash of a dataset's classes and record files.

  Names and sizes of the files count, not their folder: data may be moved.

  Args:
    dataset: a `slim.dataset.Dataset`.
  """
  names = dataset.labels_to_names or {}
  files = sorted(tf.gfile.Glob(dataset.data_sources))
  text = json.dumps([
      dataset.num_samples, dataset.num_classes, sorted(names.items()),
      [(os.path.basename(file), tf.gfile.Stat(file).length)
       for file in files]])
  return hashlib.sha256(text.encode('utf-8')).hexdigest()


def read(train_dir):
  """Returns the record in a directory, or None."""
  try:
    with open(os.path.join(train_dir, NAME)) as file:
      record = json.load(file)
  except (FileNotFoundError, ValueError):
    return None
  # Other programs write files of this name too.
  return record if isinstance(record, dict) else None


def of_checkpoint(prefix):
  """Returns the record of the run that wrote a checkpoint, or None.

  Args:
    prefix: the checkpoint, in the directory of its run or in that of its best.
  """
  folder = os.path.dirname(os.path.abspath(prefix))
  if os.path.basename(folder) == best_checkpoint.FOLDER:
    folder = os.path.dirname(folder)
  record = read(folder)
  return record if record and isinstance(record.get('flags'), dict) else None


def check(train_dir, record):
  """Checks that a run may go on in a directory.

  Args:
    train_dir: the directory.
    record: the record of the run that is to go on there.

  Raises:
    ValueError: another network or other data made what is there.
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
        'run to a sub-folder and starts anew.' % (
            train_dir, ', '.join(differences)))


def changes(train_dir, record):
  """Returns a sentence for each flag that differs from the earlier record."""
  earlier = (read(train_dir) or {}).get('flags', {})
  return ['--%s was %s, now %s.' % (
      name, _shown(earlier[name]), _shown(value))
          for name, value in sorted(record['flags'].items())
          if name in earlier and earlier[name] != value]


def write(train_dir, record, default_flags):
  """Writes run.json and flags.txt, each whole or not at all.

  Args:
    train_dir: the directory.
    record: the record.
    default_flags: dict of the flags' defaults; flags.txt names what differs.
  """
  lines = [_flag(name, value) for name, value in record['flags'].items()
           if value is not None and name in default_flags and
           value != _plain(default_flags[name])]
  with atomic_files.publish(os.path.join(train_dir, FLAGFILE)) as file:
    file.write('\n'.join(lines) + '\n')
  with atomic_files.publish(os.path.join(train_dir, NAME)) as file:
    file.write(json.dumps(record, indent=1, sort_keys=True) + '\n')


def _flag(name, value):
  if isinstance(value, bool):
    return '--%s%s' % ('' if value else 'no', name)
  if isinstance(value, list):
    value = ','.join(value)
  return '--%s=%s' % (name, value)


def _plain(value):
  """Returns a flag's value as JSON gives it back."""
  return list(value) if isinstance(value, tuple) else value


def _shown(value):
  if isinstance(value, list):
    return ('x' if value and isinstance(value[0], int) else ',').join(
        map(str, value)) or 'none'
  if isinstance(value, str) and len(value) == 64:
    return value[:8]
  return 'not given' if value is None else str(value)
