"""Learning curves."""
import importlib.util
import json

import pytest
from PIL import Image

from training import plots


def _log(tmp_path, steps):
  log = tmp_path / 'train_log.jsonl'
  log.write_text(''.join(json.dumps({
      'step': step, 'loss': 1 / step, 'learning_rate': 0.1}) + '\n'
                         for step in steps))
  return str(log)


def test_a_picture_is_drawn(tmp_path):
  pytest.importorskip('matplotlib')
  picture = tmp_path / 'curve.png'
  assert plots.draw_learning_curve(
      _log(tmp_path, [1, 2, 3, 2, 3, 4]), str(picture))
  assert Image.open(str(picture)).size == (800, 450)
  assert len(list(tmp_path.iterdir())) == 2, 'no unfinished file is left'


def test_an_empty_log_is_not_drawn(tmp_path):
  assert not plots.draw_learning_curve(
      _log(tmp_path, []), str(tmp_path / 'curve.png'))


def test_without_matplotlib_nothing_is_drawn(tmp_path, monkeypatch):
  monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
  assert not plots.draw_learning_curve(
      _log(tmp_path, [1]), str(tmp_path / 'curve.png'))
