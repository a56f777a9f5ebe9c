"""Tests of OverFeat; sequential_test has those of its interpreter."""
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import overfeat


def _build(size=231, num_classes=1000, **kwargs):
  with slim.arg_scope(overfeat.overfeat_arg_scope()):
    return overfeat.overfeat(
        tf.zeros([2, size, size, 3]), num_classes, **kwargs)


def test_logits_parameters_and_end_points():
  logits, ends = _build()
  assert logits.op.name == 'overfeat/fc8/squeezed'
  assert sum(variable.shape.num_elements()
             for variable in tf.trainable_variables()) == 145704424
  assert [(name, net.shape.as_list()[1:]) for name, net in ends.items()] == [
      ('overfeat/conv1', [56, 56, 64]),
      ('overfeat/pool1', [28, 28, 64]),
      ('overfeat/conv2', [24, 24, 256]),
      ('overfeat/pool2', [12, 12, 256]),
      ('overfeat/conv3', [12, 12, 512]),
      ('overfeat/conv4', [12, 12, 1024]),
      ('overfeat/conv5', [12, 12, 1024]),
      ('overfeat/pool5', [6, 6, 1024]),
      ('overfeat/fc6', [1, 1, 3072]),
      ('overfeat/fc7', [1, 1, 4096]),
      ('overfeat/fc8', [1000]),
  ]
  assert overfeat.overfeat.default_image_size == 231


@pytest.mark.parametrize('num_classes', [None, 0])
def test_no_classes_means_features(num_classes):
  features, ends = _build(num_classes=num_classes)
  assert features is ends['overfeat/fc7']
  assert features.shape.as_list() == [2, 1, 1, 4096]


def test_fully_convolutional():
  logits, _ = _build(281, spatial_squeeze=False)
  assert logits.shape.as_list() == [2, 2, 2, 1000]


def test_global_pool_of_a_larger_image():
  logits, _ = _build(281, global_pool=True)
  assert logits.shape.as_list() == [2, 1000]


def test_largest_images_with_logits_of_one_by_one():
  logits, _ = _build(262)
  assert logits.shape.as_list() == [2, 1000]


def test_images_too_large_to_squeeze():
  with pytest.raises(ValueError, match='fc8/.* has size 2x2, and only 1x1'):
    _build(263)


def test_images_too_small():
  with pytest.raises(ValueError, match=(
      'inputs of overfeat must be 231x231 or larger, given 230x230')):
    _build(230)
  assert not tf.global_variables()


def test_dropout_only_in_training(graph):
  _build()
  random = {op.name for op in graph.get_operations()
            if op.type.startswith('Random') and 'dropout' in op.name}
  assert len(random) == 2
  before = set(graph.get_operations())
  with tf.variable_scope(tf.get_variable_scope(), reuse=True):
    _build(is_training=False)
  assert not [op for op in set(graph.get_operations()) - before
              if op.type.startswith('Random')]
  assert len(tf.global_variables()) == 16


def test_weight_decay_of_every_layer():
  _build()
  assert len(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)) == 8
