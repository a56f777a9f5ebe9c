"""What is evaluated during a training, how, and which metric decides."""
import dataclasses
import os
from typing import NamedTuple, Optional

import numpy as np

from image_classifier import options as program_options
from image_classifier.evaluate import metrics
from image_classifier.evaluate import retrieval
from image_classifier.evaluate import task_metrics
from image_classifier.graphs import neighbors
from image_classifier.losses import task_heads
from slim_common import flags
from slim_common import suggest

_SPLITS = ('validation', 'val', 'test')

# How the flags of a training enter its evaluations; the test lists those that
# change no number of an evaluation, with the reasons. First those that it takes
# over: {flag of the training: flag of the evaluation}.
SAME = {name: name for name in (
    'dataset_name', 'dataset_dir', 'batch_size', 'preprocessing_name',
    'use_grayscale', 'num_preprocessing_threads', 'on_bad_record',
    'max_bad_records', 'model_name', 'network_variant', 'loss', 'focal_gamma',
    'moving_average_decay', 'num_clones', 'clone_on_cpu', 'master',
    'normalize_embedding', 'tasks')}
SAME['train_image_size'] = 'eval_image_size'
# Those that it takes over with another value: {flag of the training: (flag of
# the evaluation, function of the Run)}.
CONVERTED = {
    'train_dir': ('eval_dir', lambda run: os.path.join(
        run.options.loop.train_dir, 'eval')),
    'eval_split': ('dataset_split_name', lambda run: run.plan.split),
    'labels_offset': ('labels_offset', lambda run: run.labels_offset),
    'embedding_size': ('embedding_size', lambda run: run.embedding_size),
    'dataset_split_name': (
        'gallery_split', lambda run: run.options.data.dataset_split_name),
    'quantize_delay': (
        'quantize', lambda run: run.options.model.quantize_delay >= 0),
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
  example = _metrics_of_an_example(options, dataset)
  metric = options.loop.best_metric or example.main_metric
  known = list(example.results())
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
  # The flags of this run hold, defaults too: its record adds nothing.
  return flags.remember(program_options.Evaluate(**parts), values)


def _metrics_of_an_example(options, dataset):
  """Returns the metrics that an evaluation will compute, of one example."""
  heads = task_heads.of_dataset(dataset, options.model.tasks)
  if heads:
    sums, labels = task_metrics.TaskMetrics(heads), np.zeros(
        [1, dataset.num_classes])
    outputs = np.zeros([1, task_heads.number_of_outputs(heads)])
  elif options.model.loss in program_options.METRIC_LOSSES:
    outputs, labels = np.zeros([1, 2]), np.array([1])
    sums = retrieval.RetrievalMetrics(
        neighbors.Gallery(outputs, labels, 2), 2)
  else:
    is_multi_label = getattr(dataset, 'multi_label', False)
    sums, outputs = metrics.class_for(is_multi_label)(2), np.zeros([1, 2])
    labels = np.array([[0, 1]] if is_multi_label else [1])
  sums.add(outputs, labels)
  return sums


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
