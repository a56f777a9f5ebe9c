"""The files that describe a converted dataset: dataset_info.json, labels.txt.

`dataset_info.json` holds the name, the classes, the image size and, for each
split, its files and their numbers of examples:

  {"format_version": 1, "name": "mnist", "num_classes": 10,
   "class_names": ["zero", ...],
   "image": {"height": 28, "width": 28, "channels": 1},
   "splits": {"train": {"num_examples": 60000,
                        "files": ["mnist_train.tfrecord"],
                        "examples_per_file": [60000],
                        "examples_per_class": [5923, ...]}, ...}}

("image" is null if sizes differ). Five keys are optional: "multi_label", true
if an example has any number of classes; "tasks", where classes are of several
tasks and named TASK:CLASS, {"TASK": whether an example has any number of them};
"side_files", the names of other files of the dataset; "max_pixels", the maximum
height times width of its images unless it is the default; and "origin", what
the dataset was made of, see `conversion.provenance`. `labels.txt` holds a line
`id:name` for each class. Converters write these files and dataset modules read
them, both through this module, which does not need TensorFlow.
"""
import json

INFO_FILENAME = 'dataset_info.json'
LABELS_FILENAME = 'labels.txt'
MAX_PIXELS = 100000000
_FORMAT_VERSION = 1


def publishing_directory(name):
  """Returns the name of a directory that marks a dataset as being replaced.

  While it exists beside the record files, old and new ones are mixed.
  """
  return '.%s.publishing' % name


def info_text(name, class_names, image, splits, side_files=(),
              multi_label=False, max_pixels=MAX_PIXELS, origin=None):
  """Returns the content of `dataset_info.json`.

  Args:
    name: name of the dataset.
    class_names: list of the names of the classes, by class id from 0.
    image: dict of 'height', 'width' and 'channels', or None.
    splits: dict of split name to a dict of the keys shown above.
    side_files: names of other files of the dataset.
    multi_label: whether an example has any number of classes, not one; or a
      dict of the name of each task to whether it is so.
    max_pixels: maximum height times width that its images were held to.
    origin: dict of its sources and options, or None.
  """
  info = {'format_version': _FORMAT_VERSION, 'name': name,
          'num_classes': len(class_names), 'class_names': list(class_names),
          'image': image, 'splits': splits}
  if multi_label:
    info['multi_label'] = True
  if isinstance(multi_label, dict):
    info['tasks'] = multi_label
  if side_files:
    info['side_files'] = list(side_files)
  if max_pixels != MAX_PIXELS:
    info['max_pixels'] = max_pixels
  if origin:
    info['origin'] = origin
  return json.dumps(info, indent=1) + '\n'


def parse_info(text, path):
  """Returns the dict in the text of a `dataset_info.json`.

  It always has the optional keys, too.

  Args:
    text: str, or bytes in UTF-8.
    path: path of the file, for the message.

  Raises:
    ValueError: the text is not such a dict; the message names `path`.
  """
  try:
    info = json.loads(_decoded(text))
    version = info['format_version']
    if version == _FORMAT_VERSION:
      info.setdefault('multi_label', False)
      info.setdefault('tasks', {})
      info.setdefault('side_files', [])
      info.setdefault('max_pixels', MAX_PIXELS)
      info.setdefault('origin', None)
      is_valid = _is_valid(info)
  except (ValueError, TypeError, KeyError, AttributeError,
          RecursionError) as error:
    raise ValueError(
        '%s cannot be read (%s): convert the dataset again with --overwrite'
        % (path, error or type(error).__name__))
  if version != _FORMAT_VERSION:
    raise ValueError(
        '%s has format version %s, but this code reads version %d: convert the '
        'dataset again with --overwrite' % (path, version, _FORMAT_VERSION))
  if not is_valid:
    raise ValueError('%s contradicts itself or is incomplete: convert the '
                     'dataset again with --overwrite' % path)
  return info


def _is_valid(info):
  """Whether all keys are there, with values of their types that agree."""
  return (isinstance(info['name'], str) and _is_valid_image(info['image']) and
          isinstance(info['multi_label'], bool) and
          _are_tasks(info['tasks'], info['class_names']) and
          _is_valid_origin(info['origin']) and
          type(info['max_pixels']) is int and info['max_pixels'] > 0 and
          _are(str, info['side_files']) and _are(str, info['class_names']) and
          len(info['class_names']) == info['num_classes'] and
          all(_is_valid_split(split, info['num_classes'])
              for split in info['splits'].values()))


def _are_tasks(tasks, class_names):
  return isinstance(tasks, dict) and all(
      isinstance(is_multi_label, bool) and any(
          name.startswith(task + ':') for name in class_names)
      for task, is_multi_label in tasks.items())


def _is_valid_origin(origin):
  return origin is None or (
      _are(str, origin['sources']) and isinstance(origin['options'], dict) and
      _are(int, [origin['num_files'], origin['num_bytes']]) and
      _are(str, [origin['contents'], origin['times']]))


def _is_valid_image(image):
  return image is None or all(
      type(image[name]) is int and image[name] > 0
      for name in ('height', 'width', 'channels'))


def _is_valid_split(split, num_classes):
  files, counts = split['files'], split['examples_per_file']
  return (_are(str, files) and _are(int, counts) and
          len(files) == len(counts) and sum(counts) == split['num_examples'] and
          _are(int, split['examples_per_class']) and
          len(split['examples_per_class']) == num_classes)


def _are(value_type, values):
  return isinstance(values, list) and all(
      isinstance(value, value_type) for value in values)


def labels_text(labels_to_names):
  """Returns the content of `labels.txt` for a dict of class id to name."""
  return ''.join(
      '%d:%s\n' % (label, labels_to_names[label]) for label in labels_to_names)


def parse_labels(text, path):
  """Returns the dict of class id to name in the text of a `labels.txt`.

  Args:
    text, path: see `parse_info`.

  Raises:
    ValueError: a line is not `id:name` (the message names `path` and line), or
      the bytes are not UTF-8.
  """
  try:
    text = _decoded(text)
  except UnicodeError as error:
    raise ValueError('%s is not UTF-8 (%s): write one line id:name per class, '
                     'in UTF-8' % (path, error))
  labels_to_names = {}
  # Not splitlines: a name may contain one of Unicode's rarer line ends.
  for number, line in enumerate(text.replace('\r\n', '\n').split('\n'), 1):
    if not line.strip():
      continue
    label, colon, name = line.partition(':')
    if not colon or not label.strip().isdecimal():
      raise ValueError('%s, line %d is %r; it must be id:name, such as 0:cat'
                       % (path, number, line))
    labels_to_names[int(label)] = name
  return labels_to_names


def _decoded(text):
  return text.decode('utf-8') if isinstance(text, bytes) else text
