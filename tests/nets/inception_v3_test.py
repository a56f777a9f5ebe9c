import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import inception
from nets import inception_v3
from tests.nets import inception_testing as testing
from tests.nets.inception_testing import images

_END_POINTS = [
    ('Conv2d_1a_3x3', [None, 149, 149, 32]),
    ('Conv2d_2a_3x3', [None, 147, 147, 32]),
    ('Conv2d_2b_3x3', [None, 147, 147, 64]),
    ('MaxPool_3a_3x3', [None, 73, 73, 64]),
    ('Conv2d_3b_1x1', [None, 73, 73, 80]),
    ('Conv2d_4a_3x3', [None, 71, 71, 192]),
    ('MaxPool_5a_3x3', [None, 35, 35, 192]),
    ('Mixed_5b', [None, 35, 35, 256]), ('Mixed_5c', [None, 35, 35, 288]),
    ('Mixed_5d', [None, 35, 35, 288]), ('Mixed_6a', [None, 17, 17, 768]),
    ('Mixed_6b', [None, 17, 17, 768]), ('Mixed_6c', [None, 17, 17, 768]),
    ('Mixed_6d', [None, 17, 17, 768]), ('Mixed_6e', [None, 17, 17, 768]),
    ('Mixed_7a', [None, 8, 8, 1280]), ('Mixed_7b', [None, 8, 8, 2048]),
    ('Mixed_7c', [None, 8, 8, 2048])]
_HEADS = [
    ('AuxLogits', [None, 1001]), ('AvgPool_1a', [None, 1, 1, 2048]),
    ('PreLogits', [None, 1, 1, 2048]), ('Logits', [None, 1001]),
    ('Predictions', [None, 1001])]


@pytest.fixture
def short(monkeypatch):
  testing.shorten(monkeypatch, inception_v3, 'Mixed_5b', 'Mixed_5c', 'Mixed_6b',
                  'Mixed_6c', 'Mixed_6d', 'Mixed_7b')


def test_base_takes_images_down_to_75():
  with slim.arg_scope(inception.inception_v3_arg_scope()):
    net, _ = inception.inception_v3_base(images(2, 75, 80, 3))
  assert net.shape.as_list() == [2, 1, 1, 2048]
  assert testing.model_parameters() == 21802784


def test_train_then_evaluate_with_reuse():
  with slim.arg_scope(inception.inception_v3_arg_scope()):
    logits, end_points = inception.inception_v3(images(None, 299, 299, 3), 1001)
    assert len(tf.get_collection(tf.GraphKeys.UPDATE_OPS)) == 192
    assert len(tf.losses.get_regularization_losses()) == 98
    assert testing.trainable_parameters() == 27145970
    variables = tf.global_variables()
    inputs = images(None, None, None, 3)
    other, _ = inception.inception_v3(
        inputs, 1001, is_training=False, reuse=True, global_pool=True,
        create_aux_logits=False)
  assert testing.shapes(end_points) == _END_POINTS + _HEADS
  assert logits is end_points['Logits']
  assert logits.op.name == 'InceptionV3/Logits/SpatialSqueeze'
  assert tf.global_variables() == variables
  assert len(tf.get_collection(tf.GraphKeys.UPDATE_OPS)) == 192
  assert other.shape.as_list() == [None, 1001]


@pytest.mark.usefixtures('short')
def test_predictions_of_the_features():
  inputs = images(None, None, None, 3)
  with slim.arg_scope(inception.inception_v3_arg_scope()):
    logits, end_points = inception.inception_v3(
        inputs, 7, is_training=False, depth_multiplier=0.1, global_pool=True,
        create_aux_logits=False)
  kernel = tf.global_variables('InceptionV3/Logits/Conv2d_1c_1x1')[0]
  module, features, weights, logits, predictions = testing.evaluate(
      [end_points['Mixed_7c'], end_points['PreLogits'], kernel, logits,
       end_points['Predictions']], inputs, [2, 108, 80, 3])
  np.testing.assert_allclose(
      features, module.mean((1, 2), keepdims=True), rtol=1e-4, atol=1e-6)
  np.testing.assert_allclose(
      logits, features[:, 0, 0] @ weights[0, 0], rtol=1e-3, atol=1e-6)
  np.testing.assert_allclose(predictions.sum(axis=1), [1, 1], rtol=1e-5)


@pytest.mark.usefixtures('short')
def test_features_of_smaller_images():
  net, end_points = inception.inception_v3(
      images(2, 150, 150, 3), None, depth_multiplier=0.5)
  assert net.op.name == 'InceptionV3/Logits/AvgPool_1a_3x3/AvgPool'
  assert net.shape.as_list() == [2, 1, 1, 1024]
  assert list(end_points)[-2:] == ['Mixed_7c', 'AvgPool_1a']
  assert not tf.global_variables('InceptionV3/AuxLogits')


@pytest.mark.usefixtures('short')
def test_fully_convolutional_on_larger_images():
  logits, end_points = inception.inception_v3(
      images(1, 364, 400, 3), 5, spatial_squeeze=False)
  assert logits.shape.as_list() == [1, 2, 2, 5]
  assert end_points['AuxLogits'].shape.as_list() == [1, 2, 3, 5]


@pytest.mark.usefixtures('short')
def test_aux_logits_of_smaller_images_have_a_smaller_kernel():
  _, end_points = inception.inception_v3(images(2, 200, 200, 3), 5)
  assert end_points['AuxLogits'].shape.as_list() == [2, 5]
  kernel = tf.global_variables('InceptionV3/AuxLogits/Conv2d_2a_2x2')[0]
  assert kernel.shape.as_list() == [2, 2, 128, 768]


def test_stops_at_the_final_endpoint():
  net, end_points = inception.inception_v3_base(
      images(None, 299, 299, 3), 'Mixed_5d')
  assert testing.shapes(end_points) == _END_POINTS[:10]
  assert net is end_points['Mixed_5d']


def test_arguments_that_do_not_fit_are_refused(graph):
  inputs = images(2, 74, 299, 3)
  cases = [
      (dict(final_endpoint='Mixed_8a'),
       'Unknown final endpoint Mixed_8a of InceptionV3; it has: ' +
       ', '.join(name for name, _ in _END_POINTS)),
      (dict(depth_multiplier=-0.1),
       'depth_multiplier must be above 0, for example 0.5; given -0.1'),
      (dict(), 'InceptionV3 needs images of at least 75x75 for a map of at '
               'least 1x1 at Mixed_7c; given 74x299. Give larger images.')]
  for arguments, message in cases:
    with pytest.raises(ValueError) as error:
      inception.inception_v3_base(inputs, **arguments)
    assert str(error.value) == message
  with pytest.raises(ValueError) as error:
    inception.inception_v3(inputs)
  assert str(error.value) == (
      'InceptionV3 needs images of at least 107x107 for a map of at least 5x5 '
      'at Mixed_6e; given 74x299. Give larger images or '
      'create_aux_logits=False.')
  assert len(graph.get_operations()) == 1


@pytest.mark.usefixtures('short')
def test_larger_images_do_not_fit_the_aux_logits():
  with pytest.raises(ValueError, match=(
      'AuxLogits/.* has size 1x3, and only 1x1 .* give create_aux_logits=')):
    inception.inception_v3(
        images(2, 330, 400, 3), 5, depth_multiplier=0.1, global_pool=True)
