import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import inception
from nets import inception_v4
from tests.nets import inception_testing as testing
from tests.nets.inception_testing import images

_END_POINTS = [
    ('Conv2d_1a_3x3', [None, 149, 149, 32]),
    ('Conv2d_2a_3x3', [None, 147, 147, 32]),
    ('Conv2d_2b_3x3', [None, 147, 147, 64]),
    ('Mixed_3a', [None, 73, 73, 160]), ('Mixed_4a', [None, 71, 71, 192]),
    ('Mixed_5a', [None, 35, 35, 384]), ('Mixed_5b', [None, 35, 35, 384]),
    ('Mixed_5c', [None, 35, 35, 384]), ('Mixed_5d', [None, 35, 35, 384]),
    ('Mixed_5e', [None, 35, 35, 384]), ('Mixed_6a', [None, 17, 17, 1024]),
    ('Mixed_6b', [None, 17, 17, 1024]), ('Mixed_6c', [None, 17, 17, 1024]),
    ('Mixed_6d', [None, 17, 17, 1024]), ('Mixed_6e', [None, 17, 17, 1024]),
    ('Mixed_6f', [None, 17, 17, 1024]), ('Mixed_6g', [None, 17, 17, 1024]),
    ('Mixed_6h', [None, 17, 17, 1024]), ('Mixed_7a', [None, 8, 8, 1536]),
    ('Mixed_7b', [None, 8, 8, 1536]), ('Mixed_7c', [None, 8, 8, 1536]),
    ('Mixed_7d', [None, 8, 8, 1536])]
_HEADS = [
    ('AuxLogits', [None, 1001]), ('global_pool', [None, 1, 1, 1536]),
    ('PreLogitsFlatten', [None, 1536]), ('Logits', [None, 1001]),
    ('Predictions', [None, 1001])]


@pytest.fixture
def short(monkeypatch):
  testing.shorten(
      monkeypatch, inception_v4, 'Mixed_5b', 'Mixed_5c', 'Mixed_5d', 'Mixed_5e',
      'Mixed_6b', 'Mixed_6c', 'Mixed_6d', 'Mixed_6e', 'Mixed_6f', 'Mixed_6g',
      'Mixed_7b', 'Mixed_7c')


@pytest.mark.slow
def test_training_graph():
  with slim.arg_scope(inception.inception_v4_arg_scope()):
    logits, end_points = inception.inception_v4(images(None, 299, 299, 3))
  assert testing.shapes(end_points) == _END_POINTS + _HEADS
  assert logits is end_points['Logits']
  assert logits.op.name == 'InceptionV4/Logits/Logits/BiasAdd'
  assert end_points['Predictions'].op.name == 'InceptionV4/Logits/Predictions'
  assert testing.trainable_parameters() == 46009106
  assert len(tf.get_collection(tf.GraphKeys.UPDATE_OPS)) == 302
  assert len(tf.losses.get_regularization_losses()) == 153


@pytest.mark.usefixtures('short')
def test_train_then_evaluate_with_reuse_on_any_size():
  with slim.arg_scope(inception.inception_v4_arg_scope()):
    inception.inception_v4(images(2, 299, 299, 3), 5)
    variables = tf.global_variables()
    updates = len(tf.get_collection(tf.GraphKeys.UPDATE_OPS))
    inputs = images(None, None, None, 3)
    logits, end_points = inception.inception_v4(
        inputs, 5, is_training=False, reuse=True, create_aux_logits=False)
  assert tf.global_variables() == variables
  assert len(tf.get_collection(tf.GraphKeys.UPDATE_OPS)) == updates
  assert end_points['global_pool'].shape.as_list() == [None, 1, 1, 1536]
  predictions, logits = testing.evaluate(
      [end_points['Predictions'], logits], inputs, [2, 75, 91, 3])
  assert logits.shape == (2, 5)
  assert predictions.sum(axis=1) == pytest.approx([1, 1])


@pytest.mark.usefixtures('short')
@pytest.mark.parametrize('num_classes', [None, 0])
def test_features(num_classes):
  net, end_points = inception.inception_v4(images(2, 350, 400, 3), num_classes)
  assert net.shape.as_list() == [2, 1, 1, 1536]
  assert net.op.name == 'InceptionV4/Logits/AvgPool_1a/AvgPool'
  assert list(end_points)[-1] == 'global_pool'
  assert not tf.global_variables('InceptionV4/AuxLogits')


@pytest.mark.usefixtures('short')
def test_aux_logits_span_larger_images():
  logits, end_points = inception.inception_v4(images(2, 350, 400, 3), 5)
  assert logits.shape.as_list() == [2, 5]
  assert end_points['AuxLogits'].shape.as_list() == [2, 5]
  kernel = tf.global_variables('InceptionV4/AuxLogits/Conv2d_2a/weights')[0]
  assert kernel.shape.as_list() == [6, 7, 128, 768]


def test_stops_at_the_final_endpoint():
  net, end_points = inception.inception_v4_base(
      images(None, 299, 299, 3), 'Mixed_5b')
  assert testing.shapes(end_points) == _END_POINTS[:7]
  assert net is end_points['Mixed_5b']


def test_images_that_do_not_fit_are_refused(graph):
  inputs = images(2, 299, 74, 3)
  with pytest.raises(ValueError) as error:
    inception.inception_v4_base(inputs, 'Mixed_8a')
  assert str(error.value) == (
      'Unknown final endpoint Mixed_8a of InceptionV4; it has: ' +
      ', '.join(name for name, _ in _END_POINTS))
  with pytest.raises(ValueError) as error:
    inception.inception_v4_base(inputs)
  assert str(error.value) == (
      'InceptionV4 needs images of at least 75x75 for a map of at least 1x1 at '
      'Mixed_7d; given 299x74. Give larger images.')
  with pytest.raises(ValueError, match='at least 107x107 .* at Mixed_6h; given '
                                       '299x74. Give larger images or '
                                       'create_aux_logits=False'):
    inception.inception_v4(inputs)
  assert len(graph.get_operations()) == 1


@pytest.mark.usefixtures('short')
def test_aux_logits_need_a_known_size():
  with pytest.raises(ValueError) as error:
    inception.inception_v4(images(2, None, 299, 3))
  assert str(error.value) == (
      'AuxLogits need images whose height and width are known; given a map of '
      'shape (2, ?, 17, 1024). Give images of a fixed size or '
      'create_aux_logits=False.')


@pytest.mark.parametrize('block, shape', [
    ('block_inception_a', [2, 9, 9, 384]),
    ('block_reduction_a', [2, 4, 4, 7 + 640]),
    ('block_inception_b', [2, 9, 9, 1024]),
    ('block_reduction_b', [2, 4, 4, 7 + 512]),
    ('block_inception_c', [2, 9, 9, 1536])])
def test_blocks_alone(block, shape):
  net = getattr(inception_v4, block)(images(2, 9, 9, 7), scope='Mine')
  assert net.shape.as_list() == shape
  assert net.op.name.startswith('Mine/concat')
