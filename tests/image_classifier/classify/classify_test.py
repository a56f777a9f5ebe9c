"""Classification of image files with an export or a checkpoint."""
import csv
import dataclasses
import json
import os
import shutil

import numpy as np
from PIL import Image
import pytest
import tensorflow.compat.v1 as tf

from image_classifier import options
from image_classifier.classify import classify
from image_classifier.export import export as export_graph
from nets import nets_factory
from preprocessing import preprocessing_factory


@pytest.fixture(scope='module', name='export')
def _export(tmp_path_factory):
  """The export of a LeNet for color images, with random weights."""
  directory = tmp_path_factory.mktemp('export')
  (directory / 'labels.txt').write_text(
      ''.join('%d:name %d\n' % (i, i) for i in range(10)))
  with tf.Graph().as_default(), tf.Session() as session:
    tf.set_random_seed(1)
    nets_factory.get_network_fn('lenet', 10)(
        tf.placeholder(tf.float32, [None, 28, 28, 3]))
    session.run(tf.global_variables_initializer())
    checkpoint = tf.train.Saver().save(session, str(directory / 'model.ckpt'))
  export_graph.export(dataclasses.replace(
      options.Export(), model_name='lenet', dataset_name='mnist',
      dataset_dir=str(directory), checkpoint_path=checkpoint,
      output_dir=str(directory / 'out'), tflite=True))
  return directory / 'out'


@pytest.fixture(name='images')
def _images(tmp_path):
  """A directory with images of several formats and a text."""
  directory = tmp_path / 'images'
  directory.mkdir()
  random = np.random.RandomState(0)
  for name, size in (('a.png', (28, 28)), ('b.jpg', (40, 30)),
                     ('c.gif', (20, 33)), ('d.bmp', (28, 28))):
    pixels = random.randint(256, size=size[::-1] + (3,)).astype(np.uint8)
    Image.fromarray(pixels).save(str(directory / name))
  Image.fromarray(random.randint(256, size=(28, 28)).astype(np.uint8)).save(
      str(directory / 'gray.png'))
  (directory / 'notes.txt').write_text('not an image')
  return directory


def _classify(export, *arguments, **changes):
  return dataclasses.replace(
      options.Classify(), images=tuple(map(str, arguments)),
      graph=str(export / 'frozen_inference_graph.pb'), **changes)


def _expected(export, file):
  """Probabilities for one image, computed directly with the network."""
  with tf.Graph().as_default(), tf.Session() as session:
    image = tf.image.decode_image(
        tf.read_file(str(file)), channels=3, expand_animations=False)
    image.set_shape([None, None, 3])
    image = preprocessing_factory.get_preprocessing('lenet')(image, 28, 28)
    _, end_points = nets_factory.get_network_fn('lenet', 10)(image[None])
    tf.train.Saver().restore(session, str(export.parent / 'model.ckpt'))
    return session.run(end_points['Predictions'])[0]


def test_results_are_those_of_the_network(export, images, tmp_path, capsys):
  results = tmp_path / 'results.json'
  assert classify.classify(_classify(
      export, images, top_k=3, output_json=str(results))) == 0
  rows = json.loads(results.read_text())
  assert [os.path.basename(row['file']) for row in rows] == [
      'a.png', 'b.jpg', 'c.gif', 'd.bmp', 'gray.png']
  for row in rows:
    expected = _expected(export, row['file'])
    best = np.argsort(-expected)[:3]
    assert row['names'] == ['name %d' % i for i in best]
    np.testing.assert_allclose(
        row['probabilities'], expected[best], rtol=1e-4)
  out = capsys.readouterr().out
  assert '%s/a.png: %s 0.' % (images, rows[0]['names'][0]) in out
  assert 'Results: %s' % results in out


def test_a_broken_image_is_reported_and_the_rest_classified(
    export, images, tmp_path, capsys):
  whole = (images / 'a.png').read_bytes()
  (images / 'aa.png').write_bytes(whole[:len(whole) // 2])
  sheet = tmp_path / 'sheet.png'
  assert classify.classify(_classify(
      export, images, images / 'notes.txt', contact_sheet=str(sheet))) == 1
  out = capsys.readouterr().out
  assert '%s/aa.png: not readable: ' % images in out
  assert '%s/notes.txt: not readable: ' % images in out
  assert '%s/gray.png: name ' % images in out
  assert '2 of 7 images could not be read.' in out
  assert Image.open(str(sheet)).width == 5 * 148 + 8


def test_an_incomplete_export(export, images, tmp_path):
  copy = tmp_path / 'copy'
  copy.mkdir()
  for name in ('frozen_inference_graph.pb', 'labels.txt', 'model.json'):
    with pytest.raises(ValueError, match='There is no (file|export) .*'):
      classify.classify(_classify(copy, images))
    (copy / name).write_bytes((export / name).read_bytes())
  (copy / 'labels.txt').write_text('0:one\n1:two\n')
  with pytest.raises(ValueError, match='labels.txt names 2 classes; the '
                     'network has 10.'):
    classify.classify(_classify(copy, images))
  (copy / 'labels.txt').write_text(''.join('%d\n' % i for i in range(10)))
  (copy / 'model.json').write_text('{')
  with pytest.raises(ValueError, match='model.json is damaged: .* Export the '
                     'network again.'):
    classify.classify(_classify(copy, images))


@pytest.mark.parametrize('form', [
    '', 'saved_model', 'saved_model_elsewhere', 'model.tflite'])
def test_every_form_has_the_same_results(export, images, tmp_path, form):
  graph = export / form
  if form == 'saved_model_elsewhere':
    graph = tmp_path / 'moved'
    shutil.copytree(str(export / 'saved_model'), str(graph))
  table = tmp_path / 'table.csv'
  asked = dataclasses.replace(
      _classify(export, images, top_k=2, output_csv=str(table)),
      graph=str(graph))
  assert classify.classify(asked) == 0
  with open(str(table), newline='') as file:
    rows = list(csv.DictReader(file))
  assert [row['rank'] for row in rows] == ['1', '2'] * 5
  for best, second in zip(rows[::2], rows[1::2]):
    expected = _expected(export, best['file'])
    order = np.argsort(-expected)[:2]
    assert [int(best['class']), int(second['class'])] == list(order)
    assert best['name'] == 'name %d' % order[0]
    np.testing.assert_allclose(
        [float(best['probability']), float(second['probability'])],
        expected[order], rtol=1e-4)


def _checkpoint(export, *arguments, **changes):
  return dataclasses.replace(
      options.Classify(), images=tuple(map(str, arguments)),
      checkpoint_path=str(export.parent / 'model.ckpt'), model_name='lenet',
      num_classes=10, labels_file=str(export / 'labels.txt'), **changes)


def test_a_checkpoint_and_its_features(export, images, tmp_path, capsys):
  (images / 'broken.png').write_bytes(b'not an image')
  results, features = tmp_path / 'results.json', tmp_path / 'features.npz'
  assert classify.classify(_checkpoint(
      export, images, output_json=str(results), end_points=('pool2',),
      features_file=str(features))) == 1
  assert 'Features: %s' % features in capsys.readouterr().out
  rows = json.loads(results.read_text())
  readable = [row for row in rows if row['error'] is None]
  assert len(readable) == len(rows) - 1 == 5
  for row in readable:
    expected = _expected(export, row['file'])
    assert row['names'][0] == 'name %d' % expected.argmax()
    assert row['classes'][0] == expected.argmax()
  with np.load(str(features)) as found:
    assert list(found['files']) == [row['file'] for row in readable]
    assert found['features'].shape == (5, 7, 7, 64)
    assert found['features'].std(axis=0).max() > 0
    pool2 = found['features']
  assert classify.classify(_checkpoint(
      export, images, end_points=('pool2', 'Logits'), overwrite=True,
      features_file=str(features))) == 1
  with np.load(str(features)) as found:
    assert sorted(found) == ['Logits', 'files', 'pool2']
    assert found['Logits'].shape == (5, 10)
    np.testing.assert_array_equal(found['pool2'], pool2)
  assert classify.classify(_checkpoint(
      export, images / 'broken.png', end_points=('pool2', 'Logits'),
      overwrite=True, features_file=str(features))) == 1
  with np.load(str(features)) as found:
    assert {name: len(found[name]) for name in found} == {
        'Logits': 0, 'files': 0, 'pool2': 0}


@pytest.mark.parametrize('changes, message', [
    (dict(graph='x'), 'Give the network with --graph .* one of the two.'),
    (dict(checkpoint_path=None), 'Give the network with --graph'),
    (dict(end_points=('Logits',)), '--end_points and --features_file go together'),
    (dict(features_file='x.npz'), '--end_points and --features_file go'),
    (dict(end_points=('Predicions',), features_file='x.npz'),
     'The network has no end point Predicions; did you mean Predictions'),
    (dict(end_points=('zzz',), features_file='x.npz'),
     'no end point zzz; it has .*Logits'),
    (dict(num_classes=7), 'names 10 classes; the network has 7'),
    (dict(model_name='cifarnet'), 'such as --model_name=lenet; this one is Cifar'),
    (dict(checkpoint_path='/nowhere/model.ckpt'), '/nowhere does not exist'),
    (dict(model_name='i3d', labels_file=None), 'i3d takes videos, not')])
def test_wrong_options(export, images, tmp_path, monkeypatch, changes,
                       message):
  monkeypatch.chdir(str(tmp_path))
  with pytest.raises(ValueError, match=message):
    classify.classify(dataclasses.replace(
        _checkpoint(export, images), **changes))
  assert os.listdir(str(tmp_path)) == ['images']


def test_features_of_an_export(export, images):
  with pytest.raises(ValueError, match='--end_points needs the network of a '
                     'checkpoint: give --checkpoint_path'):
    classify.classify(_classify(
        export, images, end_points=('Logits',), features_file='x.npz'))


def test_flags_of_the_network_beside_an_export(export, images, capsys):
  classify.classify(_classify(export, images / 'a.png'))
  assert not capsys.readouterr().err
  classify.classify(_classify(
      export, images / 'a.png', model_name='vgg_16', num_classes=3))
  assert capsys.readouterr().err == ''.join(
      'Warning: --%s has no effect with --graph, which has its own.\n' % name
      for name in ('model_name', 'num_classes'))


def test_results_are_replaced_only_with_overwrite(export, images, tmp_path):
  results = tmp_path / 'results.json'
  results.write_text('mine')
  asked = _classify(export, images, output_json=str(results))
  with pytest.raises(ValueError, match='--output_json=.*results.json exists: .*'
                     '--overwrite'):
    classify.classify(asked)
  assert results.read_text() == 'mine'
  classify.classify(dataclasses.replace(asked, overwrite=True))
  assert len(json.loads(results.read_text())) == 5


@pytest.mark.parametrize('name, message', [
    ('frozen_inference_graph.pb', 'is not a frozen graph|lacks the nodes'),
    ('model.tflite', 'is not a TensorFlow Lite model'),
    ('saved_model', 'is not a SavedModel that can be served')])
def test_damaged_exports(export, images, tmp_path, name, message):
  for part in ('model.json', 'labels.txt'):
    (tmp_path / part).write_bytes((export / part).read_bytes())
  if name == 'saved_model':
    (tmp_path / name).mkdir()
    (tmp_path / name / 'saved_model.pb').write_bytes(b'\x01damaged')
  else:
    (tmp_path / name).write_bytes(b'\x01damaged')
  with pytest.raises(ValueError, match=message):
    classify.classify(dataclasses.replace(
        _classify(export, images), graph=str(tmp_path / name)))
