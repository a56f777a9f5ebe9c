"""Tests of AlexNet; sequential_test has those of its interpreter."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import alexnet


def _build(height=224, width=224, num_classes=1000, **kwargs):
  with slim.arg_scope(alexnet.alexnet_v2_arg_scope()):
    return alexnet.alexnet_v2(
        tf.zeros([2, height, width, 3]), num_classes, **kwargs)


def test_logits_parameters_and_end_points():
  logits, ends = _build()
  assert logits.op.name == 'alexnet_v2/fc8/squeezed'
  assert sum(variable.shape.num_elements()
             for variable in tf.trainable_variables()) == 50303912
  assert [(name, net.shape.as_list()[1:]) for name, net in ends.items()] == [
      ('alexnet_v2/conv1', [54, 54, 64]),
      ('alexnet_v2/pool1', [26, 26, 64]),
      ('alexnet_v2/conv2', [26, 26, 192]),
      ('alexnet_v2/pool2', [12, 12, 192]),
      ('alexnet_v2/conv3', [12, 12, 384]),
      ('alexnet_v2/conv4', [12, 12, 384]),
      ('alexnet_v2/conv5', [12, 12, 256]),
      ('alexnet_v2/pool5', [5, 5, 256]),
      ('alexnet_v2/fc6', [1, 1, 4096]),
      ('alexnet_v2/fc7', [1, 1, 4096]),
      ('alexnet_v2/fc8', [1000]),
  ]
  assert alexnet.alexnet_v2.default_image_size == 224


@pytest.mark.parametrize('num_classes', [None, 0])
def test_no_classes_means_features(num_classes):
  features, ends = _build(num_classes=num_classes)
  assert features is ends['alexnet_v2/fc7']
  assert features.shape.as_list() == [2, 1, 1, 4096]


def test_fully_convolutional():
  logits, _ = _build(300, 400, spatial_squeeze=False)
  assert logits.shape.as_list() == [2, 4, 7, 1000]


def test_global_pool_of_a_larger_image():
  logits, ends = _build(300, 400, global_pool=True)
  assert logits.shape.as_list() == [2, 1000]
  assert ends['global_pool'].shape.as_list() == [2, 1, 1, 4096]


@pytest.mark.parametrize('size', [195, 226])
def test_images_with_logits_of_one_by_one(size):
  logits, _ = _build(size, size)
  assert logits.shape.as_list() == [2, 1000]


def test_images_too_small():
  with pytest.raises(ValueError, match=(
      'inputs of alexnet_v2 must be 195x195 or larger, given 224x194; enlarge '
      'the images')):
    _build(224, 194)
  assert not tf.global_variables()


def test_images_too_large_to_squeeze():
  with pytest.raises(ValueError, match=(
      'alexnet_v2/fc8/BiasAdd has size 1x2, and only 1x1 can be squeezed; give '
      'global_pool=True, or spatial_squeeze=False')):
    _build(224, 227)


def test_how_the_layers_start():
  _build(num_classes=10)
  light = [variable for variable in tf.trainable_variables()
           if 'fc6/weights' not in variable.op.name]
  with tf.Session() as session:
    session.run(tf.variables_initializer(light))
    values = {variable.op.name: session.run(variable) for variable in light}
  for layer in ('conv1', 'conv5', 'fc6', 'fc7'):
    assert (values['alexnet_v2/%s/biases' % layer] == np.float32(0.1)).all()
  assert not values['alexnet_v2/fc8/biases'].any()
  for layer in ('fc7', 'fc8'):
    # A normal distribution cut at two deviations keeps 0.88 of its deviation.
    weights = values['alexnet_v2/%s/weights' % layer]
    assert abs(weights).max() <= 0.01
    assert abs(weights.std() / 0.0044 - 1) < 0.02
