"""Losses against numpy and values known from TensorFlow."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from training import losses


def _cross_entropy(logits, labels, smoothing=0.0):
  logits = np.asarray(logits, np.float64)
  log_softmax = logits - np.log(np.exp(logits).sum(1, keepdims=True))
  classes = logits.shape[1]
  target = np.eye(classes)[labels] * (1 - smoothing) + smoothing / classes
  return -(target * log_softmax).sum(1).mean()


def _values():
  with tf.Session() as session:
    return session.run(tf.losses.get_losses())


def test_known_value():
  losses.add_softmax(tf.constant([[1.0, 2.0, 3.0]]), tf.constant([2]), {})
  np.testing.assert_allclose(_values(), [0.40760595], rtol=1e-6)


@pytest.mark.parametrize('smoothing', [0.0, 0.1, 1.0])
def test_smoothing(smoothing):
  logits = np.random.RandomState(0).randn(4, 5).astype(np.float32)
  labels = np.array([0, 3, 4, 3])
  losses.add_softmax(
      tf.constant(logits), tf.constant(labels), {}, smoothing)
  np.testing.assert_allclose(
      _values(), [_cross_entropy(logits, labels, smoothing)], rtol=1e-5)


def test_the_auxiliary_head_counts_two_fifths():
  random = np.random.RandomState(0)
  logits, auxiliary = random.randn(2, 3, 4).astype(np.float32)
  labels = np.array([1, 2, 0])
  losses.add_softmax(tf.constant(logits), tf.constant(labels),
                     {'AuxLogits': tf.constant(auxiliary)})
  assert [loss.op.name for loss in tf.losses.get_losses()] == [
      'aux_loss/value', 'softmax_cross_entropy_loss/value']
  np.testing.assert_allclose(_values(), [
      0.4 * _cross_entropy(auxiliary, labels),
      _cross_entropy(logits, labels)], rtol=1e-5)
