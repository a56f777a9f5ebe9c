"""What is evaluated during a training."""
import collections

import pytest

from image_classifier.train import evaluation_schedule
from image_classifier.train import run_length
from tests.image_classifier import training_runs as runs

_Dataset = collections.namedtuple('_Dataset', 'multi_label')


def _make(splits=('train', 'test'), multi_label=False, **loop):
  def get_split(name):
    if name not in splits:
      raise ValueError('no split ' + name)

  options = runs.train('data', 'model', loop=dict(dict(eval_every=2), **loop))
  return evaluation_schedule.make(
      options, run_length.of(options, 40), _Dataset(multi_label), get_split)


def _message(**arguments):
  with pytest.raises(ValueError) as error:
    _make(**arguments)
  return str(error.value)


@pytest.mark.parametrize('splits, split', [
    (('train', 'test'), 'test'), (('train', 'test', 'validation'), 'validation'),
    (('train', 'val'), 'val')])
def test_the_split_is_found(splits, split):
  assert _make(splits) == (split, 'Accuracy')


def test_the_split_is_chosen():
  assert _make(eval_split='train').split == 'train'
  assert _message(eval_split='tset') == '--eval_split=tset: no split tset'
  assert _message(splits=('train',)) == (
      'mnist has none of the splits validation, val, test to evaluate during '
      'the training: name one with --eval_split. (no split test)')


def test_the_metric_is_chosen():
  assert _make(best_metric='Loss').metric == 'Loss'
  assert _make(multi_label=True).metric == 'Mean_Average_Precision'
  assert _message(best_metric='accuracy').startswith(
      '--best_metric=accuracy is not a metric; did you mean Accuracy? Those of '
      'this dataset are Accuracy, Recall_5, Loss, ')
  assert 'is not a metric. Those' in _message(best_metric='xyz')


def test_without_an_interval_nothing_is_evaluated():
  assert _make(eval_every=0) is None


def test_the_evaluation_sees_what_the_training_does():
  options = runs.train(
      'data', 'model', data=dict(use_grayscale=True, preprocessing_name='vgg',
                                 on_bad_record='skip', max_bad_records=7),
      model=dict(moving_average_decay=0.9, train_image_size=32, loss='focal',
                 focal_gamma=1.0))
  evaluate = evaluation_schedule.options_of(
      evaluation_schedule.Plan('test', 'Loss'), options,
      'model/model.ckpt-2', 1)
  data, evaluation = evaluate.data, evaluate.evaluation
  assert (data.dataset_name, data.dataset_dir, data.dataset_split_name,
          data.labels_offset, data.use_grayscale, data.preprocessing_name) == (
              'mnist', 'data', 'test', 1, True, 'vgg')
  assert (evaluation.checkpoint_path, evaluation.eval_dir,
          evaluation.model_name, evaluation.eval_image_size,
          evaluation.moving_average_decay, evaluation.clone_on_cpu) == (
              'model/model.ckpt-2', 'model/eval', 'lenet', 32, 0.9, True)
  assert (evaluation.loss, evaluation.focal_gamma,
          data.bad_records_allowed) == ('focal', 1.0, 7)
