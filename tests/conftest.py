"""What all tests share: graph mode on every TensorFlow, a fresh graph each."""
import os

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')

import pytest  # pylint: disable=wrong-import-position


@pytest.fixture(autouse=True, scope='session')
def graph_mode():
  """Turns TensorFlow 2 to graph mode, for the fixtures of sessions too."""
  import tensorflow.compat.v1 as tf
  tf.disable_v2_behavior()


@pytest.fixture(autouse=True)
def graph():
  """Runs each test in a graph of its own, in graph mode."""
  import tensorflow.compat.v1 as tf
  with tf.Graph().as_default() as fresh:
    yield fresh
