"""Lines and bars that show how far long work has come."""
import sys
import time

_BAR_WIDTH = 24
_SECONDS_BETWEEN_BARS = 0.2


class Progress:
  """Shows progress: a bar on a terminal, plain lines in a file.

  `show` is for the terminal, whose bar it redraws at an easy pace. `line` is
  printed wherever the output goes and stays.
  """

  def __init__(self, stream=None):
    self._stream = stream or sys.stdout
    self._terminal = self._stream.isatty()
    self._drawn = 0
    self._time_drawn = 0.0

  def show(self, done, total, text):
    """Redraws the bar: `done` of `total` (None if unknown), then `text`."""
    now = time.time()
    if not self._terminal or now - self._time_drawn < _SECONDS_BETWEEN_BARS:
      return
    self._time_drawn = now
    self._write('\r' + (bar(done, total) + ' ' + text).ljust(self._drawn))
    self._drawn = len(bar(done, total)) + 1 + len(text)

  def line(self, text):
    """Prints a line that stays."""
    self.clear()
    self._write(text + '\n')

  def clear(self):
    """Removes the bar."""
    if self._drawn:
      self._write('\r' + ' ' * self._drawn + '\r')
      self._drawn = 0

  def _write(self, text):
    self._stream.write(text)
    self._stream.flush()


def bar(done, total):
  """Returns a bar such as '[######..................]'; '' without a total."""
  if not total:
    return ''
  filled = min(_BAR_WIDTH, _BAR_WIDTH * done // total)
  return '[%s%s]' % ('#' * filled, '.' * (_BAR_WIDTH - filled))


def clock(seconds):
  """Returns a time span as h:mm:ss, or m:ss below an hour."""
  minutes, seconds = divmod(int(round(seconds)), 60)
  hours, minutes = divmod(minutes, 60)
  if hours:
    return '%d:%02d:%02d' % (hours, minutes, seconds)
  return '%d:%02d' % (minutes, seconds)
