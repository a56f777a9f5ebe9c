"""Tests of the cells and their parts."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets.nasnet import nasnet_utils


def _scope(data_format='NHWC'):
  with slim.arg_scope(
      [slim.avg_pool2d, slim.batch_norm, slim.conv2d, slim.max_pool2d,
       slim.separable_conv2d, nasnet_utils.factorized_reduction,
       nasnet_utils.get_channel_dim, nasnet_utils.get_channel_index],
      data_format=data_format) as scope:
    return scope


@pytest.mark.parametrize('cells, reductions, expected', [
    (18, 2, [6, 12]), (12, 2, [4, 8]), (9, 2, [3, 6]), (3, 2, [1, 2]),
    (10, 1, [5]), (10, 0, [])])
def test_reductions_are_spread_evenly(cells, reductions, expected):
  assert nasnet_utils.calc_reduction_layers(cells, reductions) == expected


def test_channels_of_both_layouts():
  assert nasnet_utils.get_channel_index('NHWC') == 3
  assert nasnet_utils.get_channel_index('NCHW') == 1
  assert nasnet_utils.get_channel_dim([10, 20, 30, 40], 'NHWC') == 40
  assert nasnet_utils.get_channel_dim(
      tf.TensorShape([None, 20, 30, 40]), 'NCHW') == 20
  with slim.arg_scope(
      [nasnet_utils.get_channel_index], data_format='NCHW'):
    assert nasnet_utils.get_channel_index() == 1


def test_missing_data_format_and_wrong_rank_are_explained():
  with pytest.raises(ValueError, match="'NHWC' or 'NCHW', not 'null'; pass"):
    nasnet_utils.get_channel_index()
  with pytest.raises(ValueError, match='shape must have four dimensions'):
    nasnet_utils.get_channel_dim([1, 2], 'NHWC')
  with pytest.raises(ValueError, match='x must have four dimensions'):
    nasnet_utils.global_avg_pool(tf.zeros([2, 3]), 'NHWC')


def test_global_average_in_both_layouts():
  values = np.random.RandomState(0).rand(2, 3, 5, 4).astype(np.float32)
  with tf.Session() as session:
    last, first = session.run([
        nasnet_utils.global_avg_pool(tf.constant(values), 'NHWC'),
        nasnet_utils.global_avg_pool(
            tf.constant(values.transpose(0, 3, 1, 2)), 'NCHW')])
  np.testing.assert_allclose(last, values.mean((1, 2)), rtol=1e-5)
  np.testing.assert_allclose(first, last, rtol=1e-5)


def test_factorized_reduction_sees_even_and_odd_pixels():
  """With kernels of ones, the halves are samples of the image."""
  image = np.arange(30, dtype=np.float32).reshape(1, 5, 6, 1)
  with slim.arg_scope(
      [slim.conv2d], weights_initializer=tf.ones_initializer(),
      activation_fn=None):
    with slim.arg_scope([slim.batch_norm], is_training=False, epsilon=0.0):
      net = nasnet_utils.factorized_reduction(
          tf.constant(image), 3, 2, 'NHWC')
  assert net.shape.as_list() == [1, 3, 3, 3]
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    result = session.run(net)[0]
  even = image[0, ::2, ::2, 0]
  odd = np.zeros((3, 3))
  odd[:2] = image[0, 1::2, 1::2, 0]
  np.testing.assert_allclose(result[..., 0], even, rtol=1e-4)
  # The second path takes the filter that halving leaves over.
  np.testing.assert_allclose(result[..., 1], odd, rtol=1e-4)
  np.testing.assert_allclose(result[..., 2], odd, rtol=1e-4)


@pytest.mark.parametrize('data_format, shape, expected', [
    ('NHWC', [2, 8, 7, 4], [2, 4, 4, 6]), ('NCHW', [2, 4, 8, 7], [2, 6, 4, 4])])
def test_factorized_reduction_shapes(data_format, shape, expected):
  with slim.arg_scope(_scope(data_format)):
    halved = nasnet_utils.factorized_reduction(tf.zeros(shape), 6, 2)
    kept = nasnet_utils.factorized_reduction(tf.zeros(shape), 6, 1)
  assert halved.shape.as_list() == expected
  sizes = [shape[data_format.index(axis)] for axis in 'NHW']
  assert [kept.shape.as_list()[data_format.index(axis)]
          for axis in 'NHW'] == sizes


def test_one_filter_cannot_be_halved():
  with pytest.raises(ValueError, match='output_filters must be at least 2'):
    nasnet_utils.factorized_reduction(tf.zeros([1, 4, 4, 2]), 1, 2, 'NHWC')


def test_drop_path_drops_whole_examples_and_scales_the_rest():
  tf.set_random_seed(1)
  net = nasnet_utils.drop_path(tf.ones([2000, 2, 3, 1]), 0.8)
  with tf.Session() as session:
    result = session.run(net).reshape(2000, -1)
  assert np.all(result == result[:, :1])
  kept = result[:, 0] > 0
  np.testing.assert_allclose(result[kept], 1.25, rtol=1e-5)
  assert abs(kept.mean() - 0.8) < 0.03


def test_drop_path_leaves_inference_alone():
  net = tf.ones([2, 2, 3, 1])
  assert nasnet_utils.drop_path(net, 0.5, is_training=False) is net


def test_global_step_is_made_outside_of_all_scopes():
  with tf.variable_scope('cell_0'):
    step = nasnet_utils.global_step()
    assert nasnet_utils.global_step() is step
  assert step.op.name == 'global_step'
  assert tf.train.get_global_step() is step


def _keep_probs(monkeypatch, cell_num, step):
  """Returns the keep probability of each path of a cell of ten."""
  seen = []

  def record(net, keep_prob):
    seen.append(keep_prob)
    return net

  monkeypatch.setattr(nasnet_utils, 'drop_path', record)
  cell = nasnet_utils.NasNetANormalCell(2, 0.6, 10, 1000)
  with slim.arg_scope(_scope()):
    cell(tf.zeros([1, 4, 4, 2]), scope='cell', cell_num=cell_num,
         current_step=step)
  with tf.Session() as session:
    return session.run(seen)


@pytest.mark.parametrize('cell_num, step, expected', [
    (9, 1000, 0.6), (9, 5000, 0.6), (9, 0, 1.0), (4, 1000, 0.8),
    (4, 500, 0.9)])
def test_paths_are_dropped_more_with_depth_and_steps(
    monkeypatch, cell_num, step, expected):
  keep_probs = _keep_probs(monkeypatch, cell_num, tf.constant(step))
  # Five separable convolutions and three poolings; identities are kept.
  assert len(keep_probs) == 8
  np.testing.assert_allclose(keep_probs, expected, rtol=1e-5)


@pytest.mark.parametrize('cell, stride, expected', [
    (nasnet_utils.NasNetANormalCell, 1, [2, 8, 8, 24]),
    (nasnet_utils.NasNetAReductionCell, 2, [2, 4, 4, 16])])
def test_cells_keep_or_halve_the_size(cell, stride, expected):
  with slim.arg_scope(_scope()):
    net = cell(2, 1.0, 10, 1000)(
        tf.zeros([2, 8, 8, 6]), 'cell', 2, stride, tf.zeros([2, 16, 16, 5]))
  assert net.shape.as_list() == expected
  names = {v.op.name for v in tf.global_variables()}
  assert 'cell/final_path_bn/gamma' not in names  # slim scales on request only
  assert 'cell/path1_conv/weights' in names
  assert 'cell/comb_iter_0/left/separable_5x5_1/depthwise_weights' in names


def test_base_cell_takes_operations_of_ones_own():
  cell = nasnet_utils.NasNetABaseCell(
      4, ['max_pool_2x2', 'none', 'separable_3x3_1', 'none'], [1, 1, 1, 0],
      [0, 1, 2, 0], 1.0, 1, 1)
  with slim.arg_scope(_scope()):
    net = cell(tf.zeros([2, 8, 8, 6]), scope='mine')
  assert net.shape.as_list() == [2, 8, 8, 4]


@pytest.mark.parametrize('operations, used, indices, message', [
    (['separable_3x3', 'none'], [0, 0, 0], [0, 1],
     'Unknown operation separable_3x3; did you mean separable_3x3_'),
    (['none'], [0, 0, 0], [0, 1],
     'n [+] 2 used_hiddenstates, not 1, 2 and 3'),
    (['none', 'none'], [0, 0], [0, 1], 'not 2, 2 and 2'),
    (['none', 'none'], [0, 0, 0], [0, 2],
     r'hiddenstate_indices\[1\] must be in \[0, 2\), .* not 2')])
def test_wrong_cells_are_refused(operations, used, indices, message):
  with pytest.raises(ValueError, match=message):
    nasnet_utils.NasNetABaseCell(4, operations, used, indices, 1.0, 1, 1)


@pytest.mark.parametrize('size', [4, 5])
def test_pools_of_keras_see_zeros(size):
  """At even sizes below and on the right, at odd ones on all sides."""
  cell = nasnet_utils.NasNetABaseCell(
      32, ['max_pool_3x3'] * 2, [1, 1, 0], [0, 0], 1.0, 1, 1)
  images = np.random.RandomState(0).rand(1, size, size, 4).astype(np.float32)
  outputs = []
  for functions in (), (slim.avg_pool2d,), (slim.max_pool2d,):
    with tf.Graph().as_default(), tf.Session() as session, (
        nasnet_utils.zeros_pooled(*functions)), slim.arg_scope(
            _scope()), slim.arg_scope(
            [slim.conv2d], weights_initializer=slim.initializers
            .variance_scaling_initializer(seed=1), activation_fn=None):
      net = cell(tf.constant(images), stride=2)
      session.run(tf.global_variables_initializer())
      outputs.append(session.run(net)[0])
  ignored, other, seen = outputs
  np.testing.assert_array_equal(other, ignored)  # There is no average.
  first = size % 2
  expected = np.maximum(ignored, 0)
  inner = slice(first, -1)
  expected[inner, inner] = ignored[inner, inner]
  np.testing.assert_array_equal(seen, expected)
  assert (seen != ignored).any()
