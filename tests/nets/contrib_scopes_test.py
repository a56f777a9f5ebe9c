"""Tests that scopes of tf.contrib.slim reach the networks."""
import contextlib
import functools
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import cifarnet
from nets import contrib_scopes
from nets import inception_v3
from nets import mobilenet_v1
from nets.mobilenet import mobilenet_v2

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))

# Fine-tuning as published for the MobileNet V2 checkpoints.
_SNIPPET = """
import tensorflow as tf
from nets.mobilenet import mobilenet_v2

tf.reset_default_graph()
images = tf.placeholder(tf.float32, (None, 224, 224, 3))
with tf.contrib.slim.arg_scope(
    mobilenet_v2.training_scope(is_training=%s)):
  logits, endpoints = mobilenet_v2.mobilenet(images, depth_multiplier=1.4)
net = tf.get_default_graph().get_tensor_by_name(
    "MobilenetV2/expanded_conv_14/output:0")
with tf.variable_scope("finetune_layers"):
  layer = tf.layers.Conv2D(256, 3)
  output = layer(net)

print(net.shape, output.shape,
      len(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)),
      len(tf.get_collection(tf.GraphKeys.UPDATE_OPS)))
"""


def _python(code):
  """Runs code in a fresh interpreter; returns the lines printed."""
  path = os.pathsep.join([_ROOT] + sys.path)
  output = subprocess.check_output(
      [sys.executable, '-c', code], stderr=subprocess.DEVNULL,
      env=dict(os.environ, PYTHONPATH=path))
  return output.decode().splitlines()


@pytest.fixture(name='contrib')
def fixture_contrib():
  """contrib's slim."""
  return pytest.importorskip(
      'tensorflow.contrib.slim', reason='this TensorFlow has no contrib')


@contrib_scopes.reach
def _network(images):
  net = slim.conv2d(images, 4, [1, 1], scope='conv')
  return slim.batch_norm(net, scope='norm')


def _images():
  return tf.zeros([2, 4, 4, 3])


def _names(collection):
  return [item.op.name for item in tf.get_collection(collection)]


@pytest.mark.slow
def test_published_snippet(contrib):
  del contrib
  # Once for evaluation and once for training, in one interpreter.
  printed = _python(_SNIPPET % False + _SNIPPET % True)
  assert printed == ['(?, 7, 7, 224) (?, 5, 5, 256) 36 0',
                     '(?, 7, 7, 224) (?, 5, 5, 256) 36 104']


def test_contrib_is_not_imported_by_the_networks():
  assert _python(
      'import sys\n'
      'import tensorflow.compat.v1 as tf\n'
      'from nets.mobilenet import mobilenet_v2\n'
      'with tf.Graph().as_default():\n'
      '  mobilenet_v2.mobilenet_base(\n'
      '      tf.zeros([1, 32, 32, 3]), final_endpoint="layer_2")\n'
      'print("tensorflow.contrib.framework" in sys.modules)') == ['False']


def test_scopes_over_layers_of_contrib_reach_ours(contrib):
  with contrib.arg_scope(
      [contrib.conv2d], weights_regularizer=contrib.l2_regularizer(0.1)):
    with contrib.arg_scope([contrib.batch_norm], scale=True):
      _network(_images())
  assert _names(tf.GraphKeys.REGULARIZATION_LOSSES) == [
      'conv/kernel/Regularizer/l2_regularizer']
  assert 'norm/gamma' in _names(tf.GraphKeys.GLOBAL_VARIABLES)


def test_scope_of_tf_slim_wins(contrib):
  with slim.arg_scope([slim.conv2d], activation_fn=tf.nn.elu):
    with contrib.arg_scope(
        [contrib.conv2d], activation_fn=tf.nn.tanh, padding='VALID'):
      _network(_images())
  kinds = {op.type for op in tf.get_default_graph().get_operations()}
  assert 'Elu' in kinds and 'Tanh' not in kinds
  conv, = [op for op in tf.get_default_graph().get_operations()
           if op.type == 'Conv2D']
  assert conv.get_attr('padding') == b'VALID'


def test_scope_of_contrib_within_one_that_names_our_layers(contrib):
  with slim.arg_scope([slim.conv2d], padding='VALID',
                      activation_fn=tf.nn.elu) as ours:
    pass
  with contrib.arg_scope(ours):
    with contrib.arg_scope([contrib.conv2d], activation_fn=tf.nn.tanh):
      net = slim.conv2d(_images(), 4, [1, 1], scope='outside')
      assert net.op.type == 'Relu'
      _network(_images())
  kinds = {op.type for op in tf.get_default_graph().get_operations()}
  assert 'Tanh' in kinds and 'Elu' not in kinds
  inside = tf.get_default_graph().get_operation_by_name('conv/Conv2D')
  assert inside.get_attr('padding') == b'VALID'


@pytest.mark.parametrize('name', ['group_norm', 'instance_norm', 'dropout'])
def test_layers_are_known_by_their_name(contrib, name):
  seen = {}

  @contrib_scopes.reach
  def network():
    seen.update(slim.current_arg_scope())

  theirs = getattr(sys.modules['tensorflow.contrib.layers'], name)
  with contrib.arg_scope([theirs], scope='s'):
    network()
  key = getattr(slim, name)._key_op  # pylint: disable=protected-access
  assert seen[key] == {'scope': 's'}


def test_scope_ends_with_the_network(contrib):
  before = slim.current_arg_scope()
  with contrib.arg_scope([contrib.conv2d], padding='VALID'):
    _network(_images())
    assert slim.current_arg_scope() is before


def test_decorated_network_keeps_what_its_users_read():
  assert mobilenet_v2.mobilenet.__name__ == 'mobilenet'
  assert mobilenet_v2.mobilenet.default_image_size == 224


def _scopes(contrib, name):
  """The scopes of a case: lists of (slim, layers, their arguments)."""
  theirs = {'normalizer_fn': contrib.batch_norm}
  frozen = {'normalizer_fn': functools.partial(
      contrib.batch_norm, is_training=False)}
  layers = [[s.conv2d, s.separable_conv2d] for s in (contrib, slim)]
  off = {'is_training': False}
  return {
      'the network says is_training': [(contrib, layers[0], theirs)],
      'with contrib around': [
          (contrib, layers[0], theirs), (contrib, [contrib.batch_norm], off)],
      'ours with their function': [
          (slim, layers[1], theirs), (slim, [slim.batch_norm], off)],
      'ours with their function, theirs around': [
          (slim, layers[1], theirs), (contrib, [contrib.batch_norm], off)],
      'parameters': [
          (contrib, layers[0], dict(theirs, normalizer_params=off))],
      'partial': [(contrib, layers[0], frozen)]}[name]


def _mobilenet_v1(images):
  return mobilenet_v1.mobilenet_v1(
      images, 5, depth_multiplier=0.25, is_training=False)[0]


def _inception_v3(images):
  net, _ = inception_v3.inception_v3_base(
      images, final_endpoint='MaxPool_3a_3x3', depth_multiplier=0.25)
  return net


def _cifarnet(images):
  return cifarnet.cifarnet(images, 5)[0]


@pytest.mark.parametrize('name, network', [
    ('the network says is_training', _mobilenet_v1),
    ('with contrib around', _inception_v3), ('with contrib around', _cifarnet),
    ('ours with their function', _mobilenet_v1),
    ('ours with their function', _inception_v3),
    ('ours with their function', _cifarnet),
    ('ours with their function, theirs around', _inception_v3),
    ('parameters', _mobilenet_v1), ('partial', _cifarnet)])
def test_an_image_alone_gives_what_it_gives_in_a_batch(contrib, name, network):
  images = np.random.RandomState(0).randn(4, 32, 32, 3)
  batch = tf.placeholder(tf.float32, [None, 32, 32, 3])
  with contextlib.ExitStack() as stack:
    for library, layers, arguments in _scopes(contrib, name):
      stack.enter_context(library.arg_scope(layers, **arguments))
    outputs = network(batch)
  assert any('/BatchNorm/' in name
             for name in _names(tf.GraphKeys.GLOBAL_VARIABLES))
  assert not tf.get_collection(tf.GraphKeys.UPDATE_OPS)
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    together = session.run(outputs, {batch: images})
    alone = session.run(outputs, {batch: images[:1]})
  assert np.ptp(together)
  np.testing.assert_allclose(
      together[:1], alone, rtol=1e-4, atol=1e-4 * np.abs(alone).max())


def test_layers_of_contrib_get_nothing_from_scopes_of_tf_slim(contrib):
  scope = mobilenet_v2.training_scope(is_training=False)
  with slim.arg_scope(scope):
    contrib.batch_norm(_images(), scope='outside')
  assert len(tf.get_collection(tf.GraphKeys.UPDATE_OPS)) == 2
  # What the documentation says to do instead.
  with contrib.arg_scope([contrib.batch_norm], is_training=False):
    contrib.batch_norm(_images(), scope='inside')
  assert len(tf.get_collection(tf.GraphKeys.UPDATE_OPS)) == 2
