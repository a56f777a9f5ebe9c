"""Tests of nets.pix2pix."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import pix2pix

METHODS = ('nn_upsample_conv', 'conv2d_transpose')
FILTERS = [2, 3, 4, 5]


@pytest.fixture(autouse=True)
def arg_scope(graph):
  del graph  # Must be created before the scope opens.
  with slim.arg_scope(pix2pix.pix2pix_arg_scope()):
    yield


def blocks(keep_prob=0):
  return [pix2pix.Block(filters, keep_prob) for filters in (2, 3, 4)]


def shapes(end_points):
  return {name: value.shape.as_list() for name, value in end_points.items()}


def run_twice(graph, tensor, feed=None):
  with tf.Session(graph=graph) as session:
    session.run(tf.global_variables_initializer())
    return session.run(tensor, feed), session.run(tensor, feed)


def test_default_blocks():
  # pylint: disable-next=protected-access
  default = pix2pix._default_generator_blocks()
  assert default == [
      (64, .5), (128, .5), (256, .5), (512, 0), (512, 0), (512, 0), (512, 0)]
  assert default[0].num_filters == 64
  assert default[0].decoder_keep_prob == .5


def test_default_generator_reaches_one_pixel():
  _, end_points = pix2pix.pix2pix_generator(tf.zeros([1, 128, 128, 3]), 3)
  assert end_points['encoder6'].shape.as_list() == [1, 1, 1, 512]
  assert end_points['predictions'].shape.as_list() == [1, 128, 128, 3]


@pytest.mark.parametrize('method', METHODS)
def test_generator_is_a_u(method):
  logits, end_points = pix2pix.pix2pix_generator(
      tf.zeros([2, 16, 24, 3]), 4, blocks(), method)
  assert logits is end_points['logits']
  assert shapes(end_points) == {
      'encoder0': [2, 8, 12, 2],
      'encoder1': [2, 4, 6, 3],
      'encoder2': [2, 2, 3, 4],
      'decoder0': [2, 4, 6, 4],
      'decoder1': [2, 8, 12, 3],
      'decoder2': [2, 16, 24, 2],
      'logits': [2, 16, 24, 4],
      'predictions': [2, 16, 24, 4]}


def test_decoder_sees_the_encoder():
  pix2pix.pix2pix_generator(tf.zeros([2, 16, 16, 3]), 4, blocks())
  inputs = [v.shape.as_list()[2] for v in tf.trainable_variables('decoder')
            if v.op.name.endswith('weights')]
  assert inputs == [4, 4 + 3, 3 + 2]


@pytest.mark.parametrize('method', METHODS)
def test_unknown_shapes_run(graph, method):
  net = tf.placeholder(tf.float32, [None, None, None, 3])
  logits, end_points = pix2pix.pix2pix_generator(net, 2, blocks(), method)
  assert logits.shape.as_list() == [None, None, None, 2]
  images, again = run_twice(
      graph, end_points['predictions'], {net: np.ones([3, 8, 16, 3])})
  assert images.shape == (3, 8, 16, 2)
  assert np.abs(images).max() <= 1
  np.testing.assert_array_equal(images, again)


def test_dropout_is_active_after_training(graph):
  images = tf.random_uniform([1, 16, 16, 3], -1, 1, seed=1)
  images = tf.Variable(images, trainable=False)
  logits, _ = pix2pix.pix2pix_generator(
      images, 3, blocks(keep_prob=0.5), is_training=False)
  one, other = run_twice(graph, logits)
  assert np.abs(one - other).max() > 1e-3


def test_an_arg_scope_stops_dropout(graph):
  images = tf.Variable(tf.random_uniform([1, 16, 16, 3]), trainable=False)
  with slim.arg_scope([slim.dropout], is_training=False):
    logits, _ = pix2pix.pix2pix_generator(images, 3, blocks(keep_prob=0.5))
  one, other = run_twice(graph, logits)
  np.testing.assert_array_equal(one, other)


def test_generator_end_layers_are_not_normalized():
  pix2pix.pix2pix_generator(tf.zeros([2, 16, 16, 3]), 4, blocks())
  biased = [v.op.name for v in tf.trainable_variables()
            if v.op.name.endswith('biases')]
  assert biased == [
      'encoder/Conv/biases', 'encoder/Conv_2/biases', 'output/Conv/biases']


@pytest.mark.parametrize('padding, sizes', [
    (0, [31, 14, 11, 8]), (1, [32, 16, 15, 14]), (2, [33, 17, 18, 19])])
def test_discriminator_sizes(padding, sizes):
  logits, end_points = pix2pix.pix2pix_discriminator(
      tf.zeros([2, 64, 64, 3]), FILTERS[:3], padding=padding)
  assert logits is end_points['logits']
  assert [value.shape.as_list() for value in end_points.values()] == [
      [2, size, size, channels]
      for size, channels in zip(sizes + sizes[-1:], FILTERS[:3] + [1, 1])]


def test_discriminator_judges_patches(graph):
  half = np.ones([1, 64, 64, 1], np.float32)
  half[:, :, 32:] = -1
  logits, end_points = pix2pix.pix2pix_discriminator(
      tf.constant(half), FILTERS[:2])
  values, _ = run_twice(graph, [logits, end_points['predictions']])
  np.testing.assert_allclose(values[1], 1 / (1 + np.exp(-values[0])), rtol=1e-5)
  # Rows are alike and columns are not, as in the image.
  assert np.abs(np.ptp(values[0], axis=1)).max() < 1e-5
  assert np.ptp(values[0][0, 16, :, 0]) > 1e-3


@pytest.mark.parametrize('mode, op_type', [
    ('REFLECT', 'MirrorPad'), ('SYMMETRIC', 'MirrorPad'),
    ('CONSTANT', 'Pad'), ('constant', 'Pad')])
def test_pad_mode(graph, mode, op_type):
  pix2pix.pix2pix_discriminator(
      tf.zeros([1, 16, 16, 3]), FILTERS[:2], pad_mode=mode)
  found = [op for op in graph.get_operations() if op.type.endswith('Pad')]
  assert [op.type for op in found] == [op_type] * 3


def test_activation_fn(graph):
  pix2pix.pix2pix_discriminator(
      tf.zeros([1, 32, 32, 3]), FILTERS, activation_fn=tf.nn.elu)
  types = [op.type for op in graph.get_operations()]
  assert types.count('Elu') == len(FILTERS)
  assert 'LeakyRelu' not in types


def test_discriminator_first_and_last_layers_are_not_normalized():
  pix2pix.pix2pix_discriminator(tf.zeros([1, 32, 32, 3]), FILTERS)
  assert [v.op.name for v in tf.trainable_variables()
          if v.op.name.endswith('biases')] == ['conv0/biases', 'conv4/biases']


@pytest.mark.parametrize('shape, message', [
    ([2, 20, 16, 3], r'The height of net must be a multiple of 8 \(2 \*\* '
     r'number of blocks\); got 20. Give fewer blocks or '),
    ([2, None, 12, 3], 'The width of net must be a multiple of 8 .* got 12'),
    ([16, 16, 3], r'net must have the shape \[batch, height, width, '
     r'channels\]; got shape \(16, 16, 3\)'),
    (None, 'net must have the shape .*; got shape <unknown>')])
def test_generator_refuses_sizes(shape, message):
  with pytest.raises(ValueError, match=message):
    pix2pix.pix2pix_generator(tf.placeholder(tf.float32, shape), 3, blocks())
  assert not tf.global_variables()


def test_generator_refuses_a_method():
  with pytest.raises(ValueError, match='Unknown upsample_method deconv; it is '
                     'one of: nn_upsample_conv, conv2d_transpose'):
    pix2pix.pix2pix_generator(
        tf.zeros([2, 16, 16, 3]), 3, blocks(), upsample_method='deconv')
  assert not tf.global_variables()


def test_upsample_refuses_a_method():
  with pytest.raises(ValueError, match='Unknown method bilinear; it is one '):
    pix2pix.upsample(tf.zeros([2, 4, 4, 3]), 3, [2, 2], method='bilinear')


@pytest.mark.parametrize('arguments, error, message', [
    ({'padding': -1}, ValueError, 'padding must be 0 or more, got -1'),
    ({'padding': 1.5}, TypeError, 'padding must be an int, got 1.5'),
    ({'pad_mode': 'MIRROR'}, ValueError, 'Unknown pad_mode MIRROR; it is one '
     'of: CONSTANT, REFLECT, SYMMETRIC'),
    ({'num_filters': [64]}, ValueError, r'num_filters must have two or '
     r'more entries, got \[64\]')])
def test_discriminator_refuses(arguments, error, message):
  arguments = dict({'num_filters': FILTERS}, **arguments)
  with pytest.raises(error, match=message):
    pix2pix.pix2pix_discriminator(tf.zeros([2, 64, 64, 3]), **arguments)
  assert not tf.global_variables()
