"""What is checked and said before an evaluation begins."""
import json

import pytest

from image_classifier.evaluate import evaluation_checks
from tests.image_classifier import evaluations


@pytest.mark.parametrize('message, changes', [
    ('--checkpoint_path is empty: give a checkpoint, or the directory',
     dict(checkpoint_path='')),
    ('--eval_timeout_secs is for following a training: pass '
     '--eval_interval_secs too', dict(eval_timeout_secs=10)),
    ('--max_number_of_steps is for following a training: pass '
     '--eval_interval_secs too', dict(max_number_of_steps=10)),
    ('--recalibrated_checkpoint needs --recalibrate_batch_norm=N',
     dict(recalibrated_checkpoint='new')),
    ('--recalibrated_checkpoint is for one checkpoint: leave out '
     '--eval_interval_secs', dict(
         recalibrated_checkpoint='new', recalibrate_batch_norm=1,
         eval_interval_secs=1)),
    ('--predictions_file=p.txt must end in .csv or .jsonl',
     dict(predictions_file='p.txt')),
    ('--confusion_matrix=m.png must end in .csv',
     dict(confusion_matrix='m.png'))])
def test_flags_that_do_not_go_together(message, changes):
  with pytest.raises(ValueError, match=message):
    evaluation_checks.check(
        evaluations.options_for('data', 'model', **changes))


def test_what_cannot_be_written(tmp_path):
  (tmp_path / 'new.index').write_text('')
  with pytest.raises(ValueError, match='--recalibrated_checkpoint=.*index '
                     'exists'):
    evaluation_checks.check(evaluations.options_for(
        'data', 'model', recalibrate_batch_norm=1,
        recalibrated_checkpoint=str(tmp_path / 'new')))
  with pytest.raises(ValueError, match='--eval_dir=.*: the folder cannot be'):
    evaluation_checks.check(evaluations.options_for(
        'data', 'model', eval_dir=str(tmp_path / 'new.index')))


def _differences(folder, record, image_size=28, **changes):
  if record is not None:
    (folder / 'run.json').write_text(json.dumps(record))
  return evaluation_checks.differences(
      evaluations.options_for('data', 'model', **changes),
      str(folder / 'model.ckpt-1'), image_size)


def test_where_nothing_differs_nothing_is_said(tmp_path):
  assert _differences(tmp_path, None) == []
  assert _differences(tmp_path, {
      'image_shape': [28, 28, 1], 'flags': {
          'model_name': 'lenet', 'preprocessing_name': None,
          'use_grayscale': False}}, preprocessing_name='lenet') == []


def test_pictures_unlike_those_of_the_training(tmp_path):
  record = {'image_shape': [32, 32, 3], 'flags': {
      'model_name': 'lenet', 'preprocessing_name': 'cifarnet',
      'use_grayscale': True}}
  text = ('The training used %s and this evaluation does not: --%s evaluates '
          'the same.')
  assert _differences(tmp_path, record) == [
      text % ('the preprocessing of cifarnet', 'preprocessing_name=cifarnet'),
      text % ('grey pictures', 'use_grayscale=True'),
      text % ('pictures of 32 x 32 pixels', 'eval_image_size=32')]
  record['flags']['use_grayscale'] = False
  assert _differences(
      tmp_path, record, 32, preprocessing_name='cifarnet',
      use_grayscale=True) == [
          text % ('pictures in colour', 'use_grayscale=False')]


def test_another_network(tmp_path):
  assert _differences(tmp_path, {'flags': {'model_name': 'vgg_16'}}) == [
      'The training was one of --model_name=vgg_16.']
