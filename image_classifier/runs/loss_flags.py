"""The flags of a training that its loss and its labels decide or exclude."""
from image_classifier import options as program_options
from image_classifier.losses import task_heads
from image_classifier.losses import task_turns
from slim_common import flags
from slim_common import help_page

_SAMPLES_PER_CLASS = 4
# Neither losses of embeddings nor several tasks know what to do with these.
_TASKS = ('task_weighting', 'task_schedule')
_ONE_CLASS = ('mixup_alpha', 'cutmix_alpha', 'class_weights', 'class_sampling')


def complete(options, dataset):
  """Returns options with the batch that a loss of embeddings needs.

  Args:
    options: an `options.Train`.
    dataset: the `slim.dataset.Dataset`.

  Raises:
    ValueError: flags do not go together, or do not fit the dataset.
  """
  values = flags.as_dict(options)
  loss, is_several = values['loss'], getattr(dataset, 'multi_label', False)
  heads = task_heads.of_dataset(dataset, values['tasks'])
  _check_tasks(options, values, heads)
  _check_positive_weights(values, heads, is_several)
  if is_several and not heads and values['class_sampling'] != 'none':
    raise ValueError(
        '--class_sampling=%s needs one label per image, and images of this '
        'dataset have several: leave it out.' % values['class_sampling'])
  if loss not in program_options.METRIC_LOSSES:
    return options
  if is_several:
    raise ValueError('--loss=%s needs one label per image, and images of this '
                     'dataset have several: use --loss=sigmoid.' % loss)
  _exclude(options, _ONE_CLASS + ('label_smoothing',),
           '--loss=%s compares the labels of images' % loss)
  return flags.replace(options, _batch(
      values, dataset.num_classes, 'batch_size' in flags.given(options)))


def _check_tasks(options, values, heads):
  """Raises ValueError for flags that do not go with the heads, or with none."""
  if not heads:
    return _exclude(options, _TASKS, 'images of %s have labels of one task' %
                    values['dataset_name'])
  _exclude(options, _ONE_CLASS + ('loss',),
           'images of %s have labels of several tasks' %
           values['dataset_name'])
  if task_turns.parse(values['task_schedule'], [
      head.task for head in heads]) and (
          values['num_ps_tasks'] or values['ps_hosts'] or
          values['sync_replicas']):
    raise ValueError(
        '--task_schedule=%s needs workers that train the same task at the same '
        'time: leave out the parameter servers, or use --task_schedule=joint.' %
        values['task_schedule'])
  return None


def _check_positive_weights(values, heads, is_several):
  """Raises ValueError for --positive_weights where no loss asks yes or no."""
  if values['positive_weights'] is None:
    return
  if heads:
    is_yes_or_no = any(head.multi_label for head in heads)
  else:
    is_yes_or_no = 'sigmoid' == (
        values['loss'] or ('sigmoid' if is_several else 'softmax'))
  if not is_yes_or_no:
    raise ValueError(
        '--positive_weights=%s is for losses that ask yes or no for each '
        'class: %s.' % (values['positive_weights'], (
            'none of the tasks has labels of that kind' if heads else
            'use it with --loss=sigmoid')))


def _exclude(options, names, reason):
  """Raises ValueError if one of some flags is not at its default."""
  values, defaults = flags.as_dict(options), flags.as_dict(type(options)())
  for name in names:
    if values[name] != defaults[name]:
      raise ValueError('%s has no effect here, as %s: leave it out.' % (
          help_page.setting(name, values[name]), reason))


def _batch(values, num_classes, is_size_given):
  """Returns {flag: value} of the classes and images of a batch."""
  size = values['batch_size']
  classes, samples = values['classes_per_batch'], values['samples_per_class']
  is_decided = bool(classes and samples)
  if not samples:
    samples = max(2, size // classes) if classes else _SAMPLES_PER_CLASS
  if not classes:
    classes = max(2, min(num_classes, size // samples))
  if is_decided and is_size_given and size != classes * samples:
    raise ValueError(
        '--batch_size=%d is not --classes_per_batch=%d times '
        '--samples_per_class=%d: leave out one of them, or give '
        '--batch_size=%d.' % (size, classes, samples, classes * samples))
  return {'classes_per_batch': classes, 'samples_per_class': samples,
          'batch_size': classes * samples}
