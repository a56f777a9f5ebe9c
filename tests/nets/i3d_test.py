"""Tests of I3D, on a few small frames."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import i3d
from nets import nets_factory


def _base(final_endpoint, shape=(2, 8, 32, 32, 3), **scope):
  with slim.arg_scope(i3d.i3d_arg_scope(**scope)):
    return i3d.i3d_base(tf.zeros(shape), final_endpoint)


END_POINTS = {
    'Conv2d_1a_7x7': [2, 4, 16, 16, 64],
    'MaxPool_2a_3x3': [2, 4, 8, 8, 64],
    'Conv2d_2b_1x1': [2, 4, 8, 8, 64],
    'Conv2d_2c_3x3': [2, 4, 8, 8, 192],
    'MaxPool_3a_3x3': [2, 4, 4, 4, 192],
    'Mixed_3b': [2, 4, 4, 4, 256],
    'Mixed_3c': [2, 4, 4, 4, 480],
    'MaxPool_4a_3x3': [2, 2, 2, 2, 480],
    'Mixed_4b': [2, 2, 2, 2, 512],
    'Mixed_4c': [2, 2, 2, 2, 512],
    'Mixed_4d': [2, 2, 2, 2, 512],
    'Mixed_4e': [2, 2, 2, 2, 528],
    'Mixed_4f': [2, 2, 2, 2, 832],
    'MaxPool_5a_2x2': [2, 1, 1, 1, 832],
    'Mixed_5b': [2, 1, 1, 1, 832],
    'Mixed_5c': [2, 1, 1, 1, 1024]}


def test_end_points_of_the_base():
  net, end_points = i3d.i3d_base(tf.zeros([2, 8, 32, 32, 3]))
  assert net is end_points['Mixed_5c']
  assert {name: tensor.shape.as_list()
          for name, tensor in end_points.items()} == END_POINTS


@pytest.mark.parametrize(
    'name', ['Conv2d_1a_7x7', 'MaxPool_2a_3x3', 'Mixed_3b'])
def test_final_endpoint_is_returned_and_is_the_last(name):
  net, end_points = _base(name)
  assert net is end_points[name]
  names = list(END_POINTS)
  assert list(end_points) == names[:names.index(name) + 1]


def test_unknown_final_endpoint_is_refused_before_building():
  with pytest.raises(ValueError, match='Unknown final endpoint Mixed_6a .*'
                     'Conv2d_1a_7x7, MaxPool_2a_3x3'):
    _base('Mixed_6a')
  assert not tf.global_variables()


def test_kernels_reach_over_time():
  _base('Mixed_3b')
  shapes = {v.op.name: v.shape.as_list() for v in tf.model_variables()}
  assert shapes['InceptionV1/Conv2d_1a_7x7/weights'] == [7, 7, 7, 3, 64]
  assert shapes['InceptionV1/Conv2d_2c_3x3/weights'] == [3, 3, 3, 64, 192]
  assert shapes['InceptionV1/Mixed_3b/Branch_2/Conv2d_0b_3x3/weights'] == [
      3, 3, 3, 16, 32]


def test_separable_kernels_on_request():
  _base('Conv2d_2c_3x3', separable_conv3d=True)
  shapes = {v.op.name: v.shape.as_list() for v in tf.model_variables()}
  assert shapes['InceptionV1/Conv2d_1a_7x7/weights'] == [1, 7, 7, 3, 64]
  assert shapes['InceptionV1/Conv2d_1a_7x7/temporal/weights'] == [
      7, 1, 1, 64, 64]


@pytest.mark.slow
def test_logits_of_an_unknown_batch_run_after_training_with_reuse():
  fn = nets_factory.get_network_fn('i3d', 5, is_training=True)
  assert fn.default_image_size == 224
  fn(tf.zeros([2, 8, 32, 32, 3]))
  assert len(tf.get_collection(tf.GraphKeys.UPDATE_OPS)) == 114
  inputs = tf.placeholder(tf.float32, [None, 10, 32, 32, 3])
  logits, end_points = nets_factory.get_network_fn('i3d', 5)(
      inputs, reuse=True)
  assert logits.shape.as_list() == [None, 5]
  assert logits is end_points['Logits']
  assert end_points['Predictions'].shape.as_list() == [None, 5]
  assert len(tf.model_variables()) == 230
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    result = session.run(end_points['Predictions'], {
        inputs: np.random.RandomState(0).rand(1, 10, 32, 32, 3)})
  np.testing.assert_allclose(result.sum(), 1, rtol=1e-5)


def test_features_without_classes():
  net, end_points = i3d.i3d(tf.zeros([2, 40, 32, 32, 3]), None)
  # Two of five frames are averaged at a time.
  assert net.shape.as_list() == [2, 4, 1, 1, 1024]
  assert 'Logits' not in end_points
  assert not [v for v in tf.global_variables() if 'Logits' in v.op.name]


def test_larger_images_cannot_be_squeezed():
  inputs = tf.zeros([1, 4, 256, 256, 3])
  with pytest.raises(ValueError, match=(
      'has size 2x2, .* give spatial_squeeze=False')):
    i3d.i3d(inputs, 5)
  logits, _ = i3d.i3d(inputs, 5, spatial_squeeze=False, reuse=tf.AUTO_REUSE)
  assert logits.shape.as_list() == [1, 2, 2, 5]


def test_pictures_without_time_are_refused():
  with pytest.raises(ValueError, match=r'inputs must have five dimensions'):
    i3d.i3d(tf.zeros([2, 224, 224, 3]))
