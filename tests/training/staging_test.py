"""Folders that appear complete or not at all."""
import os

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
    with staging.staged(str(target)) as folder:
      _fill(folder, text)
    (target / 'mine').write_text('kept')
  assert _tree(tmp_path) == {
      'a/out/file': 'two', 'a/out/inner/two': 'two', 'a/out/mine': 'kept'}


def test_an_error_changes_nothing(tmp_path):
  with staging.staged(str(tmp_path / 'out')) as folder:
    _fill(folder, 'one')
  before = _tree(tmp_path)
  with pytest.raises(OSError), staging.staged(str(tmp_path / 'out')) as folder:
    _fill(folder, 'two')
    raise OSError
  assert _tree(tmp_path) == before


def test_what_cannot_be_written(tmp_path, monkeypatch):
  staging.check_writable(str(tmp_path / 'new' / 'out'), '--output_dir')
  assert not os.listdir(str(tmp_path)), 'nothing is made'
  (tmp_path / 'file').write_text('')
  with pytest.raises(ValueError, match='is not a folder. Choose another '
                     '--output_dir.'):
    staging.check_writable(str(tmp_path / 'file' / 'out'), '--output_dir')
  monkeypatch.setattr(os, 'access', lambda *_: False)
  with pytest.raises(ValueError, match='may not be changed. Choose another '
                     '--output_file.'):
    staging.check_writable(str(tmp_path / 'out'), '--output_file')
