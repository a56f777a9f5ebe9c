"""Evaluations that fail, and their messages."""
import os
import shutil

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from image_classifier.evaluate import evaluation
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
    evaluation.check(
        evaluations.options_for('data', 'model', **changes))


def test_outputs_that_cannot_be_written(tmp_path):
  (tmp_path / 'new.index').write_text('')
  with pytest.raises(ValueError, match='--recalibrated_checkpoint=.*index '
                     'exists'):
    evaluation.check(evaluations.options_for(
        'data', 'model', recalibrate_batch_norm=1,
        recalibrated_checkpoint=str(tmp_path / 'new')))
  with pytest.raises(ValueError, match='--eval_dir=.*: the directory cannot'):
    evaluation.check(evaluations.options_for(
        'data', 'model', eval_dir=str(tmp_path / 'new.index')))


def _fails(digits, checkpoint, message, **changes):
  with pytest.raises(ValueError, match=message):
    evaluation.evaluate(
        evaluations.options_for(digits, checkpoint, **changes), quiet=True)


def test_no_checkpoint(digits, trained, tmp_path):
  _fails(digits, tmp_path, 'There is no checkpoint in the directory')
  _fails(digits, trained / 'model.ckpt-61',
         r'There is no checkpoint .*-61\. .* holds .*model.ckpt-60')


def test_another_network(digits, trained):
  _fails(digits, trained, 'It holds the scope LeNet, a network such as '
         '--model_name=lenet; this one is CifarNet', model_name='cifarnet')


def test_another_size(digits, trained):
  # Of the averages, which the run.json asks for.
  _fails(digits, trained, 'LeNet/fc3/weights/ExponentialMovingAverage has '
         'shape', eval_image_size=32)


def test_no_averages(digits, trained, tmp_path):
  def leave_out_averages(values):
    for name in [name for name in values if 'Average' in name]:
      del values[name]

  evaluations.rewrite_checkpoint(
      trained / 'model.ckpt-60', tmp_path / 'plain', leave_out_averages)
  _fails(digits, tmp_path / 'plain', 'The run kept no moving averages: leave '
         'out --moving_average_decay', moving_average_decay=0.9)


def test_a_variable_that_is_missing(digits, trained, tmp_path):
  def leave_out_biases(values):
    # Their average would be taken instead.
    for name in [name for name in values if 'LeNet/conv2/biases' in name]:
      del values[name]

  evaluations.rewrite_checkpoint(
      trained / 'model.ckpt-60', tmp_path / 'part', leave_out_biases)
  _fails(digits, tmp_path / 'part',
         'part lacks 1 variables, such as LeNet/conv2/biases')


def test_numbers_of_classes_that_differ(digits, trained, tmp_path):
  evaluations.rewrite_digits(
      digits, tmp_path / 'data', ['n%d' % i for i in range(12)],
      lambda digit: [digit], 20)
  _fails(tmp_path / 'data', trained, r'has shape \[10\] .* and \[12\] here')


def test_1000_and_1001_classes(digits, trained, tmp_path):
  def widen(values):
    values['LeNet/fc4/weights'] = np.zeros([1024, 1000], np.float32)
    values['LeNet/fc4/biases'] = np.zeros([1000], np.float32)

  evaluations.rewrite_checkpoint(
      trained / 'model.ckpt-60', tmp_path / 'wide', widen)
  evaluations.rewrite_digits(
      digits, tmp_path / 'data', ['n%d' % i for i in range(1001)],
      lambda digit: [digit + 1], 20)
  _fails(tmp_path / 'data', tmp_path / 'wide', '--labels_offset=1')


def test_a_checkpoint_of_which_a_file_is_missing_or_cut_off(
    digits, trained, tmp_path):
  for name in os.listdir(str(trained)):
    if name.startswith('model.ckpt-60.'):
      shutil.copy(str(trained / name), str(tmp_path))
  data, = tmp_path.glob('*.data-*')
  data.write_bytes(data.read_bytes()[:1000])
  message = 'model.ckpt-60 cannot be read; a part may be missing or cut off'
  _fails(digits, tmp_path / 'model.ckpt-60', message)
  data.unlink()
  _fails(digits, tmp_path / 'model.ckpt-60', message)


def test_weights_that_are_not_finite(digits, trained, tmp_path):
  def spoil(values):
    values['LeNet/fc4/biases'][3] = np.nan

  evaluations.rewrite_checkpoint(
      trained / 'model.ckpt-60', tmp_path / 'nan', spoil)
  _fails(digits, tmp_path / 'nan', 'The network computes values that are not '
         'finite, for .* first: the training of this checkpoint diverged',
         predictions_file=str(tmp_path / 'p.csv'))
  assert not (tmp_path / 'p.csv').exists()


def test_labels_out_of_range(digits, trained, tmp_path):
  # Subtracting 1 from every label leaves no class for label 0.
  evaluations.rewrite_digits(
      digits, tmp_path / 'data', ['n%d' % i for i in range(11)],
      lambda digit: [digit], 20)
  _fails(tmp_path / 'data', trained, r'Label 0 of record \d+ of .*tfrecord is '
         r'outside \[1, 11\)', labels_offset=1)


def test_recalibration_without_batch_normalization(digits, trained):
  _fails(digits, trained, '--recalibrate_batch_norm: lenet has no batch '
         'normalization', recalibrate_batch_norm=1)


def test_images_that_are_too_small(digits, trained):
  _fails(digits, trained, '--eval_image_size=1: lenet cannot take images of '
         '1 x 1 pixels. Its default size is 28. .*Negative dimension',
         eval_image_size=1)


def test_quantization_that_was_not_learned(digits, trained):
  _fails(digits, trained, 'was trained without --quantize_delay: leave out '
         '--quantize' if tf.__version__.startswith('1.') else
         '--quantize needs TensorFlow 1.15', quantize=True)


def test_another_split(digits, trained):
  _fails(digits, trained, "mnist has no split 'validation'. Its splits are: "
         r'train, test \(in %s/dataset_info.json\)' % digits,
         dataset_split_name='validation')
