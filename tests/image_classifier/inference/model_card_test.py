"""What --list_models and --describe_model show."""
import pytest
import tensorflow.compat.v1 as tf

from image_classifier.inference import model_card


def test_all_networks_are_listed():
  lines = model_card.list_models()
  assert len(lines) == 41
  assert 'lenet                            28     lenet' in lines
  assert 'mobilenet_v1_025                 224    inception' in lines
  assert any('s3dg' in line and '--preprocessing_name' in line
             for line in lines)


def test_lenet():
  card = model_card.describe('lenet')
  # 28x28 and 14x14 pixels convolved, then three times 3,136 x 1,024 x 10.
  assert card.multiply_adds == (
      28 * 28 * 32 * 75 + 14 * 14 * 64 * 800 + 3136 * 1024 + 1024 * 10)
  assert card.parameters == 3276234
  assert card.scopes == [
      'LeNet/conv1', 'LeNet/conv2', 'LeNet/fc3', 'LeNet/fc4']
  assert card.heads == ['LeNet/fc4']
  assert (card.image_size, card.num_classes, card.preprocessing) == (
      28, 10, 'lenet')
  assert card.end_points['pool2'] == [7, 7, 64]
  lines = model_card.lines(card)
  for line in ('  image size:     28x28', '    parameters:     3,276,234',
               '    LeNet/fc4', '    fc3                                      '
               '1024'):
    assert line in lines


@pytest.mark.parametrize('name, facts', [
    ('resnet_v2_50', '299x299, preprocessing inception, --labels_offset=0'),
    ('vgg_16', '224x224, preprocessing vgg, --labels_offset=1'),
    ('nasnet_large', '331x331, preprocessing inception, --labels_offset=0')])
def test_what_published_checkpoints_need(name, facts):
  card = model_card.Card(
      name, 224, False, 1000, 1, 1, 'vgg', [], [], {})
  assert '  published ImageNet checkpoints: ' + facts in model_card.lines(card)


@pytest.mark.slow
def test_auxiliary_heads_are_found():
  card = model_card.describe('inception_v3')
  assert card.heads == ['InceptionV3/AuxLogits', 'InceptionV3/Logits']


def test_an_unknown_name_is_an_error_with_the_nearest():
  with pytest.raises(ValueError, match='unknown lennet; did you mean lenet'):
    model_card.describe('lennet')


def test_multiply_adds_by_hand(graph):
  images = tf.zeros([2, 8, 8, 3])
  net = tf.nn.conv2d(images, tf.zeros([3, 3, 3, 5]), [1, 2, 2, 1], 'SAME')
  net = tf.nn.depthwise_conv2d(
      net, tf.zeros([3, 3, 5, 2]), [1, 1, 1, 1], 'SAME')
  net = tf.matmul(tf.reshape(net, [2, 160]), tf.zeros([160, 7]))
  tf.matmul(net, tf.zeros([4, 7]), transpose_b=True)
  tf.nn.conv3d(tf.zeros([1, 4, 4, 4, 2]), tf.zeros([1, 3, 3, 2, 6]),
               [1, 1, 1, 1, 1], 'SAME')
  assert model_card.multiply_adds(graph) == (
      2 * 4 * 4 * 5 * 27 + 2 * 4 * 4 * 10 * 9 + 2 * 160 * 7 + 2 * 7 * 4
      + 4 * 4 * 4 * 6 * 18)


def test_unknown_shapes_are_errors(graph):
  images = tf.placeholder(tf.float32, [None, 8, 8, 3])
  tf.nn.conv2d(images, tf.zeros([3, 3, 3, 5]), [1, 2, 2, 1], 'SAME')
  with pytest.raises(ValueError, match='build the graph with images of a '
                     'fixed'):
    model_card.multiply_adds(graph)
