"""Tests of MobileNet V2."""
import copy

import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import normalization
from nets.mobilenet import mobilenet_v2


def _images(size=32):
  return tf.zeros([2, size, size, 3])


def _build(*args, **kwargs):
  with slim.arg_scope(mobilenet_v2.training_scope(is_training=False)):
    return mobilenet_v2.mobilenet(*args, **kwargs)


def _depth(end_points, layer):
  return end_points['layer_%d' % layer].shape.as_list()[3]


def _operations(kind):
  return [op for op in tf.get_default_graph().get_operations()
          if op.type == kind]


def test_width_140_as_published():
  images = tf.placeholder(tf.float32, [None, 224, 224, 3])
  with slim.arg_scope(mobilenet_v2.training_scope()):
    logits, end_points = mobilenet_v2.mobilenet(images, depth_multiplier=1.4)
  assert logits.shape.as_list() == [None, 1001]
  assert len(end_points) == 72
  block = tf.get_default_graph().get_tensor_by_name(
      'MobilenetV2/expanded_conv_14/output:0')
  assert block.shape.as_list() == [None, 7, 7, 224]
  assert end_points['layer_16/output'] is end_points['layer_16'] is block
  assert end_points['layer_19'].shape.as_list() == [None, 7, 7, 1792]
  assert [(v.op.name, v.shape.as_list())
          for v in tf.global_variables()[:2]] == [
              ('MobilenetV2/Conv/weights', [3, 3, 3, 48]),
              ('MobilenetV2/Conv/BatchNorm/gamma', [48])]
  assert len(tf.global_variables()) == 262
  assert len(tf.trainable_variables()) == 158
  assert sum(
      v.shape.num_elements() for v in tf.trainable_variables()) == 6110569
  assert len(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)) == 36
  assert len(tf.get_collection(tf.GraphKeys.UPDATE_OPS)) == 104


@pytest.mark.parametrize('name, bound', [
    ('mobilenet_v2_140', {'depth_multiplier': 1.4}),
    ('mobilenet_v2_050', {'depth_multiplier': 0.5,
                          'finegrain_classification_mode': True}),
    ('mobilenet_v2_035', {'depth_multiplier': 0.35,
                          'finegrain_classification_mode': True}),
])
def test_variants_bind_their_width(name, bound):
  variant = getattr(mobilenet_v2, name)
  assert variant.keywords == bound
  assert variant.default_image_size == 224


@pytest.mark.parametrize('mode, width, last', [
    (True, 0.5, 1280), (True, 1.4, 1792)])
def test_finegrain_mode_keeps_the_last_layer_of_narrow_networks(
    mode, width, last):
  _, end_points = _build(
      _images(), depth_multiplier=width, finegrain_classification_mode=mode,
      base_only=True)
  assert _depth(end_points, 19) == last
  assert _depth(end_points, 18) == 320 * width


def test_min_depth_and_divisible_by():
  _, end_points = _build(
      _images(), depth_multiplier=0.1, min_depth=3, divisible_by=3,
      base_only=True)
  assert [_depth(end_points, layer) for layer in (1, 2, 8, 18, 19)] == [
      3, 3, 6, 33, 129]


@pytest.mark.parametrize('output_stride, size', [
    (32, 1), (8, 4)])
def test_output_stride(output_stride, size):
  net, _ = mobilenet_v2.mobilenet_base(
      _images(), 0.35, output_stride=output_stride)
  assert net.shape.as_list() == [2, size, size, 448]


@pytest.mark.parametrize('size', [32, 33])
def test_explicit_padding_keeps_the_sizes_of_same(size):
  shapes = []
  for explicit in (False, True):
    net, _ = mobilenet_v2.mobilenet_base(
        _images(size), 0.35, use_explicit_padding=explicit,
        final_endpoint='layer_5', scope='explicit_%s' % explicit)
    shapes.append(net.shape.as_list())
  assert shapes[0] == shapes[1]


def test_activation_of_all_layers():
  before = copy.deepcopy(mobilenet_v2.V2_DEF)
  mobilenet_v2.mobilenet_base(
      _images(), activation_fn=tf.nn.elu, final_endpoint='layer_3')
  assert len(_operations('Elu')) == 4 and not _operations('Relu6')
  assert mobilenet_v2.V2_DEF == before


def test_group_norm_base():
  net, _ = mobilenet_v2.mobilenet_base_group_norm(
      _images(), 0.35, final_endpoint='layer_4')
  assert net.shape.as_list()[3] == 8
  names = [v.op.name for v in tf.global_variables()]
  assert 'MobilenetV2/expanded_conv_2/project/GroupNorm/gamma' in names
  assert not any('BatchNorm' in name for name in names)


def test_every_normalization_can_be_replaced():
  seen = []

  def recorder(inputs, *args, **kwargs):
    seen.append(inputs)
    return slim.batch_norm(inputs, *args, **kwargs)

  with normalization.implementation(recorder):
    _build(_images(), depth_multiplier=0.35, base_only=True)
  assert len(seen) == 52


def test_definition_of_the_user():
  definition = copy.deepcopy(mobilenet_v2.V2_DEF)
  definition['spec'] = definition['spec'][:3]
  definition['spec'][2].params['num_outputs'] = 40
  net, end_points = _build(
      _images(), num_classes=7, conv_defs=definition, scope='Mine')
  assert net.shape.as_list() == [2, 7]
  assert _depth(end_points, 3) == 40 and 'layer_4' not in end_points
  assert tf.global_variables()[0].op.name == 'Mine/Conv/weights'


def test_multiplier_is_called_depth_multiplier():
  with pytest.raises(ValueError, match=(
      'multiplier=0.5 is not an argument here; give depth_multiplier')):
    mobilenet_v2.mobilenet(_images(), multiplier=0.5)


def test_wrong_width_and_end_point_are_refused_before_anything_is_built():
  images = _images()
  before = len(tf.get_default_graph().get_operations())
  with pytest.raises(ValueError, match='depth_multiplier is -1; it must be'):
    mobilenet_v2.mobilenet(images, depth_multiplier=-1)
  with pytest.raises(ValueError, match='Unknown final endpoint layer_20 of'):
    mobilenet_v2.mobilenet_base(images, final_endpoint='layer_20')
  with pytest.raises(ValueError, match='output_stride is 12; allowed are'):
    mobilenet_v2.mobilenet(images, output_stride=12)
  assert len(tf.get_default_graph().get_operations()) == before


def test_expand_input():
  assert mobilenet_v2.expand_input(6)(num_inputs=16) == 96
