"""Images in compact tables are what a list of them would be."""
import os
import pickle
import random

import pytest

from datasets.conversion import source_images

# The last is not UTF-8, as the operating system reads it.
_NAMES = ['b/1.jpg', 'a/猫.jpg', 'b/', '', 'a/\udcff\udc80.jpg']
_CLASSES = [('b',), ('a',), ('b',), (), ('a', 'b')]


@pytest.fixture(name='images')
def _images():
  images = source_images.Images('/in')
  for name, class_names in zip(_NAMES, _CLASSES):
    images.append(name, class_names)
  return images


def _listed():
  return [source_images.Image(os.path.join('/in', name), name, None, classes)
          for name, classes in zip(_NAMES, _CLASSES)]


def test_as_a_list(images):
  assert list(images) == _listed()
  assert len(images) == 5
  assert images[1] == _listed()[1]
  assert images[-1] == _listed()[-1]
  assert list(images[1:4]) == _listed()[1:4]
  assert not images[5:]
  assert [images.class_names(k) for k in range(5)] == _CLASSES
  with pytest.raises(IndexError):
    images[5]  # pylint: disable=pointless-statement


def test_paths():
  images = source_images.Images('')
  images.append('a.jpg', ())
  images.append('/b.jpg', ())
  assert [image.path for image in images] == ['a.jpg', '/b.jpg']
  with_slash = source_images.Images('in/')
  with_slash.append('a.jpg', ())
  assert with_slash[0].path == 'in/a.jpg'


def test_other_orders(images):
  part = images.select([4, 0, 2])
  assert list(part) == [_listed()[k] for k in (4, 0, 2)]
  assert list(part.numbers) == [4, 0, 2]
  assert list(part[1:].select([1]).numbers) == [2]
  shuffled = _listed()
  random.Random(3).shuffle(shuffled)
  assert list(images.shuffled(3)) == shuffled
  assert list(images.sorted()) == sorted(
      _listed(), key=lambda image: image.name)
  assert list(images) == _listed()


def test_classes_are_those_of_a_part(images):
  assert images.classes() == {'a', 'b'}
  assert images[1:2].classes() == {'a'}
  assert images[3:4].classes() == set()


def test_labels(images):
  labeled = images.labeled(lambda names: (len(names), names + ('x',)))
  assert [image.label for image in labeled] == [1, 1, 1, 0, 2]
  assert labeled[1].class_names == ('a', 'x')
  assert list(images) == _listed()


def test_a_worker_gets_its_part_alone(images):
  part = images[1:3].select([1, 0])
  received = pickle.loads(pickle.dumps(part))
  assert list(received) == list(part)
  for k in range(10000):
    images.append('%d.jpg' % k, ('b',))
  assert len(pickle.dumps(images[:2])) < 1000


def test_a_million_images_are_small():
  images = source_images.Images('/in')
  for k in range(1000):
    images.append('digit 7/%07d.png' % k, ('digit 7',))
  assert len(pickle.dumps(images)) < 1000 * 40 + 500
