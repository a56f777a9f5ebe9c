"""Finds checkpoints by directory, prefix, file or archive, and reads them."""
import atexit
import functools
import os
import re
import shutil
import tarfile
import tempfile
from typing import Dict, List, Optional

import tensorflow.compat.v1 as tf

from image_classifier.checkpoints import foreign_names
from image_classifier.checkpoints import shape_mismatch as shape_causes
from nets import pretrained

# The files that a checkpoint consists of, any of which may be named.
_PARTS = re.compile(r'\.(index|meta|data-\d{5}-of-\d{5})$')
_ARCHIVE = re.compile(r'\.(tar|tar\.gz|tgz)$')
# Ranges that fake quantization learns.
_QUANTIZED = re.compile(r'_quant(_[^/]*)?/(min|max)$')
# A single file of the format of 2016.
_V1_NAME = re.compile(r'\.ckpt(-\d+)?$')
# The files to unpack from an archive; `.ckpt` is the old format.
_WANTED = re.compile(r'(\.(index|meta|data-\d{5}-of-\d{5}|ckpt)|^checkpoint)$')


def find(path: str) -> str:
  """Finds a checkpoint.

  Args:
    path: a directory, whose latest or only checkpoint is taken; a prefix such
      as 'dir/model.ckpt-100'; one of a checkpoint's files; or the archive
      (.tar.gz, .tgz, .tar) of one, which is unpacked to a temporary directory
      that is removed when the program ends; or, if nothing in the current
      directory has that name, the name of a published checkpoint or network,
      see nets/pretrained.py. The prefix of a single file of the old format (V1,
      2016) is its path.

  Returns:
    The prefix, as `tf.train.Saver.restore` takes it.

  Raises:
    ValueError: there is no checkpoint.
    OSError: a published one cannot be fetched.
  """
  if _is_name(path):
    path = pretrained.find(path)
  if tf.gfile.IsDirectory(path):
    return _latest(path)
  if _ARCHIVE.search(path) and os.path.isfile(path):
    return _of_archive(path, os.path.getmtime(path))
  prefix = _PARTS.sub('', path)
  directory = os.path.dirname(prefix) or '.'
  if not tf.gfile.IsDirectory(directory):
    raise ValueError('There is no checkpoint %s: the directory %s does not '
                     'exist.' % (path, directory))
  if _exists(prefix):
    return prefix
  if tf.gfile.Glob(prefix + '.data-*'):
    raise ValueError('The checkpoint %s is incomplete: there is no file '
                     '%s.index.' % (path, prefix))
  raise ValueError('There is no checkpoint %s. %s holds %s.%s' % (
      path, directory, ', '.join(_prefixes(directory)) or 'none',
      _without_weights(prefix)))


def published(path: str) -> Optional[pretrained.Checkpoint]:
  """Returns the published checkpoint that `find` takes a path for, or None."""
  return pretrained.row_of(path) if _is_name(path) else None


def _is_name(path):
  """Returns whether a path is the name of a published checkpoint or network.

  A network that none was published of counts too: `pretrained.find` says so.
  """
  if os.path.basename(path) != path or os.path.exists(path) or (
      tf.gfile.Glob(path + '.*')):
    return False
  return pretrained.is_name(path)


def listed(directory: str) -> List[str]:
  """Returns the checkpoints that a directory's file `checkpoint` names.

  They are those that exist, oldest first, the latest last. The file may hold
  absolute paths, which slim wrote, and the directory have been moved or copied
  since: a checkpoint of the same name in it comes before any elsewhere.
  """
  state = state_of(directory)
  if state is None:
    return []
  latest = state.model_checkpoint_path
  paths = [path for path in state.all_model_checkpoint_paths
           if path != latest] + [latest]
  here = [_in_directory(directory, path) for path in paths]
  return [path for path in here if _exists(path)]


def state_of(directory: str):
  """Returns what a directory's file `checkpoint` holds, or None without one.

  Raises:
    ValueError: the file is empty or damaged.
  """
  path = os.path.join(directory, 'checkpoint')
  if not tf.gfile.Exists(path) or tf.gfile.IsDirectory(path):
    return None
  try:
    state = tf.train.get_checkpoint_state(directory)
  except ValueError:  # It names none.
    state = None
  if state is None:
    names = _prefixes(directory)
    raise ValueError(
        'The file %s, which lists the checkpoints, is empty or damaged. %s' % (
            path, 'Name one of %s, or write model_checkpoint_path: "NAME" into '
            'it.' % ', '.join(names) if names else 'Remove it.'))
  return state


def _in_directory(directory, path):
  """Returns the path of a listed checkpoint after the directory was moved."""
  root = os.path.abspath(directory)
  if _exists(path) and os.path.abspath(path).startswith(root + os.sep):
    return path
  beside = os.path.join(directory, os.path.basename(path))
  return beside if _exists(beside) else path


def _exists(prefix):
  try:
    return tf.train.checkpoint_exists(prefix)
  except tf.errors.NotFoundError:
    # Its directory does not exist.
    return False


def _latest(directory):
  """Returns the latest checkpoint in a directory, or the only one."""
  if os.path.isdir(directory) and not os.access(directory, os.R_OK | os.X_OK):
    raise ValueError(
        'The directory %s may not be read by this user: correct its access '
        'rights, for example with chmod a+rx.' % directory)
  state = state_of(directory)
  if state is not None:
    latest = _in_directory(directory, state.model_checkpoint_path)
    if _exists(latest):
      return latest
  # An unpacked archive may lack the file that lists the checkpoints.
  names = _prefixes(directory)
  if len(names) == 1:
    return os.path.join(directory, names[0])
  raise ValueError('There is no checkpoint in the directory %s%s' % (
      directory, ' that is listed as the latest. It holds %s: name one of '
      'them.' % ', '.join(names) if names else '.' + _without_weights(
          os.path.join(directory, ''))))


def _prefixes(directory):
  names = tf.gfile.ListDirectory(directory)
  return sorted(
      {name[:-len('.index')] for name in names if name.endswith('.index')} |
      {name for name in names if _V1_NAME.search(name) and
       not tf.gfile.IsDirectory(os.path.join(directory, name))})


def _without_weights(prefix):
  """Returns a sentence if only the graph of a checkpoint is there, or ''."""
  metas = sorted(tf.gfile.Glob(prefix + '*.meta'))
  return ' %s holds the graph only; the weights are in the files %s.' % (
      metas[0], os.path.basename(metas[0])[:-len('meta')] +
      'index and .data-* beside it, which are missing') if metas else ''


def shapes_in(prefix: str) -> Dict[str, List[int]]:
  """Returns the dict {name: shape} of a checkpoint's variables.

  Raises:
    ValueError: the file is not a checkpoint, or is damaged.
  """
  try:
    return tf.train.NewCheckpointReader(prefix).get_variable_to_shape_map()
  except (tf.errors.OpError, RuntimeError) as error:
    raise ValueError(
        '%s is not a checkpoint that TensorFlow can read: %s. Give the '
        'directory, the prefix or a file of a checkpoint (.index, .meta, '
        '.data-*), or its .tar.gz archive.' % (
            prefix, str(error).splitlines()[0]))


def step_of(prefix: str) -> Optional[int]:
  """Returns the global step saved in a checkpoint, or None."""
  reader = tf.train.NewCheckpointReader(prefix)
  name = tf.GraphKeys.GLOBAL_STEP
  return int(reader.get_tensor(name)) if reader.has_tensor(name) else None


def check_fits(prefix: str, variables, scope: Optional[str] = None,
               needs_statistics: bool = True):
  """Checks that a checkpoint holds the variables to restore.

  Args:
    prefix: the checkpoint.
    variables: dict {name in the network: variable}.
    scope: the scope of the network in the checkpoint, see foreign_names.py.
    needs_statistics: whether those of batch normalization may not be missing.

  Returns:
    A dict {name in the checkpoint: variable}, without missing statistics.

  Raises:
    ValueError: a name is missing or a shape differs.
  """
  shapes = shapes_in(prefix)
  names = {name: foreign_names.find(name, shapes, scope) for name in variables}
  missing = sorted(name for name in variables if names[name] is None and (
      needs_statistics or not foreign_names.is_statistic(name)))
  if missing:
    raise ValueError('The checkpoint %s lacks %d variables, such as %s. %s' % (
        prefix, len(missing), missing[0],
        _cure(missing, variables, shapes)))
  found = {names[name]: variable for name, variable in variables.items()
           if names[name] is not None}
  ours = {name: v.shape.as_list() for name, v in found.items()}
  for name, shape in sorted(ours.items()):
    if shape != shapes[name]:
      raise ValueError(
          'The variable %s has shape %s in the checkpoint %s and %s here. %s' %
          (name, shapes[name], prefix, shape,
           shape_causes.cause(name, shapes, ours)))
  return found


def _cure(missing, variables, shapes):
  """Returns a sentence: why variables are missing, and what to type."""
  if all(map(foreign_names.is_statistic, missing)):
    return ('They are the statistics of batch normalization (moving_mean, '
            'moving_variance), which it was saved without: '
            'eval_image_classifier.py --recalibrate_batch_norm=100 computes '
            'them.')
  if any(name.endswith('/ExponentialMovingAverage') for name in missing):
    return ('The run kept no moving averages: leave out '
            '--moving_average_decay.')
  if any(_QUANTIZED.search(name) for name in missing):
    return 'It was trained without --quantize_delay: leave out --quantize.'
  return foreign_names.explain(variables, shapes) or (
      'It was trained with another network: check --model_name.')


@functools.lru_cache(maxsize=None)
def _of_archive(path, modified):
  """Unpacks an archive, once, and returns the checkpoint in it."""
  del modified  # Part of the cache key: an archive may be replaced.
  directory = tempfile.mkdtemp(prefix='checkpoint-')
  atexit.register(shutil.rmtree, directory, ignore_errors=True)
  try:
    files = _unpack(path, directory)
  except (tarfile.TarError, EOFError, OSError) as error:
    # Newer Pythons add a line for each compression method they tried.
    reason = (str(error) or type(error).__name__).splitlines()[0]
    raise ValueError('The archive %s cannot be unpacked: %s. Is the download '
                     'complete?' % (path, reason))
  prefixes = sorted(
      {_PARTS.sub('', name) for name in files if name.endswith('.index')} |
      {name for name in files if name.endswith('.ckpt')})
  if len(prefixes) != 1:
    raise ValueError('The archive %s holds %s. %s' % (
        path, 'the checkpoints ' + ', '.join(prefixes) if prefixes else
        'no checkpoint', 'Unpack it and name one of them.' if prefixes else
        'Give the one that holds the files .index and .data-*.'))
  return os.path.join(directory, prefixes[0])


def _unpack(path, directory):
  """Writes the checkpoint files of an archive; returns their relative names.

  Only regular files inside the directory are written: an archive from the
  network may name others, or links to them.
  """
  names = []
  with tarfile.open(path) as archive:
    for member in archive:
      name = os.path.normpath(member.name)
      if (not member.isfile() or not _WANTED.search(os.path.basename(name)) or
          os.path.isabs(name) or name.split(os.sep)[0] == os.pardir):
        continue
      target = os.path.join(directory, name)
      os.makedirs(os.path.dirname(target), exist_ok=True)
      with archive.extractfile(member) as source, open(target, 'wb') as file:
        shutil.copyfileobj(source, file)
      names.append(name)
  return names
