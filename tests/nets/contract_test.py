"""Holds all networks of the factory to what they promise in common.

That they take a batch of unknown size, are trained and then evaluated with the
same variables is part of `golden_test`; what its goldens say about it is looked
at here.
"""
import inspect
import math

import pytest
import tensorflow.compat.v1 as tf

from nets import nets_factory
from tests.nets import contracts
from tests.nets import manifests

_CLASSES = 7


def _takes(argument):
  """Returns the forms of networks with that argument in their signature."""
  return [name for name in contracts.FORMS if argument in inspect.signature(
      nets_factory.networks_map[name]).parameters]


def _images(*shape):
  return tf.placeholder(tf.float32, (None,) + shape)


def _images_for(way, size):
  """Returns square images, or videos of them where `way` wants those."""
  is_video = (way.what in contracts.VIDEO_FUNCTIONS or
              nets_factory.takes_video(way.what))
  return _images(*[4] * is_video + [size, size, 3])


def _build(way, images, num_classes=None, is_training=False):
  """Builds what a `contracts.Way` says.

  Functions are called outside of any arg scope, and so without normalization,
  on which nothing here depends.
  """
  if callable(way.what):
    return way.what(images, **way.options)
  network_fn = nets_factory.get_network_fn(
      way.what, num_classes, is_training=is_training)
  return network_fn(images, **way.options)


def _label(value):
  """Names a `contracts.Way` in the names of the tests."""
  if not isinstance(value, contracts.Way):
    return None
  words = [getattr(value.what, '__name__', value.what)]
  words += ['%s=%s' % option for option in value.options.items()
            if option[0] != 'config']
  return ' '.join(words)


def _build_form(name, images, num_classes=None, **options):
  return _build(
      contracts.way(name, **dict(contracts.SMALL.get(name, {}), **options)),
      images, num_classes)


def _shape(text):
  return [None if size == '?' else int(size) for size in text.split('x')]


@pytest.fixture(params=list(nets_factory.networks_map))
def golden(request):
  """The golden of each network."""
  return manifests.read(request.param)


def test_logits_of_a_batch_of_unknown_size(golden):
  logits = _shape(golden['training']['shape'])
  assert len(logits) == 2 and logits[0] is None and logits[1] in (10, 1001)
  for mode in manifests.MODES:
    end_points = golden[mode]['end_points']
    assert golden[mode]['shape'] == golden['training']['shape']
    heads = [shape for name, shape in end_points.items()
             if name in ('Logits', 'AuxLogits', 'Predictions', 'predictions')]
    assert set(heads) <= {golden['training']['shape']}
    assert (golden[mode]['predictions'] is None) == (
        not {'Predictions', 'predictions'} & set(end_points))
    assert all(_shape(shape)[0] is None for shape in end_points.values())


def test_images_have_the_default_size(golden):
  size = golden['default_image_size']
  *_, height, width, channels = _shape(golden['images'])
  assert channels == 3
  # Those of videos have half of it, to save time.
  assert (height, width) in ((size, size), (size // 2, size // 2))


def test_evaluation_needs_no_other_variables_than_training(golden):
  training, evaluation = (golden[mode] for mode in manifests.MODES)
  assert evaluation['variables'].items() <= training['variables'].items()
  assert evaluation['end_points'].items() <= training['end_points'].items()
  assert evaluation['update_ops'] == 0
  moved = [name for name in training['variables']
           if name.endswith(('/moving_mean', '/moving_variance'))]
  assert training['update_ops'] == len(moved)


def test_kernels_are_regularized_and_normalization_is_not(golden):
  variables = golden['training']['variables']
  regularized = {name.split('/')[-1] for name, text in variables.items()
                 if text.endswith('r')}
  assert 'weights' in regularized
  assert not regularized & {'beta', 'gamma', 'moving_mean', 'moving_variance'}
  assert golden['training']['regularization_losses'] == sum(
      text.endswith('r') for text in variables.values())


def test_parameters_are_those_of_the_variables(golden):
  variables = [text.split(' ') for text in
               golden['training']['variables'].values()]
  for kind, letter in (('trainable', 't'), ('model', 'm')):
    assert golden['parameters'][kind] == sum(
        tf.TensorShape(_shape(shape)).num_elements()
        for shape, letters in variables if letter in letters)


def _default_shape(name, larger_by=0):
  """Returns the shape of one image, or video, for a network."""
  size = nets_factory.networks_map[name].default_image_size + larger_by
  return [8] * nets_factory.takes_video(name) + [size, size, 3]


@pytest.mark.parametrize('name', contracts.FORMS)
@pytest.mark.slow
def test_features_of_images_of_another_size(name):
  shape, expected = contracts.FEATURES.get(
      name, (_default_shape(name, larger_by=32), None))
  images = _images(*shape)
  net, end_points = _build_form(name, images)
  assert net.shape.as_list()[0] is None
  assert net.shape.as_list()[1:] == (expected or net.shape.as_list()[1:])
  assert net.shape.ndims in (2, images.shape.ndims)
  assert not {'Logits', 'AuxLogits', 'Predictions',
              'predictions'} & set(end_points)


@pytest.mark.parametrize('name', ['alexnet_v2', 'lenet', 'mobilenet_v1_050'])
def test_no_classes_are_as_good_as_none(name):
  shape, expected = contracts.FEATURES[name]
  net, _ = _build_form(name, _images(*shape), num_classes=0)
  assert net.shape.as_list() == [None] + expected


@pytest.mark.parametrize('name', _takes('global_pool'))
@pytest.mark.slow
def test_global_pool_takes_images_of_any_size(name):
  logits, _ = _build_form(name, _images(None, None, 3), _CLASSES,
                          global_pool=True, **contracts.ANY_SIZE.get(name, {}))
  assert logits.shape.as_list() == [None, _CLASSES]


@pytest.mark.parametrize('name, options, shape, sizes', contracts.DENSE + [
    (name, {}, _default_shape(name), [1, 1])
    for name in _takes('spatial_squeeze')
    if name not in [row[0] for row in contracts.DENSE]])
@pytest.mark.slow
def test_maps_of_logits(name, options, shape, sizes):
  logits, _ = _build_form(name, _images(*shape), _CLASSES,
                          spatial_squeeze=False, **options)
  assert logits.shape.as_list() == [None] + sizes + [_CLASSES]


@pytest.mark.parametrize(
    'way, size, expected', contracts.OUTPUT_STRIDES, ids=_label)
@pytest.mark.slow
def test_output_stride(way, size, expected):
  net, _ = _build(way, _images(size, size, 3))
  assert expected == math.ceil(size / way.options['output_stride'])
  assert net.shape.as_list()[1:3] == [expected, expected]


@pytest.mark.parametrize(
    'way, channels', contracts.DEPTH_MULTIPLIERS, ids=_label)
def test_depth_multiplier(way, channels):
  net, _ = _build(way, _images_for(way, size=96))
  assert net.shape.as_list()[-1] == channels


@pytest.mark.parametrize('way', contracts.EXPLICIT_PADDING, ids=_label)
@pytest.mark.parametrize('size', [64, 65])
def test_explicit_padding(graph, way, size):
  padded = contracts.way(way.what, use_explicit_padding=True, **way.options)
  with tf.variable_scope('padded'):
    net, _ = _build(padded, _images(size, size, 3))
  convolutions = [
      operation for operation in graph.get_operations()
      if operation.type in ('Conv2D', 'DepthwiseConv2dNative') and
      operation.inputs[1].shape.as_list()[:2] != [1, 1]]
  assert convolutions
  assert {operation.get_attr('padding') for operation in convolutions} == {
      b'VALID'}
  plain, _ = _build(way, _images(size, size, 3))
  assert net.shape.as_list() == plain.shape.as_list()


@pytest.mark.parametrize(
    'way, size, expected', contracts.AUXILIARY_LOGITS, ids=_label)
@pytest.mark.slow
def test_auxiliary_logits(way, size, expected):
  logits, end_points = _build(
      way, _images(size, size, 3), _CLASSES, is_training=True)
  assert logits.shape.as_list() == [None, _CLASSES]
  assert ('AuxLogits' in end_points) == expected
  if expected:
    assert end_points['AuxLogits'].shape.as_list() == [None, _CLASSES]
  assert expected == any(
      'aux' in variable.op.name.lower() for variable in tf.model_variables())


@pytest.mark.parametrize(
    'way, shape, end_point, expected', contracts.DATA_FORMATS, ids=_label)
def test_data_formats(way, shape, end_point, expected):
  _, end_points = _build(way, _images(*shape), _CLASSES)
  assert end_points[end_point].shape.as_list() == [None] + expected
  if 'Logits' in end_points:
    assert end_points['Logits'].shape.as_list() == [None, _CLASSES]


@pytest.mark.parametrize('way, known', contracts.FINAL_ENDPOINTS + [
    (contracts.way(name), []) for name in _takes('final_endpoint')], ids=_label)
def test_unknown_final_endpoint(graph, way, known):
  images = _images_for(way, size=224)
  before = len(graph.get_operations())
  wrong = contracts.way(way.what, final_endpoint='Mixed_9z', **way.options)
  with pytest.raises(ValueError, match=(
      'Unknown final endpoint Mixed_9z of .*; it has: ')) as error:
    _build(wrong, images, _CLASSES)
  listed = str(error.value).split('it has: ')[1].split(', ')
  assert set(known) <= set(listed)
  assert len(graph.get_operations()) == before
