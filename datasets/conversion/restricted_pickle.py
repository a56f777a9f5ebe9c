"""Reads a pickle of plain values and byte arrays, and nothing else.

A pickle can name any function of any module and have it called. This reader
knows only the three names that a NumPy array is pickled with, and replaces each
by something harmless: what the pickle says about the array is checked here
before NumPy sees it. Dicts, lists, tuples, numbers and strings need no names.
"""
import pickle

import numpy as np


class _ByteType:
  """Replaces `numpy.dtype`; only unsigned bytes are accepted."""

  def __init__(self, code, *unused_flags):
    if code not in (b'u1', 'u1'):
      raise pickle.UnpicklingError('it holds an array of type %r' % (code,))

  def __setstate__(self, state):
    pass  # Byte order and alignment, which bytes do not have.


class _Array:
  """Replaces a `numpy.ndarray` while it is read; `value` is the array."""

  value = None

  def __init__(self, *unused_arguments):
    pass

  def __setstate__(self, state):
    _, shape, kind, is_column_major, content = state
    if not isinstance(kind, _ByteType) or not isinstance(content, bytes):
      raise pickle.UnpicklingError('it holds an array that is not of bytes')
    self.value = np.frombuffer(content, np.uint8).reshape(
        shape, order='F' if is_column_major else 'C')


_NAMES = {
    ('numpy.core.multiarray', '_reconstruct'): _Array,
    ('numpy._core.multiarray', '_reconstruct'): _Array,
    ('numpy', 'ndarray'): _Array,
    ('numpy', 'dtype'): _ByteType,
}


class _Unpickler(pickle.Unpickler):

  def find_class(self, module, name):
    if (module, name) not in _NAMES:
      raise pickle.UnpicklingError(
          'it asks for %s.%s, which no dataset needs' % (module, name))
    return _NAMES[module, name]


def load(path):
  """Returns the dict that a pickle holds.

  Args:
    path: path of a pickle of Python 2 or 3. Its byte strings, keys included,
      are returned as bytes.

  Returns:
    A dict; NumPy arrays among its values are uint8 arrays.

  Raises:
    ValueError: the pickle is damaged, is no dict, or holds anything but plain
      values and byte arrays; the message names the file and what it asks for.
    OSError: the file cannot be read.
  """
  with open(path, 'rb') as source:
    try:
      content = _Unpickler(source, encoding='bytes').load()
    except Exception as error:  # A damaged pickle can raise almost anything.
      raise ValueError('%s is refused: %s' % (path, error)) from error
  if not isinstance(content, dict):
    raise ValueError('%s is refused: it holds a %s, not a dict' % (
        path, type(content).__name__))
  return {key: value.value if isinstance(value, _Array) else value
          for key, value in content.items()}
