"""Bars and lines of progress."""
import io

import pytest

from training import progress


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
  meter = progress.Progress(stream)
  meter.show(1, 2, 'half')
  meter.line('done')
  assert stream.getvalue() == 'done\n'


def test_a_terminal_shows_a_bar_that_makes_way_for_lines():
  stream = _Terminal()
  meter = progress.Progress(stream)
  meter.show(1, 2, 'half')
  meter.show(2, 2, 'too soon after the first')
  meter.line('done')
  shown = '[############............] half'
  assert stream.getvalue() == (
      '\r' + shown + '\r' + ' ' * len(shown) + '\rdone\n')
