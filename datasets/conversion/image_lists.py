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
import array
import collections
import os
import re
import unicodedata

import numpy as np

from datasets.conversion import class_directories
from datasets.conversion import label_tasks
from datasets.conversion import list_files
from datasets.conversion import source_images
from slim_common import image_formats


class Listing(collections.namedtuple(
    'Listing', 'splits class_names skipped is_chosen multi_label')):
  """The images of a source.

  Attributes:
    splits: dict of split name to `source_images.Images`, which share their
      tables.
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
  _check_each_has_images(scan.splits['train'], scan)
  if scan.nested:
    print('%d files are in directories below those of the classes and belong '
          'to the class above, such as %r' % (scan.num_nested, scan.nested))
  listing = _listing(scan.splits, scan.skipped, False, scan.shown(directory))
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
  empty = sorted(images.classes() - with_images)
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
  # The list is read twice, so that no more than a line of it is in memory.
  multi_label = label_tasks.multi_label(list_files.read(path), path)
  directory = os.path.dirname(path)
  images = source_images.Images(directory)
  lines, indices = array.array('Q'), {}
  for row in list_files.read(path):
    indices.setdefault(row.split or 'train', array.array('I')).append(
        len(images))
    lines.append(row.line)
    images.append(_existing(directory, row.path), _class_names(
        label_tasks.joined(row, multi_label, path)
        if isinstance(row.label, dict) else row.label,
        multi_label, '%s, line %d' % (path, row.line)))
  _check_no_image_again(images, lines, path)
  if indices and 'train' not in indices:
    raise ValueError('%s names no image of the split train' % path)
  listing = _listing(collections.OrderedDict(
      (split, images.select(indices.get(split, ())).sorted())
      for split in class_directories.SPLITS
      if split in indices or split == 'train'), collections.Counter(), True,
                     path, multi_label)
  if len(listing.class_names) < (1 if multi_label else 2):
    raise ValueError('%s holds %d classes; 2 or more are needed: lines of '
                     'path,label' % (path, len(listing.class_names)))
  return listing


def _check_no_image_again(images, lines, path):
  """Raises ValueError if two lines of a list name the same file.

  Args:
    images: `source_images.Images` in the order of the list.
    lines: the number of each one's line.
    path: path of the list, for the message.
  """

  def normal_path(index):
    return os.path.normpath(images[index].path)

  keys = np.fromiter(
      (hash(normal_path(k)) for k in range(len(images))), np.int64, len(images))
  order = np.argsort(keys, kind='stable')
  is_again = keys[order[1:]] == keys[order[:-1]]
  for again in sorted(order[1:][is_again]):
    for first in np.flatnonzero(keys[:again] == keys[again]):
      if normal_path(first) == normal_path(again):
        raise ValueError('%s, line %d names %s again, after line %d' % (
            path, lines[again], images[again].name, lines[first]))


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
  names = {split: splits[split].classes() for split in splits}
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

  def labeled(class_names):
    label = tuple(ids[name] for name in class_names)
    return label if multi_label else label[0], class_names

  for split in splits:
    splits[split] = splits[split].labeled(labeled)
  return Listing(splits, class_names, skipped, is_chosen, multi_label)


def _give_one_spelling(splits, numbers):
  """Replaces the images by those with one name for each class.

  What is joined is printed.

  Args:
    splits: dict of split name to `source_images.Images`; changed.
    numbers: whether 1.0 is 1, if there is a 1.
  """
  names = sorted(set().union(*(split.classes() for split in splits.values())))
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
  for split in splits:
    splits[split] = splits[split].labeled(lambda names: (
        None, tuple(sorted({spelling[name] for name in names}))))


def check_classes(class_names, images):
  """Raises ValueError if a class has none of the images to train on."""
  empty = {name for name in set(class_names) - images.classes()
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
  splits, num_others, other = collections.OrderedDict(), 0, None
  for split, images in listing.splits.items():
    kept = array.array('I')
    for k, image in enumerate(images):
      if _may_be_image(image):
        kept.append(k)
      else:
        num_others += 1
        other = other or image.name
    splits[split] = images.select(kept)
  skipped = listing.skipped + collections.Counter(
      {'no images by name or content, such as %r' % other: num_others}
      if other else {})
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
    image: a `source_images.Image`.
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
