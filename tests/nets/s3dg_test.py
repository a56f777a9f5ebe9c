"""Tests of S3D-G, on a few small frames."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import nets_factory
from nets import s3dg


def _base(shape=(2, 8, 32, 32, 3), final_endpoint='Mixed_3b', **options):
  with slim.arg_scope(s3dg.s3dg_arg_scope()):
    return s3dg.s3dg_base(
        tf.zeros(shape), final_endpoint=final_endpoint, **options)


def _variables():
  return {v.op.name: v.shape.as_list() for v in tf.model_variables()}


def _names(part):
  return [name for name in _variables() if part in name]


def test_kernels_are_split_and_gated():
  net, end_points = _base()
  assert net is end_points['Mixed_3b']
  assert net.shape.as_list() == [2, 4, 4, 4, 256]
  shapes = _variables()
  assert shapes['InceptionV1/Conv2d_1a_7x7/weights'] == [3, 7, 7, 3, 64]
  layer = 'InceptionV1/Conv2d_2c_3x3/'
  assert shapes[layer + 'weights'] == [1, 3, 3, 64, 192]
  assert shapes[layer + 'temporal/weights'] == [3, 1, 1, 192, 192]
  assert shapes[layer + 'self_gating/transformer_W/weights'] == [
      1, 1, 1, 192, 192]
  assert len(_names('transformer_W')) == 5
  assert not _names('transformer_W/biases')


@pytest.mark.parametrize('options, temporal, gates', [
    (dict(temporal_conv_startat='Mixed_3b'), 2, 5),
    (dict(gating_startat='Mixed_3b'), 3, 4),
    (dict(temporal_conv_startat=None, gating_startat=None), 0, 0)])
def test_where_time_and_gates_begin(options, temporal, gates):
  _base(**options)
  assert len(_names('temporal/weights')) == temporal
  assert len(_names('transformer_W')) == gates


def test_filters_are_scaled_down_to_the_least():
  _, end_points = _base(depth_multiplier=0.5, min_depth=24,
                        gating_startat=None)
  assert end_points['Conv2d_2c_3x3'].shape.as_list()[-1] == 96
  shapes = _variables()
  block = 'InceptionV1/Mixed_3b/'
  assert shapes[block + 'Branch_2/Conv2d_0a_1x1/weights'][-2:] == [96, 24]
  assert shapes[block + 'Branch_0/Conv2d_0a_1x1/weights'][-2:] == [96, 32]


def test_first_kernel():
  _base(final_endpoint='Conv2d_1a_7x7', first_temporal_kernel_size=5)
  assert _variables()['InceptionV1/Conv2d_1a_7x7/weights'] == [5, 7, 7, 3, 64]


def test_gates_multiply_each_channel():
  video = np.random.RandomState(0).rand(2, 3, 4, 5, 6).astype(np.float32)
  with slim.arg_scope([slim.conv3d], weights_regularizer=None):
    gated = s3dg.self_gating(tf.constant(video), 'layer')
  weights, = tf.trainable_variables()
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    result, kernel = session.run([gated, weights])
  assert weights.op.name == 'layer/self_gating/transformer_W/weights'
  gates = 1 / (1 + np.exp(-video.mean((1, 2, 3)).dot(kernel[0, 0, 0])))
  np.testing.assert_allclose(
      result, video * gates[:, None, None, None], rtol=1e-4)


def test_channels_first_has_slims_normalization_unless_told():
  """slim normalizes along the width; the right way is one scope away."""
  shape = [2, 3, 4, 32, 48]
  net, end_points = _base(shape, 'Conv2d_2c_3x3', data_format='NCDHW')
  assert net.shape.as_list() == [2, 192, 2, 8, 12]
  assert end_points['Conv2d_1a_7x7'].shape.as_list() == [2, 64, 2, 16, 24]
  assert _variables()['InceptionV1/Conv2d_2c_3x3/BatchNorm/beta'] == [12]
  found = []
  for size, data_format in ((shape, 'NCDHW'), ([2, 4, 32, 48, 3], 'NDHWC')):
    with tf.Graph().as_default():
      with slim.arg_scope(
          [slim.batch_norm],
          data_format='NCHW' if data_format == 'NCDHW' else 'NHWC'):
        _base(size, 'Conv2d_2c_3x3', data_format=data_format)
      found.append(_variables())
  assert found[0] == found[1]


def test_channels_first_logits():
  with slim.arg_scope(s3dg.s3dg_arg_scope()):
    logits, _ = s3dg.s3dg(
        tf.zeros([2, 3, 8, 32, 32]), 5, is_training=False, depth_multiplier=0.1,
        gating_startat=None, data_format='NCDHW')
  assert logits.shape.as_list() == [2, 5]


def test_logits_run_on_an_unknown_batch():
  fn = nets_factory.get_network_fn('s3dg', 5)
  assert fn.default_image_size == 224
  inputs = tf.placeholder(tf.float32, [None, 8, 32, 32, 3])
  logits, end_points = fn(inputs, depth_multiplier=0.1)
  assert logits.shape.as_list() == [None, 5]
  assert logits.op.name == 'InceptionV1/Logits/SpatialSqueeze'
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    result = session.run(end_points['Predictions'], {
        inputs: np.random.RandomState(0).rand(2, 8, 32, 32, 3)})
  np.testing.assert_allclose(result.sum(1), 1, rtol=1e-5)


def test_features_without_classes():
  net, end_points = s3dg.s3dg(
      tf.zeros([2, 16, 32, 32, 3]), 0, gating_startat=None,
      final_endpoint='Mixed_3b', is_training=False)
  assert net.shape.as_list() == [2, 7, 1, 1, 256]
  assert list(end_points)[-1] == 'Mixed_3b'


@pytest.mark.parametrize('options, message', [
    (dict(first_temporal_kernel_size=2), 'must be 1, 3, 5 or 7, not 2'),
    (dict(depth_multiplier=0), 'depth_multiplier must be greater than 0'),
    (dict(temporal_conv_startat='Mixed_9'),
     "temporal_conv_startat must be None or one of Conv2d_2c_3x3, Mixed_3b.*"
     "not 'Mixed_9'"),
    (dict(gating_startat='MaxPool_3a_3x3'), 'gating_startat must be None or'),
    (dict(final_endpoint='Mixed_9'), 'Unknown final endpoint Mixed_9'),
    (dict(data_format='NHWC'), "data_format must be 'NDHWC' or 'NCDHW', not"),
    (dict(shape=[2, 32, 32, 3]), 'inputs must have five dimensions')])
def test_wrong_arguments_are_refused_before_building(options, message):
  with pytest.raises(ValueError, match=message):
    _base(**options)
  assert not tf.global_variables()


def test_gates_need_a_known_size():
  with pytest.raises(ValueError, match='pass gating_startat=None'):
    s3dg.self_gating(tf.placeholder(tf.float32, [2, None, 4, 4, 3]), 'layer')
