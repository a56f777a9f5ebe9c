"""What a linter can check is checked by ruff, as pyproject.toml says."""
import pathlib
import subprocess
import sys

_ROOT = pathlib.Path(__file__).resolve().parent.parent


def _ruff(*arguments, **keywords):
  return subprocess.run(
      [sys.executable, '-m', 'ruff', 'check', '--no-cache', *arguments],
      cwd=str(_ROOT), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
      universal_newlines=True, **keywords)


def test_ruff_finds_nothing():
  result = _ruff('.')
  assert result.returncode == 0, result.stdout


def test_ruff_refuses_what_the_house_does_not_want():
  source = ('import six\nfrom __future__ import division\n'
            'a = "double quotes"\nb = (c := 1)\n')
  found = _ruff('--output-format=concise', '--stdin-filename=nets/new.py', '-',
                input=source)
  for fault in ('F401', 'TID251', 'Q000', 'Python 3.7'):
    assert fault in found.stdout, found.stdout
