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


def _pictures(folder):
  """Writes three JPEGs; returns their pictures."""
  return [synset_images.Picture(
      imagenet_files.write(folder, {name: imagenet_files.jpeg(k)}) + '/' + name,
      name, k + 1, 'n01440764', 'tench', [(0., 0., 1., 1.)])
          for k, name in enumerate(('a.JPEG', 'b.JPEG', 'c.JPEG'))]


def _call(function, tmp_path, pictures, policy=_POLICY, may_skip=False):
  return function(str(tmp_path / 'shard'), pictures,
                  synset_images.features_of, policy, may_skip)


def test_complete_file_is_found(tmp_path):
  pictures = _pictures(tmp_path / 'in')
  assert _call(shards.find, tmp_path, pictures) is None
  report = _call(shards.build, tmp_path, pictures)
  assert report.examples_per_class == {1: 1, 2: 1, 3: 1}
  assert report.size == os.path.getsize(str(tmp_path / 'shard'))
  assert not report.bad and not report.conversions
  assert [records.values(example, 'image/filename')[0] for example in
          records.read(tmp_path / 'shard')] == [b'a.JPEG', b'b.JPEG', b'c.JPEG']
  assert _call(shards.find, tmp_path, pictures) == report
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
    lambda folder: _edit(folder / 'shard.json', bad=[['a.JPEG', 'why']]),
])
def test_file_that_does_not_fit_is_not_found(tmp_path, spoil):
  pictures = _pictures(tmp_path / 'in')
  _call(shards.build, tmp_path, pictures)
  spoil(tmp_path)
  assert _call(shards.find, tmp_path, pictures) is None


@pytest.mark.parametrize('changed', [
    {'name': 'x'}, {'label': 9}, {'synset': 'n01443537'}, {'text': 'fish'},
    {'boxes': []}])
def test_other_pictures_are_not_found(tmp_path, changed):
  pictures = _pictures(tmp_path / 'in')
  _call(shards.build, tmp_path, pictures)
  pictures[1] = pictures[1]._replace(**changed)
  assert _call(shards.find, tmp_path, pictures) is None


def test_other_policy_and_fewer_pictures_are_not_found(tmp_path):
  pictures = _pictures(tmp_path / 'in')
  _call(shards.build, tmp_path, pictures)
  assert _call(shards.find, tmp_path, pictures[:2]) is None
  assert _call(shards.find, tmp_path, pictures,
               policy=image_checks.Policy(turn=True)) is None


def test_bad_pictures(tmp_path):
  pictures = _pictures(tmp_path / 'in')
  (tmp_path / 'in' / 'b.JPEG').write_bytes(b'text')
  (tmp_path / 'in' / 'c.JPEG').unlink()
  report = _call(shards.build, tmp_path, pictures)
  assert [name for name, _ in report.bad] == ['b.JPEG', 'c.JPEG']
  assert report.bad[1][1] == 'cannot be read: No such file or directory'
  assert os.listdir(str(tmp_path)) == ['in']
  _call(shards.build, tmp_path, pictures, may_skip=True)
  assert len(records.read(tmp_path / 'shard')) == 1
  assert _call(shards.find, tmp_path, pictures, may_skip=True)
  assert _call(shards.find, tmp_path, pictures) is None


def test_new_text_never_stands_beside_old_records(tmp_path, monkeypatch):
  pictures = _pictures(tmp_path / 'in')
  _call(shards.build, tmp_path, pictures)
  others = [picture._replace(label=7) for picture in pictures]
  replace = os.replace

  def stop_before_the_last(source, target):
    if not source.endswith('.json.part'):
      raise KeyboardInterrupt
    replace(source, target)

  monkeypatch.setattr(shards.os, 'replace', stop_before_the_last)
  with pytest.raises(KeyboardInterrupt):
    _call(shards.build, tmp_path, others)
  assert _call(shards.find, tmp_path, others) is None
