"""Networks as an `Evaluator` takes them: exports, and their checkpoint."""
import dataclasses
import time

import numpy as np
import tensorflow.compat.v1 as tf

from image_classifier import options as program_options
from image_classifier.checkpoints import checkpoint_reader
from image_classifier.inference import backends
from image_classifier.inference import exports
from image_classifier.inference import inference_graph


class BackendNetwork:
  """Computes logits with a backend, and keeps what a comparison needs.

  Args:
    backend: see `backends`.
    exported: the `exports.Exported`.

  Attributes:
    step: int, the step of the training.
    facts: dict, what the results file says of the network.
    classes: list of ints, the class with the largest logit of each image.
    times: list of floats, the seconds per image of each batch.
  """

  def __init__(self, backend, exported):
    self._backend, self._record = backend, exported.record
    self.step = self._record.get('global_step') or 0
    self.facts = {'checkpoint': self._record.get('checkpoint'),
                  'graph': exported.path}
    self.classes, self.times = [], []

  def logits(self, images):
    """Returns float32 [batch, classes] of images [batch, height, width, c].

    Raises:
      ValueError: the network takes other images.
    """
    shape = self._record['input_shape']
    if any(known not in (None, length) for known, length in zip(
        shape[1:], images.shape[1:])):
      raise ValueError(
          'The export takes images of %s and the dataset gives %s: check '
          '--dataset_name.' % (_by(shape[1:]), _by(images.shape[1:])))
    start = time.perf_counter()
    logits = self._backend.run(images)[0]
    self.times.append((time.perf_counter() - start) / len(images))
    self.classes += np.argmax(logits, axis=1).tolist()
    return logits

  def milliseconds(self):
    """Returns the median time per image, of all batches but the first."""
    # A first batch prepares the session.
    return 1000 * float(np.median(self.times[1:] or self.times))

  def close(self):
    self._backend.close()


def load(exported):
  """Returns the BackendNetwork of a form of an export."""
  return BackendNetwork(backends.load(exported.path), exported)


def load_checkpoint(exported, checkpoint, options):
  """Returns the BackendNetwork of a checkpoint, built as its export was.

  Args:
    exported: the `exports.Exported`.
    checkpoint: prefix of the checkpoint.
    options: the completed `options.Evaluation`.

  Raises:
    ValueError: the checkpoint does not fit or cannot be read.
  """
  record = exported.record
  asked = dataclasses.replace(
      program_options.Classify(), model_name=record['model_name'],
      image_size=exports.image_size(record),
      use_grayscale=record['use_grayscale'],
      embedding_size=record.get('embedding_size'),
      normalize_embedding=record.get('normalize_embedding', False))
  classes = inference_graph.Classes(
      record['num_classes'], exported.labels, record.get('labels_offset', 0),
      record.get('classifier_activation', inference_graph.SOFTMAX))
  with tf.Graph().as_default():
    network = inference_graph.build(asked, classes, checkpoint)
    session = inference_graph.restore(
        checkpoint, options.moving_average_decay, options.quantize,
        options.checkpoint_scope)
  backend = backends.SessionBackend(
      session, network.images, (network.logits, network.predictions))
  step = checkpoint_reader.step_of(checkpoint)
  return BackendNetwork(backend, exported._replace(
      path=checkpoint, record=dict(record, global_step=step)))


def _by(shape):
  return 'x'.join('any' if length is None else str(length) for length in shape)
