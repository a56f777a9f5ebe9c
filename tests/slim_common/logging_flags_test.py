"""The flags of absl's logging do what they do in a program of absl."""
import dataclasses
import os
import pathlib
import subprocess
import sys

import pytest

from slim_common import flags

_ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# Not TensorFlow, whose logger passes its messages on like any other.
_PROGRAM = """
import dataclasses, logging, os, sys
from slim_common import flags
@dataclasses.dataclass(frozen=True)
class Config:
  wheels: int = flags.flag(4, 'Wheels.')
def main(config):
  logger = logging.getLogger('car')
  logger.info('we start')
  logger.error('it breaks')
sys.argv[0] = 'car.py'
flags.run(main, Config, 'Drives.')
"""


def _run(*arguments):
  return subprocess.run(
      [sys.executable, '-c', _PROGRAM] + list(arguments),
      stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True,
      env=dict(os.environ, PYTHONPATH=str(_ROOT)))


@dataclasses.dataclass(frozen=True)
class _Config:
  wheels: int = flags.flag(4, 'Wheels.')


@pytest.mark.parametrize('words', [
    ['--alsologtostderr'], ['--logtostderr'], ['--noalsologtostderr'],
    ['--alsologtostderr=1'], ['--log_dir=x'], ['--log_dir', 'x'], ['-v', '1'],
    ['-v=0'], ['--v=2'], ['--verbosity=-1'], ['--stderrthreshold=info'],
    ['--stderrthreshold=-2'], ['--noshowprefixforinfo'],
    ['--logger_levels=tensorflow:info,a.b:DEBUG']])
def test_are_accepted_without_a_warning(words):
  assert flags.parse(words, _Config) == (_Config(), [])


@pytest.mark.parametrize('word, message', [
    ('--stderrthreshold=loud',
     '--stderrthreshold=loud: must be a number (int) or debug, info, warning, '
     'error, fatal'),
    ('--logger_levels=tensorflow', '--logger_levels=tensorflow: must be NAME:'
     'LEVEL,... with one of the levels debug, info, warning, error, fatal'),
    ('--logger_levels=a:info,b:x', '--logger_levels=a:info,b:x: must be NAME:'
     'LEVEL,... with one of the levels debug, info, warning, error, fatal')])
def test_messages(word, message):
  with pytest.raises(flags.UsageError) as error:
    flags.parse([word], _Config)
  assert str(error.value) == message


def test_messages_go_to_standard_error_in_the_form_of_absl():
  done = _run('--alsologtostderr', '--verbosity=info')
  info, error = done.stderr.splitlines()
  assert info.startswith('I') and info.endswith('] we start')
  assert error.startswith('E') and error.endswith('] it breaks')
  assert done.returncode == 0


def test_the_prefix_of_info_can_be_left_out():
  done = _run('--noshowprefixforinfo', '--verbosity=info', '--logtostderr')
  assert done.stderr.splitlines()[0] == 'we start'


def test_levels_of_single_loggers():
  assert 'we start' in _run('--logger_levels=car:info').stderr
  assert _run('--logger_levels=car:fatal').stderr == ''


@pytest.mark.parametrize('arguments, shown, has_file', [
    ([], [], True), (['--alsologtostderr'], ['we start', 'it breaks'], True),
    (['--stderrthreshold=error'], ['it breaks'], True),
    (['--logtostderr'], ['we start', 'it breaks'], False)])
def test_a_file_of_messages(arguments, shown, has_file, tmp_path):
  folder = tmp_path / 'new' / 'logs'
  done = _run('--log_dir=%s' % folder, '-v=0', *arguments)
  assert [line.partition('] ')[2]
          for line in done.stderr.splitlines()] == shown
  link = folder / 'car.INFO'
  assert link.exists() == has_file
  if has_file:
    assert [line.partition('] ')[2]
            for line in link.read_text().splitlines()] == [
                'we start', 'it breaks']
    assert os.readlink(str(link)).startswith('car.')


def test_a_directory_that_cannot_be_made(tmp_path):
  (tmp_path / 'file').write_text('')
  done = _run('--log_dir=%s' % (tmp_path / 'file' / 'logs'))
  assert done.returncode == 1
  assert done.stderr.startswith('NotADirectoryError: ')
  assert str(tmp_path / 'file') in done.stderr
