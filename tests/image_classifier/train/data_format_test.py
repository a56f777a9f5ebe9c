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


def test_networks_without_the_layout_say_so():
  with pytest.raises(ValueError) as error:
    nets_factory.layout_arguments('inception_v3', 'NCHW')
  assert str(error.value) == (
      'inception_v3 cannot compute in the layout NCHW, only in NHWC. NCHW is '
      'offered by nasnet_cifar, nasnet_mobile, nasnet_large, pnasnet_large, '
      'pnasnet_mobile.')


@pytest.mark.parametrize('name', ['nasnet_cifar', 'pnasnet_mobile'])
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
