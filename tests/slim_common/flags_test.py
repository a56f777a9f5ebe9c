"""The flags of a program: parsing, messages, help."""
import dataclasses
import os
import subprocess
import sys
import typing

import pytest

from slim_common import flags

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))


def _flag(default, **rules):
  return dataclasses.field(
      default=default, metadata=dict(rules, help='Says something.'))


@dataclasses.dataclass(frozen=True)
class _Speed:
  """Speed."""
  gear: str = _flag('low', choices=('low', 'high'))
  boost: float = _flag(
      0.5, at_least=0, at_most=1, only_with=('gear', ('high',)))


@dataclasses.dataclass(frozen=True)
class _Config:
  """Options of a car."""
  speed: _Speed = _Speed()
  num_wheels: typing.Optional[int] = _flag(None, at_least=3)
  weight: float = _flag(1.5, above=0)
  fuel: float = _flag(0.5, at_least=0, below=1)
  open_roof: bool = _flag(False)
  stops: typing.Tuple[str, ...] = _flag(())


@dataclasses.dataclass(frozen=True)
class _Trip:
  """Options of a trip."""
  driver: typing.Optional[str] = _flag(None, required=True)
  towns: typing.Tuple[str, ...] = _flag((), words=True, required=True)
  show_map: bool = _flag(False, alone=True)
  days: int = _flag(0)
  nights: int = _flag(0)
  toll: int = _flag(1, only_beside=('days', 'nights'))


def _message(arguments, config=_Config):
  with pytest.raises(flags.UsageError) as error:
    flags.parse(arguments, config)
  return str(error.value)


def test_defaults_are_those_of_the_dataclass():
  assert flags.parse([], _Config) == (_Config(), [])


def test_every_type_is_read():
  config, _ = flags.parse(
      ['--gear=high', '--boost', '0.25', '--num_wheels=4', '--weight=2',
       '--open_roof', '--stops=Rome,Pisa'], _Config)
  assert config == _Config(
      _Speed('high', 0.25), num_wheels=4, weight=2.0, open_roof=True,
      stops=('Rome', 'Pisa'))
  assert isinstance(config.weight, float)


def test_booleans_can_be_negated():
  config, _ = flags.parse(['--open_roof', '--noopen_roof'], _Config)
  assert not config.open_roof


def test_flags_can_stand_in_a_file(tmp_path):
  file = tmp_path / 'flags'
  file.write_text('--num_wheels=5\n--gear=high\n')
  config, _ = flags.parse(['--flagfile=%s' % file], _Config)
  assert (config.num_wheels, config.speed.gear) == (5, 'high')


@pytest.mark.parametrize('arguments, message', [
    (['--num_wheel=4'], 'unknown flag --num_wheel; did you mean --num_wheels?'),
    (['--noopenroof'],
     'unknown flag --noopenroof; did you mean --open_roof?'),
    (['--zzz'], 'unknown flag --zzz; --help lists the flags.'),
    (['num_wheels=4'], "stray word 'num_wheels=4'; did you mean --num_wheels?"),
    (['zzz'], "stray word 'zzz'; this program takes flags only, --name=value. "
              '--help lists them.'),
    (['--gear=middle'], '--gear=middle: value should be one of <low|high>'),
    (['--num_wheels=2'], '--num_wheels=2 must be at least 3'),
    (['--boost=1.5', '--gear=high'], '--boost=1.5 must be at most 1'),
    (['--weight=0'], '--weight=0.0 must be more than 0'),
    (['--weight=nan'], '--weight=nan must be a finite number'),
    (['--weight=inf'], '--weight=inf must be a finite number'),
    (['--fuel=1'], '--fuel=1.0 must be less than 1'),
    (['--stops=Rome,'], '--stops=Rome, has a comma too many'),
    (['--num_wheels=four'], '--num_wheels=four: invalid literal for int() with '
                            "base 10: 'four'"),
])
def test_messages(arguments, message):
  assert _message(arguments) == message


def test_required_flags_and_words():
  assert _message(['Rome'], _Trip) == (
      '--driver is required: Says something.')
  assert _message(['--driver=me'], _Trip) == (
      'TOWNS is required: Says something.')
  config, _ = flags.parse(['Rome', '--driver=me', 'Pisa'], _Trip)
  assert config.towns == ('Rome', 'Pisa')


def test_a_flag_that_stands_alone_needs_no_other():
  config, _ = flags.parse(['--show_map'], _Trip)
  assert config.show_map and config.driver is None


def test_a_flag_without_effect_earns_a_warning():
  _, warnings = flags.parse(['--boost=0.5'], _Config)
  assert warnings == [
      '--boost has no effect with --gear=low; it works with --gear=high']
  assert flags.parse(['--boost=0.5', '--gear=high'], _Config)[1] == []
  trip = ['Rome', '--driver=me', '--toll=2']
  assert flags.parse(trip, _Trip)[1] == [
      '--toll has no effect without --days or --nights']
  assert flags.parse(trip + ['--nights=1'], _Trip)[1] == []


def test_as_dict_is_flat():
  assert flags.as_dict(_Config()) == {
      'gear': 'low', 'boost': 0.5, 'num_wheels': None, 'weight': 1.5, 'fuel': 0.5,
      'open_roof': False, 'stops': ()}


def test_help_names_every_flag_and_rule():
  text = flags.help_text('car.py', _Config, 'Drives.\n')
  assert text.startswith('Drives.\n\nUsage: car.py [flags]\n\nSpeed:\n')
  for part in ('  --gear=STR  (default: low)', 'One of: low, high.',
               '  --num_wheels=INT\n', '  --[no]open_roof  (default: false)',
               '--traceback'):
    assert part in text


_PROGRAM = """
import dataclasses, sys
from slim_common import flags
@dataclasses.dataclass(frozen=True)
class Config:
  wheels: int = dataclasses.field(default=4, metadata=dict(help='Wheels.'))
def main(config):
  if config.wheels < 3:
    raise ValueError('too few wheels')
  print('driving on', config.wheels)
  return 7 if config.wheels > 4 else None
flags.run(main, Config, 'Drives.')
"""


@pytest.mark.parametrize('arguments, status, out, err', [
    ([], 0, 'driving on 4\n', ''),
    (['--wheels=6'], 7, 'driving on 6\n', ''),
    (['--wheels=1'], 1, '', 'ValueError: too few wheels\n'),
    (['--weels=1'], 2, '', '-c: unknown flag --weels; did you mean --wheels?\n'),
])
def test_run_ends_with_a_status_and_one_line(arguments, status, out, err):
  done = subprocess.run(
      [sys.executable, '-c', _PROGRAM] + arguments, cwd=_ROOT,
      stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
  assert (done.returncode, done.stdout, done.stderr) == (status, out, err)


def test_traceback_shows_where_an_error_was_raised():
  done = subprocess.run(
      [sys.executable, '-c', _PROGRAM, '--wheels=1', '--traceback'], cwd=_ROOT,
      stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
  assert 'Traceback' in done.stderr and done.returncode == 1


def test_letters_that_a_terminal_does_not_know():
  done = subprocess.run(
      [sys.executable, '-c', _PROGRAM.replace('driving', '\xfcber')], cwd=_ROOT,
      stdout=subprocess.PIPE, env=dict(os.environ, PYTHONIOENCODING='ascii'))
  assert (done.returncode, done.stdout) == (0, b'?ber on 4\n')
