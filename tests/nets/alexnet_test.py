"""Tests of AlexNet, and of the interpreter on a tiny network of its kind."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import alexnet

_TINY = alexnet.Network('tiny', least_side=6, logits={}, layers=(
    alexnet.conv('conv1', 4, 3),
    alexnet.max_pool('pool1', 2),
    alexnet.conv('fc6', 20, 3, padding='VALID'),
    alexnet.dropout('dropout6'),
    alexnet.conv('fc7', 20, 1),
))


def _tiny(images, num_classes=5, is_training=True, dropout_keep_prob=0.5,
          spatial_squeeze=True, global_pool=False, scope='tiny', reuse=None):
  return alexnet.build(_TINY, images, num_classes, is_training,
                       dropout_keep_prob, spatial_squeeze, global_pool, scope,
                       reuse)


def _images(*shape):
  return np.random.RandomState(0).uniform(-1, 1, shape).astype(np.float32)


def _build(height=224, width=224, num_classes=1000, **kwargs):
  with slim.arg_scope(alexnet.alexnet_v2_arg_scope()):
    return alexnet.alexnet_v2(
        tf.zeros([2, height, width, 3]), num_classes, **kwargs)


def test_logits_parameters_and_end_points():
  logits, ends = _build()
  assert logits.op.name == 'alexnet_v2/fc8/squeezed'
  assert sum(variable.shape.num_elements()
             for variable in tf.trainable_variables()) == 50303912
  assert [(name, net.shape.as_list()[1:]) for name, net in ends.items()] == [
      ('alexnet_v2/conv1', [54, 54, 64]),
      ('alexnet_v2/pool1', [26, 26, 64]),
      ('alexnet_v2/conv2', [26, 26, 192]),
      ('alexnet_v2/pool2', [12, 12, 192]),
      ('alexnet_v2/conv3', [12, 12, 384]),
      ('alexnet_v2/conv4', [12, 12, 384]),
      ('alexnet_v2/conv5', [12, 12, 256]),
      ('alexnet_v2/pool5', [5, 5, 256]),
      ('alexnet_v2/fc6', [1, 1, 4096]),
      ('alexnet_v2/fc7', [1, 1, 4096]),
      ('alexnet_v2/fc8', [1000]),
  ]
  assert alexnet.alexnet_v2.default_image_size == 224


@pytest.mark.parametrize('num_classes', [None, 0])
def test_no_classes_means_features(num_classes):
  features, ends = _build(num_classes=num_classes)
  assert features is ends['alexnet_v2/fc7']
  assert features.shape.as_list() == [2, 1, 1, 4096]


def test_fully_convolutional():
  logits, _ = _build(300, 400, spatial_squeeze=False)
  assert logits.shape.as_list() == [2, 4, 7, 1000]


def test_global_pool_of_a_larger_image():
  logits, ends = _build(300, 400, global_pool=True)
  assert logits.shape.as_list() == [2, 1000]
  assert ends['global_pool'].shape.as_list() == [2, 1, 1, 4096]


@pytest.mark.parametrize('size', [195, 226])
def test_images_with_logits_of_one_by_one(size):
  logits, _ = _build(size, size)
  assert logits.shape.as_list() == [2, 1000]


def test_images_too_small():
  with pytest.raises(ValueError, match=(
      'inputs of alexnet_v2 must be 195x195 or larger, given 224x194; enlarge '
      'the images')):
    _build(224, 194)
  assert not tf.global_variables()


def test_images_too_large_to_squeeze():
  with pytest.raises(ValueError, match=(
      'alexnet_v2/fc8/BiasAdd are of 1x2, and only 1x1 can be squeezed: give '
      'global_pool=True, or spatial_squeeze=False')):
    _build(224, 227)


def test_how_the_layers_start():
  _build(num_classes=10)
  light = [variable for variable in tf.trainable_variables()
           if 'fc6/weights' not in variable.op.name]
  with tf.Session() as session:
    session.run(tf.variables_initializer(light))
    values = {variable.op.name: session.run(variable) for variable in light}
  for layer in ('conv1', 'conv5', 'fc6', 'fc7'):
    assert (values['alexnet_v2/%s/biases' % layer] == np.float32(0.1)).all()
  assert not values['alexnet_v2/fc8/biases'].any()
  for layer in ('fc7', 'fc8'):
    # A normal distribution cut at two deviations keeps 0.88 of its deviation.
    weights = values['alexnet_v2/%s/weights' % layer]
    assert abs(weights).max() <= 0.01
    assert abs(weights.std() / 0.0044 - 1) < 0.02


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
  with contrib_slim.arg_scope(alexnet.alexnet_v2_arg_scope()):
    _tiny(tf.zeros([1, 6, 6, 3]))
  assert len(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)) == 4
