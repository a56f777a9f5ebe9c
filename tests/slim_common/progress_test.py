"""Bars and lines of progress."""
import io

import pytest

from slim_common import progress


class _Clock:

  def __init__(self, monkeypatch):
    self.now = 0.0
    monkeypatch.setattr(progress.time, 'time', lambda: self.now)


class _Terminal(io.StringIO):

  def isatty(self):
    return True


@pytest.mark.parametrize('seconds, text', [
    (0, '0:00'), (59.6, '1:00'), (61, '1:01'), (3600, '1:00:00'),
    (90061, '25:01:01')])
def test_clock(seconds, text):
  assert progress.clock(seconds) == text


@pytest.mark.parametrize('done, total, text', [
    (0, 10, '[' + 24 * '.' + ']'), (5, 10, '[' + 12 * '#' + 12 * '.' + ']'),
    (10, 10, '[' + 24 * '#' + ']'), (11, 10, '[' + 24 * '#' + ']'),
    (3, None, '')])
def test_bar(done, total, text):
  assert progress.bar(done, total) == text


def test_a_file_holds_plain_lines():
  stream = io.StringIO()
  status = progress.StatusLine(stream)
  status.show(1, 2, 'half')
  status.line('done')
  assert stream.getvalue() == 'done\n'


def test_a_terminal_shows_a_bar_that_makes_way_for_lines():
  stream = _Terminal()
  status = progress.StatusLine(stream)
  status.show(1, 2, 'half')
  status.show(2, 2, 'too soon after the first')
  status.line('done')
  shown = '[############............] half'
  assert stream.getvalue() == (
      '\r' + shown + '\r' + ' ' * len(shown) + '\rdone\n')


def test_lines_in_a_file(monkeypatch):
  clock, stream = _Clock(monkeypatch), io.StringIO()
  with progress.Progress(
      'mnist train', 60000, 'pictures', 1, stream) as shown:
    for _ in range(60):
      clock.now += 0.5
      shown.add(1000)
  assert stream.getvalue() == (
      'mnist train 20,000 of 60,000 pictures (2,000/s) 0:20 left\n'
      'mnist train 40,000 of 60,000 pictures (2,000/s) 0:10 left\n'
      'mnist train 60,000 of 60,000 pictures (2,000/s)\n')


def test_bar_on_a_terminal(monkeypatch):
  clock, stream = _Clock(monkeypatch), _Terminal()
  with progress.Progress('x', 4, 'pictures', 1, stream) as shown:
    clock.now = 3700.0
    shown.add(1)
    clock.now = 14800.0
    shown.add(3)
  states = stream.getvalue().split('\r')
  assert states[1].startswith('[######..................] x 1 of 4 pictures')
  assert '3:05:00 left' in states[1]
  assert states[-1].startswith('x 4 of 4 pictures')
  assert stream.getvalue().endswith('\n')


def test_quick_work_shows_one_line(monkeypatch):
  _Clock(monkeypatch)
  stream = io.StringIO()
  with progress.Progress('x', None, 'pictures', 1, stream) as shown:
    for _ in range(1000):
      shown.add(1)
  assert stream.getvalue().count('\n') == 1


def test_what_was_done_before_tells_no_pace(monkeypatch, capsys):
  clock = _Clock(monkeypatch)
  with progress.of_bytes('get', 40e6) as shown:
    shown.start_from(20e6)
    clock.now = 10.0
    shown.add(10e6)
  assert 'get 30 of 40 MB (1.0/s) 0:10 left' in capsys.readouterr().out


def test_small_files_are_counted_in_kilobytes(monkeypatch, capsys):
  _Clock(monkeypatch)
  with progress.of_bytes('get', 4542) as shown:
    shown.add(4542)
  assert 'get 4.5 of 4.5 kB' in capsys.readouterr().out
