"""Folders that appear complete or not at all."""
import os
import signal
import subprocess
import sys

import pytest

from training import staging


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
    with staging.staged(str(target), 'file') as folder:
      _fill(folder, text)
    (target / 'mine').write_text('kept')
  assert _tree(tmp_path) == {
      'a/out/file': 'two', 'a/out/inner/two': 'two', 'a/out/mine': 'kept'}


def test_an_error_changes_nothing(tmp_path):
  with staging.staged(str(tmp_path / 'out'), 'file') as folder:
    _fill(folder, 'one')
  before = _tree(tmp_path)
  for error in (OSError, KeyboardInterrupt):
    with pytest.raises(error), staging.staged(
        str(tmp_path / 'out'), 'file') as folder:
      _fill(folder, 'two')
      raise error
    assert _tree(tmp_path) == before


_KILLED = '''
import os, signal, sys
from training import staging
with staging.staged(sys.argv[1], 'file') as folder:
  open(os.path.join(folder, 'file'), 'w').close()
  os.kill(os.getpid(), signal.SIGKILL)
'''


@pytest.mark.parametrize('there', [True, False])
def test_a_process_that_is_killed(tmp_path, there):
  target = tmp_path / 'out'
  if there:
    target.mkdir()
    (target / 'file').write_text('one')
  status = subprocess.call([sys.executable, '-c', _KILLED, str(target)])
  assert status == -signal.SIGKILL
  named = {name: text for name, text in _tree(tmp_path).items()
           if '.unfinished-' not in name}
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
    with staging.staged(str(target), 'file') as folder:
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
  with staging.staged(str(target), 'file') as folder:
    _fill(folder, 'new')
  assert _tree(tmp_path) == {'out/file': 'new', 'out/inner/new': 'new'}


def test_a_folder_in_one_that_may_not_be_changed(tmp_path, monkeypatch):
  made = []
  mkdtemp = staging.tempfile.mkdtemp
  monkeypatch.setattr(staging.tempfile, 'mkdtemp', lambda **arguments: (
      made.append(arguments['dir']) or mkdtemp(**arguments)))
  (tmp_path / 'there').mkdir()
  for name in ('there', 'new'):
    with staging.staged(str(tmp_path / name), 'file') as folder:
      _fill(folder, name)
  assert made == [str(tmp_path / 'there'), str(tmp_path)]


def test_what_cannot_be_written(tmp_path, monkeypatch):
  staging.check_writable(str(tmp_path / 'new' / 'out'), '--output_dir')
  assert not os.listdir(str(tmp_path)), 'nothing is made'
  (tmp_path / 'file').write_text('')
  with pytest.raises(ValueError, match='is not a folder. Choose another '
                     '--output_dir.'):
    staging.check_writable(str(tmp_path / 'file' / 'out'), '--output_dir')
  def refuse(**_):
    raise OSError(30, 'Read-only file system')
  monkeypatch.setattr(staging.tempfile, 'TemporaryFile', refuse)
  with pytest.raises(ValueError, match=r'may not be changed \(Read-only file '
                     r'system\). Choose another --output_file.'):
    staging.check_writable(str(tmp_path / 'out'), '--output_file')
