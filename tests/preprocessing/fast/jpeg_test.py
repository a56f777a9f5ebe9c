import io

import numpy as np
from PIL import Image
import pytest
import tensorflow.compat.v1 as tf

from preprocessing import image_ops
from preprocessing import inception_preprocessing
from preprocessing import random_numbers
from preprocessing import vgg_preprocessing
from preprocessing.fast import jpeg

_HEIGHT, _WIDTH = 149, 203


def _pixels(height=_HEIGHT, width=_WIDTH):
  """A smooth image, of which a reduced one says as much."""
  rows, columns = np.meshgrid(
      np.linspace(0, 1, height), np.linspace(0, 1, width), indexing='ij')
  planes = [np.sin(9 * rows + i) * np.cos(7 * columns - i) for i in range(3)]
  return np.uint8(128 + 100 * np.stack(planes, 2))


def _jpeg(pixels, **kwargs):
  file = io.BytesIO()
  Image.fromarray(pixels).save(file, 'JPEG', **dict({'quality': 95}, **kwargs))
  return file.getvalue()


def _run(tensors):
  with tf.Session() as session:
    return session.run(tensors)


@pytest.mark.parametrize('pixels_per_pixel, by', [
    (0, 1), (1, 1), (2, 2), (3, 2), (4, 4), (50, 8)])
def test_reduction(pixels_per_pixel, by):
  assert _run(jpeg.reduction(tf.constant(pixels_per_pixel))) == by


@pytest.mark.parametrize('kwargs, channels', [
    ({}, 3), ({'subsampling': 0}, 3), ({'subsampling': 1}, 3),
    ({'progressive': True}, 3), ({}, 1)])
def test_a_crop_has_the_pixels_of_the_whole(kwargs, channels):
  encoded = _jpeg(_pixels(), **kwargs)
  whole = tf.image.decode_jpeg(encoded, channels=channels)
  crops = [(0, 0, _HEIGHT, _WIDTH), (17, 33, 60, 80), (140, 190, 9, 13),
             (1, 0, 1, 1), (148, 202, 1, 1)]
  whole, *decoded = _run([whole] + [
      jpeg.decode_crop(encoded, tf.constant(crop), channels)
      for crop in crops])
  for (top, left, height, width), pixels in zip(crops, decoded):
    expected = whole[top:top + height, left:left + width]
    assert pixels.shape == (height, width, channels)
    # At its edges a crop lacks the colors beyond, from which the decoder
    # makes the color of each second pixel.
    np.testing.assert_allclose(
        np.int32(pixels)[1:-1, 1:-1], expected[1:-1, 1:-1], atol=1)
    np.testing.assert_allclose(np.int32(pixels), expected, atol=8)


@pytest.mark.parametrize('by', [2, 4, 8])
def test_a_reduced_crop(by):
  encoded = _jpeg(_pixels())
  crop = jpeg.decode_crop(
      encoded, tf.constant([3, 2, 9, 11]), 3, by)
  whole = Image.fromarray(_pixels()).resize(
      (-(-_WIDTH // by), -(-_HEIGHT // by)), Image.BOX,
      box=(0, 0, _WIDTH, _HEIGHT))
  np.testing.assert_allclose(
      _run(crop), np.float32(whole)[3:12, 2:13], atol=14)


@pytest.mark.parametrize('size', [(130, 170), (60, 160), (33, 40)])
def test_a_reduced_box_says_the_same(size):
  """Resized to 32 x 32, by which it is reduced 1, 1 and 4 times."""
  encoded = _jpeg(_pixels())
  begin, box = tf.constant([11, 14, 0]), tf.constant(size + (-1,))
  crop = jpeg.decode_crop_to_resize(encoded, begin, box, 3, 32, 32)
  whole = tf.slice(tf.image.decode_jpeg(encoded), begin, box)
  crop_size, *results = _run([tf.shape(crop)] + [
      image_ops.resize(image, 32, 32) for image in (crop, whole)])
  by = 4 if size[0] == 130 else 1
  np.testing.assert_allclose(
      crop_size[:2], np.float32(size) / by, atol=1)
  # Half a reduced pixel is at most a third of one of the result.
  np.testing.assert_allclose(*results, atol=20 if by > 1 else 6)
  assert np.abs(results[0] - results[1]).mean() < 7


def _fixed_box(monkeypatch, begin, size):
  def sample(*unused_arguments, **unused_keywords):
    return tf.constant(begin + (0,)), tf.constant(size + (-1,)), None
  monkeypatch.setattr(image_ops, 'sample_distorted_box', sample)


# Larger and smaller than the result, with other aspect ratios.
@pytest.mark.parametrize('size', [(60, 80), (100, 50), (20, 30)])
@pytest.mark.parametrize('use_compiled', [False, True])
def test_inception_agrees_on_the_same_box(monkeypatch, size, use_compiled):
  monkeypatch.setattr(
      random_numbers, 'bernoulli', lambda _: tf.constant(use_compiled))
  monkeypatch.setattr(inception_preprocessing.random_numbers, 'uniform',
                      lambda low, high, *_: 0.7 * low + 0.3 * high)
  _fixed_box(monkeypatch, (13, 22), size)
  monkeypatch.setattr(
      inception_preprocessing, 'distorted_bounding_box_crop',
      lambda image, *_: (image_ops.crop(
          image, (13, 22, 0), size + (-1,)), None))
  encoded = _jpeg(_pixels())
  ours = inception_preprocessing.preprocess_jpeg_for_train(
      encoded, 3, 40, 44, use_compiled=use_compiled)
  plain = inception_preprocessing.preprocess_for_train(
      tf.image.decode_jpeg(encoded, channels=3), 40, 44, None,
      add_image_summaries=False)
  assert ours.shape.as_list() == [40, 44, 3]
  # Brightness and saturation are found in other calls; both are fixed above.
  results = _run([ours, plain])
  assert np.abs(results[0] - results[1]).max() < 0.06


@pytest.mark.parametrize('shape', [(149, 203), (203, 149), (40, 50)])
@pytest.mark.parametrize('use_compiled', [False, True])
def test_vgg_agrees_on_the_same_box(monkeypatch, shape, use_compiled):
  """The box is in whole pixels of the original: half of one is the limit."""
  monkeypatch.setattr(
      random_numbers, 'bernoulli', lambda _: tf.constant(use_compiled))
  monkeypatch.setattr(
      vgg_preprocessing.random_numbers, 'uniform',
      lambda low, high, *_: tf.cast(0.4 * tf.cast(
          low + high, tf.float32), tf.int32))
  encoded = _jpeg(_pixels(*shape))
  arguments = dict(output_height=64, output_width=60, resize_side_min=70,
                   resize_side_max=100)
  ours = vgg_preprocessing.preprocess_jpeg_for_train(
      encoded, 3, use_compiled=use_compiled, **arguments)
  plain = vgg_preprocessing.preprocess_for_train(
      tf.image.decode_jpeg(encoded, channels=3), **arguments)
  assert ours.shape.as_list() == [64, 60, 3]
  results = _run([ours, plain])
  # The image changes by at most 9 * 100 / 149 a pixel.
  assert np.abs(results[0] - results[1]).max() < 16
  assert np.abs(results[0] - results[1]).mean() < 3


def test_vgg_takes_the_boxes_of_the_plain_recipe():
  """Statistics of 3,000 boxes, told by the corners of a ramp."""
  count, height, width = 3000, 150, 200
  ramp = tf.cast(tf.stack(tf.meshgrid(
      tf.range(height), tf.range(width), indexing='ij'), 2), tf.float32)

  def plain(_):
    side = vgg_preprocessing._random_side(60, 120, 48, 48)
    crop = image_ops.random_crop(
        image_ops.resize_smaller_side(ramp, side), 48, 48)
    return tf.concat([crop[0, 0], crop[-1, -1]], 0)

  def ours(_):
    begin, size = vgg_preprocessing.random_scaled_crop_box(
        tf.constant([height, width, 3]), 48, 48, 60, 120)
    begin, size = [tf.cast(n[:2], tf.float32) for n in (begin, size)]
    return tf.concat([begin, begin + size * (47 / 48)], 0)

  results = [tf.data.make_one_shot_iterator(
      tf.data.Dataset.range(count).map(step).batch(count)).get_next()
             for step in (plain, ours)]
  plain, ours = _run(results)
  error = plain.std(0) / np.sqrt(count)
  assert (np.abs(plain.mean(0) - ours.mean(0)) < 6 * error + 0.05).all()
  np.testing.assert_allclose(ours.std(0), plain.std(0), rtol=0.08)
  np.testing.assert_allclose(
      np.percentile(ours, [1, 50, 99], 0),
      np.percentile(plain, [1, 50, 99], 0), atol=5)


def test_statistics_of_inception_boxes_are_those_of_the_plain_recipe():
  """Both sample by the same function; the shape from the header is right."""
  encoded = _jpeg(_pixels())
  shape = _run(tf.image.extract_jpeg_shape(encoded))
  np.testing.assert_array_equal(shape, [_HEIGHT, _WIDTH, 3])


@pytest.mark.parametrize('preprocess', [
    inception_preprocessing.preprocess_jpeg_for_train,
    vgg_preprocessing.preprocess_jpeg_for_train])
@pytest.mark.parametrize('channels, use_grayscale, shape', [
    (1, False, [40, 44, 1]), (3, True, [40, 44, 1]), (3, False, [40, 44, 3])])
@pytest.mark.parametrize('use_compiled', [False, True])
def test_channels_and_ranges(
    preprocess, channels, use_grayscale, shape, use_compiled):
  image = preprocess(tf.constant(_jpeg(_pixels())), channels, 40, 44,
                     use_grayscale=use_grayscale, area_range=(0.5, 1.0),
                     use_compiled=use_compiled)
  assert image.shape.as_list() == shape and image.dtype == tf.float32
  largest = 1 if preprocess.__module__.endswith(
      'inception_preprocessing') else 151.07
  for _ in range(3):
    pixels = _run(image)
    assert pixels.shape == tuple(shape)
    assert -largest <= pixels.min() < pixels.max() <= largest


def test_vgg_takes_a_pixel_at_least_of_a_tiny_image():
  image = vgg_preprocessing.preprocess_jpeg_for_train(
      tf.constant(_jpeg(_pixels(12, 12))), 3, 32, 32)
  with tf.Session() as session:
    for _ in range(60):
      assert session.run(image).shape == (32, 32, 3)
