"""Flags of the network and its data, from the command line to the graph."""
import numpy as np
from PIL import Image
import pytest
import tensorflow.compat.v1 as tf

from datasets import download_and_convert_image_folder
from image_classifier.losses import classification as losses
from image_classifier.train import data_format as layout
from image_classifier.train import train_graph
from nets import nets_factory
from tests.image_classifier import training_runs as runs

_SMALL = dict(model_name='mobilenet_v1_025', train_image_size=32)


def _build(digits, steps=4, **changes):
  changes['data'] = dict(dict(preprocessing_name='lenet'),
                         **changes.get('data', {}))
  return train_graph.build(
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


def test_what_the_losses_are_told(digits, monkeypatch):
  told = []
  add = losses.add

  def note(logits, labels, end_points, recipe):
    told.append(recipe)
    add(logits, labels, end_points, recipe)

  monkeypatch.setattr(losses, 'add', note)
  for model in ({}, dict(label_smoothing=0.1), dict(loss='sigmoid'),
                dict(loss='focal', focal_gamma=0.5, class_weights='auto')):
    with tf.Graph().as_default():
      _build(digits, model=model)
  assert told[:3] == [
      losses.Recipe(), losses.Recipe(label_smoothing=0.1),
      losses.Recipe('sigmoid')]
  assert told[3][:3] == ('focal', 0.0, 0.5)
  np.testing.assert_allclose(told[3].class_weights, np.ones(10))


@pytest.mark.parametrize('model, scopes, updates, note', [
    (dict(freeze_batch_norm=True), (), 0, '27 of 27 layers frozen'),
    (dict(freeze_batch_norm=False), ('MobilenetV1/Logits',), 54,
     'follow with a decay of 0.9997, for which 4 steps are few'),
    (dict(batch_norm_decay=0.5), (), 54,
     'follow with a decay of 0.5, for which 4 steps are few')])
def test_batch_normalisation(digits, model, scopes, updates, note):
  graph = _build(digits, model=dict(_SMALL, **model),
                 warm_start=dict(trainable_scopes=scopes))
  assert len(tf.get_collection(tf.GraphKeys.UPDATE_OPS)) == updates
  assert any(note in line for line in graph.facts.notes), graph.facts.notes


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
      '--optimizer=ftrl cannot compute with the learning rate 0 of the first '
      'step, which --warmup_epochs=0.5 asks for. Leave out --warmup_epochs, or '
      'take another --optimizer.')


def test_split_size_and_offset(digits):
  facts = _build(digits, data=dict(dataset_split_name='test', labels_offset=1),
                 model=dict(train_image_size=20)).facts
  assert (facts.num_examples, facts.num_classes, facts.image_shape) == (
      1000, 9, [20, 20, 1])


def test_several_clones_share_the_batch(digits):
  graph = _build(digits, deployment=dict(num_clones=3, clone_on_cpu=True))
  assert graph.facts.examples_per_step == 24
  assert graph.images.shape.as_list()[0] == 24
  assert len(tf.losses.get_losses()) == 3


@pytest.fixture(name='colours', scope='module')
def _colours(tmp_path_factory):
  """A dataset of coloured pictures of two classes."""
  source = tmp_path_factory.mktemp('pictures')
  for name, colour in (('red', (250, 0, 0)), ('blue', (0, 0, 250))):
    (source / name).mkdir()
    for number in range(2):
      Image.new('RGB', (16, 16), colour).save(
          str(source / name / ('%d.png' % number)))
  folder = str(tmp_path_factory.mktemp('colours'))
  download_and_convert_image_folder.run(
      folder, source=str(source), validation_fraction=0, num_workers=1)
  return folder


@pytest.mark.parametrize('grey, channels', [(False, 3), (True, 1)])
def test_pictures_turn_grey(colours, grey, channels):
  graph = _build(
      colours, model=dict(model_name='cifarnet', train_image_size=8),
      data=dict(dataset_name='image_folder', use_grayscale=grey,
                preprocessing_name='inception', augmentation='none',
                batch_size=4))
  assert graph.images.shape.as_list() == [4, 8, 8, channels]
  with tf.Session() as session:
    session.run(tf.tables_initializer())
    means = session.run(graph.images).mean(axis=(1, 2))
  # A red picture is lighter in grey than a blue one: .30 against .11 of white.
  assert np.ptp(means[:, 0]) > (0.3 if grey else 1.5)
