"""Tests of the fuzzing, with a few inputs; `make fuzz` tries thousands."""
import os

import pytest

from tests.fuzz import base
from tests.fuzz import run
from tests.fuzz import targets
from tests.fuzz import unreliable_worker


def _target(function, write=None):
  return base.Target('toy', 1, None, write or (
      lambda folder, name, content: open(
          os.path.join(folder, name), 'wb').write(content)), function)


def test_a_few_inputs_of_each_target_are_read_or_refused(tmp_path):
  folder = str(tmp_path / 'run')
  for index in range(sum(target.weight for target in targets.TARGETS)):
    target, name, content = targets.make_input(index, seed=0)
    fate, detail = run.try_input(target, name, content, folder)
    assert fate in ('read', 'refused'), '%d: %s' % (index, detail)


@pytest.mark.parametrize('target', targets.TARGETS, ids=lambda t: t.name)
def test_whole_files_are_read(tmp_path, target):
  for seed in target.seeds()[:1 if 'pipeline' in target.name else 8]:
    fate = run.try_input(
        target, seed.name, seed.wrap(seed.content), str(tmp_path / 'run'))
    assert fate == ('read', ''), seed.name


def test_inputs_depend_on_seed_and_number_alone():
  targets._seeds_of.cache_clear()
  first = [targets.make_input(index, 5)[1:] for index in range(12, 28)]
  targets._seeds_of.cache_clear()
  assert first == [targets.make_input(index, 5)[1:] for index in range(12, 28)]
  assert first != [targets.make_input(index, 6)[1:] for index in range(12, 28)]


def _raise(error):
  raise error


@pytest.mark.parametrize('function,fate,detail', [
    (lambda source, out, name: None, 'read', ''),
    (lambda source, out, name: _raise(ValueError(name + ' is bad')), 'refused',
     'x.bin is bad'),
    (lambda source, out, name: _raise(ValueError('bad')), 'failed',
     'the message names no file: bad'),
    (lambda source, out, name: b'\xff'.decode(), 'failed', 'UnicodeDecodeErro'),
    (lambda source, out, name: _raise(KeyError(name)), 'failed', 'KeyError'),
    (lambda source, out, name: os.remove(os.path.join(source, name)), 'failed',
     'the source has changed'),
    (lambda source, out, name: os.mkdir(out + '.part'), 'failed',
     'left behind: out.part')])
def test_fates(tmp_path, function, fate, detail):
  found = run.try_input(_target(function), 'x.bin', b'x', str(tmp_path / 'run'))
  assert found[0] == fate and detail in found[1]


def test_crashes_and_hangs_are_told_and_the_rest_goes_on(
    tmp_path, monkeypatch):
  monkeypatch.setattr(run, '_work', unreliable_worker.work)
  found = list(run.outcomes(0, range(4), str(tmp_path / 'run'), seconds=0.3))
  assert [outcome.fate for outcome in found] == [
      'read', 'failed', 'failed', 'read']
  assert 'the process ended with -6\nlast words' in found[1].detail
  assert 'a hang: 0.3 s are over' in found[2].detail
  lines = run.table(found)
  assert lines[1].split()[:5] == ['toy', '4', '2', '0', '2']
  assert lines[2].split()[:5] == ['all', '4', '2', '0', '2']


def test_unknown_target():
  with pytest.raises(SystemExit, match='--target=x is not known; it is one of'):
    run.main(['--target=x'])


def test_one_input_is_kept_and_tried(tmp_path, capsys, monkeypatch):
  monkeypatch.setattr(run, '_work', unreliable_worker.work)
  assert run.main(['--only=1', '--keep=%s' % (tmp_path / 'kept')])
  output = capsys.readouterr().out
  assert 'input 1 (toy) failed: a crash' in output
  assert 'python -m tests.fuzz.run --seed=0 --only=1' in output
  name = output.split(' in ')[0].split(': ')[1]
  assert os.listdir(tmp_path / 'kept') == [name]
