"""The files of an export: its forms, model.json and labels.txt."""
import collections
import json
import os
import zipfile

from image_classifier.inference import backends
from image_classifier.inference import inference_graph

# The forms, in the order in which one is chosen.
FORMS = collections.OrderedDict([
    ('frozen', 'frozen_inference_graph.pb'), ('saved_model', 'saved_model'),
    ('tflite', 'model.tflite'), ('int8', 'model_int8.tflite'),
    ('onnx', 'model.onnx')])
MODEL, LABELS = 'model.json', 'labels.txt'
_NEEDED = ('num_classes', 'input_shape', 'preprocessing_name', 'use_grayscale')
# A file that every SavedModel has, and its directory for additional files.
_SAVED_MODEL_FILE, _EXTRA = 'saved_model.pb', 'assets.extra'

Exported = collections.namedtuple('Exported', 'path record labels')
Exported.__doc__ = """A form of an export.

Attributes:
  path: str, path of the form: a frozen graph, a SavedModel, a .tflite or a
    .onnx file.
  record: dict, the content of its model.json.
  labels: list of the names of the classes, in the order of the logits.
"""


def find(path):
  """Returns the Exported of an export of images.

  Args:
    path: the directory of an export, or a form in it: a frozen graph, a
      SavedModel, a .tflite or a .onnx file, with model.json and labels.txt
      beside it. All but the frozen graph have copies of these two.

  Raises:
    ValueError: a file is missing or does not fit the others, or the network
      takes videos.
  """
  if not os.path.exists(path):
    raise ValueError(
        'There is no export %s. Give the directory that '
        'export_inference_graph.py wrote, or a form in it: %s.' % (
            path, ', '.join(FORMS.values())))
  path = _find_form(path)
  directory = _record_directory(path)
  record, labels = _packed(path, directory)
  if record is None:
    record = _read_record(os.path.join(directory, MODEL))
    labels = inference_graph.read_labels(
        os.path.join(directory, LABELS), record['num_classes'])
  if record['preprocessing_name'] is None:
    raise ValueError('%s takes videos, not images.' % path)
  return Exported(path, record, labels)


def is_directory(path):
  """Returns whether a path is that of an export, not of one form."""
  return os.path.isfile(os.path.join(path, MODEL))


def image_size(record):
  """Returns the height and width of the images of a model.json, in pixels."""
  return record.get('image_size', record['input_shape'][-2])


def labels_text(names):
  """Returns the names of classes as the text of a file, one per line."""
  return ''.join(' '.join(name.splitlines()) + '\n' for name in names)


def describe_outputs(record):
  """Returns {name: sentence} of the outputs of a network.

  Args:
    record: dict, the content of model.json; of `outputs`, `embedding_size`,
      `normalize_embedding`, `tasks` and `classifier_activation` what it has.
  """
  tasks, sentences = record.get('tasks') or [], collections.OrderedDict()
  if record.get('embedding_size'):
    text = ('The embedding, %d numbers%s: the smaller the distance of two '
            'images, the more alike they are.' % (
                record['embedding_size'], ' of length 1'
                if record.get('normalize_embedding') else ''))
    sentences['logits'] = sentences['predictions'] = text
    sentences['embedding'] = text
  elif tasks:
    sentences['logits'] = 'The score of each class of each task.'
    own = [(task['task'], 'The probability of each class of the task %s, by '
            '%s.' % (task['task'], 'sigmoid' if task['multi_label'] else
                     'softmax')) for task in tasks]
    sentences['predictions'] = ' '.join(text for _, text in own)
    sentences.update(own)
  else:
    sentences['logits'] = 'The score of each class.'
    sentences['predictions'] = 'The probability of each class, by %s.' % (
        record['classifier_activation'])
  return sentences


def _packed(path, directory):
  """Returns (record, labels) inside a file that was copied alone.

  Both are None for a form that is no file of its own kind, with a model.json in
  the directory, and for a file without these.
  """
  read = _PACKED.get(os.path.splitext(path)[1])
  if not read or is_directory(directory):
    return None, None
  try:
    record, labels = read(path)
  except (KeyError, OSError, zipfile.BadZipFile):
    return None, None
  return _parse_record(path, record), labels.splitlines()


def _packed_in_tflite(path):
  with zipfile.ZipFile(path) as files:
    return [files.read(name).decode('utf-8', 'replace')
            for name in (MODEL, LABELS)]


def _packed_in_onnx(path):
  packed = backends.onnx_session(path).get_modelmeta().custom_metadata_map
  return [packed[name] for name in (MODEL, LABELS)]


_PACKED = {'.tflite': _packed_in_tflite, '.onnx': _packed_in_onnx}


def _find_form(path):
  """Returns the path of a form, given it or the directory of the export."""
  if not is_directory(path):
    return path
  found = [name for name in FORMS.values()
           if os.path.exists(os.path.join(path, name))]
  if not found:
    raise ValueError('The export %s has none of %s. Export the network '
                     'again.' % (path, ', '.join(FORMS.values())))
  return os.path.join(path, found[0])


def _record_directory(path):
  """Returns the directory of a form's model.json."""
  if not os.path.isdir(path):
    return os.path.dirname(path)
  if not os.path.isfile(os.path.join(path, _SAVED_MODEL_FILE)):
    raise ValueError(
        '%s is neither the directory of an export, which has a %s, nor a '
        'SavedModel, which has a %s. Export the network with '
        'export_inference_graph.py.' % (path, MODEL, _SAVED_MODEL_FILE))
  inside = os.path.join(path, _EXTRA)
  return inside if os.path.isfile(os.path.join(inside, MODEL)) else (
      os.path.normpath(os.path.join(path, os.pardir)))


def _read_record(path):
  if not os.path.isfile(path):
    raise ValueError(
        'There is no file %s, which names the preprocessing. '
        'export_inference_graph.py writes it beside the graph.' % path)
  with open(path, encoding='utf-8', errors='replace') as file:
    return _parse_record(path, file.read())


def _parse_record(path, text):
  """Returns the record in the text of a model.json, which is in a file."""
  try:
    record = json.loads(text)
    missing = [key for key in _NEEDED if key not in record]
  except (TypeError, ValueError) as error:
    raise ValueError('%s is damaged: %s. Export the network again.' % (
        path, error))
  if missing:
    raise ValueError('%s is not of this program, or damaged: it lacks %s. '
                     'Export the network again.' % (path, ', '.join(missing)))
  return record
