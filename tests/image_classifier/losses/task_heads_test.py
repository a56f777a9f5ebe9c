"""Heads of a network for several tasks: their flags, losses and masks."""
import collections

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from image_classifier.evaluate import task_metrics
from image_classifier.losses import task_heads

_Dataset = collections.namedtuple('_Dataset', 'tasks labels_to_names')
_NAMES = ['digit:7', 'digit:8', 'digit:?', 'odd:?', 'odd:big', 'odd:yes']
_DATASET = _Dataset({'digit': False, 'odd': True}, dict(enumerate(_NAMES)))
# 7 and yes; 8 and none; unknown digit, big; 7, the rest unknown.
_LABELS = np.float32([[1, 0, 0, 0, 0, 1], [0, 1, 0, 0, 0, 0],
                      [0, 0, 1, 0, 1, 0], [1, 0, 0, 1, 0, 0]])
_OUTPUTS = np.float32([[2, 1, -1, 3], [3, 0, 1, -2], [5, 5, 2, -1],
                       [1, 4, 9, 9]])


def test_heads():
  digit, odd = task_heads.of_dataset(_DATASET, ['odd:0.5', 'digit'])
  assert digit == ('digit', ['7', '8'], False, 1.0, 0, [0, 1], 2)
  assert odd == ('odd', ['big', 'yes'], True, 0.5, 2, [4, 5], 3)
  assert task_heads.names([digit, odd]) == [
      'digit:7', 'digit:8', 'odd:big', 'odd:yes']
  assert task_heads.of_dataset(_Dataset({}, {})) is None


@pytest.mark.parametrize('asked', [['odd'], ['odd:1', 'digit:0']])
def test_a_task_of_weight_0_has_no_head(asked):
  head, = task_heads.of_dataset(_DATASET, asked)
  assert (head.task, head.start) == ('odd', 0)


@pytest.mark.parametrize('asked, message', [
    (['od:1'], '--tasks=od:1: there is no task od; did you mean odd? The '
     'dataset has digit, odd.'),
    (['odd:1', 'odd:2'], '--tasks=odd:1,odd:2 names odd twice.'),
    (['odd:x'], '--tasks=odd:x: the weight of odd is x; it must be a number of '
     'at least 0, such as odd:0.5.'),
    (['odd:-1'], '--tasks=odd:-1: the weight of odd is -1;'),
    (['odd:nan'], '--tasks=odd:nan: the weight of odd is nan;'),
    (['odd:0'], '--tasks=odd:0 leaves no task: give one a weight above 0.')])
def test_wrong_tasks(asked, message):
  with pytest.raises(ValueError) as error:
    task_heads.of_dataset(_DATASET, asked)
  assert message in str(error.value)


def test_a_dataset_without_tasks():
  with pytest.raises(ValueError, match='--tasks=odd: images of this dataset '
                     'have labels of one task: leave out --tasks, or convert'):
    task_heads.of_dataset(_Dataset({}, {}), ['odd'])


def _losses(outputs=_OUTPUTS, **end_points):
  outputs = tf.constant(outputs)
  task_heads.Recipe(task_heads.of_dataset(
      _DATASET, ['digit:2', 'odd:0.5'])).add(
          outputs, tf.constant(_LABELS), end_points)
  losses = tf.losses.get_losses()
  with tf.Session() as session:
    return session.run([losses, tf.gradients(losses, outputs)[0]])


def test_losses_of_the_images_that_have_labels():
  (digit, odd), gradient = _losses()
  cross_entropy = np.log(1 + np.exp([-1, 3, 3])).mean()
  signs = np.float64([[-1, 1], [-1, -1], [1, -1]])
  binary = np.log(1 + np.exp(-signs * _OUTPUTS[:3, 2:])).mean()
  np.testing.assert_allclose([digit, odd], [2 * cross_entropy, .5 * binary],
                             rtol=1e-6)
  is_known = [[1, 1, 1, 1], [1, 1, 1, 1], [0, 0, 1, 1], [1, 1, 0, 0]]
  np.testing.assert_array_equal(gradient != 0, np.array(is_known) > 0)
  assert [loss.op.name for loss in tf.losses.get_losses()] == [
      'digit_loss/value', 'odd_loss/value']


def test_the_auxiliary_head_has_the_weight_two_fifths():
  losses, _ = _losses(AuxLogits=tf.constant(_OUTPUTS))
  np.testing.assert_allclose(losses[::2], .4 * np.array(losses[1::2]))


def test_metrics_are_of_the_images_that_have_labels():
  sums = task_metrics.TaskMetrics(task_heads.of_dataset(_DATASET))
  predicted = np.concatenate([
      sums.add(_OUTPUTS[:2], _LABELS[:2]), sums.add(_OUTPUTS[2:], _LABELS[2:])])
  np.testing.assert_array_equal(
      predicted, [[1, 0, 0, 1], [1, 0, 1, 0], [1, 0, 1, 0], [0, 1, 1, 1]])
  results = sums.results()
  assert list(results)[0] == 'Mean_Over_Tasks'
  assert (results['digit/Examples'], results['odd/Examples']) == (3, 3)
  assert results['digit/Accuracy'] == pytest.approx(1 / 3)
  # Right: (no, yes) of the first; of the second its big is wrong; the third.
  assert results['odd/Exact_Match'] == pytest.approx(2 / 3)
  assert results['odd/Mean_Average_Precision'] == 1
  assert results['Mean_Over_Tasks'] == pytest.approx((1 / 3 + 1) / 2)
  labels, logits = sums.shown(_LABELS, _OUTPUTS)
  np.testing.assert_array_equal(labels, _LABELS[:, [0, 1, 4, 5]])
  shares = 1 / (1 + np.exp(-logits))
  np.testing.assert_allclose(shares[:, :2].sum(axis=1), 1, rtol=1e-6)
  np.testing.assert_allclose(shares[0, 0], 1 / (1 + np.exp(-1)), rtol=1e-6)
  np.testing.assert_allclose(logits[:, 2:], _OUTPUTS[:, 2:])
  assert len(sums.classes()) == 4


def test_without_any_label():
  sums = task_metrics.TaskMetrics(task_heads.of_dataset(_DATASET))
  sums.add(_OUTPUTS[:1], np.float32([[0, 0, 1, 1, 0, 0]]))
  assert sums.results() == {
      'Mean_Over_Tasks': 0, 'digit/Examples': 0, 'odd/Examples': 0}
