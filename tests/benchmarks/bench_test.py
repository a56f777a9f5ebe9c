"""The tables of all benchmarks."""
import json
import os
import sys

import pytest

from benchmarks import bench
from benchmarks import common
from benchmarks.contenders import tables

_FACTS = {'date': '2020-01-02', 'cores': 2, 'rounds': 3,
          'versions': {'stock': {'python': '3.7.16', 'numpy': '1.18.5'}}}


def _row(contender, seconds, section='step', problem=''):
  """Returns the result of 10 images in `seconds` and twice the CPU time."""
  return dict(section=section, case='lenet', contender=contender,
              problem=problem, turns=[(10, value, 2 * value, 300 + index)
                                      for index, value in enumerate(seconds)])


def test_the_tables_compare_with_the_first_of_a_case():
  lines = list(tables.markdown(_FACTS, [
      _row('broken', [], problem='it failed: a | b'),
      _row('ours', [2, 1, 4]), _row('theirs', [4, 4, 4]),
      _row('program', [3, 2, 1], 'programs')]))
  assert lines[:5] == ['# Benchmarks of 2020-01-02', '', '* date: 2020-01-02',
                       '* cores: 2', '* rounds: 3']
  assert lines[5] == '* stock: python 3.7.16, numpy 1.18.5'
  assert lines[11:14] == [
      '| lenet | broken | it failed: a / b |  |  |  |  |',
      '| lenet | ours | 5 (2.5 to 10) | 400 | 302 | 1.00 (1.00 to 1.00) | '
      '1.00 |',
      '| lenet | theirs | 2.5 (2.5 to 2.5) | 800 | 302 | 0.50 (0.25 to 1.00) | '
      '0.50 |']
  # Seconds, not images.
  assert '| seconds (quartiles) | CPU seconds |' in lines[17]
  assert lines[19].startswith('| lenet | program | 2 (1 to 3) | 4 |')


def test_two_runs_are_compared(tmp_path):
  for name, rows in (('a', [_row('ours', [2]), _row('gone', [1])]),
                     ('b', [_row('ours', [1])])):
    (tmp_path / name).mkdir()
    (tmp_path / name / 'bench.json').write_text(json.dumps({'results': rows}))
  assert list(tables.compare(str(tmp_path / 'a'), str(tmp_path / 'b')))[2:] == [
      '| step | lenet | ours | 400 | 200 | 2.00 |',
      '| step | lenet | gone | only in %s | | |' % (tmp_path / 'a')]


@pytest.mark.parametrize('argument, message', [
    ('--compare=a', '--compare=a: name two bench.json, or the directories'),
    ('--compare=,', '--compare=,: name two bench.json, or the directories'),
    ('--compare=no,none', '--compare=no,none: name two bench.json, or the dir'),
    ('--rounds=0', '--rounds=0: it must be above 0.'),
    ('--seconds=-1', '--seconds=-1: it must be above 0.'),
    ('--programs=train,all', "--programs: 'all' is not one of help, import, t"),
    ('--only=input,speed', "--only: 'speed' is not one of input, step, train")])
def test_arguments(argument, message, capsys, monkeypatch):
  monkeypatch.setattr(sys, 'argv', ['bench', argument])
  with pytest.raises(SystemExit):
    bench.main()
  assert message in capsys.readouterr().err


def test_programs_need_their_section(capsys, monkeypatch):
  monkeypatch.setattr(sys, 'argv', [
      'bench', '--only=input', '--programs=train'])
  with pytest.raises(SystemExit):
    bench.main()
  assert 'section programs: add it to --only.' in capsys.readouterr().err


def test_given_values_replace_those_of_the_scope(monkeypatch, tmp_path):
  ran = []
  monkeypatch.setattr(bench, 'run', lambda *arguments: ran.append(arguments))
  monkeypatch.setattr(sys, 'argv', [
      'bench', '--output_dir=%s' % tmp_path, '--only=programs', '--rounds=5',
      '--programs=first step,help'])
  bench.main()
  assert ran == [(str(tmp_path), ['programs'], bench.SMALL._replace(
      rounds=5, programs=['first step', 'help']))]


def test_tables_are_not_overwritten(tmp_path, capsys, monkeypatch):
  (tmp_path / 'bench.json').write_text('{}')
  monkeypatch.setattr(sys, 'argv', ['bench', '--output_dir=%s' % tmp_path])
  with pytest.raises(SystemExit):
    bench.main()
  assert ('%s/bench.json exists: name another directory (make bench OUTPUT=DIR)'
          % tmp_path) in capsys.readouterr().err


@pytest.mark.slow
def test_steps_are_measured(tmp_path, monkeypatch):
  monkeypatch.setattr(bench, '_PEERS', os.path.join(str(tmp_path), 'none'))
  monkeypatch.setattr(
      common, 'environments', lambda: [('this', sys.executable)])
  bench.run(str(tmp_path / 'out'), ['step', 'train', 'evaluate'],
            bench.SMALL._replace(networks=('lenet',), rounds=2, seconds=0.05))
  rows = json.loads((tmp_path / 'out' / 'bench.json').read_text())['results']
  assert [(row['section'], row['contender'], row['problem'], len(row['turns']))
          for row in rows] == [('step', 'ours, this', '', 2),
                               ('train', 'ours, this', '', 2),
                               ('train', 'step alone, this', '', 2),
                               ('evaluate', 'network alone, this', '', 2),
                               ('evaluate', 'input alone, this', '', 2),
                               ('evaluate', 'ours, this', '', 2)]
  assert '## train' in (tmp_path / 'out' / 'bench.md').read_text()
