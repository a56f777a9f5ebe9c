"""Verifications that pass, and others that fail."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from image_classifier.export import tflite
from image_classifier.export import verify
from image_classifier.inference import backends

_EXPECTED = np.random.RandomState(0).normal(size=[6, 100]).astype(
    np.float32) * 3


class _Export:
  """An export with known logits."""

  def __init__(self, logits):
    self._rows = list(logits)

  def run(self, images):
    return [np.stack([self._rows.pop(0) for _ in images]), None]


def _compare(form, logits, expected=_EXPECTED):
  images = [np.zeros([2, 1, 1, 1])] * (len(expected) // 2)
  return verify.compare(form, expected, _Export(logits), images)


def _noise(size):
  return size * np.random.RandomState(1).normal(size=_EXPECTED.shape)


def test_the_logits_of_the_checkpoint():
  found = verify.expected_logits(
      _Export(_EXPECTED), [np.zeros([3, 1, 1, 1])] * 2)
  np.testing.assert_array_equal(found, _EXPECTED)


@pytest.mark.parametrize('form', sorted(verify.TOLERANCES))
def test_equal_logits(form):
  comparison = _compare(form, _EXPECTED)
  assert comparison == (form, 0, verify.TOLERANCES[form], 6, 6, 0)
  verify.check([comparison])


def test_the_largest_difference_counts_in_floating_point():
  logits = _EXPECTED.copy()
  logits[3, 5] += 2e-4 * np.abs(_EXPECTED).max()
  comparison = _compare('tflite', logits)
  assert comparison.difference == pytest.approx(2e-4, rel=0.01)
  assert verify.describe(comparison) == (
      'Verified tflite: largest difference 2.0e-04 of the largest logit '
      '(tolerance 0.0001), same class on 6 of 6 images')
  with pytest.raises(ValueError, match='The export differs from the '
                     'checkpoint, nothing was written. Verified tflite: '):
    verify.check([_compare('frozen', _EXPECTED), comparison])


@pytest.mark.parametrize('fraction', [0.05, 0.2, 0.3])
def test_the_standard_deviation_counts_in_8_bits(fraction):
  """An error common to all logits of an image changes no probability."""
  comparison = _compare('int8', _EXPECTED + _noise(3 * fraction) + 7)
  assert comparison.difference == pytest.approx(fraction, rel=0.05)
  assert verify.describe(comparison).startswith(
      'Verified int8: error %.1e of the standard deviation of the logits '
      '(tolerance 0.25), same class on ' % comparison.difference)
  if fraction < 0.25:
    verify.check([comparison])
  else:
    with pytest.raises(ValueError, match='More images like those to be '
                       'classified may help: --calibration_examples, '):
      verify.check([comparison])


@pytest.mark.parametrize('margin, is_changed', [(0.5, False), (3.0, True)])
def test_a_near_tie_may_change_in_8_bits_but_no_clear_case(margin, is_changed):
  expected = _EXPECTED.copy()
  expected[2, :2] = 12, 12 - margin
  logits = expected + _noise(0.2)
  logits[2, :2] = 12, 12.1
  comparison = _compare('int8', logits, expected)
  assert comparison.agreeing == 5 and comparison.changed == int(is_changed)
  if not is_changed:
    verify.check([comparison])
    return
  with pytest.raises(ValueError, match='same class on 5 of 6 images, another '
                     'on 1 with a clear first class'):
    verify.check([comparison])


def test_one_class_that_is_wrong():
  """It hardly changes the mean over many classes, but the predicted class."""
  expected = np.tile(_EXPECTED, [1, 10])
  logits = expected + np.tile(_noise(0.1), [1, 10])
  logits[:, 3] += 20
  comparison = _compare('int8', logits, expected)
  assert comparison.difference < 0.25 and comparison.changed >= 5
  with pytest.raises(ValueError, match='clear first class'):
    verify.check([comparison])


def test_logits_that_are_not_numbers():
  for form in ('frozen', 'int8'):
    comparison = _compare(form, np.full_like(_EXPECTED, np.nan))
    with pytest.raises(ValueError, match='nan of the'):
      verify.check([comparison])


def test_a_broken_file(tmp_path):
  """A model in 8 bits with overwritten weights loads, but fails."""
  weights = np.random.RandomState(0).uniform(-1, 1, [12, 40]).astype(
      np.float32)
  with tf.Graph().as_default() as graph:
    images = tf.placeholder(tf.float32, [None, 2, 2, 3], name='input')
    logits = tf.matmul(tf.reshape(images, [-1, 12]), tf.constant(weights),
                       name='logits')
    tf.nn.softmax(logits, name='predictions')
  images = list(np.random.RandomState(1).uniform(
      -1, 1, [8, 1, 2, 2, 3]).astype(np.float32))
  content = tflite.convert(
      graph.as_graph_def(), [1, 2, 2, 3], images)
  stored = np.round(weights.T * 127 / np.abs(weights).max()).astype(
      np.int8).tobytes()
  middle = len(stored) // 2
  assert stored[:middle] in content
  path = tmp_path / 'model.tflite'
  expected = np.concatenate(images).reshape(8, 12).dot(weights)
  for broken in (False, True):
    path.write_bytes(content.replace(stored[:middle], stored[-middle:])
                     if broken else content)
    comparison = verify.compare(
        'int8', expected, backends.load(str(path)), images)
    assert (comparison.difference > 0.25) == broken
    if broken:
      with pytest.raises(ValueError, match='Verified int8: error '):
        verify.check([comparison])
    else:
      assert comparison.agreeing == 8
      verify.check([comparison])
