import functools

import numpy as np
from PIL import Image
from PIL import ImageEnhance
from PIL import ImageFilter
from PIL import ImageOps
import pytest
import tensorflow.compat.v1 as tf

from preprocessing import randaugment

_HEIGHT, _WIDTH = 24, 20


@pytest.fixture
def pixels():
  """Of a different extent in each channel."""
  random = np.random.RandomState(0)
  rows = np.linspace(20, 200, _HEIGHT)[:, None, None] * [1.0, 0.5, 0.8]
  return np.uint8(rows + random.randint(0, 40, (_HEIGHT, _WIDTH, 3)))


def _run(run, change, pixels, **kwargs):
  def step(image):
    image = tf.reshape(image, pixels.shape)
    return change(image, **kwargs)
  return run(step, np.float32(pixels))


def _enhanced(enhancer):
  return lambda image, factor: enhancer(image).enhance(factor)


def _assert_close(result, expected, atol):
  assert result.dtype == np.float32
  np.testing.assert_allclose(result, np.float32(expected), atol=atol)


@pytest.mark.parametrize('name, by_pillow', [
    ('autocontrast', ImageOps.autocontrast), ('equalize', ImageOps.equalize),
    ('identity', lambda image: image)])
def test_without_level(run, pixels, name, by_pillow):
  result = _run(run, randaugment.OPERATIONS[name], pixels, level=0.9)
  _assert_close(result, by_pillow(Image.fromarray(pixels)), 1)


@pytest.mark.parametrize('level, threshold', [(0.0, 256), (0.5, 128), (1, 0)])
def test_solarize(run, pixels, level, threshold):
  _assert_close(
      _run(run, randaugment.solarize, pixels, level=level),
      ImageOps.solarize(Image.fromarray(pixels), threshold), 0)


@pytest.mark.parametrize('level, bits', [(0.0, 8), (0.5, 6), (1.0, 4)])
def test_posterize(run, pixels, level, bits):
  _assert_close(
      _run(run, randaugment.posterize, pixels, level=level),
      ImageOps.posterize(Image.fromarray(pixels), bits), 0)


def _sharpened(image, factor):
  """Pillow's, whose filter copies the outermost pixels."""
  smooth = image.filter(ImageFilter.SMOOTH)
  return Image.blend(smooth, image, factor)


@pytest.mark.parametrize('name, by_pillow', [
    ('color', _enhanced(ImageEnhance.Color)),
    ('contrast', _enhanced(ImageEnhance.Contrast)),
    ('brightness', _enhanced(ImageEnhance.Brightness)),
    ('sharpness', _sharpened)])
def test_factors(monkeypatch, run, pixels, name, by_pillow):
  for factor in (0.4, 1.6):
    monkeypatch.setattr(randaugment, '_factor', lambda level, f=factor: f)
    result = _run(run, randaugment.OPERATIONS[name], pixels, level=1.0)
    # Pillow rounds gray, the filter and the result.
    _assert_close(result, by_pillow(Image.fromarray(pixels), factor), 2.5)


def test_factors_go_both_ways(run_many):
  image = np.full((2, 2, 3), 100, np.float32)
  results = run_many(
      functools.partial(randaugment.brightness, level=0.5), image, 30)
  values = np.round([result[0, 0, 0] for result in results])
  assert set(values) == {55, 145}


@pytest.mark.parametrize('name, level, sign, matrix', [
    # By Pillow: output x, y to input a x + b y + c, d x + e y + f.
    ('shear_x', 1.0, 1, lambda x, y: (1, 0.3, -0.3 * y, 0, 1, 0)),
    ('shear_y', 0.5, -1, lambda x, y: (1, 0, 0, -0.15, 1, 0.15 * x)),
    ('translate_x', 1.0, 1, lambda x, y: (1, 0, 0.45 * _WIDTH, 0, 1, 0)),
    ('translate_y', 0.5, -1, lambda x, y: (1, 0, 0, 0, 1, -0.225 * _HEIGHT)),
])
def test_moves(monkeypatch, run, pixels, name, level, sign, matrix):
  monkeypatch.setattr(randaugment, '_signed', lambda value: sign * value)
  result = _run(run, randaugment.OPERATIONS[name], pixels, level=level)
  # Pillow counts from the corner of a pixel, not from its middle.
  coefficients = matrix(_WIDTH / 2.0, _HEIGHT / 2.0)
  expected = Image.fromarray(pixels).transform(
      (_WIDTH, _HEIGHT), Image.AFFINE, coefficients, Image.NEAREST,
      fillcolor=(128, 128, 128))
  different = np.abs(result - np.float32(expected)).max(2) > 0
  # Where two pixels are equally near, either is taken.
  assert different.mean() < 0.06


def test_rotate(monkeypatch, run, pixels):
  monkeypatch.setattr(randaugment, '_signed', lambda value: value)
  result = _run(run, randaugment.rotate, pixels, level=0.5)
  expected = Image.fromarray(pixels).rotate(
      -15, Image.NEAREST, fillcolor=(128, 128, 128))
  turned_back = Image.fromarray(pixels).rotate(
      15, Image.NEAREST, fillcolor=(128, 128, 128))
  differences = [np.mean(np.abs(result - np.float32(other)).max(2) > 0)
                 for other in (expected, turned_back)]
  assert min(differences) < 0.1 < max(differences)


@pytest.mark.parametrize('channels', [1, 3])
def test_apply(run_many, pixels, channels):
  image = np.float32(pixels[:, :, :channels])

  def step(pixels):
    return randaugment.apply(
        tf.reshape(pixels, image.shape), steps=2, magnitude=9)

  results = run_many(step, image, 12)
  assert len({result.tobytes() for result in results}) > 6
  for result in results:
    assert result.shape == image.shape and result.dtype == np.float32
    assert 0 <= result.min() and result.max() <= 255


def test_there_are_fourteen():
  assert len(randaugment.OPERATIONS) == 14
