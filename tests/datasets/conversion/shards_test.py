"""Tests of building a record file, and of knowing one that is complete."""
import json
import os

import pytest

from datasets.conversion import image_checks
from datasets.conversion import shards
from datasets.imagenet_tools import synset_images
from tests.datasets import records
from tests.datasets.imagenet_tools import imagenet_files

_POLICY = image_checks.Policy(turn=False)


def _images(folder):
  """Writes three JPEGs; returns their images."""
  return [synset_images.LabeledImage(
      imagenet_files.write(folder, {name: imagenet_files.jpeg(k)}) + '/' + name,
      name, k + 1, 'n01440764', 'tench', [(0., 0., 1., 1.)])
          for k, name in enumerate(('a.JPEG', 'b.JPEG', 'c.JPEG'))]


def _find(tmp_path, images, policy=_POLICY):
  return shards.find(str(tmp_path / 'shard'), images,
                     synset_images.features_of, policy)


def _build(tmp_path, images, num_parts=1):
  recipe = synset_images.features_of, _POLICY
  parts = [shards.write_part(str(tmp_path / ('.%d' % k)),
                             images[k::num_parts], *recipe)
           for k in range(num_parts)]
  return shards.join(str(tmp_path / 'shard'), parts, *recipe)


def test_complete_file_is_found(tmp_path):
  images = _images(tmp_path / 'in')
  assert _find(tmp_path, images) is None
  report = _build(tmp_path, images)
  assert report.examples_per_class == {1: 1, 2: 1, 3: 1}
  assert report.size == os.path.getsize(str(tmp_path / 'shard'))
  assert not report.bad and not report.conversions
  assert [records.values(example, 'image/filename')[0] for example in
          records.read(tmp_path / 'shard')] == [b'a.JPEG', b'b.JPEG', b'c.JPEG']
  assert _find(tmp_path, images) == report
  assert sorted(os.listdir(str(tmp_path))) == ['in', 'shard', 'shard.json']


def _edit(path, **changed):
  path.write_text(json.dumps(dict(json.loads(path.read_text()), **changed)))


@pytest.mark.parametrize('spoil', [
    lambda folder: (folder / 'shard.json').unlink(),
    lambda folder: (folder / 'shard.json').write_text('{'),
    lambda folder: (folder / 'shard.json').write_text('[]'),
    lambda folder: (folder / 'shard').unlink(),
    lambda folder: (folder / 'shard').write_bytes(b'half'),
    lambda folder: (folder / 'in' / 'b.JPEG').unlink(),
    lambda folder: (folder / 'in' / 'b.JPEG').write_bytes(b'other'),
    lambda folder: _edit(folder / 'shard.json', digest='0'),
    lambda folder: _edit(folder / 'shard.json', more=1),
    lambda folder: _edit(folder / 'shard.json', examples_per_class={'x': 1}),
    lambda folder: _edit(folder / 'shard.json', bad=3),
])
def test_file_that_does_not_fit_is_not_found(tmp_path, spoil):
  images = _images(tmp_path / 'in')
  _build(tmp_path, images)
  spoil(tmp_path)
  assert _find(tmp_path, images) is None


@pytest.mark.parametrize('changed', [
    {'name': 'x'}, {'label': 9}, {'synset': 'n01443537'}, {'text': 'fish'},
    {'boxes': []}])
def test_other_images_are_not_found(tmp_path, changed):
  images = _images(tmp_path / 'in')
  _build(tmp_path, images)
  images[1] = images[1]._replace(**changed)
  assert _find(tmp_path, images) is None


def test_other_policy_and_fewer_images_are_not_found(tmp_path):
  images = _images(tmp_path / 'in')
  _build(tmp_path, images)
  assert _find(tmp_path, images[:2]) is None
  assert _find(tmp_path, images,
               policy=image_checks.Policy(turn=True)) is None


def test_parts_are_joined(tmp_path):
  images = _images(tmp_path / 'in')
  whole = _build(tmp_path, images)
  content = (tmp_path / 'shard').read_bytes()
  in_order = [images[0], images[2], images[1]]
  assert _build(tmp_path, in_order, num_parts=2) == whole
  assert (tmp_path / 'shard').read_bytes() == content
  assert sorted(os.listdir(str(tmp_path))) == ['in', 'shard', 'shard.json']


def test_bad_images(tmp_path):
  images = _images(tmp_path / 'in')
  (tmp_path / 'in' / 'b.JPEG').write_bytes(b'text')
  (tmp_path / 'in' / 'c.JPEG').unlink()
  report = _build(tmp_path, images)
  assert [name for name, _ in report.bad] == ['b.JPEG', 'c.JPEG']
  assert report.bad[1][1] == 'cannot be read: No such file or directory'
  assert report.num_examples == len(records.read(tmp_path / 'shard')) == 1
  assert _find(tmp_path, images) == report


def test_records_are_located_and_copied(tmp_path):
  _build(tmp_path, _images(tmp_path / 'in'))
  path = str(tmp_path / 'shard')
  found = list(shards.locate_records(path))
  assert [offset + size for offset, size in found] == [
      offset for offset, _ in found[1:]] + [os.path.getsize(path)]
  shards.copy_records(
      str(tmp_path / 'copy'), [path], [(0,) + found[2], (0,) + found[0]])
  assert [records.values(example, 'image/filename')[0] for example in
          records.read(tmp_path / 'copy')] == [b'c.JPEG', b'a.JPEG']


def test_report_is_never_beside_other_records(tmp_path, monkeypatch):
  images = _images(tmp_path / 'in')
  _build(tmp_path, images)
  others = [image._replace(label=7) for image in images]
  replace = os.replace

  def stop_before_the_last(source, target):
    if target.endswith('.json'):
      raise KeyboardInterrupt
    replace(source, target)

  monkeypatch.setattr(shards.os, 'replace', stop_before_the_last)
  with pytest.raises(KeyboardInterrupt):
    _build(tmp_path, others)
  assert _find(tmp_path, others) is None
  assert _find(tmp_path, images) is None
