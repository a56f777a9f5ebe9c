"""Finds the images of ImageNet and the boxes around their objects.

Training images are in one directory per synset. Validation images are, too, or
in one directory as in their archive, ILSVRC2012_val_00000001.JPEG and so on;
then their labels are those of the project's list. Nothing is moved.
"""
import array
import collections
import math
import os
import re

from datasets.conversion import encoding
from datasets.imagenet_tools import synsets

_SUFFIXES = ('.jpeg', '.jpg', '.png')
_VALIDATION_NAME = re.compile(r'ILSVRC2012_val_(\d{8})\.JPEG$')
_NAMES_SHOWN = 5
_COLUMNS = 'filename,xmin,ymin,xmax,ymax'



class SourceImages(collections.namedtuple(
    'SourceImages', 'directory files skipped')):
  """The images of a split.

  Attributes:
    directory: directory of the images.
    files: sorted list of (path in it, synset).
    skipped: Counter of what was left out, by reason.
  """


class LabeledImage(collections.namedtuple(
    'LabeledImage', 'path name label synset text boxes')):
  """An image to write, as `shards` describes it.

  Attributes:
    path: path of the file.
    name: its path in the source.
    label: class id.
    synset: synset of the class, such as n01440764.
    text: name of the class.
    boxes: list of (xmin, ymin, xmax, ymax), fractions of width and height.
  """


def find(directory, classes):
  """Finds the images of a split.

  Args:
    directory: holds one directory per synset, or the validation images.
    classes: list of synsets; directories of others are left out.

  Returns:
    A `SourceImages`.

  Raises:
    ValueError: there is no image, or a validation image without a label.
    OSError: the directory cannot be read.
  """
  if not os.path.isdir(directory):
    raise FileNotFoundError('there is no directory %s' % directory)
  skipped = collections.Counter()
  names = os.listdir(directory)
  known = set(classes)
  if any(_VALIDATION_NAME.match(name) for name in names):
    files = _flat(directory, names, known, skipped)
  else:
    files = []
    for name in sorted(names):
      if name not in known:
        skipped['directories of other classes' if synsets.is_synset(name) else
                'not directories of synsets'] += 1
        continue
      files += [(os.path.join(name, file_name), name) for file_name in
                _images_in(os.path.join(directory, name), skipped)]
  if not files:
    raise ValueError('%s holds no image: it should have one directory per '
                     'synset, such as %s, with JPEG files' % (
                         directory, classes[0]))
  return SourceImages(directory, files, skipped)


def _images_in(directory, skipped):
  """Returns the sorted names of the images in a directory."""
  if not os.path.isdir(directory):
    raise ValueError('%s is a file, not the directory of a synset' % directory)
  names = sorted(os.listdir(directory))
  images = [name for name in names if not name.startswith('.') and
            name.lower().endswith(_SUFFIXES)]
  skipped['no images by name'] += len(names) - len(images)
  return images


def _flat(directory, names, known, skipped):
  """Returns (name, synset) of the validation images in one directory."""
  labels = synsets.read_list(synsets.bundled(synsets.VALIDATION_FILENAME))
  files = []
  for name in sorted(names):
    match = _VALIDATION_NAME.match(name)
    if not match:
      skipped['beside the validation images'] += 1
      continue
    if not 1 <= int(match.group(1)) <= len(labels):
      raise ValueError('%s has no label: the validation images are 1 to %d'
                       % (os.path.join(directory, name), len(labels)))
    synset = labels[int(match.group(1)) - 1]
    if synset in known:
      files.append((name, synset))
    else:
      skipped['images of other classes'] += 1
  if skipped:
    _check_not_half_sorted(directory, names)
  return files


def _check_not_half_sorted(directory, names):
  for name in names:
    if synsets.is_synset(name):
      raise ValueError(
          '%s holds validation images and the directory %s of a synset: an '
          'interrupted preprocess_imagenet_validation_data.py leaves it so. '
          'Run that again' % (directory, name))


def check_counts(split, images, classes, expected, allow_subset):
  """Checks that a split is complete.

  Args:
    split: name of the split.
    images: a `SourceImages`.
    classes: list of synsets.
    expected: number of images of the complete split.
    allow_subset: whether another number is accepted; it is then printed.

  Raises:
    ValueError: there are fewer or more; the message says of which classes.
  """
  counts = collections.Counter(synset for _, synset in images.files)
  faults = []
  missing = [synset for synset in classes if not counts[synset]]
  if missing:
    faults.append('%d synsets have none (%s)' % (
        len(missing), _some(missing)))
  if len(images.files) != expected:
    faults.append('%d images, not %d' % (len(images.files), expected))
    per_class = expected // len(classes)
    uneven = ['%s has %d' % (synset, counts[synset]) for synset in classes
              if counts[synset] not in (0, per_class)]
    if expected == per_class * len(classes) and uneven:
      faults.append('not %d of each class (%s)' % (per_class, _some(uneven)))
  if not faults:
    return
  text = '%s in %s: %s' % (split, images.directory, '; '.join(faults))
  if not allow_subset:
    raise ValueError(text + '. Unpack the rest, or give --allow_subset to '
                     'convert what is there')
  print('Note: ' + text)


def _some(words):
  return ', '.join(words[:_NAMES_SHOWN]) + (
      ', ...' if len(words) > _NAMES_SHOWN else '')


def read_boxes(path):
  """Reads the boxes that `process_bounding_boxes.py` has written.

  Args:
    path: path of a text file of lines filename,xmin,ymin,xmax,ymax; an image
      can have several.

  Returns:
    A dict of file name to list of (xmin, ymin, xmax, ymax), each 0 to 1.

  Raises:
    ValueError: a line is not of that form.
    OSError: the file cannot be read.
  """
  boxes = {}
  with open(path, encoding='utf-8') as source:
    for number, line in enumerate(source, 1):
      cells = line.strip().split(',')
      if cells == [''] or line.strip() == _COLUMNS:
        continue
      box = _box(cells)
      if not box:
        raise ValueError('%s, line %d is %r: a line is %s, with numbers from 0 '
                         'to 1' % (path, number, line.strip(), _COLUMNS))
      boxes.setdefault(cells[0], []).append(box)
  return boxes


def _box(cells):
  """Returns (xmin, ymin, xmax, ymax) of the cells of a line, or None."""
  try:
    box = tuple(float(cell) for cell in cells[1:])
  except ValueError:
    return None
  if (len(box) != 4 or not cells[0] or
      not all(math.isfinite(value) and 0 <= value <= 1 for value in box)):
    return None
  return box


def features_of(image, verdict):
  """Returns the features of an image's record.

  Args:
    image: a `LabeledImage`.
    verdict: the `image_checks.Verdict` on it.
  """
  features = encoding.box_features(image.boxes)
  labels = array.array('q', [image.label] * len(image.boxes))
  features.update({
      'image/height': verdict.height,
      'image/width': verdict.width,
      'image/colorspace': b'RGB',
      'image/channels': 3,
      'image/class/label': image.label,
      'image/class/synset': image.synset.encode(),
      'image/class/text': image.text.encode(),
      # The second name is the one that the dataset's reader asks for.
      'image/object/bbox/label': labels,
      'image/object/class/label': labels,
      'image/format': b'JPEG',
      'image/filename': os.path.basename(image.name).encode(
          'utf-8', 'surrogateescape'),
      'image/encoded': verdict.content,
  })
  return features
