"""Tests scripts/fetch_checkpoint.py with folders as mirrors."""
import importlib.util
import os
import pathlib

import pytest

_PATH = (pathlib.Path(__file__).resolve().parents[2] / 'scripts' /
         'fetch_checkpoint.py')


@pytest.fixture(name='program', scope='module')
def _program():
  spec = importlib.util.spec_from_file_location('fetch_checkpoint', str(_PATH))
  module = importlib.util.module_from_spec(spec)
  spec.loader.exec_module(module)
  return module


@pytest.fixture(name='mirrors')
def _mirrors(tmp_path):
  return [(tmp_path / name).as_uri() + '/' for name in ('empty', 'mirror')]


def test_downloads_once_from_the_first_mirror_that_has_it(
    program, mirrors, tmp_path):
  published = tmp_path / 'mirror' / 'net_2016.tar.gz'
  published.parent.mkdir()
  published.write_bytes(b'weights')
  found = program.fetch('net_2016', str(tmp_path / 'here'), mirrors)
  assert found == str(tmp_path / 'here' / 'net_2016.tar.gz')
  published.unlink()
  assert program.fetch('net_2016', str(tmp_path / 'here'), mirrors) == found
  assert pathlib.Path(found).read_bytes() == b'weights'
  assert os.listdir(str(tmp_path / 'here')) == ['net_2016.tar.gz']


def test_prints_the_path_alone(program, capsys, tmp_path):
  (tmp_path / 'net.tar.gz').write_bytes(b'weights')
  program.main(['net', str(tmp_path)])
  assert capsys.readouterr() == (str(tmp_path / 'net.tar.gz') + '\n', '')


def test_no_mirror_has_it(program, monkeypatch, mirrors, tmp_path):
  monkeypatch.setattr(program.fetch, '__defaults__', (mirrors,))
  with pytest.raises(SystemExit) as error:
    program.main(['net_2016', str(tmp_path)])
  message = str(error.value)
  assert message.startswith(
      'fetch_checkpoint.py: cannot download net_2016.tar.gz; tried: ')
  assert all(mirror + 'net_2016.tar.gz (' in message for mirror in mirrors)
  assert message.endswith(
      'Fetch it in another way and type CHECKPOINT=FILE before the command.')
  assert '--source' not in message
