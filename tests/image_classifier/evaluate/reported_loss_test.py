"""An evaluation reports the loss that the training minimised."""
import json

import pytest

from image_classifier import options
from image_classifier.evaluate import reported_loss


def _record(directory, multi_label=False, **flags):
  directory.mkdir(exist_ok=True)
  (directory / 'run.json').write_text(json.dumps(
      {'flags': flags, 'multi_label': multi_label}))


def _chosen(checkpoint=None, multi_label=False, **flags):
  return reported_loss.choose(
      options.Evaluation(**flags), checkpoint and str(checkpoint), multi_label)


def test_what_is_asked_for_comes_first(tmp_path):
  _record(tmp_path, loss='sigmoid', focal_gamma=3.0)
  assert _chosen(tmp_path / 'model.ckpt-1', loss='focal', focal_gamma=1.0) == (
      'focal', 1.0, False)
  with pytest.raises(ValueError, match='--loss=softmax needs one label per'):
    _chosen(loss='softmax', multi_label=True)


@pytest.mark.parametrize('directory', ['.', 'best'])
def test_then_the_record_of_the_training(tmp_path, directory):
  _record(tmp_path, loss='focal', focal_gamma=3.0)
  checkpoint = tmp_path / directory / 'model.ckpt-1'
  assert _chosen(checkpoint) == ('focal', 3.0, False)
  assert _chosen(checkpoint, multi_label=True) == ('focal', 3.0, True)


def test_a_network_trained_on_other_labels(tmp_path):
  _record(tmp_path, loss=None, multi_label=True)
  assert _chosen(tmp_path / 'model.ckpt-1').kind == 'sigmoid'
  _record(tmp_path, loss='softmax')
  assert _chosen(tmp_path / 'model.ckpt-1', multi_label=True).kind == 'sigmoid'


def test_then_the_default_for_the_labels(tmp_path):
  for checkpoint in None, tmp_path / 'model.ckpt-1':
    assert _chosen(checkpoint) == ('softmax', 2.0, False)
    assert _chosen(checkpoint, multi_label=True) == ('sigmoid', 2.0, True)
  (tmp_path / 'run.json').write_text('["of another program"]')
  assert _chosen(tmp_path / 'model.ckpt-1').kind == 'softmax'
