"""What TensorFlow 1.15, 2.12 and today's TensorFlow name differently.

tf_slim 1.1.0 is written for TensorFlow 1.15 and stopped working after 2.12:

* Batch normalization is loaded from `keras.legacy_tf_layers` (TensorFlow 2.13
  to 2.15) or `tf_keras.legacy_tf_layers` (from 2.16 on), which the released
  packages hold below `src`.
* tf_slim uses names of TensorFlow's private modules that have moved.

Importing this module, which every package of the library does, lets Python find
both. Nothing is imported by it, and nothing changes where the first name
exists, as on TensorFlow 1.15 and 2.12.
"""
import importlib
import importlib.machinery
import importlib.util
import sys

_LEGACY_LAYERS = ('keras.legacy_tf_layers', 'tf_keras.legacy_tf_layers')
# Name in a private module, below tensorflow.python, to the public name.
_MOVED_NAMES = {
    'framework.ops.IndexedSlices': 'IndexedSlices',
    'framework.ops.Tensor': 'Tensor',
    'ops.array_ops.stack': 'stack',
    'ops.array_ops.unstack': 'unstack',
    'ops.control_flow_ops.Assert': 'Assert',
    'ops.control_flow_ops.case': 'case',
    'ops.control_flow_ops.cond': 'cond',
    'ops.control_flow_ops.while_loop': 'while_loop',
    'ops.variable_scope.variable': 'Variable'}


class _TfSlimFinder:
  """Imports what tf_slim needs under the names that it knows.

  It is a meta path finder and a loader. The import of the base classes that
  `importlib.abc` has for both takes a tenth of the time of `--help`.
  """

  def find_spec(self, fullname, path, target=None):
    """Returns how to load a legacy layer; None for any other module."""
    if fullname == 'tf_slim':
      _restore_names()
    if '.'.join(fullname.split('.')[:2]) not in _LEGACY_LAYERS:
      return None
    return (importlib.machinery.PathFinder.find_spec(fullname, path, target) or
            importlib.util.spec_from_loader(fullname, self))

  def create_module(self, spec):
    """Leaves it to Python, as loaders may."""

  def exec_module(self, module):
    """Puts the module below `src` in the place of the one just created."""
    package, _, rest = module.__name__.partition('.')
    sys.modules[module.__name__] = importlib.import_module(
        '%s.src.%s' % (package, rest))


def _restore_names():
  """Adds to TensorFlow's private modules the names that tf_slim looks up."""
  import tensorflow.compat.v1 as tf
  for private, public in _MOVED_NAMES.items():
    module, _, name = private.rpartition('.')
    module = importlib.import_module('tensorflow.python.' + module)
    if not hasattr(module, name):
      setattr(module, name, getattr(tf, public))


if not any(type(finder).__name__ == _TfSlimFinder.__name__
           for finder in sys.meta_path):
  sys.meta_path.insert(0, _TfSlimFinder())
  if 'tf_slim' in sys.modules:
    _restore_names()
