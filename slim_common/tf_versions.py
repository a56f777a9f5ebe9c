"""What TensorFlow 1.15, 2.12 and today's TensorFlow name differently.

Batch normalization of tf_slim is TensorFlow's `python/layers`, which loads it
from `keras.legacy_tf_layers` (TensorFlow 2.13 to 2.15) or
`tf_keras.legacy_tf_layers` (from 2.16 on). The released packages hold it below
`src`, so that without help a network fails in its first batch normalization.
Importing this module lets Python find it there; where the first name exists, as
on TensorFlow 1.15 and 2.12, nothing changes. Every package of the library
imports it, before tf_slim.
"""
import importlib
import importlib.abc
import importlib.util
import sys

_MOVED = ('keras.legacy_tf_layers', 'tf_keras.legacy_tf_layers')


class _MovedLayersFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
  """Imports `keras.src.legacy_tf_layers` as `keras.legacy_tf_layers`."""

  def find_spec(self, fullname, path, target=None):
    """Returns how to load a module of `_MOVED`; None for any other."""
    if '.'.join(fullname.split('.')[:2]) not in _MOVED:
      return None
    return importlib.util.spec_from_loader(fullname, self)

  def exec_module(self, module):
    """Puts the module itself in the place of the one just created."""
    package, _, rest = module.__name__.partition('.')
    sys.modules[module.__name__] = importlib.import_module(
        '%s.src.%s' % (package, rest))


# The last finder is asked for what no other has found.
if not any(type(finder).__name__ == _MovedLayersFinder.__name__
           for finder in sys.meta_path):
  sys.meta_path.append(_MovedLayersFinder())
