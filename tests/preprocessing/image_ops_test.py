import colorsys
import functools

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from preprocessing import image_ops
from tests.preprocessing import numpy_ops

_ROWS, _COLUMNS = np.meshgrid(np.arange(6), np.arange(9), indexing='ij')
# Every pixel tells where it is.
_POSITIONS = np.stack([_ROWS, _COLUMNS, 10 * _ROWS + _COLUMNS], 2).astype(
    np.float32)


def _assert_close(actual, expected, atol=1e-4):
  assert actual.dtype == np.float32
  np.testing.assert_allclose(actual, expected, rtol=0, atol=atol)


def _hsv(image):
  pixels = image.reshape(-1, 3)
  return np.float64([colorsys.rgb_to_hsv(*pixel) for pixel in pixels])


def test_number_of_channels():
  for channels in (1, 3, 4):
    image = tf.placeholder(tf.uint8, [None, None, channels])
    assert image_ops.num_channels(image) == channels


@pytest.mark.parametrize('shape', [None, [8, 8], [1, 8, 8, 3], [8, 8, None]])
def test_unknown_channels(shape):
  with pytest.raises(ValueError, match=r'must be \[height, width, channels\]'):
    image_ops.num_channels(tf.placeholder(tf.uint8, shape))


@pytest.mark.parametrize('height, width, message', [
    (None, 8, 'height of the image to make is None'),
    (8, None, 'width of the image to make is None'),
    (8, 0, 'width of the image to make is 0; it must be .* at least 1')])
def test_check_size(height, width, message):
  with pytest.raises(ValueError, match=message):
    image_ops.check_size(height, width)
  image_ops.check_size(1, 8)


@pytest.mark.parametrize('dtype, largest', [
    (np.uint8, 255), (np.int16, 32767), (np.float32, 1)])
def test_to_unit_range(run, dtype, largest):
  image = (np.linspace(0, largest, 12).reshape(2, 2, 3)).astype(dtype)
  _assert_close(run(image_ops.to_unit_range, image),
                image / float(largest), 1e-6)


def test_to_signed_range(run):
  image = np.float32([0, 0.25, 1]).reshape(1, 1, 3)
  np.testing.assert_array_equal(
      run(image_ops.to_signed_range, image).ravel(), [-1, -0.5, 1])


def test_to_grayscale(run, pixels):
  image = np.float32(pixels)
  gray = run(image_ops.to_grayscale, image)
  _assert_close(gray, image.dot(numpy_ops.LUMA)[..., None], 1e-3)
  np.testing.assert_array_equal(run(image_ops.to_grayscale, gray), gray)


def test_to_grayscale_of_other_channels():
  with pytest.raises(ValueError, match='image of 4 channels'):
    image_ops.to_grayscale(tf.zeros([2, 2, 4]))


def test_subtract_means(run, pixels):
  image = np.float32(pixels)
  means = (120.0, 110.0, 100.0)
  step = functools.partial(image_ops.subtract_means, means=means)
  _assert_close(run(step, image), image - np.float32(means))
  # The same as the gray form of the difference.
  gray = np.float32(image.dot(numpy_ops.LUMA)[..., None])
  _assert_close(run(step, gray),
                (image - means).dot(numpy_ops.LUMA)[..., None], 1e-3)


def test_subtract_means_of_other_channels():
  with pytest.raises(ValueError, match='the image has 4 channels'):
    image_ops.subtract_means(tf.zeros([2, 2, 4]), (1.0, 2.0, 3.0))


def test_standardize(run, pixels):
  _assert_close(
      run(image_ops.standardize, pixels), numpy_ops.standardize(pixels))
  flat = np.full((4, 5, 3), 77, np.uint8)
  _assert_close(run(image_ops.standardize, flat), np.zeros((4, 5, 3)))


@pytest.mark.parametrize('height, width', [(17, 20), (45, 50), (30, 42)])
def test_resize(run, pixels, height, width):
  step = functools.partial(image_ops.resize, height=height, width=width)
  _assert_close(run(step, pixels),
                numpy_ops.resize(pixels, height, width), 1e-3)


def test_resize_to_the_nearest_pixel(run):
  step = functools.partial(
      image_ops.resize, height=3, width=3,
      method=tf.image.ResizeMethod.NEAREST_NEIGHBOR)
  np.testing.assert_array_equal(run(step, _POSITIONS), _POSITIONS[::2, ::3])


@pytest.mark.parametrize('dtype', [np.uint8, np.int16, np.float16, np.float32])
@pytest.mark.parametrize('method', [
    tf.image.ResizeMethod.BILINEAR, tf.image.ResizeMethod.NEAREST_NEIGHBOR,
    tf.image.ResizeMethod.BICUBIC, tf.image.ResizeMethod.AREA])
def test_resize_to_unit_range(run, dtype, method):
  largest = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1
  image = (np.random.RandomState(1).uniform(
      size=(9, 12, 3)) * largest).astype(dtype)
  step = functools.partial(image_ops.resize_to_unit_range, height=5, width=15,
                           method=method)
  expected = run(lambda image: image_ops.resize(
      image_ops.to_unit_range(image), 5, 15, method), image)
  _assert_close(run(step, image), expected, 1e-6)


@pytest.mark.parametrize('shape, side', [
    ((30, 42), 16), ((41, 30), 37), ((30, 30), 16)])
def test_resize_smaller_side(run, shape, side):
  image = np.random.RandomState(1).randint(0, 256, shape + (3,), np.uint8)
  step = functools.partial(image_ops.resize_smaller_side, side=side)
  _assert_close(run(step, image),
                numpy_ops.resize_smaller_side(image, side), 1e-2)


@pytest.mark.parametrize('transpose', [False, True])
def test_resize_smaller_side_of_a_long_image(run, transpose):
  image = np.random.RandomState(1).randint(0, 256, (2, 201, 3), np.uint8)
  central = image[:, 68:132]
  if transpose:
    image, central = [np.swapaxes(part, 0, 1) for part in (image, central)]
  step = functools.partial(image_ops.resize_smaller_side, side=8)
  resized = run(step, image)
  assert max(resized.shape) == image_ops.MAX_ASPECT_RATIO * 8
  np.testing.assert_array_equal(resized, run(step, central))


def test_central_fraction(run):
  step = functools.partial(image_ops.central_fraction, fraction=0.5)
  # The crop begins at 1.5 and 2.25, rounded down.
  np.testing.assert_array_equal(run(step, _POSITIONS), _POSITIONS[1:5, 2:7])
  step = functools.partial(image_ops.central_fraction, fraction=1)
  np.testing.assert_array_equal(run(step, _POSITIONS), _POSITIONS)


@pytest.mark.parametrize('fraction', [0, -0.5, 1.5])
def test_central_fraction_out_of_range(fraction):
  with pytest.raises(ValueError, match='central_fraction is %g' % fraction):
    image_ops.central_fraction(tf.zeros([4, 4, 3]), fraction)


@pytest.mark.parametrize('height, width', [
    (4, 4), (3, 8), (6, 9), (9, 14), (4, 12), (9, 4)])
def test_crop_or_pad(run, height, width):
  step = functools.partial(
      image_ops.crop_or_pad, height=height, width=width)
  np.testing.assert_array_equal(
      run(step, _POSITIONS), numpy_ops.crop_or_pad(_POSITIONS, height, width))


@pytest.mark.parametrize('height, width, rows, columns', [
    (1, 1, (2, 2), (2, 2)), (10, 13, (2, 2), (2, 2)),
    (11, 20, (2, 3), (5, 6))])
def test_pad_borders(run, height, width, rows, columns):
  step = functools.partial(
      image_ops.pad_borders, padding=2, height=height, width=width)
  np.testing.assert_array_equal(
      run(step, _POSITIONS),
      np.pad(_POSITIONS, [rows, columns, (0, 0)], 'constant'))


def test_rectangle_mask():
  mask = image_ops.rectangle_mask(
      tf.constant([4.0, 5.0]), tf.constant([1.0, 2.0]), tf.constant([3.0, 9.0]))
  expected = np.zeros((4, 5), bool)
  expected[1:3, 2:] = True
  with tf.Session() as session:
    np.testing.assert_array_equal(session.run(mask), expected)


def test_random_crop_takes_every_crop(run_many):
  step = functools.partial(image_ops.random_crop, height=5, width=7)
  crops = run_many(step, _POSITIONS, 60)
  positions = set()
  for crop in crops:
    top, left = crop[0, 0, :2].astype(int)
    positions.add((top, left))
    np.testing.assert_array_equal(
        crop, _POSITIONS[top:top + 5, left:left + 7])
  assert positions == {(top, left) for top in (0, 1) for left in (0, 1, 2)}


def test_random_flip(run_many):
  flips = [image[0, 0, 1] == 8
           for image in run_many(image_ops.random_flip, _POSITIONS, 60)]
  assert 15 < sum(flips) < 45
  flipped = run_many(image_ops.random_flip, _POSITIONS, 60)[flips.index(True)]
  np.testing.assert_array_equal(flipped, _POSITIONS[:, ::-1])


def test_random_brightness(run_many):
  step = functools.partial(image_ops.random_brightness, max_delta=20)
  deltas = [image - _POSITIONS for image in run_many(step, _POSITIONS, 30)]
  for delta in deltas:
    _assert_close(delta, np.full_like(delta, delta[0, 0, 0]))
  deltas = [delta[0, 0, 0] for delta in deltas]
  assert -20 <= min(deltas) < -10 and 10 < max(deltas) <= 20


def test_random_contrast(run_many):
  step = functools.partial(image_ops.random_contrast, lower=0.5, upper=1.5)
  mean = _POSITIONS.mean((0, 1))
  factors = []
  for image in run_many(step, _POSITIONS, 30):
    factors.append((image[0, 0, 0] - mean[0]) / (0 - mean[0]))
    _assert_close(image, (_POSITIONS - mean) * factors[-1] + mean)
  assert 0.5 <= min(factors) < 0.75 and 1.25 < max(factors) <= 1.5


def test_random_saturation(run_many):
  image = np.random.RandomState(2).uniform(0.6, 0.9, (3, 4, 3)).astype(
      np.float32)
  step = functools.partial(image_ops.random_saturation, lower=0.5, upper=1.5)
  before = _hsv(image)
  factors = []
  for result in run_many(step, image, 30):
    after = _hsv(result)
    factors.append(after[0, 1] / before[0, 1])
    np.testing.assert_allclose(after[:, 1], before[:, 1] * factors[-1], 1e-3)
    np.testing.assert_allclose(after[:, ::2], before[:, ::2], atol=1e-3)
  assert 0.5 <= min(factors) < 0.75 and 1.25 < max(factors) <= 1.5


def test_random_hue(run_many):
  image = np.random.RandomState(3).uniform(0, 1, (3, 4, 3)).astype(np.float32)
  step = functools.partial(image_ops.random_hue, max_delta=0.2)
  before = _hsv(image)
  turns = []
  for result in run_many(step, image, 30):
    after = _hsv(result)
    turn = (after[:, 0] - before[:, 0] + 0.5) % 1 - 0.5
    turns.append(turn[0])
    np.testing.assert_allclose(turn, turn[0], atol=1e-3)
    np.testing.assert_allclose(after[:, 1:], before[:, 1:], atol=1e-3)
  assert -0.2 <= min(turns) < -0.1 and 0.1 < max(turns) <= 0.2


@pytest.mark.parametrize('step', [
    functools.partial(image_ops.random_saturation, lower=0.5, upper=1.5),
    functools.partial(image_ops.random_hue, max_delta=0.2)])
def test_gray_has_no_color(run, step):
  gray = _POSITIONS[:, :, :1]
  np.testing.assert_array_equal(run(step, gray), gray)


def _sample(image, boxes=((0.2, 0.1, 0.6, 0.7),), **kwargs):
  arguments = dict(min_object_covered=0.1, aspect_ratio_range=(0.75, 1.33),
                   area_range=(0.05, 1.0), max_attempts=100)
  arguments.update(kwargs)
  begin, size, box = image_ops.sample_distorted_box(
      tf.shape(image), tf.reshape(tf.constant(boxes, tf.float32), [1, -1, 4]),
      **arguments)
  return tf.concat(
      [tf.cast(begin, tf.float32), tf.cast(size, tf.float32), box[0, 0]], 0)


def test_crops_keep_the_rules(run_many):
  image = np.zeros((300, 400, 3), np.uint8)
  crops = run_many(_sample, image, 100)
  for begin_row, begin_column, _, rows, columns, depth, *box in crops:
    assert 0 <= begin_row and begin_row + rows <= 300
    assert 0 <= begin_column and begin_column + columns <= 400
    assert depth == -1
    assert 0.72 < columns / rows < 1.37
    assert 0.049 < rows * columns / (300 * 400.0) <= 1
    np.testing.assert_allclose(
        box, [begin_row / 300, begin_column / 400, (begin_row + rows) / 300,
              (begin_column + columns) / 400], atol=1e-6)
    top, left, bottom, right = box
    covered = (max(0, min(bottom, 0.6) - max(top, 0.2)) *
               max(0, min(right, 0.7) - max(left, 0.1)))
    assert covered >= 0.098 * 0.4 * 0.6
  areas = [crop[3] * crop[4] for crop in crops]
  assert max(areas) > 4 * min(areas)


def test_crops_without_boxes_and_without_luck(run):
  image = np.zeros((300, 400, 3), np.uint8)
  rows, columns = run(functools.partial(_sample, boxes=()), image)[3:5]
  assert 0.049 < rows * columns / (300 * 400) <= 1
  impossible = functools.partial(
      _sample, aspect_ratio_range=(9.0, 9.1), area_range=(0.9, 1.0))
  np.testing.assert_array_equal(
      run(impossible, image), [0, 0, 0, 300, 400, -1, 0, 0, 1, 1])


def test_crop(run):
  begin, size = np.int32([1, 2, 0]), np.int32([3, 4, -1])
  step = functools.partial(image_ops.crop, begin=begin, size=size)
  np.testing.assert_array_equal(run(step, _POSITIONS), _POSITIONS[1:4, 2:6])
  assert image_ops.crop(
      tf.placeholder(tf.uint8, [None, None, 3]), begin, size).shape[2] == 3


@pytest.mark.parametrize('step', [
    _sample,
    functools.partial(image_ops.random_crop, height=3, width=3),
    functools.partial(image_ops.random_brightness, max_delta=20),
    functools.partial(image_ops.random_contrast, lower=0.5, upper=1.5),
    functools.partial(image_ops.random_saturation, lower=0.5, upper=1.5),
    functools.partial(image_ops.random_hue, max_delta=0.2),
    image_ops.random_flip])
def test_random_steps_follow_the_seed(run_many, step):
  image = _POSITIONS / 70
  first, again, other = [
      np.stack(run_many(step, image, 10, seed)) for seed in (5, 5, 6)]
  np.testing.assert_array_equal(first, again)
  assert np.any(first != other)
  assert np.any(first[0] != first[1:])
