"""The metadata of TensorFlow Lite models."""
import io
import json
import zipfile

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from image_classifier.export import tflite
from image_classifier.export import tflite_metadata
from image_classifier.import_weights import flat_buffer
from image_classifier.inference import backends
from image_classifier.inference import exports
from preprocessing import preprocessing_factory

_LABELS = ['tabby', '7:Grüße', 'a\nb']


def _record(family='vgg', **changes):
  return dict({
      'model_name': 'vgg_16', 'num_classes': 3, 'image_size': 2, 'channels': 3,
      'classifier_activation': 'softmax', 'preprocessing_name': family,
      'input_shape': [None, 2, 2, 3], 'use_grayscale': False,
      'preprocessing': preprocessing_factory.describe(family)}, **changes)


@pytest.fixture(name='model', scope='module')
def _model():
  with tf.Graph().as_default() as graph:
    images = tf.placeholder(tf.float32, [1, 2, 2, 3], name='input')
    net = tf.matmul(tf.reshape(images, [1, 12]), tf.constant(
        np.arange(36, dtype=np.float32).reshape(12, 3)))
    tf.identity(net, name='logits')
    tf.nn.softmax(net, name='predictions')
  return tflite.convert(graph.as_graph_def(), [1, 2, 2, 3])


def _metadata(content):
  """Returns the bytes of the buffer TFLITE_METADATA."""
  model = flat_buffer.Table(content)
  buffers = model.positions(4)
  number, = [entry.scalar(1, 'I') for entry in (
      flat_buffer.Table(content, position) for position in model.positions(6))
             if entry.data(0) == b'TFLITE_METADATA']
  return flat_buffer.Table(content, buffers[number]).data(0)


def test_the_model_computes_the_same(model, tmp_path):
  images = np.random.RandomState(0).uniform(-1, 1, [3, 2, 2, 3])
  outputs = []
  for content in (model, tflite_metadata.add(model, _record(), _LABELS)):
    (tmp_path / 'a.tflite').write_bytes(content)
    outputs.append(backends.load(str(tmp_path / 'a.tflite')).run(images))
  np.testing.assert_array_equal(*outputs)


def test_what_was_in_the_model_stays(model):
  content = tflite_metadata.add(model, _record(), _LABELS)
  before, after = flat_buffer.Table(model), flat_buffer.Table(content)
  assert content[4:8] == b'TFL3'
  assert after.scalar(0, 'I') == before.scalar(0, 'I') == 3
  assert after.data(3) == before.data(3)
  for number, added in ((1, 0), (2, 0), (4, 1), (6, 1)):
    assert len(after.positions(number)) == (
        len(before.positions(number)) + added), number
  for old, new in zip(before.positions(4), after.positions(4)):
    assert flat_buffer.Table(content, new).data(0) == (
        flat_buffer.Table(model, old).data(0))
    # Weights are read in place.
    assert (new - old) % 16 == 0


def test_the_same_model_has_the_same_bytes(model):
  assert tflite_metadata.add(model, _record(), _LABELS) == (
      tflite_metadata.add(model, _record(), _LABELS))


def test_a_model_that_was_copied_alone_has_its_record(model, tmp_path):
  path = tmp_path / 'alone.tflite'
  path.write_bytes(tflite_metadata.add(model, _record(), _LABELS))
  found = exports.find(str(path))
  assert (found.path, found.record) == (str(path), _record())
  assert found.labels == ['tabby', '7:Grüße', 'a b']
  path.write_bytes(tflite_metadata.add(model, {
      name: value for name, value in _record().items()
      if name != 'use_grayscale'}, _LABELS))
  with pytest.raises(ValueError, match='alone.tflite is not of this program, '
                     'or damaged: it lacks use_grayscale'):
    exports.find(str(path))
  # Without metadata: as before.
  path.write_bytes(model)
  with pytest.raises(ValueError, match='There is no file .*model.json'):
    exports.find(str(path))


@pytest.mark.parametrize('family, channels, color, text, mean, std', [
    ('vgg', 3, 1, b'RGB, values -123.68 to 151.06; the smaller side',
     [123.68, 116.78, 103.94], [1, 1, 1]),
    ('inception', 3, 1, b'RGB, values -1 to 1; the central', [127.5], [127.5]),
    ('lenet', 1, 2, b'Grayscale, values -1 to 0.99', [128], [128]),
    ('cifarnet', 3, 1, b'RGB, values mean 0 and standard deviation 1', None,
     None)])
def test_the_normalization(model, family, channels, color, text, mean, std):
  content = _metadata(tflite_metadata.add(
      model, _record(family, channels=channels), _LABELS))
  root = flat_buffer.Table(content)
  graph = flat_buffer.Table(content, root.positions(3)[0])
  image = flat_buffer.Table(content, graph.positions(2)[0])
  assert image.data(1).startswith(text)
  described = flat_buffer.Table(content, image.reference(3))
  # ImageProperties in the schema.
  assert described.scalar(0, 'B') == 2
  properties = flat_buffer.Table(content, described.reference(1))
  size = flat_buffer.Table(content, properties.reference(1))
  assert properties.scalar(0, 'b') == color
  assert (size.scalar(0, 'I'), size.scalar(1, 'I')) == (2, 2)
  units = image.positions(4)
  assert len(units) == (mean is not None)
  for unit in units:
    options = flat_buffer.Table(
        content, flat_buffer.Table(content, unit).reference(1))
    for number, expected in enumerate((mean, std)):
      start = options.reference(number)
      np.testing.assert_allclose(np.frombuffer(
          content, '<f4', len(expected), start + 4), expected, rtol=1e-6)


_TASKS = [{'task': 'digit', 'classes': ['7', '8'], 'multi_label': False},
          {'task': 'is', 'classes': ['odd'], 'multi_label': True}]


@pytest.mark.parametrize('changes, purpose, logits, predictions, has_labels', [
    ({}, 'Classifies images into 3 classes.', 'The score of each class.',
     'The probability of each class, by softmax.', True),
    (dict(tasks=_TASKS), 'Classifies images into 3 classes of the tasks digit, '
     'is.', 'The score of each class of each task.', 'The probability of each '
     'class of the task digit, by softmax. The probability of each class of the '
     'task is, by sigmoid.', True),
    (dict(embedding_size=3, normalize_embedding=True), 'Computes embeddings of '
     'images: those of one class are near to each other.', 'The embedding, 3 '
     'numbers of length 1: the smaller the distance of two images, the more '
     'alike they are.', None, False)])
def test_what_the_outputs_are(
    model, changes, purpose, logits, predictions, has_labels):
  content = _metadata(tflite_metadata.add(model, _record(**changes), _LABELS))
  root = flat_buffer.Table(content)
  assert root.data(1).decode() == purpose
  outputs = [flat_buffer.Table(content, position) for position in (
      flat_buffer.Table(content, root.positions(3)[0]).positions(3))]
  assert [output.data(0) for output in outputs] == [b'logits', b'predictions']
  assert [output.data(1).decode() for output in outputs] == [
      logits, predictions or logits]
  assert [len(output.positions(6)) for output in outputs] == (
      [int(has_labels)] * 2)


def test_the_files_are_a_zip_at_the_end(model):
  content = tflite_metadata.add(model, _record(), _LABELS)
  with zipfile.ZipFile(io.BytesIO(content)) as files:
    assert files.testzip() is None
    assert files.namelist() == ['labels.txt', 'model.json']
    assert files.read('labels.txt').decode() == 'tabby\n7:Grüße\na b\n'
    assert json.loads(files.read('model.json').decode()) == _record()


def test_the_official_schema_of_models(model):
  schema = pytest.importorskip('tensorflow.lite.python.schema_py_generated')
  content = tflite_metadata.add(model, _record(), _LABELS)
  read = schema.ModelT.InitFromPackedBuf(content)
  before = schema.ModelT.InitFromPackedBuf(model)
  assert read.subgraphs[0].outputs.tolist() == (
      before.subgraphs[0].outputs.tolist())
  for old, new in zip(before.buffers, read.buffers):
    np.testing.assert_array_equal(old.data, new.data)
  entry = read.metadata[-1]
  assert entry.name == b'TFLITE_METADATA'
  assert bytes(read.buffers[entry.buffer].data)[4:8] == b'M001'
