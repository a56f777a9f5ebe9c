"""The types of what a run.json holds, where later programs rely on them."""


def _is_text(value):
  return isinstance(value, str)


def _is_integer(value):
  return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value):
  return (_is_integer(value) or isinstance(value, float)) and (
      abs(value) < float('inf'))


def _is_switch(value):
  return isinstance(value, bool)


def _is_count(value):
  return _is_integer(value) and value >= 0


def _is_shape(value):
  return isinstance(value, list) and len(value) >= 3 and all(
      _is_integer(size) and size > 0 for size in value)


def _is_list_of_text(value):
  return isinstance(value, list) and all(map(_is_text, value))


def _is_positive(value):
  return _is_count(value) and value > 0


def _is_list_of_tasks(value):
  return isinstance(value, list) and all(
      isinstance(task, dict) and _is_text(task.get('task'))
      and _is_list_of_text(task.get('classes'))
      and _is_switch(task.get('multi_label')) for task in value)


def _is_offset(value):
  return _is_integer(value) or value == 'auto'


_TEXT = _is_text, 'a string'
_COUNT = _is_count, 'an integer of at least 0'
_NUMBER = _is_number, 'a number'
_SWITCH = _is_switch, 'true or false'
CURE = ('Restore the file; or delete it, and give the flags of the training by '
        'hand.')
# The record of an older run lacks some of these; those that may be not given
# are null then.
_NEVER_NULL = ('focal_gamma', 'quantize_delay')
_FACTS = {
    'model_name': _TEXT, 'dataset_name': _TEXT, 'dataset_split': _TEXT,
    'fingerprint': _TEXT, 'working_directory': _TEXT, 'num_classes': _COUNT, 'num_examples': _COUNT,
    'last_step': _COUNT, 'multi_label': _SWITCH,
    'labels_offset': (_is_integer, 'an integer'),
    'image_shape': (_is_shape, 'a list of height, width and channels'),
    'class_names': (_is_list_of_text, 'a list of strings'),
    'embedding_size': (_is_positive, 'an integer of at least 1'),
    'tasks': (_is_list_of_tasks, 'a list of task, classes, multi_label')}
_FLAGS = {
    'model_name': _TEXT, 'network_variant': _TEXT,
    'preprocessing_name': _TEXT, 'dataset_name': _TEXT, 'dataset_dir': _TEXT,
    'loss': _TEXT, 'eval_split': _TEXT,
    'use_grayscale': _SWITCH, 'moving_average_decay': _NUMBER,
    'normalize_embedding': _SWITCH, 'margin': _NUMBER,
    'embedding_size': (_is_positive, 'an integer of at least 1'),
    'tasks': (_is_list_of_text, 'a list of strings'),
    'focal_gamma': _NUMBER, 'quantize_delay': (_is_integer, 'an integer'),
    'early_stopping_patience': _COUNT,
    'labels_offset': (_is_offset, 'an integer or "auto"')}


def check(record, path):
  """Checks the types of a record's facts and flags.

  Args:
    record: dict, the content of a run.json of any version.
    path: path of the file, for the message.

  Raises:
    ValueError: a value is of another type.
  """
  _check(record, _FACTS, '', path)
  flags = record.get('flags')
  if isinstance(flags, dict):
    _check(flags, _FLAGS, 'flags: ', path)
  names, number = record.get('class_names'), record.get('num_classes')
  if names is not None and number is not None and len(names) != number:
    raise ValueError(
        '%s: class_names are %d, but num_classes is %d. %s' % (
            path, len(names), number, CURE))


def _check(values, types, where, path):
  for name, (is_right, allowed) in types.items():
    value = values.get(name)
    if name in values and not is_right(value) and (
        value is not None or name in _NEVER_NULL):
      raise ValueError('%s: %s%s is %.80r; it must be %s. %s' % (
          path, where, name, value, allowed, CURE))
