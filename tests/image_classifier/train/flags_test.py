"""Flags of the network and its data, from the command line to the graph."""
import numpy as np
from PIL import Image
import pytest
import tensorflow.compat.v1 as tf

from datasets import download_and_convert_image_folder
from image_classifier.losses import classification as losses
from image_classifier.train import data_format as layout
from nets import nets_factory
from tests.image_classifier import training_runs as runs

_SMALL = dict(model_name='mobilenet_v1_025', train_image_size=32)


def _build(digits, steps=4, **changes):
  changes['data'] = dict(dict(preprocessing_name='lenet'),
                         **changes.get('data', {}))
  return runs.build(
      runs.train(digits, 'unused', steps=steps, **changes))


@pytest.mark.parametrize('decay', [0.0, 0.5])
def test_weight_decay(digits, decay):
  graph = _build(digits, model=dict(weight_decay=decay))
  weights = [variable for variable in tf.trainable_variables()
             if variable.op.name.endswith('weights')]
  with tf.Session() as session:
    session.run([tf.global_variables_initializer(), tf.tables_initializer()])
    total, own, *values = session.run(
        [graph.total_loss] + tf.losses.get_losses() + weights)
  assert len(values) == 4
  np.testing.assert_allclose(total - own, sum(
      decay * (value ** 2).sum() / 2 for value in values), rtol=1e-4,
                             atol=1e-5)


def test_recipe_of_the_losses(digits, monkeypatch):
  recipes = []
  add = losses.add

  def note(logits, labels, end_points, recipe):
    recipes.append(recipe)
    add(logits, labels, end_points, recipe)

  monkeypatch.setattr(losses, 'add', note)
  for model in ({}, dict(label_smoothing=0.1), dict(loss='sigmoid'),
                dict(loss='focal', focal_gamma=0.5, class_weights='auto')):
    with tf.Graph().as_default():
      _build(digits, model=model)
  assert recipes[:3] == [
      losses.Recipe(), losses.Recipe(label_smoothing=0.1),
      losses.Recipe('sigmoid')]
  assert recipes[3][:3] == ('focal', 0.0, 0.5)
  np.testing.assert_allclose(recipes[3].class_weights, np.ones(10))


@pytest.mark.parametrize('model, scopes, updates, note', [
    (dict(freeze_batch_norm=True), (), 0, '27 of 27 layers frozen'),
    (dict(freeze_batch_norm=False), ('MobilenetV1/Logits',), 54,
     'the decay of the statistics for evaluation is 0.5, to suit 4 steps'),
    (dict(batch_norm_decay=0.5), (), 54,
     'decay of 0.5, which needs more than 4 steps')])
def test_batch_normalization(digits, model, scopes, updates, note):
  graph = _build(digits, model=dict(_SMALL, **model),
                 warm_start=dict(trainable_scopes=scopes))
  assert len(tf.get_collection(tf.GraphKeys.UPDATE_OPS)) == updates
  assert any(note in line for line in graph.notes), graph.notes


def test_layout(digits, monkeypatch):
  given = {}

  def get_network_fn(*unused_arguments, **unused_keywords):
    def network(unused_images, **keywords):
      given.update(keywords)
      raise StopIteration
    network.default_image_size = 32
    return network

  monkeypatch.setattr(nets_factory, 'get_network_fn', get_network_fn)
  # The CPU may not compute it.
  monkeypatch.setattr(layout, 'check', lambda data_format: None)
  with pytest.raises(StopIteration):
    _build(digits, model=dict(model_name='nasnet_cifar', data_format='NCHW'))
  assert given['config'].data_format == 'NCHW'


def test_ftrl_cannot_warm_up(digits):
  with pytest.raises(ValueError) as error:
    _build(digits, optimizer=dict(optimizer='ftrl'),
           schedule=dict(warmup_epochs=0.5), model=dict(train_image_size=8))
  assert str(error.value) == (
      '--optimizer=ftrl needs a learning rate above 0 at the first step, but '
      'it is 0 with --warmup_epochs=0.5. Leave out --warmup_epochs, or use '
      'another --optimizer.')


def test_split_size_and_offset(digits):
  run = runs.resolve(runs.train(
      digits, 'unused', data=dict(dataset_split_name='test', labels_offset=1),
      model=dict(train_image_size=20)))
  assert (run.dataset.num_samples, run.num_classes, run.image_shape) == (
      1000, 9, (20, 20, 1))


def test_clones_split_the_batch(digits):
  graph = _build(digits, deployment=dict(num_clones=3, clone_on_cpu=True))
  assert graph.images.shape.as_list()[0] == 24
  assert len(tf.losses.get_losses()) == 3


@pytest.fixture(name='colors', scope='module')
def _colors(tmp_path_factory):
  """A dataset of color images of two classes."""
  source = tmp_path_factory.mktemp('images')
  for name, color in (('red', (250, 0, 0)), ('blue', (0, 0, 250))):
    (source / name).mkdir()
    for number in range(2):
      Image.new('RGB', (16, 16), color).save(
          str(source / name / ('%d.png' % number)))
  directory = str(tmp_path_factory.mktemp('colors'))
  download_and_convert_image_folder.run(
      directory, source=str(source), validation_fraction=0, num_workers=1)
  return directory


@pytest.mark.parametrize('use_grayscale, channels', [(False, 3), (True, 1)])
def test_grayscale(colors, use_grayscale, channels):
  graph = _build(
      colors, model=dict(model_name='cifarnet', train_image_size=8),
      data=dict(dataset_name='image_folder', use_grayscale=use_grayscale,
                preprocessing_name='inception', augmentation='none',
                batch_size=4))
  assert graph.images.shape.as_list() == [4, 8, 8, channels]
  with tf.Session() as session:
    session.run(tf.tables_initializer())
    means = session.run(graph.images).mean(axis=(1, 2))
  # In grayscale a red image is lighter than a blue one: .30 and .11 of white.
  assert np.ptp(means[:, 0]) > (0.3 if use_grayscale else 1.5)
