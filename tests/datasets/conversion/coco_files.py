"""Makes a tiny COCO in the forms of 2014 and of 2017."""
import json
import os
import zipfile

from tests.datasets.imagenet_tools import imagenet_files

_CATEGORIES = [{'id': 1, 'name': 'person', 'supercategory': 'person'},
               {'id': 18, 'name': 'dog', 'supercategory': 'animal'}]


def image_name(year, split, number):
  """Returns the name of an image's file."""
  return ('COCO_train2014_%012d.jpg' if (year, split) == ('2014', 'train') else
          'COCO_val2014_%012d.jpg' if year == '2014' else
          '%012d.jpg') % number


def contents(year='2014', counts=(7, 4)):
  """Returns a dict of path to content.

  Of the images, 16 x 12 pixels, those with odd numbers show a person in a
  quarter of their area, the others a dog in an eighth; each shows besides a
  person of one pixel.
  """
  files = {}
  for split, count in zip(('train', 'val'), counts):
    images, annotations = [], []
    for number in range(count):
      name = image_name(year, split, number)
      files['%s%s/%s' % (split, year, name)] = imagenet_files.jpeg(
          number + 50 * (split == 'val'))
      images.append({'id': number, 'file_name': name, 'width': 16,
                     'height': 12, 'license': 1})
      annotations += [
          {'id': 2 * number, 'image_id': number, 'iscrowd': 0,
           'category_id': 1 if number % 2 else 18,
           'area': 48.0 if number % 2 else 24.0, 'bbox': [4, 3, 8, 6]},
          {'id': 2 * number + 1, 'image_id': number, 'iscrowd': 0,
           'category_id': 1, 'area': 0.96, 'bbox': [0, 0, 1, 1]}]
    files['annotations/instances_%s%s.json' % (split, year)] = json.dumps({
        'info': {}, 'images': images, 'annotations': annotations,
        'categories': _CATEGORIES}).encode()
  return files


def write_archives(folder, year='2014'):
  """Writes the three zip archives; returns the folder's path."""
  os.makedirs(str(folder), exist_ok=True)
  files = contents(year)
  for top, archive in (('train' + year, 'train%s.zip' % year),
                       ('val' + year, 'val%s.zip' % year),
                       ('annotations', 'annotations_trainval%s.zip' % year)):
    with zipfile.ZipFile(os.path.join(str(folder), archive), 'w') as target:
      for name, content in files.items():
        if name.startswith(top + '/'):
          target.writestr(name, content)
  return str(folder)
