"""Reads the annotations of COCO: which images show a class, and where.

T.-Y. Lin et al., "Microsoft COCO: Common Objects in Context", arXiv:1405.0312.
"""
import array
import collections
import hashlib
import json
import os

from datasets.conversion import encoding
from slim_common import suggest


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
    ValueError: the file is damaged, or has no class of that name.
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
    category: dict, the entry of the class in the file.
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
  category = categories[class_name]
  return category, images, [
      [thing for thing in objects.get((image.id, category['id']), ())
       if thing.area / (image.width * image.height) > threshold]
      for image in images]


def _parsed(path):
  """Returns what a file of instances holds.

  Returns:
    A dict of class name to entry, a list of `Image`s, and a dict of
    (image id, class id) to list of `Object`s.

  Raises:
    ValueError: the file is damaged.
    OSError: it cannot be read.
  """
  objects = collections.defaultdict(list)
  try:
    with open(path, encoding='utf-8') as source:
      content = json.load(source)
    categories = {entry['name']: entry for entry in content['categories']
                  if entry['id'] is not None}
    images = [to_image(entry) for entry in content['images']]
    for entry in content['annotations']:
      objects[entry['image_id'], entry['category_id']].append(to_object(entry))
  except (KeyError, TypeError, ValueError, RecursionError) as error:
    raise ValueError(
        '%s is no file of COCO instances, or a damaged one (%s: %s): unpack it '
        'again' % (path, type(error).__name__, error))
  return categories, images, objects


def to_image(entry):
  """Returns the `Image` of an entry of the file; raises as a dict does."""
  width, height = int(entry['width']), int(entry['height'])
  if min(width, height) < 1:
    raise ValueError('an image of %d x %d' % (width, height))
  return Image(entry['id'], str(entry['file_name']), width, height)


def to_object(entry):
  """Returns the `Object` of an entry of the file; raises as a dict does."""
  left, top, width, height = (float(value) for value in entry['bbox'])
  return Object(float(entry['area']), (left, top, width, height))


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
