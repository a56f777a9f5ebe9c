"""Tests of LeNet."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import lenet


def _build(images, num_classes=10, weight_decay=0.0, **kwargs):
  with slim.arg_scope(lenet.lenet_arg_scope(weight_decay)):
    return lenet.lenet(images, num_classes, **kwargs)


def _images(*shape):
  return np.random.RandomState(0).uniform(-1, 1, shape).astype(np.float32)


@pytest.mark.parametrize('channels, parameters', [(1, 3274634), (3, 3276234)])
def test_logits_parameters_and_end_points(channels, parameters):
  logits, ends = _build(tf.zeros([2, 28, 28, channels]))
  assert logits.op.name == 'LeNet/fc4/BiasAdd'
  assert sum(variable.shape.num_elements()
             for variable in tf.trainable_variables()) == parameters
  assert [(name, net.shape.as_list()[1:]) for name, net in ends.items()] == [
      ('conv1', [28, 28, 32]), ('pool1', [14, 14, 32]),
      ('conv2', [14, 14, 64]), ('pool2', [7, 7, 64]), ('Flatten', [3136]),
      ('fc3', [1024]), ('dropout3', [1024]), ('Logits', [10]),
      ('Predictions', [10])]
  assert ends['Logits'] is logits
  assert lenet.lenet.default_image_size == 28


def test_predictions_stand_outside_the_scope():
  _, ends = _build(tf.zeros([2, 28, 28, 1]), scope='mine')
  assert ends['Logits'].op.name == 'mine/fc4/BiasAdd'
  assert ends['Predictions'].op.name == 'Predictions/Reshape_1'


@pytest.mark.parametrize('num_classes', [None, 0])
def test_no_classes_means_features(num_classes):
  features, ends = _build(tf.zeros([2, 28, 28, 1]), num_classes)
  assert features is ends['fc3']
  assert not {'dropout3', 'Logits', 'Predictions'} & set(ends)


def test_unknown_batch_and_another_size():
  images = tf.placeholder(tf.float32, [None, 12, 20, 1])
  logits, ends = _build(images)
  assert logits.shape.as_list() == [None, 10]
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    predictions = session.run(ends['Predictions'], {images: _images(
        3, 12, 20, 1)})
  assert predictions.shape == (3, 10)
  np.testing.assert_allclose(predictions.sum(1), 1, rtol=1e-5)


def test_train_then_evaluate_with_the_same_variables():
  images = tf.constant(_images(2, 8, 8, 1))
  training, _ = _build(images, is_training=True)
  with tf.variable_scope(tf.get_variable_scope(), reuse=True):
    evaluation, _ = _build(images)
    keep_all, _ = _build(images, is_training=True, dropout_keep_prob=1.0)
  assert len(tf.global_variables()) == 8
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    first, second = session.run(evaluation), session.run(evaluation)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(session.run(keep_all), first, rtol=1e-4,
                               atol=1e-6)
    assert not np.allclose(session.run(training), session.run(training))


def test_another_prediction_function():
  logits, ends = _build(tf.zeros([2, 8, 8, 1]), prediction_fn=(
      lambda net, scope: tf.nn.sigmoid(net, name=scope)))
  assert ends['Predictions'].op.type == 'Sigmoid'
  assert ends['Predictions'].op.inputs[0] is logits


def test_no_weight_decay_by_default():
  with slim.arg_scope(lenet.lenet_arg_scope()):
    lenet.lenet(tf.zeros([1, 8, 8, 1]))
  assert not tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)


def test_weight_decay_of_every_layer():
  _build(tf.zeros([1, 8, 8, 1]), weight_decay=0.5)
  weights = [variable for variable in tf.trainable_variables()
             if variable.op.name.endswith('weights')]
  losses = tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)
  assert len(losses) == len(weights) == 4
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    losses, weights = session.run([losses, weights])
  np.testing.assert_allclose(
      sorted(losses), sorted(0.25 * (weight ** 2).sum() for weight in weights),
      rtol=1e-4)


def test_unknown_size_is_refused():
  with pytest.raises(ValueError, match=(
      r'lenet needs images of shape .*; got shape \(\?, \?, 28, 1\)')):
    _build(tf.placeholder(tf.float32, [None, None, 28, 1]))
  assert not tf.global_variables()
