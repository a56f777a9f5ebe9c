"""Reads the annotations of COCO: which images show a class, and where.

T.-Y. Lin et al., "Microsoft COCO: Common Objects in Context", arXiv:1405.0312.
"""
import array
import collections
import hashlib
import json
import math
import os

from datasets.conversion import encoding
from slim_common import suggest

# What reading a damaged file raises.
DAMAGED = (LookupError, TypeError, ValueError, AttributeError, RecursionError,
           OverflowError)


class LabeledImage(collections.namedtuple(
    'LabeledImage', 'path name label source_id boxes areas')):
  """An image to write, as `shards` describes it.

  Attributes:
    path: path of the file.
    name: name of the file.
    label: 1 if the image shows the class, else 0.
    source_id: id of the image in COCO, a str.
    boxes: list of (xmin, ymin, xmax, ymax) of the objects of the class,
      fractions of the width and the height.
    areas: list of the areas of these objects, in square pixels.
  """


class Image(collections.namedtuple('Image', 'id name width height')):
  """An image of COCO.

  Attributes:
    id: its id.
    name: name of the file.
    width: in pixels.
    height: in pixels.
  """


class Object(collections.namedtuple('Object', 'area bbox')):
  """An object in an image of COCO.

  Attributes:
    area: in square pixels.
    bbox: (left, top, width, height), in pixels.
  """


def read(path, directory, class_name, threshold):
  """Reads an `instances_*.json` of 2014 or 2017.

  Args:
    path: path of the file.
    directory: directory of its images.
    class_name: the class to look for, such as 'person'.
    threshold: minimum object area, as a fraction of the image area; objects of
      this area or less are ignored.

  Returns:
    A list of `LabeledImage`s in the order of the file.

  Raises:
    ValueError: the file is damaged, has no class of that name, or its
      annotations are of other images.
    OSError: the file cannot be read.
  """
  _, images, objects = select(path, class_name, threshold)
  return [to_labeled(directory, *pair) for pair in zip(images, objects)]


def select(path, class_name, threshold):
  """Reads what an `instances_*.json` says of one class.

  Args:
    path: as for `read`.
    class_name: as for `read`.
    threshold: as for `read`.

  Returns:
    category: dict, the entry of the class in the file; the first, if several
      have the name, whose objects are all of the class.
    images: list of `Image`s.
    objects: list of lists, the large enough `Object`s of the class per image.

  Raises:
    ValueError: as for `read`.
    OSError: as for `read`.
  """
  print('reading %s' % path)
  categories, images, objects = _parsed(path)
  if class_name not in categories:
    raise ValueError(
        '--foreground_class_of_interest=%s is no class of %s%s There are: %s'
        % (class_name, path, suggest.hint(class_name, categories),
           ', '.join(sorted(categories))))
  entries = categories[class_name]
  ids = {_key(entry['id']) for entry in entries}
  of_class = collections.defaultdict(list)
  for image_id, class_id, thing in objects:
    if class_id in ids:
      of_class[image_id].append(thing)
  if of_class and not any(_key(image.id) in of_class for image in images):
    raise ValueError(
        '%s: none of the %d annotations of %s is of an image in the file: '
        'their image_id, such as %r, is no id of an image, such as %r' % (
            path, sum(map(len, of_class.values())), class_name,
            next(iter(of_class)), images[0].id if images else None))
  return entries[0], images, [
      [thing for thing in of_class.get(_key(image.id), ())
       if thing.area / (image.width * image.height) > threshold]
      for image in images]


def _parsed(path):
  """Returns what a file of instances holds.

  Returns:
    A dict of class name to list of its entries, a list of `Image`s, and a list
    of (image id, class id, `Object`).

  Raises:
    ValueError: the file is damaged, or names an image twice.
    OSError: it cannot be read.
  """
  categories = collections.defaultdict(list)
  try:
    with open(path, encoding='utf-8') as source:
      content = json.load(source)
    for entry in content['categories']:
      if entry['id'] is not None:
        _key(entry['id'])
        categories[str(entry['name'])].append(entry)
    images = [to_image(entry) for entry in content['images']]
    # Some programs write 0 for all.
    none = (None,) if any(
        entry.get('area') for entry in content['annotations']) else (None, 0)
    without = [entry for entry in content['annotations']
               if entry.get('area') in none]
    for entry in without:
      entry['area'] = float(entry['bbox'][2]) * float(entry['bbox'][3])
    objects = [(_key(entry['image_id']), _key(entry['category_id']),
                to_object(entry)) for entry in content['annotations']]
  except DAMAGED as error:
    raise ValueError(
        '%s is no file of COCO instances, or a damaged one (%s: %s): unpack it '
        'again' % (path, type(error).__name__, error))
  for values, word in (([_key(image.id) for image in images], 'id'),
                       ([image.name for image in images], 'file_name')):
    value, count = next(
        iter(collections.Counter(values).most_common(1)), (None, 0))
    if count > 1:
      raise ValueError('%s: %d images have the %s %s: leave one' % (
          path, count, word, value))
  if without:
    print('%s: %d of %d annotations have no area: that of the box is used' % (
        path, len(without), len(objects)))
  return categories, images, objects


def _key(value):
  """Returns an id as it is compared: 7, 7.0 and '7' are the same.

  Raises:
    TypeError: it is neither a number nor a text.
  """
  if isinstance(value, bool) or not isinstance(value, (int, float, str)):
    raise TypeError('an id is %r' % (value,))
  if isinstance(value, float) and value == int(value):
    value = int(value)
  text = str(value)
  text.encode('utf-8')
  return text


def to_image(entry):
  """Returns the `Image` of an entry; raises one of `DAMAGED`."""
  width, height = int(entry['width']), int(entry['height'])
  if min(width, height) < 1:
    raise ValueError('an image of %d x %d' % (width, height))
  float(width * height)
  _key(entry['id'])
  name = str(entry['file_name'])
  if '\0' in name or not name:
    raise ValueError('a file_name is %r' % name)
  name.encode('utf-8')
  return Image(entry['id'], name, width, height)


def to_object(entry):
  """Returns the `Object` of an entry; raises one of `DAMAGED`."""
  left, top, width, height = (float(value) for value in entry['bbox'])
  area = float(entry['area'])
  if not all(map(math.isfinite, (left, top, width, height, area))):
    raise ValueError('a box is %r, its area %r' % (entry['bbox'], area))
  return Object(area, (left, top, width, height))


def to_labeled(directory, image, objects):
  """Returns a `LabeledImage`.

  Args:
    directory: directory of the image's file.
    image: an `Image`.
    objects: list of the `Object`s that make its label 1.

  Raises:
    ValueError: the file would be outside the directory.
  """
  if os.path.isabs(image.name) or '..' in image.name.split('/'):
    raise ValueError('the image %r would be outside %s' % (
        image.name, directory))
  return LabeledImage(
      os.path.join(directory, image.name), image.name, int(bool(objects)),
      str(image.id),
      [_relative(thing.bbox, image.width, image.height) for thing in objects],
      [thing.area for thing in objects])


def _relative(box, width, height):
  """Returns (xmin, ymin, xmax, ymax), 0 to 1, of a box in pixels."""
  left, top, box_width, box_height = box
  return tuple(min(max(value, 0.0), 1.0) for value in (
      left / width, top / height, (left + box_width) / width,
      (top + box_height) / height))


def features_of(image, verdict):
  """Returns the features of an image's record.

  Args:
    image: a `LabeledImage`.
    verdict: the `image_checks.Verdict` on it.
  """
  features = encoding.box_features(image.boxes)
  features.update({
      'image/height': verdict.height,
      'image/width': verdict.width,
      'image/class/label': image.label,
      'image/object/area': array.array('f', image.areas),
      'image/filename': image.name.encode('utf-8', 'surrogateescape'),
      'image/source_id': image.source_id.encode(),
      'image/key/sha256': hashlib.sha256(
          verdict.content).hexdigest().encode(),
      'image/format': b'jpeg',
      'image/encoded': verdict.content,
  })
  return features
