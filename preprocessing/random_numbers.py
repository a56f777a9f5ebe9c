"""The random numbers of the preprocessing steps.

Outside `seeded` they are TensorFlow's stateful ones: they follow
`tf.set_random_seed`, and two runs with the same seed agree on one thread.
Inside `seeded` they depend on the seed given there alone: with a seed for each
image, images come out the same on any number of threads and in any order.
"""
import contextlib

import tensorflow.compat.v1 as tf

# Keeps the calls of one seed apart from those of the next seed.
_SEED_STRIDE = 1000003

_sources = []


class _Source:
  """Derives another seed from one seed for each call in the code."""

  def __init__(self, seed):
    self._seed = tf.cast(seed, tf.int64) * [_SEED_STRIDE, 1]
    self._calls = 0

  def next_seed(self):
    self._calls += 1
    return self._seed + [self._calls, 0]


@contextlib.contextmanager
def seeded(seed):
  """Makes all random numbers requested inside it depend on a seed alone.

  Args:
    seed: int64 [2] tensor, such as the seed of the run and the index of the
      image in the run.
  """
  _sources.append(_Source(seed))
  try:
    yield
  finally:
    _sources.pop()


def are_seeded():
  """Whether random numbers follow from a seed given to `seeded`."""
  return bool(_sources)


def uniform(low, high, dtype=tf.float32, shape=()):
  """Returns uniformly distributed numbers in [low, high).

  Args:
    low: lower bound, inclusive.
    high: upper bound, exclusive; a number or a scalar tensor.
    dtype: tf.float32 or tf.int32.
    shape: shape of the result.
  """
  if not _sources:
    return tf.random.uniform(shape, low, high, dtype)
  return tf.random.stateless_uniform(
      shape, _sources[-1].next_seed(), low, high, dtype)


def bernoulli(probability):
  """Returns a bool scalar that is True with a probability in [0, 1]."""
  return uniform(0.0, 1.0) < probability
