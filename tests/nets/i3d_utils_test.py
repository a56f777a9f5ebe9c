"""Tests of i3d_utils."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import i3d_utils


def _variables():
  return {v.op.name: v.shape.as_list() for v in tf.model_variables()}


def test_whole_convolution_has_one_kernel():
  with slim.arg_scope(i3d_utils.i3d_arg_scope()):
    net = i3d_utils.conv3d_spatiotemporal(
        tf.zeros([2, 6, 8, 8, 3]), 5, [3, 3, 3], stride=2, scope='conv')
  assert net.shape.as_list() == [2, 3, 4, 4, 5]
  assert _variables() == {
      'conv/weights': [3, 3, 3, 3, 5], 'conv/BatchNorm/beta': [5],
      'conv/BatchNorm/moving_mean': [5],
      'conv/BatchNorm/moving_variance': [5]}


def test_separable_convolution_has_a_kernel_for_space_and_one_for_time():
  with slim.arg_scope(i3d_utils.i3d_arg_scope(separable_conv3d=True)):
    net = i3d_utils.conv3d_spatiotemporal(
        tf.zeros([2, 6, 8, 8, 3]), 5, [3, 3, 3], stride=[1, 2, 2],
        scope='conv')
    i3d_utils.conv3d_spatiotemporal(net, 4, [1, 3, 3], scope='flat')
  assert net.shape.as_list() == [2, 6, 4, 4, 5]
  shapes = _variables()
  assert shapes['conv/weights'] == [1, 3, 3, 3, 5]
  assert shapes['conv/temporal/weights'] == [3, 1, 1, 5, 5]
  assert shapes['conv/temporal/biases'] == [5]
  assert 'conv/temporal/BatchNorm/beta' not in shapes
  assert 'flat/temporal/weights' not in shapes
  assert len(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)) == 3


def test_kernel_over_time_starts_as_the_identity():
  net = tf.constant(np.random.RandomState(0).rand(1, 4, 2, 2, 3), tf.float32)
  kernel = i3d_utils.center_initializer()([3, 1, 1, 3, 3], tf.float32)
  with tf.Session() as session:
    before, after = session.run([net, tf.nn.conv3d(
        net, kernel, [1, 1, 1, 1, 1], 'SAME')])
  np.testing.assert_allclose(after, before, rtol=1e-6)


@pytest.mark.parametrize(
    'shape', [[3, 1, 1, 3, 4], [2, 1, 1, 3, 3], [3, 3, 1, 3, 3], [3, 3, 3]])
def test_kernel_over_time_of_another_shape_is_refused(shape):
  with pytest.raises(ValueError, match=r'must have shape \[odd, 1, 1, n, n\]'):
    i3d_utils.center_initializer()(shape)


def test_kernel_size_has_three_numbers():
  with pytest.raises(ValueError, match='kernel_size must be three ints'):
    i3d_utils.conv3d_spatiotemporal(tf.zeros([1, 2, 2, 2, 1]), 3, [3, 3])


@pytest.mark.parametrize('data_format, shape, expected', [
    ('NDHWC', [2, 4, 6, 6, 8], [2, 4, 6, 6, 10]),
    ('NCDHW', [2, 8, 4, 6, 6], [2, 10, 4, 6, 6])])
def test_block_concatenates_four_gated_branches(data_format, shape, expected):
  gated = []

  def gate(net, scope, data_format):
    gated.append((scope, data_format))
    return net

  with slim.arg_scope(
      [slim.conv3d, slim.max_pool3d, i3d_utils.conv3d_spatiotemporal],
      stride=1, padding='SAME', data_format=data_format):
    net = i3d_utils.inception_block_v1_3d(
        tf.zeros(shape), 1, 2, 3, 1, 4, 2, self_gating_fn=gate,
        data_format=data_format, scope='Mixed')
  assert net.shape.as_list() == expected
  assert gated == [(name, data_format) for name in (
      'Conv2d_0a_1x1', 'Conv2d_0b_3x3', 'Conv2d_0b_3x3', 'Conv2d_0b_1x1')]
  assert _variables()['Mixed/Branch_1/Conv2d_0b_3x3/weights'] == [
      3, 3, 3, 2, 3]


@pytest.mark.parametrize('shape, expected', [
    ([1, 4, 9, 9, 3], [2, 7, 7]), ([1, 1, 5, 7, 3], [1, 5, 7]),
    ([1, None, 5, None, 3], [2, 5, 7])])
def test_window_is_cut_to_the_input(shape, expected):
  inputs = tf.placeholder(tf.float32, shape)
  assert i3d_utils.reduced_kernel_size_3d(inputs, [2, 7, 7]) == expected


@pytest.mark.parametrize('renorm', [False, True])
def test_arg_scope_normalizes_without_fusing(renorm):
  scope = i3d_utils.i3d_arg_scope(use_renorm=renorm)
  # pylint: disable=protected-access
  settings = scope[slim.conv3d._key_op]['normalizer_params']
  assert settings['decay'] == 0.999 and settings['epsilon'] == 0.001
  assert settings['renorm'] is renorm and settings['fused'] is False
