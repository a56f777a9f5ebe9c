"""Tests of the lookup of networks by name."""
import collections
import inspect
import os
import subprocess
import sys

import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import lenet
from nets import nets_factory
from nets import resnet_v1

_NAMES = """
alexnet_v2 cifarnet overfeat vgg_a vgg_16 vgg_19
inception_v1 inception_v2 inception_v3 inception_v4 inception_resnet_v2
i3d s3dg lenet
resnet_v1_50 resnet_v1_101 resnet_v1_152 resnet_v1_200
resnet_v2_50 resnet_v2_101 resnet_v2_152 resnet_v2_200
mobilenet_v1 mobilenet_v1_075 mobilenet_v1_050 mobilenet_v1_025
mobilenet_v2 mobilenet_v2_140 mobilenet_v2_035
mobilenet_v3_small mobilenet_v3_large
mobilenet_v3_small_minimalistic mobilenet_v3_large_minimalistic
mobilenet_edgetpu mobilenet_edgetpu_075
nasnet_cifar nasnet_mobile nasnet_large pnasnet_large pnasnet_mobile
""".split()
_MAPS = [nets_factory.networks_map, nets_factory.arg_scopes_map]
_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


def test_names():
  assert len(_NAMES) == 40
  for mapping in _MAPS:
    assert sorted(mapping) == sorted(_NAMES)
    assert len(mapping) == 40


def test_modules_are_imported_when_asked_for():
  program = """
import sys
def loaded():
  return sorted(name[5:] for name in sys.modules if name.startswith('nets.'))
from nets import nets_factory
assert loaded() == ['nets_factory'], loaded()
assert 'vgg_16' in nets_factory.networks_map
assert len(list(nets_factory.networks_map)) == 40
assert loaded() == ['nets_factory'], loaded()
nets_factory.get_network_fn('lenet', 10)
assert loaded() == ['contrib_scopes', 'layer_utils', 'layouts', 'lenet',
                    'nets_factory',
                    'normalization', 'scoped_value', 'sequential'], loaded()
"""
  result = subprocess.run(
      [sys.executable, '-c', program], cwd=_ROOT, stderr=subprocess.PIPE,
      universal_newlines=True, check=False)
  assert result.returncode == 0, result.stderr


@pytest.mark.parametrize('name', _NAMES)
def test_every_name_leads_to_a_network(name):
  network = nets_factory.networks_map[name]
  assert callable(network)
  assert isinstance(network.default_image_size, int)
  arg_scope = nets_factory.arg_scopes_map[name]
  assert 'weight_decay' in inspect.signature(arg_scope).parameters


@pytest.mark.parametrize('mapping', _MAPS)
def test_maps_are_mappings(mapping):
  assert isinstance(mapping, collections.abc.MutableMapping)
  assert 'no_such_network' not in mapping
  assert mapping.get('no_such_network') is None
  with pytest.raises(KeyError):
    mapping['no_such_network']  # pylint: disable=pointless-statement


def test_values_are_the_functions_themselves():
  assert nets_factory.networks_map['lenet'] is lenet.lenet
  assert nets_factory.arg_scopes_map['lenet'] is lenet.lenet_arg_scope
  assert nets_factory.networks_map['resnet_v1_50'] is resnet_v1.resnet_v1_50


@pytest.fixture
def own_network():
  """Adds a network to the maps, and takes it out again."""

  def network(images, num_classes=3, is_training=False, scope='Mine'):
    """Mine."""
    del is_training
    return slim.conv2d(images, num_classes, [1, 1], scope=scope), {}

  network.default_image_size = 17
  nets_factory.networks_map['mine'] = network
  nets_factory.arg_scopes_map['mine'] = lenet.lenet_arg_scope
  yield network
  del nets_factory.networks_map['mine']
  del nets_factory.arg_scopes_map['mine']


def test_own_entry(own_network):
  assert nets_factory.networks_map['mine'] is own_network
  assert len(nets_factory.networks_map) == 41
  assert list(nets_factory.arg_scopes_map)[-1] == 'mine'
  network_fn = nets_factory.get_network_fn('mine', 5, weight_decay=0.5)
  net, _ = network_fn(tf.zeros([1, 2, 2, 1]))
  assert net.shape.as_list() == [1, 2, 2, 5]
  assert len(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)) == 1


def test_network_fn_keeps_size_and_signature(own_network):
  network_fn = nets_factory.get_network_fn('mine', 5)
  assert network_fn.default_image_size == 17
  assert network_fn.__name__ == 'network'
  assert network_fn.__doc__ == 'Mine.'
  assert inspect.signature(network_fn) == inspect.signature(own_network)


def test_network_fn_passes_arguments_on(own_network):
  net, _ = nets_factory.get_network_fn('mine', 5)(
      tf.zeros([1, 2, 2, 1]), scope='Theirs')
  assert net.op.name.startswith('Theirs/')
  with pytest.raises(TypeError):
    nets_factory.get_network_fn('mine', 5)(tf.zeros([1, 2, 2, 1]), size=3)


def test_mode_and_weight_decay_reach_the_network(graph):
  images = tf.zeros([1, 8, 8, 1])
  dropout = 'LeNet/dropout3/dropout/'
  nets_factory.get_network_fn('lenet', 10)(images)
  assert not [op for op in graph.get_operations() if dropout in op.name]
  assert not tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)
  with tf.variable_scope('training'):
    nets_factory.get_network_fn(
        'lenet', 10, weight_decay=0.1, is_training=True)(images)
  assert [op for op in graph.get_operations() if dropout in op.name]
  assert len(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)) == 4


@pytest.mark.parametrize('name, nearest', [
    ('resnet_50', 'did you mean .*resnet_v[12]_50'),
    ('vgg16', 'did you mean vgg_16'),
    ('Lenet', 'did you mean .*lenet'),
    ('zzz', '. Known are: alexnet_v2, cifarnet, ')])
def test_unknown_name(name, nearest):
  with pytest.raises(ValueError, match=(
      'Name of network unknown %s.*%s' % (name, nearest))) as error:
    nets_factory.get_network_fn(name, 10)
  assert all(known in str(error.value) for known in _NAMES)
