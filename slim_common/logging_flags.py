"""The flags of absl's logging, which slim's programs took, and their effect.

They concern the messages of Python's `logging`, those of TensorFlow among them;
messages of TensorFlow's C++ code go to standard error.
"""
import os
from typing import Any, Dict

from absl import flags as absl_flags

# Names of levels to absl's numbers.
LEVELS = {'debug': 1, 'info': 0, 'warning': -1, 'error': -2, 'fatal': -3}
# Flags whose value is a level, and the others with the type of their value.
OF_LEVELS = ('verbosity', 'stderrthreshold')
OTHERS = {'alsologtostderr': bool, 'logtostderr': bool, 'log_dir': str,
          'showprefixforinfo': bool}
OF_LOGGERS = 'logger_levels'


class LoggerLevelsParser(absl_flags.ArgumentParser):
  """Parses NAME:LEVEL,... to a dict of names of loggers to levels."""

  def parse(self, argument):
    pairs = [part.strip().rpartition(':') for part in argument.split(',')]
    if not all(name and level.lower() in LEVELS for name, _, level in pairs):
      raise ValueError('must be NAME:LEVEL,... with one of the levels %s' %
                       ', '.join(LEVELS))
    return {name: level.upper() for name, _, level in pairs}

  def flag_type(self):
    return 'NAME:LEVEL,...'


def start(program: str, given: Dict[str, Any]) -> None:
  """Makes TensorFlow and absl log as the flags say.

  --verbosity becomes TF_CPP_MIN_LOG_LEVEL, which `runtime.start` reads. With
  any other flag absl writes the messages, as in `absl.app.run`. --log_dir makes
  DIR/PROGRAM.HOST.USER.log.INFO.TIME.PID, with a link DIR/PROGRAM.INFO; then
  only messages of --stderrthreshold (fatal) reach standard error, or all of
  them with --alsologtostderr, and with --logtostderr there is no file.

  Args:
    program: name of the program, the start of the name of the file.
    given: dict {name: value} of the flags of logging that were given.

  Raises:
    OSError: the directory cannot be made or written to.
  """
  values = {name: LEVELS.get(value, value) if name in OF_LEVELS else value
            for name, value in given.items()}
  if 'verbosity' in values:
    level = min(3, max(0, -values['verbosity']))
    os.environ['TF_CPP_MIN_LOG_LEVEL'] = str(level)
  if not set(given) - {'verbosity'}:
    return
  from absl import logging  # Loads several modules of the standard library.
  if 'stderrthreshold' in values:
    names = {number: name for name, number in LEVELS.items()}
    level = min(1, max(-3, values['stderrthreshold']))
    values['stderrthreshold'] = names[level]
  absl_flags.FLAGS.mark_as_parsed()
  for name, value in values.items():
    absl_flags.FLAGS[name].value = value
  logging.use_absl_handler()
  if given.get('log_dir'):
    os.makedirs(given['log_dir'], exist_ok=True)
    logging.get_absl_handler().use_absl_log_file(
        os.path.splitext(program)[0], given['log_dir'])
