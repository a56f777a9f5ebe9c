"""Tests of layer_utils."""
import inspect

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import alexnet
from nets import cifarnet
from nets import inception_v1
from nets import inception_v2
from nets import inception_v3
from nets import layer_utils
from nets import vgg


@pytest.mark.parametrize('kernel_size, rate, rows, columns', [
    (1, 1, (0, 0), (0, 0)),
    (3, 1, (1, 1), (1, 1)),
    (4, 1, (1, 2), (1, 2)),
    (3, 2, (2, 2), (2, 2)),
    (2, 3, (1, 2), (1, 2)),
    ((1, 7), 1, (0, 0), (3, 3)),
    ([5, 2], 2, (4, 4), (1, 1)),
])
def test_fixed_padding(kernel_size, rate, rows, columns):
  image = np.random.RandomState(0).normal(size=[2, 3, 4, 5])
  padded = layer_utils.fixed_padding(tf.constant(image), kernel_size, rate)
  channels_first = layer_utils.fixed_padding(
      tf.constant(image.transpose(0, 3, 1, 2)), kernel_size, rate, 'NCHW')
  expected = np.pad(image, [(0, 0), rows, columns, (0, 0)], 'constant')
  with tf.Session() as session:
    padded, channels_first = session.run([padded, channels_first])
  np.testing.assert_array_equal(padded, expected)
  np.testing.assert_array_equal(channels_first, expected.transpose(0, 3, 1, 2))


def test_fixed_padding_of_an_unknown_size():
  images = tf.placeholder(tf.float32, [None, None, None, 3])
  assert layer_utils.fixed_padding(images, 3).shape.as_list() == [
      None, None, None, 3]


@pytest.mark.parametrize('value, divisor, min_value, expected', [
    (32, 8, None, 32),
    (35, 8, None, 32),
    (36, 8, None, 40),
    (33.6, 8, None, 32),
    (1, 8, None, 8),
    (11, 8, None, 16),  # 8 would lose more than a tenth
    (10.24, 8, None, 16),
    (19.2, 8, 16, 24),
    (3, 8, 16, 16),
    (7, 1, None, 7),
    (9.6, 3, 3, 9),
])
def test_make_divisible(value, divisor, min_value, expected):
  result = layer_utils.make_divisible(value, divisor, min_value)
  assert result == expected
  assert isinstance(result, int)


def test_make_divisible_loses_at_most_a_tenth():
  for value in range(1, 400):
    result = layer_utils.make_divisible(value, 8)
    assert result % 8 == 0
    assert 0.9 * value <= result < value + 8


@pytest.mark.parametrize('sizes, expected', [
    ([8, 8], [7, 5]), ([7, 5], [7, 5]), ([3, 8], [3, 5]), ([2, 2], [2, 2]),
    ([None, 4], [7, 4]), ([None, None], [7, 5])])
def test_small_input_kernel(sizes, expected):
  images = tf.placeholder(tf.float32, [1] + sizes + [3])
  assert layer_utils.small_input_kernel(images, [7, 5]) == expected


def test_scaled_size():
  images = tf.placeholder(tf.float32, [None, 5, None, 3])
  height, width = layer_utils.scaled_size(images, (2, 3))
  assert height == 10
  with tf.Session() as session:
    assert session.run(width, {images: np.zeros([1, 5, 7, 3])}) == 21


def test_squeeze():
  logits = layer_utils.squeeze(tf.zeros([2, 1, 1, 5]), name='fc8/squeezed')
  assert logits.shape.as_list() == [2, 5]
  assert logits.op.name == 'fc8/squeezed'
  unknown = tf.placeholder(tf.float32, [None, None, 1, 5])
  assert layer_utils.squeeze(unknown).op.name == 'SpatialSqueeze'


@pytest.mark.parametrize('remedy', [
    (), ('smaller images',)], ids=['default', 'given'])
def test_only_one_position_can_be_squeezed(remedy):
  logits = tf.zeros([2, 1, 3, 5], name='logits')
  with pytest.raises(ValueError, match=(
      'logits has size 1x3, and only 1x1 can be squeezed; give %s' % (
          remedy or ('global_pool=True, or spatial_squeeze=False',)))):
    layer_utils.squeeze(logits, *remedy)


def _network(images, width=1.0, scope='Net'):
  """Builds it."""
  return images, width, scope


_network.default_image_size = 96


def test_variant_binds_and_keeps_what_its_users_read():
  half = layer_utils.variant(_network, width=0.5)
  assert half('images') == ('images', 0.5, 'Net')
  assert half('images', width=2, scope='Other') == ('images', 2, 'Other')
  assert half.__name__ == '_network'
  assert half.__doc__ == 'Builds it.'
  assert half.default_image_size == 96
  assert half.func is _network and half.keywords == {'width': 0.5}
  assert 'scope' in inspect.signature(half).parameters


def test_check_final_endpoint():
  layer_utils.check_final_endpoint('Conv1', ['Conv1', 'Conv2'], 'net')
  with pytest.raises(ValueError, match=(
      'Unknown final endpoint Conv3 of net; it has: Conv1, Conv2')):
    layer_utils.check_final_endpoint('Conv3', ['Conv1', 'Conv2'], 'net')


@pytest.mark.parametrize('output_stride, expected', [
    (None, [(2, 1), (1, 1), (2, 1), (2, 1)]),
    (8, [(2, 1), (1, 1), (2, 1), (2, 1)]),
    (4, [(2, 1), (1, 1), (2, 1), (1, 1)]),
    (2, [(2, 1), (1, 1), (1, 1), (1, 2)]),
    (1, [(1, 1), (1, 2), (1, 2), (1, 4)]),
])
def test_strides_and_rates(output_stride, expected):
  assert list(layer_utils.strides_and_rates(
      [2, 1, 2, 2], output_stride)) == expected


@pytest.mark.parametrize('shape', [[2, None, 8, 3], [2, 8, 3], None])
def test_check_static_size(shape):
  layer_utils.check_static_size(np.zeros([2, 8, 8, 3]), 'net')
  with pytest.raises(ValueError, match=(
      'net needs images of shape .*; got shape .* Set the size with')):
    layer_utils.check_static_size(tf.placeholder(tf.float32, shape), 'net')


def test_check_nhwc():
  layer_utils.check_nhwc('net')
  with slim.arg_scope([slim.conv2d], data_format='NHWC'):
    layer_utils.check_nhwc('net')
  with slim.arg_scope([slim.conv2d], data_format='NCHW'):
    with pytest.raises(ValueError, match='net computes in NHWC only'):
      layer_utils.check_nhwc('net')


@pytest.mark.parametrize('module', [
    alexnet, cifarnet, inception_v1, inception_v2, inception_v3, vgg])
def test_trunc_normal_of_the_modules_that_have_it_in_slim(module):
  initializer = module.trunc_normal(0.5)
  assert isinstance(initializer, tf.initializers.truncated_normal)
  assert (initializer.mean, initializer.stddev) == (0.0, 0.5)
