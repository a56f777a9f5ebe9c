"""Tests of CifarNet."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import cifarnet


def _build(images, num_classes=10, weight_decay=0.004, **kwargs):
  with slim.arg_scope(cifarnet.cifarnet_arg_scope(weight_decay)):
    return cifarnet.cifarnet(images, num_classes, **kwargs)


def _images(*shape):
  return np.random.RandomState(0).uniform(-1, 1, shape).astype(np.float32)


def test_logits_parameters_and_end_points():
  logits, ends = _build(tf.zeros([2, 32, 32, 3]))
  assert logits.op.name == 'CifarNet/logits/BiasAdd'
  assert sum(variable.shape.num_elements()
             for variable in tf.trainable_variables()) == 1756426
  assert [(name, net.shape.as_list()[1:]) for name, net in ends.items()] == [
      ('conv1', [32, 32, 64]), ('pool1', [16, 16, 64]),
      ('conv2', [16, 16, 64]), ('pool2', [8, 8, 64]), ('Flatten', [4096]),
      ('fc3', [384]), ('fc4', [192]), ('Logits', [10]), ('Predictions', [10])]
  assert ends['Logits'] is logits
  assert ends['Predictions'].op.name == 'CifarNet/Predictions/Reshape_1'
  assert cifarnet.cifarnet.default_image_size == 32


@pytest.mark.parametrize('num_classes', [None, 0])
def test_no_classes_means_features(num_classes):
  features, ends = _build(tf.zeros([2, 32, 32, 3]), num_classes)
  assert features is ends['fc4']
  assert not {'Logits', 'Predictions'} & set(ends)


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


def test_normalization_divides_by_the_activity_of_neighboring_channels():
  _, ends = _build(tf.constant(_images(1, 8, 8, 3)))
  pool1 = ends['pool1']
  norm1 = pool1.graph.get_tensor_by_name('CifarNet/norm1:0')
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    pool1, norm1 = session.run([pool1, norm1])
  padded = np.pad(pool1 ** 2, [(0, 0)] * 3 + [(4, 4)], 'constant')
  activity = sum(padded[..., i:i + 64] for i in range(9))
  np.testing.assert_allclose(
      norm1, pool1 / (1 + 0.001 / 9 * activity) ** 0.75, rtol=1e-4)


def test_train_then_evaluate_with_the_same_variables():
  images = tf.constant(_images(2, 8, 8, 3))
  training, _ = _build(images, is_training=True)
  with tf.variable_scope(tf.get_variable_scope(), reuse=True):
    evaluation, _ = _build(images)
    keep_all, _ = _build(images, is_training=True, dropout_keep_prob=1.0)
  assert len(tf.global_variables()) == 10
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    first, second = session.run(evaluation), session.run(evaluation)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(session.run(keep_all), first, rtol=1e-4,
                               atol=1e-6)
    different = session.run(training), session.run(training)
    assert not np.allclose(*different, rtol=0, atol=1e-6)


def test_another_prediction_function():
  logits, ends = _build(tf.zeros([2, 8, 8, 3]), prediction_fn=(
      lambda net, scope: tf.nn.sigmoid(net, name=scope)))
  assert ends['Predictions'].op.name == 'CifarNet/Predictions'
  assert ends['Predictions'].op.inputs[0] is logits


def test_weight_decay_of_the_dense_layers_before_the_logits_only():
  _build(tf.zeros([1, 8, 8, 3]), weight_decay=0.5)
  losses = tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)
  assert sorted(loss.op.name.split('/')[1] for loss in losses) == ['fc3', 'fc4']


def test_unknown_size_and_nchw_are_refused():
  with pytest.raises(ValueError, match='cifarnet needs images of shape'):
    _build(tf.placeholder(tf.float32, [None, None, None, 3]))
  with slim.arg_scope([slim.conv2d], data_format='NCHW'):
    with pytest.raises(ValueError, match='cifarnet computes in NHWC only'):
      _build(tf.zeros([2, 3, 32, 32]))
  assert not tf.global_variables()
