"""Command-line flags from dataclasses.

A program's flags are the fields of one frozen dataclass, whose own fields may
be dataclasses again (one a component). A field's name is the flag's name, its
annotation (str, int, float, bool, Optional of these, Tuple[str, ...]) the
flag's type, and its metadata says the rest:

  help: the sentence shown by --help.
  choices: the values allowed, where they are few.
  at_least, above, at_most, below: bounds of a number. It is finite anyway.
  or_word: the one word that a number's flag takes as well.
  required: True if the program cannot do without it.
  alone: True for a flag that asks for something that needs no other flag:
    where it is given, nothing is required.
  only_with: (flag, values): the flag has no effect unless that other flag has
    one of these values. Giving it all the same earns a warning.
  only_beside: flags of which one has to differ from its default, as
    only_with.
  words: True for the one field that takes the words beside the flags.

This module loads quickly, so that a mistyped flag is answered at once.
"""
import dataclasses
import math
import os
import signal
import sys
import textwrap
import typing

from absl import flags as absl_flags

from slim_common import suggest

_PARSERS = {str: absl_flags.DEFINE_string, int: absl_flags.DEFINE_integer,
            float: absl_flags.DEFINE_float, bool: absl_flags.DEFINE_boolean}
_HELP_FLAGS = ('--help', '-help', '-h', '--helpshort', '--helpfull')


def flag(default, text, **rules):
  """Returns a dataclass field of which this module makes a flag.

  Args:
    default: the flag's default.
    text: the flag's help.
    **rules: what else its metadata holds, see above.
  """
  return dataclasses.field(default=default, metadata=dict(rules, help=text))


class UsageError(ValueError):
  """A command line that cannot be understood; the message says what to type."""


def run(main, config_class, doc):
  """Runs a program: parses the command line and calls `main(config)`.

  A usage error ends the program with status 2; a ValueError or OSError (a
  value, a file or a record that is wrong) with status 1 and its message as the
  last line, Ctrl-C with 130 and SIGTERM with 143. --traceback shows where such
  an error was raised.

  Args:
    main: function of the config.
    config_class: the dataclass of the program's flags.
    doc: what the program does, shown by --help.
  """
  if sys.stdout.errors == 'strict':
    # A letter that the terminal does not know ends no program.
    sys.stdout.reconfigure(errors='replace')
  program = os.path.basename(sys.argv[0])
  arguments = sys.argv[1:]
  if any(word in _HELP_FLAGS for word in arguments):
    # `--help | head` ends quietly.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    print(help_text(program, config_class, doc))
    sys.exit(0)
  show_traceback = '--traceback' in arguments
  arguments = [word for word in arguments if word != '--traceback']
  try:
    config, warnings = parse(arguments, config_class)
  except UsageError as error:
    print('%s: %s' % (program, error), file=sys.stderr)
    sys.exit(2)
  for warning in warnings:
    print('Warning: ' + warning, file=sys.stderr)
  # Files are closed and what is half written is removed, as on Ctrl-C.
  signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
  try:
    sys.exit(main(config))
  except (ValueError, OSError) as error:
    if show_traceback:
      raise
    print('%s: %s' % (type(error).__name__, error), file=sys.stderr)
    sys.exit(1)
  except KeyboardInterrupt:
    print('Interrupted.', file=sys.stderr)
    sys.exit(130)


def parse(arguments, config_class):
  """Makes a config of the words of a command line.

  Args:
    arguments: list of str, without the program's name.
    config_class: the dataclass to fill.

  Returns:
    (config, warnings): an instance, and a list of sentences about flags that
    were given without effect.

  Raises:
    UsageError: an unknown flag, a stray word, a value that is not allowed, a
      required flag that is missing.
  """
  leaves = list(_leaves(config_class))
  values = absl_flags.FlagValues()
  values.set_gnu_getopt(True)
  for field, kind in leaves:
    if not field.metadata.get('words'):
      _define(values, field, kind)
  try:
    words = tuple(values(['program'] + list(arguments))[1:])
  except absl_flags.UnrecognizedFlagError as error:
    raise UsageError(_unknown_flag(error.flagname, leaves))
  except absl_flags.Error as error:
    raise UsageError(str(error).replace('flag --', '--'))
  given = {field.name: getattr(values, field.name)
           for field, _ in leaves if field.name in values}
  _take_words(words, leaves, given)
  alone = any(field.metadata.get('alone') and given[field.name]
              for field, _ in leaves)
  for field, _ in leaves:
    _check(field, given[field.name], alone)
  return (_build(config_class, given),
          list(_without_effect(leaves, values, given)))


def help_text(program, config_class, doc):
  """Returns the text that --help shows."""
  lines = [textwrap.dedent(doc).strip(), '', 'Usage: %s [flags]' % program]
  for title, fields in _groups(config_class):
    lines += ['', title + ':']
    for field, kind in fields:
      lines += _help_of(field, kind)
  lines += ['', 'Common:', '  --help', '      show this',
            '  --flagfile=FILE', '      read flags from a file, one a line',
            '  --traceback', '      show where an error was raised']
  return '\n'.join(lines)


def as_dict(config):
  """Returns the flags of a config as one flat dict, ready for JSON."""
  flat = {}
  for field in dataclasses.fields(config):
    value = getattr(config, field.name)
    flat.update(as_dict(value) if dataclasses.is_dataclass(value)
                else {field.name: value})
  return flat


def _leaves(config_class):
  """Yields (field, type) of every flag, components included."""
  hints = typing.get_type_hints(config_class)
  for field in dataclasses.fields(config_class):
    kind = hints[field.name]
    if dataclasses.is_dataclass(kind):
      yield from _leaves(kind)
    else:
      yield field, _value_type(kind)


def _value_type(kind):
  """Strips Optional; Tuple[str, ...] stands for a comma-separated list."""
  arguments = [part for part in getattr(kind, '__args__', None) or ()
               if part not in (type(None), Ellipsis)]
  if typing.Tuple[str, ...] == kind:
    return tuple
  return arguments[0] if arguments else kind


def _define(values, field, kind):
  text = field.metadata['help']
  if kind is tuple:
    absl_flags.DEFINE_list(
        field.name, list(field.default), text, flag_values=values)
  elif field.metadata.get('choices'):
    absl_flags.DEFINE_enum(field.name, field.default, field.metadata['choices'],
                           text, flag_values=values)
  elif field.metadata.get('or_word'):
    absl_flags.DEFINE(_NumberOrWord(kind, field.metadata['or_word']),
                      field.name, field.default, text, flag_values=values)
  else:
    _PARSERS[kind](field.name, field.default, text, flag_values=values)


class _NumberOrWord(absl_flags.ArgumentParser):
  """Parses the value of a flag that takes a number or one word."""

  def __init__(self, kind, word):
    self._kind = kind
    self._word = word

  def parse(self, argument):
    if argument == self._word or isinstance(argument, self._kind):
      return argument
    try:
      return self._kind(argument)
    except ValueError:
      raise ValueError('must be a number (%s) or %s' % (
          self._kind.__name__, self._word))

  def flag_type(self):
    return self._kind.__name__


def _unknown_flag(name, leaves):
  names = [field.name for field, _ in leaves]
  bare = name[2:] if name.startswith('no') and name[2:] in names else name
  near = suggest.hint(bare, names, 2, prefix='--')
  return 'unknown flag --%s%s' % (
      name, '; --help lists the flags.' if near == '.' else near)


def _take_words(words, leaves, given):
  taker = [field for field, _ in leaves if field.metadata.get('words')]
  if taker:
    given[taker[0].name] = words
  elif words:
    names = [field.name for field, _ in leaves]
    near = suggest.hint(
        words[0].split('=')[0].lstrip('-'), names, prefix='--')
    raise UsageError('stray word %r%s' % (
        words[0], '; this program takes flags only, --name=value. --help lists '
        'them.' if near == '.' else near))


def _check(field, value, alone):
  """Raises UsageError if `value` breaks a rule in the field's metadata."""
  rules = field.metadata
  if rules.get('required') and not alone and value in (None, '', ()):
    raise UsageError('%s is required: %s' % (_spelled(field), rules['help']))
  if value is None or value == rules.get('or_word', ()):
    return
  if isinstance(value, float) and not math.isfinite(value):
    raise UsageError('--%s=%s must be a finite number' % (field.name, value))
  if isinstance(value, list) and '' in value:
    raise UsageError('--%s=%s has a comma too many' % (
        field.name, ','.join(value)))
  for rule, broken, words in (
      ('at_least', lambda limit: value < limit, 'at least'),
      ('above', lambda limit: value <= limit, 'more than'),
      ('at_most', lambda limit: value > limit, 'at most'),
      ('below', lambda limit: value >= limit, 'less than')):
    if rule in rules and broken(rules[rule]):
      raise UsageError('--%s=%s must be %s %s' % (
          field.name, value, words, rules[rule]))


def _spelled(field):
  return field.name.upper() if field.metadata.get('words') else (
      '--' + field.name)


def _without_effect(leaves, values, given):
  defaults = {field.name: field.default for field, _ in leaves}
  for field, _ in leaves:
    if field.name not in values or not values[field.name].present:
      continue
    other, allowed = field.metadata.get('only_with', (None, ()))
    if other and given[other] not in allowed:
      yield '--%s has no effect with --%s=%s; it works with %s' % (
          field.name, other, given[other],
          ', '.join('--%s=%s' % (other, value) for value in allowed))
    others = field.metadata.get('only_beside', ())
    if others and all(given[name] == defaults[name] for name in others):
      yield '--%s has no effect without %s' % (
          field.name, ' or '.join('--' + name for name in others))


def _build(config_class, given):
  hints = typing.get_type_hints(config_class)
  arguments = {}
  for field in dataclasses.fields(config_class):
    kind = hints[field.name]
    value = (_build(kind, given) if dataclasses.is_dataclass(kind)
             else given[field.name])
    arguments[field.name] = tuple(value) if isinstance(value, list) else value
  return config_class(**arguments)


def _groups(config_class):
  """Yields (title, fields) a component; a flat config is one group."""
  hints = typing.get_type_hints(config_class)
  own = []
  for field in dataclasses.fields(config_class):
    kind = hints[field.name]
    if dataclasses.is_dataclass(kind):
      title = kind.__doc__.strip().splitlines()[0].rstrip('.')
      yield title, list(_leaves(kind))
    else:
      own.append((field, _value_type(kind)))
  if own:
    yield 'Flags', own


def _help_of(field, kind):
  """Returns the help lines of one flag."""
  rules = field.metadata
  text = rules['help']
  if rules.get('choices'):
    text += ' One of: %s.' % ', '.join(rules['choices'])
  default = field.default
  name = kind.__name__.upper()
  if rules.get('or_word'):
    name += '|' + rules['or_word']
  if rules.get('words'):
    head = '  ' + _spelled(field)
  elif kind is bool:
    head = '  --[no]%s%s' % (field.name, '' if default is None else
                             '  (default: %s)' % str(default).lower())
  elif default in (None, '', ()):
    head = '  --%s=%s' % (field.name, name)
  else:
    head = '  --%s=%s  (default: %s)' % (field.name, name, default)
  return [head] + textwrap.wrap(
      text, 79, initial_indent='      ', subsequent_indent='      ')
