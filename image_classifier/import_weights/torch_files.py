"""Reads the tensors of a PyTorch file (.pth) without running what is in it.

A .pth is a zip archive with a pickle and the bytes of each storage. A pickle
can name any function and have it called; this reader knows the few names that
tensors are pickled with and gives each a harmless meaning. Older files (before
PyTorch 1.6) are a sequence of pickles, with the bytes behind them.
"""
import collections
import os
import pickle
from typing import Dict
import zipfile

import numpy as np

_DTYPES = {
    'DoubleStorage': np.float64, 'FloatStorage': np.float32,
    'HalfStorage': np.float16, 'LongStorage': np.int64, 'IntStorage': np.int32,
    'ShortStorage': np.int16, 'CharStorage': np.int8, 'ByteStorage': np.uint8,
    'BoolStorage': np.bool_}
_OLD_MAGIC = 0x1950a86a20f9469cfc6c

_Storage = collections.namedtuple('_Storage', 'key dtype')
_Tensor = collections.namedtuple('_Tensor', 'storage offset shape strides')


def _rebuild_tensor(storage, offset, shape, strides, *unused_rest):
  return _Tensor(storage, offset, tuple(shape), tuple(strides))


def _rebuild_parameter(tensor, *unused_rest):
  return tensor


# What a pickle may name, and what is done instead.
_NAMES = {
    ('collections', 'OrderedDict'): collections.OrderedDict,
    ('torch._utils', '_rebuild_tensor_v2'): _rebuild_tensor,
    ('torch._utils', '_rebuild_parameter'): _rebuild_parameter,
}
_NAMES.update({('torch', name): dtype for name, dtype in _DTYPES.items()})


class _Unpickler(pickle.Unpickler):

  def find_class(self, module, name):
    if (module, name) not in _NAMES:
      raise pickle.UnpicklingError(
          'it names %s.%s, which no file of weights alone does. Save '
          'model.state_dict() with torch.save' % (module, name))
    return _NAMES[module, name]

  def persistent_load(self, pid):
    kind, dtype, key = pid[:3]
    if kind != 'storage':
      raise pickle.UnpicklingError('it refers to %r' % (kind,))
    return _Storage(key, np.dtype(dtype))


def read(path: str) -> Dict[str, np.ndarray]:
  """Returns the tensors of a .pth file, {name: array}.

  Args:
    path: a file that torch.save wrote of a state_dict, or of a dict with a
      state_dict under one of the usual names.

  Raises:
    ValueError: the file is damaged, or holds anything but tensors and plain
      values; the message says what it asks for.
    OSError: the file cannot be read.
  """
  try:
    content, storages = (
        _read_zip(path) if zipfile.is_zipfile(path) else _read_old(path))
    return {name: _array(tensor, storages)
            for name, tensor in _state_dict(content).items()
            if isinstance(tensor, _Tensor)}
  except OSError:
    raise
  except Exception as error:  # A damaged pickle can raise almost anything.
    raise ValueError('%s is refused: %s.' % (path, error or type(error)))


def _read_zip(path):
  """Returns (what is pickled, function from a storage to its bytes)."""
  with zipfile.ZipFile(path) as archive:
    root = [name[:-len('data.pkl')] for name in archive.namelist()
            if name.endswith('data.pkl')][0]
    with archive.open(root + 'data.pkl') as file:
      content = _Unpickler(file, encoding='utf-8').load()
    names = set(archive.namelist())
    storages = {name[len(root + 'data/'):]: archive.read(name)
                for name in names if name.startswith(root + 'data/')}
  return content, storages


def _read_old(path):
  """Returns the same of a file from before PyTorch 1.6."""
  with open(path, 'rb') as file:
    if _Unpickler(file).load() != _OLD_MAGIC:
      raise ValueError('it is no file of PyTorch')
    for _ in 'protocol', 'machine':
      _Unpickler(file).load()
    content = _Unpickler(file).load()
    dtypes = {}
    _note_dtypes(content, dtypes)
    storages = {}
    for key in _Unpickler(file).load():
      count = int(np.frombuffer(file.read(8), '<i8')[0])
      storages[key] = file.read(count * dtypes[key].itemsize)
  return content, storages


def _note_dtypes(content, dtypes):
  for value in content.values():
    if isinstance(value, _Tensor):
      dtypes[value.storage.key] = value.storage.dtype
    elif isinstance(value, dict):
      _note_dtypes(value, dtypes)


def _state_dict(content):
  """Returns the state_dict, which training programs wrap in another dict."""
  for name in ('state_dict_ema', 'state_dict', 'model_state_dict', 'model'):
    if isinstance(content, dict) and isinstance(content.get(name), dict):
      content = content[name]
  if not isinstance(content, dict):
    raise ValueError('it holds a %s, not a dict of tensors' %
                     type(content).__name__)
  return {name[len('module.'):] if name.startswith('module.') else name: value
          for name, value in content.items()}


def _array(tensor, storages):
  """Returns a tensor as an array, checked against its storage."""
  storage = tensor.storage
  values = np.frombuffer(storages[storage.key], storage.dtype)
  size = storage.dtype.itemsize
  last = tensor.offset + sum(
      (length - 1) * stride
      for length, stride in zip(tensor.shape, tensor.strides))
  if 0 in tensor.shape:
    return np.zeros(tensor.shape, storage.dtype)
  if tensor.offset < 0 or min(tensor.strides, default=0) < 0 or (
      last >= len(values)):
    raise ValueError('the storage %s of a tensor of shape %s has %d values' % (
        os.path.basename(str(storage.key)), list(tensor.shape), len(values)))
  return np.array(np.lib.stride_tricks.as_strided(
      values[tensor.offset:], tensor.shape,
      [stride * size for stride in tensor.strides]))
