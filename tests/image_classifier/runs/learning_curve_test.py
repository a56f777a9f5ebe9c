"""Learning curves."""
import importlib.util

from PIL import Image
import pytest

from image_classifier.runs import learning_curve
from image_classifier.runs import run_log


def _log(tmp_path, steps, evaluated=()):
  for step in steps:
    run_log.append(str(tmp_path), {
        'step': step, 'loss': 1 / step, 'learning_rate': 0.1})
  for step in evaluated:
    run_log.append(str(tmp_path), {
        'step': step, 'split': 'test', 'seconds': 1.0, 'evaluation': {
            'Accuracy': 0.5, 'Loss': 1 / step, 'Recall_5': 1.0}})
  return str(tmp_path)


@pytest.mark.parametrize('evaluated, best, size', [
    ((), None, (800, 450)), ((2, 4), None, (800, 900)),
    ((2, 4), ('Recall_5', 2), (800, 900))])
def test_a_chart_is_drawn(tmp_path, evaluated, best, size):
  pytest.importorskip('matplotlib')
  path = tmp_path / 'curve.png'
  assert learning_curve.draw_learning_curve(
      _log(tmp_path, [1, 2, 3, 4], evaluated), str(path), best)
  assert Image.open(str(path)).size == size
  assert len(list(tmp_path.iterdir())) == 2, 'no unfinished file is left'


@pytest.mark.parametrize('steps', [[], [1]])
def test_a_point_is_no_curve(tmp_path, steps):
  assert not learning_curve.draw_learning_curve(
      _log(tmp_path, steps), str(tmp_path / 'curve.png'))


def test_without_matplotlib_nothing_is_drawn(tmp_path, monkeypatch):
  monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
  assert not learning_curve.draw_learning_curve(
      _log(tmp_path, [1, 2]), str(tmp_path / 'curve.png'))
