"""How far a long piece of work is: a bar on a terminal, lines in a file."""
import sys
import time

_BAR_WIDTH = 24
_SECONDS_BETWEEN_DRAWS = 0.1
_SECONDS_BETWEEN_LINES = 10


class Progress:
  """Counts work done and shows it with its pace and the time left.

  Use it as a context manager: the last state is shown on leaving.

  Args:
    title: what is being done, in a few words.
    total: how much there is to do, or None where nobody knows.
    unit: what is counted, such as 'pictures'.
    scale: how many counts make one unit (1e6 to show bytes as MB).
    stream: where to show it; None for standard output.
  """

  def __init__(self, title, total, unit, scale=1, stream=None):
    self._title, self._total, self._unit = title, total, unit
    self._scale = scale
    self._stream = stream or sys.stdout
    self._on_terminal = self._stream.isatty()
    self._done = self._already_done = 0
    self._start = self._shown = time.time()
    self._last_line = None

  def start_from(self, done):
    """Counts from `done`: work of an earlier run, which tells no pace."""
    self._done = self._already_done = done

  def add(self, amount):
    """Counts `amount` more as done."""
    self._done += amount
    wait = (_SECONDS_BETWEEN_DRAWS if self._on_terminal
            else _SECONDS_BETWEEN_LINES)
    if time.time() - self._shown >= wait:
      self._show()

  def _show(self, last=False):
    self._shown = time.time()
    line = self._line()
    if self._on_terminal:
      # \033[K clears what a longer line has left to the right.
      self._stream.write('\r%s\033[K%s' % (line, '\n' if last else ''))
    elif line != self._last_line:
      self._stream.write(line + '\n')
    self._last_line = line
    self._stream.flush()

  def _line(self):
    parts = [self._title]
    if self._total and self._on_terminal:
      filled = min(self._done * _BAR_WIDTH // self._total, _BAR_WIDTH)
      parts.append('[%s]' % ('#' * filled).ljust(_BAR_WIDTH, '.'))
    parts.append(self._number(self._done))
    if self._total:
      parts.append('of ' + self._number(self._total))
    parts.append(self._unit)
    seconds = time.time() - self._start
    pace = (self._done - self._already_done) / max(seconds, 1e-6)
    parts.append('(%s/s)' % self._number(pace))
    if self._total and self._done < self._total and pace:
      parts.append('%s left' % _clock((self._total - self._done) / pace))
    return ' '.join(parts)

  def _number(self, count):
    count /= self._scale
    return '{:,.1f}'.format(count) if count < 10 and self._scale > 1 else (
        '{:,.0f}'.format(count))

  def __enter__(self):
    return self

  def __exit__(self, *error):
    self._show(last=True)


def of_bytes(title, total):
  """Returns a Progress of `total` bytes (None if unknown), in kB or MB."""
  if total is not None and total < 1e6:
    return Progress(title, total, 'kB', 1e3)
  return Progress(title, total, 'MB', 1e6)


def _clock(seconds):
  """Returns a time span as h:mm:ss, or m:ss below an hour."""
  minutes, seconds = divmod(int(round(seconds)), 60)
  hours, minutes = divmod(minutes, 60)
  if hours:
    return '%d:%02d:%02d' % (hours, minutes, seconds)
  return '%d:%02d' % (minutes, seconds)
