"""Contenders that work in turns."""
import io
import json
import sys
import threading

import pytest

from benchmarks.contenders import turns


class _Ended(Exception):
  """Stands for the end of the process."""


def _exit(status):
  raise _Ended(status)


def _serve(monkeypatch, capsys, asked, **arguments):
  """Returns the number of steps and the answers, as dicts."""
  steps = []
  monkeypatch.setattr(turns, '_INTERVAL_SECONDS', 0.01)
  monkeypatch.setattr(turns, '_IDLE', 10)
  monkeypatch.setattr(turns.os, '_exit', _exit)
  monkeypatch.setattr(sys, 'stdin', io.StringIO(
      ''.join(json.dumps(amount) + '\n' for amount in asked)))
  with pytest.raises(_Ended):
    turns.serve(lambda: steps.append(None), **arguments)
  return len(steps), list(map(json.loads, capsys.readouterr().out.splitlines()))


def test_images_that_are_asked_for_are_made(monkeypatch, capsys):
  steps, answers = _serve(monkeypatch, capsys, [
      {'images': 12}, {'seconds': 0}], images=5, warm=2)
  # 3 steps of 5 images, then 1, each after 2 that are not counted.
  assert steps == 2 + 3 + 2 + 1
  assert answers[0] == {'ready': True}
  assert [answer['images'] for answer in answers[1:]] == [15, 5]
  assert all(answer['memory'] > 1 for answer in answers[1:])


def test_a_turn_is_as_long_as_asked(monkeypatch, capsys):
  _, answers = _serve(monkeypatch, capsys, [{'seconds': 0.05}], images=1)
  assert answers[1]['seconds'] >= 0.05


def test_a_loop_waits_between_its_steps():
  paused, made = turns.Paused(), []

  def loop():
    for index in range(4):
      made.append(index)
      paused.pause()

  thread = threading.Thread(target=loop)
  thread.start()
  paused._done.acquire()
  for _ in range(3):
    paused._step()
  assert made == [0, 1, 2, 3]
  paused._go.release()
  thread.join()


def test_a_contender_that_fails_says_why():
  contender = turns.Contender('it', sys.executable, 'absent', work='step')
  assert contender.problem.startswith('it failed: ')
  assert 'No module named benchmarks.contenders.absent' in contender.problem
  turns.play([contender], 2, 0)
  assert not contender.turns and contender.ask(seconds=0) is None


def test_the_spread_is_median_and_quartiles():
  assert turns.spread([1.0]) == (1.0, 1.0, 1.0)
  assert turns.spread([9, 5, 10, 8, 7]) == (8, 7, 9)


def test_cpu_seconds_count():
  start = turns.cpu_seconds()
  while turns.cpu_seconds() < start + 0.02:
    pass
  assert turns.peak_memory() > 10


def test_a_contender_that_ends_between_turns_says_so():
  contender = turns.Contender('it', sys.executable, 'absent')
  contender.problem = ''
  assert contender.ask(seconds=0) is None
  assert contender.problem.startswith('it failed: ')
  contender.close()
