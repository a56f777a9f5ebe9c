"""The losses of embeddings in a training: see `metric_learning`.

The output of the network, in the place of logits, is the embedding.
"""
from typing import List, NamedTuple, Optional

import tensorflow.compat.v1 as tf

from image_classifier.losses import metric_learning

# Collection of scalars of the first clone.
_STATISTICS = 'embedding_statistics'
_AUXILIARY_WEIGHT = 0.4


class Recipe(NamedTuple):
  """The configuration of a loss of embeddings.

  Attributes:
    kind: 'contrastive', 'triplet_batch_all', 'triplet_batch_hard' or
      'triplet_semihard'.
    margin: see `metric_learning`, above 0.
    normalize: whether embeddings have length 1.
    batch_all_steps: number of first steps in which 'triplet_batch_hard' is
      'triplet_batch_all'.
  """
  kind: str
  margin: float = 0.5
  normalize: bool = False
  batch_all_steps: int = 0

  def add(self, outputs, labels, end_points) -> None:
    """Adds the loss of a network's outputs with `tf.losses`.

    Args:
      outputs: float32 [batch, size].
      labels: int64 [batch].
      end_points: dict of the network's tensors, with 'AuxLogits' for an
        auxiliary head, whose loss has the weight 0.4.
    """
    if 'AuxLogits' in end_points:
      self._add(end_points['AuxLogits'], labels, _AUXILIARY_WEIGHT, 'aux_loss')
    embeddings = self._add(outputs, labels, 1.0, self.kind + '_loss')
    if not tf.get_collection(_STATISTICS):
      for name, value in metric_learning.statistics(
          labels, embeddings, self.margin).items():
        tf.add_to_collection(_STATISTICS, tf.identity(value, name))

  def _add(self, outputs, labels, weight, scope):
    with tf.name_scope(scope):
      embeddings = embed(outputs, self.normalize)
      loss = self.loss(labels, embeddings, tf.train.get_global_step())
      tf.losses.add_loss(tf.multiply(loss, weight, name='value'))
    return embeddings

  def loss(self, labels, embeddings, step=None):
    """Returns the loss, a float32 scalar.

    Args:
      labels: int64 [batch].
      embeddings: float32 [batch, size].
      step: int64 scalar, the global step, if `batch_all_steps` is given.
    """
    function = _LOSSES[self.kind]
    if not self.batch_all_steps:
      return function(labels, embeddings, self.margin)
    return tf.cond(
        step < self.batch_all_steps,
        lambda: _LOSSES['triplet_batch_all'](labels, embeddings, self.margin),
        lambda: function(labels, embeddings, self.margin))

  def describe(self) -> List[str]:
    """Returns lines about the loss for the start of a run."""
    text = 'Loss: %s with margin %g' % (self.kind, self.margin)
    if self.batch_all_steps:
      text += ', triplet_batch_all until step %d' % self.batch_all_steps
    return [text + (', embeddings of length 1.' if self.normalize else '.')]

  def plateau(self) -> Optional[float]:
    """Returns what a collapsed embedding costs; None if no message says it."""
    return None if self.kind == 'contrastive' else self.margin


_LOSSES = {
    'contrastive': metric_learning.batch_contrastive_loss,
    'triplet_batch_all': lambda *arguments: (
        metric_learning.batch_all_triplet_loss(*arguments)[0]),
    'triplet_batch_hard': metric_learning.batch_hard_triplet_loss,
    'triplet_semihard': metric_learning.triplet_semihard_loss}


def statistics():
  """Returns {name: scalar} of `metric_learning.statistics`; empty without."""
  return {value.op.name.split('/')[-1]: value
          for value in tf.get_collection(_STATISTICS)}


def embed(outputs, normalize):
  """Returns a network's outputs as embeddings, float32 [batch, size].

  Args:
    outputs: float32 [batch, size].
    normalize: whether they are divided by their length.
  """
  return tf.nn.l2_normalize(outputs, axis=1) if normalize else outputs
