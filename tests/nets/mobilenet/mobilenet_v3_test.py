"""Tests of MobileNet V3 and MobileNet EdgeTPU."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets.mobilenet import mobilenet as lib
from nets.mobilenet import mobilenet_v2
from nets.mobilenet import mobilenet_v3


def _images(size=32):
  return tf.zeros([2, size, size, 3])


def _build(function, *args, **kwargs):
  with slim.arg_scope(mobilenet_v3.training_scope(is_training=False)):
    return function(*args, **kwargs)


def _trainable_parameters():
  return sum(v.shape.num_elements() for v in tf.trainable_variables())


def _operations(kind):
  return [op for op in tf.get_default_graph().get_operations()
          if op.type == kind]


@pytest.mark.parametrize('name, scope, parameters', [
    ('large', 'MobilenetV3', 5484313),
    ('small_minimalistic', 'MobilenetV3', 2045761),
    ('edge_tpu_075', 'MobilenetEdgeTPU', 2989441),
])
def test_parameters_as_published(name, scope, parameters):
  network = getattr(mobilenet_v3, name)
  assert network.default_image_size == 224
  logits, _ = _build(network, _images())
  assert logits.op.name == scope + '/Logits/output'
  assert logits.shape.as_list() == [2, 1001]
  assert _trainable_parameters() == parameters


def test_detection_base_has_half_the_channels_in_the_end():
  net, _ = _build(
      mobilenet_v3.mobilenet_base, _images(),
      conv_defs=mobilenet_v3.V3_SMALL_DETECTION)
  assert net.shape.as_list() == [2, 1, 1, 1024]
  assert _trainable_parameters() == 734640


def test_default_definition_is_the_large_one():
  _, end_points = mobilenet_v3.mobilenet_base(
      _images(), final_endpoint='layer_4')
  assert end_points['layer_4'].shape.as_list() == [2, 8, 8, 24]
  assert not _operations('Mean')


def test_minimalistic_networks_use_plain_operations_only():
  mobilenet_v3.small_minimalistic(
      _images(), base_only=True, final_endpoint='layer_5')
  assert not _operations('Relu6') and not _operations('Mean')
  assert {tuple(v.shape.as_list()[:2]) for v in tf.trainable_variables()
          if v.op.name.endswith('depthwise_weights')} == {(3, 3)}


def test_scope_of_edge_tpu_can_be_given_by_name_and_by_place():
  for number, (args, kwargs) in enumerate((
      ((5,), {'scope': 'Net0'}), ((5, 0.5, 'Net1'), {}))):
    net, _ = mobilenet_v3.edge_tpu(
        _images(), *args, base_only=True, final_endpoint='layer_2', **kwargs)
    assert net.op.name == 'Net%d/expanded_conv/output' % number


@pytest.mark.parametrize('network, feature_map, output_stride, size', [
    (mobilenet_v3.small, 'layer_13', 16, 4),
    (mobilenet_v3.edge_tpu, 'layer_24', 8, 8)])
def test_output_stride_on_the_full_network(
    network, feature_map, output_stride, size):
  logits, end_points = network(
      _images(64), 5, depth_multiplier=0.25, output_stride=output_stride)
  assert logits.shape.as_list() == [2, 5]
  assert end_points[feature_map].shape.as_list()[1:3] == [size, size]


@pytest.mark.parametrize('network, feature_map', [
    (mobilenet_v3.small, 'layer_13'), (mobilenet_v3.edge_tpu, 'layer_24')])
def test_explicit_padding_keeps_the_sizes(network, feature_map):
  logits, end_points = network(
      _images(64), 5, depth_multiplier=0.25, use_explicit_padding=True)
  assert logits.shape.as_list() == [2, 5]
  assert end_points[feature_map].shape.as_list()[1:3] == [2, 2]
  assert {op.get_attr('padding')
          for op in _operations('DepthwiseConv2dNative')} == {b'VALID'}


def test_batch_and_size_need_not_be_known():
  images = tf.placeholder(tf.float32, [None, None, None, 3])
  logits, _ = mobilenet_v3.small(images, 5, depth_multiplier=0.25)
  assert logits.shape.as_list() == [None, 5]
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for size in (224, 256):
      got = session.run(
          logits, {images: np.zeros([1, size, size, 3], np.float32)})
      assert got.shape == (1, 5)


@pytest.mark.parametrize('height, width, expected', [
    (7, 7, [1, 1]), (14, 14, [1, 1]), (5, 9, [1, 3]), (8, 10, [2, 4])])
def test_reduce_to_1x1(height, width, expected):
  net = mobilenet_v3.reduce_to_1x1(
      tf.zeros([2, height, width, 4]), stride=1, rate=2)
  assert net.shape.as_list() == [2] + expected + [4]


def test_hard_swish():
  x = np.array([-4.0, -3.0, -1.0, 0.0, 1.0, 3.0, 5.0], np.float32)
  with tf.Session() as session:
    got = session.run(mobilenet_v3.hard_swish(tf.constant(x)))
  np.testing.assert_allclose(
      got, x * np.clip(x + 3, 0, 6) / 6, rtol=1e-6, atol=1e-7)


def test_group_norm():
  net, _ = mobilenet_v3.small(
      _images(), use_groupnorm=True, base_only=True, final_endpoint='layer_3')
  names = [v.op.name for v in tf.global_variables()]
  assert 'MobilenetV3/expanded_conv/depthwise/GroupNorm/gamma' in names
  assert not any('BatchNorm' in name for name in names)
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    assert np.isfinite(session.run(net)).all()


def test_finegrain_mode_keeps_the_last_layer():
  net, _ = mobilenet_v3.small(
      _images(), None, depth_multiplier=0.5,
      finegrain_classification_mode=True, use_reduce_mean_for_pooling=True)
  assert net.shape.as_list() == [2, 1, 1, 1024]
  assert net.op.type == 'Mean'


def test_min_depth_and_divisible_by():
  _, end_points = mobilenet_v3.small(
      _images(), depth_multiplier=0.25, min_depth=2, divisible_by=2,
      base_only=True, final_endpoint='layer_5')
  assert [end_points[layer].shape.as_list()[3]
          for layer in ('layer_1', 'layer_3', 'layer_5')] == [4, 6, 10]


def test_spec_is_a_list_of_ops():
  for definition in (mobilenet_v3.V3_LARGE, mobilenet_v3.V3_EDGETPU):
    assert all(isinstance(layer, type(lib.op(slim.conv2d)))
               for layer in definition['spec'])


def test_wrong_arguments_are_refused_before_anything_is_built():
  images = _images()
  before = len(tf.get_default_graph().get_operations())
  with pytest.raises(ValueError, match='multiplier=2 is not an argument'):
    mobilenet_v3.mobilenet(images, multiplier=2)
  with pytest.raises(ValueError, match='depth_multiplier is 0; it must be'):
    mobilenet_v3.small(images, depth_multiplier=0)
  with pytest.raises(ValueError, match='Unknown final endpoint layer_16 of'):
    mobilenet_v3.small(images, final_endpoint='layer_16')
  with pytest.raises(ValueError, match='conv_defs is {}; give a dict whose'):
    mobilenet_v3.mobilenet(
        images, conv_defs={}, finegrain_classification_mode=True)
  assert len(tf.get_default_graph().get_operations()) == before


def test_declared_layers():
  plain = mobilenet_v3.mbv3_op(6, 24, 5, s=2, act=tf.nn.tanh, residual=False)
  gated = mobilenet_v3.mbv3_op_se(4, 16, 3)
  fused = mobilenet_v3.mbv3_fused(8, 32, 3, s=2)
  definition = {'spec': [lib.op(slim.conv2d, num_outputs=8, kernel_size=3),
                         plain, gated, fused]}
  net, _ = lib.mobilenet_base(_images(), definition)
  assert net.shape.as_list() == [2, 8, 8, 32]
  assert len(_operations('Tanh')) == 2
  shapes = {v.op.name.split('/', 1)[1]: v.shape.as_list()
            for v in tf.trainable_variables() if 'weights' in v.op.name}
  assert shapes['expanded_conv/depthwise/depthwise_weights'] == [5, 5, 48, 1]
  # 96 channels inside, divided by 4.
  assert shapes['expanded_conv_1/squeeze_excite/Conv/weights'] == [1, 1, 96, 24]
  assert shapes['expanded_conv_2/expand/weights'] == [3, 3, 16, 128]


def test_squeeze_excite_gates_with_a_hard_sigmoid():
  net = mobilenet_v3.squeeze_excite(tf.ones([1, 4, 4, 32]))
  assert net.shape.as_list() == [1, 4, 4, 32]
  assert len(_operations('Relu6')) == 1
  assert tf.trainable_variables()[0].shape.as_list() == [1, 1, 32, 8]


@pytest.mark.parametrize('name', [
    'edge_tpu', 'edge_tpu_075', 'large', 'large_minimalistic', 'mobilenet',
    'small', 'small_minimalistic'])
def test_help_says_that_inference_is_the_default(name):
  assert 'Inference mode is created by default' in getattr(
      mobilenet_v3, name).__doc__


@pytest.mark.parametrize('name', [
    'large', 'small', 'large_minimalistic', 'small_minimalistic', 'edge_tpu',
    'edge_tpu_075', 'mobilenet'])
def test_the_documentation_says_that_inference_is_the_default(name):
  for network in (getattr(mobilenet_v3, name), mobilenet_v2.mobilenet,
                  mobilenet_v2.mobilenet_v2_140):
    assert 'Inference mode is created by default' in network.__doc__
