"""SavedModels."""
import dataclasses
import io
import json

import numpy as np
from PIL import Image
import pytest
import tensorflow.compat.v1 as tf

from benchmarks.contenders import random_checkpoint
from image_classifier import options
from image_classifier.export import export
from image_classifier.inference import backends
from preprocessing import preprocessing_factory


@pytest.fixture(scope='module', name='exported')
def _exported(tmp_path_factory):
  directory = tmp_path_factory.mktemp('saved_model')
  checkpoint = random_checkpoint.save('lenet', 28, str(directory), 10)
  export.export(dataclasses.replace(
      options.Export(), model_name='lenet', num_classes=10,
      checkpoint_path=checkpoint, output_dir=str(directory / 'out')))
  return directory / 'out'


def _encoded(pixels, kind):
  buffer = io.BytesIO()
  Image.fromarray(pixels).save(buffer, kind)
  return buffer.getvalue()


def _preprocessed(encoded):
  with tf.Graph().as_default(), tf.Session() as session:
    image = tf.image.decode_image(encoded, channels=3)
    image.set_shape([None, None, 3])
    return session.run(
        preprocessing_factory.get_preprocessing('lenet')(image, 28, 28))


def test_the_signature_of_encoded_images(exported):
  random = np.random.RandomState(0)
  encoded = [_encoded(random.randint(256, size=size).astype(np.uint8), kind)
             for size, kind in (((40, 30, 3), 'jpeg'), ((28, 28), 'png'),
                                ((20, 50, 3), 'png'))]
  backend = backends.load(str(exported / 'frozen_inference_graph.pb'))
  expected = backend.run(np.stack([_preprocessed(one) for one in encoded]))
  with tf.Session(graph=tf.Graph()) as session:
    model = tf.saved_model.loader.load(
        session, ['serve'], str(exported / 'saved_model'))
    signature = model.signature_def['serving_bytes']
    assert signature.inputs['image_bytes'].dtype == tf.string.as_datatype_enum
    found = session.run(
        [signature.outputs[name].name for name in ('logits', 'predictions')],
        {signature.inputs['image_bytes'].name: encoded})
  for one, other in zip(found, expected):
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_the_signature_of_floats(exported):
  images = np.random.RandomState(0).uniform(-1, 1, [5, 28, 28, 3])
  saved = backends.load(str(exported / 'saved_model')).run(images)
  frozen = backends.load(
      str(exported / 'frozen_inference_graph.pb')).run(images)
  for one, other in zip(saved, frozen):
    assert one.shape == (5, 10)
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


def test_labels_and_record_are_copied_into_it(exported):
  extra = exported / 'saved_model' / 'assets.extra'
  assert (extra / 'labels.txt').read_text() == (
      exported / 'labels.txt').read_text()
  assert json.loads((extra / 'model.json').read_text())['image_size'] == 28


def test_floats_need_no_decoder_and_weights_are_there_once(exported):
  """Converters take the graph of `serving_default` alone."""
  frozen = (exported / 'frozen_inference_graph.pb').stat().st_size
  saved = (exported / 'saved_model' / 'saved_model.pb').stat().st_size
  assert saved < 1.05 * frozen
  with tf.Session(graph=tf.Graph()) as session:
    model = tf.saved_model.loader.load(
        session, ['serve'], str(exported / 'saved_model'))
    graph_def = session.graph.as_graph_def()
  assert set(model.signature_def) == {'serving_default', 'serving_bytes'}
  outputs = model.signature_def['serving_default'].outputs
  needed = tf.graph_util.extract_sub_graph(
      graph_def, [outputs[name].name[:-2] for name in outputs])
  assert [node.name for node in needed.node if node.op == 'Placeholder'] == [
      'input']
  # TensorFlow 1.15's converter reads all operations, and aborts at these.
  assert not {node.op for node in graph_def.node} & {
      'DecodeJpeg', 'DecodePng', 'Enter', 'PlaceholderWithDefault'}
