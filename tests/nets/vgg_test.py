"""Tests of VGG; sequential_test has those of its interpreter."""
import inspect

import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import vgg

_NETWORKS = {'vgg_a': vgg.vgg_a, 'vgg_16': vgg.vgg_16, 'vgg_19': vgg.vgg_19}
_CONVOLUTIONS = {'vgg_a': [1, 1, 2, 2, 2], 'vgg_16': [2, 2, 3, 3, 3],
                 'vgg_19': [2, 2, 4, 4, 4]}
_PARAMETERS = {'vgg_a': 132863336, 'vgg_16': 138357544, 'vgg_19': 143667240}


@pytest.fixture(params=sorted(_NETWORKS))
def name(request):
  return request.param


def _build(name, size=224, num_classes=1000, **kwargs):
  with slim.arg_scope(vgg.vgg_arg_scope()):
    return _NETWORKS[name](tf.zeros([2, size, size, 3]), num_classes, **kwargs)


def test_logits_and_parameters(name):
  logits, _ = _build(name)
  assert logits.op.name == name + '/fc8/squeezed'
  assert logits.shape.as_list() == [2, 1000]
  assert sum(variable.shape.num_elements() for variable
             in tf.trainable_variables()) == _PARAMETERS[name]


def test_end_points(name):
  logits, ends = _build(name)
  expected = []
  for block, count in enumerate(_CONVOLUTIONS[name], 1):
    expected += ['%s/conv%d/conv%d_%d' % (name, block, block, i)
                 for i in range(1, count + 1)]
    expected.append('%s/pool%d' % (name, block))
  expected += [name + '/' + layer for layer in ('fc6', 'fc7', 'fc8')]
  assert list(ends) == expected
  assert ends[name + '/fc8'] is logits
  sizes = [ends['%s/pool%d' % (name, block)].shape.as_list()[1:]
           for block in range(1, 6)]
  assert sizes == [[112, 112, 64], [56, 56, 128], [28, 28, 256], [14, 14, 512],
                   [7, 7, 512]]


def test_names_sizes_and_arguments(name):
  network = _NETWORKS[name]
  assert network.__name__ == name
  assert network.default_image_size == 224
  assert network.__doc__
  parameters = inspect.signature(network).parameters
  assert list(parameters) == [
      'inputs', 'num_classes', 'is_training', 'dropout_keep_prob',
      'spatial_squeeze', 'reuse', 'scope', 'fc_conv_padding', 'global_pool']
  assert parameters['scope'].default == name


def test_letters_of_the_paper():
  assert vgg.vgg_d is vgg.vgg_16
  assert vgg.vgg_e is vgg.vgg_19


@pytest.mark.parametrize('num_classes', [None, 0])
def test_no_classes_means_features(num_classes):
  features, ends = _build('vgg_a', num_classes=num_classes)
  assert features is ends['vgg_a/fc7']
  assert features.shape.as_list() == [2, 1, 1, 4096]
  assert 'vgg_a/fc8' not in ends


@pytest.mark.parametrize('padding, map_size', [('VALID', 2), ('SAME', 8)])
def test_fully_convolutional(padding, map_size):
  logits, _ = _build('vgg_a', 256, spatial_squeeze=False,
                     fc_conv_padding=padding)
  assert logits.shape.as_list() == [2, map_size, map_size, 1000]


def test_global_pool_of_a_larger_image():
  logits, ends = _build('vgg_a', 256, global_pool=True)
  assert logits.shape.as_list() == [2, 1000]
  assert ends['global_pool'].shape.as_list() == [2, 1, 1, 4096]


def test_train_then_evaluate_with_the_same_variables(graph):
  _build('vgg_a')
  count = len(tf.global_variables())
  before = set(graph.get_operations())
  logits, _ = _build('vgg_a', 256, is_training=False, spatial_squeeze=False,
                     reuse=True)
  assert logits.shape.as_list() == [2, 2, 2, 1000]
  assert len(tf.global_variables()) == count
  assert not [op for op in set(graph.get_operations()) - before
              if op.type.startswith('Random')]


@pytest.mark.parametrize('size, padding, min_size', [
    (223, 'VALID', 224), (31, 'SAME', 32)])
def test_images_too_small(graph, size, padding, min_size):
  with pytest.raises(ValueError, match=(
      'inputs of vgg_16 must be %dx%d or larger, given %dx%d' % (
          min_size, min_size, size, size))):
    _build('vgg_16', size, fc_conv_padding=padding)
  assert not tf.global_variables()


@pytest.mark.parametrize('size, padding', [(224, 'VALID'), (32, 'SAME')])
def test_smallest_images(size, padding):
  logits, _ = _build('vgg_16', size, fc_conv_padding=padding)
  assert logits.shape.as_list() == [2, 1000]


def test_unknown_padding():
  with pytest.raises(ValueError, match=(
      "fc_conv_padding must be 'VALID' or 'SAME', given 'same'")):
    _build('vgg_a', fc_conv_padding='same')


def test_weight_decay_of_every_layer():
  with slim.arg_scope(vgg.vgg_arg_scope(weight_decay=0.25)):
    vgg.vgg_a(tf.zeros([1, 224, 224, 3]), 10)
  assert len(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)) == 11
