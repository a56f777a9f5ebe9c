"""What is evaluated during a training, and with which flags."""
import collections
import types

import pytest

from image_classifier import options as program_options
from image_classifier.train import evaluation_schedule
from image_classifier.train import run_length
from slim_common import flags
from tests.image_classifier import training_runs as runs

_Dataset = collections.namedtuple('_Dataset', 'multi_label')


def _plan(splits=('train', 'test'), multi_label=False, **loop):
  def get_split(name):
    if name not in splits:
      raise ValueError('no split ' + name)

  options = runs.train('data', 'model', loop=dict(dict(eval_every=2), **loop))
  return evaluation_schedule.plan(
      options, run_length.compute(options, 40), _Dataset(multi_label),
      get_split)


def _message(**arguments):
  with pytest.raises(ValueError) as error:
    _plan(**arguments)
  return str(error.value)


@pytest.mark.parametrize('splits, split', [
    (('train', 'test'), 'test'), (('train', 'test', 'validation'), 'validation'),
    (('train', 'val'), 'val')])
def test_the_split_is_found(splits, split):
  assert _plan(splits) == (split, 'Accuracy')


def test_the_split_is_chosen():
  assert _plan(eval_split='train').split == 'train'
  assert _message(eval_split='tset') == '--eval_split=tset: no split tset'
  assert _message(splits=('train',)) == (
      'mnist has none of the splits validation, val, test to evaluate during '
      'the training: name one with --eval_split. (no split test)')


def test_the_metric_is_chosen():
  assert _plan(best_metric='Loss').metric == 'Loss'
  assert _plan(multi_label=True).metric == 'Mean_Average_Precision'
  assert _message(best_metric='accuracy').startswith(
      '--best_metric=accuracy is not a metric; did you mean Accuracy? Those of '
      'this dataset are Accuracy, Recall_5, Loss, ')
  assert 'is not a metric. Those' in _message(best_metric='xyz')


def test_without_an_interval_nothing_is_evaluated():
  assert _plan(eval_every=0) is None


# Flags of a training that change no number of an evaluation: {reason: flags}.
_EXEMPT = {
    'evaluation reads the files in order and samples nothing': (
        'num_readers', 'shuffle_buffer', 'seed', 'deterministic',
        'shard_by_worker', 'class_sampling', 'classes_per_batch',
        'samples_per_class'),
    'evaluation does not augment': (
        'augmentation', 'crop_min_area', 'crop_max_aspect', 'color_jitter',
        'randaugment_steps', 'randaugment_magnitude', 'random_erasing',
        'mixup_alpha', 'cutmix_alpha'),
    'the loss reported is without regularization, of unweighted labels': (
        'weight_decay', 'label_smoothing', 'class_weights', 'positive_weights',
        'task_weighting', 'task_schedule'),
    'no loss of embeddings is reported': ('margin', 'batch_all_steps'),
    'evaluation uses the moving statistics of the checkpoint': (
        'batch_norm_decay', 'freeze_batch_norm', 'batch_norm_statistics',
        'sync_batch_norm'),
    'the variables and results are those of NHWC': ('data_format',),
    'it decides what the weights are, and these come from the checkpoint': (
        'checkpoint_path', 'checkpoint_scope', 'checkpoint_exclude_scopes',
        'adapt_first_convolution', 'trainable_scopes', 'ignore_missing_vars',
        'preset', 'source', 'head_epochs', 'max_head_fraction',
        'new_head',
        'optimizer', 'clip_gradient_norm', 'opt_epsilon', 'adadelta_rho',
        'adagrad_initial_accumulator_value',
        'adam_beta1', 'adam_beta2', 'ftrl_learning_rate_power',
        'ftrl_initial_accumulator_value', 'ftrl_l1', 'ftrl_l2', 'momentum',
        'rmsprop_momentum', 'rmsprop_decay', 'learning_rate_decay_type',
        'learning_rate', 'end_learning_rate', 'learning_rate_decay_factor',
        'learning_rate_staircase', 'num_epochs_per_decay', 'warmup_epochs',
        'polynomial_power', 'polynomial_cycle', 'learning_rate_boundaries',
        'learning_rate_values', 'cosine_alpha', 'cosine_t_mul', 'cosine_m_mul',
        'cosine_num_periods', 'cosine_beta', 'cosine_initial_variance',
        'cosine_variance_decay'),
    'evaluation computes in float32, in a separate session': (
        'fp16', 'xla', 'gpu_memory_growth', 'cpu_threads'),
    'the chief alone evaluates': (
        'worker_hosts', 'ps_hosts', 'job_name', 'task', 'worker_replicas',
        'num_ps_tasks', 'cluster_timeout_secs', 'sync_replicas',
        'replicas_to_aggregate', 'collective_communication'),
    'it decides when something happens, or what the training writes': (
        'resume', 'max_number_of_steps', 'num_epochs', 'log_every_n_steps',
        'save_summaries_secs', 'summarize_images', 'save_interval_secs',
        'max_checkpoints_to_keep', 'eval_every', 'eval_every_epochs',
        'best_metric', 'early_stopping_patience', 'trace_every'),
    'nothing is trained': ('list_models', 'describe_model'),
}


def test_every_flag_of_training_is_mapped_or_exempt():
  train, evaluate = (flags.as_dict(kind()) for kind in (
      program_options.Train, program_options.Evaluate))
  exempt = [name for names in _EXEMPT.values()
            for name in names]
  names = list(evaluation_schedule.SAME) + list(
      evaluation_schedule.CONVERTED) + exempt
  # One that is new has to be in a table of evaluation_schedule.py, or above.
  assert sorted(names) == sorted(train)
  for flag in list(evaluation_schedule.SAME.values()) + [
      flag for flag, _ in evaluation_schedule.CONVERTED.values()]:
    assert flag in evaluate
  # Of the same name, and still not the same.
  assert set(exempt) & set(evaluate) == {
      'checkpoint_path', 'checkpoint_scope', 'max_number_of_steps'}


def test_flags_of_the_evaluation():
  options = runs.train(
      'data', 'model', data=dict(use_grayscale=True, preprocessing_name='vgg',
                                 on_bad_record='skip', max_bad_records=7),
      model=dict(moving_average_decay=0.9, train_image_size=32, loss='focal',
                 focal_gamma=1.0, quantize_delay=0))
  evaluate = evaluation_schedule.evaluate_options(types.SimpleNamespace(
      options=options, labels_offset=1, embedding_size=None,
      plan=evaluation_schedule.Plan('test', 'Loss')), 'model/model.ckpt-2')
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
  assert evaluation.quantize and not evaluate.batch_norm.diagnose
  # Its run.json need not be asked for those either that have their defaults.
  assert {'eval_image_size', 'labels_offset'} <= flags.given(evaluate)
