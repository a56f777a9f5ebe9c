"""Tests of reading pickles without trusting them."""
import os
import pickle

import numpy as np
import pytest

from datasets.conversion import restricted_pickle
from tests.datasets.conversion import raw_files


class _Call:
  """Pickles as a call of a function."""

  def __init__(self, function, *arguments):
    self._call = function, arguments

  def __reduce__(self):
    return self._call


@pytest.mark.parametrize('order', ['C', 'F'])
@pytest.mark.parametrize('python', [2, 3, 4])
def test_arrays_and_plain_values(tmp_path, python, order):
  content = {b'data': np.array([[1, 2, 3], [4, 5, 255]], np.uint8, order=order),
             b'labels': [3, 0, -1], b'names': [b'a', 'b'], b'x': (1.5, None)}
  dumped = (raw_files.python2_pickle(content) if python == 2
            else pickle.dumps(content, protocol=python))
  loaded = restricted_pickle.load(raw_files.write(tmp_path, 'x', dumped))
  np.testing.assert_array_equal(loaded.pop(b'data'), content.pop(b'data'))
  assert loaded == content


@pytest.mark.parametrize('function,name', [
    (os.system, '(posix|nt).system'), (eval, 'builtins.eval'),
    (open, '(io|_io).open'), (np.load, 'numpy.load'),
    (__import__, 'builtins.__import__')])
def test_a_call_is_refused_by_name_and_not_made(tmp_path, function, name):
  target = tmp_path / 'made'
  path = raw_files.write(tmp_path, 'data_batch_1', pickle.dumps(
      {b'data': _Call(function, 'touch %s' % target)}, protocol=4))
  with pytest.raises(ValueError, match='data_batch_1 is refused: it asks for '
                     + name):
    restricted_pickle.load(path)
  assert not target.exists()


@pytest.mark.parametrize('value', [
    np.array([1.0]), np.array([1, 2]), np.array(['text']),
    np.array([{}], dtype=object), np.zeros(2, [('a', 'u1')])])
def test_arrays_of_other_types_are_refused(tmp_path, value):
  path = raw_files.write(tmp_path, 'x', pickle.dumps({b'data': value}))
  with pytest.raises(ValueError, match='x is refused: it holds an array of'):
    restricted_pickle.load(path)


def test_array_with_a_false_shape(tmp_path):
  good = raw_files.python2_pickle({b'd': np.zeros(200, np.uint8)})
  bad = good.replace(b'K\xc8', b'K\xc9')  # 200, a byte, to 201
  assert bad != good
  with pytest.raises(ValueError, match='x is refused: cannot reshape'):
    restricted_pickle.load(raw_files.write(tmp_path, 'x', bad))


@pytest.mark.parametrize('content', [
    b'', b'.', b'text', b'\x80', b'(' * 100, b'\x80\x02]' + b'\xff' * 9,
    pickle.dumps({b'a': b'x' * 100})[:-50]])
def test_damaged_pickle(tmp_path, content):
  with pytest.raises(ValueError, match='x is refused'):
    restricted_pickle.load(raw_files.write(tmp_path, 'x', content))


def test_not_a_dict(tmp_path):
  path = raw_files.write(tmp_path, 'x', pickle.dumps([1]))
  with pytest.raises(ValueError, match='it holds a list, not a dict'):
    restricted_pickle.load(path)
