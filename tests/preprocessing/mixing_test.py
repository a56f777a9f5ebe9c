import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from preprocessing import mixing
from preprocessing import preprocessing_factory

_LABELS = np.array([0, 2, 1, 2])


def _images():
  return np.random.RandomState(0).uniform(-1, 1, (4, 12, 10, 3)).astype(
      np.float32)


def _targets():
  return np.eye(3, dtype=np.float32)[_LABELS]


def _run(function, is_in_dataset, count=1):
  """Runs a function of images and labels."""
  if not is_in_dataset:
    results = function(tf.constant(_images()), tf.constant(_LABELS))
    with tf.Session() as session:
      return [session.run(results) for _ in range(count)]
  batches = tf.data.Dataset.from_tensors((_images(), _LABELS)).repeat(count)
  batch = tf.data.make_one_shot_iterator(batches.map(function)).get_next()
  with tf.Session() as session:
    return [session.run(batch) for _ in range(count)]


@pytest.mark.parametrize('is_in_dataset', [False, True])
def test_mixup(is_in_dataset):
  (images, targets), = _run(
      lambda images, labels: mixing.mixup(
          images, tf.one_hot(labels, 3), tf.constant(0.7)), is_in_dataset)
  np.testing.assert_allclose(
      images, 0.7 * _images() + 0.3 * _images()[::-1], atol=1e-6)
  np.testing.assert_allclose(
      targets, 0.7 * _targets() + 0.3 * _targets()[::-1], atol=1e-6)


@pytest.mark.parametrize('is_in_dataset', [False, True])
def test_cutmix(is_in_dataset):
  results = _run(
      lambda images, labels: mixing.cutmix(
          images, tf.one_hot(labels, 3), tf.constant(0.75)),
      is_in_dataset, count=20)
  fractions = []
  for images, targets in results:
    rows, columns = [
        np.flatnonzero((images[0] != _images()[0]).any((axis, 2)))
        for axis in (1, 0)]
    expected = _images()
    crop = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    expected[(slice(None),) + crop] = _images()[::-1][
        (slice(None),) + crop]
    np.testing.assert_array_equal(images, expected)
    stays = 1 - len(rows) * len(columns) / 120
    fractions.append(stays)
    np.testing.assert_allclose(
        targets, stays * _targets() + (1 - stays) * _targets()[::-1],
        atol=1e-6)
  # At most half of each side: a quarter.
  assert min(fractions) == pytest.approx(0.75) and len(set(fractions)) > 3


@pytest.mark.parametrize('alpha', [0.1, 0.4, 1.0, 2.0])
def test_fractions_are_of_a_beta_distribution(alpha):
  count = 1500
  fractions = tf.data.Dataset.range(count).map(
      lambda _: mixing.sample_beta(alpha)).batch(count)
  with tf.Session() as session:
    fractions = session.run(
        tf.data.make_one_shot_iterator(fractions).get_next())
  assert 0 <= fractions.min() and fractions.max() <= 1
  expected = np.random.RandomState(0).beta(alpha, alpha, 100000)
  # 1.95 / sqrt(count), passed once in a thousand times.
  for value in np.linspace(0.02, 0.98, 25):
    assert abs(np.mean(fractions < value) - np.mean(expected < value)) < 0.0504


@pytest.mark.parametrize('kwargs', [
    {'mixup_alpha': 0.4}, {'cutmix_alpha': 1.0},
    {'mixup_alpha': 0.4, 'cutmix_alpha': 1.0}])
def test_mix(kwargs):
  mix = preprocessing_factory.get_mixing(3, **kwargs)
  seen = _run(mix, True, count=12)
  assert len({images.tobytes() for images, _ in seen}) > 3
  for images, targets in seen:
    assert (images.dtype, targets.dtype) == (np.float32, np.float32)
    np.testing.assert_allclose(targets.sum(1), 1, atol=1e-6)
    assert images.shape == _images().shape and targets.shape == (4, 3)
  images, targets = mix(tf.constant(_images()), tf.constant(_LABELS))
  assert images.shape.as_list() == [4, 12, 10, 3]
  assert targets.shape.as_list() == [4, 3]


def test_a_seed_sets_the_mix():
  mix = preprocessing_factory.get_mixing(3, 0.4, 1.0)

  def sample(seed):
    images, _ = mix(tf.constant(_images()), tf.constant(_LABELS),
                    seed=tf.constant([seed, 1], tf.int64))
    with tf.Session() as session:
      return session.run(images)

  np.testing.assert_array_equal(sample(1), sample(1))
  assert np.any(sample(1) != sample(2))


def test_nothing_to_mix():
  assert preprocessing_factory.get_mixing(3) is None


@pytest.mark.parametrize('alphas', [(0.0, 0.0), (-0.1, 1.0), (2.5, 0.0)])
def test_fractions_out_of_range(alphas):
  with pytest.raises(ValueError, match='mixup_alpha is %g and cutmix_alpha '
                     '%g; they must be from 0 to 2' % alphas):
    mixing.mix(None, None, 3, *alphas)
