import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from preprocessing import image_ops
from preprocessing import preprocessing_factory
from preprocessing import random_numbers


def _in_dataset(step, count, threads):
  """Returns step(seed) of the seeds (7, 0), (7, 1) and so on."""

  def seeded(number):
    return step(tf.stack([tf.constant(7, tf.int64), number]))

  with tf.Graph().as_default(), tf.Session() as session:
    numbers = tf.data.Dataset.range(count).map(
        seeded, num_parallel_calls=threads).batch(count)
    return session.run(tf.data.make_one_shot_iterator(numbers).get_next())


def test_uniform_numbers():
  with random_numbers.seeded(tf.constant([1, 2], tf.int64)):
    floats = random_numbers.uniform(-1.0, 3.0, shape=[4000])
    integers = random_numbers.uniform(2, 5, tf.int32, [300])
  stateful = random_numbers.uniform(2, tf.constant(5), tf.int32, [300])
  with tf.Session() as session:
    floats, integers, stateful = session.run([floats, integers, stateful])
  assert -1 <= floats.min() < -0.99 and 2.99 < floats.max() < 3
  assert abs(floats.mean() - 1) < 0.1
  assert set(integers) == set(stateful) == {2, 3, 4}


def test_a_seed_sets_every_number():

  def step(seed):
    with random_numbers.seeded(seed):
      return tf.stack([random_numbers.uniform(0.0, 1.0) for _ in range(3)])

  numbers = _in_dataset(step, 6, threads=1)
  np.testing.assert_array_equal(numbers, _in_dataset(step, 6, threads=3))
  assert len(np.unique(numbers)) == numbers.size


def test_seeds_end_with_the_block():
  assert not random_numbers.are_seeded()
  with pytest.raises(ZeroDivisionError):
    with random_numbers.seeded(tf.constant([1, 2], tf.int64)):
      assert random_numbers.are_seeded()
      raise ZeroDivisionError
  assert not random_numbers.are_seeded()


def test_bernoulli():
  fractions = _in_dataset(lambda seed: _bernoulli(seed, 0.25), 600, threads=1)
  assert 0.18 < np.mean(fractions) < 0.32


def _bernoulli(seed, probability):
  with random_numbers.seeded(seed):
    return random_numbers.bernoulli(probability)


@pytest.mark.parametrize('name', ['inception', 'vgg', 'cifarnet', 'lenet'])
def test_recipes_follow_the_seed_on_any_number_of_threads(name, pixels):
  augmentation = preprocessing_factory.Augmentation(
      color_jitter=0.3, randaugment_steps=1, random_erasing=0.5)
  preprocess = preprocessing_factory.get_preprocessing(
      name, is_training=True, augmentation=augmentation)

  def step(seed):
    return preprocess(tf.constant(pixels), 16, 16, seed=seed)

  first = _in_dataset(step, 5, threads=1)
  np.testing.assert_array_equal(first, _in_dataset(step, 5, threads=3))
  assert len({image.tobytes() for image in first}) == 5


def test_a_seeded_crop_keeps_the_statistics():
  """The same boxes as of the operation, which keeps a state."""

  def step(seed, is_seeded):
    arguments = (tf.constant([90, 120, 3]), [[[0.1, 0.2, 0.5, 0.6]]], 0.3,
                 (0.75, 1.33), (0.05, 1.0), 100)
    if not is_seeded:
      return image_ops.sample_distorted_box(*arguments)[2][0, 0]
    with random_numbers.seeded(seed):
      begin, size, box = image_ops.sample_distorted_box(*arguments)
    corners = tf.concat([begin[:2], begin[:2] + size[:2]], 0)
    same = tf.reduce_max(tf.abs(
        tf.cast(corners, tf.float32) / [90, 120, 90, 120] - box[0, 0]))
    with tf.control_dependencies([tf.Assert(same < 1e-5, [box])]):
      return tf.identity(box[0, 0])

  count = 3000
  ours, theirs = [
      _in_dataset(lambda seed, s=is_seeded: step(seed, s), count, threads=1)
      for is_seeded in (True, False)]
  for mine, other in zip(_facts(ours), _facts(theirs)):
    # The largest distance of two samples of one distribution passes this once
    # in a thousand times.
    assert _distance(mine, other) < 1.95 * np.sqrt(2.0 / count)


def _facts(boxes):
  top, left, bottom, right = boxes.T
  facts = [top, left, bottom, right, (bottom - top) * (right - left),
           (right - left) / (bottom - top)]
  # Equal boxes may differ in the last digit.
  return [np.round(fact, 4) for fact in facts]


def _distance(one, other):
  """Kolmogorov's and Smirnov's."""
  positions = np.concatenate([one, other])
  return max(abs(
      np.searchsorted(np.sort(one), positions, 'right') / len(one) -
      np.searchsorted(np.sort(other), positions, 'right') / len(other)))


def test_a_seeded_crop_without_boxes_and_without_luck():
  shape = tf.constant([30, 40, 3])
  with random_numbers.seeded(tf.constant([3, 4], tf.int64)):
    _, size, _ = image_ops.sample_distorted_box(
        shape, tf.zeros([1, 0, 4]), 0.1, (0.75, 1.33), (0.05, 1.0), 100)
    unlucky = image_ops.sample_distorted_box(
        shape, tf.zeros([1, 0, 4]), 0.1, (9.0, 9.1), (0.9, 1.0), 100)
  with tf.Session() as session:
    size, unlucky = session.run([size, unlucky])
  assert 0.04 < size[0] * size[1] / 1200 <= 1 and size[2] == -1
  np.testing.assert_array_equal(unlucky[0], [0, 0, 0])
  np.testing.assert_array_equal(unlucky[1], [30, 40, -1])
  np.testing.assert_array_equal(unlucky[2], [[[0, 0, 1, 1]]])
