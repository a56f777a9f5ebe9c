import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import inception
from nets import inception_v2
from tests.nets import inception_testing as testing
from tests.nets.inception_testing import images

_MODULES = [
    ('Mixed_3b', [2, 28, 28, 256]), ('Mixed_3c', [2, 28, 28, 320]),
    ('Mixed_4a', [2, 14, 14, 576]), ('Mixed_4b', [2, 14, 14, 576]),
    ('Mixed_4c', [2, 14, 14, 576]), ('Mixed_4d', [2, 14, 14, 576]),
    ('Mixed_4e', [2, 14, 14, 576]), ('Mixed_5a', [2, 7, 7, 1024]),
    ('Mixed_5b', [2, 7, 7, 1024]), ('Mixed_5c', [2, 7, 7, 1024])]
_END_POINTS = [
    ('Conv2d_1a_7x7', [2, 112, 112, 64]),
    ('MaxPool_2a_3x3', [2, 56, 56, 64]),
    ('Conv2d_2b_1x1', [2, 56, 56, 64]),
    ('Conv2d_2c_3x3', [2, 56, 56, 192]),
    ('MaxPool_3a_3x3', [2, 28, 28, 192])] + _MODULES


def _shapes_of_first_layer():
  return {variable.op.name.split('/', 2)[2]: variable.shape.as_list()
          for variable in tf.global_variables('InceptionV2/Conv2d_1a_7x7')}


@pytest.fixture
def short(monkeypatch):
  monkeypatch.setattr(inception_v2, '_MODULES', [
      row for row in inception_v2._MODULES  # pylint: disable=protected-access
      if row.scope not in ('Mixed_3c', 'Mixed_4b', 'Mixed_4c', 'Mixed_4d',
                           'Mixed_4e', 'Mixed_5b')])


def test_base():
  with slim.arg_scope(inception.inception_v2_arg_scope()):
    net, end_points = inception.inception_v2_base(images(2, 224, 224, 3))
  assert testing.shapes(end_points) == _END_POINTS
  assert net.op.name == 'InceptionV2/Mixed_5c/concat'
  assert testing.model_parameters() == 10173112
  assert _shapes_of_first_layer() == {
      'depthwise_weights': [7, 7, 3, 8], 'pointwise_weights': [1, 1, 24, 64],
      'biases': [64]}


def test_base_without_root_block():
  _, end_points = inception.inception_v2_base(
      images(2, 28, 28, 192), 'Mixed_4a', include_root_block=False)
  assert testing.shapes(end_points) == _MODULES[:3]
  with pytest.raises(ValueError, match='Conv2d_2c_3x3 of InceptionV2; it has: '
                                       'Mixed_3b, Mixed_3c, Mixed_4a'):
    inception.inception_v2_base(
        images(2, 28, 28, 192), 'Conv2d_2c_3x3', include_root_block=False)


@pytest.mark.parametrize('batch_norm_format, offsets, final_endpoint', [
    ('NHWC', 112, 'Mixed_3b'), ('NCHW', 64, 'Mixed_5c')])
def test_nchw(batch_norm_format, offsets, final_endpoint):
  with slim.arg_scope(inception.inception_v2_arg_scope()):
    with slim.arg_scope([slim.batch_norm], data_format=batch_norm_format):
      _, end_points = inception.inception_v2_base(
          images(2, 3, 224, 224), final_endpoint, use_separable_conv=False,
          data_format='NCHW')
  expected = [(name, [batch, channels, height, width])
              for name, (batch, height, width, channels) in _END_POINTS]
  assert testing.shapes(end_points) == expected[:len(end_points)]
  assert list(end_points)[-1] == final_endpoint
  shapes = _shapes_of_first_layer()
  assert shapes['weights'] == [7, 7, 3, 64]
  assert shapes['BatchNorm/beta'] == [offsets]


@pytest.mark.parametrize('final_endpoint', ['Conv2d_1a_7x7', 'Mixed_4a'])
def test_stops_at_the_final_endpoint(final_endpoint):
  net, end_points = inception.inception_v2_base(
      images(2, 224, 224, 3), final_endpoint)
  assert list(end_points)[-1] == final_endpoint
  assert net is end_points[final_endpoint]


def test_unknown_end_point_is_refused_before_anything_is_built(graph):
  inputs = images(2, 224, 224, 3)
  with pytest.raises(ValueError, match='Unknown final endpoint Mixed_5d of '
                                       'InceptionV2; it has: Conv2d_1a_7x7, '):
    inception.inception_v2_base(inputs, 'Mixed_5d')
  assert len(graph.get_operations()) == 1


def test_train_then_evaluate_with_reuse():
  with slim.arg_scope(inception.inception_v2_arg_scope()):
    logits, end_points = inception.inception_v2(images(None, 224, 224, 3), 1001)
    assert len(tf.get_collection(tf.GraphKeys.UPDATE_OPS)) == 136
    assert len(tf.losses.get_regularization_losses()) == 69
    assert testing.trainable_parameters() == 11179361
    variables = tf.global_variables()
    other, _ = inception.inception_v2(
        images(None, None, None, 3), 1001, is_training=False, reuse=True,
        global_pool=True)
  assert logits.op.name == 'InceptionV2/Logits/SpatialSqueeze'
  assert testing.shapes(end_points)[-4:] == [
      ('AvgPool_1a', [None, 1, 1, 1024]), ('PreLogits', [None, 1, 1, 1024]),
      ('Logits', [None, 1001]), ('Predictions', [None, 1001])]
  assert tf.global_variables() == variables
  assert len(tf.get_collection(tf.GraphKeys.UPDATE_OPS)) == 136
  assert other.shape.as_list() == [None, 1001]


@pytest.mark.usefixtures('short')
@pytest.mark.parametrize('multiplier, width, modules', [
    (0.5, 32, 512), (0.1, 16, 35 + 32 + 22 + 16), (2.0, 128, 2048)])
def test_depth_multiplier(multiplier, width, modules):
  net, end_points = inception.inception_v2(
      images(2, 64, 64, 3), 3, depth_multiplier=multiplier)
  assert end_points['Conv2d_1a_7x7'].shape.as_list() == [2, 32, 32, width]
  assert end_points['PreLogits'].shape.as_list()[3] == modules
  assert net.shape.as_list() == [2, 3]


def test_min_depth():
  net, _ = inception.inception_v2_base(
      images(2, 64, 64, 3), 'Mixed_3b', depth_multiplier=0.01, min_depth=3)
  assert net.shape.as_list() == [2, 8, 8, 4 * 3]


@pytest.mark.usefixtures('short')
def test_features_of_smaller_images():
  net, end_points = inception.inception_v2(images(2, 112, 64, 3), None)
  assert net.shape.as_list() == [2, 1, 1, 1024]
  assert net.op.name == 'InceptionV2/Logits/AvgPool_1a_4x2/AvgPool'
  assert list(end_points)[-1] == 'AvgPool_1a'


@pytest.mark.usefixtures('short')
def test_fully_convolutional_on_larger_images():
  logits, _ = inception.inception_v2(
      images(1, 320, 288, 3), 5, spatial_squeeze=False)
  assert logits.shape.as_list() == [1, 2, 2, 5]


@pytest.mark.usefixtures('short')
def test_arguments_that_do_not_fit_are_refused():
  inputs = images(2, 320, 224, 3)
  cases = [
      (dict(depth_multiplier=0),
       'depth_multiplier must be above 0, for example 0.5; given 0'),
      (dict(data_format='NWHC', use_separable_conv=False),
       'data_format must be NHWC or NCHW; given NWHC'),
      (dict(data_format='NCHW'),
       'data_format=NCHW was given with use_separable_conv=True, which has '
       'NHWC only; give use_separable_conv=False or data_format=NHWC')]
  for arguments, message in cases:
    with pytest.raises(ValueError) as error:
      inception.inception_v2_base(inputs, **arguments)
    assert str(error.value) == message
  assert not tf.global_variables()
  with pytest.raises(ValueError, match=(
      'InceptionV2/Logits/.* has size 2x1, and only .*; give global_pool=')):
    inception.inception_v2(inputs)
