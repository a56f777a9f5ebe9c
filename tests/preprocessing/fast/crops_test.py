"""The crops of training, made in both ways by the factory's functions.

The plain way decodes the whole image, the other one the crop alone.
"""
import io

import numpy as np
from PIL import Image
import pytest
import tensorflow.compat.v1 as tf

from preprocessing import image_ops
from preprocessing import preprocessing_factory

_HEIGHT, _WIDTH = 120, 160
_SIZE = 24
_COUNT = 300
Augmentation = preprocessing_factory.Augmentation

# The graph's seed is meant to hold inside a dataset too.
pytestmark = pytest.mark.filterwarnings('ignore:Seed .* from outer graph')


def _pixels():
  rows, columns = np.meshgrid(
      np.linspace(0, 1, _HEIGHT), np.linspace(0, 1, _WIDTH), indexing='ij')
  planes = [np.sin(9 * rows + i) * np.cos(7 * columns - i) for i in range(3)]
  return np.uint8(128 + 100 * np.stack(planes, 2))


def _jpeg():
  file = io.BytesIO()
  Image.fromarray(_pixels()).save(file, 'JPEG', quality=95)
  return file.getvalue()


def _plain(name, **augmentation):
  preprocess = preprocessing_factory.get_preprocessing(
      name, is_training=True, augmentation=Augmentation(**augmentation))
  return lambda encoded, **seed: preprocess(
      tf.image.decode_jpeg(encoded, channels=3), _SIZE, _SIZE, **seed)


def _cropped(name, **augmentation):
  preprocess = preprocessing_factory.get_jpeg_preprocessing(
      name, is_training=True, augmentation=Augmentation(**augmentation))
  return lambda encoded, **seed: preprocess(encoded, 3, _SIZE, _SIZE, **seed)


@pytest.fixture(name='crops')
def _crops(monkeypatch):
  """A function of a preprocessing that returns the crops it makes.

  It returns float [_COUNT, 4]: top, left, height and width in pixels, found
  inside tf.data, or one by one outside of it.
  """
  found = []
  sample_box = image_ops.sample_distorted_box

  def sample_and_keep(*arguments, **keywords):
    result = sample_box(*arguments, **keywords)
    found.append(tf.concat([result[0][:2], result[1][:2]], 0))
    return result

  monkeypatch.setattr(image_ops, 'sample_distorted_box', sample_and_keep)

  def sample(preprocess, is_seeded, in_dataset=True):
    encoded = _jpeg()

    def crop(number):
      preprocess(tf.constant(encoded), **(
          {'seed': tf.stack([3, number])} if is_seeded else {}))
      return found.pop()

    with tf.Graph().as_default(), tf.Session() as session:
      tf.set_random_seed(5)
      if in_dataset:
        numbers = tf.data.Dataset.range(_COUNT).map(crop).batch(_COUNT)
        return np.float64(session.run(
            tf.data.make_one_shot_iterator(numbers).get_next()))
      number = tf.placeholder(tf.int64, [])
      result = crop(number)
      return np.float64([
          session.run(result, {number: i}) for i in range(_COUNT)])

  return sample


@pytest.mark.parametrize('is_seeded', [False, True])
@pytest.mark.parametrize('in_dataset', [False, True])
@pytest.mark.parametrize('way', [_plain, _cropped])
@pytest.mark.parametrize('name', ['inception', 'vgg'])
def test_areas_and_aspect_ratios(crops, name, way, in_dataset, is_seeded):
  _, _, height, width = crops(
      way(name, crop_min_area=0.3, crop_max_aspect=1.5), is_seeded,
      in_dataset).T
  areas, aspects = height * width / (_HEIGHT * _WIDTH), width / height
  # Sides are whole pixels.
  assert 0.295 < areas.min() < 0.33 and 0.9 < areas.max() <= 1
  assert 0.65 < aspects.min() < 0.69 and 1.45 < aspects.max() < 1.53


# What the families take where a flag is not given, and the one that is.
@pytest.mark.parametrize('name, flags, areas, aspects', [
    # A crop of inception's covers a tenth of the image, its one object.
    ('inception', {}, (0.1, 1), (0.75, 1.33)),
    ('inception', {'crop_min_area': 0.6}, (0.6, 1), (0.75, 1.33)),
    ('inception', {'crop_min_area': 0.04}, (0.04, 1), (0.75, 1.33)),
    ('inception', {'crop_max_aspect': 1.0}, (0.1, 0.76), (1, 1)),
    ('vgg', {'crop_min_area': 0.6}, (0.6, 1), (0.75, 1.34)),
    ('vgg', {'crop_max_aspect': 1.0}, (0.08, 0.76), (1, 1))])
def test_ranges_of_the_families(crops, name, flags, areas, aspects):
  _, _, height, width = crops(_cropped(name, **flags), False).T
  found = height * width / (_HEIGHT * _WIDTH)
  assert areas[0] - 0.005 < found.min() < areas[0] + 0.05
  assert areas[1] - 0.15 < found.max() <= areas[1]
  slack = 1.5 / height
  assert (width / height > aspects[0] - slack).all()
  assert (width / height < aspects[1] + slack).all()


_SAME_RECIPE = pytest.mark.parametrize('name, flags', [
    ('inception', {}), ('vgg', {'crop_min_area': 0.1})])


@_SAME_RECIPE
def test_both_ways_make_the_same_crops_of_a_seed(crops, name, flags):
  plain, cropped = [
      crops(way(name, **flags), True) for way in (_plain, _cropped)]
  assert len(np.unique(plain, axis=0)) > 0.9 * _COUNT
  np.testing.assert_array_equal(plain, cropped)


@_SAME_RECIPE
def test_crops_of_both_ways_have_one_distribution(crops, name, flags):
  plain, cropped = [
      crops(way(name, **flags), False) for way in (_plain, _cropped)]
  for column, other in zip(plain.T, cropped.T):
    positions = np.union1d(column, other)
    ranks = [np.searchsorted(np.sort(values), positions, 'right') / _COUNT
             for values in (column, other)]
    # Kolmogorov and Smirnov's bound, passed once in a thousand times.
    assert np.abs(ranks[0] - ranks[1]).max() < 1.95 * np.sqrt(2 / _COUNT)


@_SAME_RECIPE
def test_both_ways_make_the_same_image(name, flags):
  """Of a seed, and so of a crop, a flip and a change of colors."""
  encoded = tf.constant(_jpeg())
  seed = tf.placeholder(tf.int64, [2])
  results = [way(name, **flags)(encoded, seed=seed)
             for way in (_plain, _cropped)]
  with tf.Session() as session:
    plain, cropped = [np.stack(images) for images in zip(*[
        session.run(results, {seed: [3, number]}) for number in range(12)])]
  unit = 1 if name == 'inception' else 127.5
  # A large crop is reduced first: its pixels are then means of several, whose
  # middle lies up to half a pixel of the result away.
  assert np.abs(plain - cropped).mean((1, 2, 3)).max() < 0.08 * unit
  assert np.abs(plain[1:] - cropped[:-1]).mean((1, 2, 3)).min() > 0.1 * unit
