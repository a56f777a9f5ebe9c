"""Starts TensorFlow the way the programs use it, without its remarks."""
import atexit
import contextlib
import gc
import importlib.machinery
import importlib.util
import os
import re
import sys
import warnings

from slim_common import memory
from slim_common import tf_versions  # noqa: F401

# What TensorFlow 2.21 writes while it loads, and its TensorFlow Lite while it
# converts to 8 bits or loads a model, whatever the log level.
_REMARKS = re.compile(
    r'WARNING: All log messages before absl::InitializeLog'
    r'|I\d{4} .* oneDNN custom operations are on'
    r'|fully_quantize: \d, inference_type: '
    r'|INFO: Created TensorFlow Lite XNNPACK delegate')
# What TensorFlow imports for Keras alone, up to a third of its own time; Keras
# imports matplotlib. TensorFlow does without what is not there.
_FOR_KERAS = ('keras', 'tf_keras', 'h5py')


def start() -> None:
  """Loads TensorFlow in graph mode, without its warnings about itself.

  It changes the process (allocator, warnings, log level), so that only programs
  call it. The log level is that of TF_CPP_MIN_LOG_LEVEL, by default 2: errors.

  Raises:
    ValueError: TensorFlow or tf_slim is not installed.
  """
  import logging  # Not for --help, as below.
  level = hide_remarks()
  # By --logger_levels; TensorFlow sets one while it loads.
  asked = ('tensorflow' not in sys.modules and
           logging.getLogger('tensorflow').level)
  memory.keep_freed_memory()
  try:
    import tensorflow.compat.v1 as tf
    import tf_slim  # noqa: F401
  except ImportError as error:
    raise ValueError(
        '%s. This needs Python 3.7 with TensorFlow 1.15, or Python 3.10 to '
        '3.13 with TensorFlow 2.21, and tf-slim: run `make env` and use the '
        'Python it names, or `pip install -e .`' % error)
  tf.logging.set_verbosity(asked or {
      '0': tf.logging.INFO, '1': tf.logging.WARN,
      '3': tf.logging.FATAL}.get(level, tf.logging.ERROR))
  tf.disable_v2_behavior()
  # Looking for garbage among TensorFlow's objects, which Python does when it
  # ends, takes a third of a second.
  atexit.register(gc.freeze)


def hide_remarks():
  """Hides what TensorFlow says about itself, however late it is loaded.

  Returns:
    The value of TF_CPP_MIN_LOG_LEVEL, '0' (info) to '3' (fatal errors).
  """
  level = os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
  # TensorFlow 1.15 warns of NumPy's future at every import, TensorFlow 2 of
  # the layers that tf_slim uses.
  warnings.filterwarnings('ignore', category=FutureWarning)
  warnings.filterwarnings('ignore', message='.* is deprecated and will be')
  # The seed of the graph reaches tf.data's functions as well, as it should.
  warnings.filterwarnings('ignore', message='Seed .* from outer graph')
  warnings.filterwarnings(
      'ignore', message=r'\s*Warning: tf\.lite\.Interpreter is deprecated')
  if level > '1' and 'tensorflow' not in sys.modules:
    sys.meta_path.insert(0, _QuietFinder())
  return level


class _QuietFinder:
  """Imports TensorFlow without its greeting.

  A meta path finder without its base class; see `tf_versions`.
  """

  def find_spec(self, fullname, path, target=None):
    """Returns how to load TensorFlow; None for any other module."""
    if fullname != 'tensorflow':
      return None
    sys.meta_path.remove(self)
    spec = importlib.util.find_spec(fullname)
    if spec and spec.loader:
      spec.loader.exec_module = _without_keras()(
          without_remarks()(spec.loader.exec_module))
    return spec


@contextlib.contextmanager
def _without_keras():
  """Puts off the import of Keras until something uses it."""
  finder = _PutOffFinder()
  sys.meta_path.insert(0, finder)
  try:
    yield
  finally:
    sys.meta_path.remove(finder)


class _PutOffFinder:
  """Finds what is for Keras alone, and fails to import it.

  A meta path finder and a loader without base classes; see `tf_versions`.
  """

  def find_spec(self, fullname, path, target=None):
    """Returns where a package is; None for any other module."""
    if fullname not in _FOR_KERAS:
      return None
    spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
    if spec:
      spec.loader = self
    return spec

  def create_module(self, spec):
    """Raises ImportError."""
    raise ImportError(
        '%s is not imported while TensorFlow is' % spec.name, name=spec.name)

  def exec_module(self, module):
    """Is never called; loaders have it."""


@contextlib.contextmanager
def without_remarks():
  """Keeps TensorFlow's remarks about itself from standard error.

  For work of a few seconds: other lines appear at its end.
  """
  import tempfile
  sys.stderr.flush()
  with tempfile.TemporaryFile() as held:
    stderr = os.dup(2)
    os.dup2(held.fileno(), 2)
    try:
      yield
    finally:
      sys.stderr.flush()
      os.dup2(stderr, 2)
      os.close(stderr)
      held.seek(0)
      for line in held.read().decode(errors='replace').splitlines():
        if not _REMARKS.match(line):
          print(line, file=sys.stderr)
