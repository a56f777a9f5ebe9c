"""What all tests share: graph mode on every TensorFlow, a fresh graph each."""
import gc
import os

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')

import pytest  # pylint: disable=wrong-import-position


@pytest.fixture(autouse=True, scope='session')
def graph_mode():
  """Turns TensorFlow 2 to graph mode, for the fixtures of sessions too."""
  import tensorflow.compat.v1 as tf
  tf.disable_v2_behavior()
  # Graphs are millions of objects, which TensorFlow's modules join: the
  # collector would take a sixth of the time.
  gc.freeze()
  gc.set_threshold(50000, 10, 10)


@pytest.fixture(autouse=True)
def graph():
  """Runs each test in a graph of its own, in graph mode."""
  import tensorflow.compat.v1 as tf
  with tf.Graph().as_default() as fresh:
    yield fresh
