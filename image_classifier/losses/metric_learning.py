"""Losses that make distances of embeddings mean something.

Embeddings of one class are pulled together, those of different classes pushed
apart by a margin. Every distance here has a finite gradient where two
embeddings are equal, which the square root itself has not.

* `contrastive_loss` of pairs (Hadsell et al., 2006).
* `triplet_loss` of given triplets (Schroff et al., FaceNet, arXiv:1503.03832).
* `batch_all_triplet_loss` and `batch_hard_triplet_loss` of all triplets in a
  batch (Hermans et al., arXiv:1703.07737); `triplet_semihard_loss` of those
  that FaceNet chooses. Batches need several examples of each class.
"""
import tensorflow.compat.v1 as tf

# Added where the square root would have an infinite gradient.
_TINY = 1e-16


def contrastive_loss(labels, embeddings_left, embeddings_right, margin=1.0):
  """Computes 1/2 mean[y D^2 + (1 - y) max(0, margin - D)^2].

  Some texts label equal pairs 0, and leave out the factor of one half: here y
  is 1 for a pair of one class.

  Args:
    labels: [batch] of any number type: 1 for a pair of one class, 0 for one of
      two classes.
    embeddings_left, embeddings_right: float32 [batch, size].
    margin: distance from which a pair of two classes costs nothing, above 0.

  Returns:
    A float32 scalar of at least 0.
  """
  is_same = tf.cast(labels, tf.float32)
  squares = tf.reduce_sum(
      tf.squared_difference(embeddings_left, embeddings_right), axis=1)
  return 0.5 * tf.reduce_mean(_pair_costs(is_same, _root(squares), margin))


def batch_contrastive_loss(labels, embeddings, margin=1.0):
  """Computes the contrastive loss of a batch's pairs.

  Pairs of one class and pairs of two classes count equally, though there are
  many more of the latter: the loss is the mean of their two means.

  Args:
    labels: [batch] of any number type.
    embeddings: float32 [batch, size].
    margin: as for `contrastive_loss`.

  Returns:
    A float32 scalar of at least 0.
  """
  distances = pairwise_distances(embeddings)
  positives = anchor_positive_mask(labels)
  costs = _pair_costs(tf.cast(positives, tf.float32), distances, margin)
  return 0.25 * (_masked_mean(costs, positives) +
                 _masked_mean(costs, anchor_negative_mask(labels)))


def _pair_costs(is_same, distances, margin):
  return is_same * tf.square(distances) + (1 - is_same) * tf.square(
      tf.maximum(margin - distances, 0))


def triplet_loss(anchors, positives, negatives, margin=1.0):
  """Computes mean max(0, margin + |a - p|^2 - |a - n|^2) of given triplets.

  Args:
    anchors: float32 [batch, size].
    positives: float32 [batch, size], each of the class of its anchor.
    negatives: float32 [batch, size], each of another class.
    margin: above 0.

  Returns:
    A float32 scalar of at least 0.
  """
  to_positive = tf.reduce_sum(tf.squared_difference(anchors, positives), axis=1)
  to_negative = tf.reduce_sum(tf.squared_difference(anchors, negatives), axis=1)
  return tf.reduce_mean(tf.maximum(margin + to_positive - to_negative, 0))


def batch_all_triplet_loss(labels, embeddings, margin, squared=False):
  """Computes the mean of the triplets of a batch that cost something.

  Args:
    labels: [batch] of any number type.
    embeddings: float32 [batch, size].
    margin: above 0.
    squared: whether distances are squared.

  Returns:
    (loss, fraction_positive): float32 scalars; the fraction, in [0, 1], of the
    valid triplets that cost something. Both are 0 without valid triplets.
  """
  distances = pairwise_distances(embeddings, squared)
  costs = tf.expand_dims(distances, 2) - tf.expand_dims(distances, 1) + margin
  costs = tf.maximum(costs * tf.cast(triplet_mask(labels), tf.float32), 0)
  num_positive = _count(costs > _TINY)
  loss = tf.reduce_sum(costs) / (num_positive + _TINY)
  return loss, num_positive / (_count(triplet_mask(labels)) + _TINY)


def batch_hard_triplet_loss(labels, embeddings, margin, squared=False):
  """Computes the mean, over the anchors, of each one's hardest triplet.

  An anchor without another example of its class counts with the distance 0 to
  its positive.

  Args, errors: as for `batch_all_triplet_loss`.

  Returns:
    A float32 scalar of at least 0.
  """
  hardest_positives, hardest_negatives = hardest_distances(
      labels, pairwise_distances(embeddings, squared))
  return tf.reduce_mean(
      tf.maximum(hardest_positives - hardest_negatives + margin, 0))


def hardest_distances(labels, distances):
  """Returns the distances to the hardest positive and negative of each anchor.

  Args:
    labels: [batch].
    distances: float32 [batch, batch].

  Returns:
    (positives, negatives): float32 [batch], the largest distance to an example
    of the anchor's class, 0 without one; and the smallest to one of another.
  """
  positives = tf.reduce_max(
      distances * tf.cast(anchor_positive_mask(labels), tf.float32), axis=1)
  # Beyond the largest distance, so that an example of the class is no minimum.
  row_maxima = tf.reduce_max(distances, axis=1, keepdims=True)
  is_invalid = 1 - tf.cast(anchor_negative_mask(labels), tf.float32)
  return positives, tf.reduce_min(distances + row_maxima * is_invalid, axis=1)


def triplet_semihard_loss(labels, embeddings, margin=1.0):
  """Computes the triplet loss with FaceNet's semi-hard negatives.

  For each pair of one class, the negative is the nearest one that is farther
  from the anchor than the positive; where there is none, the farthest one.
  Distances are squared.

  Args:
    labels: [batch] of any number type.
    embeddings: float32 [batch, size].
    margin: above 0.

  Returns:
    A float32 scalar, the mean over the pairs of one class; 0 without one.
  """
  distances = pairwise_distances(embeddings, squared=True)
  positives = anchor_positive_mask(labels)
  negatives = tf.expand_dims(anchor_negative_mask(labels), 1)
  # [anchor, positive, negative].
  to_negative = tf.expand_dims(distances, 1) + tf.zeros_like(
      tf.expand_dims(distances, 2))
  is_semihard = negatives & (to_negative > tf.expand_dims(distances, 2))
  nearest = tf.reduce_min(
      tf.where(is_semihard, to_negative, to_negative + tf.reduce_max(distances)
               + 1), axis=2)
  farthest = tf.reduce_max(
      tf.where(tf.broadcast_to(negatives, tf.shape(to_negative)), to_negative,
               tf.zeros_like(to_negative)), axis=2)
  to_negative = tf.where(
      tf.reduce_any(is_semihard, axis=2), nearest, farthest)
  return _masked_mean(
      tf.maximum(distances - to_negative + margin, 0), positives)


def pairwise_distances(embeddings, squared=False):
  """Returns all distances, float32 [batch, batch], 0 on the diagonal.

  Args:
    embeddings: float32 [batch, size].
    squared: whether the distances are squared.
  """
  # Distances do not change, and lose fewer digits near the origin.
  embeddings -= tf.reduce_mean(embeddings, axis=0, keepdims=True)
  products = tf.matmul(embeddings, embeddings, transpose_b=True)
  norms = tf.linalg.diag_part(products)
  squares = tf.maximum(
      tf.expand_dims(norms, 1) - 2 * products + tf.expand_dims(norms, 0), 0)
  squares = tf.linalg.set_diag(squares, tf.zeros_like(norms))
  return squares if squared else _root(squares)


def _root(squares):
  """Returns the square root, with the gradient 0 where it is 0."""
  is_zero = tf.cast(tf.equal(squares, 0), tf.float32)
  return tf.sqrt(squares + is_zero * _TINY) * (1 - is_zero)


def anchor_positive_mask(labels):
  """Returns bool [batch, batch]: different examples of one class."""
  return _is_equal(labels) & tf.logical_not(
      tf.eye(tf.shape(labels)[0], dtype=tf.bool))


def anchor_negative_mask(labels):
  """Returns bool [batch, batch]: examples of different classes."""
  return tf.logical_not(_is_equal(labels))


def triplet_mask(labels):
  """Returns bool [batch, batch, batch]: anchor, positive and negative."""
  return tf.expand_dims(anchor_positive_mask(labels), 2) & tf.expand_dims(
      anchor_negative_mask(labels), 1)


def _is_equal(labels):
  return tf.equal(tf.expand_dims(labels, 0), tf.expand_dims(labels, 1))


def _masked_mean(values, mask):
  """Returns the mean of the values in a mask, 0 if it is empty."""
  mask = tf.cast(mask, tf.float32)
  return tf.reduce_sum(values * mask) / tf.maximum(tf.reduce_sum(mask), 1)


def _count(mask):
  return tf.reduce_sum(tf.cast(mask, tf.float32))


def statistics(labels, embeddings, margin):
  """Returns what tells whether a training with these losses gets anywhere.

  Args:
    labels: [batch] of any number type.
    embeddings: float32 [batch, size].
    margin: margin of the loss.

  Returns:
    A dict {name: float32 scalar}: `fraction_positive` of the triplets with
    distances, not squares; `mean_norm` of the embeddings; `positive_distance`
    and `negative_distance`, means over the pairs of one class and of two;
    `hardest_positive` and `hardest_negative`, means over the anchors.
  """
  distances = pairwise_distances(embeddings)
  hardest = hardest_distances(labels, distances)
  norms = _root(tf.reduce_sum(tf.square(embeddings), axis=1))
  return {
      'fraction_positive': batch_all_triplet_loss(
          labels, embeddings, margin)[1],
      'mean_norm': tf.reduce_mean(norms),
      'positive_distance': _masked_mean(
          distances, anchor_positive_mask(labels)),
      'negative_distance': _masked_mean(
          distances, anchor_negative_mask(labels)),
      'hardest_positive': tf.reduce_mean(hardest[0]),
      'hardest_negative': tf.reduce_mean(hardest[1])}
