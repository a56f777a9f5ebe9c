"""Metadata of TensorFlow Lite models, for TensorFlow's own reader.

`tflite_support.metadata` displays them, and its Task Library classifies images
with nothing but the file.

The model names a buffer TFLITE_METADATA with a FlatBuffer of the schema
`metadata_schema.fbs`: the network, the normalization of its images, its outputs
and the files of the labels and of the record, which are a zip at the end.
https://www.tensorflow.org/lite/models/convert/metadata
"""
import io
import json
import zipfile

from image_classifier.import_weights import flat_buffer
from image_classifier.inference import backends
from image_classifier.inference import exports

_MODEL_IDENTIFIER, _METADATA_IDENTIFIER = b'TFL3', b'M001'
_METADATA = 'TFLITE_METADATA'
# Fields of the table Model of a .tflite file; all but the first are references.
_VERSION, _BUFFERS, _METADATA_ENTRIES = 0, 4, 6
_MIN_PARSER_VERSION = '1.0.0'
# Numbers of the schema.
_IMAGE_PROPERTIES, _NORMALIZATION_OPTIONS = 2, 1
_RGB, _GRAYSCALE = 1, 2
_AXIS_LABELS = 2
# The files of a zip carry a date, which makes no two exports differ.
_DATE = (1980, 1, 1, 0, 0, 0)


def add(content, record, labels):
  """Returns the content of a .tflite file with metadata.

  Args:
    content: bytes, the model without metadata, of a network for images.
    record: dict, the content of model.json.
    labels: list of the names of the classes, in the order of the logits.
  """
  metadata = flat_buffer.build(_metadata(record), _METADATA_IDENTIFIER)
  output = io.BytesIO(_with_buffer(content, metadata))
  with zipfile.ZipFile(output, 'a') as files:
    for name, text in (
        (exports.LABELS, exports.labels_text(labels)),
        (exports.MODEL, json.dumps(record, indent=2) + '\n')):
      files.writestr(zipfile.ZipInfo(name, _DATE), text.encode())
  return output.getvalue()


def _with_buffer(content, metadata):
  """Returns a model with one more buffer, named in its metadata."""
  model = flat_buffer.Table(content)
  buffers, entries = [model.positions(number) for number in (
      _BUFFERS, _METADATA_ENTRIES)]

  def root(start):
    def moved(position):
      return None if position is None else flat_buffer.Written(start + position)

    fields = {number: moved(model.reference(number))
              for number in range(_VERSION + 1, model.count())}
    fields[_VERSION] = flat_buffer.Scalar('I', model.scalar(_VERSION, 'I'))
    fields[_BUFFERS] = [moved(position) for position in buffers] + [
        {0: metadata}]
    fields[_METADATA_ENTRIES] = [moved(position) for position in entries] + [
        {0: _METADATA, 1: flat_buffer.Scalar('I', len(buffers))}]
    return fields

  return flat_buffer.prepend(root, _MODEL_IDENTIFIER, content)


def _metadata(record):
  """Returns the table ModelMetadata."""
  labels = {0: exports.LABELS, 1: 'Names of the classes, one per line.',
            2: flat_buffer.Scalar('b', _AXIS_LABELS)}
  texts = exports.describe_outputs(record)
  # An embedding has no classes.
  files = {} if record.get('embedding_size') else {6: [labels]}
  outputs = [{0: name, 1: texts[name]} for name in backends.OUTPUTS]
  for output in outputs:
    output.update(files)
  return {
      0: record['model_name'],
      1: _purpose(record),
      3: [{2: [_input(record)], 3: outputs}],
      6: [{0: exports.MODEL, 1: 'The record of the model: network, classes, '
           'preprocessing and training, as JSON.'}],
      7: _MIN_PARSER_VERSION}


def _purpose(record):
  """Returns a sentence about the network."""
  if record.get('embedding_size'):
    return ('Computes embeddings of images: those of one class are near to '
            'each other.')
  tasks = [task['task'] for task in record.get('tasks') or []]
  return 'Classifies images into %d classes%s.' % (
      record['num_classes'], ' of the tasks ' + ', '.join(tasks)
      if tasks else '')


def _input(record):
  """Returns the table TensorMetadata of the images."""
  preprocessing = record['preprocessing']
  size = flat_buffer.Scalar('I', record['image_size'])
  is_gray = record['channels'] == 1
  properties = {
      0: flat_buffer.Scalar('b', _GRAYSCALE if is_gray else _RGB),
      1: {0: size, 1: size}}
  return {
      0: 'image',
      1: '%s, values %s; %s.' % (
          'Grayscale' if is_gray else 'RGB', preprocessing['value_range'],
          preprocessing['size']),
      3: {0: flat_buffer.Scalar('B', _IMAGE_PROPERTIES), 1: properties},
      4: _process_units(preprocessing)}


def _process_units(preprocessing):
  """Returns the list of tables ProcessUnit: the normalization, or none."""
  mean, scale = preprocessing['mean'], preprocessing['scale']
  if mean is None:
    return None  # Each image has its own.
  scales = scale if isinstance(scale, list) else [scale] * len(mean)
  options = {0: flat_buffer.Numbers('f', tuple(mean)),
             1: flat_buffer.Numbers('f', tuple(1 / each for each in scales))}
  return [{0: flat_buffer.Scalar('B', _NORMALIZATION_OPTIONS), 1: options}]
