"""The published ImageNet checkpoints: their table, found or fetched by name.

A name is that of an archive, such as inception_v3_2016_08_28, or of a network,
such as inception_v3, which stands for the first archive of its table's rows
that fits: one of the network's own width, without quantization where there is
one. It is looked for in

1. the directory $TF_SLIM_CHECKPOINTS, if that is set;
2. ~/.cache/tf_slim_models;

and otherwise fetched, to the first of them. `load` returns the weights:

  values = pretrained.load('inception_v3')
  values['InceptionV3/Conv2d_1a_3x3/weights'].shape  # (3, 3, 3, 32)
"""
import contextlib
import csv
import functools
import os
import tarfile
import tempfile
from typing import Dict, List, NamedTuple, Optional

import numpy as np

from slim_common import atomic_files
from slim_common import suggest
from slim_common import transfer

VARIABLE = 'TF_SLIM_CHECKPOINTS'
_CACHE = os.path.join('~', '.cache', 'tf_slim_models')
_TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      'checkpoints.csv')
# Hosts that serve the same files as another one.
_MIRRORS = {
    'http://download.tensorflow.org/':
        'https://storage.googleapis.com/download.tensorflow.org/',
    'https://storage.cloud.google.com/': 'https://storage.googleapis.com/'}
_QUANTIZED = 'quantization-aware'
_AVERAGE = '/ExponentialMovingAverage'


class Checkpoint(NamedTuple):
  """A row of the table; the meaning of the columns is in README.md.

  Attributes:
    name: name of the archive, without .tar.gz or .tgz.
    model_name: name of the network in the factory.
    depth_multiplier: width, as text; empty where the network has one only.
    image_size: height and width of the images in pixels, as text.
    preprocessing: name of the preprocessing.
    labels_offset: '0' or '1'.
    top1, top5: published accuracy in percent, as text; may be empty.
    note: a remark; may be empty.
    url: the published address.
  """
  name: str
  model_name: str
  depth_multiplier: str
  image_size: str
  preprocessing: str
  labels_offset: str
  top1: str
  top5: str
  note: str
  url: str

  @property
  def file(self) -> str:
    """Name of the archive's file."""
    return self.url.rpartition('/')[2]


def rows() -> List[Checkpoint]:
  """Returns the published checkpoints."""
  with open(_TABLE, encoding='utf-8', newline='') as file:
    return [Checkpoint(**row) for row in csv.DictReader(file)]


def row_of(name: str) -> Optional[Checkpoint]:
  """Returns the row that the name of an archive or a network stands for.

  None if it is neither, or a network without an archive.
  """
  published = rows()
  for row in published:
    if row.name == name:
      return row
  widths = {row.depth_multiplier for row in published if row.model_name == name}
  # A network of several widths is called by the name of the full one.
  width = widths.pop() if len(widths) == 1 else '1.0'
  fitting = [row for row in published
             if row.model_name == name and row.depth_multiplier == width]
  fitting.sort(key=lambda row: _QUANTIZED in row.note)
  return fitting[0] if fitting else None


def is_name(name: str) -> bool:
  """Returns whether `find` knows a name, be it that none was published."""
  from nets import nets_factory  # Loads TensorFlow, which takes seconds.
  return row_of(name) is not None or name in nets_factory.networks_map


def directories() -> List[str]:
  """Returns the directories where archives are looked for."""
  given = os.environ.get(VARIABLE)
  return ([given] if given else []) + [os.path.expanduser(_CACHE)]


@functools.lru_cache(maxsize=None)
def find(name: str, say=print) -> str:
  """Returns the path of a published checkpoint; fetches it if need be.

  Args:
    name: name of an archive or of a network.
    say: function of a line of text: where the archive is kept.

  Returns:
    The path of its archive, or the prefix of a checkpoint NAME.ckpt that
    somebody unpacked into one of the directories.

  Raises:
    ValueError: there is no such archive, or it has changed since its first use.
    OSError: it cannot be fetched.
  """
  row = row_of(name)
  if row is None:
    raise ValueError(_unknown(name))
  for directory in directories():
    for candidate in row.file, row.name, row.name + '.ckpt':
      path = os.path.join(directory, candidate)
      if os.path.exists(path) or os.path.exists(path + '.index'):
        _check_unchanged(path)
        say('%s: %s' % (name, path))
        return path
  return fetch(row, directories()[0], say=say)


def fetch(row: Checkpoint, directory: str, mirror: Optional[str] = None,
          say=print) -> str:
  """Fetches an archive, unless the directory holds it; returns its path.

  Its SHA-256 is noted beside it: nobody published one, and a file that changes
  later is noticed.

  Args:
    row: the archive.
    directory: path of the directory; made if missing.
    mirror: URL of a directory to fetch it from; None for the published URLs.
    say: function of a line of text: where the archive is kept.

  Raises:
    OSError: it cannot be fetched.
  """
  path = os.path.join(directory, row.file)
  if os.path.exists(path):
    _check_unchanged(path)
    return path
  urls = [mirror.rstrip('/') + '/' + row.file] if mirror else [row.url] + [
      row.url.replace(host, other) for host, other in _MIRRORS.items()
      if row.url.startswith(host)]
  say('Fetching %s, which is then kept in %s.' % (row.file, directory))
  transfer.fetch(urls, path, resume=True, advice=(
      'If the address is dead, get a file of the name %s in another way and '
      'put it into %s, or give its path as --checkpoint_path, or to a recipe '
      'as CHECKPOINT=PATH.' % (row.file, directory)))
  _check_unchanged(path)
  return path


def load(name: str) -> Dict[str, np.ndarray]:
  """Returns the weights of a published checkpoint.

  Args:
    name: name of an archive or of a network.

  Returns:
    A dict from the names of variables to arrays; of those that only have a
    moving average, the average. No global step, no optimizer.

  Raises:
    ValueError, OSError: as of `find`; the archive is damaged.
  """
  # Only here, so that the table is printed at once.
  import tensorflow.compat.v1 as tf
  with contextlib.ExitStack() as stack:
    path = find(name)
    if os.path.isfile(path) and not path.endswith('.ckpt'):
      path = _unpack(path, stack.enter_context(tempfile.TemporaryDirectory()))
    elif os.path.isdir(path):
      path = tf.train.latest_checkpoint(path) or _only_prefix(path, path)
    reader = tf.train.NewCheckpointReader(path)
    names = reader.get_variable_to_shape_map()
    values = {}
    for each in sorted(names):
      plain = each[:-len(_AVERAGE)] if each.endswith(_AVERAGE) else each
      if plain != 'global_step' and (plain == each or plain not in names):
        values[plain] = reader.get_tensor(each)
    return values


def _unpack(archive, directory):
  """Unpacks the files of an archive's checkpoint; returns its prefix."""
  try:
    with tarfile.open(archive) as content:
      for member in content:
        name = os.path.basename(member.name)
        if member.isfile() and '.ckpt' in name:
          with content.extractfile(member) as source, open(
              os.path.join(directory, name), 'wb') as target:
            target.write(source.read())
  except (tarfile.TarError, EOFError, OSError) as error:
    raise ValueError(
        'The archive %s cannot be unpacked: %s. Remove it, so that it is '
        'fetched again.' % (archive, str(error).splitlines()[0]))
  return _only_prefix(directory, archive)


def _only_prefix(directory, path):
  """Returns the prefix of the checkpoint in a directory."""
  names = os.listdir(directory)
  prefixes = [name[:-len('.index')] for name in names
              if name.endswith('.index')] or [
                  name for name in names if name.endswith('.ckpt')]
  if len(prefixes) != 1:
    raise ValueError('%s holds %d checkpoints, not one.' % (
        path, len(prefixes)))
  return os.path.join(directory, prefixes[0])


def _check_unchanged(path):
  """Compares the SHA-256 of an archive with that of its first use."""
  noted = path + '.sha256'
  if not os.path.isfile(path):
    return
  found = transfer.sha256_of(path)
  if not os.path.exists(noted):
    if os.access(os.path.dirname(path) or '.', os.W_OK):
      with atomic_files.publish(noted) as file:
        file.write('%s  %s\n' % (found, os.path.basename(path)))
    return
  with open(noted, encoding='utf-8') as file:
    known = file.read().split(' ')[0]
  if found != known:
    raise ValueError(
        '%s has changed since its first use: SHA-256 %s instead of %s. Remove '
        'it, so that it is fetched again, or, if the change was meant, remove '
        '%s.' % (path, found, known, noted))


def _unknown(name):
  """Returns why a name stands for no archive."""
  published = rows()
  if is_name(name):
    return ('No checkpoint of %s was published. Those that were: python '
            'scripts/fetch_checkpoint.py --list' % name)
  names = [row.name for row in published] + sorted(
      {row.model_name for row in published})
  return ('There is no checkpoint %s%s python scripts/fetch_checkpoint.py '
          '--list prints all.' % (name, suggest.hint(name, names)))


