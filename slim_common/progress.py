"""How far long work has come: a bar on a terminal, plain lines in a file."""
import sys
import time

_BAR_WIDTH = 24
_SECONDS_BETWEEN_BARS = 0.2
_SECONDS_BETWEEN_LINES = 10


class StatusLine:
  """The last line of a terminal, redrawn in place; nothing in a file.

  `show` redraws it at an easy pace. What `line` prints stays, wherever the
  output goes: `stream`, a text file; standard output if None.
  """

  def __init__(self, stream=None):
    self._stream = stream or sys.stdout
    self.on_terminal = self._stream.isatty()
    self._drawn = 0
    self._time_drawn = 0.0

  def show(self, done, total, text):
    """Redraws the line: a bar of `done` / `total` (None: no bar), and text."""
    now = time.time()
    if not self.on_terminal or now - self._time_drawn < _SECONDS_BETWEEN_BARS:
      return
    self._time_drawn = now
    drawn = ' '.join(filter(None, [bar(done, total), text]))
    self._write('\r' + drawn.ljust(self._drawn))
    self._drawn = len(drawn)

  def line(self, text):
    """Prints a line that stays."""
    self.clear()
    self._write(text + '\n')

  def clear(self):
    """Removes the line."""
    if self._drawn:
      self._write('\r' + ' ' * self._drawn + '\r')
      self._drawn = 0

  def _write(self, text):
    self._stream.write(text)
    self._stream.flush()


class Progress:
  """Counts work done and shows it with its speed and the time left.

  A context manager: the last state is shown on leaving. In a file there is a
  line every ten seconds.

  Args:
    title: what is being done, in a few words.
    total: how much there is to do, or None if it is not known.
    unit: what is counted, such as 'images'.
    scale: counts that make one unit (1e6 to show bytes as MB).
    stream: as for `StatusLine`.
  """

  def __init__(self, title, total, unit, scale=1, stream=None):
    self._title, self._total = title, total
    self._unit, self._scale = unit, scale
    self._status = StatusLine(stream)
    self._done = self._already_done = 0
    self._start = self._shown = time.time()
    self._last_line = None

  def start_from(self, done):
    """Counts from `done`: work of an earlier run, which has no speed here."""
    self._done = self._already_done = done

  def add(self, amount):
    """Counts `amount` more as done."""
    self._done += amount
    if self._status.on_terminal:
      self._status.show(self._done, self._total, self._text())
    elif time.time() - self._shown >= _SECONDS_BETWEEN_LINES:
      self._print()

  def _print(self):
    self._shown = time.time()
    text = self._text()
    if text != self._last_line:
      self._status.line(text)
    self._last_line = text

  def _text(self):
    parts = [self._title, self._number(self._done)]
    if self._total:
      parts.append('of ' + self._number(self._total))
    parts.append(self._unit)
    seconds = time.time() - self._start
    speed = (self._done - self._already_done) / max(seconds, 1e-6)
    parts.append('(%s/s)' % self._number(speed))
    if self._total and self._done < self._total and speed:
      parts.append('%s left' % clock((self._total - self._done) / speed))
    return ' '.join(parts)

  def _number(self, count):
    count /= self._scale
    return '{:,.1f}'.format(count) if count < 10 and self._scale > 1 else (
        '{:,.0f}'.format(count))

  def __enter__(self):
    return self

  def __exit__(self, *error):
    self._print()


def of_bytes(title, total):
  """Returns a Progress of `total` bytes (None if unknown), in kB or MB."""
  if total is not None and total < 1e6:
    return Progress(title, total, 'kB', 1e3)
  return Progress(title, total, 'MB', 1e6)


def bar(done, total):
  """Returns a bar such as '[######..................]'; '' without a total."""
  if not total:
    return ''
  filled = int(min(_BAR_WIDTH, _BAR_WIDTH * done // total))
  return '[%s%s]' % ('#' * filled, '.' * (_BAR_WIDTH - filled))


def clock(seconds):
  """Returns a duration as h:mm:ss, or m:ss below an hour."""
  minutes, seconds = divmod(int(round(seconds)), 60)
  hours, minutes = divmod(minutes, 60)
  return '%d:%02d:%02d' % (hours, minutes, seconds) if hours else (
      '%d:%02d' % (minutes, seconds))
