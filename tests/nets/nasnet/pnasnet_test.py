"""Tests of PNASNet-5, on networks of three narrow cells.

Where the cell itself does not matter, `simple_cell` makes it cheap.
"""
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import nets_factory
from nets.nasnet import cells
from nets.nasnet import pnasnet


@pytest.fixture
def simple_cell(monkeypatch):
  """Replaces the table of the cell by two combinations."""
  rows = (cells.Combination('separable_3x3_1', 0, 'max_pool_3x3', 1),
          cells.Combination('avg_pool_3x3', 0, 'none', 2))
  monkeypatch.setattr(pnasnet.PNasNetNormalCell, 'table',
                      cells.Cell(rows, used=(1, 1, 0, 0)))


def _build(function=pnasnet.build_pnasnet_mobile, num_classes=10,
           is_training=False, final_endpoint=None, size=64, **overrides):
  settings = dict(num_cells=3, num_conv_filters=6)
  settings.update(overrides)
  config = pnasnet.mobile_imagenet_config(**settings)
  with slim.arg_scope(pnasnet.pnasnet_mobile_arg_scope()):
    return function(tf.zeros([2, size, size, 3]), num_classes, is_training,
                    final_endpoint, config)


END_POINTS = {
    'Stem': [2, 8, 8, 15],
    'Cell_0': [2, 8, 8, 30],
    'Cell_1': [2, 4, 4, 60],
    'Cell_2': [2, 2, 2, 120],
    'global_pool': [2, 120],
    'Logits': [2, 10],
    'Predictions': [2, 10]}


def _shapes(end_points):
  return {name: net.shape.as_list() for name, net in end_points.items()}


def test_end_points_and_variables_in_evaluation():
  logits, end_points = _build()
  assert logits is end_points['Logits']
  assert logits.op.name == 'final_layer/FC/BiasAdd'
  assert _shapes(end_points) == END_POINTS
  shapes = {v.op.name: v.shape.as_list() for v in tf.model_variables()}
  assert shapes['conv0/weights'] == [3, 3, 3, 32]
  # A quarter of six filters, rounded down; the pooling sees 32 channels.
  assert shapes['cell_stem_0/comb_iter_0/right/1x1/weights'] == [1, 1, 32, 1]
  assert shapes['cell_stem_1/path2_conv/weights'] == [1, 1, 32, 2]
  assert shapes['cell_1/comb_iter_4/right/1x1/weights'] == [1, 1, 12, 12]
  assert 'cell_0/comb_iter_4/right/1x1/weights' not in shapes
  left = 'cell_2/comb_iter_3/left/separable_3x3_1/'
  assert shapes[left + 'depthwise_weights'] == [3, 3, 24, 1]


def test_large_network_has_the_same_layers(simple_cell):
  logits, end_points = _build(pnasnet.build_pnasnet_large)
  assert logits is end_points['Logits']
  assert list(end_points) == list(END_POINTS)


def test_training_has_auxiliary_logits(simple_cell):
  _, end_points = _build(is_training=True, size=96)
  assert list(end_points) == ['Stem', 'Cell_0', 'Cell_1', 'AuxLogits',
                              'Cell_2', 'global_pool', 'Logits', 'Predictions']
  assert end_points['AuxLogits'].shape.as_list() == [2, 10]
  assert tf.get_collection(tf.GraphKeys.UPDATE_OPS)


def test_nchw(simple_cell):
  _, end_points = _build(data_format='NCHW')
  assert end_points['Cell_2'].shape.as_list() == [2, 48, 2, 2]
  assert end_points['Logits'].shape.as_list() == [2, 10]


@pytest.mark.parametrize('skip, channels', [(1, 8), (0, 4)])
def test_skip_reduction_layer_input(simple_cell, skip, channels):
  """A reducing cell sees the input of the cell before it, or one further."""
  _build(skip_reduction_layer_input=skip, num_conv_filters=8)
  shapes = {v.op.name: v.shape.as_list() for v in tf.model_variables()}
  name = 'cell_1/prev_1x1/weights' if skip else 'cell_1/path1_conv/weights'
  assert shapes[name][2] == channels


def test_drop_path_reads_the_global_step(simple_cell):
  step = tf.train.create_global_step()
  _build(is_training=True, drop_path_keep_prob=0.6, use_aux_head=0)
  assert tf.get_collection(tf.GraphKeys.GLOBAL_STEP) == [step]
  readers = {
      op.name.split('/')[0] for op in tf.get_default_graph().get_operations()
      if any(source.op.name.startswith('global_step')
             for source in op.inputs)}
  assert {'cell_stem_0', 'cell_0', 'cell_2'} <= readers


@pytest.mark.parametrize('name', ['Stem', 'Cell_1', 'Predictions'])
def test_final_endpoint_is_returned_and_is_the_last(simple_cell, name):
  net, end_points = _build(final_endpoint=name)
  assert net is end_points[name]
  assert list(end_points) == list(END_POINTS)[
      :list(END_POINTS).index(name) + 1]


def test_unknown_final_endpoint_is_refused_with_the_list():
  with pytest.raises(ValueError, match='Unknown final endpoint Cell_9 .*Stem, '
                     'Cell_0, Cell_1, Cell_2, global_pool, Logits'):
    _build(final_endpoint='Cell_9')
  assert not tf.global_variables()


def test_features_without_classes(simple_cell):
  net, end_points = _build(num_classes=None, is_training=True)
  assert net is end_points['global_pool']
  assert net.shape.as_list() == [2, 48]


@pytest.mark.parametrize('getter, expected', [
    (pnasnet.large_imagenet_config, dict(
        num_cells=12, num_conv_filters=216, stem_multiplier=3.0,
        drop_path_keep_prob=0.6)),
    (pnasnet.mobile_imagenet_config, dict(
        num_cells=9, num_conv_filters=54, stem_multiplier=1.0,
        drop_path_keep_prob=1.0))])
def test_published_settings(getter, expected):
  common = dict(
      total_training_steps=250000, dense_dropout_keep_prob=0.5,
      skip_reduction_layer_input=1, filter_scaling_rate=2.0,
      num_reduction_layers=2, use_aux_head=1, data_format='NHWC',
      use_bounded_activation=False)
  assert getter().values() == dict(common, **expected)


def test_default_image_sizes():
  sizes = [nets_factory.get_network_fn(name, 10).default_image_size
           for name in ('pnasnet_mobile', 'pnasnet_large')]
  assert sizes == [224, 331]
