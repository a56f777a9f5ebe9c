"""What is evaluated during a training, how, and which metric decides."""
import dataclasses
import os
from typing import NamedTuple, Optional

import numpy as np

from image_classifier import options as program_options
from image_classifier.evaluate import metrics
from slim_common import flags
from slim_common import suggest

_SPLITS = ('validation', 'val', 'test')

# How each flag of a training enters its evaluations. First those that the
# evaluation takes over: {flag of the training: flag of the evaluation}.
SAME = {name: name for name in (
    'dataset_name', 'dataset_dir', 'batch_size', 'preprocessing_name',
    'use_grayscale', 'num_preprocessing_threads', 'on_bad_record',
    'max_bad_records', 'model_name', 'loss', 'focal_gamma',
    'moving_average_decay', 'num_clones', 'clone_on_cpu', 'master')}
SAME['train_image_size'] = 'eval_image_size'
# Those that it takes over with another value: {flag of the training: (flag of
# the evaluation, function of the Run)}.
CONVERTED = {
    'train_dir': ('eval_dir', lambda run: os.path.join(
        run.options.loop.train_dir, 'eval')),
    'eval_split': ('dataset_split_name', lambda run: run.plan.split),
    'labels_offset': ('labels_offset', lambda run: run.labels_offset),
    'quantize_delay': (
        'quantize', lambda run: run.options.model.quantize_delay >= 0),
}
# Those that change no number of an evaluation: {reason: flags}.
EXEMPT = {
    'eval_split names the split to evaluate': ('dataset_split_name',),
    'evaluation reads the files in order and samples nothing': (
        'num_readers', 'shuffle_buffer', 'seed', 'deterministic',
        'shard_by_worker'),
    'evaluation does not augment': (
        'augmentation', 'crop_min_area', 'crop_max_aspect', 'color_jitter',
        'randaugment_steps', 'randaugment_magnitude', 'random_erasing',
        'mixup_alpha', 'cutmix_alpha'),
    'the loss reported is without regularization, of unweighted labels': (
        'weight_decay', 'label_smoothing', 'class_weights'),
    'evaluation uses the moving statistics of the checkpoint': (
        'batch_norm_decay', 'freeze_batch_norm'),
    'the variables and results are those of NHWC': ('data_format',),
    'it decides what the weights are, and these come from the checkpoint': (
        'checkpoint_path', 'checkpoint_exclude_scopes', 'trainable_scopes',
        'ignore_missing_vars', 'optimizer', 'clip_gradient_norm',
        'opt_epsilon', 'adadelta_rho', 'adagrad_initial_accumulator_value',
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
        'num_ps_tasks', 'sync_replicas', 'replicas_to_aggregate'),
    'it decides when something happens, or what the training writes': (
        'resume', 'max_number_of_steps', 'num_epochs', 'log_every_n_steps',
        'save_summaries_secs', 'summarize_images', 'save_interval_secs',
        'max_checkpoints_to_keep', 'eval_every', 'eval_every_epochs',
        'best_metric', 'early_stopping_patience', 'trace_every'),
    'nothing is trained': ('list_models', 'describe_model'),
}


class Plan(NamedTuple):
  """What is evaluated during a training.

  Attributes:
    split: name of the split to evaluate.
    metric: name of the metric that decides which checkpoint is the best.
  """
  split: str
  metric: str


def plan(options, length, dataset, get_split) -> Optional[Plan]:
  """Plans the evaluations of a training.

  Args:
    options: an `options.Train`.
    length: the `run_length.RunLength`.
    dataset: the `slim.dataset.Dataset` to train on.
    get_split: function of a split's name that raises a ValueError if the
      dataset has none of that name.

  Returns:
    A Plan, or None if nothing is evaluated.

  Raises:
    ValueError: the split or the metric does not exist.
  """
  if not length.eval_every:
    return None
  is_multi_label = getattr(dataset, 'multi_label', False)
  kind = metrics.class_for(is_multi_label)
  metric = options.loop.best_metric or kind.main_metric
  known = _names(kind, is_multi_label)
  if metric not in known:
    raise ValueError('--best_metric=%s is not a metric%s Those of this dataset '
                     'are %s.' % (
                         metric, suggest.hint(metric, known, cutoff=0.4),
                         ', '.join(known)))
  return Plan(_split(options, get_split), metric)


def evaluate_options(run, checkpoint: str) -> program_options.Evaluate:
  """Returns the options to evaluate a checkpoint of a training.

  Args:
    run: the `resolved_run.Run`, with a plan.
    checkpoint: the prefix of the checkpoint.
  """
  given = flags.as_dict(run.options)
  values = {new: given[old] for old, new in SAME.items()}
  values.update((new, value(run)) for new, value in CONVERTED.values())
  values.update(checkpoint_path=checkpoint, diagnose=False)
  default = program_options.Evaluate()
  parts = {}
  for part in dataclasses.fields(default):
    component = getattr(default, part.name)
    parts[part.name] = dataclasses.replace(component, **{
        field.name: values[field.name]
        for field in dataclasses.fields(component) if field.name in values})
  return program_options.Evaluate(**parts)


def _names(kind, is_multi_label):
  """Returns the names of the metrics, as those of one example."""
  one = kind(2)
  one.add(np.zeros([1, 2]), np.array([[0, 1]] if is_multi_label else [1]))
  return list(one.results())


def _split(options, get_split):
  split = options.loop.eval_split
  for candidate in [split] if split else _SPLITS:
    try:
      get_split(candidate)
      return candidate
    except ValueError as error:
      fault = error
  if split:
    raise ValueError('--eval_split=%s: %s' % (split, fault))
  raise ValueError('%s has none of the splits %s to evaluate during the '
                   'training: name one with --eval_split. (%s)' % (
                       options.data.dataset_name, ', '.join(_SPLITS), fault))
