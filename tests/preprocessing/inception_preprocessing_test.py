import functools

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from preprocessing import inception_preprocessing
from tests.preprocessing import numpy_ops


def _train(**kwargs):
  return functools.partial(
      inception_preprocessing.preprocess_image, height=16, width=20,
      is_training=True, **kwargs)


def _eval(height=16, width=20, **kwargs):
  return functools.partial(
      inception_preprocessing.preprocess_image, height=height, width=width,
      **kwargs)


def _expected(image, height, width):
  return numpy_ops.resize(image / 255.0, height, width) * 2 - 1


def _summaries():
  return [tensor.op.name
          for tensor in tf.get_collection(tf.GraphKeys.SUMMARIES)]


@pytest.mark.parametrize('size', [(16, 20), (40, 33)])
def test_evaluation(run, pixels, size):
  # 0.875 of 30 and of 42, the beginnings rounded down: 28 and 38.
  expected = _expected(pixels[1:29, 2:40], *size)
  np.testing.assert_allclose(run(_eval(*size), pixels), expected, atol=1e-5)


def test_evaluation_of_the_whole_image(run, pixels):
  np.testing.assert_allclose(
      run(_eval(crop_image=False), pixels), _expected(pixels, 16, 20),
      atol=1e-5)


def test_evaluation_of_floats(run, pixels):
  image = np.float32(pixels / 255.0)
  np.testing.assert_allclose(
      run(_eval(), image), _expected(pixels[1:29, 2:40], 16, 20), atol=1e-5)


def test_evaluation_in_grayscale(run, pixels):
  gray = run(_eval(use_grayscale=True), pixels)
  expected = numpy_ops.resize(
      pixels[1:29, 2:40].dot(numpy_ops.LUMA)[..., None] / 255, 16, 20) * 2 - 1
  np.testing.assert_allclose(gray, expected, atol=1e-5)


def test_evaluation_leaves_the_size(run, pixels):
  step = functools.partial(
      inception_preprocessing.preprocess_for_eval, height=None, width=None,
      central_fraction=0.5)
  np.testing.assert_allclose(
      run(step, pixels), pixels[7:23, 10:32] / 127.5 - 1, atol=1e-5)
  step = functools.partial(step, central_fraction=None)
  np.testing.assert_allclose(
      run(step, pixels), pixels / 127.5 - 1, atol=1e-5)


@pytest.mark.parametrize('fast_mode', [True, False])
@pytest.mark.parametrize('channels', [1, 3])
def test_training(run_many, pixels, fast_mode, channels):
  image = pixels[:, :, :channels]
  results = run_many(_train(fast_mode=fast_mode), image, 12)
  assert len({result.tobytes() for result in results}) == 12
  for result in results:
    assert (result.shape, result.dtype) == ((16, 20, channels), np.float32)
    assert -1 <= result.min() < result.max() <= 1


@pytest.mark.parametrize('fast_mode', [True, False])
def test_training_follows_the_seed(run_many, pixels, fast_mode):
  first, again, other = [
      np.stack(run_many(_train(fast_mode=fast_mode), pixels, 4, seed))
      for seed in (5, 5, 6)]
  np.testing.assert_array_equal(first, again)
  assert np.any(first != other)


def test_training_in_grayscale(run, pixels):
  gray = run(_train(use_grayscale=True), pixels)
  assert gray.shape == (16, 20, 1)
  assert -1 <= gray.min() < gray.max() <= 1


def test_training_without_crop_sees_all_columns(run_many):
  ramp = np.tile(np.linspace(40, 200, 100), (50, 1))
  ramp = np.uint8(np.stack([ramp] * 3, 2))
  extents = [np.ptp(image.mean((0, 2))) for image in run_many(
      _train(crop_image=False), ramp, 10)]
  # 160 / 127.5, less half a step at each end; gray has no saturation.
  np.testing.assert_allclose(extents, 1.255 * 0.95, atol=0.03)
  cropped = [np.ptp(image.mean((0, 2))) for image in run_many(
      _train(), ramp, 10)]
  assert np.mean(cropped) < 0.8


def test_crops_cover_the_box(run_many):
  image = np.zeros((40, 40, 3), np.uint8)
  image[30:, 30:] = 255
  # As large as the image, so that resizing leaves no pixel out.
  step = functools.partial(
      _train(bbox=np.float32([[[0.75, 0.75, 1, 1]]])), height=40, width=40)
  for result in run_many(step, image, 20):
    assert result.max() > 0


def test_summaries(pixels):
  image = tf.constant(pixels)
  _eval()(image)
  _train(add_image_summaries=False)(image)
  assert not _summaries()
  with tf.Graph().as_default():
    _train()(tf.constant(pixels))
    assert _summaries() == ['distort_image/' + name for name in (
        'image_with_bounding_boxes', 'images_with_distorted_bounding_box',
        'cropped_resized_image', 'final_distorted_image')]
    merged = tf.summary.merge_all()
    with tf.Session() as session:
      written = tf.Summary.FromString(session.run(merged))
  sizes = [(v.image.height, v.image.width) for v in written.value]
  assert sizes == [(30, 42), (30, 42), (16, 20), (16, 20)]


def test_summaries_without_crop(pixels):
  _train(crop_image=False)(tf.constant(pixels))
  assert _summaries() == ['distort_image/' + name for name in (
      'image_with_bounding_boxes', 'resized_image', 'final_distorted_image')]


@pytest.mark.parametrize('step', [_train(), _eval()])
def test_static_shape(step):
  image = tf.placeholder(tf.uint8, [None, None, 3])
  assert step(image).shape.as_list() == [16, 20, 3]


def test_one_side_alone_is_refused():
  image = tf.placeholder(tf.uint8, [None, None, 3])
  with pytest.raises(ValueError, match='width of the image to make is None'):
    _eval(16, None)(image)
  with pytest.raises(ValueError, match='height of the image to make is None'):
    inception_preprocessing.preprocess_image(image, None, None, True)


@pytest.mark.parametrize('fast_mode', [True, False])
@pytest.mark.parametrize('ordering', [0, 1, 2, 3])
def test_color_orders(run_many, fast_mode, ordering):
  image = np.random.RandomState(0).uniform(0, 1, (4, 5, 3)).astype(np.float32)
  step = functools.partial(
      inception_preprocessing.distort_color, color_ordering=ordering,
      fast_mode=fast_mode)
  for result in run_many(step, image, 5):
    assert 0 <= result.min() < result.max() <= 1
    assert np.abs(result - image).max() > 0.01


@pytest.mark.parametrize('ordering', [-1, 4])
def test_unknown_color_order(ordering):
  with pytest.raises(ValueError, match=(
      'color_ordering is %d; it must be from 0 to 3' % ordering)):
    inception_preprocessing.distort_color(tf.zeros([2, 2, 3]), ordering)


def test_selector_takes_every_case(run_many):
  step = functools.partial(
      inception_preprocessing.apply_with_random_selector,
      func=lambda x, case: x + case, num_cases=3)
  image = np.zeros((1, 1, 1), np.float32)
  results = [result.item() for result in run_many(step, image, 60)]
  assert set(results) == {0, 1, 2}
  step = functools.partial(step, num_cases=1)
  assert [result.item() for result in run_many(step, image, 9)] == [0] * 9


def test_crop_says_where_it_is(run_many):
  ramp = np.float32(np.arange(5000)).reshape(50, 100, 1)

  def step(image):
    crop, box = inception_preprocessing.distorted_bounding_box_crop(
        image, tf.constant([[[0.0, 0.0, 1.0, 1.0]]]), area_range=(0.2, 0.5))
    assert crop.shape[2] == 1
    return tf.concat([
        box[0, 0], crop[0, 0], crop[-1, -1],
        tf.cast(tf.shape(crop)[:2], tf.float32)], 0)

  for result in run_many(step, ramp, 10):
    top, left, bottom, right = np.round(result[:4] * [50, 100, 50, 100])
    assert result[4] == 100 * top + left
    assert result[5] == 100 * (bottom - 1) + right - 1
    assert tuple(result[6:]) == (bottom - top, right - left)
    assert 0.19 < (bottom - top) * (right - left) / 5000 < 0.51
