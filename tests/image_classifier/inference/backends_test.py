"""Exports, loaded and run: frozen graphs, SavedModels, TensorFlow Lite."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from image_classifier.export import saved_model
from image_classifier.export import tflite
from image_classifier.inference import backends

_SHAPE = [None, 2, 2, 1]
_WEIGHTS = np.arange(12, dtype=np.float32).reshape(4, 3) / 10


def _graph_def(logits='logits', batch=None):
  """A graph of an export: flattened images times weights."""
  with tf.Graph().as_default() as graph:
    images = tf.placeholder(tf.float32, [batch] + _SHAPE[1:], name='input')
    net = tf.matmul(tf.reshape(images, [-1, 4]), tf.constant(_WEIGHTS))
    tf.identity(net, name=logits)
    tf.nn.softmax(net, name='predictions')
    return graph.as_graph_def()


def _write(directory, form, batch=None):
  """Writes one form of an export, of a batch size; returns its path."""
  path = directory / form
  graph_def = _graph_def(batch=batch)
  if form == 'saved_model':
    saved_model.write(str(path), graph_def, [batch] + _SHAPE[1:], None)
  elif form == 'model.tflite':
    path.write_bytes(tflite.convert(graph_def, [batch or 1] + _SHAPE[1:]))
  else:
    path.write_bytes(graph_def.SerializeToString())
  return str(path)


def _assert_right(backend, number):
  images = np.random.RandomState(0).uniform(-1, 1, [number, 2, 2, 1])
  logits, predictions = backend.run(images)
  expected = images.reshape(number, 4).dot(_WEIGHTS)
  np.testing.assert_allclose(logits, expected, atol=1e-6)
  powers = np.exp(expected)
  np.testing.assert_allclose(
      predictions, powers / powers.sum(axis=1, keepdims=True), atol=1e-6)
  assert logits.dtype == predictions.dtype == np.float32


@pytest.mark.parametrize('form', ['graph.pb', 'saved_model', 'model.tflite'])
def test_every_form_is_loaded_by_its_path(tmp_path, form):
  backend = backends.load(_write(tmp_path, form))
  assert isinstance(backend, backends.TFLiteBackend) == form.endswith('tflite')
  for number in (1, 3):
    _assert_right(backend, number)
  backend.close()


@pytest.mark.parametrize('form', ['graph.pb', 'saved_model', 'model.tflite'])
def test_a_batch_of_a_fixed_size_is_filled(tmp_path, form):
  backend = backends.load(_write(tmp_path, form, batch=4))
  for number in (1, 4, 6):
    _assert_right(backend, number)


def test_a_model_of_bytes_is_quantized_and_dequantized(monkeypatch):
  """A byte is (byte - zero) * scale; values out of range are clipped."""
  class _Interpreter:
    def __init__(self, path, num_threads=None):
      del path, num_threads
    def allocate_tensors(self):
      pass
    def get_input_details(self):
      return [dict(index=0, shape=[1, 2], dtype=np.uint8,
                   quantization=(0.5, 4))]
    def get_output_details(self):
      return [dict(index=0, dtype=np.uint8, quantization=(0.25, 8))] * 2
    def set_tensor(self, index, values):
      assert values.dtype == np.uint8 and index == 0
      self._values = values
    def invoke(self):
      pass
    def get_tensor(self, index):
      del index
      return self._values
  monkeypatch.setattr(tf.lite, 'Interpreter', _Interpreter)
  logits, _ = backends.TFLiteBackend('model').run([[0.6, -9.0], [2.0, 1000.0]])
  assert logits.dtype == np.float32
  np.testing.assert_array_equal(
      logits, [[(5 - 8) / 4, (0 - 8) / 4], [0, (255 - 8) / 4]])


def test_the_number_of_threads(tmp_path):
  _assert_right(backends.TFLiteBackend(
      _write(tmp_path, 'model.tflite'), num_threads=2), 2)


def test_the_session_of_a_graph_may_be_configured():
  config = tf.ConfigProto(intra_op_parallelism_threads=1)
  _assert_right(backends.load_graph_def(_graph_def(), config), 2)


def test_a_session_with_tensors():
  with tf.Graph().as_default():
    images = tf.placeholder(tf.float32, [None, 2])
    session = tf.Session()
    backend = backends.SessionBackend(session, images, (images + 1, images * 2))
  first, second = backend.run([[1.0, 2.0]])
  assert first.tolist() == [[2, 3]] and second.tolist() == [[2, 4]]
  backend.close()
  with pytest.raises(RuntimeError, match='closed'):
    backend.run([[1.0, 2.0]])


@pytest.mark.parametrize('name, content, message', [
    ('absent.pb', None, 'There is no file .*absent.pb.'),
    ('text.pb', b'no graph', 'text.pb is not a frozen graph: '),
    ('empty.pb', b'', 'The graph lacks the nodes of an export .input, logits, '
     'predictions.: .*Export it with export_inference_graph.py.'),
    ('text.tflite', b'no model', 'text.tflite is not a TensorFlow Lite model '
     'that this TensorFlow can run: '),
    ('directory', None, 'directory is not a SavedModel that can be served: ')])
def test_what_cannot_be_loaded(tmp_path, name, content, message):
  path = tmp_path / name
  if content is not None:
    path.write_bytes(content)
  if name == 'directory':
    path.mkdir()
  with pytest.raises(ValueError, match=message):
    backends.load(str(path))


def test_a_graph_with_other_names():
  with pytest.raises(ValueError, match='lacks the nodes of an export'):
    backends.load_graph_def(_graph_def(logits='scores'))


def test_a_saved_model_with_another_signature(tmp_path):
  directory = str(tmp_path / 'saved_model')
  with tf.Graph().as_default(), tf.Session() as session:
    images = tf.placeholder(tf.float32, [None])
    tf.saved_model.simple_save(
        session, directory, {'x': images}, {'y': images + 1})
  with pytest.raises(ValueError, match='saved_model has no signature '
                     'serving_default from `input` to `logits` and '
                     '`predictions`. Export it with '):
    backends.load(directory)
