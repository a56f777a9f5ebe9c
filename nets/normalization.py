"""Batch normalisation as every network of this package calls it.

The networks call `normalization.batch_norm`, not `slim.batch_norm`, so that
one place can change what is computed for all of them: statistics reduced
across clones, or frozen statistics. Swapping `normalizer_fn` in an arg scope
would not do it, for most networks name their normaliser themselves.

Both functions share one arg-scope key: `slim.arg_scope([slim.batch_norm],
...)` sets the arguments of either.
"""
import contextlib

import tf_slim as slim

_implementations = [slim.batch_norm]


def batch_norm(*args, **kwargs):
  """Calls the implementation in force; `slim.batch_norm` unless replaced."""
  return _implementations[-1](*args, **kwargs)


# tf_slim finds a function's scoped arguments by this attribute.
batch_norm._key_op = slim.batch_norm._key_op  # pylint: disable=protected-access


@contextlib.contextmanager
def implementation(function):
  """Replaces the batch normalisation of all networks built inside.

  Args:
    function: takes what `slim.batch_norm` takes. It receives the scoped
      arguments if it is decorated or calls `slim.batch_norm` itself.

  Yields:
    Nothing.
  """
  _implementations.append(function)
  try:
    yield
  finally:
    _implementations.pop()
