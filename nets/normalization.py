"""Replaceable batch normalization, called by all networks of this package.

The networks call `normalization.batch_norm`, not `slim.batch_norm`, so that
its computation can be replaced for all of them: by statistics reduced across
clones, or by frozen statistics. Replacing `normalizer_fn` in an arg scope is
not enough, since most networks set their normalizer explicitly or in an inner
scope.

Both functions have the same arg scope key: `slim.arg_scope([slim.batch_norm],
...)` sets the arguments of either.
"""
import contextlib

import tensorflow.compat.v1 as tf
import tf_slim as slim
from tf_slim.ops import arg_scope as slim_scopes

from nets import scoped_value

_implementation = scoped_value.ScopedValue(slim.batch_norm)


def batch_norm(*args, **kwargs):
  """Calls the current implementation; `slim.batch_norm` unless replaced."""
  return _implementation.value(*args, **kwargs)


# tf_slim finds the scoped arguments of a function by this attribute.
batch_norm._key_op = slim.batch_norm._key_op  # pylint: disable=protected-access


def implementation(function):
  """Replaces the batch normalization of networks built inside a `with`.

  Args:
    function: function with the arguments of `slim.batch_norm`. It receives the
      scoped arguments if it is decorated or calls `slim.batch_norm`.
  """
  return _implementation.replaced(function)


@contextlib.contextmanager
def overridden(choose):
  """Changes arguments of the batch normalization of networks built inside.

  The current implementation is kept.

  Args:
    choose: function of (name, arguments) of a layer: the scope of its
      variables, for example 'net/conv1/BatchNorm', and the dict of its keyword
      arguments, those of arg scopes included. It returns a dict of the
      arguments to change.
  """
  inner = _implementation.value

  def function(*args, **kwargs):
    arguments = dict(scoped_arguments(), **kwargs)
    name = '/'.join(filter(None, [
        tf.get_variable_scope().name, arguments.get('scope') or 'BatchNorm']))
    return inner(*args, **dict(kwargs, **choose(name, arguments)))

  with implementation(function):
    yield


def scoped_arguments():
  """Returns the arguments that the arg scopes give to batch normalization."""
  return slim.current_arg_scope().get(
      slim_scopes.arg_scope_func_key(slim.batch_norm), {})
