"""What is evaluated during a training, and by which metric it is judged."""
import collections
import dataclasses
import os

import numpy as np

from image_classifier import options as program_options
from image_classifier.evaluate import metrics
from slim_common import suggest

Plan = collections.namedtuple('Plan', 'split metric')
_SPLITS = ('validation', 'val', 'test')


def make(options, length, dataset, get_split):
  """Plans the evaluations of a training.

  Args:
    options: an `options.Train`.
    length: the `run_length.RunLength`.
    dataset: the `slim.dataset.Dataset` that is trained on.
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
  kind = (metrics.MultiLabelMetrics if is_multi_label
          else metrics.SingleLabelMetrics)
  metric = options.loop.best_metric or kind.main_metric
  known = _names(kind, is_multi_label)
  if metric not in known:
    raise ValueError('--best_metric=%s is not a metric%s Those of this dataset '
                     'are %s.' % (
                         metric, suggest.hint(metric, known, cutoff=0.4),
                         ', '.join(known)))
  return Plan(_split(options, get_split), metric)


def options_of(plan, options, checkpoint, labels_offset):
  """Returns the `options.Evaluate` of a checkpoint of a training.

  Args:
    plan: the Plan.
    options: the `options.Train`.
    checkpoint: the prefix of the checkpoint.
    labels_offset: the training's, a number also where the flag says auto.
  """
  default = program_options.Evaluate()
  return dataclasses.replace(
      default,
      evaluation=dataclasses.replace(
          _alike(default.evaluation, options.model, options.deployment),
          checkpoint_path=checkpoint,
          eval_dir=os.path.join(options.loop.train_dir, 'eval'),
          eval_image_size=options.model.train_image_size),
      data=dataclasses.replace(
          _alike(default.data, options.data), dataset_split_name=plan.split,
          labels_offset=labels_offset),
      batch_norm=dataclasses.replace(default.batch_norm, diagnose=False))


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


def _alike(part, *others):
  """Returns a part of options with the values that others have by its names."""
  values = {field.name: getattr(other, field.name) for other in others
            for field in dataclasses.fields(other)}
  return dataclasses.replace(part, **{
      field.name: values[field.name] for field in dataclasses.fields(part)
      if field.name in values})
