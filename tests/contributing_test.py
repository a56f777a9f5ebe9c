"""CONTRIBUTING.md says what is true: its paths exist and its examples run."""
import pathlib
import re
import types

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from datasets import dataset_factory
from nets import nets_factory
from preprocessing import preprocessing_factory

_ROOT = pathlib.Path(__file__).resolve().parent.parent
_TEXT = (_ROOT / 'CONTRIBUTING.md').read_text(encoding='utf-8')


def _example(heading):
  """Runs the example below a heading; returns what it defines."""
  section = _TEXT.split('\n## %s\n' % heading)[1].split('\n## ')[0]
  code, = re.findall(r'```python\n(.*?)```', section, re.DOTALL)
  module = {}
  exec(compile(code, heading, 'exec'), module)
  return types.SimpleNamespace(**module)


def test_is_short():
  assert len(_TEXT.splitlines()) <= 150


def test_paths_exist():
  paths = re.findall(r'`((?:\w+/)+\w+\.\w+)`', _TEXT)
  new = 'datasets/download_and_convert_shapes.py'
  assert len(paths) > 15
  assert [path for path in paths if not (_ROOT / path).is_file()] == [new]


@pytest.fixture(name='factory')
def _factory():
  """The factory of networks, whose maps are as before afterwards."""
  yield nets_factory
  for entries in (nets_factory.networks_map, nets_factory.arg_scopes_map):
    del entries['tiny']


def test_network(factory):
  _example('Adding a network')
  network = factory.get_network_fn('tiny', 7, weight_decay=0.1)
  size = network.default_image_size
  logits, end_points = network(tf.zeros([2, size, size, 3]))
  assert logits.shape.as_list() == [2, 7]
  assert list(end_points) == ['conv', 'pool', 'Logits', 'Predictions']
  assert len(tf.losses.get_regularization_losses()) == 1


def test_dataset(monkeypatch):
  monkeypatch.setitem(
      dataset_factory.datasets_map, 'shapes', _example('Adding a dataset'))
  split = dataset_factory.get_dataset('shapes', 'validation', 'there')
  assert (split.num_samples, split.num_classes) == (100, 3)
  assert split.data_sources == 'there/shapes_validation.tfrecord'


def test_preprocessing_family(monkeypatch):
  family = _example('Adding a preprocessing family')
  monkeypatch.setitem(preprocessing_factory._FAMILIES, 'plain', family)
  monkeypatch.setitem(preprocessing_factory._FAMILY_OF, 'plain', 'plain')
  image = np.full((5, 6, 3), 51, np.uint8)
  for is_training in (False, True):
    preprocess = preprocessing_factory.get_preprocessing(
        'plain', is_training,
        augmentation=preprocessing_factory.Augmentation(color_jitter=0.0))
    with tf.Session() as session:
      np.testing.assert_allclose(
          session.run(preprocess(tf.constant(image), 8, 9)),
          np.full((8, 9, 3), 0.2), atol=1e-6)
  description = preprocessing_factory.describe('plain')
  assert set(description) == set(preprocessing_factory.describe('lenet'))
