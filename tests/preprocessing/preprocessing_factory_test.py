import functools
import json

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from nets import nets_factory
from preprocessing import preprocessing_factory

_WITHOUT = ('i3d', 's3dg')
# How the names of each family begin.
_FAMILIES = {
    'inception': ('inception', 'mobilenet', 'nasnet_mobile', 'nasnet_large',
                  'pnasnet'),
    'vgg': ('vgg', 'resnet', 'alexnet', 'overfeat'),
    'cifarnet': ('cifarnet', 'nasnet_cifar'),
    'lenet': ('lenet',),
}


def _step(name, size=16, **kwargs):
  function = preprocessing_factory.get_preprocessing(name, **kwargs)
  return functools.partial(function, output_height=size, output_width=size)


@pytest.mark.parametrize('name', sorted(
    set(nets_factory.networks_map) - set(_WITHOUT)))
def test_every_network_has_a_family(name):
  family, = [family for family, beginnings in _FAMILIES.items()
             if name.startswith(beginnings)]
  assert preprocessing_factory.describe(name)['family'] == family
  result = _step(name)(tf.placeholder(tf.uint8, [None, None, 3]))
  assert result.dtype == tf.float32
  assert result.shape.as_list() == [16, 16, 3]


@pytest.mark.parametrize('name', _WITHOUT + ('mine', 'vggish', None))
def test_names_without_preprocessing(name):
  for function in (preprocessing_factory.get_preprocessing,
                   preprocessing_factory.describe):
    with pytest.raises(ValueError, match=(
        r'Preprocessing name \[%s\] was not recognized.*Choose one with '
        r'--preprocessing_name: inception, vgg, torchvision, cifarnet, lenet' %
        name)):
      function(name)


@pytest.mark.parametrize('name, near', [
    ('incepton_v3', 'inception'), ('mobilnet_v2', 'mobilenet'),
    ('renset_v1_50', 'resnet'), ('vg_16', 'vgg')])
def test_the_nearest_name_is_offered(name, near):
  with pytest.raises(ValueError, match='did you mean %s?' % near):
    preprocessing_factory.get_preprocessing(name)


@pytest.mark.parametrize('name', [
    'inception', 'vgg', 'torchvision', 'cifarnet', 'lenet'])
@pytest.mark.parametrize('is_training', [False, True])
def test_families_are_names_too(pixels, name, is_training):
  assert preprocessing_factory.describe(name)['family'] == name
  step = _step(name, is_training=is_training)
  to_gray = _step(name, is_training=is_training, use_grayscale=True)
  color, gray = tf.constant(pixels), tf.constant(pixels[:, :, :1])
  with tf.Session() as session:
    results = session.run(
        [step(color), step(gray), to_gray(color), to_gray(gray)])
  assert [result.shape for result in results] == [
      (16, 16, channels) for channels in (3, 1, 1, 1)]


@pytest.mark.parametrize('name, kwargs', [
    ('mobilenet_v1', dict(crop_image=False, fast_mode=False)),
    ('mobilenet_v1', dict(add_image_summaries=False)),
    ('resnet_v1_50', dict(resize_side_min=20, resize_side_max=30)),
    ('cifarnet', dict(add_image_summaries=False))])
def test_keyword_arguments_reach_the_family(pixels, name, kwargs):
  for is_training in (False, True):
    step = _step(name, is_training=is_training)
    assert step(tf.constant(pixels), **kwargs).shape.as_list() == [16, 16, 3]
  if 'add_image_summaries' in kwargs:
    assert not tf.get_collection(tf.GraphKeys.SUMMARIES)


def test_unknown_keyword_argument(pixels):
  with pytest.raises(TypeError, match='fast_mode'):
    _step('lenet')(tf.constant(pixels), fast_mode=True)


@pytest.mark.parametrize('name', ['mobilenet_v2', 'vgg_16', 'lenet'])
@pytest.mark.parametrize('value', [0, 100, 255])
def test_description_is_what_happens(name, value):
  description = preprocessing_factory.describe(name)
  image = tf.constant(np.full((20, 20, 3), value, np.uint8))
  result = _step(name)(image)
  expected = (value - np.float64(description['mean'])) * description['scale']
  with tf.Session() as session:
    np.testing.assert_allclose(
        session.run(result), np.broadcast_to(expected, (16, 16, 3)),
        atol=1e-3)
  lowest, highest = description['value_range'].split(' to ')
  assert float(lowest) - 1e-3 <= expected.min()
  assert expected.max() <= float(highest) + 1e-3


@pytest.mark.parametrize('name', ['inception', 'vgg', 'cifarnet', 'lenet'])
def test_descriptions_are_plain_data(name):
  description = preprocessing_factory.describe(name)
  assert json.loads(json.dumps(description)) == description
  assert sorted(description) == [
      'central_fraction', 'family', 'mean', 'scale', 'size', 'value_range']
  # A copy: what the caller does to it stays there.
  description['family'] = 'mine'
  assert preprocessing_factory.describe(name)['family'] == name
