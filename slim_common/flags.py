"""Command-line flags from dataclasses.

The flags of a program are the fields of one frozen dataclass, whose fields may
be dataclasses in turn, one per component. A field's name is the flag's name,
its annotation (str, int, float, bool, Optional of these, Tuple[str, ...]) the
flag's type; `flag` documents its help and its rules. The first line of a
component's docstring is a heading of the help page. A class attribute
`most_used` of the program's dataclass names the flags that --help explains;
the other headings then only list names, and --helpfull explains all. Another,
`value_sets` ({flag: {its value: {other flag: value}}}), has values of flags
that are not typed; `alternatives` ({other flag: flag}) names flags that, if
typed, keep the default of the other.
"""
import dataclasses
import os
import signal
import sys
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from slim_common import help_page
from slim_common import signals

_HELP_FLAGS = ('--help', '-help', '-h', '--helpshort', '--helpfull')


def flag(default: Any, text: str, *, choices: Sequence[str] = (),
         at_least: Optional[float] = None, above: Optional[float] = None,
         at_most: Optional[float] = None, below: Optional[float] = None,
         or_literal: Optional[str] = None, metavar: Optional[str] = None,
         group: Optional[str] = None, formerly: Optional[str] = None,
         required: bool = False, standalone: bool = False,
         positional: bool = False,
         only_if: Optional[Tuple[str, Sequence[Any]]] = None,
         only_if_set: Sequence[str] = ()) -> Any:
  """Returns a dataclass field from which this module makes a flag.

  Args:
    default: default value.
    text: help, one or more sentences. Rules are added by the help page.
    choices: allowed values.
    at_least, at_most: inclusive bounds of a number, which must be finite.
    above, below: exclusive bounds.
    or_literal: string that a number's flag accepts too.
    metavar: name of the value on the help page. Default: by the type, or DIR,
      FILE, NAME, PATH, URL for a flag whose name ends so.
    group: heading on the help page. Default: that of the component.
    formerly: old name, still accepted.
    required: whether the program needs the flag.
    standalone: whether no other flag is required where this one is given.
    positional: whether the field takes the arguments that are not flags.
    only_if: (flag, values): without effect, with a warning, unless that flag
      has one of these values.
    only_if_set: without effect, with a warning, unless one of these flags
      differs from its default.
  """
  rules = {name: rule for name, rule in locals().items()
           if name not in ('default', 'text') and rule is not None and
           rule is not False and rule != ()}
  return dataclasses.field(default=default, metadata=dict(rules, help=text))


class UsageError(ValueError):
  """A command line that cannot be understood; the message says what to type."""


def run(main: Callable[[Any], Optional[int]], config_class: type,
        doc: str) -> None:
  """Runs a program: parses the command line and calls `main(config)`.

  The process ends with the status that `main` returns; 2 for a usage error; 1
  for a ValueError or OSError (a wrong value, file or record), whose message is
  the last line; 130 for Ctrl-C, 143 for SIGTERM, 129 for a closed terminal and
  141 if the reader of the output ended, as in `program | head`. --traceback
  shows where an error was raised.

  Args:
    main: function of the config.
    config_class: dataclass of the program's flags.
    doc: description of the program, shown by --help.
  """
  if sys.stdout.errors == 'strict':
    # A letter that the terminal does not know ends no program.
    sys.stdout.reconfigure(errors='replace')
  program = os.path.basename(sys.argv[0])
  arguments = [word for word in sys.argv[1:] if word != '--traceback']
  if any(word in _HELP_FLAGS for word in arguments):
    page = help_text(program, config_class, doc, '--helpfull' in arguments)
    sys.exit(_status(print, page, show_traceback=False))
  # Not for --help, which answers at once.
  from slim_common import flag_parser
  from slim_common import logging_flags
  try:
    config, warnings, logging = flag_parser.parse(arguments, config_class)
  except UsageError as error:
    print('%s: %s' % (program, error), file=sys.stderr)
    sys.exit(2)
  for warning in warnings:
    print('Warning: ' + warning, file=sys.stderr)

  def start(config):
    logging_flags.start(program, logging)
    return main(config)

  # Files are closed and what is half written is removed, as on Ctrl-C.
  for number in signals.stop_signals():
    signal.signal(number, _exit)
  status = _status(start, config, '--traceback' in sys.argv)
  # A Ctrl-C while modules are torn down would end in a traceback and status 1.
  signal.signal(signal.SIGINT, lambda number, frame: os._exit(128 + number))
  sys.exit(status)


def _exit(number, frame):
  del frame
  signals.drop_closed_output()
  sys.exit(128 + number)


def _status(main, argument, show_traceback):
  """Calls a function; returns the exit status of the program."""
  try:
    status = main(argument)
    sys.stdout.flush()
    return status
  except (ValueError, OSError) as error:
    if isinstance(error, BrokenPipeError) and signals.drop_closed_output():
      return 128 + signal.SIGPIPE
    if show_traceback:
      raise
    print('%s: %s' % (type(error).__name__, error), file=sys.stderr)
    return 1
  except KeyboardInterrupt:
    print('Interrupted.', file=sys.stderr)
    return 130


def parse(arguments: Sequence[str],
          config_class: type) -> Tuple[Any, List[str]]:
  """Makes a config of the words of a command line.

  Args:
    arguments: the words, without the program's name.
    config_class: dataclass to fill.

  Returns:
    (config, warnings): an instance, and a list of sentences about flags that
    have no effect or a new name.

  Raises:
    UsageError: an unknown flag, an unexpected argument, a value that is not
      allowed, or a required flag that is missing.
  """
  from slim_common import flag_parser
  return flag_parser.parse(arguments, config_class)[:2]


def help_text(program: str, config_class: type, doc: str,
              full: bool = True) -> str:
  """Returns the text of --helpfull, or else of --help."""
  return help_page.text(program, config_class, doc, full)


def as_dict(config: Any) -> Dict[str, Any]:
  """Returns the flags of a config as one flat dict, ready for JSON."""
  flat = {}
  for field in dataclasses.fields(config):
    value = getattr(config, field.name)
    flat.update(as_dict(value) if dataclasses.is_dataclass(value)
                else {field.name: value})
  return flat


def replace(config: Any, values: Dict[str, Any]) -> Any:
  """Returns a copy of a config with other values of some flags.

  Args:
    config: a dataclass of flags, or of components.
    values: dict {name of a flag: value}; names without a flag are ignored.
  """
  changes = {}
  for field in dataclasses.fields(config):
    value = getattr(config, field.name)
    if dataclasses.is_dataclass(value):
      changes[field.name] = replace(value, values)
    elif field.name in values:
      changes[field.name] = values[field.name]
  return remember(dataclasses.replace(config, **changes), given(config))


def remember(config: Any, names: Sequence[str]) -> Any:
  """Returns the config, which then knows the flags that were typed."""
  # Not a field: it is no flag, and configs of equal values are equal.
  object.__setattr__(config, '_given', frozenset(names))
  return config


def typed(config: Any) -> frozenset:
  """Returns the names of the flags on the command line behind a config."""
  return getattr(config, '_given', frozenset())


def given(config: Any) -> frozenset:
  """Returns the names of the flags that were given by hand.

  They are those that `parse` found, default or not, and those that differ from
  their default.
  """
  defaults = as_dict(type(config)())
  return typed(config) | {
      name for name, value in as_dict(config).items()
      if value != defaults.get(name, value)}
