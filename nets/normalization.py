"""Batch normalization as every network of this package calls it.

The networks call `normalization.batch_norm`, not `slim.batch_norm`, so that
one place can change what is computed for all of them: statistics reduced
across clones, or frozen statistics. Swapping `normalizer_fn` in an arg scope
would not do it, for most networks name their normalizer themselves; nor would
a scope around a network, which the network's own scopes override.

Both functions share one arg-scope key: `slim.arg_scope([slim.batch_norm],
...)` sets the arguments of either.
"""
import contextlib

import tensorflow.compat.v1 as tf
import tf_slim as slim
from tf_slim.ops import arg_scope as slim_scopes

_implementations = [slim.batch_norm]


def batch_norm(*args, **kwargs):
  """Calls the implementation in force; `slim.batch_norm` unless replaced."""
  return _implementations[-1](*args, **kwargs)


# tf_slim finds a function's scoped arguments by this attribute.
batch_norm._key_op = slim.batch_norm._key_op  # pylint: disable=protected-access


@contextlib.contextmanager
def implementation(function):
  """Replaces the batch normalization of all networks built inside.

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


@contextlib.contextmanager
def overridden(choose):
  """Changes arguments of the batch normalization of networks built inside.

  What is computed stays with the implementation in force.

  Args:
    choose: function of (name, arguments) of a layer: the beginning of its
      variables' names, as in 'net/conv1/BatchNorm', and the dict of its
      keyword arguments, those of arg scopes included. It returns a dict of
      the arguments to change.

  Yields:
    Nothing.
  """
  inner = _implementations[-1]

  def function(*args, **kwargs):
    arguments = dict(_scoped_arguments(), **kwargs)
    name = '/'.join(filter(None, [
        tf.get_variable_scope().name, arguments.get('scope') or 'BatchNorm']))
    return inner(*args, **dict(kwargs, **choose(name, arguments)))

  with implementation(function):
    yield


def _scoped_arguments():
  """Returns the arguments that the arg scopes give to batch normalization."""
  return slim.current_arg_scope().get(
      slim_scopes.arg_scope_func_key(slim.batch_norm), {})
