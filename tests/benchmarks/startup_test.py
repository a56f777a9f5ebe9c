"""Programs that are measured as whole processes."""
import os
import sys

from benchmarks import common
from benchmarks import startup


def test_a_run_is_a_turn(tmp_path):
  program = startup.Program('it', [
      sys.executable, '-c', 'import os; os.mkdir("DIR/a"); sum(range(10**6))'],
                            str(tmp_path))
  program.ask(seconds=1)
  program.ask(seconds=1)
  assert not program.problem and len(program.turns) == 2
  assert all(turn.images == 1 and turn.memory > 1 for turn in program.turns)
  assert os.listdir(str(tmp_path)) == []


def test_a_program_that_fails_says_why(tmp_path):
  program = startup.Program(
      'it', [sys.executable, '-c', 'raise SystemExit("no such data")'],
      str(tmp_path))
  program.ask()
  program.ask()
  assert program.problem == 'it failed: no such data'
  assert len(program.turns) == 1


def test_cases_name_programs_that_exist():
  for case, commands in startup.commands('data').items():
    for arguments in commands.values():
      if arguments[0].endswith('.py'):
        assert os.path.exists(os.path.join(common.ROOT, arguments[0])), case
  found = startup.contenders('train', [('a', 'x'), ('b', 'y')], 'data')
  assert [program.name for program in found] == [
      'ours, a', "slim's loop, a", 'TensorFlow alone, a',
      'ours, b', "slim's loop, b", 'TensorFlow alone, b']
