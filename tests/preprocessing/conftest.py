"""Runs steps on images, outside and inside tf.data."""
import warnings

import numpy as np
import pytest
import tensorflow.compat.v1 as tf


def _alone(step, image, count):
  placeholder = tf.placeholder(image.dtype, [None, None, image.shape[2]])
  result = step(placeholder)
  with tf.Session() as session:
    return [session.run(result, {placeholder: image}) for _ in range(count)]


def _in_dataset(step, image, count):
  placeholder = tf.placeholder(image.dtype, [None, None, image.shape[2]])
  images = tf.data.Dataset.from_tensors(placeholder).repeat(count)
  with warnings.catch_warnings():
    # The tests check that the graph's seed holds inside a dataset too.
    warnings.filterwarnings('ignore', 'Seed .* from outer graph')
    images = images.map(step)
  iterator = tf.data.make_initializable_iterator(images)
  result = iterator.get_next()
  with tf.Session() as session:
    session.run(iterator.initializer, {placeholder: image})
    return [session.run(result) for _ in range(count)]


@pytest.fixture(params=[_alone, _in_dataset], ids=['alone', 'dataset'])
def run_many(request):
  """A function of a step, an image, a number of runs and a seed.

  It returns the results of the runs, numpy arrays. Height and width of the
  image are not known when the graph is built.
  """

  def run(step, image, count, seed=1):
    with tf.Graph().as_default():
      tf.set_random_seed(seed)
      return request.param(step, image, count)

  return run


@pytest.fixture
def run(run_many):
  """A function of a step and an image that returns the result."""
  return lambda step, image: run_many(step, image, 1)[0]


@pytest.fixture
def pixels():
  """A uint8 image of 30 x 42 pixels, of three channels."""
  return np.random.RandomState(0).randint(0, 256, (30, 42, 3), np.uint8)
