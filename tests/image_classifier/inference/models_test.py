"""Several models in one program: the ways to load them, and what goes wrong."""
import concurrent.futures
import dataclasses
import os

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from image_classifier import options
from image_classifier.export import export
from image_classifier.inference import models
from tests.image_classifier import training_runs as runs


@pytest.fixture(name='scalars')
def _scalars(tmp_path):
  """Two checkpoints of net/w, 2 and 5, and y = x * w."""
  paths = {}
  for name, value in (('a', 2.), ('b', 5.)):
    with tf.Graph().as_default(), tf.Session() as session:
      x = tf.placeholder(tf.float32, [], 'x')
      with tf.variable_scope('net'):
        w = tf.get_variable('w', initializer=value)
      tf.multiply(x, w, name='y')
      session.run(tf.global_variables_initializer())
      paths[name] = tf.train.Saver().save(
          session, str(tmp_path / name / 'model.ckpt'))
  return paths


@pytest.mark.parametrize('one_session', [False, True])
def test_two_checkpoints_of_one_name(scalars, one_session):
  with models.load_models(scalars, one_session) as loaded:
    assert [loaded[name].run('y', {'x': 1.}) for name in loaded] == [2, 5]
    assert (loaded['a'].session is loaded['b'].session) == one_session
    assert [v.op.name for v in loaded['a'].variables.values()] == [
        'a/net/w' if one_session else 'net/w']


def test_mapped_names(scalars, graph):
  """One graph, two scopes: with a map it works, without it fails."""
  variables = {}
  for name in scalars:
    with tf.variable_scope('m_' + name):
      variables[name] = tf.get_variable('net/w', [])
  with tf.Session() as session:
    for name, path in scalars.items():
      tf.train.Saver({'net/w': variables[name]}).restore(session, path)
    assert session.run(variables) == {'a': 2, 'b': 5}
    with pytest.raises((tf.errors.NotFoundError, ValueError)):
      tf.train.Saver([variables['a']]).restore(session, scalars['a'])
  del graph


def test_initial_values_from_a_checkpoint(scalars):
  with tf.variable_scope('m_a'):
    variable = tf.get_variable('w', [])
  tf.train.init_from_checkpoint(scalars['a'], {'net/': 'm_a/'})
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    assert session.run(variable) == 2


def test_silent_overwriting_is_refused(scalars):
  models.import_checkpoint(scalars['a'])
  with pytest.raises(ValueError) as error:
    models.import_checkpoint(scalars['b'])
  assert str(error.value) == (
      'The graph has the variable net/w already: restoring %s would overwrite '
      'it. Import each checkpoint with another scope.' % scalars['b'])
  with pytest.raises(ValueError, match='The graph has the variable m/net/w'):
    for path in scalars.values():
      models.import_checkpoint(path, 'm')


def test_what_is_overwritten_is_noticed(scalars):
  with models.load_models(scalars, one_session=True) as loaded:
    loaded.check()
    session = loaded['a'].session
    with session.graph.as_default():
      session.run(tf.global_variables_initializer())
      # The values that the graphs were initialized with are those saved.
      loaded.check()
      loaded['b'].variables['net/w'].load(2., session)
    with pytest.raises(ValueError) as error:
      loaded.check()
  assert str(error.value) == (
      '1 of 1 variables of the model b, such as net/w, do not hold the values '
      'of %s: another checkpoint or an initializer has overwritten them. '
      'Restore last, and give each model a scope of its own.' % scalars['b'])


def test_tensors_of_two_graphs_do_not_mix(scalars):
  with models.load_models(scalars) as loaded:
    with pytest.raises(ValueError):
      loaded['a'].session.run(loaded['b'].tensor('y:0'))
    with pytest.raises(ValueError), loaded['a'].session.graph.as_default():
      tf.add(loaded['a'].tensor('y'), loaded['b'].tensor('y'))
    with pytest.raises(KeyError):
      loaded['a'].tensor('z')


def test_a_thread_per_model(scalars):
  with models.load_models(scalars) as loaded, (
      concurrent.futures.ThreadPoolExecutor(2)) as pool:
    futures = {name: [pool.submit(loaded[name].run, 'y', {'x': float(x)})
                      for x in range(20)] for name in loaded}
    for name, factor in (('a', 2), ('b', 5)):
      assert [future.result() for future in futures[name]] == [
          factor * x for x in range(20)]


@pytest.fixture(name='networks', scope='module')
def _networks(digits, tmp_path_factory):
  """A LeNet, another LeNet that is averaged, a CifarNet, and an export."""
  root = tmp_path_factory.mktemp('networks')
  size = dict(train_image_size=28)
  for name, model in (('lenet', {}), ('averaged', dict(
      moving_average_decay=.9)), ('cifarnet', dict(
          model_name='cifarnet', **size))):
    runs.leave(runs.train(digits, root / name, model=model),
               lambda shape: np.random.RandomState(0).randn(5, *shape))
  export.export(dataclasses.replace(
      options.Export(), checkpoint_path=str(root / 'lenet'),
      output_dir=str(root / 'export')))
  return {name: str(root / path) for name, path in (
      ('lenet', 'lenet'), ('averaged', 'averaged'), ('cifarnet', 'cifarnet'),
      ('frozen', 'export'), ('saved', 'export/saved_model'))}


@pytest.mark.slow
def test_all_kinds_are_what_they_are_alone(networks):
  images = np.random.RandomState(1).randn(3, 28, 28, 1)
  with models.load_models(networks) as loaded:
    alone = loaded.predict(images)
  with models.load_models(networks, one_session=True) as loaded:
    assert len({loaded[name].session for name in loaded}) == 1
    together = loaded.predict(images)
    mean = loaded.ensemble({name: images for name in loaded})
  for name in networks:
    np.testing.assert_allclose(together[name], alone[name], rtol=1e-4)
    np.testing.assert_allclose(alone[name].sum(axis=1), 1, rtol=1e-4)
  for same in ('frozen', 'saved'):
    np.testing.assert_allclose(alone[same], alone['lenet'], rtol=1e-4)
  for other in ('averaged', 'cifarnet'):
    assert np.abs(alone[other] - alone['lenet']).max() > .05
  np.testing.assert_allclose(mean, sum(alone.values()) / 5, rtol=1e-4)


def test_what_cannot_be_loaded(scalars, tmp_path):
  (tmp_path / 'x.tflite').write_bytes(b'')
  os.remove(scalars['a'] + '.meta')
  for sources, message in (
      ({'a b': 'x'}, "The model name 'a b' cannot be the name of a scope"),
      ({'a': str(tmp_path / 'x.tflite')}, 'a model of TensorFlow Lite or ONNX '
       'has no graph to load: give the frozen graph or the SavedModel beside '
       'it.'),
      ({'a': scalars['a']}, 'has neither a .meta file nor, beside it, the '
       'run.json of a training, which say what its network is.'),
      ({'a': str(tmp_path / 'none')}, 'There is no checkpoint')):
    with pytest.raises(ValueError) as error:
      models.load_models(sources)
    assert message in str(error.value)


def test_an_ensemble_of_different_classes():
  class _Fixed:

    def __init__(self, name, width):
      self.name, self._width = name, width

    def predict(self, images):
      return np.zeros([len(images), self._width])

  with pytest.raises(ValueError, match='Networks of an ensemble need the same '
                     'classes; they have a 2, b 3.'):
    models.Models([_Fixed('a', 2), _Fixed('b', 3)]).ensemble([0])
