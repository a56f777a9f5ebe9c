"""Tests of what numba compiles against TensorFlow's operations."""
import functools
import io
import subprocess
import sys

import numba
import numpy as np
from PIL import Image
import pytest
import tensorflow.compat.v1 as tf

from preprocessing import image_ops
from preprocessing import preprocessing_factory
from preprocessing.fast import color
from preprocessing.fast import compiled
from preprocessing.fast import kernels

_MEANS = (123.68, 116.78, 103.94)
_SIZES = ((30, 42), (1, 1), (2, 3), (64, 5))


@pytest.fixture
def without_numba(monkeypatch):
  """numba cannot be imported."""
  monkeypatch.setitem(sys.modules, 'preprocessing.fast.kernels', None)
  monkeypatch.delattr('preprocessing.fast.kernels')
  compiled._kernels.cache_clear()
  yield
  compiled._kernels.cache_clear()


def _crop(shape):
  crop = np.random.RandomState(0).randint(0, 256, shape + (3,), np.uint8)
  crop[0, 0] = 0
  crop[-1, -1] = 255
  crop[:, shape[1] // 2] = 77  # Gray.
  return crop


def _resized(crop, height, width, flipped):
  resized = image_ops.resize(crop, height, width)
  return tf.reverse(resized, [1]) if flipped else resized


# Smaller, larger and of the same size, in both directions.
@pytest.mark.parametrize('height, width', [(17, 29), (40, 50), (30, 42)])
@pytest.mark.parametrize('flipped', [False, True])
@pytest.mark.parametrize('delta, factor', [
    (0.0, 1.0), (-0.12, 0.5), (0.12, 1.5), (0.1, 0.0)])
def test_colors_as_by_operations(run, height, width, flipped, delta, factor):
  for shape in _SIZES:
    ours, plain = [run(step, _crop(shape)) for step in (
        lambda crop: compiled.resize_and_color(
            crop, height, width, flipped, delta, factor),
        lambda crop: color.brighten_and_saturate(
            _resized(crop, height, width, flipped), delta, factor))]
    np.testing.assert_allclose(ours, plain, atol=3e-6)
    assert ours.dtype == np.float32 and np.abs(ours).max() <= 1


@pytest.mark.parametrize('height, width', [(17, 29), (40, 50), (30, 42)])
@pytest.mark.parametrize('flipped', [False, True])
def test_means_as_by_operations(run, height, width, flipped):
  for shape in _SIZES:
    ours, plain = [run(step, _crop(shape)) for step in (
        lambda crop: compiled.resize_and_subtract(
            crop, height, width, flipped, _MEANS),
        lambda crop: image_ops.subtract_means(
            _resized(crop, height, width, flipped), _MEANS))]
    np.testing.assert_allclose(ours, plain, atol=6e-5)
    assert ours.dtype == np.float32


def test_corners_by_hand(run):
  """From 2 x 2 to 4 x 4: the last row and column are those of the crop."""
  crop = np.uint8([[0, 100], [200, 40]])[:, :, np.newaxis].repeat(3, 2)
  image = run(functools.partial(
      compiled.resize_and_subtract, height=4, width=4, flipped=False,
      means=(0, 10, 20)), crop)
  np.testing.assert_allclose(image[:, :, 0], [
      [0, 50, 100, 100], [100, 85, 70, 70], [200, 120, 40, 40],
      [200, 120, 40, 40]])
  np.testing.assert_allclose(image[:, :, 0] - image[:, :, 2], 20)


def test_the_shape_is_known():
  crop = tf.placeholder(tf.uint8, [None, None, 3])
  assert compiled.resize_and_color(
      crop, 5, 6, tf.constant(True), 0.0, 1.0).shape.as_list() == [5, 6, 3]


def test_arrays_that_tensorflow_takes_over():
  for size in range(1, 9):
    numbers = compiled._aligned_empty((size, 5, 3))
    assert numbers.shape == (size, 5, 3) and numbers.dtype == np.float32
    assert numbers.ctypes.data % 64 == 0 and numbers.flags.c_contiguous


def _jpeg(channels=3):
  rows, columns = np.meshgrid(
      np.linspace(0, 1, 120), np.linspace(0, 1, 160), indexing='ij')
  planes = [np.sin(9 * rows + i) * np.cos(7 * columns - i)
            for i in range(channels)]
  pixels = np.uint8(128 + 100 * np.stack(planes, 2))
  file = io.BytesIO()
  Image.fromarray(pixels if channels == 3 else pixels[:, :, 0]).save(
      file, 'JPEG', quality=95)
  return file.getvalue()


def _images(name, use_compiled, channels=3, **arguments):
  """Returns the images of twenty seeds, and whether numba was called."""
  preprocess = preprocessing_factory.get_jpeg_preprocessing(
      name, is_training=True, use_compiled=use_compiled, **arguments)
  encoded = _jpeg(channels)
  with tf.Graph().as_default() as graph:
    images = tf.data.Dataset.range(20).map(
        lambda number: preprocess(
            tf.constant(encoded), channels, 40, 44,
            seed=tf.stack([3, number])), num_parallel_calls=4).batch(20)
    batch = tf.data.make_one_shot_iterator(images).get_next()
    is_called = 'PyFunc' in {
        node.op for function in graph.as_graph_def().library.function
        for node in function.node_def}
    with tf.Session() as session:
      return session.run(batch), is_called


@pytest.mark.parametrize('name, tolerance', [
    ('inception_v3', 5e-6), ('resnet_v1_50', 1e-4)])
def test_a_seed_gives_the_same_image_in_both_ways(name, tolerance):
  ours, is_called = _images(name, None)
  plain, is_called_plainly = _images(name, False)
  assert is_called and not is_called_plainly
  np.testing.assert_allclose(ours, plain, atol=tolerance)
  # Twenty different ones.
  assert len({image.tobytes() for image in ours}) == 20


@pytest.mark.parametrize('name, arguments', [
    ('inception', dict(channels=1)), ('vgg', dict(channels=1)),
    ('vgg', dict(use_grayscale=True)),
    ('vgg', dict(augmentation=preprocessing_factory.Augmentation(
        color_jitter=0.2))),
    ('inception', dict(augmentation=preprocessing_factory.Augmentation(
        randaugment_steps=1)))])
def test_what_is_not_compiled_is_done_by_operations(name, arguments):
  ours, is_called = _images(name, True, **arguments)
  assert not is_called
  np.testing.assert_array_equal(ours, _images(name, False, **arguments)[0])


def test_grayscale_of_inception_comes_last():
  ours, is_called = _images('inception', True, use_grayscale=True)
  assert is_called and ours.shape == (20, 40, 44, 1)
  np.testing.assert_allclose(
      ours, _images('inception', False, use_grayscale=True)[0], atol=5e-6)


def test_without_numba(without_numba):
  reason = compiled.why_unavailable()
  assert reason.startswith('numba cannot be imported (')
  assert reason.endswith('); pip install -e .[fast]')
  assert preprocessing_factory.why_not_compiled() == reason
  with pytest.raises(ValueError, match='use_compiled is True, but numba'):
    _images('inception', True)
  images, is_called = _images('inception', None)
  assert images.shape == (20, 40, 44, 3) and not is_called


def test_with_numba():
  assert compiled.why_unavailable() is None
  assert preprocessing_factory.why_not_compiled() is None


def test_numba_is_imported_when_it_is_needed():
  subprocess.check_call([
      sys.executable, '-W', 'ignore', '-c',
      'import sys; from preprocessing import preprocessing_factory; '
      'sys.exit("numba" in sys.modules)'])


def test_without_a_directory_for_machine_code(monkeypatch):
  plain = numba.njit

  def njit(cache=False, **options):
    if cache:
      raise RuntimeError('cannot cache function: no locator available')
    return plain(**options)

  monkeypatch.setattr(kernels.numba, 'njit', njit)
  double = kernels._compiled(lambda number: 2 * number)
  assert double(21) == 42 and double.signatures
