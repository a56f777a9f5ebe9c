"""Classifiers: networks with their preprocessing and class names."""
import sys

import tensorflow.compat.v1 as tf

from image_classifier.checkpoints import checkpoint_reader
from image_classifier.graphs import end_points
from image_classifier.inference import backends
from image_classifier.inference import exports
from image_classifier.inference import grad_cam
from image_classifier.inference import inference_graph
from image_classifier.runs import record_defaults


class Classifier:
  """Classifies images given as the content of image files.

  Args:
    backend: see `backends`; `close` closes it.
    labels: list of the names of the classes, in the order of the logits; also
      an attribute.
    read_image: see `inference_graph.image_reader`.
    is_embedding: whether the probabilities are embeddings instead, of any
      size; also an attribute.
  """

  def __init__(self, backend, labels, read_image, is_embedding=False):
    self.labels, self.is_embedding = labels, is_embedding
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

    The probabilities are float32 [batch, classes]; the features are a list of
    a float32 array [batch, ...] for each end point. With `explain`, the heat
    maps are the only ones.
    """
    outputs = self._backend.run(images)
    return outputs[1], outputs[2:]

  def close(self):
    """Frees the sessions."""
    self._session.close()
    self._backend.close()


def load_export(path):
  """Returns the Classifier of an export of any form.

  Args:
    path: see `exports.find`.

  Raises:
    ValueError: a file is missing or does not fit the others.
  """
  exported = exports.find(path)
  record = exported.record
  return Classifier(
      backends.load(exported.path), exported.labels,
      inference_graph.image_reader(
          record['preprocessing_name'], record['input_shape'][-1],
          exports.image_size(record), record['use_grayscale']),
      bool(record.get('embedding_size')))


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
    outputs += [end_points.find(network.end_points, name)
                for name in options.end_points]
    if options.explain:
      outputs.append(grad_cam.heat_map(
          network.logits, network.predictions, network.end_points))
    session = inference_graph.restore(
        checkpoint, options.moving_average_decay,
        scope=options.checkpoint_scope)
  return Classifier(
      backends.SessionBackend(session, network.images, outputs), classes.names,
      inference_graph.image_reader(
          name, network.shape[-1], network.size, options.use_grayscale),
      bool(options.embedding_size))
