"""Why a checkpoint does not fit."""
import pytest

from image_classifier.checkpoints import shape_mismatch

_V2 = 'MobilenetV2/expanded_conv_16/project/weights'
_EXPAND = 'MobilenetV2/expanded_conv_8/expand/weights'
_HEAD = 'MobilenetV2/Logits/Conv2d_1c_1x1/biases'


def _mobilenet(last, expanded, classes=1001, suffix=''):
  return {_V2 + suffix: [1, 1, 6 * last, last],
          _EXPAND + suffix: [1, 1, 64, expanded], _HEAD + suffix: [classes]}


@pytest.mark.parametrize('name, theirs, ours, sentence', [
    (_EXPAND, _mobilenet(448, 528), _mobilenet(320, 384),
     'The checkpoint is width 1.4: --model_name=mobilenet_v2_140.'),
    (_EXPAND, _mobilenet(320, 384), _mobilenet(448, 528),
     'The checkpoint is width 1: --model_name=mobilenet_v2.'),
    (_EXPAND, _mobilenet(240, 288), _mobilenet(320, 384),
     'The checkpoint is width 0.75, which no network has; there are '
     'mobilenet_v2, mobilenet_v2_035, mobilenet_v2_140.'),
    (_HEAD, _mobilenet(320, 384), _mobilenet(320, 384, 5),
     'The checkpoint has 1001 classes, not 5: check --dataset_name and '
     '--dataset_dir (or --num_classes).'),
    ('a', {'a': [4, 1000]}, {'a': [4, 1001]},
     'The checkpoint has no background class: pass --labels_offset=1.'),
    ('a', {'a': [1001]}, {'a': [1000]},
     'The checkpoint has a background class: pass --labels_offset=0.'),
    ('a', {'a': [3, 3, 3, 16]}, {'a': [3, 3, 1, 16]},
     'The checkpoint takes images of 3 channels and these have 1: see '
     '--use_grayscale.'),
    ('a', {'a': [3, 3, 3, 16]}, {'a': [3, 3, 4, 16]},
     'The checkpoint takes images of 3 channels and these have 4.'),
    ('a', {'a': [3, 3, 8, 16]}, {'a': [3, 3, 4, 16]},
     'It was trained with another network or width: check --model_name.')])
def test_cause(name, theirs, ours, sentence):
  assert shape_mismatch.cause(name, theirs, ours) == sentence


def test_cause_with_averages():
  suffix = '/ExponentialMovingAverage'
  assert shape_mismatch.cause(
      _EXPAND + suffix, _mobilenet(448, 528, suffix=suffix),
      _mobilenet(320, 384, suffix=suffix)) == (
          'The checkpoint is width 1.4: --model_name=mobilenet_v2_140.')


@pytest.mark.parametrize('name, is_head', [
    ('vgg_16/fc8/biases', True), ('LeNet/fc4/weights', True),
    ('vgg_16/fc7/biases', False), ('InceptionV3/Logits/a/biases', True),
    ('InceptionV3/AuxLogits/Conv2d_1b_1x1/weights', True),
    ('final_layer/FC/biases', True), ('aux_11/aux_logits/FC/biases', True),
    ('resnet_v1_50/logits/biases', True), ('MobilenetV1/Conv2d_0/weights', False)])
def test_is_head(name, is_head):
  assert shape_mismatch.is_head(name) == is_head


@pytest.mark.parametrize('name', ['mobilenet_v1_025', 'mobilenet_v2_035'])
def test_widths_are_those_of_the_networks(name):
  import tensorflow.compat.v1 as tf

  from nets import nets_factory
  ours = {}
  for each in (name, name[:-4]):
    with tf.Graph().as_default():
      nets_factory.get_network_fn(each, 3)(tf.zeros([1, 32, 32, 3]))
      ours[each] = {variable.op.name: variable.shape.as_list()
                    for variable in tf.global_variables()}
  for there, here in ((name, name[:-4]), (name[:-4], name)):
    differs = [each for each in ours[here]
               if ours[here][each] != ours[there][each]]
    assert shape_mismatch.cause(differs[0], ours[there], ours[here]).endswith(
        ': --model_name=%s.' % there)
