"""Starts TensorFlow the way the programs use it."""
import os
import warnings

from slim_common import memory


def start() -> None:
  """Loads TensorFlow in graph mode, without its warnings about itself.

  It changes the process (allocator, warnings, log level), so that only programs
  call it. The log level is that of TF_CPP_MIN_LOG_LEVEL, by default 2: errors.

  Raises:
    ValueError: TensorFlow or tf_slim is not installed.
  """
  level = os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
  memory.keep_freed_memory()
  # TensorFlow 1.15 warns of NumPy's future at every import, TensorFlow 2 of
  # the layers that tf_slim uses.
  warnings.filterwarnings('ignore', category=FutureWarning)
  warnings.filterwarnings('ignore', message='.* is deprecated and will be')
  # The seed of the graph reaches tf.data's functions as well, as it should.
  warnings.filterwarnings('ignore', message='Seed .* from outer graph')
  try:
    import tensorflow.compat.v1 as tf
    import tf_slim  # noqa: F401
  except ImportError as error:
    raise ValueError(
        '%s. This needs Python 3.7 with TensorFlow 1.15, or Python 3.8 to 3.11 '
        'with TensorFlow 2.12, and tf-slim: run `make env` and use '
        '.venv/bin/python, or `pip install -e .`' % error)
  tf.logging.set_verbosity({
      '0': tf.logging.INFO, '1': tf.logging.WARN,
      '3': tf.logging.FATAL}.get(level, tf.logging.ERROR))
  tf.disable_v2_behavior()
