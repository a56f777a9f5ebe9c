"""Tests of nets.dcgan."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import dcgan
from nets import normalization


def shapes(end_points):
  return {name: value.shape.as_list() for name, value in end_points.items()}


def test_generator_doubles_sides_and_halves_channels():
  logits, end_points = dcgan.generator(
      tf.zeros([2, 10]), depth=4, final_size=16, num_outputs=1)
  assert logits is end_points['logits']
  assert shapes(end_points) == {
      'deconv1': [2, 4, 4, 16],
      'deconv2': [2, 8, 8, 8],
      'deconv3': [2, 16, 16, 4],
      'logits': [2, 16, 16, 1]}


def test_discriminator_halves_sides_and_doubles_channels():
  logits, end_points = dcgan.discriminator(tf.zeros([2, 8, 8, 3]), depth=4)
  assert logits is end_points['logits']
  assert shapes(end_points) == {
      'conv1': [2, 4, 4, 4],
      'conv2': [2, 2, 2, 8],
      'conv3': [2, 1, 1, 16],
      'logits': [2, 1]}


def test_defaults():
  images, _ = dcgan.generator(tf.zeros([1, 64]))
  assert images.shape.as_list() == [1, 32, 32, 3]
  first, last = tf.trainable_variables()[0], tf.trainable_variables()[-2]
  assert first.op.name == 'Generator/deconv1/weights'
  assert first.shape.as_list() == [4, 4, 512, 64]
  assert last.op.name == 'Generator/logits/weights'
  assert last.shape.as_list() == [1, 1, 64, 3]


def test_unknown_batch_size_runs(graph):
  noise = tf.placeholder(tf.float32, [None, 5])
  images, _ = dcgan.generator(noise, depth=2, final_size=8)
  logits, _ = dcgan.discriminator(tf.tanh(images), depth=2)
  with tf.Session(graph=graph) as session:
    session.run(tf.global_variables_initializer())
    values = session.run(logits, {noise: np.ones([3, 5])})
  assert values.shape == (3, 1)
  assert np.isfinite(values).all()


def test_all_layers_but_the_outer_ones_are_normalized():
  dcgan.generator(tf.zeros([2, 5]), depth=2, final_size=16)
  dcgan.discriminator(tf.zeros([2, 16, 16, 3]), depth=2)
  normalized = {name.split('/BatchNorm')[0] for name in (
      v.op.name for v in tf.global_variables()) if '/BatchNorm' in name}
  assert normalized == {
      'Generator/deconv1', 'Generator/deconv2', 'Discriminator/conv2',
      'Discriminator/conv3', 'Discriminator/conv4'}


@pytest.mark.parametrize('is_training, updates', [(True, 6), (False, 0)])
def test_moving_averages_are_updated_in_training_only(is_training, updates):
  dcgan.discriminator(
      tf.zeros([2, 16, 16, 3]), depth=2, is_training=is_training)
  assert len(tf.get_collection(tf.GraphKeys.UPDATE_OPS)) == updates


def test_evaluation_reuses_what_training_made():
  images = tf.zeros([2, 8, 8, 1])
  dcgan.discriminator(images, depth=2)
  made = tf.trainable_variables()
  dcgan.discriminator(images, depth=2, is_training=False, reuse=True)
  assert tf.trainable_variables() == made
  with pytest.raises(ValueError, match='already exists'):
    dcgan.discriminator(images, depth=2)


def test_fused_batch_norm(graph):
  dcgan.discriminator(tf.zeros([2, 8, 8, 1]), depth=2, fused_batch_norm=True)
  fused = [op for op in graph.get_operations()
           if op.type.startswith('FusedBatchNorm')
           and not op.type.endswith('Grad')]
  assert len(fused) == 2


def test_batch_norm_goes_through_the_seam():
  seen = []

  def spy(inputs, **kwargs):
    seen.append(kwargs['is_training'])
    return slim.batch_norm(inputs, **kwargs)

  with normalization.implementation(spy):
    dcgan.generator(tf.zeros([2, 5]), depth=2, final_size=16)
    dcgan.discriminator(
        tf.zeros([2, 16, 16, 3]), depth=2, is_training=False)
  assert seen == [True] * 2 + [False] * 3


@pytest.mark.parametrize('size, message', [
    (0, 'a power of 2'), (7, 'a power of 2'), (24, 'a power of 2'),
    (33, 'a power of 2'), (-8, 'a power of 2'), (4, 'greater than 8')])
def test_generator_refuses_a_final_size(size, message):
  with pytest.raises(
      ValueError, match='final_size must be %s.*; got %d' % (message, size)):
    dcgan.generator(tf.zeros([2, 5]), final_size=size)
  assert not tf.global_variables()


@pytest.mark.parametrize('shape', [[5, 32, 32], [5, None], None])
def test_generator_refuses_noise(shape):
  with pytest.raises(ValueError, match=r'inputs must be noise of shape '
                     r'\[batch, dimensions\].*; got shape '):
    dcgan.generator(tf.placeholder(tf.float32, shape))


@pytest.mark.parametrize('shape, message', [
    ([5, 32, 32], 'with a known size; got shape'),
    ([5, 32, None, 3], 'with a known size; got shape'),
    (None, 'with a known size; got shape'),
    ([5, 32, 16, 3], 'not have equal width and height; got shape'),
    ([5, 30, 30, 3], 'must be a power of 2, for example 32; got 30'),
    ([5, 0, 0, 3], 'must be a power of 2, for example 32; got 0')])
def test_discriminator_refuses_images(shape, message):
  with pytest.raises(ValueError, match=message):
    dcgan.discriminator(tf.placeholder(tf.float32, shape))
  assert not tf.global_variables()
