"""Metrics of classification: sums over a batch, divided at the very end."""
import collections

import tensorflow.compat.v1 as tf

_RECALL_K = 5

# What one batch adds. All int64 scalars.
Counts = collections.namedtuple('Counts', 'examples correct recalled')


def count(logits, labels):
  """Counts the examples of a batch and how many were classified rightly.

  Args:
    logits: float32 [batch, num_classes].
    labels: int64 [batch].

  Returns:
    Counts: the examples, those whose largest logit is the label's, and those
    whose label is among the 5 largest (all, with fewer classes than 5).
  """
  k = min(_RECALL_K, logits.shape.as_list()[-1])
  best = tf.cast(tf.nn.top_k(logits, k).indices, tf.int64)
  hits = tf.equal(best, tf.expand_dims(labels, 1))
  return Counts(
      tf.size(labels, out_type=tf.int64),
      tf.reduce_sum(tf.cast(hits[:, 0], tf.int64)),
      tf.reduce_sum(tf.cast(hits, tf.int64)))


def shares(counts):
  """Returns slim's metrics as a dict of floats: Accuracy and Recall_5.

  Args:
    counts: Counts summed over all batches, Python numbers.
  """
  return collections.OrderedDict([
      ('Accuracy', counts.correct / counts.examples),
      ('Recall_5', counts.recalled / counts.examples)])
