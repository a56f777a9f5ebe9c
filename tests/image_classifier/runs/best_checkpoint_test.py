"""The best checkpoint of a run."""
import json
import os

import pytest
import tensorflow.compat.v1 as tf

from image_classifier.runs import best_checkpoint
from image_classifier.runs import run_log


def _checkpoint(directory, step):
  for part in ('index', 'meta', 'data-00000-of-00001'):
    (directory / ('model.ckpt-%d.%s' % (step, part))).write_text('of %d' % step)
  return str(directory / ('model.ckpt-%d' % step))


def _offer(best, directory, step, value, metric='Accuracy'):
  """Offers a checkpoint as the hook does, which logs it afterwards."""
  metrics = {metric: value, 'Other': 1.0}
  is_best = best.offer(step, _checkpoint(directory, step), metrics)
  run_log.append(str(directory), {
      'step': step, 'split': 'test', 'evaluation': metrics})
  return is_best


def _best(directory, first_step=0, metric='Accuracy', split='test'):
  return best_checkpoint.BestCheckpoint(
      str(directory), metric, split, first_step)


def test_only_a_gain_is_kept(tmp_path):
  best = _best(tmp_path)
  gains = [_offer(best, tmp_path, step, value) for step, value in (
      (1, 0.5), (2, 0.5), (3, 0.7), (4, float('nan')), (5, 0.6))]
  assert gains == [True, False, True, False, False]
  assert (best.step, best.value, best.without_gain) == (3, 0.7, 2)
  assert best.is_exhausted(2) and not best.is_exhausted(3)
  assert not best.is_exhausted(0), '0 never ends a run'
  directory = tmp_path / 'best'
  assert sorted(os.listdir(str(directory))) == ['best.json', 'checkpoint'] + [
      'model.ckpt-3.' + part
      for part in ('data-00000-of-00001', 'index', 'meta')]
  assert (directory / 'model.ckpt-3.index').read_text() == 'of 3'
  assert tf.train.latest_checkpoint(str(directory)) == str(
      directory / 'model.ckpt-3')
  assert json.loads((directory / 'best.json').read_text()) == {
      'step': 3, 'metric': 'Accuracy', 'value': 0.7, 'split': 'test',
      'checkpoint': 'model.ckpt-3',
      'metrics': {'Accuracy': 0.7, 'Other': 1.0}}


@pytest.mark.parametrize('metric', ['Loss', 'Calibration_Error'])
def test_of_some_metrics_lower_is_better(tmp_path, metric):
  best = _best(tmp_path, metric=metric)
  assert [_offer(best, tmp_path, step, value, metric) for step, value in (
      (1, 0.5), (2, 0.6), (3, 0.4))] == [True, False, True]


def test_a_resumed_run_remembers(tmp_path):
  best = _best(tmp_path)
  for step, value in ((1, 0.5), (2, 0.4), (3, 0.3)):
    _offer(best, tmp_path, step, value)
  again = _best(tmp_path, first_step=3)
  assert (again.step, again.value, again.without_gain) == (1, 0.5, 2)
  assert _best(tmp_path, first_step=2).without_gain == 1
  assert _best(tmp_path, first_step=3, metric='Other').value == 1.0
  for other in (_best(tmp_path, first_step=0), _best(tmp_path, 3, 'Loss'),
                _best(tmp_path, 3, split='val')):
    assert other.step is None


def test_a_metric_that_is_not_there(tmp_path):
  with pytest.raises(ValueError, match='--best_metric=F1 is not among the '
                     'metrics evaluated: Accuracy, Loss.'):
    _best(tmp_path, metric='F1').offer(
        1, _checkpoint(tmp_path, 1), {'Loss': 1.0, 'Accuracy': 0.5})
