import functools

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from preprocessing import augmentation
from preprocessing import preprocessing_factory
from tests.preprocessing import numpy_ops

Augmentation = preprocessing_factory.Augmentation


def _gray(image):
  return image.dot(numpy_ops.LUMA)[..., None]


def test_jitter_color(monkeypatch, run, pixels):
  factors = iter([1.2, 0.7, 1.4])
  ranges = []

  def sample(low, high):
    ranges.append((low, high))
    return next(factors)

  monkeypatch.setattr(augmentation.random_numbers, 'uniform', sample)
  result = run(functools.partial(augmentation.jitter_color, strength=0.4),
               np.float32(pixels))
  expected = np.clip(pixels * 1.2, 0, 255)
  mean = _gray(expected).mean()
  expected = np.clip(mean + (expected - mean) * 0.7, 0, 255)
  gray = _gray(expected)
  expected = np.clip(gray + (expected - gray) * 1.4, 0, 255)
  np.testing.assert_allclose(result, expected, atol=0.1)
  assert ranges == [(0.6, 1.4)] * 3


@pytest.mark.parametrize('channels', [1, 3])
def test_jitter_color_keeps_the_range(run_many, pixels, channels):
  image = np.float32(pixels[:, :, :channels])
  results = run_many(
      functools.partial(augmentation.jitter_color, strength=2.0), image, 8)
  assert len({result.tobytes() for result in results}) == 8
  for result in results:
    assert result.shape == image.shape
    assert 0 <= result.min() and result.max() <= 255


def test_erase(run_many):
  image = np.ones((40, 60, 2), np.float32)
  results = run_many(
      functools.partial(augmentation.erase, probability=0.5), image, 60)
  sizes = []
  for result in results:
    rows, columns = [
        np.flatnonzero((result == 0).all(2).any(axis)) for axis in (1, 0)]
    if not rows.size:
      np.testing.assert_array_equal(result, image)
      continue
    expected = image.copy()
    expected[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1] = 0
    np.testing.assert_array_equal(result, expected)
    sizes.append((len(rows), len(columns)))
  assert 15 < len(sizes) < 45
  for height, width in sizes:
    assert 0.015 < height * width / 2400 < 0.35
    assert height == 40 or 0.25 < width / height < 4


def test_erase_always_and_never(run_many, pixels):
  image = np.float32(pixels) + 1
  assert all((result == 0).any() for result in run_many(
      functools.partial(augmentation.erase, probability=1.0), image, 9))
  assert not any((result == 0).any() for result in run_many(
      functools.partial(augmentation.erase, probability=0.0), image, 9))


def _preprocess(name, **kwargs):
  preprocess = preprocessing_factory.get_preprocessing(
      name, is_training=True, augmentation=Augmentation(**kwargs))
  return lambda image: preprocess(image, 16, 16)


@pytest.mark.parametrize('name', ['inception', 'vgg'])
def test_crops(run_many, name):
  """The columns of a ramp tell the width of a crop."""
  # From 40 to 198: no change of brightness cuts anything off.
  ramp = np.uint8(np.tile(40 + 1.6 * np.arange(100)[:, None], (100, 1, 3)))
  for kwargs, narrow, wide in (
      (dict(crop_min_area=0.9), 0.85, 1.01),
      (dict(crop_min_area=0.2, crop_max_aspect=1.0), 0.43, 1.01)):
    extents = []
    for image in run_many(_preprocess(name, **kwargs), ramp, 12):
      extents.append(np.ptp(image.mean((0, 2))) / (
          1.0 if name == 'vgg' else 2 / 255.0) / 160 * 16 / 15)
    assert narrow < min(extents) and max(extents) < wide


@pytest.mark.parametrize('name', ['inception', 'vgg', 'cifarnet', 'lenet'])
@pytest.mark.slow
def test_recipes_with_everything(run_many, pixels, name):
  step = _preprocess(name, color_jitter=0.4, randaugment_steps=1,
                     random_erasing=1.0)
  for image in run_many(step, pixels, 3):
    assert image.shape == (16, 16, 3) and image.dtype == np.float32
    assert (image == 0).all(2).any()


def test_nothing_is_added_in_evaluation(run, pixels):
  plain = preprocessing_factory.get_preprocessing('vgg')
  augmented = preprocessing_factory.get_preprocessing(
      'vgg', augmentation=Augmentation(crop_min_area=0.5, random_erasing=1.0))
  np.testing.assert_array_equal(*[
      run(lambda image, p=preprocess: p(image, 16, 16), pixels)
      for preprocess in (plain, augmented)])


@pytest.mark.parametrize('name', ['cifarnet', 'lenet'])
@pytest.mark.parametrize('kwargs', [
    {'crop_min_area': 0.5}, {'crop_max_aspect': 2.0}])
def test_families_without_such_crops(name, kwargs):
  with pytest.raises(ValueError, match='of %s crops to one size: '
                     '--crop_min_area and --crop_max_aspect' % name):
    _preprocess(name, **kwargs)


def test_jpeg_preprocessing():
  get = preprocessing_factory.get_jpeg_preprocessing
  assert get('inception_v3') is None
  assert get('cifarnet', is_training=True) is None
  preprocess = get(
      'mobilenet_v2', is_training=True, use_grayscale=True,
      augmentation=Augmentation(
          color_jitter=0.5, randaugment_steps=1, random_erasing=0.5))
  jpeg = tf.image.encode_jpeg(np.zeros((30, 40, 3), np.uint8))
  image = preprocess(jpeg, 3, 16, 20, seed=tf.constant([1, 2], tf.int64))
  assert image.shape.as_list() == [16, 20, 1]
  with tf.Session() as session:
    np.testing.assert_array_equal(session.run(image), session.run(image))
