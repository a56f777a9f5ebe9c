"""Counts of rightly classified examples."""
import numpy as np
import tensorflow.compat.v1 as tf

from training import metrics


def _count(logits, labels):
  with tf.Session() as session:
    return session.run(metrics.count(
        tf.constant(logits, tf.float32), tf.constant(labels, tf.int64)))


def test_counts_agree_with_numpy():
  random = np.random.RandomState(0)
  logits, labels = random.randn(40, 9), random.randint(9, size=40)
  order = np.argsort(-logits, axis=1)
  counts = _count(logits, labels)
  assert counts.examples == 40
  assert counts.correct == (order[:, 0] == labels).sum()
  assert counts.recalled == (order[:, :5] == labels[:, None]).sum()


def test_fewer_classes_than_five():
  counts = _count([[0.0, 1.0], [0.0, 1.0]], [0, 1])
  assert counts == metrics.Counts(2, 1, 2)


def test_shares_divide_at_the_end():
  shares = metrics.shares(metrics.Counts(8, 2, 6))
  assert list(shares.items()) == [('Accuracy', 0.25), ('Recall_5', 0.75)]
