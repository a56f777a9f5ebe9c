"""Reads COCO's annotations: which pictures show a class, and where.

T.-Y. Lin et al., "Microsoft COCO: Common Objects in Context", arXiv:1405.0312.
"""
import array
import collections
import hashlib
import json
import os

from datasets.conversion import encoding
from slim_common import suggest

# As in `shards`; source_id: of the picture in COCO, as text; boxes: a list of
# (xmin, ymin, xmax, ymax), shares of the width and the height; areas: a list
# of those of the objects, in pixels.
Picture = collections.namedtuple(
    'Picture', 'path name label source_id boxes areas')
# Of a picture: its id, the name of its file, its size in pixels.
Image = collections.namedtuple('Image', 'id name width height')
# In pixels; bbox: (left, top, width, height).
Object = collections.namedtuple('Object', 'area bbox')


def read(path, folder, class_name, threshold):
  """Reads an `instances_*.json` of 2014 or 2017.

  Args:
    path: of the file.
    folder: of its pictures.
    class_name: the class to look for, such as 'person'.
    threshold: objects whose area is at most this share of the picture's are
      ignored.

  Returns:
    A list of `Picture`s in the order of the file: label 1 where the picture
    shows the class, else 0; boxes and areas of that class alone.

  Raises:
    ValueError: the file is no such file, or has no class of that name.
    OSError: the file cannot be read.
  """
  _, images, objects = select(path, class_name, threshold)
  return [to_picture(folder, *pair) for pair in zip(images, objects)]


def select(path, class_name, threshold):
  """Reads what an `instances_*.json` says of one class.

  Args, raises: as for `read`.

  Returns:
    category: what the file says of the class, a dict.
    images: a list of `Image`s.
    objects: a list, of the large enough `Object`s of the class in each image.
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
    (picture id, class id) to a list of `Object`s.

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
  """Returns the `Image` of an entry of the file; errors as of a dict."""
  width, height = int(entry['width']), int(entry['height'])
  if min(width, height) < 1:
    raise ValueError('a picture of %d x %d' % (width, height))
  return Image(entry['id'], str(entry['file_name']), width, height)


def to_object(entry):
  """Returns the `Object` of an entry of the file; errors as of a dict."""
  left, top, width, height = (float(side) for side in entry['bbox'])
  return Object(float(entry['area']), (left, top, width, height))


def to_picture(folder, image, objects):
  """Returns a `Picture`.

  Args:
    folder: of the picture's file.
    image: an `Image`.
    objects: a list of `Object`s, those that make its label 1.

  Raises:
    ValueError: the file would lie outside the folder.
  """
  if os.path.isabs(image.name) or '..' in image.name.split('/'):
    raise ValueError('the picture %r would lie outside %s' % (
        image.name, folder))
  return Picture(
      os.path.join(folder, image.name), image.name, int(bool(objects)),
      str(image.id),
      [_relative(thing.bbox, image.width, image.height) for thing in objects],
      [thing.area for thing in objects])


def _relative(box, width, height):
  """Returns (xmin, ymin, xmax, ymax), 0 to 1, of a box in pixels."""
  left, top, box_width, box_height = box
  return tuple(min(max(side, 0.0), 1.0) for side in (
      left / width, top / height, (left + box_width) / width,
      (top + box_height) / height))


def features_of(picture, verdict):
  """Returns the features of a picture's record.

  Args:
    picture: a `Picture`.
    verdict: the `image_checks.Verdict` on it.
  """
  features = encoding.box_features(picture.boxes)
  features.update({
      'image/height': verdict.height,
      'image/width': verdict.width,
      'image/class/label': picture.label,
      'image/object/area': array.array('f', picture.areas),
      'image/filename': picture.name.encode('utf-8', 'surrogateescape'),
      'image/source_id': picture.source_id.encode(),
      'image/key/sha256': hashlib.sha256(
          verdict.content).hexdigest().encode(),
      'image/format': b'jpeg',
      'image/encoded': verdict.content,
  })
  return features
