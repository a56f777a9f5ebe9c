"""Losses against NumPy and values known from TensorFlow."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from image_classifier.losses import classification as losses

# Two examples of three classes, several of which they have.
_LOGITS = np.float32([[2, -1, .5], [-3, 0, 4]])
_TARGETS = np.float32([[1, 0, 1], [0, 0, 1]])


def _probabilities(logits):
  exps = np.exp(np.asarray(logits, np.float64))
  return exps / exps.sum(1, keepdims=True)


def _smooth(labels, classes, smoothing):
  return np.eye(classes)[labels] * (1 - smoothing) + smoothing / classes


def _cross_entropies(logits, targets, gamma=0.0):
  right = _probabilities(logits)
  return -(targets * (1 - right) ** gamma * np.log(right)).sum(1)


def _values(logits, labels, end_points=None, **recipe):
  losses.add(tf.constant(logits), tf.constant(labels), end_points or {},
             losses.Recipe(**recipe))
  with tf.Session() as session:
    return session.run(tf.losses.get_losses())


def test_known_value():
  np.testing.assert_allclose(
      _values(np.float32([[1, 2, 3]]), [2]), [0.40760595], rtol=1e-6)


@pytest.mark.parametrize('gamma', [None, 0.0, 0.5, 2.0])
@pytest.mark.parametrize('smoothing', [0.0, 0.1, 1.0])
def test_softmax_and_focal(smoothing, gamma):
  logits = np.random.RandomState(0).randn(4, 5).astype(np.float32)
  labels = np.array([0, 3, 4, 3])
  recipe = dict(label_smoothing=smoothing)
  if gamma is not None:
    recipe.update(kind='focal', focal_gamma=gamma)
  expected = _cross_entropies(
      logits, _smooth(labels, 5, smoothing), gamma or 0).mean()
  np.testing.assert_allclose(
      _values(logits, labels, **recipe), [expected], rtol=1e-5)


def test_fractions_of_mixed_examples():
  logits = np.random.RandomState(0).randn(2, 3).astype(np.float32)
  fractions = np.float32([[.25, .75, 0], [0, .5, .5]])
  np.testing.assert_allclose(
      _values(logits, fractions),
      [_cross_entropies(logits, fractions).mean()],
      rtol=1e-5)


@pytest.mark.parametrize('recipe, expected', [
    ({}, .2790252), (dict(label_smoothing=.1), .3665252),
    (dict(class_weights=[.5, .5, .5]), .1395126)])
def test_sigmoid(recipe, expected):
  value = _values(_LOGITS, _TARGETS, kind='sigmoid', **recipe)
  np.testing.assert_allclose(value, [expected], rtol=1e-5)
  assert [loss.op.name for loss in tf.losses.get_losses()] == [
      'sigmoid_cross_entropy_loss/value']


def test_sigmoid_of_each_class():
  with tf.Session() as session:
    each = session.run(losses.sigmoid(_LOGITS, _TARGETS))
    large = session.run(losses.sigmoid(100 * _LOGITS, _TARGETS))
  np.testing.assert_allclose(
      each, [[.126928, .313262, .474077], [.048587, .693147, .018150]],
      rtol=1e-4)
  assert np.isfinite(large).all()


def test_classes_of_weight_zero_are_left_out_of_the_mean():
  weights = [1., 0., 2.]
  each = np.array([[.126928, .313262, .474077], [.048587, .693147, .018150]])
  np.testing.assert_allclose(
      _values(_LOGITS, _TARGETS, kind='sigmoid', class_weights=weights),
      [(each * weights).sum() / 4], rtol=1e-4)


@pytest.mark.parametrize('gamma', [0.0, 2.0])
def test_focal_of_several_classes(gamma):
  value = _values(_LOGITS, _TARGETS, kind='focal', focal_gamma=gamma,
                  multi_label=True)
  yes = 1 / (1 + np.exp(-np.float64(_LOGITS)))
  right = np.where(_TARGETS, yes, 1 - yes)
  np.testing.assert_allclose(
      value, [(-(1 - right) ** gamma * np.log(right)).mean()], rtol=1e-5)


@pytest.mark.parametrize('function', [losses.focal, losses.focal_sigmoid])
def test_focal_of_certain_predictions_has_finite_gradients(function):
  logits = tf.constant([[200., -200., 0.]])
  gradient = tf.gradients(
      function(logits, tf.constant([[1., 0., 0.]]), gamma=0.5), logits)[0]
  with tf.Session() as session:
    assert np.isfinite(session.run(gradient)).all()


def test_class_weights():
  logits = np.random.RandomState(0).randn(4, 3).astype(np.float32)
  labels = np.array([0, 1, 1, 2])
  weights = np.array([4., 1., .5])
  each = _cross_entropies(logits, np.eye(3)[labels])
  np.testing.assert_allclose(
      _values(logits, labels, class_weights=weights),
      [(each * weights[labels]).mean()], rtol=1e-5)


def test_the_weight_of_the_auxiliary_head_is_two_fifths():
  random = np.random.RandomState(0)
  logits, auxiliary = random.randn(2, 3, 4).astype(np.float32)
  labels = np.array([1, 2, 0])
  with tf.name_scope('clone_0'):
    values = _values(logits, labels, {'AuxLogits': tf.constant(auxiliary)})
  assert [loss.op.name for loss in tf.losses.get_losses()] == [
      'clone_0/aux_loss/value', 'clone_0/softmax_cross_entropy_loss/value']
  np.testing.assert_allclose(values, [
      0.4 * _cross_entropies(auxiliary, np.eye(4)[labels]).mean(),
      _cross_entropies(logits, np.eye(4)[labels]).mean()], rtol=1e-5)


@pytest.mark.parametrize('kind, multi_label, chosen', [
    (None, False, 'softmax'), (None, True, 'sigmoid'),
    ('sigmoid', False, 'sigmoid'), ('focal', True, 'focal')])
def test_choose(kind, multi_label, chosen):
  assert losses.choose(kind, multi_label) == chosen


def test_softmax_does_not_work_for_several_labels():
  with pytest.raises(ValueError) as error:
    losses.choose('softmax', True)
  assert str(error.value) == (
      '--loss=softmax needs one label per image, and images of this dataset '
      'have several: use --loss=sigmoid or --loss=focal.')


@pytest.mark.parametrize('recipe, lines', [
    ({}, []),
    (dict(kind='sigmoid'), ['Loss: sigmoid, one binary loss per class.']),
    (dict(kind='focal'), ['Loss: focal with gamma 2.']),
    (dict(kind='focal', focal_gamma=.5, multi_label=True),
     ['Loss: focal with gamma 0.5, one binary loss per class.'])])
def test_describe(recipe, lines):
  assert losses.describe(losses.Recipe(**recipe)) == lines
