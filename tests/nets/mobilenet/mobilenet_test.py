"""Tests of the builder of MobileNet V2 and V3."""
import copy

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets.mobilenet import conv_blocks
from nets.mobilenet import mobilenet

_DEFINITION = {
    'defaults': {
        (slim.conv2d,): {'normalizer_fn': slim.batch_norm},
        (conv_blocks.expanded_conv,): {'normalizer_fn': slim.batch_norm},
    },
    'spec': [
        mobilenet.op(slim.conv2d, stride=2, num_outputs=16, kernel_size=[3, 3]),
        mobilenet.op(conv_blocks.expanded_conv, stride=2, num_outputs=24),
        mobilenet.op(conv_blocks.expanded_conv, stride=2, num_outputs=32),
        mobilenet.op(slim.conv2d, num_outputs=64, kernel_size=[1, 1]),
    ],
}


def _images(size=32):
  return tf.zeros([2, size, size, 3])


def _key(function):
  return function._key_op  # pylint: disable=protected-access


def _operations(kind):
  return [op for op in tf.get_default_graph().get_operations()
          if op.type == kind]


def test_layers_and_their_outputs_are_end_points():
  net, end_points = mobilenet.mobilenet_base(_images(), _DEFINITION)
  assert list(end_points) == [
      'layer_1', 'layer_2', 'layer_3', 'layer_4',
      'layer_2/expansion_output', 'layer_2/depthwise_output',
      'layer_2/output', 'layer_3/expansion_output',
      'layer_3/depthwise_output', 'layer_3/output']
  assert net is end_points['layer_4']
  assert end_points['layer_2'] is end_points['layer_2/output']
  assert net.shape.as_list() == [2, 4, 4, 64]
  assert net.op.name == 'Mobilenet/Conv_1/Relu'


def test_network_adds_pool_logits_and_predictions():
  logits, end_points = mobilenet.mobilenet(
      _images(), num_classes=5, conv_defs=_DEFINITION, scope='Net')
  assert logits is end_points['Logits']
  assert logits.op.name == 'Net/Logits/output'
  assert logits.shape.as_list() == [2, 5]
  assert end_points['global_pool'].shape.as_list() == [2, 1, 1, 64]
  assert end_points['Predictions'].op.name == 'Net/Predictions/Reshape_1'


@pytest.mark.parametrize('num_classes', [None, 0])
def test_without_classes_gives_features(num_classes):
  net, end_points = mobilenet.mobilenet(
      _images(), num_classes, conv_defs=_DEFINITION)
  assert net is end_points['global_pool'] and 'Logits' not in end_points


def test_base_only_and_no_predictions():
  net, end_points = mobilenet.mobilenet(
      _images(), conv_defs=_DEFINITION, base_only=True)
  assert net is end_points['layer_4']
  _, end_points = mobilenet.mobilenet(
      _images(), conv_defs=_DEFINITION, prediction_fn=None, scope='Other')
  assert 'Predictions' not in end_points


def test_multiplier_leaves_the_definition_as_it_is():
  before = copy.deepcopy(_DEFINITION)
  _, end_points = mobilenet.mobilenet_base(
      _images(), _DEFINITION, multiplier=0.5)
  assert [end_points['layer_%d' % k].shape.as_list()[3]
          for k in (1, 2, 3, 4)] == [8, 16, 16, 32]
  assert _DEFINITION == before


def test_depth_multiplier_takes_its_rounding_from_an_arg_scope():
  with slim.arg_scope([mobilenet.depth_multiplier], divisible_by=1,
                      min_depth=3):
    _, end_points = mobilenet.mobilenet_base(
        _images(), _DEFINITION, multiplier=0.1)
  assert [end_points['layer_%d' % k].shape.as_list()[3]
          for k in (1, 2, 3, 4)] == [3, 3, 3, 6]


def test_depth_multiplier_ignores_layers_without_channels():
  params = {'stride': 2}
  mobilenet.depth_multiplier(params, 0.5)
  assert params == {'stride': 2}


def test_op_is_a_named_tuple_with_a_rule_for_its_width():
  plain = mobilenet.op(slim.conv2d, num_outputs=8)
  assert plain.op is slim.conv2d and plain.params == {'num_outputs': 8}
  assert plain.multiplier_func is mobilenet.depth_multiplier
  for name in ('multiplier_func', 'multiplier_transform'):
    layer = mobilenet.op(slim.conv2d, num_outputs=8, **{name: len})
    assert layer.multiplier_func is len and layer.params == plain.params


def test_keep_last_layer():
  kept = mobilenet.keep_last_layer(_DEFINITION)
  _, end_points = mobilenet.mobilenet_base(_images(), kept, multiplier=0.5)
  assert end_points['layer_3'].shape.as_list()[3] == 16
  assert end_points['layer_4'].shape.as_list()[3] == 64


def test_overrides_stand_over_defaults_and_layers_over_both():
  definition = {
      'defaults': {(slim.conv2d,): {'activation_fn': tf.nn.relu,
                                    'num_outputs': 4, 'kernel_size': 1}},
      'overrides': {(slim.conv2d,): {'activation_fn': tf.nn.elu}},
      'spec': [mobilenet.op(slim.conv2d),
               mobilenet.op(slim.conv2d, activation_fn=tf.nn.tanh)],
  }
  _, end_points = mobilenet.mobilenet_base(_images(), definition)
  assert end_points['layer_1'].op.type == 'Elu'
  assert end_points['layer_2'].op.type == 'Tanh'


def test_final_endpoint_stops_there():
  net, end_points = mobilenet.mobilenet_base(
      _images(), _DEFINITION, final_endpoint='layer_2')
  assert net is end_points['layer_2'] and 'layer_3' not in end_points


@pytest.mark.parametrize('output_stride, size, dilated', [
    (None, 4, 0), (8, 4, 0), (4, 8, 0), (2, 16, 1), (1, 32, 2), (64, 4, 0)])
def test_output_stride(output_stride, size, dilated):
  net, _ = mobilenet.mobilenet_base(
      _images(), _DEFINITION, output_stride=output_stride)
  assert net.shape.as_list() == [2, size, size, 64]
  assert len(_operations('SpaceToBatchND')) == dilated


@pytest.mark.parametrize('output_stride', [None, 2])
def test_explicit_padding_keeps_the_sizes(output_stride):
  net, _ = mobilenet.mobilenet_base(
      _images(), _DEFINITION, use_explicit_padding=True,
      output_stride=output_stride)
  size = 16 if output_stride else 4
  assert net.shape.as_list() == [2, size, size, 64]
  # Both convolutions, though the 1x1 by nothing, and both filters.
  assert len(_operations('Pad')) == 4


def test_is_training_comes_from_training_scope_unless_given():
  def updates(scoped, **arguments):
    with tf.Graph().as_default():
      with slim.arg_scope(scoped):
        mobilenet.mobilenet_base(_images(), _DEFINITION, **arguments)
      return len(tf.get_collection(tf.GraphKeys.UPDATE_OPS))

  training = mobilenet.training_scope(is_training=True)
  assert updates(training) == 16
  assert updates(mobilenet.training_scope(is_training=False)) == 0
  assert updates({}) == 0
  assert updates(training, is_training=False) == 0
  assert updates({}, is_training=True) == 16
  with slim.arg_scope([slim.batch_norm], is_training=False):
    left_alone = mobilenet.training_scope(is_training=None)
  assert updates(left_alone) == 0


def test_training_scope_sets_what_it_says():
  scope = mobilenet.training_scope(
      weight_decay=0.1, stddev=0.5, dropout_keep_prob=0.6, bn_decay=0.9)
  assert scope[_key(slim.batch_norm)] == {'decay': 0.9, 'is_training': True}
  assert scope[_key(slim.dropout)] == {'keep_prob': 0.6, 'is_training': True}
  assert scope[_key(slim.separable_conv2d)]['weights_regularizer'] is None
  conv2d = scope[_key(slim.conv2d)]
  assert conv2d['weights_initializer'].stddev == 0.5
  loss = conv2d['weights_regularizer'](tf.constant([2.0]))
  with tf.Session() as session:
    assert session.run(loss) == pytest.approx(0.1 * 2.0**2 / 2)


def test_training_scope_negative_stddev_means_xavier():
  scope = mobilenet.training_scope(stddev=-1)
  initializer = scope[_key(slim.conv2d)]['weights_initializer']
  with tf.Session() as session:
    values = session.run(initializer([1, 1, 30, 30]))
  assert np.abs(values).max() <= np.sqrt(6.0 / 60) < 2 * np.abs(values).max()


def test_training_scope_without_decay_leaves_the_default():
  scope = mobilenet.training_scope(bn_decay=None)
  assert 'decay' not in scope[_key(slim.batch_norm)]


def test_safe_arg_scope_drops_none():
  with mobilenet.safe_arg_scope(
      [slim.batch_norm], decay=None, is_training=False) as scope:
    assert scope[_key(slim.batch_norm)] == {'is_training': False}
  nothing = mobilenet.safe_arg_scope([slim.batch_norm], decay=None)
  assert isinstance(nothing, mobilenet.NoOpScope)
  with nothing as scope:
    assert scope is None


def test_base_enters_a_variable_scope_that_is_open():
  with tf.variable_scope('Backbone') as scope:
    net, _ = mobilenet.mobilenet_base(
        _images(), _DEFINITION, scope=scope, final_endpoint='layer_1')
  assert net.op.name == 'Backbone/Conv/Relu'
  assert tf.global_variables()[0].op.name == 'Backbone/Conv/weights'


def test_reuse_shares_variables_and_keeps_end_points_apart():
  first, second = [
      mobilenet.mobilenet(_images(), 5, conv_defs=_DEFINITION, reuse=reuse)[1]
      for reuse in (None, True)]
  assert list(first) == list(second)
  assert not set(first.values()) & set(second.values())
  names = [v.op.name for v in tf.global_variables()]
  assert len(names) == len(set(names))


def _unknown_size():
  return tf.placeholder(tf.float32, [None, None, None, 4])


@pytest.mark.parametrize('features, by_mean, kind', [
    (_images, False, 'AvgPool'), (_images, True, 'Mean'),
    (_unknown_size, False, 'Mean')])
def test_global_pool(features, by_mean, kind):
  net = mobilenet.global_pool(features(), by_mean)
  assert net.op.type == kind
  assert net.shape.as_list()[1:3] == [1, 1]


def test_global_pool_by_maximum_wants_a_known_size():
  net = mobilenet.global_pool(_images(), pool_op=tf.nn.max_pool)
  assert net.op.type == 'MaxPool'
  with pytest.raises(ValueError, match='pool_op is .* are unknown'):
    mobilenet.global_pool(_unknown_size(), pool_op=tf.nn.max_pool)


def test_a_layer_that_cannot_be_dilated_says_so():
  spec = _DEFINITION['spec'][:3] + [mobilenet.op(
      slim.max_pool2d, kernel_size=2)]
  with pytest.raises(ValueError, match=(
      r'layer_4 \(max_pool2d\) cannot be dilated, '
      r'which output_stride requires')):
    mobilenet.mobilenet_base(_images(), {'spec': spec}, output_stride=2)


def test_layers_of_the_user_may_have_any_arguments():
  def twice(net, stride, **kwargs):
    assert stride == 1 and kwargs == {'rate': 2, 'use_explicit_padding': True}
    return 2 * net

  spec = _DEFINITION['spec'][:2] + [mobilenet.op(twice)]
  net, _ = mobilenet.mobilenet_base(
      _images(), {'spec': spec}, output_stride=2, use_explicit_padding=True)
  assert net.shape.as_list() == [2, 16, 16, 24]


@pytest.mark.parametrize('arguments, message', [
    ({'conv_defs': None}, "conv_defs is None; give a dict whose 'spec'"),
    ({'conv_defs': {'spec': []}}, 'for example mobilenet_v2.V2_DEF'),
    ({'conv_defs': {'spec': [slim.conv2d]}},
     r"conv_defs\['spec'\] contains <function .*; make every layer with"),
    ({'multiplier': 0}, 'multiplier is 0; it must be above 0'),
    ({'final_endpoint': 'layer_5'},
     'Unknown final endpoint layer_5 of this definition; it has: layer_1, '
     'layer_2, layer_3, layer_4'),
    ({'output_stride': 0},
     'output_stride is 0; allowed are None, 1, 2, 4, 8, or more'),
    ({'output_stride': 6}, 'output_stride is 6; allowed'),
])
@pytest.mark.parametrize(
    'build', [mobilenet.mobilenet, mobilenet.mobilenet_base])
def test_wrong_arguments_are_refused_before_anything_is_built(
    build, arguments, message):
  images = _images()
  before = len(tf.get_default_graph().get_operations())
  with pytest.raises(ValueError, match=message):
    build(images, **dict({'conv_defs': _DEFINITION}, **arguments))
  assert len(tf.get_default_graph().get_operations()) == before


def test_images_of_wrong_rank_are_refused():
  with pytest.raises(ValueError, match='give images of rank 4'):
    mobilenet.mobilenet(tf.zeros([32, 32, 3]), conv_defs=_DEFINITION)


def test_apply_activation():
  x = tf.zeros([2])
  assert mobilenet.apply_activation(x) is x
  net = mobilenet.apply_activation(x, 'act', tf.nn.relu6)
  assert net.op.name == 'act' and net.op.type == 'Relu6'


def test_nchw_in_an_arg_scope_is_refused():
  with slim.arg_scope([slim.conv2d], data_format='NCHW'):
    with pytest.raises(ValueError, match='MobileNet: an arg scope sets data_f'):
      mobilenet.mobilenet(
          tf.zeros([2, 3, 32, 32]), num_classes=5, conv_defs=_DEFINITION)
  assert not tf.global_variables()
