"""Finds images and their classes: in directories, or in a list.

`class_directories` says which layouts of directories are understood, and
`list_files` which lists. A list may name the split of each image; else all are
of the split 'train', as are those of a directory without splits.

Paths in a list are relative to its directory. A class id is the index of the
class among the sorted names. Names are equal if they look equal: the composed
and the decomposed form of a letter (NFC and NFD), and the numbers 1 and 1.0 of
a list, are one class.

A list is multi-label, each image with any number of classes, if one of its
images has several, written `cat|dog` in a csv file and ["cat", "dog"] in a
jsonl file. In such a list an empty label ([] in a jsonl file) says that the
image shows no class.

A jsonl file may have labels of several tasks: {"digit": "7", "odd": ["yes"]}.
Its classes are named digit:7 and odd:yes. An image may lack a task; it gets the
class odd:? then. A task is multi-label if one of its labels is a list.
"""
import collections
import os
import re
import unicodedata

from datasets.conversion import class_directories
from datasets.conversion import label_tasks
from datasets.conversion import list_files
from slim_common import image_formats


class Image(collections.namedtuple('Image', 'path name label class_names')):
  """An image of a source, as `shards` describes it.

  Attributes:
    path: path of the file.
    name: its path in the source.
    label: class id, or tuple of class ids of a multi-label list.
    class_names: tuple of names; of one name unless the list is multi-label.
  """


class Listing(collections.namedtuple(
    'Listing', 'splits class_names skipped is_chosen multi_label')):
  """The images of a source.

  Attributes:
    splits: dict of split name to list of `Image`s, sorted by name.
    class_names: sorted list.
    skipped: Counter of the files left out, by reason.
    is_chosen: whether the user named each file, so that none is left out.
    multi_label: whether an image has any number of classes, not one; of a list
      of several tasks, the dict of each task's name to whether it is so.
  """


_FLOAT = re.compile(r'-?\d+\.0+')


def from_directory(directory, title=None):
  """Lists the images in a directory of classes or of splits.

  Args:
    directory: path of the directory.
    title: what messages call it; its path if None.

  Returns:
    A `Listing`. Any visible file in the directory of a class is listed.

  Raises:
    ValueError: there are no classes, a class is empty, a name cannot be used,
      or a class is missing from 'train'.
  """
  scan = class_directories.Scan(directory, title)
  splits = collections.OrderedDict()
  for split in list(scan.splits):
    # Each list of a million goes when the next one is complete.
    splits[split] = [Image(file.path, file.name, None, (file.class_name,))
                     for file in scan.splits.pop(split)]
  _check_each_has_images(splits['train'], scan)
  if scan.nested:
    print('%d files are in directories below those of the classes and belong '
          'to the class above, such as %r' % (
              len(scan.nested), scan.nested[0]))
  listing = _listing(splits, scan.skipped, False, scan.shown(directory))
  if len(listing.class_names) < 2:
    scan.refuse('holds %d classes; 2 or more are needed' % len(
        listing.class_names))
  return listing


def _check_each_has_images(images, scan):
  """Raises ValueError if a class has only files of other kinds."""
  with_images = set()
  for image in images:
    if image.class_names[0] not in with_images and _may_be_image(image):
      with_images.add(image.class_names[0])
  empty = sorted(classes_of(images) - with_images)
  if empty:
    scan.refuse('no file in %s is an image' % ', '.join(empty))


def from_list(path):
  """Lists the images that a csv or jsonl file names.

  Args:
    path: path of the list; paths in it start from its directory.

  Returns:
    A `Listing`.

  Raises:
    ValueError: a line cannot be understood, or names an image again.
  """
  rows = list_files.read(path)
  tasks = label_tasks.of_rows(rows, path)
  multi_label = tasks or any(isinstance(row.label, list) for row in rows)
  directory = os.path.dirname(path)
  lines = {}
  splits = collections.OrderedDict()
  for row in rows:
    name = _existing(directory, row.path)
    same = os.path.normpath(os.path.join(directory, name))
    if same in lines:
      raise ValueError('%s, line %d names %s again, after line %d' % (
          path, row.line, name, lines[same]))
    lines[same] = row.line
    splits.setdefault(row.split or 'train', []).append(Image(
        os.path.join(directory, name), name, None, _class_names(
            label_tasks.joined(row, tasks, path) if tasks else row.label,
            multi_label, '%s, line %d' % (path, row.line))))
  if splits and 'train' not in splits:
    raise ValueError('%s names no image of the split train' % path)
  listing = _listing(collections.OrderedDict(
      (split, sorted(splits.get(split, ()), key=lambda image: image.name))
      for split in class_directories.SPLITS
      if split in splits or split == 'train'), collections.Counter(), True,
                     path, multi_label)
  if len(listing.class_names) < (1 if multi_label else 2):
    raise ValueError('%s holds %d classes; 2 or more are needed: lines of '
                     'path,label' % (path, len(listing.class_names)))
  return listing


def _existing(directory, name):
  """Returns a path as the disk has it: its letters or separators may differ."""
  for form in (name, unicodedata.normalize('NFC', name),
               unicodedata.normalize('NFD', name), name.replace('\\', '/')):
    if os.path.lexists(os.path.join(directory, form)):
      return form
  return name


def _class_names(label, multi_label, position):
  """Returns a label as a sorted tuple of names, each once.

  Args:
    label: a str or a list of str.
    multi_label: whether there can be no name.
    position: file and line of the label, for the messages.

  Raises:
    ValueError: there is no name in a list of one name per image, or a name is
      empty.
  """
  if multi_label and label == '':
    label = []
  names = label if isinstance(label, list) else [label]
  if '' in names:
    raise ValueError(
        '%s: the label is %r; the name of a class is needed, or several as '
        'cat|dog in a csv file, ["cat", "dog"] in a jsonl file' % (
            position, label))
  return tuple(sorted(set(names)))


def _listing(splits, skipped, is_chosen, source, multi_label=False):
  """Returns a Listing with labels; checks the names of the classes."""
  _give_one_spelling(splits, numbers=is_chosen)
  names = {split: classes_of(splits[split]) for split in splits}
  class_names = sorted(names['train'].union(*[
      {name for name in names[split]
       if label_tasks.is_unknown(name, multi_label)} for split in names]))
  for split in names:
    unknown = sorted(name for name in names[split] - names['train']
                     if not label_tasks.is_unknown(name, multi_label))
    if unknown:
      raise ValueError('%s: %s has the classes %s, which are not in train' % (
          source, split, ', '.join(unknown)))
  for name in class_names:
    try:
      name.encode('utf-8')
    except UnicodeEncodeError:
      raise ValueError('%s: the class name %r is not UTF-8: rename it' % (
          source, name))
    if any(end in name for end in '\n\r\0'):
      raise ValueError('%s: the class name %r has a line end: rename it' % (
          source, name))
  ids = {name: k for k, name in enumerate(class_names)}

  def label_of(class_names):
    label = tuple(ids[name] for name in class_names)
    return label if multi_label else label[0]

  labels = _Remembered(label_of)
  for split in splits:
    splits[split] = [image._replace(label=labels[image.class_names])
                     for image in splits[split]]
  return Listing(splits, class_names, skipped, is_chosen, multi_label)


class _Remembered(dict):
  """A dict of arguments to the results of a function, one object for each.

  Images share the few tuples there are.

  Args:
    function: function of one argument, called once for each.
  """

  def __init__(self, function):
    super().__init__()
    self._function = function

  def __missing__(self, argument):
    self[argument] = self._function(argument)
    return self[argument]


def _give_one_spelling(splits, numbers):
  """Replaces the lists by those with one name for each class.

  What is joined is printed.

  Args:
    splits: dict of split name to list of `Image`s; changed.
    numbers: whether 1.0 is 1, if there is a 1.
  """
  names = sorted(set().union(*map(classes_of, splits.values())))
  spelling = {name: unicodedata.normalize('NFC', name) for name in names}
  known = set(spelling.values())
  for name, form in spelling.items():
    if numbers and _FLOAT.fullmatch(form) and (
        form.split('.')[0] in known):
      spelling[name] = form.split('.')[0]
  by_spelling = collections.defaultdict(list)
  for name in names:
    by_spelling[spelling[name]].append(name)
  for form, same in by_spelling.items():
    if len(same) > 1:
      print('%s are one class, %r' % (' and '.join(map(ascii, same)), form))
  shared = _Remembered(
      lambda names: tuple(sorted({spelling[name] for name in names})))
  for split in splits:
    splits[split] = [image._replace(class_names=shared[image.class_names])
                     for image in splits[split]]


def classes_of(images):
  """Returns the set of the names of the classes of images."""
  return {name for image in images for name in image.class_names}


def check_classes(class_names, images):
  """Raises ValueError if a class has none of the images to train on."""
  empty = {name for name in set(class_names) - classes_of(images)
           if not name.endswith(label_tasks.UNKNOWN)}
  if empty:
    raise ValueError('no good image to train on is left in the classes: %s' %
                     ', '.join(sorted(empty)))


def without_other_files(listing):
  """Returns a Listing without files that are no image by name and content.

  Args:
    listing: a `Listing`; returned as it is if the user chose the files.
  """
  if listing.is_chosen:
    return listing
  splits, others = collections.OrderedDict(), []
  for split, images in listing.splits.items():
    splits[split] = []
    for image in images:
      if _may_be_image(image):
        splits[split].append(image)
      else:
        others.append(image.name)
  skipped = listing.skipped + collections.Counter(
      {'no images by name or content, such as %r' % others[0]: len(others)}
      if others else {})
  return listing._replace(splits=splits, skipped=skipped)


def _may_be_image(image):
  if image.name.lower().endswith(image_formats.ENDINGS):
    return True
  try:
    with open(image.path, 'rb', buffering=0) as source:
      head = source.read(image_formats.HEAD_SIZE)
    # An image in a format that is not read is a bad one, not left out.
    return bool(image_formats.detect(head) or image_formats.unread(head))
  except OSError:
    return True  # A bad one.


def features_of(image, verdict):
  """Returns the features of an image's record.

  Args:
    image: an `Image`.
    verdict: the `image_checks.Verdict` on it.
  """
  label = image.label
  return {
      'image/encoded': verdict.content,
      'image/format': verdict.image_format.encode(),
      'image/class/label': list(label) if isinstance(label, tuple) else label,
      'image/height': verdict.height,
      'image/width': verdict.width,
      'image/filename': image.name.encode('utf-8', 'surrogateescape'),
  }
