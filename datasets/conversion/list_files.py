"""Reads lists of images: csv files, and jsonl files of an object per line.

The columns, or keys, have any of the usual names below. A csv file may leave
out its first line, the header; then it has two columns, path and label. Blanks
around fields do not count.
"""
import collections
import csv
import json
import os
import re

from datasets.conversion import class_directories

SUFFIXES = ('.csv', '.jsonl')
# Names of columns and keys, in order of preference; - and blanks count as _.
_NAMES = {
    'path': ('path', 'file_path', 'filepath', 'image_path', 'img_path',
             'filename', 'file_name', 'image_name', 'file', 'image', 'img'),
    'label': ('label', 'labels', 'class', 'class_name', 'classname',
              'category', 'category_name'),
    'split': ('split', 'set', 'subset', 'partition'),
}
_BETWEEN_LABELS = '|'
_OTHER_SEPARATORS = ((';', 'semicolons'), ('\t', 'tabs'))
_TASK = re.compile(r'[A-Za-z0-9][A-Za-z0-9_.-]*')
_OUTPUTS = ('input', 'logits', 'predictions', 'image_bytes', 'embedding')
_BLANKS_AFTER_QUOTE = re.compile(r'(?<!")"[ \t]+(?=,|\r?\n|$)')
_SIXTEEN_BITS = (b'\xff\xfe', b'\xfe\xff')
_HEAD_SIZE = 1 << 12
_JSONL_FORM = '{"path": "a.jpg", "label": "cat"}'


class Row(collections.namedtuple('Row', 'line path label split')):
  """An image in a list.

  Attributes:
    line: number of its line, from 1.
    path: what stands there as path, a str without blanks around it.
    label: name of a class, a str; of several or none, a list; of several tasks,
      a dict of the name of each task to one of these.
    split: 'train', 'validation' or 'test'; None if the list names no splits.
  """


def read(path):
  """Yields the `Row`s of a csv or jsonl file.

  Raises:
    ValueError: a line cannot be understood; the message names file and line.
    OSError: the file cannot be read.
  """
  with open(path, 'rb') as source:
    head = source.read(_HEAD_SIZE)
  if head.startswith(_SIXTEEN_BITS) or b'\0' in head:
    raise ValueError('%s, line 1 is UTF-16 or not text: save the list as '
                     'UTF-8' % path)
  fields = _jsonl_fields if path.lower().endswith('.jsonl') else _csv_fields
  for line, values in fields(path):
    yield Row(line, _path(values['path'], path, line),
              _label(values['label'], path, line),
              _split(values['split'], path, line) if 'split' in values else
              None)


def _path(value, path, line):
  """Returns the path in a row; raises ValueError if it cannot be one."""
  if not isinstance(value, str) or not value.strip():
    raise ValueError('%s, line %d: path is %r; a file name is needed' % (
        path, line, value))
  try:
    if '\0' in value:
      raise UnicodeError
    value.encode('utf-8', 'surrogateescape')
  except UnicodeError:
    raise ValueError('%s, line %d: path is %r, which is no file name' % (
        path, line, value))
  return value.strip()


def _label(value, path, line):
  """Returns the label in a row, a str, a list of str or a dict of these."""
  if isinstance(value, dict):
    # A task without a value is one that is not named.
    return {_task(task, path, line): _label_of_task(label, path, line)
            for task, label in value.items() if label is not None}
  return _label_of_task(value, path, line)


def _task(name, path, line):
  if not _TASK.fullmatch(name) or name in _OUTPUTS:
    raise ValueError(
        '%s, line %d: %r cannot be the name of a task, which is one of the '
        "network's outputs: letters, digits, _, . and -, and none of %s" % (
            path, line, name, ', '.join(_OUTPUTS)))
  return name


def _label_of_task(value, path, line):
  names = value if isinstance(value, list) else [value]
  for name in names:
    if isinstance(name, bool) or not isinstance(name, (str, int, float)) or (
        name != name or name in (float('inf'), float('-inf'))):
      raise ValueError(
          '%s, line %d: the label is %r; the name of a class is needed, or '
          'several as cat|dog in a csv file, ["cat", "dog"] in a jsonl file' % (
              path, line, value))
  names = [str(int(name) if isinstance(name, float) and name == int(name) else
               name).strip() for name in names]
  return names if isinstance(value, list) else names[0]


def _split(value, path, line):
  """Returns the split in a row."""
  split = class_directories.SPLIT_OF.get(str(value).strip().lower())
  if not split:
    raise ValueError('%s, line %d: the split is %r; it is one of: %s' % (
        path, line, value, ', '.join(class_directories.SPLITS)))
  return split


def _csv_fields(path):
  """Yields (line, dict of 'path', 'label' and maybe 'split' to text)."""
  columns, width = None, None
  for line, row in _csv_rows(path):
    if columns is None:
      columns = _columns(row, path, line)
      width = len(row)
      if columns:
        continue
      columns, width = {'path': 0, 'label': 1}, 2
    if len(row) != width:
      raise ValueError(
          '%s, line %d has %d columns, not %d: path,label, or as many as the '
          'first line names%s' % (
              path, line, len(row), width, _other_separator(row)))
    values = {name: row[column] for name, column in columns.items()}
    if _BETWEEN_LABELS in values['label']:
      values['label'] = values['label'].split(_BETWEEN_LABELS)
    yield line, values


def _csv_rows(path):
  """Yields (number of its first line, fields) of each row that is not blank."""
  with open(path, encoding='utf-8-sig', errors='surrogateescape',
            newline='') as source:
    reader = csv.reader((_BLANKS_AFTER_QUOTE.sub('"', line) for line in source),
                        strict=True, skipinitialspace=True)
    line = 1
    while True:
      try:
        row = next(reader, None)
      except csv.Error as error:
        raise ValueError('%s, line %d is no row of a csv file, or has a quote '
                         'without its pair (%s)' % (path, line, error))
      if row is None:
        return
      if any('\n' in field.strip() or '\r' in field.strip() for field in row):
        raise ValueError('%s, line %d: a field that begins there has a line '
                         'end, or its quote has no pair' % (path, line))
      if any(field.strip() for field in row):
        yield line, row
      line = reader.line_num + 1


def _columns(row, path, line):
  """Returns a dict of name to index of the columns that a header names.

  Returns:
    The dict; empty if the row is no header.

  Raises:
    ValueError: the row names one of path and label, but not the other.
  """
  words = [_word(field) for field in row]
  columns = _chosen(words)
  if 'path' in columns and 'label' in columns:
    return {name: words.index(word) for name, word in columns.items()}
  is_file = '.' in row[0] or os.path.exists(
      os.path.join(os.path.dirname(path), row[0]))
  if len(columns) > 1 or (columns and (len(row) > 2 or not is_file)):
    missing = next(name for name in ('path', 'label') if name not in columns)
    raise ValueError('%s, line %d names no column for the %s, which is one of: '
                     '%s' % (path, line, missing, ', '.join(_NAMES[missing])))
  return {}


def _chosen(words):
  """Returns a dict of 'path', 'label', 'split' to the word that names it."""
  found = {name: [known for known in _NAMES[name] if known in words]
           for name in _NAMES}
  return {name: found[name][0] for name in found if found[name]}


def _word(field):
  return field.strip().lower().replace(' ', '_').replace('-', '_')


def _other_separator(row):
  if len(row) == 1:
    for separator, name in _OTHER_SEPARATORS:
      if separator in row[0]:
        return '; it is separated by %s: save it with commas' % name
  return ''


def _jsonl_fields(path):
  """Yields (line, dict of 'path', 'label' and maybe 'split' to values)."""
  has_split = None
  with open(path, encoding='utf-8-sig', errors='surrogateescape',
            newline='') as source:
    for line, text in enumerate(source, 1):
      if not text.strip():
        continue
      values = _values_of(text)
      if values is None:
        raise ValueError('%s, line %d is not an object with path and label: %s'
                         % (path, line, _JSONL_FORM))
      if has_split is None:
        has_split = 'split' in values
      if has_split != ('split' in values):
        raise ValueError('%s, line %d has %s split, unlike the lines before: '
                         'all images have one, or none' % (
                             path, line, 'no' if has_split else 'a'))
      yield line, values


def _values_of(text):
  """Returns the values in a line of a jsonl file; None if they are missing."""
  try:
    row = json.loads(text)
  except (ValueError, RecursionError):
    return None
  if not isinstance(row, dict):
    return None
  words = {_word(key): key for key in row}
  columns = _chosen(words)
  if 'path' not in columns or 'label' not in columns:
    return None
  return {name: row[words[word]] for name, word in columns.items()}
