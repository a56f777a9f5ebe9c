"""The loss of an evaluation is that of the training, without the extras."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from image_classifier.losses import classification as losses
from image_classifier.losses import numpy_losses

_LOGITS = np.array([[2., -1., 0.5, 40.], [-3., 1., 0., 1.], [0., 0., 0., -50.]],
                   np.float32)
_LABELS = np.array([3, 0, 1])
_MANY = np.array([[1, 0, 0, 1], [0, 0, 0, 0], [1, 1, 1, 0]], np.float32)


@pytest.mark.parametrize('kind, multi_label', [
    ('softmax', False), ('sigmoid', False), ('focal', False), ('sigmoid', True),
    ('focal', True)])
@pytest.mark.parametrize('gamma', [0.0, 0.5, 2.0])
def test_it_is_the_training_loss(kind, multi_label, gamma):
  loss = numpy_losses.Loss(kind, gamma, multi_label)
  labels = _MANY if multi_label else _LABELS
  losses.add(tf.constant(_LOGITS), tf.constant(labels), {}, losses.Recipe(
      kind, 0.0, gamma, None, multi_label))
  with tf.Session() as session:
    expected = session.run(tf.losses.get_total_loss())
  assert loss.of_examples(_LOGITS, labels).shape == (3,)
  assert loss.of_examples(_LOGITS, labels).mean() == pytest.approx(
      expected, rel=1e-5)


def test_probabilities_sum_to_1():
  logits = np.array([[0.0, 0.0, np.log(2)]])
  for kind in 'softmax', 'focal':
    assert numpy_losses.Loss(kind).probabilities(logits)[0].tolist() == (
        pytest.approx([0.25, 0.25, 0.5]))


@pytest.mark.parametrize('loss', [
    numpy_losses.Loss('sigmoid'),
    numpy_losses.Loss('focal', multi_label=True)])
def test_independent_probabilities(loss):
  logits = np.array([[-1000.0, 0.0, np.log(3), 1000.0]])
  assert loss.probabilities(logits)[0].tolist() == pytest.approx(
      [0.0, 0.5, 0.75, 1.0])
