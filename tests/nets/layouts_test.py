"""Networks in NCHW: the results and the variables of NHWC."""
import os

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import cifarnet
from nets import cyclegan
from nets import dcgan
from nets import inception_resnet_v2
from nets import inception_utils
from nets import inception_v2
from nets import inception_v3
from nets import inception_v4
from nets import layouts
from nets import lenet
from nets import mobilenet_v1
from nets import nets_factory
from nets import pix2pix
from nets import resnet_utils
from nets import resnet_v1
from nets import resnet_v2
from nets import sequential
from nets.mobilenet import conv_blocks
from nets.mobilenet import mobilenet
from nets.mobilenet import mobilenet_v2
from nets.mobilenet import mobilenet_v3
from tests.nets import transposing

pytestmark = pytest.mark.slow

# Builds every network that has the layout, in minutes, with TEST_LAYOUTS=all.
_BUILT = ['inception_v3', 'mobilenet_edgetpu']
if os.environ.get('TEST_LAYOUTS') == 'all':
  _BUILT = [name for name, row in nets_factory._NETWORKS.items()
            if row.module not in nets_factory._NHWC_ONLY]

_INCEPTION = inception_utils.inception_arg_scope
_CHAIN = sequential.Network('chain', 8, [
    sequential.convs('conv1', 2, 4, 3), sequential.max_pool('pool1', 2),
    sequential.conv('fc6', 5, 4, padding='VALID')], logits={})
_HEAD = inception_v4._HEAD


def _chain(net):
  return sequential.build(
      _CHAIN, net, 3, False, 0.5, True, True, None)[0]


def _resnet(module):
  block = getattr(module, module.__name__.split('.')[-1] + '_block')
  network = getattr(module, module.__name__.split('.')[-1])
  return lambda net: network(net, [
      block('block1', 2, 2, 2), block('block2', 3, 1, 1)], 3, False)[0]


def _inception_v3(net):
  logits, _ = inception_utils.convolutional_logits(
      net, {}, 3, [8, 8], 0.5, slim.softmax, True, False)
  aux = inception_v3._aux_logits(net, 3, lambda depth: depth // 32, True)
  return tf.concat([logits, aux], 1)


def _inception_v4(net):
  net = inception_v4.block_inception_c(inception_v4.block_reduction_a(net))
  aux = inception_utils.aux_dense_logits(net, 3, _HEAD)
  logits, _ = inception_utils.dense_logits(net, {}, 3, 0.5, _HEAD)
  return tf.concat([logits, aux], 1)


def _split_and_gate(net):
  net = slim.conv2d(net, 32, [3, 3])
  net = conv_blocks.split_conv(net, 32, 2, 'split')
  net = conv_blocks.squeeze_excite(net, pool=3)
  return tf.reduce_sum(net, layouts.spatial_axes())


def _v3(net):
  return mobilenet_v3.small(net, 3, depth_multiplier=0.1)[0]


def _v2(net):
  return mobilenet_v2.mobilenet(
      net, 3, depth_multiplier=0.1, use_explicit_padding=True)[0]


# Name: argument scope, size of the images, function that builds a network.
_NETWORKS = {
    'sequential': (lambda: sequential.arg_scope(0.0, None), 8, _chain),
    'resnet_v1': (resnet_utils.resnet_arg_scope, 33, _resnet(resnet_v1)),
    'resnet_v2': (resnet_utils.resnet_arg_scope, 34, _resnet(resnet_v2)),
    'inception_v2': (_INCEPTION, 32, lambda net: inception_v2.inception_v2_base(
        net, 'Mixed_4a', min_depth=2, depth_multiplier=0.05)[0]),
    'inception_v3': (_INCEPTION, 9, _inception_v3),
    'inception_v4': (_INCEPTION, 11, _inception_v4),
    'inception_resnet_v2': (
        inception_resnet_v2.inception_resnet_v2_arg_scope, 5,
        lambda net: inception_resnet_v2.block17(net, 0.5)),
    'mobilenet_v1': (
        mobilenet_v1.mobilenet_v1_arg_scope, 33, lambda net: mobilenet_v1.mobilenet_v1(
            net, 3, is_training=False, depth_multiplier=0.1)[0]),
    'mobilenet_v2': (lambda: mobilenet.training_scope(False), 33, _v2),
    'mobilenet_v3': (lambda: mobilenet.training_scope(False), 33, _v3),
    'split and gate': (lambda: mobilenet.training_scope(False), 7, _split_and_gate)}


def _built(name, data_format, images):
  """Builds a network of images in NHWC; its result is NHWC again."""
  arg_scope, _, function = _NETWORKS[name]
  with layouts.scope(data_format), slim.arg_scope(arg_scope()), slim.arg_scope(
      [slim.batch_norm, slim.dropout], is_training=False):
    if data_format == 'NHWC':
      return function(images)
    net = function(layouts.to_nchw(images))
  return tf.transpose(net, [0, 2, 3, 1]) if net.shape.ndims == 4 else net


def _values(session, random):
  """Gives all variables values; statistics and offsets are not trivial."""
  values = {}
  for variable in tf.global_variables():
    shape = variable.shape.as_list()
    scale = 1.0 if len(shape) < 2 else np.prod(shape[:-1]) ** -0.5
    values[variable.op.name] = random.normal(0, scale, shape)
    if 'variance' in variable.op.name:
      values[variable.op.name] = random.uniform(0.5, 2, shape)
  _assign(session, values)
  return values


def _assign(session, values):
  variables = tf.global_variables()
  session.run([variable.initializer for variable in variables], {
      variable.initializer.inputs[1]: values[variable.op.name]
      for variable in variables})


@pytest.mark.parametrize('name', sorted(_NETWORKS))
def test_nchw_computes_what_nhwc_does(name):
  random = np.random.RandomState(1)
  size = _NETWORKS[name][1]
  pixels = random.uniform(-1, 1, [2, size, size, 3])
  with tf.Graph().as_default(), tf.Session() as session:
    images = tf.placeholder(tf.float32, pixels.shape)
    net = _built(name, 'NHWC', images)
    values = _values(session, random)
    expected = session.run(net, {images: pixels})
  with tf.Graph().as_default() as graph, tf.Session() as session:
    images = tf.placeholder(tf.float32, pixels.shape, name='images')
    net = _built(name, 'NCHW', images)
    assert net.shape.as_list() == list(expected.shape)
    assert {v.op.name: v.shape.as_list() for v in tf.global_variables()} == {
        key: list(value.shape) for key, value in values.items()}
    layers = [each for each in graph.get_operations() if each.type in (
        'Conv2D', 'DepthwiseConv2dNative', 'MaxPool', 'AvgPool',
        'FusedBatchNormV3')]
    _assign(session, values)
    frozen = tf.graph_util.convert_variables_to_constants(
        session, graph.as_graph_def(), [net.op.name])
  substituted, count = transposing.substitute(frozen)
  assert count >= len(layers)
  with tf.Graph().as_default(), tf.Session() as session:
    fetched, = tf.import_graph_def(
        substituted, return_elements=[net.name], name='')
    result = session.run(fetched, {'images:0': pixels})
  np.testing.assert_allclose(result, expected, rtol=1e-3, atol=1e-4)


def test_a_scope_of_one_layer_alone_is_an_error():
  with slim.arg_scope([slim.conv2d], data_format='NCHW'):
    with pytest.raises(ValueError) as error:
      _resnet(resnet_v1)(tf.zeros([1, 3, 33, 33]))
  assert str(error.value) == (
      'resnet_v1: an arg scope sets data_format=NCHW for slim.conv2d, but '
      'slim.max_pool2d has NHWC. Set it for all layers: with '
      "nets.layouts.scope('NCHW').")


def test_unknown_layout():
  with pytest.raises(ValueError, match="must be 'NHWC' or 'NCHW', not 'CHWN'"):
    layouts.scope('CHWN')


@pytest.mark.parametrize('name, function, shape', [
    ('lenet', lenet.lenet, [1, 1, 28, 28]),
    ('cifarnet', cifarnet.cifarnet, [1, 3, 32, 32]),
    ('cyclegan', cyclegan.cyclegan_generator_resnet, [1, 3, 32, 32]),
    ('pix2pix', lambda net: pix2pix.pix2pix_generator(net, 3), [1, 3, 256, 256]),
    ('pix2pix', lambda net: pix2pix.pix2pix_discriminator(net, [8, 8]), [1, 3, 64, 64]),
    ('dcgan', dcgan.generator, [1, 9]), ('dcgan', dcgan.discriminator, [1, 3, 32, 32])])
def test_networks_without_the_layout(name, function, shape):
  with layouts.scope('NCHW'), pytest.raises(ValueError) as error:
    function(tf.zeros(shape))
  assert str(error.value).startswith(name + ' computes in NHWC only, but an ')


@pytest.mark.parametrize('name', _BUILT)
def test_every_network_has_its_variables(name):
  size = nets_factory.networks_map[name].default_image_size
  variables = []
  for layout in ('NHWC', 'NCHW'):
    with tf.Graph().as_default():
      network = nets_factory.in_layout(
          name, nets_factory.get_network_fn(name, 5, is_training=True), layout)
      logits, _ = network(tf.zeros([2, size, size, 3]))
      assert logits.shape.as_list() == [2, 5]
      variables.append({variable.op.name: variable.shape.as_list()
                        for variable in tf.global_variables()})
  assert variables[0] == variables[1]
