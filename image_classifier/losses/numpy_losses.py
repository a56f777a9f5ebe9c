"""The loss that an evaluation reports, and the probabilities that go with it.

It is the one that the training minimised, softmax, sigmoid or focal, of the
labels as they are: without label smoothing, class weights, auxiliary heads and
regularisation, so that runs which differ in these can be compared. Plain NumPy;
losses.py has the same for training.
"""
import collections

import numpy as np

_DEFAULT_GAMMA = 2.0


class Loss(collections.namedtuple('Loss', 'kind focal_gamma multi_label',
                                  defaults=('softmax', _DEFAULT_GAMMA, False))):
  """A loss: 'softmax', 'sigmoid' or 'focal', its gamma, and for what labels.

  Labels are integers [batch], each in [0, num_classes); or, where `multi_label`
  is True, 0 and 1, [batch, num_classes].
  """

  def probabilities(self, logits):
    """Returns the probabilities of logits, both [batch, num_classes].

    A loss of each class by itself gives each class a probability by itself.
    """
    logits = np.asarray(logits, np.float64)
    return np.exp(_log_sigmoid(logits) if self._is_of_each_class()
                  else _log_softmax(logits))

  def of_examples(self, logits, labels):
    """Returns the loss of each example, float64 [batch], in nats.

    Where it is of each class by itself, the mean over the classes.

    Args:
      logits: finite floats [batch, num_classes].
      labels: see above.
    """
    logits = np.asarray(logits, np.float64)
    labels = np.asarray(labels)
    if self._is_of_each_class():
      has = labels > 0.5 if self.multi_label else (
          labels[:, None] == np.arange(logits.shape[1]))
      return self._focused(_log_sigmoid(np.where(has, logits, -logits))).mean(
          axis=1)
    return self._focused(_log_softmax(logits)[np.arange(len(labels)), labels])

  def _is_of_each_class(self):
    return self.multi_label or self.kind == 'sigmoid'

  def _focused(self, log_probability):
    """Returns the loss of right answers that have these probabilities."""
    if self.kind != 'focal' or not self.focal_gamma:
      return -log_probability
    return -(-np.expm1(log_probability)) ** self.focal_gamma * log_probability


def _log_sigmoid(logits):
  return -np.logaddexp(0.0, -logits)


def _log_softmax(logits):
  shifted = logits - logits.max(axis=1, keepdims=True)
  return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
