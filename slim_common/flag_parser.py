"""The parser behind `flags`: from the words of a command line to a config."""
import dataclasses
import math
import operator
import re
import typing

from absl import flags as absl_flags

from slim_common import flags
from slim_common import help_page
from slim_common import logging_flags
from slim_common import suggest

_PARSERS = {str: absl_flags.DEFINE_string, int: absl_flags.DEFINE_integer,
            float: absl_flags.DEFINE_float, bool: absl_flags.DEFINE_boolean}
# What absl and Python say about a value, and what they mean.
_REMARKS = (
    (r"\('Non-boolean argument to boolean flag', .*\)",
     'must be true or false'),
    (r'invalid literal for int\(\).*', 'must be an integer'),
    (r'could not convert string to float.*', 'must be a number'),
    ('^flag --', '--'))
_IS_WITHIN = {'at_least': operator.ge, 'above': operator.gt,
              'at_most': operator.le, 'below': operator.lt}


def parse(arguments, config_class):
  """Returns (config, warnings, dict of the flags of logging that were given).
  """
  leaves = list(help_page.leaves(config_class))
  values = absl_flags.FlagValues()
  values.set_gnu_getopt(True)
  names_of_logging = _define_logging(values)
  for field, kind in leaves:
    if not field.metadata.get('positional'):
      _define(values, field, kind)
  _check_values_are_given(arguments, values)
  try:
    words = tuple(values(['program'] + list(arguments))[1:])
  except absl_flags.UnrecognizedFlagError as error:
    raise flags.UsageError(_unknown_flag(error.flagname, leaves))
  except absl_flags.Error as error:
    raise flags.UsageError(_in_plain_words(str(error)))
  given = {field.name: getattr(values, field.name)
           for field, _ in leaves if field.name in values}
  _take_words(words, leaves, given)
  typed = [name for name in given if name in values and values[name].present]
  given.update(_preset(config_class, given, typed))
  standalone = any(field.metadata.get('standalone') and given[field.name]
                   for field, _ in leaves)
  for field, _ in leaves:
    _check(field, given[field.name], standalone)
  config = flags.remember(_build(config_class, given), typed)
  return (config, list(_warnings(leaves, values, given)),
          {name: values[name].value for name in names_of_logging
           if values[name].present})


def _in_plain_words(message):
  for pattern, meaning in _REMARKS:
    message = re.sub(pattern, meaning, message)
  return message


def _check_values_are_given(arguments, values):
  """Raises UsageError if a flag would take the next flag for its value."""
  for word, following in zip(arguments, arguments[1:]):
    name = word.lstrip('-')
    if (word.startswith('-') and name in values and not values[name].boolean
        and following.startswith('-')
        and _is_flag(following.lstrip('-').split('=')[0], values)):
      raise flags.UsageError('%s needs a value, %s=VALUE, but %s follows' % (
          word, word, following))


def _is_flag(name, values):
  return name in values or (
      name.startswith('no') and name[2:] in values and values[name[2:]].boolean)


def _define_logging(values):
  """Defines the flags of logging; returns their names."""
  names = list(logging_flags.OF_LEVELS) + [logging_flags.OF_LOGGERS]
  for name in logging_flags.OF_LEVELS:
    absl_flags.DEFINE(
        _NumberOrLiteral(int, *logging_flags.LEVELS), name, None, '',
        flag_values=values, short_name='v' if name == 'verbosity' else None)
  absl_flags.DEFINE(logging_flags.LoggerLevelsParser(), names[-1], None, '',
                    flag_values=values)
  for name, kind in logging_flags.OTHERS.items():
    _PARSERS[kind](name, None, '', flag_values=values)
    names.append(name)
  return names


def _define(values, field, kind):
  rules = field.metadata
  arguments = field.name, field.default
  if kind is tuple:
    absl_flags.DEFINE_list(
        field.name, list(field.default), '', flag_values=values)
  elif rules.get('choices'):
    absl_flags.DEFINE_enum(*arguments, rules['choices'], '', flag_values=values)
  elif rules.get('or_literal'):
    absl_flags.DEFINE(_NumberOrLiteral(kind, rules['or_literal']), *arguments,
                      '', flag_values=values)
  else:
    _PARSERS[kind](*arguments, '', flag_values=values)
  if rules.get('formerly'):
    absl_flags.DEFINE_alias(rules['formerly'], field.name, flag_values=values)


class _NumberOrLiteral(absl_flags.ArgumentParser):
  """Parses the value of a flag that takes a number or one of some words."""

  def __init__(self, kind, *literals):
    self._kind = kind
    self._literals = literals

  def parse(self, argument):
    if argument in self._literals or isinstance(argument, self._kind):
      return argument
    try:
      return self._kind(argument)
    except ValueError:
      raise ValueError('must be a number (%s) or %s' % (
          self._kind.__name__, ', '.join(self._literals)))

  def flag_type(self):
    return self._kind.__name__


def _unknown_flag(name, leaves):
  names = [field.name for field, _ in leaves]
  bare = name[2:] if name.startswith('no') and name[2:] in names else name
  near = suggest.hint(bare, names, 2, prefix='--')
  return 'unknown flag --%s%s' % (
      name, '; --helpfull lists the flags.' if near == '.' else near)


def _take_words(words, leaves, given):
  taker = [field for field, _ in leaves if field.metadata.get('positional')]
  if taker:
    given[taker[0].name] = words
  elif words:
    near = suggest.hint(words[0].split('=')[0].lstrip('-'),
                        [field.name for field, _ in leaves], prefix='--')
    raise flags.UsageError('unexpected argument %r%s' % (
        words[0], '; this program takes flags only, --name=value. --helpfull '
        'lists them.' if near == '.' else near))


def _preset(config_class, given, typed):
  """Returns {flag: value} of the preset that was given, without what was typed.
  """
  chosen = {}
  for name, sets in getattr(config_class, 'value_sets', {}).items():
    chosen.update(sets.get(given[name], {}))
  others = getattr(config_class, 'alternatives', {})
  return {name: value for name, value in chosen.items()
          if name not in typed and others.get(name) not in typed}


def _check(field, value, standalone):
  """Raises UsageError if `value` breaks a rule in the field's metadata."""
  rules = field.metadata
  if rules.get('required') and not standalone and value in (None, '', ()):
    raise flags.UsageError('%s is required: %s' % (
        help_page.spelled(field), rules['help']))
  if value is None or value == rules.get('or_literal', ()):
    return
  if isinstance(value, float) and not math.isfinite(value):
    raise flags.UsageError('--%s=%s must be a finite number' % (
        field.name, value))
  if isinstance(value, list) and '' in value:
    raise flags.UsageError('--%s=%s has a comma too many' % (
        field.name, ','.join(value)))
  for rule, is_within in _IS_WITHIN.items():
    if rule in rules and not is_within(value, rules[rule]):
      raise flags.UsageError('--%s=%s must be %s %s' % (
          field.name, value, help_page.BOUNDS[rule], rules[rule]))


def _warnings(leaves, values, given):
  """Yields a sentence for each flag without effect or with a new name."""
  defaults = {field.name: field.default for field, _ in leaves}
  for field, _ in leaves:
    if field.name not in values or not values[field.name].present:
      continue
    formerly = field.metadata.get('formerly')
    if formerly and values[formerly].present:
      yield '--%s is now --%s' % (formerly, field.name)
    other, allowed = field.metadata.get('only_if', (None, ()))
    if other and given[other] not in allowed:
      yield '--%s has no effect with %s; it works with %s' % (
          field.name, help_page.setting(other, given[other]),
          ', '.join(help_page.setting(other, value) for value in allowed))
    others = field.metadata.get('only_if_set', ())
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
