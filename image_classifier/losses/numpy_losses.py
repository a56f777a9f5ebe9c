"""The loss that an evaluation reports, and its probabilities, in NumPy.

It is the loss that the training minimized, of the labels as they are: without
label smoothing, class weights, auxiliary heads and regularization, so that runs
which differ in these can be compared. classification.py has the same losses in
TensorFlow.
"""
from typing import NamedTuple

import numpy as np


class Loss(NamedTuple):
  """A loss.

  Attributes:
    kind: 'softmax', 'sigmoid' or 'focal'.
    focal_gamma: gamma of the focal loss, at least 0.
    multi_label: whether labels are 0 and 1, [batch, num_classes], instead of
      integers [batch] in [0, num_classes).
  """
  kind: str = 'softmax'
  focal_gamma: float = 2.0
  multi_label: bool = False

  def probabilities(self, logits):
    """Returns the probabilities of logits, float64 [batch, num_classes].

    They sum to 1, except for a loss per class, where they are independent.
    """
    logits = np.asarray(logits, np.float64)
    return np.exp(_log_sigmoid(logits) if self._is_per_class()
                  else _log_softmax(logits))

  def of_examples(self, logits, labels):
    """Returns the loss of each example, float64 [batch], in nats.

    Of a loss per class, the mean over the classes.

    Args:
      logits: finite floats [batch, num_classes].
      labels: the labels, as `multi_label` says.
    """
    logits = np.asarray(logits, np.float64)
    labels = np.asarray(labels)
    if self._is_per_class():
      has = labels > 0.5 if self.multi_label else (
          labels[:, None] == np.arange(logits.shape[1]))
      return self._focused(_log_sigmoid(np.where(has, logits, -logits))).mean(
          axis=1)
    return self._focused(_log_softmax(logits)[np.arange(len(labels)), labels])

  def _is_per_class(self):
    return self.multi_label or self.kind == 'sigmoid'

  def _focused(self, log_probability):
    """Returns the loss of correct answers with these log probabilities."""
    if self.kind != 'focal' or not self.focal_gamma:
      return -log_probability
    return -(-np.expm1(log_probability)) ** self.focal_gamma * log_probability


def _log_sigmoid(logits):
  return -np.logaddexp(0.0, -logits)


def _log_softmax(logits):
  shifted = logits - logits.max(axis=1, keepdims=True)
  return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
