"""Tests of nets.cyclegan."""
import functools

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import cyclegan

METHODS = ('conv2d_transpose', 'nn_upsample_conv', 'bilinear_upsample_conv')

small = functools.partial(
    cyclegan.cyclegan_generator_resnet, num_resnet_blocks=1, num_filters=2)


def run(graph, tensor, feed=None):
  with tf.Session(graph=graph) as session:
    session.run(tf.global_variables_initializer())
    return session.run(tensor, feed)


def test_defaults():
  predictions, end_points = cyclegan.cyclegan_generator_resnet(
      tf.zeros([1, 32, 32, 3]))
  assert predictions is end_points['predictions']
  assert list(end_points) == (
      ['encoder_%d' % i for i in range(3)]
      + ['resnet_block_%d' % i for i in range(6)]
      + ['decoder1', 'decoder2', 'logits', 'predictions'])
  assert end_points['resnet_block_5'].shape.as_list() == [1, 8, 8, 256]


@pytest.mark.parametrize('kernel_size', [3, 4, 5, 7])
@pytest.mark.parametrize('height, width', [(16, 16), (20, 40)])
def test_output_has_the_shape_of_the_input(height, width, kernel_size):
  images = tf.zeros([2, height, width, 1])
  predictions, end_points = small(images, kernel_size=kernel_size)
  assert predictions.shape == images.shape
  assert end_points['encoder_2'].shape.as_list() == [
      2, height // 4, width // 4, 8]


@pytest.mark.parametrize('method', METHODS)
def test_unknown_shapes_run(graph, method):
  images = tf.placeholder(tf.float32, [None, None, None, 3])
  predictions, _ = small(images, upsample_fn=functools.partial(
      cyclegan.cyclegan_upsample, method=method))
  values = run(graph, predictions, {images: np.ones([2, 12, 8, 3])})
  assert values.shape == (2, 12, 8, 3)
  assert np.abs(values).max() <= 1


@pytest.mark.parametrize('method', METHODS)
def test_static_shape_survives_an_unknown_batch_size(method):
  images = tf.placeholder(tf.float32, [None, 8, 12, 3])
  predictions, _ = small(images, upsample_fn=functools.partial(
      cyclegan.cyclegan_upsample, method=method))
  assert predictions.shape.as_list() == [None, 8, 12, 3]


def test_slope_adds_the_logits(graph):
  images = tf.random_uniform([1, 8, 8, 3], -1, 1)
  predictions, end_points = small(images, tanh_linear_slope=0.5)
  got, logits = run(graph, [predictions, end_points['logits']])
  np.testing.assert_allclose(got, np.tanh(logits) + 0.5 * logits, rtol=1e-5)


def test_transposed_convolution_drops_the_first_row_and_column(graph):
  pixel = np.zeros([1, 2, 2, 1], np.float32)
  pixel[0, 0, 0, 0] = 1
  with slim.arg_scope([slim.conv2d_transpose],
                      weights_initializer=tf.ones_initializer()):
    net = cyclegan.cyclegan_upsample(tf.constant(pixel), 1, [2, 2])
  # The kernel covers rows and columns 0 to 2 before.
  expected = np.zeros([4, 4])
  expected[:2, :2] = 1
  np.testing.assert_array_equal(run(graph, net)[0, :, :, 0], expected)


@pytest.mark.parametrize('method, align_corners, row', [
    ('nn_upsample_conv', False, [0, 0, 0, 1, 1, 1]),
    ('bilinear_upsample_conv', False, [0, 1 / 3, 2 / 3, 1, 1, 1]),
    ('bilinear_upsample_conv', True, [0, 0.2, 0.4, 0.6, 0.8, 1])])
def test_resizing_precedes_the_convolution(graph, method, align_corners, row):
  pixels = tf.constant([[[[0.], [1.]]]])
  with slim.arg_scope([slim.conv2d], weights_initializer=_identity_kernel):
    net = cyclegan.cyclegan_upsample(
        pixels, 1, [2, 3], method=method, align_corners=align_corners)
  np.testing.assert_allclose(run(graph, net)[0, :, :, 0], [row] * 2, rtol=1e-6)


def _identity_kernel(shape, dtype=None, partition_info=None):
  del partition_info
  kernel = np.zeros(shape)
  kernel[1, 1] = 1
  return tf.constant(kernel, dtype)


@pytest.mark.parametrize('pad_mode, corner', [
    ('CONSTANT', 4), ('REFLECT', 9), ('symmetric', 9)])
def test_pad_mode(graph, pad_mode, corner):
  with slim.arg_scope([slim.conv2d],
                      weights_initializer=tf.ones_initializer()):
    net = cyclegan.cyclegan_upsample(
        tf.ones([1, 2, 2, 1]), 1, [2, 2], method='nn_upsample_conv',
        pad_mode=pad_mode)
  assert run(graph, net)[0, 0, 0, 0] == corner


def test_arg_scope():
  with slim.arg_scope(cyclegan.cyclegan_arg_scope(
      instance_norm_center=False, weight_decay=0.1)):
    slim.conv2d(tf.zeros([1, 4, 4, 2]), 3, 3)
    slim.conv2d_transpose(tf.zeros([1, 4, 4, 2]), 3, 3)
  assert [v.op.name for v in tf.global_variables()] == [
      'Conv/weights', 'Conv/InstanceNorm/gamma',
      'Conv2d_transpose/weights', 'Conv2d_transpose/biases']
  assert len(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)) == 1


def test_no_regularization_by_default():
  small(tf.zeros([1, 8, 8, 3]))
  assert not tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)


def test_arg_scope_fn_is_used():
  small(tf.zeros([1, 8, 8, 3]), arg_scope_fn=functools.partial(
      cyclegan.cyclegan_arg_scope, instance_norm_scale=False))
  names = [v.op.name for v in tf.global_variables()]
  assert not [name for name in names if name.endswith('gamma')]
  assert [name for name in names if name.endswith('beta')]


@pytest.mark.parametrize('shape, kernel_size, message', [
    ([2, 30, 32, 3], 3, 'The input height must be a multiple of 4. It must be '
     'at least 8 with kernel_size 3; got 30'),
    ([2, 32, 30, 3], 3, 'The input width must be a multiple of 4. It must be '
     'at least 8 with kernel_size 3; got 30'),
    ([2, 4, 32, 3], 3, 'The input height .* got 4'),
    ([2, None, 8, 3], 4, 'The input width .* at least 12 with kernel_size 4; '
     'got 8'),
    ([16, 16, 3], 3, r'images must have the shape \[batch, height, width, '
     r'channels\]; got shape \(16, 16, 3\)'),
    (None, 3, 'images must have the shape .*; got shape <unknown>')])
def test_refuses_sizes(shape, kernel_size, message):
  with pytest.raises(ValueError, match=message):
    small(tf.placeholder(tf.float32, shape), kernel_size=kernel_size)
  assert not tf.global_variables()


@pytest.mark.parametrize('kernel_size, size', [(1, 4), (3, 8), (4, 12)])
def test_smallest_size_runs(graph, kernel_size, size):
  predictions, _ = small(tf.zeros([1, size, size, 3]), kernel_size=kernel_size)
  assert run(graph, predictions).shape == (1, size, size, 3)


@pytest.mark.parametrize('arguments, message', [
    ({'method': 'nearest'}, 'Unknown method nearest; it is one of: '
     'conv2d_transpose, nn_upsample_conv, bilinear_upsample_conv'),
    ({'pad_mode': 'MIRROR'}, 'Unknown pad_mode MIRROR; it is one of: '
     'CONSTANT, REFLECT, SYMMETRIC'),
    ({'stride': [4, 4]}, r'stride must be \[2, 2\] with method '
     r'conv2d_transpose, got \[4, 4\]; the methods nn_upsample_conv and '
     'bilinear_upsample_conv accept others')])
def test_upsample_refuses(arguments, message):
  arguments = dict({'stride': [2, 2]}, **arguments)
  with pytest.raises(ValueError, match=message):
    cyclegan.cyclegan_upsample(tf.zeros([1, 4, 4, 2]), 2, **arguments)
