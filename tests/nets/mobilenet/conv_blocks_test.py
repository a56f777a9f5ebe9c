"""Tests of the blocks of the MobileNets."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets.mobilenet import conv_blocks


def _features(channels=16, size=8):
  return tf.random_uniform([2, size, size, channels], -1, 1, seed=1)


def _names(kind=None):
  return [op.name for op in tf.get_default_graph().get_operations()
          if kind is None or op.type == kind]


def _weights():
  return {v.op.name: v.shape.as_list() for v in tf.trainable_variables()}


def _run(*tensors):
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    return session.run(tensors)


@pytest.mark.parametrize('factor, divisor, expected', [
    (6, 8, 96), (88 / 24, 8, 56), (1, 1, 16), (2.3, 8, 40)])
def test_expand_input_by_factor(factor, divisor, expected):
  rule = conv_blocks.expand_input_by_factor(factor, divisor)
  assert rule(num_inputs=16) == expected


@pytest.mark.parametrize('num, ways, expected', [
    (32, 2, [16, 16]), (40, 2, [24, 16]), (40, 3, [16, 16, 8]), (8, 1, [8])])
def test_split_divisible(num, ways, expected):
  assert conv_blocks.split_divisible(num, ways) == expected


@pytest.mark.parametrize('num, ways', [(20, 2), (16, 3)])
def test_split_divisible_says_what_cannot_be_cut(num, ways):
  with pytest.raises(ValueError, match=(
      'num=%d cannot be split into num_ways=%d multiples' % (num, ways))):
    conv_blocks.split_divisible(num, ways)


def test_split_conv_in_groups():
  net = conv_blocks.split_conv(_features(32), 48, 2, scope='expand')
  assert net.shape.as_list() == [2, 8, 8, 48]
  assert _weights() == {
      'expand_part_0/weights': [1, 1, 16, 24],
      'expand_part_0/biases': [24],
      'expand_part_1/weights': [1, 1, 16, 24],
      'expand_part_1/biases': [24],
  }


@pytest.mark.parametrize('ways', [1, 4])
def test_split_conv_is_one_convolution_where_groups_would_be_thin(ways):
  conv_blocks.split_conv(_features(16), 48, ways, scope='expand')
  assert _weights()['expand/weights'] == [1, 1, 16, 48]


@pytest.mark.parametrize('scope, names', [
    (None, ['separable/depthwise', 'separable/pointwise']),
    ('Conv2d_1', ['Conv2d_1_depthwise', 'Conv2d_1_pointwise']),
])
def test_split_separable_conv2d(scope, names):
  end_points = {}
  net = conv_blocks.split_separable_conv2d(
      _features(), 24, scope=scope, stride=2, endpoints=end_points,
      normalizer_fn=slim.batch_norm)
  assert net.shape.as_list() == [2, 4, 4, 24]
  assert _weights()[names[0] + '/depthwise_weights'] == [3, 3, 16, 1]
  assert _weights()[names[1] + '/weights'] == [1, 1, 16, 24]
  assert list(end_points) == [name.split('/')[-1] for name in names]


def test_split_separable_conv2d_explicit_padding():
  net = conv_blocks.split_separable_conv2d(
      _features(), 24, rate=2, use_explicit_padding=True)
  assert net.shape.as_list() == [2, 8, 8, 24]
  assert len(_names('Pad')) == 1


def test_expanded_conv_expands_filters_projects_and_adds():
  end_points = {}
  source = _features()
  net = conv_blocks.expanded_conv(
      source, 16, normalizer_fn=slim.batch_norm, endpoints=end_points)
  assert net.op.name == 'expanded_conv/output'
  assert [name for name in _weights() if name.endswith('weights')] == [
      'expanded_conv/expand/weights',
      'expanded_conv/depthwise/depthwise_weights',
      'expanded_conv/project/weights']
  assert {name: tensor.shape.as_list()[3]
          for name, tensor in end_points.items()} == {
              'expansion_output': 96, 'depthwise_output': 96,
              'projection_output': 16}
  before, added, after = _run(source, end_points['projection_output'], net)
  np.testing.assert_allclose(before + added, after, rtol=1e-6)


def test_expanded_conv_projection_is_linear():
  end_points = {}
  conv_blocks.expanded_conv(_features(), 16, endpoints=end_points)
  expanded, projected = _run(
      end_points['expansion_output'], end_points['projection_output'])
  assert expanded.min() >= 0 > projected.min()


@pytest.mark.parametrize('arguments', [
    {'stride': 2}, {'num_outputs': 24}, {'residual': False}])
def test_expanded_conv_adds_nothing_where_shapes_differ(arguments):
  end_points = {}
  net = conv_blocks.expanded_conv(
      _features(), endpoints=end_points, **dict({'num_outputs': 16},
                                                **arguments))
  projected, after = _run(end_points['projection_output'], net)
  np.testing.assert_array_equal(projected, after)


def test_expanded_conv_residual_may_be_a_function():
  source = _features()
  net = conv_blocks.expanded_conv(
      source, 16, residual=lambda input_tensor, output_tensor: (
          0 * output_tensor - input_tensor))
  before, after = _run(source, net)
  np.testing.assert_allclose(after, -before)


def test_expanded_conv_that_does_not_expand():
  conv_blocks.expanded_conv(_features(), 24, expansion_size=16)
  assert not any('expand/' in name for name in _weights())


@pytest.mark.parametrize('location, channels', [
    ('input', 16), ('expansion', 32), ('output', 24), (None, None)])
def test_expanded_conv_depthwise_location(location, channels):
  net = conv_blocks.expanded_conv(
      _features(), 24, expansion_size=32, depthwise_location=location)
  assert net.shape.as_list() == [2, 8, 8, 24]
  filters = [shape for name, shape in _weights().items()
             if name.endswith('depthwise_weights')]
  assert filters == ([[3, 3, channels, 1]] if location else [])


def test_expanded_conv_transforms_the_expansion():
  seen = {}

  def transform(expansion_tensor, input_tensor):
    seen.update(expansion=expansion_tensor, source=input_tensor)
    return 2 * expansion_tensor

  conv_blocks.expanded_conv(_features(), 16, expansion_transform=transform)
  assert seen['expansion'].op.name == 'expanded_conv/depthwise_output'
  assert seen['source'].op.name == 'expanded_conv/input'


def test_expanded_conv_activations():
  conv_blocks.expanded_conv(
      _features(), 16, inner_activation_fn=tf.nn.relu6,
      depthwise_activation_fn=tf.nn.elu, project_activation_fn=tf.nn.tanh)
  assert _names('Relu6') == ['expanded_conv/expand/Relu6']
  assert _names('Elu') == ['expanded_conv/depthwise/Elu']
  assert _names('Tanh') == ['expanded_conv/project/Tanh']


def test_expanded_conv_in_groups():
  conv_blocks.expanded_conv(
      _features(16), 16, split_expansion=2, split_projection=2)
  weights = _weights()
  assert weights['expanded_conv/expand_part_1/weights'] == [1, 1, 8, 48]
  assert weights['expanded_conv/project_part_1/weights'] == [1, 1, 48, 8]


@pytest.mark.parametrize('rate, kernel', [
    (1, (3, 3)), (2, (3, 3)), (1, (5, 5))])
def test_expanded_conv_explicit_padding_keeps_the_size(rate, kernel):
  net = conv_blocks.expanded_conv(
      _features(), 16, rate=rate, kernel_size=kernel,
      use_explicit_padding=True)
  assert net.shape.as_list() == [2, 8, 8, 16]


@pytest.mark.parametrize('arguments, message', [
    ({'depthwise_location': 'middle'},
     "depthwise_location is 'middle'; allowed are None, 'input', 'expansion'"),
    ({'use_explicit_padding': True, 'padding': 'VALID'},
     "padding is 'VALID'; with use_explicit_padding it must be 'SAME'"),
])
def test_expanded_conv_refuses(arguments, message):
  with pytest.raises(ValueError, match=message):
    conv_blocks.expanded_conv(_features(), 16, **arguments)
  assert not tf.global_variables()


@pytest.mark.parametrize('explicit', [False, True])
def test_fused_conv_filters_in_the_expansion(explicit):
  net = conv_blocks.fused_conv(
      _features(), 24, stride=2, use_explicit_padding=explicit,
      inner_activation_fn=tf.nn.relu6)
  assert net.shape.as_list() == [2, 4, 4, 24]
  assert {name: shape for name, shape in _weights().items()
          if name.endswith('weights')} == {
              'expanded_conv/expand/weights': [3, 3, 16, 96],
              'expanded_conv/project/weights': [1, 1, 96, 24]}
  assert _names('Relu6') == ['expanded_conv/expand/Relu6']
  assert len(_names('Pad')) == explicit


def test_fused_conv_dilates():
  net = conv_blocks.fused_conv(_features(), 16, rate=2)
  assert net.shape.as_list() == [2, 8, 8, 16]
  assert len(_names('SpaceToBatchND')) == 1


def test_squeeze_excite_gates_each_channel():
  source = _features(16)
  net = conv_blocks.squeeze_excite(source, squeeze_factor=4)
  before, after, weights = _run(source, net, tf.trainable_variables())
  reduce_w, reduce_b, expand_w, expand_b = weights
  assert reduce_w.shape == (1, 1, 16, 8)
  inner = np.maximum(before.mean((1, 2)).dot(reduce_w[0, 0]) + reduce_b, 0)
  gate = 1 / (1 + np.exp(-(inner.dot(expand_w[0, 0]) + expand_b)))
  np.testing.assert_allclose(
      after, before * gate[:, None, None, :], rtol=1e-4, atol=1e-6)


def test_squeeze_excite_of_another_tensor_and_a_window():
  net = conv_blocks.squeeze_excite(
      _features(16), squeeze_input_tensor=_features(32), pool=4,
      gating_fn=tf.nn.relu6, inner_activation_fn=tf.nn.elu)
  assert net.shape.as_list() == [2, 8, 8, 16]
  assert _weights()['squeeze_excite/Conv/weights'] == [1, 1, 32, 16]
  assert len(_names('Elu')) == len(_names('Relu6')) == 1
