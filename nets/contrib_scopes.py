"""Applies scopes opened with `tf.contrib.slim.arg_scope` to the networks.

tf_slim and the contrib of TensorFlow 1.15 have separate stacks of scopes, so
that published code such as::

  with tf.contrib.slim.arg_scope(mobilenet_v2.training_scope()):
    logits, end_points = mobilenet_v2.mobilenet(images)

would silently build a network without batch normalization in training mode
and without regularization. The decorator below copies contrib's scopes to
tf_slim while a network is built. Where both set the same argument of the same
layer, the scope of tf_slim has precedence.

It never imports contrib: if the caller did not, there is no scope to copy.
"""
import functools
import sys

import tf_slim as slim
from tf_slim.ops import arg_scope as slim_scopes

_CONTRIB_SCOPES = 'tensorflow.contrib.framework.python.ops.arg_scope'


def reach(network):
  """Decorates a function that builds a network, to apply contrib's scopes."""

  @functools.wraps(network)
  def build(*args, **kwargs):
    contrib = sys.modules.get(_CONTRIB_SCOPES)
    scope = contrib.current_arg_scope() if contrib else None
    if not scope:
      return network(*args, **kwargs)
    with slim.arg_scope(_merge(_translate(scope), slim.current_arg_scope())):
      return network(*args, **kwargs)

  return build


def _translate(scope):
  """Renames layers of contrib in `scope` to those of tf_slim."""
  contrib_layers = sys.modules['tensorflow.contrib.layers']
  slim_keys = {}
  for name in dir(contrib_layers):
    pair = getattr(contrib_layers, name), getattr(slim, name, None)
    if all(hasattr(layer, '_key_op') for layer in pair):
      contrib_key, slim_key = map(slim_scopes.arg_scope_func_key, pair)
      slim_keys[contrib_key] = slim_key
  translated = {}
  for key, values in scope.items():
    # A layer may be there under both names, the inner scope last.
    translated.setdefault(slim_keys.get(key, key), {}).update(values)
  return translated


def _merge(outer, inner):
  merged = {key: dict(values) for key, values in outer.items()}
  for key, values in inner.items():
    merged.setdefault(key, {}).update(values)
  return merged
