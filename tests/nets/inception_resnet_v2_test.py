import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import inception
from nets import inception_resnet_v2
from tests.nets import inception_testing as testing
from tests.nets.inception_testing import images

_END_POINTS = [
    ('Conv2d_1a_3x3', [None, 149, 149, 32]),
    ('Conv2d_2a_3x3', [None, 147, 147, 32]),
    ('Conv2d_2b_3x3', [None, 147, 147, 64]),
    ('MaxPool_3a_3x3', [None, 73, 73, 64]),
    ('Conv2d_3b_1x1', [None, 73, 73, 80]),
    ('Conv2d_4a_3x3', [None, 71, 71, 192]),
    ('MaxPool_5a_3x3', [None, 35, 35, 192]),
    ('Mixed_5b', [None, 35, 35, 320]), ('Mixed_6a', [None, 17, 17, 1088]),
    ('PreAuxLogits', [None, 17, 17, 1088]), ('Mixed_7a', [None, 8, 8, 2080]),
    ('Conv2d_7b_1x1', [None, 8, 8, 1536])]
_HEADS = [
    ('AuxLogits', [None, 1001]), ('global_pool', [None, 1, 1, 1536]),
    ('PreLogitsFlatten', [None, 1536]), ('Logits', [None, 1001]),
    ('Predictions', [None, 1001])]


@pytest.fixture
def short(monkeypatch):
  """Builds one block where the network has 10, 20 and 9."""
  blocks = inception_resnet_v2._blocks  # pylint: disable=protected-access
  monkeypatch.setattr(
      inception_resnet_v2, '_blocks',
      lambda name, count, *options: blocks(name, 1, *options))


@pytest.mark.slow
def test_training_graph():
  with slim.arg_scope(inception.inception_resnet_v2_arg_scope()):
    logits, end_points = inception.inception_resnet_v2(
        images(None, 299, 299, 3))
  assert testing.shapes(end_points) == _END_POINTS + _HEADS
  assert logits is end_points['Logits']
  assert logits.op.name == 'InceptionResnetV2/Logits/Logits/BiasAdd'
  assert (end_points['PreAuxLogits'].op.name ==
          'InceptionResnetV2/InceptionResnetV2/Repeat_1/block17_20/Relu')
  assert testing.trainable_parameters() == 59182258
  assert len(tf.get_collection(tf.GraphKeys.UPDATE_OPS)) == 412
  # Biases are regularized too.
  assert len(tf.losses.get_regularization_losses()) == 290


@pytest.mark.usefixtures('short')
def test_train_then_evaluate_with_reuse_on_any_size():
  with slim.arg_scope(inception.inception_resnet_v2_arg_scope()):
    inception.inception_resnet_v2(images(2, 299, 299, 3), 5)
    variables = tf.global_variables()
    updates = len(tf.get_collection(tf.GraphKeys.UPDATE_OPS))
    inputs = images(None, None, None, 3)
    logits, end_points = inception.inception_resnet_v2(
        inputs, 5, is_training=False, reuse=True, create_aux_logits=False)
  assert tf.global_variables() == variables
  assert len(tf.get_collection(tf.GraphKeys.UPDATE_OPS)) == updates
  logits, predictions = testing.evaluate(
      [logits, end_points['Predictions']], inputs, [2, 75, 91, 3])
  assert logits.shape == (2, 5)
  assert predictions.sum(axis=1) == pytest.approx([1, 1])


@pytest.mark.usefixtures('short')
@pytest.mark.parametrize('num_classes', [None, 0])
def test_features(num_classes):
  net, end_points = inception.inception_resnet_v2(
      images(2, 350, 400, 3), num_classes)
  assert net.shape.as_list() == [2, 1, 1, 1536]
  assert list(end_points)[-1] == 'global_pool'
  assert not tf.global_variables('InceptionResnetV2/AuxLogits')


@pytest.mark.usefixtures('short')
@pytest.mark.parametrize('output_stride, align, sizes', [
    (16, False, [12, 12, 5]), (16, True, [14, 14, 7]),
    (8, False, [23, 23]), (8, True, [28, 28])])
def test_output_stride_and_alignment(graph, output_stride, align, sizes):
  names = ['Mixed_6a', 'PreAuxLogits', 'Conv2d_7b_1x1'][:len(sizes)]
  _, end_points = inception.inception_resnet_v2_base(
      images(2, 224, 224, 3), names[-1], output_stride=output_stride,
      align_feature_maps=align)
  assert [end_points[name].shape.as_list()[1:3] for name in names] == [
      [size, size] for size in sizes]
  dilated = [op for op in graph.get_operations() if op.type == 'SpaceToBatchND']
  # All five convolutions of a block of Repeat_1.
  assert len(dilated) == (5 if output_stride == 8 else 0)


@pytest.mark.usefixtures('short')
def test_dilation_keeps_the_variables():
  variables = []
  for output_stride in (8, 16):
    with tf.Graph().as_default():
      inception.inception_resnet_v2_base(
          images(2, 96, 96, 3), 'PreAuxLogits', output_stride=output_stride)
      variables.append([(variable.op.name, variable.shape.as_list())
                        for variable in tf.global_variables()])
  assert variables[0] == variables[1]


@pytest.mark.usefixtures('short')
def test_activation_of_the_blocks():
  _, end_points = inception.inception_resnet_v2_base(
      images(2, 75, 75, 3), 'PreAuxLogits', activation_fn=tf.nn.relu6)
  assert end_points['PreAuxLogits'].op.type == 'Relu6'


@pytest.mark.parametrize('block, scope', [
    ('block35', 'Block35'), ('block17', 'Block17'), ('block8', 'Block8')])
def test_blocks_alone(block, scope):
  inputs = images(1, 3, 3, 10)
  build = getattr(inception_resnet_v2, block)
  same = build(inputs, scale=0.0, activation_fn=None, scope='Same')
  positive = build(inputs, 0.2)
  assert positive.op.name == scope + '/Relu'
  same, positive, given = testing.evaluate(
      [same, positive, inputs], inputs, [1, 3, 3, 10])
  np.testing.assert_array_equal(same, given)
  assert positive.min() >= 0


def test_arguments_that_do_not_fit_are_refused(graph):
  inputs = images(2, 74, 74, 3)
  names = [name for name, _ in _END_POINTS]
  cases = [
      (dict(final_endpoint='Mixed_8a'),
       'Unknown final endpoint Mixed_8a of InceptionResnetV2; it has: ' +
       ', '.join(names)),
      (dict(final_endpoint='Mixed_8a', output_stride=8),
       'Unknown final endpoint Mixed_8a of InceptionResnetV2; it has: ' +
       ', '.join(names[:-2])),
      (dict(output_stride=32), 'output_stride must be 8 or 16; given 32'),
      (dict(output_stride=8),
       'final_endpoint Conv2d_7b_1x1 is after PreAuxLogits, where '
       'output_stride=8 ends; give final_endpoint=PreAuxLogits or '
       'output_stride=16'),
      (dict(),
       'InceptionResnetV2 needs images of at least 75x75 for a map of at least '
       '1x1 at Conv2d_7b_1x1; given 74x74. Give larger images.')]
  for arguments, message in cases:
    with pytest.raises(ValueError) as error:
      inception.inception_resnet_v2_base(inputs, **arguments)
    assert str(error.value) == message
  with pytest.raises(ValueError, match='at least 107x107 .* at PreAuxLogits; '
                                       'given 74x74. Give larger images or '
                                       'create_aux_logits=False'):
    inception.inception_resnet_v2(inputs)
  assert len(graph.get_operations()) == 1


@pytest.mark.usefixtures('short')
def test_aux_logits_need_a_known_size():
  with pytest.raises(ValueError, match='AuxLogits need images whose height and '
                                       'width are known; given a map of shape'):
    inception.inception_resnet_v2(images(2, None, 299, 3))


@pytest.mark.parametrize('scale', [False, True])
def test_arg_scope_batch_norm_scale(scale):
  with slim.arg_scope(inception.inception_resnet_v2_arg_scope(
      batch_norm_scale=scale)):
    inception.inception_resnet_v2_base(images(2, 75, 75, 3), 'Conv2d_2a_3x3')
  gammas = [variable for variable in tf.global_variables()
            if variable.op.name.endswith('gamma')]
  assert len(gammas) == (2 if scale else 0)
