"""Reads a pickle of plain values and byte arrays, and nothing else.

A pickle may name any function of any module and have it called. This reader
knows three names, those that a NumPy array is pickled with, and stands in for
each with something harmless of its own: what the pickle says about the array
is checked here before NumPy sees it. Dicts, lists, tuples, numbers and strings
need no names.
"""
import pickle

import numpy as np


class _ByteType:
  """Stands in for `numpy.dtype`; only unsigned bytes are let through."""

  def __init__(self, code, *unused_flags):
    if code not in (b'u1', 'u1'):
      raise pickle.UnpicklingError('it holds an array of type %r' % (code,))

  def __setstate__(self, state):
    pass  # Byte order and alignment, which bytes do not have.


class _Array:
  """Stands in for a `numpy.ndarray` on its way; `value` is the array."""

  value = None

  def __init__(self, *unused_arguments):
    pass

  def __setstate__(self, state):
    _, shape, kind, is_column_major, content = state
    if not isinstance(kind, _ByteType) or not isinstance(content, bytes):
      raise pickle.UnpicklingError('it holds an array of other than bytes')
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
    path: of a file that Python 2 or 3 pickled. Its byte strings, keys among
      them, come as bytes.

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
    except Exception as error:  # A damaged pickle may raise nearly anything.
      raise ValueError('%s is refused: %s' % (path, error)) from error
  if not isinstance(content, dict):
    raise ValueError('%s is refused: it holds a %s and no dict' % (
        path, type(content).__name__))
  return {key: value.value if isinstance(value, _Array) else value
          for key, value in content.items()}
