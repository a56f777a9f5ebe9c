"""Finds pictures and their classes: in folders, or in a list.

| source               | classes                                | splits       |
|----------------------|----------------------------------------|--------------|
| folder of folders    | the sub-folders                        | one, 'train' |
| train/, validation/, | the sub-folders of each; `val` stands  | as named     |
| test/ (or some)      | for `validation`                       |              |
| file.csv, file.jsonl | the labels; paths from the list's      | one, 'train' |
|                      | folder                                 |              |

A class's id is its place among the sorted names.
"""
import collections
import csv
import json
import os
import random

# path: of the file; name: its path in the source; class_name: a str.
Picture = collections.namedtuple('Picture', 'path name class_name')

# splits: a dict of split name to a list of Pictures, sorted by name.
# class_names: a sorted list.
# skipped: a Counter of what was passed over, in words; is_chosen: whether the
# user named each file, so that none may be passed over.
Listing = collections.namedtuple(
    'Listing', 'splits class_names skipped is_chosen')

LIST_SUFFIXES = ('.csv', '.jsonl')
_SPLIT_FOLDERS = {'train': 'train', 'validation': 'validation',
                  'val': 'validation', 'test': 'test'}
_HEADER = ('path', 'label')


def from_folder(folder):
  """Lists the pictures in a folder of classes or of splits.

  Where the folder holds nothing but one folder of folders, as an archive
  does, that is taken.

  Args:
    folder: its path.

  Returns:
    A `Listing`. Any visible file in a class's folder counts as a picture.

  Raises:
    ValueError: there are no classes, a class is empty, a name cannot be used,
      or a class is missing from 'train'.
  """
  skipped = collections.Counter()
  root, names = _root(folder, skipped)
  if 'train' in names and all(name in _SPLIT_FOLDERS for name in names):
    if 'val' in names and 'validation' in names:
      raise ValueError('%s holds both val and validation: keep one' % root)
    splits = collections.OrderedDict()
    for name in sorted(names, key=list(_SPLIT_FOLDERS).index):
      place = os.path.join(root, name)
      splits[_SPLIT_FOLDERS[name]] = _in_classes(
          root, place, _folders_in(place, skipped), skipped)
  else:
    splits = {'train': _in_classes(root, root, names, skipped)}
  return _listing(splits, skipped, False, folder)


def _root(folder, skipped):
  """Returns the folder of the classes or splits, and their names."""
  names = _folders_in(folder, skipped)
  if len(names) == 1:
    inner = os.path.join(folder, names[0])
    if _folders_in(inner, collections.Counter()):
      return _root(inner, skipped)
  return folder, names


def _folders_in(folder, skipped):
  """Returns the sorted names of visible folders; counts what else is there."""
  names = []
  for entry in os.scandir(folder):
    if entry.name.startswith('.'):
      skipped['hidden'] += 1
    elif entry.is_dir():
      names.append(entry.name)
    else:
      skipped['outside the class folders'] += 1
  return sorted(names)


def _in_classes(root, place, class_names, skipped):
  """Returns the Pictures in the folders of classes below `place`."""
  pictures = []
  for class_name in class_names:
    folder = os.path.join(place, class_name)
    found = []
    for entry in os.scandir(folder):
      if entry.name.startswith('.'):
        skipped['hidden'] += 1
      elif entry.is_dir():
        skipped['nested folders'] += 1
      elif entry.is_file() or not os.path.exists(entry.path):
        found.append(entry.name)
      else:
        skipped['neither files nor folders'] += 1
    if not found:
      raise ValueError('the class folder %s holds no pictures: fill it or '
                       'remove it' % folder)
    above = os.path.relpath(folder, root)
    pictures += [Picture(os.path.join(folder, name), os.path.join(above, name),
                         class_name) for name in sorted(found)]
  return pictures


def from_list(path):
  """Lists the pictures that a csv or jsonl file names.

  A csv file has two columns, path and label, or a first line that names its
  columns, two of them so. A jsonl file has an object with `path` and `label`
  on each line.

  Args:
    path: of the list; paths in it start from its folder.

  Returns:
    A `Listing`.

  Raises:
    ValueError: a line cannot be understood, or names a picture again.
  """
  rows = _jsonl_rows(path) if path.lower().endswith('.jsonl') else (
      _csv_rows(path))
  folder = os.path.dirname(path)
  lines = {}
  pictures = []
  for number, name, label in rows:
    if isinstance(label, (list, tuple)):
      raise ValueError('%s, line %d has several labels: one label a picture '
                       'can be converted' % (path, number))
    if not isinstance(name, str) or not name or label in (None, ''):
      raise ValueError('%s, line %d: path is %r and label %r; both are needed'
                       % (path, number, name, label))
    if name in lines:
      raise ValueError('%s, line %d names %s again, after line %d' % (
          path, number, name, lines[name]))
    lines[name] = number
    pictures.append(Picture(os.path.join(folder, name), name, str(label)))
  pictures.sort(key=lambda picture: picture.name)
  return _listing({'train': pictures}, collections.Counter(), True, path)


def _csv_rows(path):
  """Yields (line, path, label)."""
  columns = None
  with _opened_list(path) as source:
    reader = csv.reader(source)
    for row in reader:
      lowered = [cell.strip().lower() for cell in row]
      if not any(lowered):
        continue
      if columns is None:
        has_header = all(word in lowered for word in _HEADER)
        columns = ([lowered.index(word) for word in _HEADER]
                   if has_header else [0, 1])
        width = len(row) if has_header else 2
        if has_header:
          continue
      if len(row) != width:
        raise ValueError('%s, line %d has %d columns, not %d: path,label' % (
            path, reader.line_num, len(row), width))
      yield [reader.line_num] + [row[column] for column in columns]


def _jsonl_rows(path):
  """Yields (line, path, label)."""
  with _opened_list(path) as source:
    for number, line in enumerate(source, 1):
      if not line.strip():
        continue
      try:
        row = json.loads(line)
        yield number, row['path'], row['label']
      except (ValueError, TypeError, KeyError):
        raise ValueError(
            '%s, line %d is no object with path and label, such as {"path": '
            '"a.jpg", "label": "cat"}' % (path, number))


def _opened_list(path):
  return open(path, encoding='utf-8-sig', errors='surrogateescape', newline='')


def _listing(splits, skipped, is_chosen, source):
  """Returns a Listing after checking the names of the classes."""
  names = {split: {picture.class_name for picture in splits[split]}
           for split in splits}
  class_names = sorted(names['train'])
  if len(class_names) < 2:
    raise ValueError(
        '%s holds %d classes; 2 or more are needed: one sub-folder a class, '
        'train/ and validation/ above them, or a list (.csv, .jsonl) of '
        'path,label' % (source, len(class_names)))
  for split in names:
    unknown = sorted(names[split] - names['train'])
    if unknown:
      raise ValueError('%s has the classes %s, which train has not' % (
          split, ', '.join(unknown)))
  for name in class_names:
    try:
      name.encode('utf-8')
    except UnicodeEncodeError:
      raise ValueError('the class name %r is not UTF-8: rename it' % name)
    if '\n' in name or '\r' in name:
      raise ValueError('the class name %r has a line end: rename it' % name)
  return Listing(splits, class_names, skipped, is_chosen)


def draw_validation(pictures, fraction, number, seed):
  """Splits pictures, each class in the same proportion.

  Of each class at least one picture stays to train on.

  Args:
    pictures: a list with an attribute `class_name`.
    fraction: the share to validate with, 0 <= fraction < 1; or None.
    number: how many to validate with; or None. One of the two is given.
    seed: of the draw, an integer.

  Returns:
    (to train on, to validate with), two lists.

  Raises:
    ValueError: so many cannot be had.
  """
  by_class = collections.OrderedDict()
  for picture in pictures:
    by_class.setdefault(picture.class_name, []).append(picture)
  most = len(pictures) - len(by_class)
  if number is None:
    number = min(int(fraction * len(pictures) + 0.5), most)
  if number > most:
    raise ValueError(
        '--num_validation=%d of %d pictures leaves a class without one to '
        'train on: %d or fewer can be had' % (number, len(pictures), most))
  counts = _proportional({name: len(of_class)
                          for name, of_class in by_class.items()}, number)
  shuffler = random.Random(seed)
  train, validation = [], []
  for name, of_class in by_class.items():
    shuffler.shuffle(of_class)
    validation += of_class[:counts[name]]
    train += of_class[counts[name]:]
  return train, validation


def _proportional(sizes, number):
  """Shares `number` out by size, each share under its size.

  Whole parts first; what is left goes to the largest remainders.
  """
  total = sum(sizes.values())
  counts = {name: min(number * sizes[name] // total, sizes[name] - 1)
            for name in sizes}
  by_remainder = sorted(
      sizes, key=lambda name: (-(number * sizes[name] % total), name))
  while sum(counts.values()) < number:
    for name in by_remainder:
      if counts[name] < sizes[name] - 1 and sum(counts.values()) < number:
        counts[name] += 1
  return counts
