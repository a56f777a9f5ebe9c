"""An evaluation that follows a training."""
import json
import shutil

import pytest

from image_classifier.evaluate import evaluation
from tests.image_classifier import evaluations


@pytest.fixture
def train_dir(trained, tmp_path):
  """A directory with the checkpoints of the steps 30 and 60."""
  directory = tmp_path / 'train'
  directory.mkdir()
  for path in trained.glob('model.ckpt-60.*'):
    shutil.copy(str(path), str(directory))
    shutil.copy(str(path), str(directory / path.name.replace('-60.', '-30.')))
  (directory / 'checkpoint').write_text(''.join(
      '%s: "model.ckpt-%d"\n' % row for row in [
          ('model_checkpoint_path', 60), ('all_model_checkpoint_paths', 30),
          ('all_model_checkpoint_paths', 60)]))
  return directory


def test_every_checkpoint_to_the_last(digits, train_dir, tmp_path, capsys):
  results = evaluation.evaluate(evaluations.options_for(
      digits, train_dir, eval_interval_secs=100, max_number_of_steps=60,
      max_num_batches=1, results_file=str(tmp_path / 'r.json'),
      eval_dir=str(tmp_path / 'eval')))
  out = capsys.readouterr().out
  assert out.count('Counted 100 examples') == 2
  assert out.index('model.ckpt-30 on') < out.index('model.ckpt-60 on')
  assert 'model.ckpt-60 is the last of the training.' in out
  content = json.loads((tmp_path / 'r.json').read_text())
  assert content['checkpoint'] == str(train_dir / 'model.ckpt-60')
  assert content['metrics'] == results
  assert len(list((tmp_path / 'eval').glob('*tfevents*'))) == 2


def test_no_checkpoint_comes(digits, tmp_path):
  with pytest.raises(ValueError, match='There was no checkpoint in .*later to '
                     'evaluate'):
    evaluation.evaluate(evaluations.options_for(
        digits, tmp_path / 'later', eval_interval_secs=1,
        eval_timeout_secs=1), quiet=True)


def test_a_checkpoint_that_is_removed_before_it_is_read(
    digits, train_dir, capsys, monkeypatch):
  whole = evaluation.Evaluator.evaluate

  def remove_first(self, checkpoint):
    if checkpoint.endswith('-30'):
      for path in train_dir.glob('model.ckpt-30.*'):
        path.unlink()
    return whole(self, checkpoint)

  monkeypatch.setattr(evaluation.Evaluator, 'evaluate', remove_first)
  evaluation.evaluate(evaluations.options_for(
      digits, train_dir, eval_interval_secs=100, max_number_of_steps=60,
      max_num_batches=1))
  out = capsys.readouterr().out
  assert 'model.ckpt-30 was removed before it could be evaluated.' in out
  assert out.count('Counted 100 examples') == 1
