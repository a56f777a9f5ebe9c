"""What the benchmarks share."""
import argparse
import sys

import pytest

from benchmarks import common


def test_without_an_environment_this_python_is_measured(monkeypatch):
  monkeypatch.setattr(common.os.path, 'exists', lambda path: False)
  assert common.environments() == [('this', sys.executable)]
  monkeypatch.setattr(
      common.os.path, 'exists', lambda path: '.venv-tf2/' in path)
  assert [stack for stack, _ in common.environments()] == ['tf2']


def test_numbers():
  assert common.numbers('1,16') == [1, 16]


@pytest.mark.parametrize('text', ['a', '1,', '0', '-1', '1.5'])
def test_what_are_no_numbers(text):
  with pytest.raises(argparse.ArgumentTypeError,
                     match='must be whole numbers above 0'):
    common.numbers(text)


def test_a_directory_is_made_where_it_is_missing(tmp_path):
  for _ in range(2):
    assert common.directory(str(tmp_path / 'a' / 'b')) == str(
        tmp_path / 'a' / 'b')
    assert (tmp_path / 'a' / 'b').is_dir()


def test_a_directory_that_cannot_be_made(tmp_path):
  (tmp_path / 'file').write_text('')
  with pytest.raises(argparse.ArgumentTypeError, match='cannot be made: '):
    common.directory(str(tmp_path / 'file' / 'a'))


def test_a_count_is_a_whole_number_above_0():
  assert common.count('7') == 7
  for text in ('0', '-1', '1.5', '1,2', ''):
    with pytest.raises(argparse.ArgumentTypeError,
                       match='%r must be a whole number above 0' % text):
      common.count(text)
