"""Tests of resnet_utils, and of what ResNet v1 and v2 do alike."""
import collections

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import normalization
from nets import resnet_utils
from nets import resnet_v1
from nets import resnet_v2

_Generation = collections.namedtuple('_Generation', 'name build block unit')
_GENERATIONS = [
    _Generation('resnet_v1', resnet_v1.resnet_v1, resnet_v1.resnet_v1_block,
                resnet_v1.bottleneck),
    _Generation('resnet_v2', resnet_v2.resnet_v2, resnet_v2.resnet_v2_block,
                resnet_v2.bottleneck),
]


@pytest.fixture(params=_GENERATIONS, ids=lambda generation: generation.name)
def resnet(request):
  return request.param


def _blocks(resnet):
  """Three blocks of strides 2, 2 and 1."""
  return [resnet.block('block1', base_depth=1, num_units=1, stride=2),
          resnet.block('block2', base_depth=2, num_units=2, stride=2),
          resnet.block('block3', base_depth=3, num_units=1, stride=1)]


def _tiny(resnet, inputs, num_classes=None, scope='tiny', **kwargs):
  with slim.arg_scope(resnet_utils.resnet_arg_scope()):
    return resnet.build(
        inputs, _blocks(resnet), num_classes, scope=scope, **kwargs)


def _images(*shape):
  return np.random.RandomState(0).uniform(-1, 1, shape).astype(np.float32)


def _run(*tensors):
  tf.set_random_seed(1)
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    return session.run(tensors)


def test_subsample_keeps_every_factorth_row_and_column():
  image = np.arange(5 * 4, dtype=np.float32).reshape(1, 5, 4, 1)
  by_two, = _run(resnet_utils.subsample(tf.constant(image), 2))
  np.testing.assert_array_equal(by_two, image[:, ::2, ::2])
  by_three, = _run(resnet_utils.subsample(tf.constant(-image), 3))
  np.testing.assert_array_equal(by_three, -image[:, ::3, ::3])


def test_subsample_by_one_is_the_input_itself():
  image = tf.zeros([1, 3, 3, 1])
  assert resnet_utils.subsample(image, 1) is image


def _correlate(image, kernel, rate=1):
  """Correlates a square image with a kernel, zeros outside, odd pixel last."""
  span = (len(kernel) - 1) * rate
  padded = np.pad(image, [(span // 2, span - span // 2)] * 2, 'constant')
  result = np.zeros_like(image)
  for (row, column), weight in np.ndenumerate(kernel):
    top, left = row * rate, column * rate
    result += weight * padded[top:top + len(image), left:left + len(image)]
  return result


@pytest.mark.parametrize('size', [4, 5])
@pytest.mark.parametrize('kernel_size, stride, rate', [
    (3, 1, 1), (3, 2, 1), (3, 3, 1), (3, 1, 2), (4, 2, 1), (7, 2, 1)])
def test_conv2d_same_values(size, kernel_size, stride, rate):
  rows, columns = np.mgrid[:size, :size]
  image = (10 * rows + columns).astype(np.float32)
  kernel = 1 + np.arange(kernel_size ** 2, dtype=np.float32).reshape(
      kernel_size, kernel_size)
  with slim.arg_scope([slim.conv2d], activation_fn=None, normalizer_fn=None,
                      weights_initializer=tf.constant_initializer(kernel)):
    net = resnet_utils.conv2d_same(
        tf.constant(image[None, :, :, None]), 1, kernel_size, stride, rate)
  got, = _run(net)
  expected = _correlate(image, kernel, rate)[::stride, ::stride]
  np.testing.assert_allclose(got[0, :, :, 0], expected, rtol=1e-6)


def test_conv2d_same_pads_alike_where_same_padding_depends_on_the_size():
  image = np.ones([1, 6, 6, 1], np.float32)
  with slim.arg_scope([slim.conv2d], activation_fn=None,
                      weights_initializer=tf.ones_initializer()):
    even, odd = [resnet_utils.conv2d_same(tf.constant(part), 1, 3, stride=2)
                 for part in (image, image[:, :5, :5])]
    same = slim.conv2d(tf.constant(image), 1, [3, 3], stride=2, padding='SAME')
  even, odd, same = _run(even, odd, same)
  corners = [[4, 6], [6, 9]]
  np.testing.assert_array_equal(even[0, :2, :2, 0], corners)
  np.testing.assert_array_equal(odd[0, :2, :2, 0], corners)
  np.testing.assert_array_equal(same[0, :2, :2, 0], [[9, 9], [9, 9]])


def test_bottleneck_block_puts_the_stride_last():
  def unit_fn():
    pass
  block = resnet_utils.bottleneck_block('b', unit_fn, 4, 3, stride=2)
  inner = {'depth': 16, 'depth_bottleneck': 4, 'stride': 1}
  assert block == ('b', unit_fn, [inner, inner, dict(inner, stride=2)])


@pytest.mark.parametrize('depth', sorted(resnet_utils.UNITS))
def test_units_add_up_to_the_depth(depth):
  root_and_logits = 2
  convolutions = 3 * sum(resnet_utils.UNITS[depth])
  assert root_and_logits + convolutions == depth


def _stack(resnet, images, output_stride=None, reuse=None, **kwargs):
  with tf.variable_scope('stack', reuse=reuse):
    with slim.arg_scope(resnet_utils.resnet_arg_scope()):
      with slim.arg_scope([slim.batch_norm], is_training=False):
        return resnet_utils.stack_blocks_dense(
            images, _blocks(resnet), output_stride, **kwargs)


def test_dilated_features_subsampled_are_the_strided_features(resnet):
  images = tf.constant(_images(2, 31, 30, 3))
  strided = _stack(resnet, images)
  assert strided.shape.as_list() == [2, 8, 8, 12]
  dense = [resnet_utils.subsample(
      _stack(resnet, images, output_stride, reuse=True), 4 // output_stride)
           for output_stride in (1, 2, 4)]
  strided, *dense = _run(strided, *dense)
  assert strided.std() > 0.01
  for features in dense:
    np.testing.assert_allclose(features, strided, rtol=1e-4, atol=1e-5)


def test_dilation_keeps_the_resolution(resnet):
  images = tf.zeros([1, 31, 30, 3])
  for output_stride, sizes in ((1, [31, 30]), (2, [16, 15]), (4, [8, 8])):
    net = _stack(resnet, images, output_stride, reuse=tf.AUTO_REUSE)
    assert net.shape.as_list() == [1] + sizes + [12]


def test_dilation_rates_multiply_and_strides_stop():
  built = []

  def unit_fn(net, stride, rate, name):
    built.append((name, stride, rate))
    return net

  blocks = [
      resnet_utils.Block('one', unit_fn, [dict(name='a', stride=2)]),
      resnet_utils.Block('two', unit_fn, [dict(name='b'),
                                          dict(name='c', stride=3)]),
      resnet_utils.Block('three', unit_fn, [dict(name='d', stride=2),
                                            dict(name='e', stride=1)]),
  ]
  resnet_utils.stack_blocks_dense(tf.zeros([1, 12, 12, 1]), blocks, 2)
  assert built == [
      ('a', 2, 1), ('b', 1, 1), ('c', 1, 1), ('d', 1, 3), ('e', 1, 6)]


def test_end_points_before_the_stride_of_a_block(resnet):
  images = tf.constant(_images(1, 31, 30, 3))
  plain = _stack(resnet, images)
  stored = _stack(resnet, images, reuse=True, outputs_collections='blocks',
                  store_non_strided_activations=True)
  ends = slim.utils.convert_collection_to_dict('blocks')
  assert {name: net.shape.as_list()[1:] for name, net in ends.items()} == {
      'stack/block1': [31, 30, 4], 'stack/block2': [16, 15, 8],
      'stack/block3': [8, 8, 12]}
  plain, stored = _run(plain, stored)
  np.testing.assert_allclose(plain, stored, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize('output_stride', [3, 8, 0, -1])
def test_output_stride_out_of_reach_of_the_blocks(graph, output_stride):
  blocks = _blocks(_GENERATIONS[0])
  images = tf.zeros([1, 8, 8, 3])
  before = len(graph.get_operations())
  message = ('The target output_stride cannot be reached: given %d, the '
             'strides of the network allow 1, 2, 4, and None for 4.' %
             output_stride)
  with pytest.raises(ValueError, match=message):
    resnet_utils.stack_blocks_dense(images, blocks, output_stride)
  assert len(graph.get_operations()) == before


@pytest.mark.parametrize('output_stride', [2, 6, 32])
def test_output_stride_out_of_reach_of_the_network(
    graph, resnet, output_stride):
  images = tf.zeros([1, 8, 8, 3])
  before = len(graph.get_operations())
  with pytest.raises(ValueError, match='given %d, the strides of the network '
                     'allow 4, 8, 16, and None for 16' % output_stride):
    _tiny(resnet, images, output_stride=output_stride)
  assert len(graph.get_operations()) == before


def test_logits_predictions_and_end_points(resnet):
  logits, ends = _tiny(resnet, tf.constant(_images(2, 32, 24, 3)), 7)
  assert logits.op.name == 'tiny/SpatialSqueeze'
  assert logits.shape.as_list() == [2, 7]
  unit = 'tiny/block2/unit_2/bottleneck' + resnet.name[-3:]
  shapes = {name: net.shape.as_list() for name, net in ends.items()}
  assert shapes['tiny/conv1'] == [2, 16, 12, 64]
  assert shapes[unit + '/conv1'] == [2, 4, 3, 2]
  assert shapes[unit + '/conv2'] == [2, 2, 2, 2]
  assert shapes[unit] == shapes['tiny/block2'] == [2, 2, 2, 8]
  assert shapes['tiny/block3'] == [2, 2, 2, 12]
  assert shapes['global_pool'] == [2, 1, 1, 12]
  assert shapes['tiny/logits'] == [2, 1, 1, 7]
  assert ends['tiny/spatial_squeeze'] is logits
  logits, predictions = _run(logits, ends['predictions'])
  exp = np.exp(logits - logits.max(1, keepdims=True))
  np.testing.assert_allclose(predictions, exp / exp.sum(1, keepdims=True),
                             rtol=1e-4)


@pytest.mark.parametrize('num_classes', [None, 0])
def test_no_classes_means_features(resnet, num_classes):
  net, ends = _tiny(resnet, tf.zeros([2, 32, 32, 3]), num_classes)
  assert net.shape.as_list() == [2, 1, 1, 12]
  assert ends['global_pool'] is net
  assert not {'tiny/logits', 'predictions'} & set(ends)


def test_global_pool_is_the_mean_of_the_features(resnet):
  images = tf.constant(_images(2, 17, 17, 3))
  pooled, _ = _tiny(resnet, images, is_training=False)
  features, _ = _tiny(resnet, images, is_training=False, global_pool=False,
                      reuse=True)
  pooled, features = _run(pooled, features)
  assert features.shape == (2, 2, 2, 12)
  np.testing.assert_allclose(pooled, features.mean((1, 2), keepdims=True),
                             rtol=1e-4, atol=1e-6)


def test_unknown_batch_and_size(resnet):
  images = tf.placeholder(tf.float32, [None, None, None, 3])
  logits, _ = _tiny(resnet, images, 5)
  assert logits.shape.as_list() == [None, 5]
  maps, ends = _tiny(resnet, images, 5, global_pool=False,
                     spatial_squeeze=False, output_stride=8, scope='maps')
  assert maps.shape.as_list() == [None, None, None, 5]
  assert 'maps/spatial_squeeze' not in ends
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    feed = {images: _images(3, 41, 32, 3)}
    assert session.run(logits, feed).shape == (3, 5)
    assert session.run(maps, feed).shape == (3, 6, 4, 5)


@pytest.mark.parametrize('size, map_size', [(33, 5), (40, 5)])
def test_dense_prediction_of_other_sizes(resnet, size, map_size):
  maps, ends = _tiny(resnet, tf.zeros([1, size, size, 3]), 5,
                     global_pool=False, spatial_squeeze=False, output_stride=8)
  assert maps.shape.as_list() == [1, map_size, map_size, 5]
  assert ends['predictions'].shape.as_list() == [1, map_size, map_size, 5]


def test_dilation_gives_the_same_features_densely(resnet):
  images = tf.constant(_images(1, 33, 33, 3))
  options = dict(is_training=False, global_pool=False)
  strided, _ = _tiny(resnet, images, **options)
  dense = [_tiny(resnet, images, output_stride=stride, reuse=True, **options)[0]
           for stride in (4, 8)]
  strided, *dense = _run(strided, *dense)
  for features, factor in zip(dense, (4, 2)):
    np.testing.assert_allclose(features[:, ::factor, ::factor], strided,
                               rtol=1e-3, atol=1e-4)


def test_without_the_root_block(resnet):
  net, ends = _tiny(resnet, tf.zeros([1, 16, 16, 64]), global_pool=False,
                    include_root_block=False, output_stride=2)
  assert net.shape.as_list() == [1, 8, 8, 12]
  assert 'tiny/conv1' not in ends


def test_squeeze_refuses_a_map_of_logits(resnet):
  with pytest.raises(ValueError, match=(
      'tiny/logits/BiasAdd has size 2x3, and only 1x1 can be squeezed; give '
      'global_pool=True, or spatial_squeeze=False')):
    _tiny(resnet, tf.zeros([1, 32, 48, 3]), 5, global_pool=False)


def test_squeeze_without_pooling_of_a_small_image(resnet):
  logits, _ = _tiny(resnet, tf.zeros([1, 16, 16, 3]), 5, global_pool=False)
  assert logits.shape.as_list() == [1, 5]


def test_train_then_evaluate_with_the_same_variables(resnet):
  _tiny(resnet, tf.constant(_images(4, 32, 32, 3)), 5)
  names = [variable.op.name for variable in tf.global_variables()]
  updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
  logits, _ = _tiny(resnet, tf.constant(_images(2, 48, 48, 3)), 5,
                    is_training=False, reuse=True)
  assert [variable.op.name for variable in tf.global_variables()] == names
  assert tf.get_collection(tf.GraphKeys.UPDATE_OPS) == updates
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    before = session.run(logits)
    np.testing.assert_array_equal(session.run(logits), before)
    session.run(updates)
    assert not np.allclose(session.run(logits), before)


def test_mode_left_to_the_caller(resnet):
  with slim.arg_scope([slim.batch_norm], is_training=False):
    with slim.arg_scope(resnet_utils.resnet_arg_scope()):
      resnet.build(tf.zeros([1, 32, 32, 3]), _blocks(resnet), is_training=None)
  assert not tf.get_collection(tf.GraphKeys.UPDATE_OPS)


def test_arg_scope_without_batch_norm(resnet):
  with slim.arg_scope(resnet_utils.resnet_arg_scope(use_batch_norm=False)):
    resnet.build(tf.zeros([1, 32, 32, 3]), _blocks(resnet), scope='tiny')
  unit = 'tiny/block1/unit_1/bottleneck' + resnet.name[-3:]
  names = {variable.op.name for variable in tf.global_variables()}
  assert unit + '/conv1/biases' in names
  assert unit + '/conv1/BatchNorm/gamma' not in names


def test_arg_scope_options_reach_every_normalization(graph, resnet):
  with slim.arg_scope(resnet_utils.resnet_arg_scope(
      batch_norm_epsilon=0.25, batch_norm_scale=False,
      batch_norm_updates_collections='mine', activation_fn=tf.nn.tanh)):
    resnet.build(tf.zeros([1, 32, 32, 3]), _blocks(resnet), scope='tiny')
  operations = graph.get_operations()
  norms = [op for op in operations if op.type.startswith('FusedBatchNorm')]
  assert norms and all(op.get_attr('epsilon') == 0.25 for op in norms)
  assert not any('gamma' in v.op.name for v in tf.trainable_variables())
  assert not tf.get_collection(tf.GraphKeys.UPDATE_OPS)
  assert len(tf.get_collection('mine')) == 2 * len(norms)
  assert any(op.type == 'Tanh' for op in operations)


def test_all_normalization_can_be_replaced(graph, resnet):
  replaced = []

  def implementation(*args, **kwargs):
    replaced.append(kwargs)
    return slim.batch_norm(*args, **kwargs)

  with normalization.implementation(implementation):
    _tiny(resnet, tf.zeros([1, 32, 32, 3]))
  assert len(replaced) == sum(op.type.startswith('FusedBatchNorm')
                              for op in graph.get_operations())


def test_weight_decay_of_every_convolution(resnet):
  with slim.arg_scope(resnet_utils.resnet_arg_scope(weight_decay=0.5)):
    resnet.build(tf.zeros([1, 32, 32, 3]), _blocks(resnet), 5)
  weights = [variable for variable in tf.trainable_variables()
             if variable.op.name.endswith('weights')]
  losses = tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)
  assert len(losses) == len(weights)
  loss, *weights = _run(tf.add_n(losses), *weights)
  expected = 0.25 * sum((weight ** 2).sum() for weight in weights)
  np.testing.assert_allclose(loss, expected, rtol=1e-4)


def test_scopes_of_contrib_reach_the_network(resnet):
  contrib_slim = pytest.importorskip('tensorflow.contrib.slim')
  with contrib_slim.arg_scope(resnet_utils.resnet_arg_scope()):
    resnet.build(tf.zeros([1, 32, 32, 3]), _blocks(resnet), 5)
  assert tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)
  assert tf.get_collection(tf.GraphKeys.UPDATE_OPS)


def test_nchw_in_an_arg_scope_is_refused(resnet):
  with slim.arg_scope([slim.conv2d], data_format='NCHW'):
    with pytest.raises(ValueError, match='%s: an arg scope sets data_format='
                       'NCHW for slim.conv2d, but' % resnet.name):
      _tiny(resnet, tf.zeros([1, 3, 32, 32]))
  assert not tf.global_variables()
