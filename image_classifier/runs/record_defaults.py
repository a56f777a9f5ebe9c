"""Flags of training, evaluation, export, classification that a record answers.

What was given by hand wins. What was not comes

1. from the run.json of the training that wrote the checkpoint;
2. without one, from the row of the published checkpoint that is named, or, for
   the classes of ImageNet, from the table of networks: what those need;
3. otherwise from the defaults of the flags.

Fine-tuning takes the network and its images from the run.json of the training
whose checkpoint it starts from; its data are its own.
"""
import tensorflow.compat.v1 as tf

from datasets import dataset_factory
from image_classifier.checkpoints import checkpoint_reader
from image_classifier.runs import run_record
from nets import nets_factory
from preprocessing import preprocessing_factory
from slim_common import flags
from slim_common import help_page

_SIZES = ('eval_image_size', 'image_size', 'train_image_size')
# What fine-tuning takes over.
_FINE_TUNED = (
    'model_name', 'network_variant', 'preprocessing_name', 'use_grayscale',
    'image_size')
_IMAGENET = 'imagenet'
# 0 by hand selects the weights where a record would select their averages.
_AVERAGES = 'moving_average_decay'
# Where the dataset has none of the split that is evaluated by default.
_OTHER_SPLITS = ('validation', 'val')


def apply(options, checkpoint):
  """Completes options with what is known of a checkpoint.

  Args:
    options: an `options.Evaluate`, `options.Export` or `options.Classify`.
    checkpoint: prefix of the checkpoint, or None.

  Returns:
    (options, lines): the completed options, and what to print: a line that
    names the flags that were completed, and one for each flag given by hand
    that differs from the training.
  """
  ours, given = flags.as_dict(options), flags.given(options)
  record = checkpoint and run_record.of_checkpoint(checkpoint)
  named = {} if record else _named(ours)
  known = _renamed(ours, of_training(record) if record
                   else _of_row(ours, named) if checkpoint else {})
  lines = _other_network(ours, known, given)
  if lines:
    return options, lines
  completed = _missing(ours, known, given)
  _drop_missing_data(completed, ours, known, given)
  if record and 'dataset_split_name' not in given:
    completed.update(other_split(dict(ours, **completed), record['flags']))
  if completed:
    lines.append(_completion(
        completed, run_record.NAME if record else 'the published checkpoints'))
  if record:
    lines += _differences(ours, known, given)
    if ours[_AVERAGES] == 0 and _AVERAGES in given:
      completed[_AVERAGES] = None
  return flags.replace(options, completed), lines


def apply_to_fine_tuning(options, record):
  """Completes options with what is known of the training to start from.

  Args:
    options: an `options.Train`.
    record: dict, the content of its run.json, or None.

  Returns:
    (options, lines): as of `apply`.
  """
  ours, given = flags.as_dict(options), flags.given(options)
  known = _renamed(ours, {
      name: value for name, value in (
          of_training(record) if record else _named(ours)).items()
      if name in _FINE_TUNED})
  lines = _other_network(ours, known, given)
  if lines:
    return options, lines
  completed = _missing(ours, known, given)
  if completed:
    lines.append(_completion(
        completed, '%s of the checkpoint' % run_record.NAME if record
        else 'the published checkpoints'))
  return flags.replace(options, completed), lines + _differences(
      ours, known, given)


def _renamed(ours, known):
  """Returns known flags with the image size under the program's name of it."""
  return {_size(ours) if name == 'image_size' else name: value
          for name, value in known.items()}


def _size(ours):
  size, = [name for name in _SIZES if name in ours]
  return size


def _other_network(ours, known, given):
  """Returns the line about a network given that is not the recorded one."""
  name = known.get('model_name', ours['model_name'])
  if 'model_name' not in given or name == ours['model_name']:
    return []
  return ['The checkpoint was trained with --model_name=%s.' % name]


def _missing(ours, known, given):
  """Returns {name: value} of the flags that a record changes."""
  return {name: value for name, value in known.items()
          if name in ours and name not in given and value != ours[name]}


def _completion(completed, source):
  return 'From %s: %s.' % (source, ' '.join(
      help_page.setting(name, ','.join(value) if isinstance(value, tuple) else
                        value) for name, value in completed.items()))


def of_training(record):
  """Returns the values of flags that a record of any version answers.

  Args:
    record: dict, the content of a run.json.

  Returns:
    A dict {name of the flag: value}; `image_size` is that of the network.
  """
  trained = record['flags']
  known = {name: trained[name] for name in (
      'model_name', 'network_variant', 'preprocessing_name', 'use_grayscale',
      _AVERAGES,
      'dataset_name', 'dataset_dir') if name in trained}
  if run_record.dataset_dir(record):
    known['dataset_dir'] = run_record.dataset_dir(record)
  if record.get('image_shape'):
    known['image_size'] = record['image_shape'][0]
  offset = record.get('labels_offset', trained.get('labels_offset'))
  if offset is not None:
    known['labels_offset'] = offset
  if record.get('embedding_size'):
    known['embedding_size'] = record['embedding_size']
    known['gallery_split'] = record['dataset_split']
    known['normalize_embedding'] = trained.get('normalize_embedding', False)
  if record.get('tasks'):
    known['tasks'] = tuple(task['task'] for task in record['tasks'])
  if 'quantize_delay' in trained:
    known['quantize'] = trained['quantize_delay'] >= 0
  return known


def _named(ours):
  """Returns what the name of a published checkpoint says, as flags."""
  row = ours['checkpoint_path'] and checkpoint_reader.published(
      ours['checkpoint_path'])
  return {'model_name': row.model_name, 'image_size': int(row.image_size),
          'preprocessing_name': row.preprocessing} if row else {}


def _of_row(ours, named):
  """Returns what is known of a checkpoint without a record."""
  return dict(named, **dict(_published(dict(ours, **named)), **named))


def _published(ours):
  """Returns the facts of a network's published checkpoints as flags."""
  row = nets_factory.published(ours['model_name'])
  if row is None or ours['dataset_name'] != _IMAGENET:
    return {}
  known = {'labels_offset': 'auto'} if row.labels_offset else {}
  size = nets_factory.get_network_fn(
      ours['model_name'], 1).default_image_size
  if row.image_size != size:
    known['image_size'] = row.image_size
  if row.preprocessing != _family(ours['model_name']):
    known['preprocessing_name'] = row.preprocessing
  return known


def _family(name):
  try:
    return preprocessing_factory.describe(name)['family']
  except ValueError:
    return name  # Unknown, which is reported where it is used.


def _drop_missing_data(completed, ours, known, given):
  """Leaves out the data of the training where they do not serve."""
  other = 'dataset_name' in given and (
      ours['dataset_name'] != known.get('dataset_name'))
  directory = completed.get('dataset_dir')
  if directory and (other or not tf.gfile.IsDirectory(directory)):
    del completed['dataset_dir']


def other_split(ours, trained):
  """Returns {flag: value} where the split to evaluate has another name.

  Args:
    ours: dict of all flags.
    trained: dict of the flags of the training.
  """
  name = 'dataset_split_name'
  if name not in ours or not ours['dataset_dir']:
    return {}
  splits = (ours[name], trained.get('eval_split')) + _OTHER_SPLITS
  for split in [split for split in splits if split]:
    try:
      dataset_factory.get_dataset(
          ours['dataset_name'], split, ours['dataset_dir'])
      return {} if split == ours[name] else {name: split}
    except ValueError:
      continue
  return {}


def _differences(ours, known, given):
  """Returns a line for each flag that differs from the training."""
  size = _size(ours)
  is_gray, length = known.get('use_grayscale'), known.get(size)
  name = known.get('preprocessing_name') or known.get('model_name')
  averages = bool(known.get(_AVERAGES))
  rows = (
      ('preprocessing_name', name, 'the preprocessing of %s' % name),
      ('use_grayscale', is_gray, 'grayscale images' if is_gray else 'color images'),
      (size, length, 'images of %s x %s pixels' % (length, length)),
      ('labels_offset', known.get('labels_offset'),
       'a labels offset of %s' % known.get('labels_offset')),
      (_AVERAGES, known.get(_AVERAGES),
       'moving averages' if averages else 'no moving averages'))
  return ['The training used %s: %s, not %s, is the same here.' % (
      text, help_page.setting(flag, theirs),
      help_page.setting(flag, ours[flag]))
          for flag, theirs, text in rows
          if flag in given and flag in known
          and _meaning(flag, ours[flag]) != _meaning(flag, theirs)
          and 'auto' not in (ours[flag], theirs)]


def _meaning(flag, value):
  """Returns what decides whether two values of a flag are the same."""
  if flag == _AVERAGES:
    return bool(value)  # Any number selects the averages.
  return _family(value) if flag == 'preprocessing_name' else value
