"""Grad-CAM: which parts of an image made the network choose its class.

R. R. Selvaraju et al.: Grad-CAM: Visual explanations from deep networks via
gradient-based localization (2017), https://arxiv.org/abs/1610.02391
"""
import tensorflow.compat.v1 as tf


def heat_map(logits, predictions, end_points):
  """Returns the heat maps of the most probable classes of a batch.

  The channels of the last spatial end point are weighted by the mean gradient
  of the class's logit, added, and set to 0 where negative.

  Args:
    logits: float32 [batch, classes].
    predictions: float32 [batch, classes], the probabilities.
    end_points: dict {name: tensor} of the network.

  Returns:
    float32 [batch, height, width], not normalized.

  Raises:
    ValueError: the network has no spatial end point.
  """
  best = tf.one_hot(tf.argmax(predictions, 1), logits.shape[-1])
  # An example's logits depend on its own image alone.
  chosen = tf.reduce_sum(logits * best)
  for features in reversed(list(end_points.values())):
    if not _is_spatial(features):
      continue
    gradients, = tf.gradients(chosen, features)
    if gradients is not None:
      weights = tf.reduce_mean(gradients, [1, 2], keepdims=True)
      return tf.nn.relu(tf.reduce_sum(weights * features, -1))
  raise ValueError('--explain: the network has no end point with height and '
                   'width of 2 or more; give a larger --image_size.')


def _is_spatial(tensor):
  shape = tensor.shape.as_list() if tensor.shape.ndims == 4 else [0] * 4
  return min(size or 0 for size in shape[1:3]) > 1
