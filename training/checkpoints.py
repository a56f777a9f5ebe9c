"""Finding a checkpoint by whatever name its owner has for it."""
import os
import re

import tensorflow.compat.v1 as tf

# The files that a checkpoint consists of, any of which may be named.
_PARTS = re.compile(r'\.(index|meta|data-\d{5}-of-\d{5})$')


def find(path):
  """Returns the checkpoint that `path` means.

  Args:
    path: a directory, whose latest checkpoint is taken; a checkpoint's prefix
      such as 'dir/model.ckpt-100'; or one of its files. A single file of the
      old format (V1, 2016) is its own prefix.

  Returns:
    The prefix, as `tf.train.Saver.restore` takes it.

  Raises:
    ValueError: there is no checkpoint.
  """
  if tf.gfile.IsDirectory(path):
    latest = tf.train.latest_checkpoint(path)
    if latest is None:
      raise ValueError('There is no checkpoint in the directory %s.' % path)
    return latest
  prefix = _PARTS.sub('', path)
  folder = os.path.dirname(prefix) or '.'
  if not tf.gfile.IsDirectory(folder):
    raise ValueError(
        'There is no checkpoint %s: the directory %s does not exist.' % (
            path, folder))
  if tf.train.checkpoint_exists(prefix):
    return prefix
  there = sorted({
      _PARTS.sub('', name) for name in tf.gfile.ListDirectory(folder)
      if _PARTS.search(name)})
  raise ValueError('There is no checkpoint %s. %s holds %s.' % (
      path, folder, ', '.join(there) or 'none'))


def step_of(prefix):
  """Returns the global step saved in a checkpoint, or None."""
  reader = tf.train.NewCheckpointReader(prefix)
  name = tf.GraphKeys.GLOBAL_STEP
  return int(reader.get_tensor(name)) if reader.has_tensor(name) else None


def check_fits(prefix, variables):
  """Checks that a checkpoint holds what is to be restored.

  Args:
    prefix: a checkpoint.
    variables: dict {name in the checkpoint: variable}.

  Raises:
    ValueError: a name is missing or a shape differs.
  """
  shapes = tf.train.NewCheckpointReader(prefix).get_variable_to_shape_map()
  missing = sorted(name for name in variables if name not in shapes)
  if missing:
    averages = [name for name in missing
                if name.endswith('/ExponentialMovingAverage')]
    cure = ('The run kept no moving averages: leave out '
            '--moving_average_decay.' if averages else
            'It was trained with another network: check --model_name.')
    raise ValueError('The checkpoint %s lacks %d variables, such as %s. %s' % (
        prefix, len(missing), missing[0], cure))
  for name, variable in sorted(variables.items()):
    shape = variable.shape.as_list()
    if shape != shapes[name]:
      raise ValueError(
          'The variable %s has shape %s in the checkpoint %s and %s here. %s' %
          (name, shapes[name], prefix, shape, _cause(shapes[name], shape)))


def _cause(theirs, ours):
  """Returns what most likely makes two shapes of a variable differ."""
  if theirs[:-1] == ours[:-1] and (theirs[-1], ours[-1]) == (1000, 1001):
    return 'The checkpoint has no background class: pass --labels_offset=1.'
  if theirs[:-1] == ours[:-1] and len(theirs) in (1, 2):
    return ('If this is the last layer, the checkpoint knows %d classes and '
            'the dataset has %d.' % (theirs[-1], ours[-1]))
  return 'It was trained with another network or width: check --model_name.'
