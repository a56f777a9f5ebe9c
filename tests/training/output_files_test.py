"""Files of results appear complete or not at all."""
import os
import subprocess
import sys

import pytest

from training import output_files


def test_a_file_appears_at_the_end(tmp_path):
  path = tmp_path / 'new.txt'
  with output_files.publish(str(path)) as output:
    output.write('all')
    assert not path.exists()
  assert path.read_text() == 'all'
  assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize('error', [ValueError, KeyboardInterrupt])
def test_nothing_is_left_of_what_failed(tmp_path, error):
  with pytest.raises(error):
    with output_files.publish(str(tmp_path / 'new.txt')) as output:
      output.write('half')
      raise error
  assert not list(tmp_path.iterdir())


def test_an_existing_file_stays_as_it_is_until_then(tmp_path):
  path = tmp_path / 'old.txt'
  path.write_text('old')
  with pytest.raises(ValueError):
    with output_files.publish(str(path)):
      raise ValueError
  assert path.read_text() == 'old'


def test_existing_files_are_an_error_without_overwrite(tmp_path):
  path = tmp_path / 'old.txt'
  path.write_text('old')
  paths = {'results_file': str(path), 'predictions_file': None}
  output_files.check(paths, overwrite=True)
  with pytest.raises(ValueError, match='--results_file=.*old.txt exists: give '
                     'another name, or --overwrite to replace it'):
    output_files.check(paths, overwrite=False)


def test_folders_are_made(tmp_path):
  output_files.check({'a': str(tmp_path / 'new' / 'deep' / 'a.txt')}, False)
  assert (tmp_path / 'new' / 'deep').is_dir()


def test_two_flags_for_one_file(tmp_path):
  with pytest.raises(ValueError, match='--a and --b both name'):
    output_files.check({'a': str(tmp_path / 'x'),
                        'b': str(tmp_path / 'y' / '..' / 'x')}, False)


def test_a_folder_is_no_file(tmp_path):
  with pytest.raises(ValueError, match='--a=.* is a folder: give the name'):
    output_files.check({'a': str(tmp_path)}, True)


def test_a_folder_that_cannot_be_made(tmp_path):
  (tmp_path / 'file').write_text('')
  with pytest.raises(ValueError, match='--a=.*: the folder cannot be made'):
    output_files.check({'a': str(tmp_path / 'file' / 'x')}, False)


def test_a_folder_that_may_not_be_written(tmp_path, monkeypatch):
  monkeypatch.setattr('os.access', lambda path, mode: False)
  with pytest.raises(ValueError, match='--a=.*: the folder may not be written'):
    output_files.check({'a': str(tmp_path / 'x')}, False)


def test_a_path_that_ends_like_a_folder(tmp_path):
  with pytest.raises(ValueError, match='--a=.*new/ is a folder: give the name'):
    output_files.check({'a': str(tmp_path / 'new') + os.sep}, True)
  with pytest.raises(ValueError, match='--a= is a folder: give the name'):
    output_files.check({'a': ''}, True)


def test_folders_of_many_files(tmp_path):
  output_files.check_folder('dir', str(tmp_path / 'new'))
  assert (tmp_path / 'new').is_dir()
  for elsewhere in '', 'gs://bucket/new':
    output_files.check_folder('dir', elsewhere)
  (tmp_path / 'file').write_text('')
  with pytest.raises(ValueError, match='--dir=.*file: the folder cannot be '
                     'made: File exists. Give a name elsewhere.'):
    output_files.check_folder('dir', str(tmp_path / 'file'))


_PROGRAM = '''
import dataclasses, os, signal
from training import flags, output_files
@dataclasses.dataclass(frozen=True)
class Config:
  path: str = dataclasses.field(default='', metadata=dict(help='Path.'))
def main(config):
  with output_files.publish(config.path) as output:
    output.write('half')
    os.kill(os.getpid(), signal.SIGTERM)
    output.write('all')
flags.run(main, Config, 'Writes.')
'''


def test_nothing_is_left_by_a_program_that_is_stopped(tmp_path):
  status = subprocess.call(
      [sys.executable, '-c', _PROGRAM, '--path=%s' % (tmp_path / 'new.txt')],
      cwd=os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
  assert status == 143
  assert not list(tmp_path.iterdir())
