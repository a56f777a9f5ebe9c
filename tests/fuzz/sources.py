"""Sources of the user's own images, to damage: archives, lists, COCO's json."""
import collections
import json
import os

from datasets.conversion import coco
from datasets.conversion import downloads
from datasets.conversion import image_lists
from tests.datasets.conversion import packed

_PATHS = ('train/猫/1.jpg', 'train/小狗/a/2.jpg', 'Val/猫/3.jpg', 'Val/小狗/4.jpg')
_LISTS = {
    'a.csv': 'path, label\na.jpg, cat\n"b c.jpg","dog, tame"\nd.jpg,cat|dog\n',
    'plain.csv': 'a.jpg,1\nb.jpg,1.0\nd.jpg,2\n',
    'split.csv': ('filename,width,class,Split\na.jpg,10,cat,Train\n'
                  'b.jpg,11,dog,training\nc.jpg,9,Ä,train\nd.jpg,8,cat,VALID\n'),
    'a.jsonl': '\n'.join(json.dumps(row) for row in (
        {'path': 'a.jpg', 'label': 'cat'}, {'path': 'b.jpg', 'label': 'dog'},
        {'path': 'd.jpg', 'label': ['dog', 'cat']})),
    'split.jsonl': '\n'.join(json.dumps(row) for row in (
        {'file_name': 'a.jpg', 'class': 1, 'split': 'train'},
        {'file_name': 'b.jpg', 'class': 2.0, 'split': 'train'},
        {'file_name': 'd.jpg', 'class': '2', 'split': 'test'})),
}


def archives():
  """Returns a dict of name to archive, as people's systems make them."""
  files = {path: b'\xff\xd8\xff' + path.encode() for path in _PATHS}
  return {name: pack(files) for name, pack in packed.PACKERS.items()}


def read_archive(source, out, name):
  """Unpacks an archive and lists its images."""
  path = os.path.join(source, name)
  _check(image_lists.from_directory(
      downloads.obtain(path, None, out, out), path))


def lists():
  """Returns a dict of name to list."""
  return {name: text.encode() for name, text in _LISTS.items()}


def read_list(source, unused_out, name):
  """Lists the images that a list names."""
  _check(image_lists.from_list(os.path.join(source, name)))


def _check(listing):
  """Raises an AssertionError if a listing cannot be converted."""
  for images in listing.splits.values():
    names = collections.Counter(image.name for image in images)
    assert len(names) == len(images), names.most_common(1)
    for image in images:
      os.path.lexists(image.path)
      labels = image.label if listing.multi_label else (image.label,)
      assert [listing.class_names[k] for k in labels] == list(
          image.class_names), image
  ''.join(listing.class_names).encode('utf-8')


def coco_files():
  """Returns a dict of name to file of COCO instances."""
  content = {
      'images': [
          {'id': 11, 'file_name': 'a.jpg', 'height': 100, 'width': 200},
          {'id': '12', 'file_name': 'b.jpg', 'height': 50, 'width': 60}],
      'categories': [{'id': 1, 'name': 'person'}, {'id': 18, 'name': 'dog'}],
      'annotations': [
          {'image_id': 11, 'category_id': 1, 'area': 2000.0,
           'bbox': [20, 10, 50, 40]},
          {'image_id': '12', 'category_id': 1, 'bbox': [0, 0, 10, 10]}]}
  return {'instances.json': json.dumps(content).encode()}


def read_coco(source, unused_out, name):
  """Reads a file of COCO instances; the numbers must be usable."""
  for image in coco.read(os.path.join(source, name), source, 'person', 0.005):
    os.path.lexists(image.path)
    image.source_id.encode()
    assert image.label == int(bool(image.boxes)), image
    assert all(0 <= side <= 1 for box in image.boxes for side in box), image
