"""Tests of MobileNet V1."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import mobilenet_v1
from nets import normalization

_SHORT = [
    mobilenet_v1.Conv(kernel=[3, 3], stride=2, depth=16),
    mobilenet_v1.DepthSepConv(kernel=[3, 3], stride=2, depth=32),
    mobilenet_v1.DepthSepConv(kernel=[3, 3], stride=1, depth=64),
]


def _images(size=64, batch=2):
  return tf.zeros([batch, size, size, 3])


def _count(collection):
  return len(tf.get_collection(collection))


def _operations(kind):
  return [op for op in tf.get_default_graph().get_operations()
          if op.type == kind]


def _run(tensors, feed=None):
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    return session.run(tensors, feed)


def test_full_width_has_the_published_variables():
  with slim.arg_scope(mobilenet_v1.mobilenet_v1_arg_scope()):
    logits, end_points = mobilenet_v1.mobilenet_v1(
        _images(224), num_classes=1001)
  assert logits.shape.as_list() == [2, 1001]
  assert len(end_points) == 30
  assert end_points['Conv2d_13_pointwise'].shape.as_list() == [2, 7, 7, 1024]
  assert end_points['AvgPool_1a'].shape.as_list() == [2, 1, 1, 1024]
  assert len(tf.global_variables()) == 137
  assert sum(
      v.shape.num_elements() for v in tf.trainable_variables()) == 4233001
  assert _count(tf.GraphKeys.UPDATE_OPS) == 54
  assert _count(tf.GraphKeys.REGULARIZATION_LOSSES) == 15


def test_base_has_the_published_parameters():
  with slim.arg_scope(
      mobilenet_v1.mobilenet_v1_arg_scope(normalizer_fn=slim.batch_norm)):
    with slim.arg_scope([slim.batch_norm], scale=False):
      mobilenet_v1.mobilenet_v1_base(_images())
  assert sum(
      v.shape.num_elements() for v in slim.get_model_variables()) == 3217920


@pytest.mark.parametrize('name, width', [
    ('mobilenet_v1_075', 0.75), ('mobilenet_v1_050', 0.5),
    ('mobilenet_v1_025', 0.25)])
def test_variants_bind_the_width_only(name, width):
  variant = getattr(mobilenet_v1, name)
  assert variant.keywords == {'depth_multiplier': width}
  assert variant.default_image_size == 224
  assert variant.__name__ == 'mobilenet_v1'


def test_depth_multiplier_and_min_depth_scale_the_channels():
  _, end_points = mobilenet_v1.mobilenet_v1_base(
      _images(), depth_multiplier=0.1, min_depth=5,
      final_endpoint='Conv2d_3_pointwise')
  depths = [end_points[name].shape.as_list()[3]
            for name in ('Conv2d_0', 'Conv2d_1_pointwise',
                         'Conv2d_2_pointwise', 'Conv2d_3_pointwise')]
  assert depths == [5, 6, 12, 12]


def test_final_endpoint_stops_there():
  net, end_points = mobilenet_v1.mobilenet_v1_base(
      _images(), final_endpoint='Conv2d_2_depthwise')
  assert list(end_points) == ['Conv2d_0', 'Conv2d_1_depthwise',
                              'Conv2d_1_pointwise', 'Conv2d_2_depthwise']
  assert net is end_points['Conv2d_2_depthwise']


@pytest.mark.parametrize('output_stride, size, dilated', [
    (None, 2, 0), (32, 2, 0), (16, 4, 1), (8, 8, 7)])
def test_output_stride_trades_strides_for_dilation(
    output_stride, size, dilated):
  net, _ = mobilenet_v1.mobilenet_v1_base(
      _images(), output_stride=output_stride, depth_multiplier=0.25)
  assert net.shape.as_list() == [2, size, size, 256]
  assert len(_operations('SpaceToBatchND')) == dilated


def test_explicit_padding_does_not_depend_on_the_size():
  # With SAME, 32 pixels are padded by (0, 1) at stride 2 and 33 by (1, 1).
  images = tf.placeholder(tf.float32, [1, None, None, 3])
  with slim.arg_scope(mobilenet_v1.mobilenet_v1_arg_scope(is_training=False)):
    net, _ = mobilenet_v1.mobilenet_v1_base(
        images, final_endpoint='Conv2d_2_depthwise', use_explicit_padding=True)
  image = np.random.RandomState(0).uniform(-1, 1, [1, 33, 33, 3])
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    large = session.run(net, {images: image})
    small = session.run(net, {images: image[:, :32, :32]})
  assert large.shape == (1, 9, 9, 64) and small.shape == (1, 8, 8, 64)
  # All but the right and lower edges see the same pixels.
  np.testing.assert_allclose(
      large[:, :7, :7], small[:, :7, :7], rtol=1e-4, atol=1e-7)
  assert np.abs(small).max() > 1e-4


def test_explicit_padding_pads_each_filter():
  mobilenet_v1.mobilenet_v1_base(
      _images(), use_explicit_padding=True, depth_multiplier=0.25)
  assert len(_operations('Pad')) == 14
  assert {op.get_attr('padding')
          for op in _operations('DepthwiseConv2dNative')} == {b'VALID'}


@pytest.mark.parametrize('num_classes', [None, 0])
def test_without_classes_gives_features(num_classes):
  net, end_points = mobilenet_v1.mobilenet_v1_025(_images(), num_classes)
  assert net.shape.as_list() == [2, 1, 1, 256]
  assert net is end_points['AvgPool_1a'] and 'Logits' not in end_points


def test_global_pool_takes_images_of_any_size():
  images = tf.placeholder(tf.float32, [None, None, None, 3])
  logits, end_points = mobilenet_v1.mobilenet_v1_025(
      images, 10, global_pool=True, is_training=False)
  assert logits.shape.as_list() == [None, 10]
  pool = end_points['global_pool']
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for height, width in ((32, 64), (96, 32)):
      image = np.ones([3, height, width, 3], np.float32)
      pooled, got = session.run([pool, logits], {images: image})
      assert pooled.shape == (3, 1, 1, 256) and got.shape == (3, 10)


def test_predictions_are_a_softmax():
  _, end_points = mobilenet_v1.mobilenet_v1_025(
      tf.random_uniform([2, 32, 32, 3]), 5, is_training=False)
  predictions, logits = _run(
      [end_points['Predictions'], end_points['Logits']])
  powers = np.exp(logits)
  np.testing.assert_allclose(
      predictions, powers / powers.sum(axis=1, keepdims=True), rtol=1e-5)


def test_no_prediction_fn_no_predictions():
  _, end_points = mobilenet_v1.mobilenet_v1_025(
      _images(32), 5, prediction_fn=None)
  assert 'Predictions' not in end_points


def test_large_images_give_a_map_of_logits():
  logits, _ = mobilenet_v1.mobilenet_v1(
      _images(288), 5, conv_defs=_SHORT[:1] + _SHORT[1:2] * 4,
      spatial_squeeze=False)
  assert logits.shape.as_list() == [2, 2, 2, 5]


def test_squeezing_a_map_of_logits_is_refused():
  with pytest.raises(ValueError, match='has size 2x2, .* give global_pool'):
    mobilenet_v1.mobilenet_v1(
        _images(288), 5, conv_defs=_SHORT[:1] + _SHORT[1:2] * 4)


def test_conv_defs_of_the_user_are_built_to_their_end():
  _, end_points = mobilenet_v1.mobilenet_v1(
      _images(28), 5, conv_defs=_SHORT, depth_multiplier=0.5)
  assert end_points['Conv2d_2_pointwise'].shape.as_list() == [2, 7, 7, 32]
  assert end_points['Logits'].shape.as_list() == [2, 5]


def test_reuse_shares_the_variables():
  for reuse in (None, True):
    mobilenet_v1.mobilenet_v1(_images(28), 5, conv_defs=_SHORT, reuse=reuse)
  names = {v.op.name for v in tf.global_variables()}
  assert len(tf.global_variables()) == len(names) == 12


def test_dropout_is_active_in_training_only():
  def random_numbers():
    # The other random numbers of the graph initialize variables.
    return [op for op in _operations('RandomUniform') if 'Dropout' in op.name]

  mobilenet_v1.mobilenet_v1(
      _images(28), 5, conv_defs=_SHORT, is_training=False)
  assert not random_numbers()
  mobilenet_v1.mobilenet_v1(
      _images(28), 5, conv_defs=_SHORT, reuse=True, dropout_keep_prob=0.5)
  assert len(random_numbers()) == 1


@pytest.mark.parametrize('regularize, losses', [(False, 4), (True, 6)])
def test_arg_scope_regularizes_depthwise_weights_on_request(
    regularize, losses):
  with slim.arg_scope(mobilenet_v1.mobilenet_v1_arg_scope(
      regularize_depthwise=regularize)):
    mobilenet_v1.mobilenet_v1(_images(28), 5, conv_defs=_SHORT)
  assert _count(tf.GraphKeys.REGULARIZATION_LOSSES) == losses


def test_arg_scope_leaves_training_mode_alone_if_none():
  scope = mobilenet_v1.mobilenet_v1_arg_scope(is_training=None)
  key = slim.batch_norm._key_op  # pylint: disable=protected-access
  assert 'is_training' not in scope[key]


def test_arg_scope_without_normalizer_gives_biases():
  with slim.arg_scope(
      mobilenet_v1.mobilenet_v1_arg_scope(normalizer_fn=None)):
    mobilenet_v1.mobilenet_v1(_images(28), 5, conv_defs=_SHORT)
  names = [v.op.name for v in tf.global_variables()]
  assert 'MobilenetV1/Conv2d_1_depthwise/biases' in names
  assert not any('BatchNorm' in name for name in names)


def test_every_normalization_can_be_replaced():
  seen = []

  def recorder(inputs, *args, **kwargs):
    seen.append(inputs)
    return slim.batch_norm(inputs, *args, **kwargs)

  with slim.arg_scope(mobilenet_v1.mobilenet_v1_arg_scope()):
    with normalization.implementation(recorder):
      mobilenet_v1.mobilenet_v1_base(_images(32), depth_multiplier=0.25)
  assert len(seen) == 27


@pytest.mark.parametrize('arguments, message', [
    ({'depth_multiplier': 0}, 'depth_multiplier is 0; it must be above 0'),
    ({'output_stride': 4}, 'output_stride is 4; allowed are None, 8, 16, 32'),
    ({'conv_defs': []}, r'conv_defs is \[\]; give a list of Conv'),
    ({'conv_defs': [(3, 2, 8)]}, 'give a list of Conv'),
    ({'final_endpoint': 'Conv2d_14'},
     'Unknown final endpoint Conv2d_14 of this definition; it has: Conv2d_0, '),
])
def test_wrong_arguments_are_refused_before_anything_is_built(
    arguments, message):
  images = _images()
  before = len(tf.get_default_graph().get_operations())
  with pytest.raises(ValueError, match=message):
    mobilenet_v1.mobilenet_v1_base(images, **arguments)
  assert len(tf.get_default_graph().get_operations()) == before


@pytest.mark.parametrize(
    'build', [mobilenet_v1.mobilenet_v1, mobilenet_v1.mobilenet_v1_base])
def test_images_of_wrong_rank_are_refused(build):
  with pytest.raises(ValueError, match='give images of rank 4'):
    build(tf.zeros([64, 64, 3]))
