"""Classifiers: networks with their preprocessing and class names."""
import json
import os
import sys

import tensorflow.compat.v1 as tf

from image_classifier.checkpoints import checkpoint_reader
from image_classifier.inference import backends
from image_classifier.inference import inference_graph
from image_classifier.runs import record_defaults
from slim_common import suggest

_FORMS = ('frozen_inference_graph.pb', 'saved_model', 'model.tflite',
          'model_int8.tflite')
_MODEL, _LABELS = 'model.json', 'labels.txt'
_NEEDED = ('num_classes', 'input_shape', 'preprocessing_name', 'use_grayscale')
# A file that every SavedModel has, and its directory for additional files.
_SAVED_MODEL_FILE, _EXTRA = 'saved_model.pb', 'assets.extra'


class Classifier:
  """Classifies images given as the content of image files.

  Args:
    backend: see `backends`; `close` closes it.
    labels: list of the names of the classes, in the order of the logits; also
      an attribute.
    read_image: see `inference_graph.image_reader`.
  """

  def __init__(self, backend, labels, read_image):
    self.labels = labels
    self._backend = backend
    graph = tf.Graph()
    with graph.as_default():
      self._encoded = tf.placeholder(tf.string, [])
      self._image = read_image(self._encoded)
    self._session = tf.Session(graph=graph)

  def preprocess(self, content):
    """Returns the preprocessed image, float32 [height, width, channels].

    Args:
      content: bytes of a JPEG, PNG, GIF or BMP file.

    Raises:
      ValueError: it is not such a file, or is damaged.
    """
    try:
      return self._session.run(self._image, {self._encoded: content})
    except tf.errors.InvalidArgumentError as error:
      raise ValueError(error.message)

  def predict(self, images):
    """Returns (probabilities, features) of float32 images [batch, ...].

    Both are float32, [batch, classes] and [batch, ...]. The features are an
    empty list without an end point.
    """
    outputs = self._backend.run(images)
    return outputs[1], outputs[2] if len(outputs) > 2 else []

  def close(self):
    """Frees the sessions."""
    self._session.close()
    self._backend.close()


def load_export(path):
  """Returns the Classifier of an export of any form.

  Args:
    path: the directory of an export, or a form in it: a frozen graph, a
      SavedModel or a .tflite file, with model.json and labels.txt beside it. A
      SavedModel has copies of these two.

  Raises:
    ValueError: a file is missing or does not fit the others.
  """
  if not os.path.exists(path):
    raise ValueError(
        'There is no export %s. Give the directory that '
        'export_inference_graph.py wrote, or a form in it: %s.' % (
            path, ', '.join(_FORMS)))
  path = _find_form(path)
  directory = _record_directory(path)
  record = _read_record(os.path.join(directory, _MODEL))
  labels = inference_graph.read_labels(
      os.path.join(directory, _LABELS), record['num_classes'])
  if record['preprocessing_name'] is None:
    raise ValueError('%s takes videos, not images.' % path)
  return Classifier(
      backends.load(path), labels, inference_graph.image_reader(
          record['preprocessing_name'], record['input_shape'][-1],
          record.get('image_size', record['input_shape'][-2]),
          record['use_grayscale']))


def load_checkpoint(options):
  """Returns the Classifier of a checkpoint, given an `options.Classify`.

  Raises:
    ValueError: the options do not fit the checkpoint, or the end point is
      unknown.
  """
  checkpoint = checkpoint_reader.find(options.checkpoint_path)
  options, lines = record_defaults.apply(options, checkpoint)
  for line in lines:
    # Standard output is for the results.
    print(line, file=sys.stderr)
  classes = inference_graph.find_classes(options, checkpoint)
  name = inference_graph.preprocessing_name(options)
  if name is None:
    raise ValueError('%s takes videos, not images.' % options.model_name)
  with tf.Graph().as_default():
    network = inference_graph.build(options, classes, checkpoint)
    outputs = [network.logits, network.predictions]
    if options.end_point:
      outputs.append(_end_point(network, options.end_point))
    session = inference_graph.restore(
        checkpoint, options.moving_average_decay,
        scope=options.checkpoint_scope)
  return Classifier(
      backends.SessionBackend(session, network.images, outputs), classes.names,
      inference_graph.image_reader(
          name, network.shape[-1], network.size, options.use_grayscale))


def _end_point(network, name):
  if name in network.end_points:
    return network.end_points[name]
  near = suggest.hint(name, network.end_points, 3, cutoff=0.4)
  raise ValueError('The network has no end point %s%s' % (
      name, '; it has %s.' % ', '.join(network.end_points) if near == '.'
      else near))


def _find_form(path):
  """Returns the path of a form, given it or the directory of the export."""
  if not os.path.isfile(os.path.join(path, _MODEL)):
    return path
  found = [name for name in _FORMS if os.path.exists(os.path.join(path, name))]
  if not found:
    raise ValueError('The export %s has none of %s. Export the network '
                     'again.' % (path, ', '.join(_FORMS)))
  return os.path.join(path, found[0])


def _record_directory(path):
  """Returns the directory of a form's model.json."""
  if not os.path.isdir(path):
    return os.path.dirname(path)
  if not os.path.isfile(os.path.join(path, _SAVED_MODEL_FILE)):
    raise ValueError(
        '%s is neither the directory of an export, which has a %s, nor a '
        'SavedModel, which has a %s. Export the network with '
        'export_inference_graph.py.' % (path, _MODEL, _SAVED_MODEL_FILE))
  inside = os.path.join(path, _EXTRA)
  return inside if os.path.isfile(os.path.join(inside, _MODEL)) else (
      os.path.normpath(os.path.join(path, os.pardir)))


def _read_record(path):
  if not os.path.isfile(path):
    raise ValueError(
        'There is no file %s, which names the preprocessing. '
        'export_inference_graph.py writes it beside the graph.' % path)
  try:
    with open(path, encoding='utf-8') as file:
      record = json.load(file)
    missing = [key for key in _NEEDED if key not in record]
  except (TypeError, ValueError) as error:
    raise ValueError('%s is damaged: %s. Export the network again.' % (
        path, error))
  if missing:
    raise ValueError('%s is not of this program, or damaged: it lacks %s. '
                     'Export the network again.' % (path, ', '.join(missing)))
  return record
