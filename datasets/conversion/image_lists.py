"""Finds images and their classes: in directories, or in a list.

| source                       | classes                    | splits       |
|------------------------------|----------------------------|--------------|
| directory of directories     | the subdirectories         | one, 'train' |
| train/, validation/ or val/, | the subdirectories of each | as named     |
| test/ (or some)              |                            |              |
| file.csv, file.jsonl         | the labels                 | one, 'train' |

Paths in a list are relative to its directory. A class id is the index of the
class among the sorted names.

A list is multi-label, each image with any number of classes, if one of its
images has several, written `cat|dog` in a csv file and ["cat", "dog"] in a
jsonl file. In such a list an empty label ([] in a jsonl file) says that the
image shows no class.
"""
import collections
import csv
import json
import os

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
    multi_label: whether an image has any number of classes, not one.
  """


LIST_SUFFIXES = ('.csv', '.jsonl')
_SPLIT_OF = {'train': 'train', 'validation': 'validation',
             'val': 'validation', 'test': 'test'}
_HEADER = ('path', 'label')
_BETWEEN_LABELS = '|'
_IMAGE_SUFFIXES = (
    '.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.gif', '.bmp', '.dib', '.webp',
    '.tif', '.tiff', '.heic', '.heif', '.avif', '.jp2', '.svg', '.ico', '.ppm')


def from_directory(directory):
  """Lists the images in a directory of classes or of splits.

  If the directory holds nothing but one directory of directories, as an
  archive does, that is used.

  Args:
    directory: path of the directory.

  Returns:
    A `Listing`. Any visible file in the directory of a class is listed.

  Raises:
    ValueError: there are no classes, a class is empty, a name cannot be used,
      or a class is missing from 'train'.
  """
  skipped = collections.Counter()
  root, names = _root(directory, skipped)
  if 'train' in names and all(name in _SPLIT_OF for name in names):
    if 'val' in names and 'validation' in names:
      raise ValueError('%s holds both val and validation: keep one' % root)
    splits = collections.OrderedDict()
    for name in sorted(names, key=list(_SPLIT_OF).index):
      path = os.path.join(root, name)
      splits[_SPLIT_OF[name]] = _in_classes(
          root, path, _directories_in(path, skipped), skipped)
  else:
    splits = {'train': _in_classes(root, root, names, skipped)}
  return _listing(splits, skipped, False, directory)


def _root(directory, skipped):
  """Returns the directory of the classes or splits, and their names."""
  names = _directories_in(directory, skipped)
  if len(names) == 1:
    inner = os.path.join(directory, names[0])
    if _directories_in(inner, collections.Counter()):
      return _root(inner, skipped)
  return directory, names


def _directories_in(directory, skipped):
  """Returns the sorted names of visible directories; counts the rest."""
  names = []
  for entry in os.scandir(directory):
    if entry.name.startswith('.'):
      skipped['hidden'] += 1
    elif entry.is_dir():
      names.append(entry.name)
    else:
      skipped['outside the class directories'] += 1
  return sorted(names)


def _in_classes(root, above, class_names, skipped):
  """Returns the Images in the directories of classes in `above`."""
  images = []
  for class_name in class_names:
    directory = os.path.join(above, class_name)
    found = []
    for entry in os.scandir(directory):
      if entry.name.startswith('.'):
        skipped['hidden'] += 1
      elif entry.is_dir():
        skipped['nested directories'] += 1
      elif entry.is_file() or not os.path.exists(entry.path):
        found.append(entry.name)
      else:
        skipped['neither files nor directories'] += 1
    if not found:
      raise ValueError('the class directory %s holds no images: fill it or '
                       'remove it' % directory)
    prefix = os.path.relpath(directory, root)
    images += [Image(os.path.join(directory, name), os.path.join(prefix, name),
                     None, (class_name,)) for name in sorted(found)]
  return images


def from_list(path):
  """Lists the images that a csv or jsonl file names.

  A csv file has two columns, path and label, or a first line that names its
  columns, two of them so. A jsonl file has an object with `path` and `label`
  on each line. A label is the name of a class; see above for several names and
  for none.

  Args:
    path: path of the list; paths in it start from its directory.

  Returns:
    A `Listing`.

  Raises:
    ValueError: a line cannot be understood, or names an image again.
  """
  rows = list(_jsonl_rows(path) if path.lower().endswith('.jsonl') else
              _csv_rows(path))
  multi_label = any(isinstance(label, list) for _, _, label in rows)
  directory = os.path.dirname(path)
  lines = {}
  images = []
  for number, name, label in rows:
    if not isinstance(name, str) or not name:
      raise ValueError('%s, line %d: path is %r; a file name is needed' % (
          path, number, name))
    if name in lines:
      raise ValueError('%s, line %d names %s again, after line %d' % (
          path, number, name, lines[name]))
    lines[name] = number
    images.append(Image(
        os.path.join(directory, name), name, None,
        _class_names(label, multi_label, '%s, line %d' % (path, number))))
  images.sort(key=lambda image: image.name)
  return _listing({'train': images}, collections.Counter(), True, path,
                  multi_label)


def _class_names(label, multi_label, position):
  """Returns a label as a sorted tuple of names, each once.

  Args:
    label: a name or a list of names.
    multi_label: whether there can be no name.
    position: file and line of the label, for the messages.

  Raises:
    ValueError: there is no name in a list of one name per image, or a name is
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
              position, label))
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
            '%s, line %d is not an object with path and label: {"path": '
            '"a.jpg", "label": "cat"}' % (path, number))


def _opened_list(path):
  return open(path, encoding='utf-8-sig', errors='surrogateescape', newline='')


def _listing(splits, skipped, is_chosen, source, multi_label=False):
  """Returns a Listing with labels; checks the names of the classes."""
  names = {split: classes_of(splits[split]) for split in splits}
  class_names = sorted(names['train'])
  if len(class_names) < (1 if multi_label else 2):
    raise ValueError(
        '%s holds %d classes; 2 or more are needed: one directory per class, '
        'train/ and validation/ above them, or a list (.csv, .jsonl) of '
        'path,label' % (source, len(class_names)))
  for split in names:
    unknown = sorted(names[split] - names['train'])
    if unknown:
      raise ValueError('%s has the classes %s, which are not in train' % (
          split, ', '.join(unknown)))
  for name in class_names:
    try:
      name.encode('utf-8')
    except UnicodeEncodeError:
      raise ValueError('the class name %r is not UTF-8: rename it' % name)
    if '\n' in name or '\r' in name:
      raise ValueError('the class name %r has a line end: rename it' % name)
  ids = {name: k for k, name in enumerate(class_names)}
  for split, images in splits.items():
    labels = [tuple(ids[name] for name in image.class_names)
              for image in images]
    splits[split] = [image._replace(label=label if multi_label else label[0])
                     for image, label in zip(images, labels)]
  return Listing(splits, class_names, skipped, is_chosen, multi_label)


def classes_of(images):
  """Returns the set of the names of the classes of images."""
  return {name for image in images for name in image.class_names}


def check_classes(class_names, images):
  """Raises ValueError if a class has none of the images to train on."""
  empty = set(class_names) - classes_of(images)
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
  splits = collections.OrderedDict(
      (split, [image for image in images if _may_be_image(image)])
      for split, images in listing.splits.items())
  others = sum(len(listing.splits[split]) - len(splits[split])
               for split in splits)
  return listing._replace(splits=splits, skipped=listing.skipped + (
      collections.Counter({'no images by name or content': others})))


def _may_be_image(image):
  if image.name.lower().endswith(_IMAGE_SUFFIXES):
    return True
  try:
    with open(image.path, 'rb', buffering=0) as source:
      return image_formats.detect(
          source.read(image_formats.HEAD_SIZE)) is not None
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
