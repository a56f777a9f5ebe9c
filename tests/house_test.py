"""The house numbers: how long, how deep, how wide, and in what words.

Function: from `def` to its last line at most 60 lines, 40 without docstrings,
  its own and those of functions inside it. A table is exempt: a function whose
  body, docstring aside, is one `return` of a list, tuple or dict written out.
Module: at most 400 lines.
Nesting: at most three of if, for, while and try inside each other in one
  function; else, elif, except and finally are on the level of what they belong
  to. `with` counts by itself, up to four: scopes are how networks are written.
Columns: 80; 100 in a row of a table, a line that begins inside a list, tuple
  or dict opened on an earlier line, comprehensions aside.
Indentation: two spaces a block.
Nowhere: marks of unfinished work, paths of one machine.

What a linter can check (quotes, imports, the syntax of Python 3.7) is in
pyproject.toml, for ruff.
"""
import collections
import io
import keyword
import pathlib
import re
import tokenize

import pytest

_ROOT = pathlib.Path(__file__).resolve().parent.parent
_FUNCTION_LINES = 60
_FUNCTION_LINES_WITHOUT_DOCSTRINGS = 40
_MODULE_LINES = 400
_NESTING = 3
_NESTED_WITH = 4
_COLUMNS = 80
_TABLE_COLUMNS = 100
_CONTROL = ('if', 'for', 'while', 'try', 'elif', 'else', 'except', 'finally')
_SKIPPED = ('build', 'dist', '__pycache__', 'node_modules')
_TEXT_FILES = ('.py', '.sh', '.md', '.cfg', '.ini', '.txt', '.ipynb')
_TEXT_NAMES = ('Makefile', 'run')
# Written so that this file does not hold the words.
_UNFINISHED = re.compile(r'\b(TO' + r'DO|FIX' + r'ME|XX' + r'X)\b')
_MACHINE_PATH = re.compile(r'(?<![\w.>)}])/(root|home|Users)/\w')

# A logical line: its tokens without comments and line ends, and how many
# blocks it is in.
_Statement = collections.namedtuple('_Statement', 'depth tokens')


def _files():
  """Yields the paths of the project's files, relative to its root."""
  folders = [_ROOT]
  while folders:
    for path in sorted(folders.pop().iterdir()):
      if path.name in _SKIPPED or (
          path.name.startswith('.') and path.name != '.ci'):
        continue
      if path.is_dir() and not (path / 'pyvenv.cfg').exists():
        folders.append(path)
      elif path.suffix in _TEXT_FILES or path.name in _TEXT_NAMES:
        yield path.relative_to(_ROOT).as_posix()


def _statements(tokens):
  """Returns the logical lines of a module."""
  statements = []
  depth = 0
  line = []
  for token in tokens:
    if token.type == tokenize.INDENT:
      depth += 1
    elif token.type == tokenize.DEDENT:
      depth -= 1
    elif token.type == tokenize.NEWLINE:
      statements += [_Statement(depth, line)] if line else []
      line = []
    elif token.type not in (tokenize.NL, tokenize.COMMENT, tokenize.ENCODING,
                            tokenize.ENDMARKER):
      line.append(token)
  return statements


def _first_word(statement):
  words = [token.string for token in statement.tokens[:2]]
  return words[1] if words[0] == 'async' else words[0]


def _is_docstring(statement):
  return [token.type for token in statement.tokens] == [tokenize.STRING]


def _rows(statement):
  return statement.tokens[0].start[0], statement.tokens[-1].end[0]


def _length(statement):
  first, last = _rows(statement)
  return last - first + 1


def _is_table(body):
  """Whether a function's statements are one `return` of a display."""
  if len(body) != 1 or _first_word(body[0]) != 'return':
    return False
  words = [token.string for token in body[0].tokens[1:]]
  level = 0
  for index, word in enumerate(words):
    level += word in ('(', '[', '{')
    level -= word in (')', ']', '}')
    if not level:
      return index > 0 and index == len(words) - 1
  return False


def _function_faults(statements):
  for index, statement in enumerate(statements):
    if _first_word(statement) != 'def':
      continue
    body = []
    for inner in statements[index + 1:]:
      if inner.depth <= statement.depth:
        break
      body.append(inner)
    first = _rows(statement)[0]
    last = _rows(body[-1] if body else statement)[1]
    docstrings = sum(_length(inner) for inner in body if _is_docstring(inner))
    if body and _is_docstring(body[0]):
      del body[0]
    lines = last - first + 1
    if not _is_table(body) and (
        lines > _FUNCTION_LINES or
        lines - docstrings > _FUNCTION_LINES_WITHOUT_DOCSTRINGS):
      yield first, 'function of %d lines, %d of them docstring; %d are ' \
          'allowed, %d without docstrings' % (
              lines, docstrings, _FUNCTION_LINES,
              _FUNCTION_LINES_WITHOUT_DOCSTRINGS)


def _nesting_faults(statements):
  blocks = []
  for statement in statements:
    del blocks[statement.depth:]
    blocks += [''] * (statement.depth - len(blocks))
    blocks.append(_first_word(statement))
    inside = list(blocks)
    while 'def' in inside or 'class' in inside:
      inside.pop(0)
    control = sum(word in _CONTROL for word in inside)
    scopes = inside.count('with')
    row = _rows(statement)[0]
    if inside and inside[-1] in _CONTROL and control == _NESTING + 1:
      yield row, '`%s` nested %d deep; %d are allowed' % (
          inside[-1], control, _NESTING)
    if inside and inside[-1] == 'with' and scopes == _NESTED_WITH + 1:
      yield row, '`with` nested %d deep; %d are allowed' % (
          scopes, _NESTED_WITH)


def _table_rows(tokens):
  """Returns the lines that begin inside a list, tuple or dict.

  A bracket after a name or after another value is a call or a subscript, a
  parenthesis without a comma a group, a bracket with a loop a comprehension.
  """
  opened = []
  began_in = {}
  previous = None
  for token in tokens:
    if token.type in (tokenize.NL, tokenize.COMMENT, tokenize.NEWLINE):
      continue
    if opened and token.start[0] not in began_in:
      began_in[token.start[0]] = list(opened)
    if token.type == tokenize.OP and token.string in '([{':
      is_value = previous is not None and (
          previous.string in (')', ']', '}') or
          previous.type == tokenize.STRING or
          previous.type == tokenize.NAME and
          not keyword.iskeyword(previous.string))
      opened.append({'is_display': not is_value, 'row': token.start[0],
                     'has_comma': token.string != '('})
    elif token.type == tokenize.OP and token.string in ')]}':
      opened.pop()
    elif opened and token.string == ',':
      opened[-1]['has_comma'] = True
    elif opened and token.string == 'for':
      opened[-1]['is_display'] = False
    previous = token
  return {row for row, brackets in began_in.items() for bracket in brackets
          if bracket['is_display'] and bracket['has_comma'] and
          row > bracket['row']}


def _column_faults(source, table_rows=()):
  for row, line in enumerate(source.splitlines(), 1):
    allowed = _TABLE_COLUMNS if row in table_rows else _COLUMNS
    if len(line) > allowed:
      yield row, '%d columns; %d are allowed%s' % (
          len(line), allowed, '' if row in table_rows else
          ', %d in a row of a table' % _TABLE_COLUMNS)


def _word_faults(source):
  for row, line in enumerate(source.splitlines(), 1):
    for pattern, rule in (
        (_UNFINISHED, 'finish it, or leave it out'),
        (_MACHINE_PATH, 'no path of one machine is allowed')):
      match = pattern.search(line)
      if match:
        yield row, '%r; %s' % (match.group(), rule)


def _indentation_faults(tokens):
  widths = [0]
  for token in tokens:
    if token.type == tokenize.INDENT:
      if token.string != ' ' * (widths[-1] + 2):
        yield token.start[0], 'block indented from %d to %d; two more spaces ' \
            'are allowed' % (widths[-1], len(token.string))
      widths.append(len(token.string))
    elif token.type == tokenize.DEDENT:
      widths.pop()


def _python_faults(source):
  faults = []
  tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
  statements = _statements(tokens)
  lines = source.count('\n')
  if lines > _MODULE_LINES:
    faults.append((lines, 'module of %d lines; %d are allowed' % (
        lines, _MODULE_LINES)))
  for found in (
      _function_faults(statements), _nesting_faults(statements),
      _column_faults(source, _table_rows(tokens)),
      _indentation_faults(tokens)):
    faults += found
  return faults


def _faults(path, source):
  """Returns a line of text for each rule that a file breaks."""
  faults = list(_word_faults(source))
  if path.endswith('.py'):
    faults += _python_faults(source)
  elif path.endswith('.sh') or path == '.ci/run':
    faults += _column_faults(source)
  return ['%s:%d: %s' % ((path,) + fault) for fault in sorted(faults)]


def test_every_file_keeps_the_house_numbers():
  faults = []
  for path in _files():
    faults += _faults(path, (_ROOT / path).read_text(encoding='utf-8'))
  for folder in {(_ROOT / path).parent for path in _files()
                 if path.startswith('tests/') and path.endswith('.py')}:
    if not (folder / '__init__.py').exists():
      faults.append('%s: every folder of tests needs an __init__.py' % (
          folder.relative_to(_ROOT)))
  assert not faults, '\n' + '\n'.join(faults)


def test_finds_the_files():
  assert {'setup.py', 'nets/nets_factory.py', 'tests/house_test.py', 'Makefile',
          '.ci/run', 'scripts/bootstrap.sh'} <= set(_files())


def _function(lines, docstring=0, body='  f()\n'):
  text = 'def f():\n'
  if docstring:
    text += '  """' + '\n' * (docstring - 1) + '"""\n'
  return text + body * (lines - docstring - 1)


@pytest.mark.parametrize('source', [
    _function(40),
    _function(60, docstring=20),
    'def f():\n  """Returns rows."""\n  return [\n' + '      1,\n' * 50 + '  ]',
    'f()\n' * 400,
    'if a:\n  for b in c:\n    try:\n      f()\n    except D:\n      g()\n'
    'elif e:\n  f()\nelse:\n  g()',
    'for a in b:\n  for c in d:\n    for e in f:\n      def g():\n'
    '        if h:\n          i()',
    'with a:\n  with b:\n    with c:\n      with d:\n        if e:\n'
    '          f()',
    'TABLE = [\n    %s,\n]' % ('1' * 90),
    'TABLE = (\n    Row(%s),\n)' % ('1' * 80),
    'TABLE = [\n    Row(\n        %s),\n]' % ('1' * 80),
    "f({\n    'a': %s,\n})" % ('1' * 80),
    'def f():\n' + re.sub('(?m)^', '  ', _function(59, docstring=20)),
    'f(\n    a)\n',
])
def test_allows(source):
  assert _faults('new.py', source) == []


@pytest.mark.parametrize('source, message', [
    (_function(41), 'new.py:1: function of 41 lines, 0 of them docstring; 60 '
     'are allowed, 40 without docstrings'),
    (_function(61, docstring=30), 'function of 61 lines, 30 of them docstring'),
    ('class A:\n' + re.sub('(?m)^', '  ', _function(41)),
     'new.py:2: function of 41'),
    ('def f():\n  return [\n' + '      1,\n' * 50 + '  ][a]',
     'function of 53 lines'),
    ('def f():\n  return g(\n' + '      1,\n' * 50 + '  )',
     'function of 53 lines'),
    ('f()\n' * 401, 'module of 401 lines; 400 are allowed'),
    ('for a in b:\n  while c:\n    if d:\n      try:\n        f()\n'
     '      finally:\n        g()', 'new.py:4: `try` nested 4 deep; 3 are'),
    ('if a:\n  f()\nelse:\n  if b:\n    if c:\n      if d:\n        f()',
     'new.py:6: `if` nested 4 deep'),
    ('with a:\n  with b:\n    with c:\n      with d:\n        with e:\n'
     '          f()', 'new.py:5: `with` nested 5 deep; 4 are allowed'),
    ('f = %s' % ('1' * 80), 'new.py:1: 84 columns; 80 are allowed, 100 in a'),
    ('f(\n    %s)' % ('1' * 80), 'new.py:2: 85 columns; 80'),
    ('f[\n    %s]' % ('1' * 80), 'new.py:2: 85 columns; 80'),
    ('a = (\n    %s)' % ('1' * 80), 'new.py:2: 85 columns; 80'),
    ('a = [\n    %s for b in c]' % ('1' * 80), 'columns; 80'),
    ('TABLE = [\n    %s,\n]' % ('1' * 100), '105 columns; 100 are allowed'),
    ('if a:\n    f()', 'new.py:2: block indented from 0 to 4; two more'),
    ('if a:\n\tf()', 'block indented from 0 to 1; two more'),
    ('# TO' + 'DO: later', 'finish it, or leave it out'),
    ("a = '/ho" + "me/me/data'", 'no path of one machine is allowed'),
])
def test_refuses(source, message):
  assert message in '\n'.join(_faults('new.py', source))


def test_shell_scripts_have_columns_too():
  assert _faults('scripts/new.sh', 'echo "%s"' % ('1' * 80)) == [
      'scripts/new.sh:1: 87 columns; 80 are allowed, 100 in a row of a table']
