"""Tests of normalization."""
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from nets import normalization


def _variables():
  return [variable.op.name for variable in tf.global_variables()]


def test_is_slims_batch_norm_unless_replaced():
  images = tf.zeros([2, 4, 4, 3])
  normalization.batch_norm(images, scale=True, scope='ours')
  slim.batch_norm(images, scale=True, scope='slims')
  ours = [name for name in _variables() if name.startswith('ours/')]
  slims = [name for name in _variables() if name.startswith('slims/')]
  assert [name[len('ours/'):] for name in ours] == [
      name[len('slims/'):] for name in slims]


def test_scopes_of_slims_batch_norm_set_its_arguments():
  with slim.arg_scope([slim.batch_norm], is_training=False, scale=True):
    normalization.batch_norm(tf.zeros([2, 4, 4, 3]), scope='norm')
  assert 'norm/gamma' in _variables()
  assert not tf.get_collection(tf.GraphKeys.UPDATE_OPS)


def test_scopes_over_it_set_the_arguments_of_slims_batch_norm():
  with slim.arg_scope([normalization.batch_norm], is_training=False):
    slim.batch_norm(tf.zeros([2, 4, 4, 3]))
  assert not tf.get_collection(tf.GraphKeys.UPDATE_OPS)


def test_replacement_reaches_layers_that_name_their_normalizer():
  calls = []

  def counting(*args, **kwargs):
    calls.append(kwargs)
    return slim.batch_norm(*args, **kwargs)

  with slim.arg_scope([slim.conv2d], normalizer_fn=normalization.batch_norm,
                      normalizer_params={'decay': 0.5}):
    with normalization.implementation(counting):
      slim.conv2d(tf.zeros([2, 4, 4, 3]), 5, [3, 3], scope='inside')
    slim.conv2d(tf.zeros([2, 4, 4, 3]), 5, [3, 3], scope='outside')
  assert calls == [{'decay': 0.5}]
  assert 'inside/BatchNorm/beta' in _variables()
  assert 'outside/BatchNorm/beta' in _variables()


def test_replacements_nest():
  with normalization.implementation(lambda: 'outer'):
    with normalization.implementation(lambda: 'inner'):
      assert normalization.batch_norm() == 'inner'
    assert normalization.batch_norm() == 'outer'


def test_replacement_ends_with_an_error():
  with pytest.raises(KeyError):
    with normalization.implementation(lambda images: 'replaced'):
      raise KeyError
  assert normalization.batch_norm(tf.zeros([2, 4, 4, 3])) != 'replaced'


def test_overridden_sees_names_and_scoped_arguments():
  seen = []

  def choose(name, arguments):
    seen.append((name, arguments['decay'], arguments['is_training']))
    return {'is_training': False} if 'frozen' in name else {}

  images = tf.zeros([2, 4, 4, 3])
  with normalization.overridden(choose):
    with slim.arg_scope([slim.batch_norm], decay=0.5, is_training=True):
      with tf.variable_scope('net'):
        normalization.batch_norm(images, scope='frozen')
        slim.conv2d(images, 5, 1, scope='conv', normalizer_params={'decay': .9},
                    normalizer_fn=normalization.batch_norm)
  assert seen == [('net/frozen', 0.5, True), ('net/conv/BatchNorm', 0.9, True)]
  assert len(tf.get_collection(tf.GraphKeys.UPDATE_OPS)) == 2
  assert 'net/frozen/moving_mean' in _variables()


def test_overridden_keeps_the_implementation_in_force():
  with normalization.implementation(lambda **arguments: arguments):
    with normalization.overridden(lambda name, arguments: {'decay': 0.1}):
      assert normalization.batch_norm(scale=True) == {
          'scale': True, 'decay': 0.1}
