"""Classification losses, registered with `tf.losses`."""
import tensorflow.compat.v1 as tf

_AUXILIARY_WEIGHT = 0.4


def add_softmax(logits, labels, end_points, label_smoothing=0.0):
  """Adds the cross-entropy of the logits, and of the auxiliary head if any.

  With smoothing e the target of the right class is 1 - e + e / classes and
  that of every other class e / classes.

  Args:
    logits: float32 [batch, num_classes].
    labels: int64 [batch], each in [0, num_classes).
    end_points: dict of the network's tensors; its 'AuxLogits', where present,
      count 0.4.
    label_smoothing: the e above, in [0, 1].
  """
  if 'AuxLogits' in end_points:
    _add(end_points['AuxLogits'], labels, label_smoothing,
         weights=_AUXILIARY_WEIGHT, scope='aux_loss')
  _add(logits, labels, label_smoothing, weights=1.0)


def _add(logits, labels, label_smoothing, weights, scope=None):
  one_hot = tf.one_hot(labels, logits.shape[-1])
  tf.losses.softmax_cross_entropy(
      one_hot, logits, label_smoothing=label_smoothing, weights=weights,
      scope=scope)
