"""Tests of NASNet-A, on networks of three narrow cells.

Where the cells themselves do not matter, `simple_cells` makes them cheap.
"""
import types

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import nets_factory
from nets.nasnet import cells
from nets.nasnet import nasnet
from nets.nasnet import nasnet_utils


@pytest.fixture
def simple_cells(monkeypatch):
  """Replaces the tables of the cells by one combination each."""
  rows = (cells.Combination('separable_3x3_1', 0, 'max_pool_3x3', 1),)
  monkeypatch.setattr(nasnet_utils.NasNetANormalCell, 'table',
                      cells.Cell(rows, used=(1, 0, 0)))
  monkeypatch.setattr(nasnet_utils.NasNetAReductionCell, 'table',
                      cells.Cell(rows, used=(1, 1, 0)))


def _tiny(getter=nasnet.cifar_config, **overrides):
  settings = dict(num_cells=3, num_conv_filters=4)
  settings.update(overrides)
  return getter(**settings)


def _cifar(images=None, num_classes=10, is_training=False, current_step=None,
           **overrides):
  if images is None:
    images = tf.zeros([2, 32, 32, 3])
  with slim.arg_scope(nasnet.nasnet_cifar_arg_scope()):
    return nasnet.build_nasnet_cifar(
        images, num_classes, is_training, _tiny(**overrides), current_step)


def _mobile(final_endpoint=None, num_classes=10):
  with slim.arg_scope(nasnet.nasnet_mobile_arg_scope()):
    return nasnet.build_nasnet_mobile(
        tf.zeros([2, 64, 64, 3]), num_classes, False, final_endpoint,
        _tiny(nasnet.mobile_imagenet_config))


def _shapes(end_points):
  return {name: net.shape.as_list() for name, net in end_points.items()}


CIFAR_END_POINTS = {
    'Stem': [2, 32, 32, 12],
    'Cell_0': [2, 32, 32, 24],
    'Reduction_Cell_0': [2, 16, 16, 32],
    'Cell_1': [2, 16, 16, 48],
    'Reduction_Cell_1': [2, 8, 8, 64],
    'Cell_2': [2, 8, 8, 96],
    'global_pool': [2, 96],
    'Logits': [2, 10],
    'Predictions': [2, 10]}


def test_cifar_end_points_and_variables_in_evaluation():
  logits, end_points = _cifar()
  assert logits is end_points['Logits']
  assert logits.op.name == 'final_layer/FC/BiasAdd'
  assert end_points['Predictions'].op.name == 'final_layer/predictions'
  assert _shapes(end_points) == CIFAR_END_POINTS
  assert not tf.get_collection(tf.GraphKeys.UPDATE_OPS)
  assert tf.train.get_global_step() is None
  shapes = {v.op.name: v.shape.as_list() for v in tf.model_variables()}
  assert shapes['l1_stem_3x3/weights'] == [3, 3, 3, 12]
  assert shapes['l1_stem_bn/gamma'] == [12]
  assert shapes['cell_0/1x1/weights'] == [1, 1, 12, 4]
  assert shapes['cell_0/cell_output/reduction_1/path_conv/weights'] == [
      1, 1, 12, 4]
  assert shapes['cell_1/path1_conv/weights'] == [1, 1, 24, 4]
  assert shapes['reduction_cell_1/prev_1x1/weights'] == [1, 1, 32, 16]
  left = 'cell_2/comb_iter_0/left/'
  assert shapes[left + 'separable_5x5_2/depthwise_weights'] == [5, 5, 16, 1]
  assert shapes[left + 'separable_5x5_2/pointwise_weights'] == [1, 1, 16, 16]
  assert shapes[left + 'bn_sep_5x5_2/moving_mean'] == [16]
  assert shapes['final_layer/FC/weights'] == [96, 10]
  assert 'l1_stem_3x3/biases' not in shapes


def test_cifar_in_training_has_auxiliary_logits(simple_cells):
  logits, end_points = _cifar(is_training=True, current_step=0)
  assert logits is end_points['Logits']
  assert list(end_points) == [
      'Stem', 'Cell_0', 'Reduction_Cell_0', 'Cell_1', 'AuxLogits',
      'Reduction_Cell_1', 'Cell_2', 'global_pool', 'Logits', 'Predictions']
  assert end_points['AuxLogits'].shape.as_list() == [2, 10]
  names = {v.op.name for v in tf.model_variables()}
  assert 'aux_1/aux_logits/FC/weights' in names
  assert tf.get_collection(tf.GraphKeys.UPDATE_OPS)


@pytest.mark.parametrize('num_classes', [None, 0])
def test_features_without_classes(simple_cells, num_classes):
  net, end_points = _cifar(
      num_classes=num_classes, is_training=True, current_step=0)
  assert net is end_points['global_pool']
  assert net.shape.as_list() == [2, 32]
  assert 'AuxLogits' not in end_points and 'Logits' not in end_points


def test_use_aux_head_0_leaves_it_out(simple_cells):
  _, end_points = _cifar(is_training=True, current_step=0, use_aux_head=0)
  assert 'AuxLogits' not in end_points and 'Logits' in end_points


def test_training_then_evaluation_with_reuse(simple_cells):
  images = tf.random_uniform([3, 32, 32, 3], -1, 1, seed=1)
  _cifar(images, is_training=True, current_step=0)
  trained = len(tf.global_variables())
  with tf.variable_scope(tf.get_variable_scope(), reuse=True):
    logits, _ = _cifar(images)
  assert len(tf.global_variables()) == trained
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    result = session.run(logits)
  assert result.shape == (3, 10) and np.isfinite(result).all()


def test_one_step_of_training_changes_the_logits(simple_cells):
  images = tf.random_uniform([4, 32, 32, 3], -1, 1, seed=1)
  logits, end_points = _cifar(
      images, is_training=True, current_step=937500, num_conv_filters=2)
  labels = tf.constant([0, 1, 2, 3])
  loss = tf.add_n([
      tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(
          labels=labels, logits=end_points[name]))
      for name in ('Logits', 'AuxLogits')])
  gradients = tf.gradients(loss, tf.trainable_variables())
  assert None not in gradients
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    norm = session.run(tf.global_norm(gradients))
  assert np.isfinite(norm) and norm > 0


def test_nchw_takes_the_same_pictures_and_variables(simple_cells):
  _, end_points = _cifar(is_training=True, current_step=0, data_format='NCHW')
  shapes = _shapes(end_points)
  assert shapes['Stem'] == [2, 12, 32, 32]
  assert shapes['Reduction_Cell_1'] == [2, 16, 8, 8]
  assert shapes['AuxLogits'] == shapes['Logits'] == [2, 10]
  first = {v.op.name: v.shape for v in tf.model_variables()}
  with tf.Graph().as_default():
    _cifar(is_training=True, current_step=0)
    assert first == {v.op.name: v.shape for v in tf.model_variables()}


def test_bounded_activations_rectify_at_six_everywhere(graph):
  _cifar(use_bounded_activation=True)
  types_of_ops = {op.type for op in graph.get_operations()}
  assert 'Relu6' in types_of_ops and 'Relu' not in types_of_ops


def test_bounded_activations_of_the_auxiliary_logits(graph, simple_cells):
  _cifar(is_training=True, current_step=0, use_bounded_activation=True)
  assert 'Relu' not in {op.type for op in graph.get_operations()}


def test_unknown_batch_size(simple_cells):
  logits, _ = _cifar(tf.placeholder(tf.float32, [None, 32, 32, 3]),
                     is_training=True, current_step=0)
  assert logits.shape.as_list() == [None, 10]


@pytest.mark.parametrize('skip, channels', [(0, 8), (1, 12)])
def test_skip_reduction_layer_input(simple_cells, skip, channels):
  """The cell after a reduction sees its input, or the output before that."""
  _cifar(skip_reduction_layer_input=skip)
  shapes = {v.op.name: v.shape.as_list() for v in tf.model_variables()}
  assert shapes['cell_1/path1_conv/weights'] == [1, 1, channels, 4]


def test_drop_path_reads_the_global_step_that_there_is(simple_cells):
  step = tf.train.create_global_step()
  _cifar(is_training=True)
  assert tf.get_collection(tf.GraphKeys.GLOBAL_STEP) == [step]


def test_drop_path_makes_the_global_step_outside_of_the_scope(simple_cells):
  with tf.variable_scope('tower'):
    _cifar(is_training=True)
  others = [v.op.name for v in tf.global_variables()
            if not v.op.name.startswith('tower/')]
  assert others == ['global_step']


def test_current_step_replaces_the_global_step(simple_cells):
  _cifar(is_training=True, current_step=tf.constant(5))
  assert tf.train.get_global_step() is None


MOBILE_END_POINTS = {
    'Stem': [2, 8, 8, 2],
    'Cell_0': [2, 8, 8, 8],
    'Reduction_Cell_0': [2, 4, 4, 8],
    'Cell_1': [2, 4, 4, 16],
    'Reduction_Cell_1': [2, 2, 2, 16],
    'Cell_2': [2, 2, 2, 32],
    'global_pool': [2, 32],
    'Logits': [2, 10],
    'Predictions': [2, 10]}


@pytest.mark.parametrize('name', [
    'Stem', 'Reduction_Cell_0', 'global_pool', 'Logits', 'Predictions'])
def test_final_endpoint_is_returned_and_is_the_last(simple_cells, name):
  net, end_points = _mobile(name)
  assert net is end_points[name]
  upto = list(MOBILE_END_POINTS)[:list(MOBILE_END_POINTS).index(name) + 1]
  assert _shapes(end_points) == {
      name: MOBILE_END_POINTS[name] for name in upto}


def test_without_final_endpoint_the_logits_are_returned(simple_cells):
  net, end_points = _mobile()
  assert net is end_points['Logits']
  assert _shapes(end_points) == MOBILE_END_POINTS


def test_large_network_has_the_same_layers(simple_cells):
  net, end_points = nasnet.build_nasnet_large(
      tf.zeros([2, 64, 64, 3]), 10, is_training=False,
      config=_tiny(nasnet.large_imagenet_config))
  assert net is end_points['Logits']
  assert list(end_points) == list(MOBILE_END_POINTS)
  assert end_points['Cell_2'].shape.as_list() == [2, 2, 2, 32]


@pytest.mark.parametrize(
    'num_classes, name', [(10, 'Cell_3'), (None, 'Logits')])
def test_unknown_final_endpoint_is_refused_before_building(num_classes, name):
  with pytest.raises(ValueError) as error:
    _mobile(name, num_classes)
  assert 'Unknown final endpoint %s' % name in str(error.value)
  assert 'Stem, Cell_0, Reduction_Cell_0, Cell_1' in str(error.value)
  assert not tf.global_variables()


@pytest.mark.parametrize('getter, expected', [
    (nasnet.cifar_config, dict(
        num_cells=18, num_conv_filters=32, stem_multiplier=3.0,
        total_training_steps=937500, drop_path_keep_prob=0.6,
        dense_dropout_keep_prob=1.0, skip_reduction_layer_input=0)),
    (nasnet.mobile_imagenet_config, dict(
        num_cells=12, num_conv_filters=44, stem_multiplier=1.0,
        total_training_steps=250000, drop_path_keep_prob=1.0,
        dense_dropout_keep_prob=0.5, skip_reduction_layer_input=0)),
    (nasnet.large_imagenet_config, dict(
        num_cells=18, num_conv_filters=168, stem_multiplier=3.0,
        total_training_steps=250000, drop_path_keep_prob=0.7,
        dense_dropout_keep_prob=0.5, skip_reduction_layer_input=1))])
def test_published_settings(getter, expected):
  common = dict(filter_scaling_rate=2.0, num_reduction_layers=2,
                use_aux_head=1, data_format='NHWC',
                use_bounded_activation=False)
  assert getter().values() == dict(common, **expected)
  assert getter(num_cells=3).num_cells == 3


@pytest.mark.parametrize('scope, decay, epsilon', [
    (nasnet.nasnet_cifar_arg_scope, 0.9, 1e-5),
    (nasnet.nasnet_mobile_arg_scope, 0.9997, 1e-3),
    (nasnet.nasnet_large_arg_scope, 0.9997, 1e-3)])
def test_batch_norm_settings_of_the_scopes(scope, decay, epsilon):
  # pylint: disable=protected-access
  settings = scope()[slim.batch_norm._key_op]
  assert settings['decay'] == decay
  assert settings['epsilon'] == epsilon
  assert settings['scale'] is True


def test_weight_decay_regularizes_every_kernel(simple_cells):
  _cifar()
  kernels = [v for v in tf.trainable_variables() if 'weights' in v.op.name]
  losses = tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)
  assert len(losses) == len(kernels)


def test_default_image_sizes():
  sizes = [nets_factory.get_network_fn(name, 10).default_image_size
           for name in ('nasnet_cifar', 'nasnet_mobile', 'nasnet_large')]
  assert sizes == [32, 224, 331]


def test_any_object_with_the_attributes_is_a_configuration(simple_cells):
  config = types.SimpleNamespace(**_tiny().values())
  logits, _ = nasnet.build_nasnet_cifar(
      tf.zeros([1, 16, 16, 3]), 10, is_training=False, config=config)
  assert logits.shape.as_list() == [1, 10]


@pytest.mark.parametrize('shape', [[2, None, 32, 3], [2, 32, 3]])
def test_pictures_of_unknown_size_are_refused(shape):
  with pytest.raises(ValueError, match='images must have shape .batch, height'):
    _cifar(tf.placeholder(tf.float32, shape))


@pytest.mark.parametrize('overrides, message', [
    (dict(data_format='NHCW'), "data_format must be 'NHWC' or 'NCHW', not"),
    (dict(drop_path_keep_prob=0.0), r'must be in \(0, 1\], not 0.0')])
def test_wrong_settings_are_refused(overrides, message):
  with pytest.raises(ValueError, match=message):
    _cifar(**overrides)


def test_pictures_too_small_for_the_auxiliary_logits(simple_cells):
  with pytest.raises(ValueError, match='at least 5x5, .* config.use_aux_head'):
    _cifar(tf.zeros([2, 8, 8, 3]), is_training=True, current_step=0)


def test_a_tensor_as_is_training_is_refused():
  with pytest.raises(ValueError, match=(
      'is_training must be True or False, not a tensor')):
    _cifar(is_training=tf.placeholder(tf.bool, []))
  assert not tf.global_variables()
