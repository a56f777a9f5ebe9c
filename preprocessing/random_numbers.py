"""The random numbers that the steps draw.

By themselves they are TensorFlow's stateful ones: they follow
`tf.set_random_seed`, and with a seed two runs draw the same on one thread.
Inside `seeded` they depend on nothing but the seed given there: with another
seed for each image, images can be computed on any number of threads, in any
order, and come out the same.
"""
import contextlib

import tensorflow.compat.v1 as tf

# Apart, so that the draws of neighbouring seeds do not meet.
_SEEDS_APART = 1000003

_sources = []


class _Source:
  """Numbers that follow from one seed, another for each call in the code."""

  def __init__(self, seed):
    self._seed = tf.cast(seed, tf.int64) * [_SEEDS_APART, 1]
    self._draws = 0

  def next_seed(self):
    self._draws += 1
    return self._seed + [self._draws, 0]


@contextlib.contextmanager
def seeded(seed):
  """Makes all draws of the steps called inside it depend on a seed alone.

  Args:
    seed: int64 [2], a tensor; such as a seed of the run and the number of the
      image in the run.
  """
  _sources.append(_Source(seed))
  try:
    yield
  finally:
    _sources.pop()


def are_seeded():
  """Whether draws follow from a seed given to `seeded`."""
  return bool(_sources)


def uniform(low, high, dtype=tf.float32, shape=()):
  """Draws numbers from [low, high), each equally likely.

  Args:
    low: the least number.
    high: the bound, a number or a scalar tensor.
    dtype: tf.float32 or tf.int32.
    shape: shape of the result.
  """
  if not _sources:
    return tf.random.uniform(shape, low, high, dtype)
  return tf.random.stateless_uniform(
      shape, _sources[-1].next_seed(), low, high, dtype)


def chance(share):
  """Draws True with a probability of `share`, as a bool scalar."""
  return uniform(0.0, 1.0) < share
