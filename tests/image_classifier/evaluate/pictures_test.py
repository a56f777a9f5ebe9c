"""What evaluation draws: mistakes, precision-recall curves, embeddings."""

import numpy as np
from PIL import Image
import pytest
import tensorflow.compat.v1 as tf

from image_classifier.evaluate import embeddings
from image_classifier.evaluate import evaluation
from image_classifier.evaluate import mistakes
from image_classifier.evaluate import precision_recall
from image_classifier.graphs import pixels
from nets import nets_factory
from slim_common import contact_sheet
from tests.image_classifier import evaluations

_CLASSES = [(0, 'zero'), (1, 'one'), (2, 'two')]
_LENET = {'mean': [128.0], 'scale': 1 / 128}


@pytest.fixture(name='checkpoint', scope='module')
def _checkpoint(tmp_path_factory):
  path = str(tmp_path_factory.mktemp('checkpoint') / 'model.ckpt-1')
  with tf.Graph().as_default(), tf.Session() as session:
    tf.set_random_seed(1)
    nets_factory.get_network_fn('lenet', 10)(tf.zeros([1, 28, 28, 1]))
    tf.train.get_or_create_global_step()
    session.run(tf.global_variables_initializer())
    tf.train.Saver().save(session, path)
  return path


@pytest.mark.parametrize('image, preprocessing, expected', [
    ([-1, 0, 0.5], _LENET, [0, 128, 192]),
    ([-2, 0, 2], None, [0, 128, 255]),
    ([-2, 0, 2], {'mean': None, 'scale': None}, [0, 128, 255]),
    ([3, 3, 3], None, [0, 0, 0])])
def test_pixels_of_a_preprocessed_image(image, preprocessing, expected):
  found = pixels.to_pixels(np.reshape(image, [1, 3, 1]), preprocessing)
  assert found.shape == (1, 3, 3) and found.dtype == np.uint8
  for channel in range(3):
    assert found[0, :, channel].tolist() == expected
  color = np.zeros([1, 1, 3]) - [[[0, 16.78, 103.94]]]
  assert pixels.to_pixels(color, {
      'mean': [123.68, 116.78, 103.94], 'scale': 1.0}).tolist() == [
          [[124, 100, 0]]]


def test_the_surest_mistakes_come_first(monkeypatch, tmp_path):
  drawn = []
  monkeypatch.setattr(contact_sheet, 'draw', lambda rows, path: drawn.extend(
      caption for _, caption in rows))
  monkeypatch.setattr(mistakes, '_SHOWN', 3)
  sheet = mistakes.Mistakes(str(tmp_path / 'm.png'), _CLASSES, None)
  images = {'images': np.zeros([2, 4, 4, 1], np.float32)}
  for names, labels, probabilities in (
      ([b'd/a.png', b'b.png'], [0, 1], [[0.1, 0.9, 0.0], [0.4, 0.5, 0.1]]),
      ([b'c.png', b'd.png'], [2, 2], [[0.0, 1.0, 0.0], [0.4, 0.25, 0.35]]),
      ([b'e.png', b'f.png'], [1, 0], [[0.5, 0.4, 0.1], [0.35, 0.4, 0.25]])):
    sheet.add(names, np.array(labels), np.array(probabilities), images)
  assert sheet.write() == [
      'Mistakes: %s (3 of 5, the surest first)' % (tmp_path / 'm.png')]
  assert drawn == ['is two 0.0%\nnot one 100.0%\nc.png',
                   'is zero 10.0%\nnot one 90.0%\na.png',
                   'is one 40.0%\nnot zero 50.0%\ne.png']


def test_no_mistakes(tmp_path):
  sheet = mistakes.Mistakes('m.png', _CLASSES, None)
  assert sheet.write() == ['There are no mistakes to draw in m.png.']


def test_a_curve_by_hand():
  recall, precision, average = precision_recall.curve(
      np.array([0.9, 0.8, 0.8, 0.3, 0.1]),
      np.array([True, False, True, False, True]))
  np.testing.assert_allclose(recall, [1 / 3, 2 / 3, 2 / 3, 1])
  np.testing.assert_allclose(precision, [1, 2 / 3, 1 / 2, 3 / 5])
  assert average == pytest.approx((1 + 2 / 3 + 3 / 5) / 3)


@pytest.mark.parametrize('multi_label', [False, True])
def test_curves_are_drawn(tmp_path, multi_label):
  pytest.importorskip('matplotlib')
  path = tmp_path / 'curves.png'
  classes = [(k, 'class %d' % k) for k in range(30)]
  curves = precision_recall.PrecisionRecall(str(path), classes, multi_label)
  random = np.random.RandomState(0)
  for _ in range(2):
    labels = random.randint(0, 29, [50])
    curves.add(None, np.eye(30)[labels] if multi_label else labels,
               random.uniform(size=[50, 30]), None)
  assert curves.write() == ['Precision-recall curves: %s' % path]
  assert Image.open(str(path)).width > 800


def test_files_of_an_evaluation(digits, checkpoint, tmp_path, capsys):
  pytest.importorskip('matplotlib')
  sheet, curves = tmp_path / 'new' / 'mistakes.png', tmp_path / 'curves.png'
  folder = tmp_path / 'embeddings'
  options = evaluations.options_for(
      digits, checkpoint, batch_size=20, max_num_batches=2,
      mistakes=str(sheet), precision_recall=str(curves),
      embeddings_dir=str(folder), end_points=('pool2', 'Flatten'))
  evaluation.evaluate(options)
  out = capsys.readouterr().out
  assert 'Mistakes: %s (' % sheet in out
  assert 'Embeddings: %s of pool2, Flatten' % folder in out
  assert Image.open(str(sheet)).width == 5 * 148 + 8
  with pytest.raises(ValueError, match='--mistakes=.* --overwrite'):
    evaluation.evaluate(options)
  _check_embeddings(folder)


def _check_embeddings(folder):
  with np.load(str(folder / embeddings.ARRAYS)) as arrays:
    assert arrays['files'].shape == arrays['labels'].shape == (40,)
    assert arrays['pool2'].shape == (40, 7, 7, 64)
    np.testing.assert_allclose(
        arrays['Flatten'], arrays['pool2'].reshape(40, -1))
    means, labels = arrays['pool2'].mean(axis=(1, 2)), arrays['labels']
  np.testing.assert_allclose(
      np.loadtxt(str(folder / 'pool2.tsv')), means, rtol=1e-4, atol=1e-6)
  rows = (folder / 'metadata.tsv').read_text().splitlines()
  names = ('zero one two three four five six seven eight nine').split()
  assert rows[0] == 'label\tpredicted\tfile' and len(rows) == 41
  assert [row.split('\t')[0] for row in rows[1:]] == [
      names[label] for label in labels]
  assert Image.open(str(folder / 'sprite.png')).size == (7 * 32, 7 * 32)
  # Both come with TensorBoard.
  config = pytest.importorskip(
      'tensorboard.plugins.projector.projector_config_pb2').ProjectorConfig()
  pytest.importorskip('google.protobuf.text_format').Parse(
      (folder / 'projector_config.pbtxt').read_text(), config)
  assert [row.tensor_name for row in config.embeddings] == ['pool2', 'Flatten']
  for row in config.embeddings:
    assert (folder / row.tensor_path).exists()
    assert (folder / row.metadata_path).exists()
    assert (folder / row.sprite.image_path).exists()
    assert list(row.sprite.single_image_dim) == [32, 32]


def test_many_images_make_a_sprite_that_browsers_show(tmp_path, monkeypatch):
  monkeypatch.setattr(embeddings, '_MAX_SPRITE', 50)
  made = embeddings.Embeddings(str(tmp_path), ['a'], _CLASSES, None)
  made.add([b'f'] * 10, np.zeros([10], int), np.eye(3)[[0] * 10], {
      'images': np.zeros([10, 2, 2, 3]), 'a': np.zeros([10, 4])})
  made.write()
  assert Image.open(str(tmp_path / 'sprite.png')).size == (48, 48)
  assert 'single_image_dim: 12' in (
      tmp_path / 'projector_config.pbtxt').read_text()


@pytest.mark.parametrize('changes, message', [
    ({'embeddings_dir': 'e'}, '--embeddings_dir needs --end_points=NAME,...: '
     'what to save.'),
    ({'embeddings_dir': 'e', 'end_points': ('pool9',)},
     'The network has no end point pool9; did you mean pool'),
    ({'embeddings_dir': 'e', 'end_points': ('zzz',)},
     'The network has no end point zzz; it has conv1, '),
    ({'embeddings_dir': 'e', 'end_points': ('pool2',), 'num_clones': 2,
      'clone_on_cpu': True},
     '--embeddings_dir needs a checkpoint and --num_clones=1: elsewhere the '
     'end points are not known.')])
def test_messages(digits, checkpoint, changes, message, tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  with pytest.raises(ValueError) as error:
    evaluation.evaluate(evaluations.options_for(
        digits, checkpoint, **changes), quiet=True)
  assert str(error.value).startswith(message)


def test_mistakes_of_several_labels(digits, checkpoint, tmp_path):
  few = tmp_path / 'few'
  evaluations.rewrite_digits(
      digits, few, [str(k) for k in range(10)], lambda digit: [digit], 4, True)
  with pytest.raises(ValueError, match='--mistakes is for one label per '
                     'example; for several, --predictions_file has all'):
    evaluation.evaluate(evaluations.options_for(
        few, checkpoint, mistakes=str(tmp_path / 'm.png')), quiet=True)


def test_curves_need_matplotlib(digits, checkpoint, monkeypatch, tmp_path):
  monkeypatch.setattr(
      'image_classifier.evaluate.confusion_matrix.can_plot', lambda: False)
  with pytest.raises(ValueError, match='--precision_recall needs matplotlib: '
                     r'pip install -e .\[plot\]'):
    evaluation.evaluate(evaluations.options_for(
        digits, checkpoint, precision_recall=str(tmp_path / 'p.png')))
