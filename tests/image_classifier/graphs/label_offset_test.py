"""The meaning of --labels_offset=auto."""
import pytest
import tensorflow.compat.v1 as tf

from image_classifier import options
from image_classifier.graphs import label_offset
from slim_common import flags


def _checkpoint(directory, **layers):
  with tf.Graph().as_default(), tf.Session() as session:
    for name, width in layers.items():
      tf.get_variable(name.replace('_0', '/'), [width])
    session.run(tf.global_variables_initializer())
    return tf.train.Saver().save(session, str(directory / 'model.ckpt'))


@pytest.mark.parametrize('name, outputs, num_classes, offset', [
    ('net_0logits_0biases', 1000, 1001, 1),
    ('net_0logits_0biases', 1001, 1001, 0),
    ('net_0fc8_0biases', 1000, 1001, 1),
    ('net_0Logits_0Conv2d_1c_1x1_0biases', 1000, 1001, 1),
    ('final_0FC_0biases', 10, 11, 1),
    # Other classes: the head is not loaded.
    ('net_0logits_0biases', 1001, 5, 0)])
def test_the_checkpoint_decides(tmp_path, name, outputs, num_classes, offset):
  path = _checkpoint(tmp_path, **{
      name: outputs, 'net_0conv_0biases': 7, 'net_0AuxLogits_0a_0biases': 3})
  for given in (path, path + '.index', str(tmp_path)):
    assert label_offset.resolve('auto', num_classes, given, 'x') == offset


@pytest.mark.parametrize('model, num_classes, offset', [
    ('resnet_v1_50', 1001, 1), ('vgg_16', 1001, 1), ('resnet_v2_50', 1001, 0),
    ('inception_v3', 1001, 0), ('resnet_v1_50', 10, 0)])
def test_without_a_checkpoint_the_network_decides(
    tmp_path, model, num_classes, offset):
  assert label_offset.resolve('auto', num_classes, None, model) == offset
  unknown = _checkpoint(tmp_path, other=3)
  assert label_offset.resolve('auto', num_classes, unknown, model) == offset


def test_a_number_stays():
  assert label_offset.resolve(1, 10, '/nowhere/model', 'lenet') == 1


def test_a_missing_checkpoint():
  with pytest.raises(ValueError, match='There is no checkpoint /nowhere/model'):
    label_offset.resolve('auto', 10, '/nowhere/model', 'lenet')


@pytest.mark.parametrize('value, expected', [('auto', 'auto'), ('1', 1)])
def test_flag(value, expected):
  for config in (options.Train, options.Evaluate):
    parsed, _ = flags.parse(
        ['--dataset_dir=x', '--labels_offset=' + value], config)
    assert parsed.data.labels_offset == expected


@pytest.mark.parametrize('value, message', [
    ('one', '--labels_offset=one: must be a number (int) or auto'),
    ('-1', '--labels_offset=-1 must be at least 0')])
def test_other_words(value, message):
  with pytest.raises(flags.UsageError) as error:
    flags.parse(['--dataset_dir=x', '--labels_offset=' + value], options.Train)
  assert message in str(error.value)


def test_help():
  text = flags.help_text('train.py', options.Train, '')
  assert '--labels_offset=INT|auto  (default: 0, at least 0)' in text
