import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import inception
from nets import inception_v1
from nets import normalization
from tests.nets import inception_testing as testing
from tests.nets.inception_testing import images

_MODULES = [
    ('Mixed_3b', [2, 28, 28, 256]), ('Mixed_3c', [2, 28, 28, 480]),
    ('MaxPool_4a_3x3', [2, 14, 14, 480]),
    ('Mixed_4b', [2, 14, 14, 512]), ('Mixed_4c', [2, 14, 14, 512]),
    ('Mixed_4d', [2, 14, 14, 512]), ('Mixed_4e', [2, 14, 14, 528]),
    ('Mixed_4f', [2, 14, 14, 832]), ('MaxPool_5a_2x2', [2, 7, 7, 832]),
    ('Mixed_5b', [2, 7, 7, 832]), ('Mixed_5c', [2, 7, 7, 1024])]
_END_POINTS = [
    ('Conv2d_1a_7x7', [2, 112, 112, 64]),
    ('MaxPool_2a_3x3', [2, 56, 56, 64]),
    ('Conv2d_2b_1x1', [2, 56, 56, 64]),
    ('Conv2d_2c_3x3', [2, 56, 56, 192]),
    ('MaxPool_3a_3x3', [2, 28, 28, 192])] + _MODULES


@pytest.fixture
def short(monkeypatch):
  testing.shorten(monkeypatch, inception_v1, 'Mixed_3c', 'Mixed_4b', 'Mixed_4c',
                  'Mixed_4d', 'Mixed_4e', 'Mixed_4f', 'Mixed_5b')


def test_base():
  with slim.arg_scope(inception.inception_v1_arg_scope()):
    net, end_points = inception.inception_v1_base(images(2, 224, 224, 3))
  assert testing.shapes(end_points) == _END_POINTS
  assert net.op.name.startswith('InceptionV1/Mixed_5c')
  assert testing.model_parameters() == 5607184


def test_base_without_root_block():
  net, end_points = inception.inception_v1_base(
      images(2, 28, 28, 192), 'MaxPool_4a_3x3', include_root_block=False)
  assert testing.shapes(end_points) == _MODULES[:3]
  assert net is end_points['MaxPool_4a_3x3']
  with pytest.raises(ValueError, match='MaxPool_3a_3x3 of InceptionV1; it has: '
                                       'Mixed_3b, Mixed_3c, MaxPool_4a'):
    inception.inception_v1_base(
        images(2, 28, 28, 192), 'MaxPool_3a_3x3', include_root_block=False)


def test_unknown_end_point_is_refused_before_anything_is_built(graph):
  inputs = images(2, 224, 224, 3)
  with pytest.raises(ValueError) as error:
    inception.inception_v1_base(inputs, 'Mixed_6a')
  assert str(error.value) == (
      'Unknown final endpoint Mixed_6a of InceptionV1; it has: ' +
      ', '.join(name for name, _ in _END_POINTS))
  assert len(graph.get_operations()) == 1


def test_train_then_evaluate_with_reuse():
  with slim.arg_scope(inception.inception_v1_arg_scope()):
    logits, end_points = inception.inception_v1(images(None, 224, 224, 3), 1001)
    assert len(tf.get_collection(tf.GraphKeys.UPDATE_OPS)) == 114
    assert len(tf.losses.get_regularization_losses()) == 58
    assert testing.trainable_parameters() == 6618649
    variables = tf.global_variables()
    other, _ = inception.inception_v1(
        images(None, None, None, 3), 1001, is_training=False, reuse=True,
        global_pool=True)
  assert logits.op.name == 'InceptionV1/Logits/SpatialSqueeze'
  assert testing.shapes(end_points)[-3:] == [
      ('AvgPool_0a_7x7', [None, 1, 1, 1024]), ('Logits', [None, 1001]),
      ('Predictions', [None, 1001])]
  assert tf.global_variables() == variables
  assert len(tf.get_collection(tf.GraphKeys.UPDATE_OPS)) == 114
  assert other.shape.as_list() == [None, 1001]


@pytest.mark.usefixtures('short')
def test_predictions_of_the_features():
  inputs = images(2, 48, 33, 3)
  with slim.arg_scope(inception.inception_v1_arg_scope()):
    logits, end_points = inception.inception_v1(
        inputs, 7, is_training=False, global_pool=True)
  kernel = tf.global_variables('InceptionV1/Logits/Conv2d_0c_1x1')[0]
  features, weights, logits, predictions, module = testing.evaluate(
      [end_points['global_pool'], kernel, logits, end_points['Predictions'],
       end_points['Mixed_5c']], inputs, [2, 48, 33, 3])
  np.testing.assert_allclose(features, module.mean((1, 2), keepdims=True), 1e-4)
  np.testing.assert_allclose(
      logits, features[:, 0, 0] @ weights[0, 0], rtol=1e-3, atol=1e-6)
  odds = np.exp(logits)
  np.testing.assert_allclose(
      predictions, odds / odds.sum(axis=1, keepdims=True), rtol=1e-5)


@pytest.mark.usefixtures('short')
@pytest.mark.parametrize('num_classes', [None, 0])
def test_features(num_classes):
  net, end_points = inception.inception_v1(images(2, 224, 224, 3), num_classes)
  assert net.shape.as_list() == [2, 1, 1, 1024]
  assert list(end_points)[-1] == 'AvgPool_0a_7x7'
  assert not tf.global_variables('InceptionV1/Logits')


@pytest.mark.usefixtures('short')
def test_fully_convolutional_on_larger_images():
  logits, end_points = inception.inception_v1(
      images(2, 256, 288, 3), 5, spatial_squeeze=False,
      prediction_fn=lambda logits, scope: tf.nn.sigmoid(logits, name=scope))
  assert logits.shape.as_list() == [2, 2, 3, 5]
  assert end_points['Predictions'].op.type == 'Sigmoid'


@pytest.mark.usefixtures('short')
def test_images_that_do_not_fit_are_refused():
  with pytest.raises(ValueError) as error:
    inception.inception_v1(images(2, 192, 224, 3))
  assert str(error.value) == (
      'InceptionV1 needs images of at least 193x193 for a map of at least 7x7 '
      'at Mixed_5c; given 192x224. Give larger images or global_pool=True.')
  assert not tf.global_variables()
  with pytest.raises(ValueError) as error:
    inception.inception_v1(images(2, 256, 288, 3), 5)
  assert str(error.value) == (
      'InceptionV1/Logits/Conv2d_0c_1x1/BiasAdd has size 2x3, and only 1x1 can '
      'be squeezed; give global_pool=True, or spatial_squeeze=False.')


def test_normalization_can_be_replaced_everywhere():
  replaced = []

  def nothing(net, **_):
    replaced.append(net)
    return net

  with normalization.implementation(nothing):
    with slim.arg_scope(inception.inception_v1_arg_scope()):
      inception.inception_v1_base(images(2, 32, 32, 3))
  assert len(replaced) == 57


def test_arg_scope_options():
  with slim.arg_scope(inception.inception_v1_arg_scope(use_batch_norm=False)):
    inception.inception_v1_base(images(2, 32, 32, 3), 'Conv2d_1a_7x7')
  assert [variable.op.name for variable in tf.global_variables()] == [
      'InceptionV1/Conv2d_1a_7x7/weights', 'InceptionV1/Conv2d_1a_7x7/biases']


@pytest.mark.parametrize('scale', [False, True])
def test_arg_scope_batch_norm_scale(scale):
  with slim.arg_scope(inception.inception_v1_arg_scope(
      weight_decay=0.1, batch_norm_scale=scale)):
    inception.inception_v1_base(images(2, 32, 32, 3), 'MaxPool_3a_3x3')
  gammas = [variable for variable in tf.global_variables()
            if variable.op.name.endswith('gamma')]
  assert len(gammas) == (3 if scale else 0)
  assert len(tf.losses.get_regularization_losses()) == 3
