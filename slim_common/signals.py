"""How signals and closed outputs end a program."""
import os
import select
import signal
from typing import List


def stop_signals() -> List[int]:
  """Returns the signals that ask a program to end, Ctrl-C aside.

  SIGHUP comes when the terminal is closed; under nohup it stays ignored.
  """
  numbers = [getattr(signal, name, None) for name in ('SIGTERM', 'SIGHUP')]
  return [number for number in numbers
          if number and signal.getsignal(number) != signal.SIG_IGN]


def drop_closed_output() -> bool:
  """Discards further output where nobody can receive it.

  That is so in a terminal that was closed and in a pipe whose reader ended;
  otherwise, each line printed would be an error.

  Returns:
    Whether that is so for standard output.
  """
  closed = []
  for descriptor in (1, 2):
    poll = select.poll()
    poll.register(descriptor, 0)
    if any(event & (select.POLLERR | select.POLLHUP)
           for _, event in poll.poll(0)):
      closed.append(descriptor)
      os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
  return 1 in closed
