"""How the process of a program starts, and how signals end it."""
import os
import select
import signal
from typing import List
import warnings


def start() -> None:
  """Loads TensorFlow in graph mode, without its warnings about itself.

  It changes the process (allocator, warnings, log level), so that only programs
  call it. The log level is that of TF_CPP_MIN_LOG_LEVEL, by default 2: errors.

  Raises:
    ValueError: TensorFlow or tf_slim is not installed.
  """
  level = os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
  from slim_common import memory
  memory.keep_freed_memory()
  # TensorFlow 1.15 warns of NumPy's future at every import, TensorFlow 2 of
  # the layers that tf_slim uses.
  warnings.filterwarnings('ignore', category=FutureWarning)
  warnings.filterwarnings('ignore', message='.* is deprecated and will be')
  # The seed of the graph reaches tf.data's functions as well, as it should.
  warnings.filterwarnings('ignore', message='Seed .* from outer graph')
  try:
    import tensorflow.compat.v1 as tf
    import tf_slim  # noqa: F401
  except ImportError as error:
    raise ValueError(
        '%s. This needs Python 3.7 with TensorFlow 1.15, or Python 3.8 to 3.11 '
        'with TensorFlow 2.12, and tf-slim: run `make env` and use '
        '.venv/bin/python, or `pip install -e .`' % error)
  tf.logging.set_verbosity({
      '0': tf.logging.INFO, '1': tf.logging.WARN,
      '3': tf.logging.FATAL}.get(level, tf.logging.ERROR))
  tf.disable_v2_behavior()


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
