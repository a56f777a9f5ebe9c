"""Finds the files of classes in the layouts that people keep images in.

| directory                         | classes                   | splits       |
|-----------------------------------|---------------------------|--------------|
| directories of images             | the directories           | one, 'train' |
| train/, validation/, test/ (other | the directories in each   | as named     |
| names and any case: see SPLIT_OF) |                           |              |

Directories below that of a class belong to the class. If there is nothing but
one directory of directories, as in an archive, that is used. Other layouts are
refused, in words that name what is there.
"""
import collections
import os
import re

from datasets.conversion import source_images

SPLIT_OF = {
    'train': 'train', 'training': 'train',
    'validation': 'validation', 'valid': 'validation', 'val': 'validation',
    'dev': 'validation',
    'test': 'test', 'testing': 'test'}
# The order of splits in a dataset.
SPLITS = ('train', 'validation', 'test')
EXPECTED = ('one directory per class, or train/, validation/ and test/ with '
            'one per class in each')

_WORDS = re.compile('[a-z]+')
# Directories that systems make beside images, with copies of them in some.
_OF_SYSTEMS = ('__macosx', '@eadir', '#recycle', '$recycle.bin', 'lost+found',
               'system volume information')
# Names of directories of one dataset that are no classes of it.
_OF_IMAGES = ('images', 'image', 'imgs', 'img', 'jpegimages', 'photos')
_OF_ANNOTATIONS = ('meta', 'metadata', 'annotations', 'annotation', 'labels',
                   'masks', 'lists', 'splits', 'imagesets', 'csv')
_USUAL_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.gif', '.webp', '.tif',
                   '.tiff')
_DIRECTORY, _FILE, _NEITHER = range(3)
_ENTRIES_SHOWN = 6


class Scan:
  """What is in a directory.

  Attributes:
    splits: dict of split name to `source_images.Images` without labels, in the
      order of the classes.
    skipped: Counter of the files left out, by reason.
    num_nested: number of images below another directory than that of their
      class.
    nested: name of one of them, or None.
  """

  def __init__(self, directory, title=None):
    """Finds the files.

    Args:
      directory: path of the directory.
      title: what messages call it; its path if None.

    Raises:
      ValueError: the layout is another one, or a class is empty.
    """
    self._directory, self._title = directory, title or directory
    self.skipped = collections.Counter()
    self.num_nested, self.nested = 0, None
    self.splits = collections.OrderedDict()
    self._root, names = self._find_root(directory)
    self._images = source_images.Images(self._root)
    split_names = self._split_names(names)
    if not split_names:
      self._check_classes(names)
      self.splits['train'] = self._in_classes(self._root, names)
    for split in [split for split in SPLITS if split in split_names]:
      name = split_names[split]
      above = os.path.join(self._root, name)
      classes = self._directories(above, ' of ' + name)
      if classes:
        self.splits[split] = self._in_classes(above, classes)
      elif split == 'train':
        self.refuse('%s/ holds no directories of classes' % name)
      else:
        print('%s/ holds no directories of classes: it is left out' % name)

  def shown(self, path):
    """Returns a path as the user knows it: in the source."""
    relative = os.path.relpath(path, self._directory)
    if relative == os.curdir:
      return self._title
    return self._title.rstrip('/') + '/' + relative

  def seen(self):
    """Returns what is in the directory of the classes or splits."""
    entries = []
    for name in sorted(os.listdir(self._root)):
      path = os.path.join(self._root, name)
      if os.path.isdir(path) and not is_left_out(name):
        directories, files = _content(path)
        entries.append('%s/ (directories: %d, files: %d)' % (
            name, len(directories), len(files)))
      elif not is_left_out(name):
        entries.append(name)
    more = len(entries) - _ENTRIES_SHOWN
    return ', '.join(entries[:_ENTRIES_SHOWN] + (
        ['and %d more' % more] if more > 0 else [])) or 'nothing'

  def refuse(self, fault):
    """Raises a ValueError that names the layouts and what is there."""
    raise ValueError('%s: %s. Expected: %s. Seen: %s' % (
        self.shown(self._root), fault, EXPECTED, self.seen()))

  def _find_root(self, directory):
    """Returns the directory of the classes or splits, and their names."""
    names = self._directories(directory)
    if len(names) == 1:
      inner = os.path.join(directory, names[0])
      if _content(inner)[0]:
        return self._find_root(inner)
    return directory, names

  def _directories(self, directory, of=''):
    """Returns the directories in a directory; counts the rest."""
    names, others = _content(directory, self.skipped)
    if others:
      self.skipped['outside the class directories' + of] += len(others)
    return names

  def _split_names(self, names):
    """Returns a dict of split to name of its directory; empty if there is none.

    Raises:
      ValueError: there are splits, but not as they are expected.
    """
    found = collections.OrderedDict()
    for name in names:
      found.setdefault(SPLIT_OF.get(name.lower()), []).append(name)
    if None in found:
      if any(_split_in(name) == 'train' and self._holds_directories_only(name)
             for name in names):
        self.refuse('some of its directories look like splits (%s), but not '
                    'all are called train, validation and test: rename or move '
                    'them' % ', '.join(filter(_split_in, names)))
      return {}
    if not any(_content(os.path.join(self._root, name))[0] for name in names):
      return {}
    for same in found.values():
      if len(same) > 1:
        raise ValueError('%s holds both %s: keep one' % (
            self.shown(self._root), ' and '.join(same)))
    if 'train' not in found:
      self.refuse('there is no train/ beside %s' % ', '.join(names))
    return {split: same[0] for split, same in found.items()}

  def _holds_directories_only(self, name):
    directories, others = _content(os.path.join(self._root, name))
    return bool(directories) and not any(
        name.lower().endswith(_USUAL_SUFFIXES) for name in others)

  def _check_classes(self, names):
    """Raises ValueError if directories are those of no classes."""
    lower = [name.lower() for name in names]
    images = [n for n in names if n.lower() in _OF_IMAGES]
    if images and len(names) > 1 and all(
        name in _OF_IMAGES + _OF_ANNOTATIONS for name in lower):
      self.refuse(
          'its directories are parts of a dataset, not classes: %s' % (
              self._advice(os.path.join(self._root, images[0]))
              if self._holds_directories_only(images[0]) else
              'give a list (.csv, .jsonl) of path,label'))
    if names and all(
        self._holds_directories_only(name) and all(
            below.lower() in SPLIT_OF for below in _content(
                os.path.join(self._root, name))[0]) for name in names):
      self.refuse('the splits are in the classes, not the classes in the '
                  'splits: move %s/NAME to NAME/%s' % (names[0], names[0]))

  def _advice(self, path):
    """Returns how to give a directory in the source."""
    if self._title == self._directory:
      return 'give %s if its directories are the classes' % self.shown(path)
    return ('unpack it and give its %s if the directories there are the classes'
            % os.path.relpath(path, self._directory))

  def _in_classes(self, above, class_names):
    """Returns the Images in the directories of classes in `above`."""
    first = len(self._images)
    for class_name in class_names:
      directory = os.path.join(above, class_name)
      found = self._files_below(directory)
      if not found:
        raise ValueError(
            'the class directory %s holds no images: fill it or remove it' %
            self.shown(directory))
      prefix = os.path.relpath(directory, self._root)
      for name in found:
        self._images.append(os.path.join(prefix, name), (class_name,))
        if os.sep in name:
          self.num_nested += 1
          self.nested = self.nested or os.path.join(prefix, name)
    return self._images[first:]

  def _files_below(self, directory):
    """Returns the sorted paths, in a directory, of the files at any depth."""
    found = []
    waiting = [('', frozenset())]
    while waiting:
      inner, above = waiting.pop()
      path = os.path.join(directory, inner)
      real = os.path.realpath(path)
      if real in above:
        self.skipped['links to a directory above'] += 1
        continue
      directories, files = _content(path, self.skipped)
      waiting += [(os.path.join(inner, name), above | {real})
                  for name in directories]
      found += [os.path.join(inner, name) for name in files]
    return sorted(found)


def _content(directory, skipped=None):
  """Returns the sorted names of directories, and of files, in a directory.

  Args:
    directory: path of the directory.
    skipped: Counter of what is left out, by reason; or None.
  """
  names = {_DIRECTORY: [], _FILE: [], _NEITHER: []}
  for entry in os.scandir(directory):
    kind = _kind(entry)
    if not is_left_out(entry.name):
      names[kind].append(entry.name)
    elif skipped is not None:
      _count(entry, kind, skipped)
  if skipped is not None and names[_NEITHER]:
    skipped['neither files nor directories'] += len(names[_NEITHER])
  return sorted(names[_DIRECTORY]), sorted(names[_FILE])


def _kind(entry):
  """Returns what an entry is; a broken link is a file, and a bad image."""
  try:
    if entry.is_dir():
      return _DIRECTORY
    return (_FILE if entry.is_file() or not os.path.exists(entry.path) else
            _NEITHER)
  except OSError:  # A link to itself.
    return _FILE


def is_left_out(name):
  """Whether a file or directory is hidden, or a copy that systems make."""
  return name.startswith('.') or name.lower() in _OF_SYSTEMS


def _count(entry, kind, skipped):
  """Counts a file that is left out, or the files in a directory that is."""
  if kind != _DIRECTORY:
    skipped['hidden'] += 1
    return
  reason = ('in hidden directories' if entry.name.startswith('.') else
            'in %s, a directory of the system' % entry.name)
  count = sum(len(files) for _, _, files in os.walk(entry.path))
  if count:
    skipped[reason] += count


def _split_in(name):
  """Returns the split that a word of a name means, as in seg_train; or None."""
  return next((SPLIT_OF[word] for word in _WORDS.findall(name.lower())
               if word in SPLIT_OF), None)
