"""Finds pictures and their classes: in folders, or in a list.

| source               | classes                                | splits       |
|----------------------|----------------------------------------|--------------|
| folder of folders    | the sub-folders                        | one, 'train' |
| train/, validation/, | the sub-folders of each; `val` stands  | as named     |
| test/ (or some)      | for `validation`                       |              |
| file.csv, file.jsonl | the labels; paths from the list's      | one, 'train' |
|                      | folder                                 |              |

A class's id is its place among the sorted names.

A list is multi-label, each picture with any number of classes, as soon as one
of its pictures has several, written `cat|dog` in a csv file and ["cat", "dog"]
in a jsonl file. There a label that is empty ([] in a jsonl file) says that no
class is to be seen.
"""
import collections
import csv
import json
import os
import random

# path: of the file; name: its path in the source; class_names: a tuple, of one
# name unless the list is multi-label.
Picture = collections.namedtuple('Picture', 'path name class_names')

# splits: a dict of split name to a list of Pictures, sorted by name.
# class_names: a sorted list.
# skipped: a Counter of what was passed over, in words; is_chosen: whether the
# user named each file, so that none may be passed over; multi_label: whether a
# picture has any number of classes.
Listing = collections.namedtuple(
    'Listing', 'splits class_names skipped is_chosen multi_label',
    defaults=(False,))

LIST_SUFFIXES = ('.csv', '.jsonl')
_SPLIT_FOLDERS = {'train': 'train', 'validation': 'validation',
                  'val': 'validation', 'test': 'test'}
_HEADER = ('path', 'label')
_BETWEEN_LABELS = '|'


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
                         (class_name,)) for name in sorted(found)]
  return pictures


def from_list(path):
  """Lists the pictures that a csv or jsonl file names.

  A csv file has two columns, path and label, or a first line that names its
  columns, two of them so. A jsonl file has an object with `path` and `label`
  on each line. A label is the name of a class; for several names and for none
  see above.

  Args:
    path: of the list; paths in it start from its folder.

  Returns:
    A `Listing`.

  Raises:
    ValueError: a line cannot be understood, or names a picture again.
  """
  rows = list(_jsonl_rows(path) if path.lower().endswith('.jsonl') else
              _csv_rows(path))
  multi_label = any(isinstance(label, list) for _, _, label in rows)
  folder = os.path.dirname(path)
  lines = {}
  pictures = []
  for number, name, label in rows:
    if not isinstance(name, str) or not name:
      raise ValueError('%s, line %d: path is %r; a file name is needed' % (
          path, number, name))
    if name in lines:
      raise ValueError('%s, line %d names %s again, after line %d' % (
          path, number, name, lines[name]))
    lines[name] = number
    pictures.append(Picture(
        os.path.join(folder, name), name,
        _class_names(label, multi_label, '%s, line %d' % (path, number))))
  pictures.sort(key=lambda picture: picture.name)
  return _listing({'train': pictures}, collections.Counter(), True, path,
                  multi_label)


def _class_names(label, multi_label, place):
  """Returns a label as a sorted tuple of names, each once.

  Args:
    label: what stands in the list, a name or a list of names.
    multi_label: whether there may be no name.
    place: of the label, for the messages.

  Raises:
    ValueError: there is no name in a list of one name a picture, or a name is
      empty, or neither text nor a number.
  """
  if multi_label and label == '':
    label = []
  names = label if isinstance(label, list) else [label]
  for name in names:
    if name == '' or isinstance(name, bool) or (
        not isinstance(name, (str, int, float))):
      raise ValueError(
          '%s: the label is %r; the name of a class is needed, or several as '
          'cat|dog in a csv file, ["cat", "dog"] in a jsonl file' % (
              place, label))
  return tuple(sorted(set(map(str, names))))


def _csv_rows(path):
  """Yields (line, path, label); a label of several names is a list."""
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
      name, label = (row[column] for column in columns)
      if _BETWEEN_LABELS in label:
        label = [part.strip() for part in label.split(_BETWEEN_LABELS)]
      yield reader.line_num, name, label


def _jsonl_rows(path):
  """Yields (line, path, label); a label of several names is a list."""
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


def _listing(splits, skipped, is_chosen, source, multi_label=False):
  """Returns a Listing after checking the names of the classes."""
  names = {split: classes_of(splits[split]) for split in splits}
  class_names = sorted(names['train'])
  if len(class_names) < (1 if multi_label else 2):
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
  return Listing(splits, class_names, skipped, is_chosen, multi_label)


def classes_of(pictures):
  """Returns the set of the names of the classes of pictures."""
  return {name for picture in pictures for name in picture.class_names}


def draw_validation(pictures, fraction, number, seed):
  """Splits pictures, each class in the same proportion.

  A picture of several classes counts for the rarest of them, and those of no
  class make a group of their own. Of each class at least one picture stays to
  train on.

  Args:
    pictures: a list of Pictures.
    fraction: the share to validate with, 0 <= fraction < 1; or None.
    number: how many to validate with; or None. One of the two is given.
    seed: of the draw, an integer.

  Returns:
    (to train on, to validate with), two lists.

  Raises:
    ValueError: so many cannot be had.
  """
  groups = _by_rarest_class(pictures)
  shuffler = random.Random(seed)
  covered = set()
  train, free = [], {}
  for name, group in groups.items():
    shuffler.shuffle(group)
    free[name] = []
    for picture in group:
      is_needed = not covered.issuperset(picture.class_names)
      (train if is_needed else free[name]).append(picture)
      covered.update(picture.class_names)
  most = sum(map(len, free.values()))
  if number is None:
    number = min(int(fraction * len(pictures) + 0.5), most)
  if number > most:
    raise ValueError(
        '--num_validation=%d of %d pictures leaves a class without one to '
        'train on: %d or fewer can be had' % (number, len(pictures), most))
  counts = _proportional({name: len(groups[name]) for name in groups},
                         {name: len(free[name]) for name in free}, number)
  validation = []
  for name in groups:
    validation += free[name][:counts[name]]
    train += free[name][counts[name]:]
  return train, validation


def _by_rarest_class(pictures):
  """Returns a dict of class name, the rarest first, to a list of pictures.

  Those of no class stand under ''.
  """
  frequencies = collections.Counter(
      name for picture in pictures for name in picture.class_names)

  def rareness(name):
    return frequencies[name], name

  groups = {}
  for picture in pictures:
    name = min(picture.class_names, key=rareness, default='')
    groups.setdefault(name, []).append(picture)
  return collections.OrderedDict(
      (name, groups[name]) for name in sorted(groups, key=rareness))


def _proportional(sizes, most, number):
  """Shares `number` out by size, each share at most `most`.

  Whole parts first; what is left goes to the largest remainders.
  """
  total = sum(sizes.values())
  counts = {name: min(number * sizes[name] // total, most[name])
            for name in sizes}
  by_remainder = sorted(
      sizes, key=lambda name: (-(number * sizes[name] % total), name))
  while sum(counts.values()) < number:
    for name in by_remainder:
      if counts[name] < most[name] and sum(counts.values()) < number:
        counts[name] += 1
  return counts
