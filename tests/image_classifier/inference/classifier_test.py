"""Classifiers: networks with their preprocessing and class names."""
import dataclasses
import io
import json
import os
import shutil

import numpy as np
from PIL import Image
import pytest
import tensorflow.compat.v1 as tf

from benchmarks.contenders import random_checkpoint
from image_classifier import options
from image_classifier.export import export
from image_classifier.inference import backends
from image_classifier.inference import classifier as classifiers
from nets import nets_factory
from preprocessing import preprocessing_factory

_NAMES = ['name %d' % number for number in range(10)]


@pytest.fixture(scope='module', name='checkpoint')
def _checkpoint(tmp_path_factory):
  directory = tmp_path_factory.mktemp('checkpoint')
  (directory / 'labels.txt').write_text('\n'.join(_NAMES) + '\n')
  return random_checkpoint.save('lenet', 28, str(directory), 10)


@pytest.fixture(scope='module', name='whole')
def _whole(checkpoint):
  """The directory of an export of three forms."""
  directory = os.path.join(os.path.dirname(checkpoint), 'export')
  export.export(dataclasses.replace(
      options.Export(), model_name='lenet', num_classes=10, tflite=True,
      checkpoint_path=checkpoint, output_dir=directory,
      labels_file=os.path.join(os.path.dirname(checkpoint), 'labels.txt')))
  return directory


@pytest.fixture(name='exported')
def _exported(whole, tmp_path):
  """A copy of this directory, to be changed."""
  shutil.copytree(whole, str(tmp_path / 'export'))
  return tmp_path / 'export'


@pytest.fixture(name='encoded')
def _encoded():
  pixels = np.random.RandomState(0).randint(256, size=[40, 30, 3])
  buffer = io.BytesIO()
  Image.fromarray(pixels.astype(np.uint8)).save(buffer, 'png')
  return buffer.getvalue()


def _options(checkpoint, **changes):
  changes.setdefault('model_name', 'lenet')
  return dataclasses.replace(
      options.Classify(), checkpoint_path=checkpoint, num_classes=10, **changes)


def _expected(checkpoint, encoded, channels=3):
  """Returns (image, logits) computed directly with the network."""
  with tf.Graph().as_default(), tf.Session() as session:
    image = tf.image.decode_image(encoded, channels=channels)
    image.set_shape([None, None, channels])
    image = preprocessing_factory.get_preprocessing('lenet')(image, 28, 28)
    logits, _ = nets_factory.get_network_fn('lenet', 10)(image[None])
    tf.train.Saver().restore(session, checkpoint)
    return session.run([image, logits[0]])


def _softmax(logits):
  powers = np.exp(logits - logits.max())
  return powers / powers.sum()


def test_an_export_reads_and_computes(exported, checkpoint, encoded):
  image, logits = _expected(checkpoint, encoded)
  classifier = classifiers.load_export(str(exported))
  assert classifier.labels == _NAMES
  found = classifier.preprocess(encoded)
  assert found.dtype == np.float32
  np.testing.assert_allclose(found, image, atol=1e-6)
  probabilities, features = classifier.predict(np.stack([image] * 2))
  np.testing.assert_allclose(
      probabilities, [_softmax(logits)] * 2, atol=1e-5)
  assert len(features) == 0
  classifier.close()


def test_the_form_that_is_loaded_from_a_directory(
    exported, encoded, monkeypatch):
  taken = []
  load = backends.load
  monkeypatch.setattr(backends, 'load', lambda path: (
      taken.append(os.path.basename(path)) or load(path)))
  expected = None
  for form in ('frozen_inference_graph.pb', 'saved_model', 'model.tflite'):
    classifier = classifiers.load_export(str(exported))
    found, _ = classifier.predict(classifier.preprocess(encoded)[None])
    expected = found if expected is None else expected
    np.testing.assert_allclose(found, expected, atol=1e-5)
    classifier.close()
    path = exported / form
    (shutil.rmtree if path.is_dir() else os.remove)(str(path))
  assert taken == ['frozen_inference_graph.pb', 'saved_model', 'model.tflite']


def test_a_saved_model_has_a_copy_of_the_labels(exported, tmp_path):
  extra = exported / 'saved_model' / 'assets.extra' / 'labels.txt'
  extra.write_text(extra.read_text().replace('name', 'own'))
  shutil.copytree(str(exported / 'saved_model'), str(tmp_path / 'moved'))
  for path in (exported / 'saved_model', tmp_path / 'moved'):
    classifier = classifiers.load_export(str(path))
    assert classifier.labels[3] == 'own 3'
    classifier.close()


def test_a_record_of_an_earlier_version_has_no_image_size(exported, encoded):
  record = json.loads((exported / 'model.json').read_text())
  del record['image_size']
  (exported / 'model.json').write_text(json.dumps(record))
  classifier = classifiers.load_export(str(exported))
  assert classifier.preprocess(encoded).shape == (28, 28, 3)
  classifier.close()


def test_relative_paths(exported, monkeypatch, tmp_path):
  for directory, path in ((exported, 'frozen_inference_graph.pb'),
                          (tmp_path, os.path.join('export', 'model.tflite')),
                          (exported, '.')):
    monkeypatch.chdir(str(directory))
    classifiers.load_export(path).close()


@pytest.mark.parametrize('content, message', [
    (None, 'There is no file .*model.json, which names the '
     'preprocessing. export_inference_graph.py writes it beside the graph.'),
    (b'{', 'model.json is damaged: .* Export the network again.'),
    (b'\xff\xfe', 'model.json is damaged: .* Export the network again.'),
    (b'3', 'model.json is damaged: .* Export the network again.'),
    (b'{"num_classes": 10}', 'is not of this program, or damaged: it lacks '
     'input_shape, preprocessing_name, use_grayscale. Export the network again.')
])
def test_a_missing_or_damaged_record(exported, content, message):
  (exported / 'model.json').unlink()
  if content is not None:
    (exported / 'model.json').write_bytes(content)
  with pytest.raises(ValueError, match=message):
    classifiers.load_export(str(exported / 'frozen_inference_graph.pb'))


@pytest.mark.parametrize('changes, message', [
    (dict(num_classes=12), 'labels.txt names 10 classes; the network has 12'),
    (dict(preprocessing_name='nothing'), 'nothing'),
    (dict(preprocessing_name=None), 'takes videos, not images.')])
def test_a_record_that_does_not_fit(exported, changes, message):
  path = exported / 'model.json'
  path.write_text(json.dumps(dict(json.loads(path.read_text()), **changes)))
  with pytest.raises(ValueError, match=message):
    classifiers.load_export(str(exported))


def test_an_export_that_does_not_exist(tmp_path):
  with pytest.raises(ValueError, match='There is no export .*nowhere. Give the '
                     'directory that export_inference_graph.py wrote, or a '
                     'form in it: frozen_inference_graph.pb, saved_model'):
    classifiers.load_export(str(tmp_path / 'nowhere'))


def test_directories_that_are_not_an_export(tmp_path, exported):
  with pytest.raises(ValueError, match='is neither the directory of an '
                     'export, which has a model.json, nor a SavedModel, which '
                     'has a saved_model.pb. Export the network with export_'):
    classifiers.load_export(str(tmp_path))
  shutil.copy(str(exported / 'model.json'), str(tmp_path))
  with pytest.raises(ValueError, match='has none of frozen_inference_graph.pb'
                     ', saved_model, .*. Export the network again.'):
    classifiers.load_export(str(tmp_path))


@pytest.mark.parametrize('content', [
    b'', b'not an image', b'\x89PNG\r\n\x1a\n', b'\xff\xd8\xff\xe0', b'GIF89a',
    b'BM'])
def test_files_that_are_not_images(exported, content):
  classifier = classifiers.load_export(str(exported))
  with pytest.raises(ValueError):
    classifier.preprocess(content)
  classifier.close()


def test_a_checkpoint_and_an_end_point(checkpoint, encoded):
  image, logits = _expected(checkpoint, encoded)
  classifier = classifiers.load_checkpoint(_options(
      checkpoint, end_points=('Logits',)))
  assert classifier.labels[3] == 'class 3'
  probabilities, features = classifier.predict(
      classifier.preprocess(encoded)[None])
  np.testing.assert_allclose(probabilities, [_softmax(logits)], atol=1e-5)
  np.testing.assert_allclose(features, [[logits]], rtol=1e-4, atol=1e-5)
  classifier.close()


@pytest.mark.parametrize('name, message', [
    ('pool_2', 'The network has no end point pool_2; did you mean pool2'),
    ('zzz', 'no end point zzz; it has .*pool2')])
def test_an_unknown_end_point(checkpoint, name, message):
  with pytest.raises(ValueError, match=message):
    classifiers.load_checkpoint(_options(checkpoint, end_points=(name,)))


@pytest.mark.slow
def test_independent_probabilities(checkpoint, encoded, tmp_path):
  _, logits = _expected(checkpoint, encoded)
  chosen = dict(classifier_activation='sigmoid')
  export.export(dataclasses.replace(
      options.Export(), model_name='lenet', num_classes=10, tflite=True,
      checkpoint_path=checkpoint, output_dir=str(tmp_path), **chosen))
  record = json.loads((tmp_path / 'model.json').read_text())
  assert record['classifier_activation'] == 'sigmoid'
  names = record['historic_names']
  assert names == {'logits': 'LeNet/fc4/BiasAdd', 'predictions': 'Sigmoid'}
  loaded = [classifiers.load_checkpoint(_options(checkpoint, **chosen))] + [
      classifiers.load_export(str(tmp_path / form)) for form in (
          'frozen_inference_graph.pb', 'saved_model', 'model.tflite')]
  for classifier in loaded:
    found, _ = classifier.predict(classifier.preprocess(encoded)[None])
    np.testing.assert_allclose(found, [1 / (1 + np.exp(-logits))], atol=1e-5)
    classifier.close()


def test_a_network_of_grayscale_images(tmp_path, encoded):
  with tf.Graph().as_default(), tf.Session() as session:
    nets_factory.get_network_fn('lenet', 10)(
        tf.placeholder(tf.float32, [None, 28, 28, 1]))
    session.run(tf.global_variables_initializer())
    checkpoint = tf.train.Saver().save(session, str(tmp_path / 'model.ckpt'))
  image, logits = _expected(checkpoint, encoded, channels=1)
  classifier = classifiers.load_checkpoint(_options(checkpoint))
  np.testing.assert_allclose(classifier.preprocess(encoded), image, atol=1e-6)
  probabilities, _ = classifier.predict(image[None])
  np.testing.assert_allclose(probabilities, [_softmax(logits)], atol=1e-5)
  classifier.close()


@pytest.mark.parametrize('changes, message', [
    (dict(model_name='i3d'), 'i3d takes videos, not images.'),
    (dict(model_name='cifarnet'), 'such as --model_name=lenet; this one is Cifar'),
    (dict(labels_file='/nowhere/labels.txt'), 'There is no file /nowhere')])
def test_options_that_do_not_fit(checkpoint, changes, message):
  with pytest.raises(ValueError, match=message):
    classifiers.load_checkpoint(_options(checkpoint, **changes))
