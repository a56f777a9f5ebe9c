"""Reads COCO's annotations: which pictures show a class, and where.

T.-Y. Lin et al., "Microsoft COCO: Common Objects in Context", arXiv:1405.0312.
"""
import collections
import difflib
import hashlib
import json
import os

from datasets import encoding

# As in `shards`; source_id: of the picture in COCO, as text; boxes: a list of
# (xmin, ymin, xmax, ymax), shares of the width and the height; areas: a list
# of those of the objects, in pixels.
Picture = collections.namedtuple(
    'Picture', 'path name label source_id boxes areas')


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
  print('reading %s' % path)
  categories, images, objects = _parsed(path)
  if class_name not in categories:
    near = difflib.get_close_matches(class_name, categories, n=1)
    raise ValueError(
        '--foreground_class_of_interest=%s is no class of %s%s There are: %s'
        % (class_name, path, '; did you mean %s?' % near[0] if near else '.',
           ', '.join(sorted(categories))))
  return [_picture(folder, image, objects.get(
      (image[0], categories[class_name]), ()), threshold) for image in images]


def _parsed(path):
  """Returns what a file of instances holds.

  Returns:
    A dict of class name to id, a list of (id, file name, width, height) of the
    pictures, and a dict of (picture id, class id) to a list of (area, [x, y,
    width, height]) in pixels.

  Raises:
    ValueError: the file is damaged.
    OSError: it cannot be read.
  """
  objects = collections.defaultdict(list)
  try:
    with open(path, encoding='utf-8') as source:
      content = json.load(source)
    categories = {entry['name']: entry['id']
                  for entry in content['categories']}
    images = []
    for entry in content['images']:
      width, height = int(entry['width']), int(entry['height'])
      if min(width, height) < 1:
        raise ValueError('a picture of %d x %d' % (width, height))
      images.append((entry['id'], str(entry['file_name']), width, height))
    for entry in content['annotations']:
      left, top, width, height = (float(side) for side in entry['bbox'])
      objects[entry['image_id'], entry['category_id']].append(
          (float(entry['area']), (left, top, width, height)))
  except (KeyError, TypeError, ValueError, RecursionError) as error:
    raise ValueError(
        '%s is no file of COCO instances, or a damaged one (%s: %s): unpack it '
        'again' % (path, type(error).__name__, error))
  return categories, images, objects


def _picture(folder, image, objects, threshold):
  """Returns the Picture of an entry (id, file name, width, height)."""
  source_id, name, width, height = image
  if os.path.isabs(name) or '..' in name.split('/'):
    raise ValueError('the picture %r would lie outside %s' % (name, folder))
  kept = [(area, box) for area, box in objects
          if area / (width * height) > threshold]
  return Picture(
      os.path.join(folder, name), name, int(bool(kept)), str(source_id),
      [_relative(box, width, height) for _, box in kept],
      [area for area, _ in kept])


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
      'image/object/area': picture.areas,
      'image/filename': picture.name.encode('utf-8', 'surrogateescape'),
      'image/source_id': picture.source_id.encode(),
      'image/key/sha256': hashlib.sha256(
          verdict.content).hexdigest().encode(),
      'image/format': b'jpeg',
      'image/encoded': verdict.content,
  })
  return features
