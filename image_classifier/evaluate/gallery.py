"""The embeddings of a split, among which an evaluation finds neighbors."""
import numpy as np
import tensorflow.compat.v1 as tf

from image_classifier.evaluate import eval_graph
from image_classifier.graphs import neighbors


class GalleryReader:
  """Computes a gallery with the network of an evaluation.

  Args:
    options: an `options.Evaluate`.
    graph: the `eval_graph.EvalGraph` in the default graph.

  Raises:
    ValueError: there is no such split.
  """

  def __init__(self, options, graph):
    self._graph = graph
    split = options.evaluation.gallery_split
    self.is_same = split == options.data.dataset_split_name
    try:
      self._batch = eval_graph.evaluation_batch(options, graph, split)
    except ValueError as error:
      raise ValueError('--gallery_split=%s: %s' % (split, error))

  def read(self, session, compute=None):
    """Returns the `neighbors.Gallery`.

    Args:
      session: the tf.Session, with the weights.
      compute: function of images that returns embeddings; None for those of
        the network in the session.
    """
    compute = compute or (lambda images: session.run(
        self._graph.logits, {self._graph.batch.images: images}))
    eval_graph.restart_input(session)
    embeddings, labels = [], []
    while True:
      try:
        images, batch_labels = session.run(
            [self._batch.images, self._batch.labels])
      except tf.errors.OutOfRangeError:
        break
      embeddings.append(compute(images))
      labels.append(batch_labels)
    return neighbors.Gallery(
        np.concatenate(embeddings), np.concatenate(labels),
        self._graph.num_classes)
