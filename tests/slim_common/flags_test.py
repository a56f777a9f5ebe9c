"""The flags of a program: parsing, messages, help."""
import dataclasses
import os
import signal
import subprocess
import sys
import typing

import pytest

from slim_common import flags

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))


def _flag(default, **rules):
  return flags.flag(default, 'Says something.', **rules)


@dataclasses.dataclass(frozen=True)
class _Speed:
  """Speed."""
  gear: str = _flag('low', choices=('low', 'high'))
  boost: float = _flag(
      0.5, at_least=0, at_most=1, only_if=('gear', ('high',)))


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
  most_used = ('towns', 'driver')

  driver: typing.Optional[str] = _flag(None, required=True)
  towns: typing.Tuple[str, ...] = _flag((), positional=True, required=True)
  show_map: bool = _flag(False, standalone=True)
  days: int = _flag(0, group='Length', formerly='duration')
  nights: int = _flag(0, group='Length')
  toll: int = _flag(1, only_if_set=('days', 'nights'))


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
    (['--zzz'], 'unknown flag --zzz; --helpfull lists the flags.'),
    (['num_wheels=4'],
     "unexpected argument 'num_wheels=4'; did you mean --num_wheels?"),
    (['zzz'], "unexpected argument 'zzz'; this program takes flags only, "
              '--name=value. --helpfull lists them.'),
    (['--gear=middle'], '--gear=middle: value should be one of <low|high>'),
    (['--num_wheels=2'], '--num_wheels=2 must be at least 3'),
    (['--boost=1.5', '--gear=high'], '--boost=1.5 must be at most 1'),
    (['--weight=0'], '--weight=0.0 must be more than 0'),
    (['--weight=nan'], '--weight=nan must be a finite number'),
    (['--weight=inf'], '--weight=inf must be a finite number'),
    (['--fuel=1'], '--fuel=1.0 must be less than 1'),
    (['--stops=Rome,'], '--stops=Rome, has a comma too many'),
    (['--num_wheels=four'], '--num_wheels=four: must be an integer'),
    (['--weight=much'], '--weight=much: must be a number'),
    (['--open_roof=maybe'], '--open_roof=maybe: must be true or false'),
    (['--stops', '--gear=low'],
     '--stops needs a value, --stops=VALUE, but --gear=low follows'),
    (['--num_wheels', '--noopen_roof'],
     '--num_wheels needs a value, --num_wheels=VALUE, but --noopen_roof '
     'follows'),
])
def test_messages(arguments, message):
  assert _message(arguments) == message


def test_required_flags_and_positional_arguments():
  assert _message(['Rome'], _Trip) == (
      '--driver is required: Says something.')
  assert _message(['--driver=me'], _Trip) == (
      'TOWNS is required: Says something.')
  config, _ = flags.parse(['Rome', '--driver=me', 'Pisa'], _Trip)
  assert config.towns == ('Rome', 'Pisa')


def test_a_standalone_flag_needs_no_other():
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


def test_an_old_name_is_still_accepted(tmp_path):
  file = tmp_path / 'flags'
  file.write_text('--duration=3\n')
  for old in ('--duration=3', '--flagfile=%s' % file):
    config, warnings = flags.parse(['Rome', '--driver=me', old], _Trip)
    assert config.days == 3
    assert warnings == ['--duration is now --days']
  assert 'duration' not in flags.help_text('trip.py', _Trip, '')


def test_a_rule_with_a_wrong_name_is_an_error():
  with pytest.raises(TypeError, match='atleast'):
    _flag(0, atleast=1)


def test_help_names_every_flag_and_rule():
  text = flags.help_text('car.py', _Config, 'Drives.\n')
  assert text.startswith('Drives.\n\nUsage: car.py [flags]\n\nSpeed:\n')
  for part in (
      '  --gear={low,high}  (default: low)\n      Says something.\n',
      '  --boost=FLOAT  (default: 0.5, at least 0, at most 1)\n'
      '      Says something. Only with --gear=high.\n',
      '  --num_wheels=INT  (at least 3)\n',
      '  --weight=FLOAT  (default: 1.5, more than 0)\n',
      '  --[no]open_roof  (default: false)\n', '  --stops=A,B,...\n',
      '--traceback'):
    assert part in text


def test_help_explains_the_most_used_flags_and_names_the_others():
  text = flags.help_text('trip.py', _Trip, '', full=False)
  assert 'Usage: trip.py [flags] TOWNS...\n\nMost used:\n  TOWNS' in text
  assert '  --driver=TEXT  (required)\n      Says something.\n' in text
  assert '  Length\n      --days, --nights\n' in text
  assert text.endswith(
      '\nType trip.py --helpfull for what each of them does.')
  full = flags.help_text('trip.py', _Trip, '')
  assert full.count('  --driver=TEXT') == 1
  assert ('\nLength:\n  --days=INT  (default: 0)\n      Says something.\n'
          in full)
  assert ('  --toll=INT  (default: 1)\n      Says something. Only with --days '
          'or --nights.\n' in full)


_PROGRAM = """
import dataclasses, os, sys
from slim_common import flags
@dataclasses.dataclass(frozen=True)
class Config:
  wheels: int = flags.flag(4, 'Wheels.')
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


@pytest.mark.parametrize('flag, level', [
    ('--verbosity=info', '0'), ('-v=1', '0'), ('--verbosity=-1', '1'),
    ('--verbosity=fatal', '3'), ('--noopen', None)])
def test_verbosity_sets_the_log_level_of_tensorflow(flag, level):
  program = _PROGRAM.replace(
      'driving on', "level', os.environ.get('TF_CPP_MIN_LOG_LEVEL'), '")
  done = subprocess.run(
      [sys.executable, '-c', program, flag], cwd=_ROOT, stdout=subprocess.PIPE,
      stderr=subprocess.PIPE, universal_newlines=True)
  if level is None:
    assert (done.returncode, done.stdout) == (2, '')
  else:
    assert (done.stdout.split()[:2], done.stderr) == (['level', level], '')


_WAITING = _PROGRAM.replace('  print(', """  import time
  try:
    print('ready', flush=True)
    time.sleep(60)
  finally:
    print('tidied', flush=True)
  print(""")


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_program_in_order(number):
  process = subprocess.Popen(
      [sys.executable, '-c', _WAITING], cwd=_ROOT, stdout=subprocess.PIPE,
      stderr=subprocess.PIPE, universal_newlines=True)
  assert process.stdout.readline() == 'ready\n'
  process.send_signal(number)
  assert process.communicate() == ('tidied\n', '')
  assert process.returncode == 128 + number


def test_an_interrupt_at_the_very_end_is_no_error():
  program = 'import atexit, signal\n' + _PROGRAM.replace(
      'flags.run', """
def interrupt():
  os.kill(os.getpid(), signal.SIGINT)
  for _ in range(10 ** 6): pass
atexit.register(interrupt)
flags.run""")
  done = subprocess.run(
      [sys.executable, '-c', program], cwd=_ROOT, stdout=subprocess.PIPE,
      stderr=subprocess.PIPE, universal_newlines=True)
  assert (done.returncode, done.stdout, done.stderr) == (
      128 + signal.SIGINT, 'driving on 4\n', '')


def test_a_closed_terminal_ends_a_program_in_order(tmp_path):
  terminal, other_end = os.openpty()
  program = _WAITING.replace(
      "print('tidied', flush=True)",
      "print('tidied', flush=True); open('tidied', 'w').close()")
  process = subprocess.Popen(
      [sys.executable, '-c', 'import fcntl, termios; '
       'fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n' + program],
      cwd=str(tmp_path), env=dict(os.environ, PYTHONPATH=_ROOT),
      start_new_session=True, stdin=other_end, stdout=other_end,
      stderr=other_end)
  os.close(other_end)
  assert os.read(terminal, 100).startswith(b'ready')
  os.close(terminal)
  assert process.wait() == 128 + signal.SIGHUP
  assert (tmp_path / 'tidied').exists()


def test_nohup_is_respected():
  process = subprocess.Popen(
      [sys.executable, '-c', _WAITING.replace('sleep(60)', 'sleep(0.5)')],
      cwd=_ROOT, stdout=subprocess.PIPE, universal_newlines=True,
      preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
  assert process.stdout.readline() == 'ready\n'
  process.send_signal(signal.SIGHUP)
  assert process.communicate()[0] == 'tidied\ndriving on 4\n'
  assert process.returncode == 0


@pytest.mark.parametrize('program', [
    _PROGRAM, _PROGRAM.replace("'driving on'", "'x' * 100000"),
    _PROGRAM.replace('4 else', '4 else os.write(1, b"0") and')])
@pytest.mark.parametrize('arguments', [[], ['--help']])
def test_a_reader_that_ends_leaves_no_traceback(program, arguments):
  process = subprocess.Popen(
      [sys.executable, '-c', program] + arguments, cwd=_ROOT,
      stdout=subprocess.PIPE, stderr=subprocess.PIPE)
  process.stdout.close()
  assert process.stderr.read() == b''
  assert process.wait() == 141


def test_a_broken_pipe_elsewhere_is_an_error():
  done = subprocess.run(
      [sys.executable, '-c', _PROGRAM.replace(
          "ValueError('too few wheels')", "BrokenPipeError('of a worker')"),
       '--wheels=1'], cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
  assert (done.returncode, done.stderr) == (
      1, b'BrokenPipeError: of a worker\n')


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
