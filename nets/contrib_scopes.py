"""Lets scopes opened with `tf.contrib.slim.arg_scope` reach our networks.

tf_slim and TensorFlow 1.15's contrib keep two separate stacks of scopes, so
published code such as

  with tf.contrib.slim.arg_scope(mobilenet_v2.training_scope()):
    logits, end_points = mobilenet_v2.mobilenet(images)

would silently build a network without batch normalization in training mode
and without regularization. The decorator below copies what stands on
contrib's stack to tf_slim's while a network is built. Where both set the same
argument of the same layer, tf_slim's scope wins.

It never imports contrib: if nobody else did, there is no scope to copy, and
the cost is one look into `sys.modules` a network.
"""
import functools
import sys

import tf_slim as slim
from tf_slim.ops import arg_scope as slim_scopes

_CONTRIB_SCOPES = 'tensorflow.contrib.framework.python.ops.arg_scope'


def reach(network):
  """Decorates a function that builds a network: contrib's scopes reach it."""

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
  """Renames contrib's own layers in `scope` to tf_slim's of the same name."""
  contrib_layers = sys.modules['tensorflow.contrib.layers']
  ours = {}
  for name in dir(contrib_layers):
    pair = getattr(contrib_layers, name), getattr(slim, name, None)
    if all(hasattr(layer, '_key_op') for layer in pair):
      theirs, mine = map(slim_scopes.arg_scope_func_key, pair)
      ours[theirs] = mine
  translated = {}
  for key, values in scope.items():
    # One layer may stand there under both names, the inner scope last.
    translated.setdefault(ours.get(key, key), {}).update(values)
  return translated


def _merge(outer, inner):
  merged = {key: dict(values) for key, values in outer.items()}
  for key, values in inner.items():
    merged.setdefault(key, {}).update(values)
  return merged
