"""Every metric against values computed by hand."""
import math

import numpy as np
import pytest

from image_classifier.evaluate import metrics
from image_classifier.losses import numpy_losses


def _logits(*rows):
  """Returns logits whose softmax is the rows."""
  return np.log(np.array(rows, np.float64))


def _single(num_classes, *batches):
  sums = metrics.SingleLabelMetrics(num_classes)
  for logits, labels in batches:
    sums.add(logits, labels)
  return sums


def _three_classes():
  """Five examples in two batches of unequal size.

  label      0    0    1    1    2
  predicted  0    1    1    1    0
  """
  return _single(
      3,
      (_logits([.7, .2, .1], [.1, .8, .1], [.1, .6, .3]), [0, 0, 1]),
      (_logits([.2, .5, .3], [.5, .25, .25]), [1, 2]))


def test_accuracy_and_loss_weigh_examples_not_batches():
  results = _three_classes().results()
  assert results['Accuracy'] == 3 / 5
  assert results['Loss'] == pytest.approx(
      -sum(map(math.log, [.7, .1, .6, .5, .25])) / 5)


def test_names_and_their_order():
  assert list(_three_classes().results()) == [
      'Accuracy', 'Recall_5', 'Loss', 'Macro_Precision', 'Macro_Recall',
      'Macro_F1', 'Calibration_Error']


def test_scores_of_classes():
  assert _three_classes().classes() == [
      metrics.ClassScores(2, 2, 1 / 2, 1 / 2, 2 * 1 / 4),
      metrics.ClassScores(2, 3, 2 / 3, 1.0, 2 * 2 / 5),
      metrics.ClassScores(1, 0, None, 0.0, 0.0)]


def test_macro_means_count_0_for_undefined_values():
  results = _three_classes().results()
  assert results['Macro_Precision'] == pytest.approx((1 / 2 + 2 / 3 + 0) / 3)
  assert results['Macro_Recall'] == pytest.approx((1 / 2 + 1 + 0) / 3)
  assert results['Macro_F1'] == pytest.approx((0.5 + 0.8 + 0) / 3)


def test_macro_means_leave_out_classes_that_do_not_occur():
  sums = _single(4, (_logits([.7, .1, .1, .1]), [0]))
  assert sums.classes()[3] == metrics.ClassScores(0, 0, None, None, None)
  assert sums.results()['Macro_F1'] == 1.0


def test_recall_at_5_by_rank():
  # Logits 7, 6, ... 1 of classes 0, 1, ... 6: the rank is the label.
  logits = np.tile(np.arange(7, 0, -1), [7, 1])
  assert _single(7, (logits, np.arange(7))).results()['Recall_5'] == 5 / 7


def test_recall_with_fewer_classes_than_5_takes_all():
  results = _single(2, (np.array([[0., 1.], [0., 1.]]), [0, 1])).results()
  assert (results['Accuracy'], results['Recall_5']) == (0.5, 1.0)


def test_ties_go_to_the_first_class():
  sums = _single(8, (np.zeros([8, 8]), np.arange(8)))
  assert sums.results()['Accuracy'] == 1 / 8
  assert sums.results()['Recall_5'] == 5 / 8


def test_predicted_classes_are_returned():
  sums = metrics.SingleLabelMetrics(2)
  assert sums.add(np.array([[0., 1.], [3., 2.]]), [1, 1]).tolist() == [1, 0]


def test_large_logits_do_not_overflow():
  results = _single(2, (np.array([[1e4, 0.0]]), [1])).results()
  assert results['Loss'] == 1e4


def test_calibration_error():
  # Bins of width 0.1: two of confidence 0.95, one of them right; one of 0.65,
  # right.
  calibration = metrics.Calibration(10)
  calibration.add([0.95, 0.65], [True, True])
  calibration.add([0.95], [False])
  assert calibration.error() == pytest.approx(
      2 / 3 * abs(0.95 - 0.5) + 1 / 3 * abs(0.65 - 1))


def test_calibration_bins_include_their_upper_edge():
  calibration = metrics.Calibration(2)
  # In one bin the two would cancel out.
  calibration.add([0.5, 1.0], [True, False])
  assert calibration.error() == pytest.approx((0.5 + 1.0) / 2)


def test_calibration_error_of_single_labels():
  results = _three_classes().results()
  # 15 bins; the confidences .7 | .8 | .6 | .5, .5 are in different ones.
  assert results['Calibration_Error'] == pytest.approx(
      (abs(.7 - 1) + abs(.8 - 0) + abs(.6 - 1) + abs(.5 + .5 - 1)) / 5)


def test_average_precision_by_hand():
  # Right ones at ranks 1 and 3: (1/1 + 2/3) / 2.
  assert metrics.average_precision(
      np.array([.9, .8, .7, .1]), np.array([True, False, True, False])
  ) == pytest.approx((1 + 2 / 3) / 2)


def test_average_precision_takes_equal_scores_together():
  assert metrics.average_precision(
      np.array([.5, .5]), np.array([True, False])) == 0.5
  assert metrics.average_precision(
      np.array([.5, .5]), np.array([False, True])) == 0.5


def _multi():
  """Three examples of three classes; the third class has none.

  labels     10- 11- 01-      logits   2 -1 | 1 1 | -1 -2
  predicted  10- 11- 00-
  """
  sums = metrics.MultiLabelMetrics(3)
  sums.add([[2., -1., -3.], [1., 1., -3.]], [[1, 0, 0], [1, 1, 0]])
  sums.add([[-1., -2., -3.]], [[0, 1, 0]])
  return sums


def test_multi_label_metrics():
  results = _multi().results()
  assert list(results) == [
      'Mean_Average_Precision', 'Micro_F1', 'Macro_Precision', 'Macro_Recall',
      'Macro_F1', 'Exact_Match', 'Loss']
  # Class 0: ranks 1 and 2 right. Class 1: ranks 1 and 3 right.
  assert results['Mean_Average_Precision'] == pytest.approx(
      (1 + (1 + 2 / 3) / 2) / 2)
  assert results['Micro_F1'] == 2 * 3 / (4 + 3)
  assert results['Macro_F1'] == pytest.approx((1 + 2 / 3) / 2)
  assert results['Macro_Precision'] == 1.0
  assert results['Macro_Recall'] == 0.75
  assert results['Exact_Match'] == 2 / 3
  right = [2, 1, 3, 1, 1, 3, 1, -2, 3]
  assert results['Loss'] == pytest.approx(
      sum(math.log1p(math.exp(-x)) for x in right) / 9)


def test_multi_label_classes():
  assert _multi().classes() == [
      metrics.ClassScores(2, 2, 1.0, 1.0, 1.0),
      metrics.ClassScores(2, 1, 1.0, 0.5, 2 / 3),
      metrics.ClassScores(0, 0, None, None, None)]


def test_multi_label_without_any_label():
  sums = metrics.MultiLabelMetrics(2)
  sums.add([[-1., -1.]], [[0, 0]])
  results = sums.results()
  assert results['Mean_Average_Precision'] == results['Micro_F1'] == 0.0
  assert results['Exact_Match'] == 1.0


def test_the_loss_of_the_training_is_reported():
  logits, labels = np.array([[2., -1., 0.], [0., 1., -3.]]), [0, 2]
  sums = metrics.SingleLabelMetrics(3, numpy_losses.Loss('sigmoid'))
  sums.add(logits, labels)
  right = [2, 1, 0, 0, -1, -3]
  assert sums.results()['Loss'] == pytest.approx(
      sum(math.log1p(math.exp(-x)) for x in right) / 6)
  # Confidence is the sigmoid of the largest logit, 2 and 1.
  assert sums.results()['Calibration_Error'] == pytest.approx(
      abs(1 / (1 + math.exp(-2)) - 1) / 2 + 1 / (1 + math.exp(-1)) / 2)
