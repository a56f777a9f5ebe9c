"""TensorFlow Lite models."""
import os

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from image_classifier.export import tflite
from image_classifier.inference import backends


def _graph(build):
  with tf.Graph().as_default() as graph:
    net = build(tf.placeholder(tf.float32, [None, 4, 4, 3], name='input'))
    tf.identity(net, name='logits')
    tf.identity(tf.nn.softmax(net), name='predictions')
    return graph.as_graph_def()


def _dense(images):
  weights = np.random.RandomState(0).uniform(-1, 1, [48, 5])
  return tf.matmul(tf.reshape(images, [-1, 48]),
                   tf.constant(weights, tf.float32))


@pytest.mark.parametrize('batch, bits, tolerance', [
    (1, 32, 1e-4), (4, 32, 1e-4), (1, 8, 0.3)])
def test_outputs_are_in_order_and_close(tmp_path, batch, bits, tolerance):
  images = np.random.RandomState(1).uniform(
      -1, 1, [6, 4, 4, 3]).astype(np.float32)
  graph_def = _graph(_dense)
  calibration = None if bits == 32 else [image[None] for image in images]
  path = tmp_path / 'model.tflite'
  before = os.environ['PATH']
  path.write_bytes(tflite.convert(
      graph_def, [batch, 4, 4, 3], calibration))
  assert os.environ['PATH'] == before
  expected = backends.load_graph_def(graph_def).run(images)
  found = backends.load(str(path)).run(images)
  for one, other in zip(found, expected):
    assert one.shape == (6, 5) and one.dtype == np.float32
    np.testing.assert_allclose(one, other, atol=tolerance)


def test_an_operation_that_is_missing():
  with pytest.raises(ValueError, match='TensorFlow Lite cannot represent '
                     'this network: .* Leave out --tflite and --int8.'):
    tflite.convert(
        _graph(lambda images: tf.math.igamma(_dense(images), 1.0)),
        [1, 4, 4, 3])
