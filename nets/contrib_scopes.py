"""Applies scopes opened with `tf.contrib.slim.arg_scope` to the networks.

tf_slim and the contrib of TensorFlow 1.15 have separate stacks of scopes, so
that published code such as::

  with tf.contrib.slim.arg_scope(mobilenet_v2.training_scope()):
    logits, end_points = mobilenet_v2.mobilenet(images)

would silently build a network without batch normalization in training mode
and without regularization. The decorator below copies contrib's scopes to
tf_slim while a network is built. Where both set the same argument of the same
layer, the scope of tf_slim has precedence.

A value that is a layer of contrib, such as normalizer_fn=tf.contrib.layers.
batch_norm, becomes ours, in scopes of either stack: contrib's batch
normalization would not see the is_training=False of a network's own scopes,
and would normalize with the batch at inference. This holds for a
functools.partial of a layer too, but not for a lambda around one, which
nothing can look into.

Layers of contrib inside scopes of tf_slim, such as our *_arg_scope(), get no
arguments from them: open these with tf.contrib.slim.arg_scope as well.

It never imports contrib: if the caller did not, there is no scope to copy.
"""
import functools
import sys

import tf_slim as slim
from tf_slim.ops import arg_scope as slim_scopes

from nets import normalization

_CONTRIB_SCOPES = 'tensorflow.contrib.framework.python.ops.arg_scope'


def reach(network):
  """Decorates a function that builds a network, to apply contrib's scopes."""

  @functools.wraps(network)
  def build(*args, **kwargs):
    contrib = sys.modules.get(_CONTRIB_SCOPES)
    if contrib is None:
      return network(*args, **kwargs)
    theirs, ours = contrib.current_arg_scope(), slim.current_arg_scope()
    scope = _merge(_translate(theirs), _translate(ours))
    if scope == ours:
      return network(*args, **kwargs)
    with slim.arg_scope(scope):
      return network(*args, **kwargs)

  return build


@functools.lru_cache(maxsize=None)
def _layers():
  """Returns {key of a layer of contrib: layer of ours with the same name}."""
  contrib_layers = sys.modules['tensorflow.contrib.layers']
  layers = {}
  for name in dir(contrib_layers):
    pair = getattr(contrib_layers, name), getattr(slim, name, None)
    if all(hasattr(layer, '_key_op') for layer in pair):
      layers[slim_scopes.arg_scope_func_key(pair[0])] = pair[1]
  batch_norm = slim_scopes.arg_scope_func_key(contrib_layers.batch_norm)
  layers[batch_norm] = normalization.batch_norm
  return layers


def _translate(scope):
  """Replaces layers of contrib in `scope`, as keys and as values, by ours."""
  translated = {}
  for key, values in scope.items():
    if key in _layers():
      key = slim_scopes.arg_scope_func_key(_layers()[key])
    # A layer may be there under both names, the inner scope last.
    translated.setdefault(key, {}).update(
        (name, _translate_value(value)) for name, value in values.items())
  return translated


def _translate_value(value):
  if isinstance(value, functools.partial):
    layer = _translate_value(value.func)
    return value if layer is value.func else functools.partial(
        layer, *value.args, **value.keywords)
  return _layers().get(getattr(value, '_key_op', None), value)


def _merge(outer, inner):
  merged = {key: dict(values) for key, values in outer.items()}
  for key, values in inner.items():
    merged.setdefault(key, {}).update(values)
  return merged
