"""Fine-tuning takes over what the record of the checkpoint knows."""
import json
import shutil

import pytest

from image_classifier import options
from image_classifier.evaluate import evaluation
from image_classifier.runs import record_defaults
from image_classifier.train import evaluation_schedule
from image_classifier.train import loop
from image_classifier.train import resolved_run
from slim_common import flags
from tests.image_classifier import training_runs as runs

_TAKEN = {'model_name': 'lenet', 'preprocessing_name': 'cifarnet',
          'train_image_size': 12}


@pytest.fixture(name='source', scope='module')
def _source(digits, tmp_path_factory):
  """The directory of a training with other flags than the defaults."""
  directory = tmp_path_factory.mktemp('source')
  runs.leave(runs.train(
      digits, directory, steps=1, data=dict(preprocessing_name='cifarnet'),
      model=dict(train_image_size=12)))
  return directory


def _options(digits, source, directory, *words):
  return flags.parse([
      '--dataset_name=mnist', '--dataset_dir=' + digits,
      '--checkpoint_path=%s' % source, '--train_dir=%s' % directory,
      '--max_number_of_steps=1', '--batch_size=8', '--clone_on_cpu', *words],
                     options.Train)[0]


@pytest.mark.slow
def test_network_and_images_are_those_of_the_checkpoint(
    digits, source, tmp_path, capsys):
  copy = tmp_path / 'copy'
  shutil.copytree(str(source), str(copy))
  asked = [digits, copy, tmp_path / 'new', '--eval_every=1']
  loop.train(_options(*asked))
  out = capsys.readouterr().out
  assert ('From run.json of the checkpoint: --model_name=lenet '
          '--preprocessing_name=cifarnet --train_image_size=12.') in out
  assert 'Training lenet on mnist/train: 4000 examples, 10 classes, images ' \
      '12x12x1.' in out
  assert 'Warm start from %s/model.ckpt-1: 8 variables loaded.' % copy in out
  record = json.loads((tmp_path / 'new' / 'run.json').read_text())
  for name, value in _TAKEN.items():
    assert record['flags'][name] == value
  during, = [row['evaluation'] for row in runs.log(tmp_path / 'new')
             if 'evaluation' in row]
  after = evaluation.evaluate(flags.parse([
      '--checkpoint_path=%s' % (tmp_path / 'new'), '--eval_dir='],
                                          options.Evaluate)[0], quiet=True)
  for name, value in after.items():
    assert during[name] == pytest.approx(value, abs=1e-6)
  # The run resumes without the other one.
  shutil.rmtree(str(copy))
  run = resolved_run.resolve(_options(*asked, '--max_number_of_steps=2'))
  assert (run.start.step, run.record['flags']) == (
      1, dict(record['flags'], max_number_of_steps=2))


def test_flags_given_by_hand_win(digits, source, tmp_path):
  run = resolved_run.resolve(_options(
      digits, source, tmp_path, '--preprocessing_name=lenet',
      '--train_image_size=28', '--use_grayscale'))
  assert (run.options.model.model_name, run.image_shape) == (
      'lenet', (28, 28, 1))
  assert run.options.data.preprocessing_name == 'lenet'
  assert run.notes == (
      'From run.json of the checkpoint: --model_name=lenet.',
      'The training used the preprocessing of cifarnet: '
      '--preprocessing_name=cifarnet, not --preprocessing_name=lenet, is the '
      'same here.',
      'The training used color images: --nouse_grayscale, not '
      '--use_grayscale, is the same here.',
      'The training used images of 12 x 12 pixels: --train_image_size=12, not '
      '--train_image_size=28, is the same here.')


def test_another_network_takes_nothing_over(digits, source, tmp_path):
  asked = _options(digits, source, tmp_path, '--model_name=cifarnet')
  run = resolved_run.resolve(asked)
  assert run.options == asked
  assert run.notes == ('The checkpoint was trained with --model_name=lenet.',)


def test_evaluation_during_the_training_sees_the_completed_flags(
    digits, source, tmp_path):
  run = resolved_run.resolve(_options(
      digits, source, tmp_path, '--eval_every=1'))
  values = flags.as_dict(evaluation_schedule.evaluate_options(run, 'a'))
  assert [values[name] for name in (
      'model_name', 'preprocessing_name', 'eval_image_size')] == (
          list(_TAKEN.values()))


def test_a_checkpoint_without_a_record(digits, source, tmp_path):
  for path in source.glob('model.ckpt-1*'):
    shutil.copy(str(path), str(tmp_path))
  asked = _options(digits, tmp_path / 'model.ckpt-1', tmp_path / 'new',
                   '--model_name=lenet')
  run = resolved_run.resolve(asked)
  assert (run.options, run.notes) == (asked, ())


def test_records_of_older_runs():
  """As they were before they held more than the flags."""
  record = {
      'format_version': 1, 'num_classes': 10, 'image_shape': [32, 32, 1],
      'model_name': 'lenet', 'dataset_name': 'mnist', 'dataset_split': 'train',
      'num_examples': 60000, 'multi_label': False, 'last_step': 100,
      'flags': {'model_name': 'lenet', 'preprocessing_name': None,
                'use_grayscale': True, 'dataset_dir': 'data',
                'labels_offset': 0}}
  completed, lines = record_defaults.apply_to_fine_tuning(
      options.Train(), record)
  assert (completed.model.model_name, completed.model.train_image_size,
          completed.data.use_grayscale) == ('lenet', 32, True)
  assert completed.data.dataset_dir is None
  assert len(lines) == 1
  assert record_defaults.apply_to_fine_tuning(options.Train(), None) == (
      options.Train(), [])
