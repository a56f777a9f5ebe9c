"""The pages that --help and --helpfull show; see `flags`."""
import dataclasses
import textwrap
import typing
from typing import Any, Iterator, Tuple

_WIDTH = 79
_MOST_USED = 'Most used'
BOUNDS = {'at_least': 'at least', 'above': 'more than', 'at_most': 'at most',
          'below': 'less than'}
_TYPES = {int: 'INT', float: 'FLOAT', str: 'TEXT', tuple: 'A,B,...'}
# Of strings, by the last word of the flag's name.
_STRINGS = {'dir': 'DIR', 'directory': 'DIR', 'file': 'FILE', 'path': 'PATH',
            'name': 'NAME', 'url': 'URL'}
_EVERYWHERE = (
    ('--help, --helpfull', 'Show the most used flags, or all.'),
    ('--flagfile=FILE', 'Read flags from a file, one per line.'),
    ('--verbosity=LEVEL', "Level of TensorFlow's messages: debug, info, "
     'warning, error or fatal.'),
    ('--log_dir=DIR', "Directory for a file of Python's log messages. "
     '--alsologtostderr, --logtostderr, --stderrthreshold, --showprefixforinfo '
     "and --logger_levels do what absl's documentation says."),
    ('--traceback', 'Show where in the program an error was raised.'))


def text(program: str, config_class: type, doc: str, full: bool) -> str:
  """Returns a help page; see `flags.run`.

  `full` explains all flags, even if the class has a `most_used`.
  """
  groups = _groups(config_class)
  words = ''.join(' %s...' % spelled(field) for field, _ in leaves(config_class)
                  if field.metadata.get('positional'))
  lines = [textwrap.dedent(doc).strip(), '',
           'Usage: %s [flags]%s' % (program, words)]
  explained = [_MOST_USED] if _MOST_USED in groups and not full else groups
  for title in explained:
    lines += ['', title + ':']
    for field, kind in groups[title]:
      lines += _explain(field, kind)
  lines += ['', 'Every program:']
  for name, meaning in _EVERYWHERE:
    lines += ['  ' + name] + _indented(meaning)
  if len(explained) < len(groups):
    lines += _list(groups) + [
        '', 'Type %s --helpfull for what each of them does.' % program]
  return '\n'.join(lines)


def leaves(config_class: type) -> Iterator[Tuple[dataclasses.Field, type]]:
  """Yields (field, type) of every flag; tuple stands for a list of strings."""
  hints = typing.get_type_hints(config_class)
  for field in dataclasses.fields(config_class):
    kind = hints[field.name]
    if dataclasses.is_dataclass(kind):
      yield from leaves(kind)
    else:
      yield field, _value_type(kind)


def spelled(field: dataclasses.Field) -> str:
  """Returns how the name of a flag is typed."""
  is_word = field.metadata.get('positional')
  return field.name.upper() if is_word else '--' + field.name


def setting(name: str, value: Any) -> str:
  """Returns how a flag is set to a value."""
  if isinstance(value, bool):
    return '--%s%s' % ('' if value else 'no', name)
  return '--%s=%s' % (name, value)


def _value_type(kind):
  """Strips Optional; Tuple[str, ...] stands for a comma-separated list."""
  arguments = [part for part in getattr(kind, '__args__', None) or ()
               if part not in (type(None), Ellipsis)]
  if typing.Tuple[str, ...] == kind:
    return tuple
  return arguments[0] if arguments else kind


def _groups(config_class):
  """Returns a dict of heading to a list of (field, type)."""
  flags = {field.name: (field, kind) for field, kind in leaves(config_class)}
  groups = {_MOST_USED: [
      flags[name] for name in getattr(config_class, 'most_used', ())]}
  used = [field.name for field, _ in groups[_MOST_USED]]
  for title, field, kind in _titled(config_class):
    if field.name not in used:
      groups.setdefault(title, []).append((field, kind))
  return {title: group for title, group in groups.items() if group}


def _titled(config_class, title='Flags'):
  """Yields (heading, field, type) of every flag."""
  hints = typing.get_type_hints(config_class)
  for field in dataclasses.fields(config_class):
    kind = hints[field.name]
    if dataclasses.is_dataclass(kind):
      yield from _titled(kind, kind.__doc__.splitlines()[0].rstrip('.'))
    else:
      yield field.metadata.get('group', title), field, _value_type(kind)


def _explain(field, kind):
  """Returns the lines about one flag."""
  rules = field.metadata
  meaning = rules['help']
  notes = []
  if field.default not in (None, '', ()):
    notes.append('default: %s' % (
        str(field.default).lower() if kind is bool else field.default))
  elif rules.get('required'):
    notes.append('required')
  notes += ['%s %s' % (words, rules[rule])
            for rule, words in BOUNDS.items() if rule in rules]
  note = '  (%s)' % ', '.join(notes) if notes else ''
  head = '  %s' % _signature(field, kind)
  if rules.get('choices') and len(head + note) > _WIDTH:
    head = '  --%s=NAME' % field.name
    meaning += ' One of: %s.' % ', '.join(rules['choices'])
  if 'only_if' in rules:
    name, (first, *others) = rules['only_if']
    meaning += ' Only with %s.' % ', '.join([
        setting(name, first), *map(str, others)])
  if 'only_if_set' in rules:
    meaning += ' Only with %s.' % ' or '.join(
        '--' + name for name in rules['only_if_set'])
  return textwrap.wrap(
      head + note, _WIDTH, subsequent_indent=' ' * 6, break_long_words=False,
      break_on_hyphens=False) + _indented(meaning)


def _signature(field, kind):
  """Returns a flag with the form of its value, such as --top_k=INT."""
  rules = field.metadata
  if rules.get('positional'):
    return spelled(field)
  if kind is bool:
    return '--[no]' + field.name
  value = rules.get('metavar') or _TYPES[kind]
  if rules.get('choices'):
    value = '{%s}' % ','.join(rules['choices'])
  elif kind is str and 'metavar' not in rules:
    value = _STRINGS.get(field.name.rpartition('_')[2], value)
  if rules.get('or_literal'):
    value += '|' + rules['or_literal']
  return '--%s=%s' % (field.name, value)


def _indented(sentences):
  return textwrap.wrap(
      sentences, _WIDTH, initial_indent=' ' * 6, subsequent_indent=' ' * 6,
      break_on_hyphens=False)


def _list(groups):
  """Returns the lines that name the flags that are not explained."""
  lines = ['', 'More flags:']
  for title, fields in groups.items():
    if title != _MOST_USED:
      names = ', '.join(spelled(field) for field, _ in fields)
      lines += ['  ' + title] + _indented(names)
  return lines
