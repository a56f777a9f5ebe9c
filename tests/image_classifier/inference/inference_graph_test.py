"""Inference graphs: classes, graphs, checkpoints, input images."""
import collections
import dataclasses
import io
import json

import numpy as np
from PIL import Image
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from image_classifier import options
from image_classifier.inference import backends
from image_classifier.inference import inference_graph
from nets import nets_factory

_Dataset = collections.namedtuple('_Dataset', 'multi_label')


def _options(**changes):
  changes.setdefault('model_name', 'lenet')
  changes.setdefault('dataset_name', 'mnist')
  return dataclasses.replace(options.Export(), **changes)


def _checkpoint(tmp_path, channels=1, number=10):
  with tf.Graph().as_default(), tf.Session() as session:
    tf.set_random_seed(0)
    nets_factory.get_network_fn('lenet', number)(
        tf.placeholder(tf.float32, [None, 28, 28, channels]))
    session.run(tf.global_variables_initializer())
    return tf.train.Saver().save(session, str(tmp_path / 'model.ckpt'))


@pytest.mark.parametrize('changes, number, offset, first', [
    ({}, 10, 0, 'class 0'),
    (dict(labels_offset=1), 9, 1, 'class 1'),
    (dict(num_classes=4), 4, 0, 'class 0'),
    (dict(dataset_name='imagenet'), 1001, 0, 'background'),
    (dict(dataset_name='imagenet', labels_offset='auto',
          model_name='vgg_16'), 1000, 1, 'tench, Tinca tinca')])
def test_classes(changes, number, offset, first):
  classes = inference_graph.find_classes(_options(**changes), None)
  assert (classes.number, classes.labels_offset) == (number, offset)
  assert len(classes.names) == number and classes.names[0] == first


@pytest.mark.parametrize('offset', [0, 1])
def test_names_of_classes_come_from_the_dataset(tmp_path, offset):
  (tmp_path / 'labels.txt').write_text(
      ''.join('%d:digit %d\n' % (i, i) for i in range(10)))
  classes = inference_graph.find_classes(_options(
      dataset_dir=str(tmp_path), labels_offset=offset), None)
  assert classes.names == ['digit %d' % i for i in range(offset, 10)]
  # A list for another number of classes is not taken.
  classes = inference_graph.find_classes(_options(
      dataset_dir=str(tmp_path), num_classes=3), None)
  assert classes.names == ['class 0', 'class 1', 'class 2']


@pytest.mark.parametrize('option, record, multi_label, expected', [
    (None, None, False, 'softmax'),
    (None, None, True, 'sigmoid'),
    # The record of the run comes before the dataset.
    (None, {'flags': {'loss': 'sigmoid'}}, False, 'sigmoid'),
    (None, {'flags': {'loss': None}, 'multi_label': True}, False, 'sigmoid'),
    (None, {'flags': {'loss': 'focal'}, 'multi_label': True}, False, 'sigmoid'),
    (None, {'flags': {'loss': 'focal'}, 'multi_label': False}, True, 'softmax'),
    (None, {'flags': {}}, True, 'softmax'),
    (None, [], True, 'sigmoid'),
    ('softmax', {'flags': {'loss': 'sigmoid'}}, True, 'softmax'),
    ('sigmoid', {'flags': {'loss': 'softmax'}}, False, 'sigmoid')])
@pytest.mark.parametrize('directory', ['', 'best/'])
def test_the_choice_of_the_activation(
    tmp_path, option, record, multi_label, expected, directory):
  if record is not None:
    (tmp_path / 'run.json').write_text(json.dumps(record))
  assert inference_graph.choose_activation(
      option, str(tmp_path / directory / 'model.ckpt-3'),
      _Dataset(multi_label)) == expected


def test_without_a_checkpoint_the_dataset_decides():
  for dataset, expected in ((_Dataset(True), 'sigmoid'), (object(), 'softmax')):
    assert inference_graph.choose_activation(None, None, dataset) == expected


@pytest.mark.parametrize('text, names', [
    ('cat\ndog\n', ['cat', 'dog']),
    ('0:cat\n1:dog: small\n\n', ['cat', 'dog: small']),
    ('12:caf\u00e9\n3 dogs', ['caf\u00e9', '3 dogs'])])
def test_a_file_of_labels(tmp_path, text, names):
  path = tmp_path / 'labels.txt'
  path.write_text(text, encoding='utf-8')
  assert inference_graph.read_labels(str(path), len(names)) == names
  with pytest.raises(ValueError, match='labels.txt names 2 classes; the '
                     'network has 5. Give a file with one line per'):
    inference_graph.read_labels(str(path), 5)


def test_a_file_of_labels_that_does_not_exist():
  with pytest.raises(ValueError, match='There is no file /nowhere/labels.'):
    inference_graph.read_labels('/nowhere/labels', 10)


@pytest.mark.parametrize('changes, shape', [
    ({}, [None, 28, 28, 3]),
    (dict(use_grayscale=True, image_size=36), [None, 36, 36, 1])])
def test_a_network_is_built_on_input(graph, changes, shape):
  asked = _options(**changes)
  network = inference_graph.build(
      asked, inference_graph.find_classes(asked, None), None)
  assert network.shape == network.images.shape.as_list() == shape
  assert network.images is graph.get_tensor_by_name('input:0')
  assert network.size == shape[1]
  assert network.logits.shape.as_list() == [None, 10]
  assert network.predictions is network.end_points['Predictions']


@pytest.mark.parametrize('channels', [1, 3])
def test_the_checkpoint_says_how_many_channels(tmp_path, channels):
  asked = _options()
  network = inference_graph.build(
      asked, inference_graph.find_classes(asked, None),
      _checkpoint(tmp_path, channels), batch_size=2)
  assert network.shape == [2, 28, 28, channels]


def test_a_network_without_predictions_gets_probabilities(monkeypatch):
  def _network(images, num_classes, is_training=False):
    del is_training
    return slim.fully_connected(
        slim.flatten(images), num_classes, activation_fn=None), {}
  _network.default_image_size = 8
  monkeypatch.setitem(nets_factory.networks_map._values, 'lenet', _network)
  asked = _options()
  network = inference_graph.build(
      asked, inference_graph.find_classes(asked, None), None)
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    found = session.run(
        network.predictions, {network.images: np.ones([2, 8, 8, 3])})
  np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)


def test_a_network_of_one_size_only():
  asked = _options()
  with pytest.raises(ValueError, match='lenet takes images of one size only '
                     '.*: leave out --free_image_size; --image_size chooses '
                     'another.'):
    inference_graph.build(asked, inference_graph.find_classes(asked, None),
                          None, free_size=True)


def test_a_checkpoint_restored_and_frozen(tmp_path):
  checkpoint = _checkpoint(tmp_path)
  asked = _options()
  network = inference_graph.build(
      asked, inference_graph.find_classes(asked, checkpoint), checkpoint)
  images = np.random.RandomState(0).uniform(-1, 1, [2, 28, 28, 1])
  with inference_graph.restore(checkpoint) as session:
    expected = session.run(
        [network.logits, network.predictions], {network.images: images})
    frozen = inference_graph.freeze(session, network)
  assert not [node.op for node in frozen.node if 'Var' in node.op]
  backend = backends.load_graph_def(frozen)
  for one, other in zip(backend.run(images), expected):
    np.testing.assert_allclose(one, other, atol=1e-6)
  backend.close()


@pytest.mark.parametrize('number, message', [(12, 'has shape')])
def test_a_checkpoint_that_does_not_fit(tmp_path, number, message):
  asked = _options(num_classes=number)
  checkpoint = _checkpoint(tmp_path)
  inference_graph.build(
      asked, inference_graph.find_classes(asked, checkpoint), checkpoint)
  with pytest.raises(ValueError, match=message):
    inference_graph.restore(checkpoint)


def test_a_checkpoint_cut_short(tmp_path):
  asked = _options()
  checkpoint = _checkpoint(tmp_path)
  with open(checkpoint + '.data-00000-of-00001', 'r+b') as file:
    file.truncate(1000)
  inference_graph.build(
      asked, inference_graph.find_classes(asked, checkpoint), checkpoint)
  with pytest.raises(ValueError, match='cannot be read to its end: .* Is one '
                     'of its files missing or cut short.'):
    inference_graph.restore(checkpoint)


@pytest.mark.parametrize('changes, name', [
    ({}, 'lenet'), (dict(preprocessing_name='vgg'), 'vgg'),
    (dict(model_name='i3d'), None),
    (dict(model_name='i3d', preprocessing_name='inception'), 'inception')])
def test_the_preprocessing_of_a_network(changes, name):
  assert inference_graph.preprocessing_name(_options(**changes)) == name


def test_an_unknown_preprocessing():
  with pytest.raises(ValueError, match='lennet'):
    inference_graph.preprocessing_name(_options(preprocessing_name='lennet'))


@pytest.mark.parametrize('kind, channels, use_grayscale', [
    ('png', 3, False), ('png', 1, True), ('png', 1, False), ('bmp', 3, False),
    ('bmp', 1, True), ('gif', 3, False), ('gif', 1, False),
    ('jpeg', 3, False), ('jpeg', 1, True), ('jpeg', 1, False)])
def test_a_reader_of_encoded_images(kind, channels, use_grayscale):
  """lenet subtracts 128 and divides by 128; the gray of the image is 158."""
  pixels = np.zeros([20, 30, 3], np.uint8) + np.array([128, 192, 64], np.uint8)
  encoded = io.BytesIO()
  # The first image of an animation counts.
  animation = dict(save_all=True, append_images=[Image.new('RGB', (30, 20))])
  Image.fromarray(pixels).save(
      encoded, kind, **animation if kind == 'gif' else {})
  read = inference_graph.image_reader(
      'lenet', channels, 28, use_grayscale)
  image = read(tf.constant(encoded.getvalue()))
  with tf.Session() as session:
    found = session.run(image)
  assert found.shape == (28, 28, channels)
  gray = (0.299 * 128 + 0.587 * 192 + 0.114 * 64 - 128) / 128
  np.testing.assert_allclose(
      found[10, 10], [0, 0.5, -0.5] if channels == 3 else [gray], atol=0.02)


def test_tensorflow_1_knows_the_operations_of_a_reader(graph):
  inference_graph.image_reader('lenet', 3, 28)(
      tf.placeholder(tf.string, []))
  assert 'DecodeImage' not in {node.op for node in graph.as_graph_def().node}


def test_tensorflow_1_knows_the_attributes(graph):
  images = tf.placeholder(tf.float32, [1, 8, 8, 3])
  features = slim.batch_norm(slim.max_pool2d(images, 2), is_training=False)
  logits = slim.fully_connected(slim.flatten(features), 5)
  network = inference_graph.Network(
      None, 8, images, logits, tf.nn.softmax(logits), {})
  graph_def = graph.as_graph_def()
  inference_graph.name_outputs(graph_def, network)
  attributes = {name for node in graph_def.node for name in node.attr}
  assert {'ksize', 'epsilon', 'transpose_a'} <= attributes
  assert not {'explicit_paddings', 'exponential_avg_factor', 'grad_a',
              'grad_b'} & attributes


def test_an_attribute_with_another_value_stays(graph):
  images = tf.placeholder(tf.float32, [1, 8, 8, 3])
  padding = [[0, 0], [1, 1], [1, 1], [0, 0]]
  logits = tf.reduce_sum(tf.nn.conv2d(
      images, tf.ones([3, 3, 3, 5]), padding=padding), [1, 2])
  network = inference_graph.Network(
      None, 8, images, logits, tf.nn.softmax(logits), {})
  graph_def = graph.as_graph_def()
  inference_graph.name_outputs(graph_def, network)
  node, = [node for node in graph_def.node if node.op == 'Conv2D']
  assert list(node.attr['explicit_paddings'].list.i) == [
      0, 0, 1, 1, 1, 1, 0, 0]
