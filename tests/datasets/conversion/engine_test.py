"""Tests of the engine; those of the converters have more."""
import os

import pytest

from datasets.conversion import coco
from datasets.conversion import dataset_writer
from datasets.conversion import engine
from datasets.conversion import image_checks
from tests.datasets.imagenet_tools import imagenet_files


def _convert(tmp_path, contents, on_bad_image='fail'):
  folder = imagenet_files.write(tmp_path / 'in', contents)
  images = [coco.LabeledImage(os.path.join(folder, name), name, 0, '1', [], [])
              for name in sorted(contents)]
  split = engine.Split(
      ['toy-0', 'toy-1'], len(images), lambda shard: images[shard::2])
  out = str(tmp_path / 'out')
  with dataset_writer.DatasetWriter(out, 'toy', 1) as writer:
    engine.convert(writer, {'train': split}, ['one'], coco.features_of,
                   image_checks.Policy(only_jpeg=True), on_bad_image)


def test_what_is_known_of_a_dataset(tmp_path):
  out = str(tmp_path / 'out')
  assert dataset_writer.DatasetWriter(out, 'toy').existing_info() is None
  _convert(tmp_path, {'a': imagenet_files.jpeg(1), 'b': imagenet_files.jpeg(2)})
  info = dataset_writer.DatasetWriter(out, 'toy').existing_info()
  assert info['splits'] == {'train': {
      'num_examples': 2, 'files': ['toy-0', 'toy-1'],
      'examples_per_file': [1, 1], 'examples_per_class': [2]}}
  assert dataset_writer.DatasetWriter(out, 'other').existing_info() is None


def test_split_without_a_good_image(tmp_path):
  with pytest.raises(ValueError, match='train has no good image'):
    _convert(tmp_path, {'a': b'x', 'b': b'y'}, on_bad_image='skip')
  assert not (tmp_path / 'out' / 'dataset_info.json').exists()


def test_two_converters_do_not_mix(tmp_path):
  out = str(tmp_path / 'out')
  with dataset_writer.DatasetWriter(out, 'toy', 1):
    with pytest.raises(OSError, match='another converter is at work in'):
      _convert(tmp_path, {'a': imagenet_files.jpeg(1)})


def test_report_goes_with_the_dataset_it_is_of(tmp_path):
  good, bad = imagenet_files.jpeg(1), b'text'
  _convert(tmp_path, {'a': good, 'b': bad}, on_bad_image='skip')
  report = tmp_path / 'out' / 'bad_images.csv'
  assert report.read_text().startswith('path,reason\nb,"not an image')
  _convert(tmp_path, {'a': good, 'b': good}, on_bad_image='skip')
  assert not report.exists()
