"""Tests of the three steps that make Visual Wake Words of COCO."""
import hashlib
import json
import os

import pytest

from datasets import download_and_convert_visualwakewords_lib as lib
from datasets.conversion import coco
from tests.datasets import records
from tests.datasets.conversion import coco_files
from tests.datasets.imagenet_tools import imagenet_files


@pytest.fixture(name='source')
def _source(tmp_path):
  """A folder of seven images and their annotations."""
  return imagenet_files.write(tmp_path / 'source', coco_files.contents())


def _instances(source):
  return os.path.join(source, 'annotations', 'instances_train2014.json')


def _annotate(source, tmp_path, class_name='person', threshold=0.005):
  path = tmp_path / 'annotations.json'
  lib.create_visual_wakeword_annotations(
      _instances(source), str(path), threshold, class_name)
  return path


def test_labels_file(tmp_path):
  lib.create_labels_file('dog', str(tmp_path / 'labels.txt'))
  assert (tmp_path / 'labels.txt').read_text() == '0:background\n1:dog\n'


def test_annotations(source, tmp_path):
  content = json.loads(_annotate(source, tmp_path).read_text())
  assert content['images'][1] == {
      'id': 1, 'width': 16, 'height': 12,
      'file_name': coco_files.image_name('2014', 'train', 1)}
  assert [content['annotations'][str(number)]['label']
          for number in range(7)] == [0, 1, 0, 1, 0, 1, 0]
  # The person of one pixel is 0.5 % of the image, not more.
  assert content['annotations']['0'] == {'label': 0, 'objects': []}
  assert content['annotations']['1']['objects'] == [
      {'area': 48, 'bbox': [4, 3, 8, 6]}]
  assert content['categories'] == {
      '1': {'id': 1, 'name': 'person', 'supercategory': 'person'}}


def test_another_class_and_a_lower_threshold(source, tmp_path):
  dogs = json.loads(_annotate(source, tmp_path, 'dog').read_text())
  assert dogs['annotations']['0']['objects'] == [
      {'area': 24, 'bbox': [4, 3, 8, 6]}]
  assert list(dogs['categories']) == ['18']
  everyone = json.loads(
      _annotate(source, tmp_path, threshold=0.001).read_text())
  assert len(everyone['annotations']['1']['objects']) == 2


def test_an_unknown_class_writes_nothing(source, tmp_path):
  with pytest.raises(ValueError, match='_interest=dgo .* did you mean dog'):
    _annotate(source, tmp_path, 'dgo')
  assert os.listdir(str(tmp_path)) == ['source']


def test_records(source, tmp_path):
  annotations = _annotate(source, tmp_path)
  folder = os.path.join(source, 'train2014')
  lib.create_tf_record_for_visualwakewords_dataset(
      str(annotations), folder, str(tmp_path / 'out' / 'train.record'), 3)
  names = ['train.record-%05d-of-00003' % shard for shard in range(3)]
  assert sorted(os.listdir(str(tmp_path / 'out'))) == names
  examples = [records.read(tmp_path / 'out' / name) for name in names]
  # In turn.
  assert [[records.values(example, 'image/source_id')[0] for example in shard]
          for shard in examples] == [
              [b'0', b'3', b'6'], [b'1', b'4'], [b'2', b'5']]
  example = examples[0][1]
  image = coco.read(_instances(source), folder, 'person', 0.005)[3]
  with open(image.path, 'rb') as file:
    content = file.read()
  for key, values in {
      'image/class/label': [1], 'image/height': [12], 'image/width': [16],
      'image/filename': [image.name.encode()], 'image/format': [b'jpeg'],
      'image/encoded': [content], 'image/object/area': [48],
      'image/key/sha256': [hashlib.sha256(content).hexdigest().encode()],
      'image/object/bbox/xmin': [0.25], 'image/object/bbox/xmax': [0.75],
      'image/object/bbox/ymin': [0.25], 'image/object/bbox/ymax': [0.75],
  }.items():
    assert records.values(example, key) == values, key


def test_the_label_is_the_one_of_the_annotations(source, tmp_path):
  path = _annotate(source, tmp_path)
  path.write_text(path.read_text().replace('"label": 0', '"label": 1'))
  lib.create_tf_record_for_visualwakewords_dataset(
      str(path), os.path.join(source, 'train2014'), str(tmp_path / 'r'), 1)
  assert [records.values(example, 'image/class/label') for example in
          records.read(tmp_path / 'r-00000-of-00001')] == [[1]] * 7


def test_a_bad_image_leaves_the_old_files(source, tmp_path):
  annotations = _annotate(source, tmp_path)
  folder = os.path.join(source, 'train2014')
  name = coco_files.image_name('2014', 'train', 5)
  with open(os.path.join(folder, name), 'wb') as file:
    file.write(b'nothing to be seen')
  old = tmp_path / 'train.record-00000-of-00002'
  old.write_text('old')
  before = set(os.listdir(str(tmp_path)))
  with pytest.raises(ValueError, match=(
      '1 bad images in .*train2014; nothing was written.\n  %s: not an '
      'image' % name)):
    lib.create_tf_record_for_visualwakewords_dataset(
        str(annotations), folder, str(tmp_path / 'train.record'), 2)
  assert old.read_text() == 'old' and set(os.listdir(str(tmp_path))) == before


@pytest.mark.parametrize('content', [
    '[', '{}', '{"images": [{"id": 1}]}', '{"images": [], "annotations": []'])
def test_damaged_annotations(tmp_path, content):
  (tmp_path / 'a.json').write_text(content)
  with pytest.raises(ValueError, match='a.json is not what '
                     'create_visual_wakeword_annotations writes, or damaged'):
    lib.create_tf_record_for_visualwakewords_dataset(
        str(tmp_path / 'a.json'), str(tmp_path), str(tmp_path / 'x'), 1)


def test_a_number_of_files_that_does_not_fit(tmp_path):
  with pytest.raises(ValueError, match='num_shards is 0; it must be at least'):
    lib.create_tf_record_for_visualwakewords_dataset(
        'none', str(tmp_path), str(tmp_path / 'x'), 0)
