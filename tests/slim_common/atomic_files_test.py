"""Files of results appear complete or not at all."""
import contextlib
import errno
import os
import re
import resource
import signal
import subprocess
import sys

import pytest

from slim_common import atomic_files

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))


def test_a_file_appears_at_the_end(tmp_path):
  path = tmp_path / 'new.txt'
  with atomic_files.publish(str(path)) as output:
    output.write('all')
    assert not path.exists()
  assert path.read_text() == 'all'
  assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize('error', [ValueError, KeyboardInterrupt])
def test_nothing_is_left_of_what_failed(tmp_path, error):
  with pytest.raises(error):
    with atomic_files.publish(str(tmp_path / 'new.txt')) as output:
      output.write('half')
      raise error
  assert not list(tmp_path.iterdir())


def test_an_existing_file_stays_as_it_is_until_then(tmp_path):
  path = tmp_path / 'old.txt'
  path.write_text('old')
  with pytest.raises(ValueError):
    with atomic_files.publish(str(path)):
      raise ValueError
  assert path.read_text() == 'old'


def test_existing_files_are_an_error_without_overwrite(tmp_path):
  path = tmp_path / 'old.txt'
  path.write_text('old')
  paths = {'results_file': str(path), 'predictions_file': None}
  atomic_files.check(paths, overwrite=True)
  with pytest.raises(ValueError, match='--results_file=.*old.txt exists: give '
                     'another name, or --overwrite to replace it'):
    atomic_files.check(paths, overwrite=False)


def test_folders_are_made(tmp_path):
  atomic_files.check({'a': str(tmp_path / 'new' / 'deep' / 'a.txt')}, False)
  assert (tmp_path / 'new' / 'deep').is_dir()


def test_two_flags_for_one_file(tmp_path):
  with pytest.raises(ValueError, match='--a and --b both name'):
    atomic_files.check({'a': str(tmp_path / 'x'),
                        'b': str(tmp_path / 'y' / '..' / 'x')}, False)


def test_a_folder_is_no_file(tmp_path):
  with pytest.raises(ValueError, match='--a=.* is a directory: give the name'):
    atomic_files.check({'a': str(tmp_path)}, True)


def test_a_folder_that_cannot_be_made(tmp_path):
  (tmp_path / 'file').write_text('')
  with pytest.raises(ValueError, match='--a=.*: the directory cannot be made'):
    atomic_files.check({'a': str(tmp_path / 'file' / 'x')}, False)


def test_a_folder_that_may_not_be_written(tmp_path, monkeypatch):
  monkeypatch.setattr('os.access', lambda path, mode: False)
  with pytest.raises(ValueError,
                     match='--a=.*: the directory cannot be written'):
    atomic_files.check({'a': str(tmp_path / 'x')}, False)


def test_a_path_that_ends_like_a_folder(tmp_path):
  with pytest.raises(ValueError,
                     match='--a=.*new/ is a directory: give the name'):
    atomic_files.check({'a': str(tmp_path / 'new') + os.sep}, True)
  with pytest.raises(ValueError, match='--a= is a directory: give the name'):
    atomic_files.check({'a': ''}, True)


def test_folders_of_many_files(tmp_path):
  atomic_files.check_directory('dir', str(tmp_path / 'new'))
  assert (tmp_path / 'new').is_dir()
  for elsewhere in '', 'gs://bucket/new':
    atomic_files.check_directory('dir', elsewhere)
  (tmp_path / 'file').write_text('')
  with pytest.raises(ValueError, match='--dir=.*file: the directory cannot '
                     'be made: File exists. Give a name elsewhere.'):
    atomic_files.check_directory('dir', str(tmp_path / 'file'))


_PROGRAM = """
import dataclasses, os, signal
from slim_common import atomic_files, flags
@dataclasses.dataclass(frozen=True)
class Config:
  path: str = dataclasses.field(default='', metadata=dict(help='Path.'))
def main(config):
  with atomic_files.publish(config.path) as output:
    output.write('half')
    os.kill(os.getpid(), signal.SIGTERM)
    output.write('all')
flags.run(main, Config, 'Writes.')
"""


def test_nothing_is_left_by_a_program_that_is_stopped(tmp_path):
  status = subprocess.call(
      [sys.executable, '-c', _PROGRAM, '--path=%s' % (tmp_path / 'new.txt')],
      cwd=_ROOT)
  assert status == 143
  assert not list(tmp_path.iterdir())


def _tree(folder):
  return {str(path.relative_to(folder)): path.read_text()
          for path in folder.rglob('*') if path.is_file()}


def _fill(folder, text):
  with open(os.path.join(folder, 'file'), 'w') as file:
    file.write(text)
  os.mkdir(os.path.join(folder, 'inner'))
  with open(os.path.join(folder, 'inner', text), 'w') as file:
    file.write(text)


def test_content_moves_when_complete(tmp_path):
  target = tmp_path / 'a' / 'out'
  for text in ('one', 'two'):
    with atomic_files.updated_directory(str(target), 'file') as folder:
      _fill(folder, text)
    (target / 'mine').write_text('kept')
  assert _tree(tmp_path) == {
      'a/out/file': 'two', 'a/out/inner/two': 'two', 'a/out/mine': 'kept'}


def test_an_error_changes_nothing(tmp_path):
  with atomic_files.updated_directory(str(tmp_path / 'out'), 'file') as folder:
    _fill(folder, 'one')
  before = _tree(tmp_path)
  for error in (OSError, KeyboardInterrupt):
    with pytest.raises(error), atomic_files.updated_directory(
        str(tmp_path / 'out'), 'file') as folder:
      _fill(folder, 'two')
      raise error
    assert _tree(tmp_path) == before


_KILLED = """
import os, signal, sys
from slim_common import atomic_files
with atomic_files.updated_directory(sys.argv[1], 'file') as folder:
  open(os.path.join(folder, 'file'), 'w').close()
  os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize('there', [True, False])
def test_a_process_that_is_killed(tmp_path, there):
  target = tmp_path / 'out'
  if there:
    target.mkdir()
    (target / 'file').write_text('one')
  status = subprocess.call(
      [sys.executable, '-c', _KILLED, str(target)], cwd=_ROOT)
  assert status == -signal.SIGKILL
  named = {name: text for name, text in _tree(tmp_path).items()
           if '.unfinished' not in name}
  assert named == ({'out/file': 'one'} if there else {})


def test_the_last_is_there_while_all_the_rest_is(tmp_path, monkeypatch):
  """At any moment, the file that says `complete` is beside its own rest."""
  target = tmp_path / 'out'
  seen = []

  def watched(function):
    def call(*arguments):
      function(*arguments)
      seen.append(_tree(target) if target.exists() else {})
    return call

  for name in ('rename', 'replace'):
    monkeypatch.setattr(os, name, watched(getattr(os, name)))
  for text in ('one', 'two'):
    with atomic_files.updated_directory(str(target), 'file') as folder:
      _fill(folder, text)
  complete = [{name: text for name, text in tree.items()
               if 'unfinished' not in name} for tree in seen if 'file' in tree]
  assert complete == [{'file': text, 'inner/' + text: text}
                      for text in ('one', 'two')]


def test_a_folder_in_the_place_of_a_file_and_the_reverse(tmp_path):
  target = tmp_path / 'out'
  (target / 'file').mkdir(parents=True)
  (target / 'file' / 'old').write_text('')
  (target / 'inner').write_text('')
  with atomic_files.updated_directory(str(target), 'file') as folder:
    _fill(folder, 'new')
  assert _tree(tmp_path) == {'out/file': 'new', 'out/inner/new': 'new'}


def test_what_a_killed_process_left_is_cleaned_by_the_next(tmp_path):
  target = tmp_path / 'out'
  for exists in (False, True):
    subprocess.call([sys.executable, '-c', _KILLED, str(target)], cwd=_ROOT)
    assert list(tmp_path.rglob('.out.unfinished'))
    with atomic_files.updated_directory(str(target), 'file') as folder:
      _fill(folder, 'new')
    assert not list(tmp_path.rglob('.out.unfinished')), exists


def test_the_parent_of_an_existing_directory_is_left_alone(tmp_path):
  (tmp_path / 'there').mkdir()
  for name, parent in (('there', tmp_path / 'there'), ('new', tmp_path)):
    with atomic_files.updated_directory(str(tmp_path / name), 'file') as folder:
      assert (parent / ('.%s.unfinished' % name)).is_dir()
      _fill(folder, name)


def test_a_new_directory_appears_when_it_is_complete(tmp_path):
  target = tmp_path / 'deep' / 'new'
  with pytest.raises(KeyError), atomic_files.new_directory(
      str(target)) as folder:
    _fill(folder, 'half')
    raise KeyError
  assert not _tree(tmp_path)
  with atomic_files.new_directory(str(target)) as folder:
    _fill(folder, 'all')
    assert not target.exists()
  assert _tree(tmp_path) == {
      'deep/new/file': 'all', 'deep/new/inner/all': 'all'}


def test_a_copy_appears_when_it_is_complete(tmp_path):
  (tmp_path / 'old').write_bytes(b'\0content')
  atomic_files.copy(str(tmp_path / 'old'), str(tmp_path / 'new'))
  assert (tmp_path / 'new').read_bytes() == b'\0content'


def test_what_cannot_be_written(tmp_path, monkeypatch):
  atomic_files.check_writable(str(tmp_path / 'new' / 'out'), '--output_dir')
  assert not os.listdir(str(tmp_path)), 'nothing is made'
  (tmp_path / 'file').write_text('')
  with pytest.raises(ValueError, match='is not a directory. Choose another '
                     '--output_dir.'):
    atomic_files.check_writable(str(tmp_path / 'file' / 'out'), '--output_dir')
  def refuse(**_):
    raise OSError(30, 'Read-only file system')
  monkeypatch.setattr(atomic_files.tempfile, 'TemporaryFile', refuse)
  with pytest.raises(ValueError, match=r'cannot be changed \(Read-only file '
                     r'system\). Choose another --output_file.'):
    atomic_files.check_writable(str(tmp_path / 'out'), '--output_file')


@contextlib.contextmanager
def _small_files():
  """Writing more than 100 bytes to a file fails, as on a full disk."""
  limits = resource.getrlimit(resource.RLIMIT_FSIZE)
  resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
  try:
    yield
  finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_full_disk_names_the_file(tmp_path):
  path = tmp_path / 'predictions.csv'
  with pytest.raises(OSError, match=re.escape(
      "File too large; free space or write elsewhere: '%s'" % path)) as error:
    with _small_files(), atomic_files.publish(str(path)) as output:
      output.write('x' * 10 ** 6)
  assert error.value.errno == errno.EFBIG
  assert not os.listdir(str(tmp_path))


@pytest.mark.parametrize('inner', [
    OSError(errno.ENOSPC, 'No space left on device', 'other'),
    OSError(errno.ENOENT, 'No such file')])
def test_errors_of_other_files_stay_as_they_are(tmp_path, inner):
  with pytest.raises(OSError) as error, atomic_files.publish(
      str(tmp_path / 'new')):
    raise inner
  assert error.value is inner


def test_two_processes_for_one_directory(tmp_path):
  target = tmp_path / 'out'
  for _ in ('new', 'there'):
    with atomic_files.updated_directory(str(target), 'file') as folder:
      _fill(folder, 'one')
      with pytest.raises(ValueError, match=(
          r'^%s is being written by another process \(host .*, process %d, '
          r'since .*\): wait for its end, or give another directory.$' % (
              target, os.getpid()))):
        with atomic_files.updated_directory(str(target), 'file'):
          pass
    assert _tree(tmp_path) == {'out/file': 'one', 'out/inner/one': 'one'}


def test_leftovers_beside_a_directory_that_was_made_since(tmp_path):
  target = tmp_path / 'out'
  subprocess.call([sys.executable, '-c', _KILLED, str(target)], cwd=_ROOT)
  target.mkdir()
  with atomic_files.updated_directory(str(target), 'file') as folder:
    _fill(folder, 'new')
  assert not (tmp_path / '.out.unfinished').exists()
