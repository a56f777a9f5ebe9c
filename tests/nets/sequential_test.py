"""Tests of the interpreter of plain chains, on a tiny network."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import sequential

_TINY = sequential.Network('tiny', min_size=6, logits={}, layers=[
    sequential.conv('conv1', 4, 3),
    sequential.max_pool('pool1', 2),
    sequential.conv('fc6', 20, 3, padding='VALID'),
    sequential.dropout('dropout6'),
    sequential.conv('fc7', 20, 1),
])


def _tiny(images, num_classes=5, is_training=True, dropout_keep_prob=0.5,
          spatial_squeeze=True, global_pool=False, scope='tiny', reuse=None):
  return sequential.build(
      _TINY, images, num_classes, is_training, dropout_keep_prob,
      spatial_squeeze, global_pool, scope, reuse)


def _images(*shape):
  return np.random.RandomState(0).uniform(-1, 1, shape).astype(np.float32)


def test_rows_leave_the_rest_to_the_arg_scope():
  with slim.arg_scope([slim.conv2d], activation_fn=tf.nn.tanh,
                      weights_regularizer=slim.l2_regularizer(0.5)):
    _, ends = _tiny(tf.zeros([1, 6, 6, 3]))
  assert ends['tiny/conv1'].op.type == ends['tiny/fc7'].op.type == 'Tanh'
  assert len(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)) == 4


def test_evaluation_is_deterministic_and_training_is_not():
  images = tf.constant(_images(3, 6, 6, 3))
  training, _ = _tiny(images)
  evaluation, _ = _tiny(images, is_training=False, reuse=True)
  keep_all, _ = _tiny(images, dropout_keep_prob=1.0, reuse=True)
  assert len(tf.global_variables()) == 8
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    first, second = session.run(evaluation), session.run(evaluation)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(session.run(keep_all), first, rtol=1e-5)
    assert not np.allclose(session.run(training), session.run(training))


def test_train_then_evaluate_larger_images_with_the_same_variables():
  _tiny(tf.zeros([2, 6, 6, 3]))
  images = tf.constant(_images(1, 8, 9, 3))
  options = dict(is_training=False, reuse=True)
  maps, _ = _tiny(images, spatial_squeeze=False, **options)
  pooled, ends = _tiny(images, global_pool=True, **options)
  assert len(tf.global_variables()) == 8
  assert maps.shape.as_list() == [1, 2, 2, 5]
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    maps, pooled, mean, features = session.run(
        [maps, pooled, ends['global_pool'], ends['tiny/fc7']])
  np.testing.assert_allclose(mean, features.mean((1, 2), keepdims=True),
                             rtol=1e-5)
  # The logits are linear in the features.
  np.testing.assert_allclose(pooled, maps.mean((1, 2)), rtol=1e-4, atol=1e-6)


def test_unknown_batch_and_size():
  images = tf.placeholder(tf.float32, [None, None, None, 3])
  logits, _ = _tiny(images)
  assert logits.shape.as_list() == [None, 5]
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    assert session.run(logits, {images: _images(3, 7, 6, 3)}).shape == (3, 5)


def test_images_as_an_array():
  logits, _ = _tiny(_images(2, 6, 6, 3))
  assert logits.shape.as_list() == [2, 5]


def test_scope_names_the_variables_and_end_points():
  with tf.variable_scope('outer'):
    _, ends = _tiny(tf.zeros([1, 6, 6, 3]), scope='mine')
  assert list(ends) == ['outer/mine/' + layer for layer in (
      'conv1', 'pool1', 'fc6', 'fc7', 'fc8')]
  assert all(variable.op.name.startswith('outer/mine/')
             for variable in tf.global_variables())


def test_scopes_of_contrib_reach_the_network():
  contrib_slim = pytest.importorskip('tensorflow.contrib.slim')
  with contrib_slim.arg_scope(sequential.arg_scope(
      0.0005, tf.zeros_initializer())):
    _tiny(tf.zeros([1, 6, 6, 3]))
  assert len(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)) == 4


def test_convs_are_numbered():
  net, ends = sequential.chain(
      tf.zeros([1, 6, 6, 3]), [sequential.convs('conv1', 2, 4, 3),
                               sequential.max_pool('pool1', 2),
                               sequential.flatten('Flatten'),
                               sequential.dense('fc2', 5)])
  assert ends['fc2'] is net
  assert [(name, end.shape.as_list()) for name, end in ends.items()] == [
      ('conv1', [1, 6, 6, 4]), ('pool1', [1, 3, 3, 4]), ('Flatten', [1, 36]),
      ('fc2', [1, 5])]
  assert [variable.op.name for variable in tf.global_variables()
          if 'weights' in variable.op.name] == [
              'conv1/conv1_1/weights', 'conv1/conv1_2/weights', 'fc2/weights']


def test_nchw_in_an_arg_scope_is_refused():
  with slim.arg_scope([slim.conv2d], data_format='NCHW'):
    with pytest.raises(ValueError, match=(
        'tiny: an arg scope sets data_format=NCHW for slim.conv2d, but '
        'slim.max_pool2d has NHWC. Set it for all layers: with ')):
      _tiny(tf.zeros([1, 3, 6, 6]))
  assert not tf.global_variables()
