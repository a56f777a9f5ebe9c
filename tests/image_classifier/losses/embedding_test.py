"""The losses of embeddings as a training adds them."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from image_classifier import options
from image_classifier.losses import embedding
from image_classifier.losses import metric_learning

_LABELS = np.array([0, 0, 1, 1, 2])
_OUTPUTS = np.random.RandomState(0).randn(5, 3).astype(np.float32)


@pytest.mark.parametrize('normalize', [False, True])
@pytest.mark.parametrize('kind', options.METRIC_LOSSES)
def test_losses_of_both_heads(kind, normalize):
  recipe = embedding.Recipe(kind, .7, normalize)
  outputs, auxiliary = tf.constant(_OUTPUTS), tf.constant(2 * _OUTPUTS[::-1])
  recipe.add(outputs, _LABELS, {'AuxLogits': auxiliary})
  with tf.Session() as session:
    aux_loss, loss = session.run(tf.losses.get_losses())
    expected = session.run([
        recipe.loss(_LABELS, embedding.embed(values, normalize))
        for values in (outputs, auxiliary)])
    statistics = session.run(embedding.statistics())
    gradient = session.run(tf.gradients(
        tf.losses.get_losses()[1], outputs)[0])
  np.testing.assert_allclose([loss, aux_loss / .4], expected, rtol=1e-6)
  assert loss > 0 and np.abs(gradient).max() > 0
  assert len(statistics) == 6
  assert (statistics['mean_norm'] == pytest.approx(1)) == normalize
  assert tf.losses.get_losses()[1].op.name == kind + '_loss/value'


def test_batch_all_comes_first():
  recipe = embedding.Recipe('triplet_batch_hard', .7, batch_all_steps=5)
  step = tf.placeholder(tf.int64, [])
  outputs = tf.constant(_OUTPUTS)
  loss = recipe.loss(_LABELS, outputs, step)
  expected = [
      metric_learning.batch_all_triplet_loss(_LABELS, outputs, .7)[0],
      metric_learning.batch_hard_triplet_loss(_LABELS, outputs, .7)]
  with tf.Session() as session:
    expected = session.run(expected)
    found = [session.run(loss, {step: number}) for number in (4, 5)]
  np.testing.assert_allclose(found, expected, rtol=1e-6)
  assert expected[0] != expected[1]


@pytest.mark.parametrize('recipe, line', [
    (embedding.Recipe('contrastive', 1.), 'Loss: contrastive with margin 1.'),
    (embedding.Recipe('triplet_semihard', .2, True), 'Loss: triplet_semihard '
     'with margin 0.2, embeddings of length 1.')])
def test_description(recipe, line):
  assert recipe.describe() == [line]
