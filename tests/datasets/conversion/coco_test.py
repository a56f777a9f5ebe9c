"""Tests of reading COCO's annotations."""
import json

import pytest

from datasets.conversion import coco

# What the converter of old made of this file, by a run of it.
_INSTANCES = {
    'images': [
        {'id': 11, 'file_name': 'a.jpg', 'height': 100, 'width': 200},
        {'id': 12, 'file_name': 'b.jpg', 'height': 50, 'width': 60}],
    'categories': [{'id': 1, 'name': 'person'}, {'id': 18, 'name': 'dog'}],
    'annotations': [
        {'id': 1, 'image_id': 11, 'category_id': 1, 'area': 2000.0,
         'bbox': [20, 10, 50, 40]},
        {'id': 2, 'image_id': 11, 'category_id': 1, 'area': 100.0,
         'bbox': [0, 0, 10, 10]},
        {'id': 3, 'image_id': 11, 'category_id': 18, 'area': 5000.0,
         'bbox': [0, 0, 100, 50]}]}


def _read(tmp_path, content=None, class_name='person', threshold=0.005):
  path = tmp_path / 'instances.json'
  path.write_text(json.dumps(_INSTANCES) if content is None else content)
  return coco.read(str(path), 'F', class_name, threshold)


def test_labels_boxes_and_areas(tmp_path):
  assert _read(tmp_path) == [
      coco.LabeledImage(
          'F/a.jpg', 'a.jpg', 1, '11', [(.1, .1, .35, .5)], [2000.]),
      coco.LabeledImage('F/b.jpg', 'b.jpg', 0, '12', [], [])]
  assert _read(tmp_path, class_name='dog')[0] == coco.LabeledImage(
      'F/a.jpg', 'a.jpg', 1, '11', [(0., 0., .5, .5)], [5000.])


def test_threshold_is_the_share_that_is_not_enough(tmp_path):
  assert len(_read(tmp_path, threshold=0.00499)[0].areas) == 2
  assert len(_read(tmp_path, threshold=0.005)[0].areas) == 1
  assert _read(tmp_path, threshold=0.1)[0].label == 0


def test_boxes_stay_within_the_image(tmp_path):
  content = json.dumps(_INSTANCES).replace('[20, 10, 50, 40]',
                                           '[-20, 10, 500, 40]')
  assert _read(tmp_path, content)[0].boxes == [(0., .1, 1., .5)]


@pytest.mark.parametrize('class_name,message', [
    ('dgo', 'did you mean dog'), ('xyz', r'There are: dog, person$')])
def test_unknown_class(tmp_path, class_name, message):
  with pytest.raises(ValueError, match='--foreground_class_of_interest=%s is '
                     'no class of .*%s' % (class_name, message)):
    _read(tmp_path, class_name=class_name)


@pytest.mark.parametrize('old,new', [
    ('{"images"', '['), ('"images"', '"captions"'), ('2000.0', 'NaN'),
    ('"id": 11', '"id": [1]'), ('"id": 11', '"id": true'),
    ('"width": 200', '"width": 1e999'), ('"width": 200', '"width": %s' % (
        10 ** 400)), ('[20, 10, 50, 40]', '[20, 10, 50, 1e999]'),
    ('a.jpg', 'a\\u0000.jpg'), ('a.jpg', '\\ud800.jpg'),
    ('"id": 11', '"id": "\\ud800"'), ('{"id": 1, "image_id"', '7, {"image_id"'),
    ('[20, 10, 50, 40]', '[20, 10, 50]'), ('[20, 10, 50, 40]', '"x"'),
    ('"width": 200', '"width": 0'), ('2000.0', '"many"'),
    ('"id": 18, "name": "dog"', '"id": 18')])
def test_damaged_file(tmp_path, old, new):
  content = json.dumps(_INSTANCES)
  assert old in content
  with pytest.raises(ValueError, match='instances.json is no file of COCO '
                     'instances, or a damaged one .*: unpack it again'):
    _read(tmp_path, content.replace(old, new, 1))


@pytest.mark.parametrize('name', ['/etc/passwd', '../b.jpg'])
def test_image_outside_its_directory(tmp_path, name):
  with pytest.raises(ValueError, match='the image .* would be outside F'):
    _read(tmp_path, json.dumps(_INSTANCES).replace('a.jpg', name))


def _changed(change):
  """Returns the file of instances, changed by a function of it."""
  content = json.loads(json.dumps(_INSTANCES))
  change(content)
  return json.dumps(content)


def _texts_as_ids(content):
  for image in content['images']:
    image['id'] = str(image['id'])


def _floats_as_ids(content):
  for thing in content['annotations']:
    thing['image_id'] = float(thing['image_id'])
    thing['category_id'] = str(thing['category_id'])


def _two_of_a_name(content):
  content['categories'].append({'id': 7, 'name': 'person'})
  content['annotations'][1]['category_id'] = 7


def _no_areas(content):
  for thing in content['annotations']:
    del thing['area']


def _areas_of_zero(content):
  for thing in content['annotations']:
    thing['area'] = 0


def _one_area_of_zero(content):
  content['annotations'][0]['area'] = 0


def _number_as_name(content):
  content['categories'][0]['name'] = 7


@pytest.mark.parametrize('change,class_name,areas', [
    (_texts_as_ids, 'person', [2000, 100]),
    (_floats_as_ids, 'person', [2000, 100]),
    (_two_of_a_name, 'person', [2000, 100]), (_no_areas, 'person', [2000, 100]),
    (_areas_of_zero, 'dog', [5000]), (_one_area_of_zero, 'person', [100]),
    (_number_as_name, '7', [2000, 100])])
def test_right_counts_of_other_programs_files(
    tmp_path, change, class_name, areas):
  images = _read(tmp_path, _changed(change), class_name, 0.001)
  assert [image.areas for image in images] == [areas, []]
  assert [image.label for image in images] == [1, 0]


def _images_of_other_numbers(content):
  for image in content['images']:
    image['id'] += 1000


def _same_id(content):
  content['images'][1]['id'] = '11'


def _same_name(content):
  content['images'][1]['file_name'] = 'a.jpg'


@pytest.mark.parametrize('change,message', [
    (_images_of_other_numbers, 'instances.json: none of the 2 annotations of '
     "person is of an image in the file: their image_id, such as '11', is no"),
    (_same_id, 'instances.json: 2 images have the id 11: leave one'),
    (_same_name, 'instances.json: 2 images have the file_name a.jpg: leave')])
def test_files_that_would_give_wrong_counts(tmp_path, change, message):
  with pytest.raises(ValueError, match=message):
    _read(tmp_path, _changed(change))
