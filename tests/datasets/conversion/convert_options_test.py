"""Tests of the options of a conversion and of the choice of a converter."""
import dataclasses
import importlib
import inspect

import pytest

from datasets.conversion import convert_options
from datasets.conversion import image_checks
from tests.datasets.conversion import raw_files


def test_names_and_defaults_of_old():
  defaults = {field.name: field.default
              for field in dataclasses.fields(convert_options.ConvertOptions)}
  host = 'http://images.cocodataset.org/'
  assert defaults == {
      'dataset_name': None, 'dataset_dir': None, 'source': None,
      'check': False, 'histogram': None, 'overwrite': False,
      'keep': False, 'num_workers': None, 'on_bad_image': 'fail',
      'max_pixels': image_checks.MAX_PIXELS,
      'background': 'white', 'validation_fraction': None,
      'num_validation': None, 'seed': 0, 'num_shards': 5,
      'small_object_area_threshold': 0.005,
      'foreground_class_of_interest': 'person', 'coco_dirname': 'coco_dataset',
      'coco_train_url': host + 'zips/train2014.zip',
      'coco_validation_url': host + 'zips/val2014.zip',
      'coco_annotations_url': (
          host + 'annotations/annotations_trainval2014.zip')}


def test_every_option_is_explained():
  for field in dataclasses.fields(convert_options.ConvertOptions):
    assert field.metadata['help'].endswith('.')


@pytest.mark.parametrize('name', ['cifar10', 'fashion_mnist', 'mnist'])
def test_converts(tmp_path, name):
  if name == 'cifar10':
    raw_files.write_cifar10(tmp_path / 'source', 'binary')
  else:
    raw_files.write_mnist(tmp_path / 'source')
  convert_options.convert(convert_options.ConvertOptions(
      dataset_name=name, dataset_dir=str(tmp_path / 'out'),
      source=str(tmp_path / 'source'), num_workers=1))
  assert (tmp_path / 'out' / ('%s_test.tfrecord' % name)).exists()


def test_options_reach_the_converter(monkeypatch):
  given = []
  mnist = importlib.import_module('datasets.download_and_convert_mnist')
  monkeypatch.setattr(
      mnist, 'run', lambda folder, **options: given.append((folder, options)))
  convert_options.convert(convert_options.ConvertOptions(
      dataset_name='mnist', dataset_dir='d', source='s', overwrite=True,
      num_workers=3))
  assert given == [
      ('d', {'source': 's', 'overwrite': True, 'keep': False,
             'num_workers': 3})]


@pytest.mark.parametrize('name', ['flowers', 'image_folder',
                                  'visualwakewords'])
def test_options_of_one_converter_reach_it(monkeypatch, name):
  given = {}
  module = importlib.import_module('datasets.download_and_convert_' + name)
  known = inspect.signature(module.run).parameters
  monkeypatch.setattr(
      module, 'run', lambda folder, **options: given.update(options))
  convert_options.convert(convert_options.ConvertOptions(
      dataset_name=name, dataset_dir='d', source='s', on_bad_image='skip'))
  assert given['on_bad_image'] == 'skip'
  assert sorted(given) == sorted(list(known)[1:])


def test_imagenet_has_separate_programs():
  with pytest.raises(ValueError, match=(
      'sign up at https://image-net.org. With the archives, or their content, '
      'in SOURCE: datasets/download_and_convert_imagenet.sh d SOURCE$')):
    convert_options.convert(convert_options.ConvertOptions(
        dataset_name='imagenet', dataset_dir='d'))


@pytest.mark.parametrize('name,hint', [
    ('minst', 'did you mean mnist'),
    ('xyz', 'is not known. It is one of: cifar10, fashion_mnist, flowers')])
def test_unknown_dataset(name, hint):
  with pytest.raises(ValueError, match='--dataset_name=%s .*%s' % (name, hint)):
    convert_options.convert(convert_options.ConvertOptions(
        dataset_name=name, dataset_dir='d'))


def test_checks(monkeypatch):
  given = []
  doctor = importlib.import_module('datasets.doctor')
  monkeypatch.setattr(
      doctor, 'check', lambda *arguments: given.append(arguments))
  convert_options.convert(convert_options.ConvertOptions(
      check=True, dataset_dir='d', num_workers=2, histogram='h.png'))
  assert given == [('d', 2, 'h.png')]
  with pytest.raises(ValueError, match='--check needs --dataset_dir'):
    convert_options.convert(convert_options.ConvertOptions(check=True))
