import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import inception_blocks as blocks
from tests.nets.inception_testing import evaluate
from tests.nets.inception_testing import images

_ROWS = [
    blocks.conv('first', 8, 3, stride=2, padding='VALID'),
    blocks.max_pool('pool', stride=2),
    blocks.mixed('module', [
        [blocks.conv('a', 4, 1)],
        [blocks.conv('a', 2, 1),
         blocks.fork(blocks.conv('b', 3, (1, 3)), blocks.conv('c', 5, (3, 1)))],
        [blocks.avg_pool('pool')]]),
    blocks.repeat('chain', [
        blocks.residual('one', [[blocks.conv('a', 2, 3)]], 0.5, tf.nn.relu),
        blocks.residual('two', [[blocks.conv('a', 2, 3)]], 0.5, None)]),
    blocks.conv('last', 6, 1),
]


def _build(inputs, final_endpoint='last', **options):
  return blocks.build(inputs, _ROWS, final_endpoint, None, 'Toy', **options)


def _variables():
  return {variable.op.name: variable.shape.as_list()
          for variable in tf.global_variables()}


def test_rows_become_layers_under_their_scopes():
  net, end_points = _build(images(2, 15, 15, 3))
  assert [(name, tensor.shape.as_list())
          for name, tensor in end_points.items()] == [
              ('first', [2, 7, 7, 8]), ('pool', [2, 4, 4, 8]),
              ('module', [2, 4, 4, 20]), ('last', [2, 4, 4, 6])]
  assert net is end_points['last']
  weights = {name: shape for name, shape in _variables().items()
             if name.endswith('weights')}
  assert weights == {
      'Toy/first/weights': [3, 3, 3, 8],
      'Toy/module/Branch_0/a/weights': [1, 1, 8, 4],
      'Toy/module/Branch_1/a/weights': [1, 1, 8, 2],
      'Toy/module/Branch_1/b/weights': [1, 3, 2, 3],
      'Toy/module/Branch_1/c/weights': [3, 1, 2, 5],
      'Toy/chain/one/Branch_0/a/weights': [3, 3, 20, 2],
      'Toy/chain/one/Conv2d_1x1/weights': [1, 1, 2, 20],
      'Toy/chain/two/Branch_0/a/weights': [3, 3, 20, 2],
      'Toy/chain/two/Conv2d_1x1/weights': [1, 1, 2, 20],
      'Toy/last/weights': [1, 1, 20, 6]}


def test_branches_are_joined_in_their_order():
  inputs = images(1, 4, 4, 2)
  joined = blocks.build_block(inputs, blocks.mixed('module', [
      [blocks.max_pool('pool', kernel=4, padding='VALID')],
      [blocks.avg_pool('pool', kernel=4, padding='VALID')]]))
  joined, given = evaluate([joined, inputs], inputs, [1, 4, 4, 2])
  np.testing.assert_allclose(
      joined[0, 0, 0],
      np.concatenate([given.max(axis=(0, 1, 2)), given.mean(axis=(0, 1, 2))]),
      rtol=1e-5)


def test_stops_at_the_final_endpoint():
  net, end_points = _build(images(2, 15, 15, 3), 'pool')
  assert list(end_points) == ['first', 'pool']
  assert net is end_points['pool']
  assert all(name.startswith('Toy/first') for name in _variables())


def test_repeat_is_recorded_under_its_end_point_only():
  rows = [blocks.repeat('chain', [blocks.conv('a', 2, 1)], end_point='Chain')]
  net, end_points = blocks.build(
      images(1, 4, 4, 3), rows, 'Chain', None, 'Toy')
  assert end_points == {'Chain': net}
  with pytest.raises(ValueError, match='final endpoint chain of Toy'):
    blocks.build(images(1, 4, 4, 3), rows, 'chain', None, 'Toy')


def test_unknown_end_point_is_refused_before_anything_is_built(graph):
  inputs = images(2, 15, 15, 3)
  before = len(graph.get_operations())
  with pytest.raises(ValueError) as error:
    _build(inputs, 'modul')
  assert str(error.value) == (
      'Unknown final endpoint modul of Toy; it has: first, pool, module, last')
  assert len(graph.get_operations()) == before


def test_nchw_joins_channels():
  _, end_points = _build(images(2, 3, 15, 15), 'last', data_format='NCHW')
  assert end_points['module'].shape.as_list() == [2, 20, 4, 4]
  assert end_points['last'].shape.as_list() == [2, 6, 4, 4]


def test_depth_multiplier_scales_convolutions():
  _, end_points = _build(
      images(2, 15, 15, 3), depth=blocks.depth_scale(0.5, min_depth=2))
  assert end_points['first'].shape.as_list()[3] == 4
  assert end_points['module'].shape.as_list()[3] == 2 + 2 + 2 + 4
  assert end_points['last'].shape.as_list()[3] == 3


@pytest.mark.parametrize('multiplier', [0, -0.5])
def test_depth_multiplier_must_be_positive(multiplier):
  with pytest.raises(ValueError) as error:
    blocks.depth_scale(multiplier, 16)
  assert str(error.value) == (
      'depth_multiplier must be above 0, for example 0.5; given %s' %
      multiplier)


def test_least_input_is_exact():
  rows = [blocks.conv('a', 2, 3, stride=2, padding='VALID'),
          blocks.mixed('b', [
              [blocks.conv('a', 2, 1), blocks.conv('b', 2, 5, padding='VALID')],
              [blocks.max_pool('c', kernel=5, padding='VALID')]]),
          blocks.conv('c', 2, 3, stride=2)]
  # A size of 3 needs 5 before stride 2 padded, 9 before unpadded kernels, and
  # 19 before stride 2.
  net, _ = blocks.build(images(1, 19, 20, 3), rows, 'c', None, 'Toy')
  assert net.shape.as_list() == [1, 3, 3, 2]
  blocks.check_input(images(1, 19, 20, 3), rows, 'Toy', 'c', min_size=3)
  with pytest.raises(ValueError) as error:
    blocks.check_input(images(1, 25, 18, 3), rows, 'Toy', 'c', min_size=3,
                       remedy='pool=False')
  assert str(error.value) == (
      'Toy needs images of at least 19x19 for a map of at least 3x3 at c; '
      'given 25x18. Give larger images or pool=False.')


def test_unknown_sides_pass():
  blocks.check_input(images(None, None, None, 3), _ROWS, 'Toy', 'last')


def test_images_must_be_a_batch():
  with pytest.raises(ValueError, match=r'Toy takes a 4-D batch of images '
                                       r'\(NHWC\); given shape \(15, 15, 3\)'):
    _build(images(15, 15, 3))


def test_small_images_are_refused_in_nchw_too():
  with pytest.raises(ValueError, match='at least 3x3 .* given 2x15'):
    _build(images(1, 3, 2, 15), data_format='NCHW')


def test_separable_convolution_has_at_most_8_filters_a_color():
  for name, depth, filters in [('wide', 64, 8), ('narrow', 16, 5)]:
    row = blocks.separable_conv(name, depth, 3, stride=2, stddev=1.0)
    net, _ = blocks.build(images(1, 8, 8, 3), [row], name, None, 'Toy')
    assert net.shape.as_list() == [1, 4, 4, depth]
    shape = _variables()[net.op.name.rsplit('/', 1)[0] + '/depthwise_weights']
    assert shape == [3, 3, 3, filters]


def test_stddev_sets_the_initial_weights():
  row = blocks.conv('a', 64, 5, stddev=0.02)
  blocks.build(images(1, 5, 5, 16), [row], 'a', None, 'Toy')
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    weights = session.run(tf.trainable_variables()[0])
  # A normal distribution cut at two deviations has 0.88 of the deviation.
  assert np.std(weights) == pytest.approx(0.88 * 0.02, rel=0.05)


def test_residual_adds_the_scaled_branches():
  row = blocks.residual('block', [[blocks.max_pool('pool', 1)]], 0.5, None)
  inputs = images(1, 2, 2, 3)
  with slim.arg_scope(
      [slim.conv2d], weights_initializer=tf.ones_initializer()):
    net = blocks.build_block(inputs, row)
  net, given = evaluate([net, inputs], inputs, [1, 2, 2, 3])
  np.testing.assert_allclose(
      net, given + 0.5 * given.sum(axis=3, keepdims=True), rtol=1e-5)


def test_residual_under_relu6_clips_what_is_added():
  row = blocks.residual(
      'block', [[blocks.max_pool('pool', 1)]], 1000.0, tf.nn.relu6)
  inputs = images(1, 2, 2, 3)
  with slim.arg_scope(
      [slim.conv2d], weights_initializer=tf.ones_initializer()):
    net = blocks.build_block(inputs, row)
  net, given = evaluate([net, inputs], inputs, [1, 2, 2, 3])
  added = np.clip(1000 * given.sum(axis=3, keepdims=True), -6, 6)
  np.testing.assert_allclose(net, np.clip(given + added, 0, 6), atol=1e-5)


def test_repeat_dilates_its_convolutions(graph):
  rows = [blocks.repeat('chain', [blocks.conv('a', 2, 3)], rate=2,
                        end_point='Chain')]
  net, _ = blocks.build(images(1, 9, 9, 3), rows, 'Chain', None, 'Toy')
  assert net.shape.as_list() == [1, 9, 9, 2]
  assert 'SpaceToBatchND' in [op.type for op in graph.get_operations()]


def test_block_alone_takes_a_scope_and_reuses_it():
  row = blocks.residual('block', [[blocks.conv('a', 2, 1)]], 1.0, tf.nn.relu)
  inputs = images(1, 2, 2, 3)
  blocks.build_block(inputs, row)
  blocks.build_block(inputs, row)
  blocks.build_block(inputs, row, scope='mine')
  known = _variables()
  assert {name.split('/')[0] for name in known} == {'block', 'block_1', 'mine'}
  blocks.build_block(inputs, row, scope='mine', reuse=True)
  assert _variables() == known
