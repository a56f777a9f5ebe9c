"""The layout of images inside networks."""
import pytest
import tensorflow.compat.v1 as tf

from image_classifier.train import data_format
from nets import nets_factory


def test_nhwc_is_everywhere():
  data_format.check('NHWC')
  assert nets_factory.layout_arguments('lenet', 'NHWC') == {}


def test_nchw_on_a_cpu_is_tried():
  # TensorFlow 1.15 has no such convolutions on a CPU, 2.12 has.
  if tf.__version__.startswith('1.'):
    with pytest.raises(ValueError) as error:
      data_format.check('NCHW')
    assert str(error.value) == (
        '--data_format=NCHW: TensorFlow %s has no such convolutions on a CPU, '
        'and sees no GPU. --data_format=NHWC runs on both.' % tf.__version__)
  else:
    data_format.check('NCHW')


@pytest.mark.parametrize('name', ['lenet', 's3dg', 'mine'])
def test_networks_without_the_layout_say_so(name):
  with pytest.raises(ValueError) as error:
    nets_factory.in_layout(name, None, 'NCHW')
  assert str(error.value) == (
      '%s cannot compute in the layout NCHW, only in NHWC. NCHW is offered by '
      'all networks of this library but cifarnet, i3d, s3dg, lenet.' % name)


def test_images_are_transposed_once():
  with tf.Graph().as_default() as graph:
    network = nets_factory.in_layout(
        'mobilenet_v1_025', nets_factory.get_network_fn('mobilenet_v1_025', 5),
        'NCHW')
    logits, end_points = network(tf.zeros([2, 64, 32, 3]))
    assert logits.shape.as_list() == [2, 5]
    assert end_points['Conv2d_0'].shape.as_list() == [2, 8, 32, 16]
    kinds = [operation.type for operation in graph.get_operations()]
    assert kinds.count('Transpose') == 1
    layouts = {operation.get_attr('data_format')
               for operation in graph.get_operations() if operation.type in (
                   'Conv2D', 'DepthwiseConv2dNative', 'AvgPool',
                   'FusedBatchNormV3', 'BiasAdd')}
    assert layouts == {b'NCHW'}


@pytest.mark.parametrize('name', ['nasnet_cifar', 'pnasnet_mobile'])
@pytest.mark.slow
def test_networks_with_the_layout(name):
  size = nets_factory.networks_map[name].default_image_size
  config = nets_factory.layout_arguments(name, 'NCHW')['config']
  config.num_cells = 3
  variables = []
  for layout in ('NHWC', 'NCHW'):
    config.data_format = layout
    with tf.Graph().as_default():
      _, end_points = nets_factory.get_network_fn(name, 5)(
          tf.zeros([1, size, size, 3]), config=config)
      variables.append({variable.op.name: variable.shape.as_list()
                        for variable in tf.global_variables()})
  channels, height = end_points['Cell_0'].shape.as_list()[1:3]
  assert channels > height
  # Evaluation, which has no flag for the layout, restores these as well.
  assert variables[0] == variables[1]
