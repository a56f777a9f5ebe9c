"""The loss of an evaluation is that of the training, without the extras."""
import json

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from training import losses
from training import options
from training import reported_loss

_LOGITS = np.array([[2., -1., 0.5, 40.], [-3., 1., 0., 1.], [0., 0., 0., -50.]],
                   np.float32)
_LABELS = np.array([3, 0, 1])
_MANY = np.array([[1, 0, 0, 1], [0, 0, 0, 0], [1, 1, 1, 0]], np.float32)


@pytest.mark.parametrize('kind, multi_label', [
    ('softmax', False), ('sigmoid', False), ('focal', False), ('sigmoid', True),
    ('focal', True)])
@pytest.mark.parametrize('gamma', [0.0, 0.5, 2.0])
def test_it_is_the_training_loss(kind, multi_label, gamma):
  loss = reported_loss.Loss(kind, gamma, multi_label)
  labels = _MANY if multi_label else _LABELS
  losses.add(tf.constant(_LOGITS), tf.constant(labels), {}, losses.Recipe(
      kind, 0.0, gamma, None, multi_label))
  with tf.Session() as session:
    expected = session.run(tf.losses.get_total_loss())
  assert loss.of_examples(_LOGITS, labels).shape == (3,)
  assert loss.of_examples(_LOGITS, labels).mean() == pytest.approx(
      expected, rel=1e-5)


def test_probabilities_are_shares():
  logits = np.array([[0.0, 0.0, np.log(2)]])
  for kind in 'softmax', 'focal':
    assert reported_loss.Loss(kind).probabilities(logits)[0].tolist() == (
        pytest.approx([0.25, 0.25, 0.5]))


@pytest.mark.parametrize('loss', [
    reported_loss.Loss('sigmoid'),
    reported_loss.Loss('focal', multi_label=True)])
def test_probabilities_of_each_class_by_itself(loss):
  logits = np.array([[-1000.0, 0.0, np.log(3), 1000.0]])
  assert loss.probabilities(logits)[0].tolist() == pytest.approx(
      [0.0, 0.5, 0.75, 1.0])


def _record(folder, multi_label=False, **flags):
  folder.mkdir(exist_ok=True)
  (folder / 'run.json').write_text(json.dumps(
      {'flags': flags, 'multi_label': multi_label}))


def _chosen(checkpoint=None, multi_label=False, **flags):
  return reported_loss.choose(
      options.Evaluation(**flags), checkpoint and str(checkpoint), multi_label)


def test_what_is_asked_for_comes_first(tmp_path):
  _record(tmp_path, loss='sigmoid', focal_gamma=3.0)
  assert _chosen(tmp_path / 'model.ckpt-1', loss='focal', focal_gamma=1.0) == (
      'focal', 1.0, False)
  with pytest.raises(ValueError, match='--loss=softmax takes pictures of one'):
    _chosen(loss='softmax', multi_label=True)


@pytest.mark.parametrize('folder', ['.', 'best'])
def test_then_the_record_of_the_training(tmp_path, folder):
  _record(tmp_path, loss='focal', focal_gamma=3.0)
  checkpoint = tmp_path / folder / 'model.ckpt-1'
  assert _chosen(checkpoint) == ('focal', 3.0, False)
  assert _chosen(checkpoint, multi_label=True) == ('focal', 3.0, True)


def test_a_network_trained_on_other_labels(tmp_path):
  _record(tmp_path, loss=None, multi_label=True)
  assert _chosen(tmp_path / 'model.ckpt-1').kind == 'sigmoid'
  _record(tmp_path, loss='softmax')
  assert _chosen(tmp_path / 'model.ckpt-1', multi_label=True).kind == 'sigmoid'


def test_then_what_fits_the_labels(tmp_path):
  for checkpoint in None, tmp_path / 'model.ckpt-1':
    assert _chosen(checkpoint) == ('softmax', 2.0, False)
    assert _chosen(checkpoint, multi_label=True) == ('sigmoid', 2.0, True)
  (tmp_path / 'run.json').write_text('["of another program"]')
  assert _chosen(tmp_path / 'model.ckpt-1').kind == 'softmax'
