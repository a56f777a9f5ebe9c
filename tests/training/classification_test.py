"""Classifying picture files with an export."""
import dataclasses
import json
import os

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from PIL import Image

from nets import nets_factory
from preprocessing import preprocessing_factory
from training import classification
from training import export_graph
from training import options


@pytest.fixture(scope='module', name='export')
def _export(tmp_path_factory):
  """The export of a LeNet for colour pictures, with random weights."""
  folder = tmp_path_factory.mktemp('export')
  (folder / 'labels.txt').write_text(
      ''.join('%d:name %d\n' % (i, i) for i in range(10)))
  with tf.Graph().as_default(), tf.Session() as session:
    tf.set_random_seed(1)
    nets_factory.get_network_fn('lenet', 10)(
        tf.placeholder(tf.float32, [None, 28, 28, 3]))
    session.run(tf.global_variables_initializer())
    checkpoint = tf.train.Saver().save(session, str(folder / 'model.ckpt'))
  export_graph.export(dataclasses.replace(
      options.Export(), model_name='lenet', dataset_name='mnist',
      dataset_dir=str(folder), checkpoint_path=checkpoint,
      output_dir=str(folder / 'out')))
  return folder / 'out'


@pytest.fixture(name='pictures')
def _pictures(tmp_path):
  """A folder with pictures of several formats, a broken one and a text."""
  folder = tmp_path / 'pictures'
  folder.mkdir()
  random = np.random.RandomState(0)
  for name, size in (('a.png', (28, 28)), ('b.jpg', (40, 30)),
                     ('c.gif', (20, 33)), ('d.bmp', (28, 28))):
    pixels = random.randint(256, size=size[::-1] + (3,)).astype(np.uint8)
    Image.fromarray(pixels).save(str(folder / name))
  Image.fromarray(random.randint(256, size=(28, 28)).astype(np.uint8)).save(
      str(folder / 'grey.png'))
  (folder / 'notes.txt').write_text('no picture')
  return folder


def _classify(export, *words, **changes):
  return dataclasses.replace(
      options.Classify(), images=tuple(str(word) for word in words),
      graph=str(export / 'frozen_inference_graph.pb'), **changes)


def _expected(export, file):
  """Predictions for one picture by the network's own functions."""
  with tf.Graph().as_default(), tf.Session() as session:
    image = tf.image.decode_image(
        tf.read_file(str(file)), channels=3, expand_animations=False)
    image.set_shape([None, None, 3])
    image = preprocessing_factory.get_preprocessing('lenet')(image, 28, 28)
    _, end_points = nets_factory.get_network_fn('lenet', 10)(image[None])
    tf.train.Saver().restore(session, str(export.parent / 'model.ckpt'))
    return session.run(end_points['Predictions'])[0]


def test_results_are_those_of_the_network(export, pictures, tmp_path, capsys):
  results = tmp_path / 'results.json'
  assert classification.classify(_classify(
      export, pictures, top_k=3, json=str(results))) == 0
  rows = json.loads(results.read_text())
  assert [os.path.basename(row['file']) for row in rows] == [
      'a.png', 'b.jpg', 'c.gif', 'd.bmp', 'grey.png']
  for row in rows:
    expected = _expected(export, row['file'])
    best = np.argsort(-expected)[:3]
    assert row['names'] == ['name %d' % i for i in best]
    np.testing.assert_allclose(
        row['probabilities'], expected[best], rtol=1e-4)
  out = capsys.readouterr().out
  assert '%s/a.png: %s 0.' % (pictures, rows[0]['names'][0]) in out
  assert 'Results: %s' % results in out


def test_a_broken_picture_is_reported_and_the_rest_goes_on(
    export, pictures, tmp_path, capsys):
  whole = (pictures / 'a.png').read_bytes()
  (pictures / 'aa.png').write_bytes(whole[:len(whole) // 2])
  sheet = tmp_path / 'sheet.png'
  assert classification.classify(_classify(
      export, pictures, pictures / 'notes.txt', sheet=str(sheet))) == 1
  out = capsys.readouterr().out
  assert '%s/aa.png: not readable: ' % pictures in out
  assert '%s/notes.txt: not readable: ' % pictures in out
  assert '%s/grey.png: name ' % pictures in out
  assert '2 of 7 pictures could not be read.' in out
  assert Image.open(str(sheet)).width == 5 * 148 + 8


def test_pictures_that_are_not_there(export, tmp_path):
  with pytest.raises(ValueError, match='There is no picture or folder '):
    classification.classify(_classify(export, tmp_path / 'none.png'))
  with pytest.raises(ValueError, match=r'The folder .* holds no picture '
                     r'\(.bmp, .gif, .jpeg, .jpg, .png\).'):
    classification.classify(_classify(export, tmp_path))


def test_an_incomplete_export(export, pictures, tmp_path):
  copy = tmp_path / 'copy'
  copy.mkdir()
  for name in ('frozen_inference_graph.pb', 'labels.txt', 'model.json'):
    with pytest.raises(ValueError, match='There is no file .*'):
      classification.classify(_classify(copy, pictures))
    (copy / name).write_bytes((export / name).read_bytes())
  (copy / 'labels.txt').write_text('0:one\n1:two\n')
  with pytest.raises(ValueError, match='labels.txt names 2 classes; the '
                     'network has 10.'):
    classification.classify(_classify(copy, pictures))
