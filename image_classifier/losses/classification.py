"""Classification losses, registered with `tf.losses`.

The functions in `_PER_EXAMPLE` return one loss per example or, for sigmoids,
one per example and class. `add` weights them, takes their mean and registers
it. numpy_losses.py has the same losses for evaluation.
"""
from typing import List, NamedTuple, Optional

import numpy as np
import tensorflow.compat.v1 as tf

_AUXILIARY_WEIGHT = 0.4


class Recipe(NamedTuple):
  """The configuration of the losses.

  Attributes:
    kind: 'softmax', 'sigmoid' or 'focal'.
    label_smoothing: fraction of the target spread over all classes, in [0, 1].
    focal_gamma: gamma of the focal loss, at least 0.
    class_weights: float32 [num_classes], the weight of each class; or None.
    multi_label: whether an image has any number of labels instead of one.
    positive_weights: float32 [num_classes], the weight of a yes in the sigmoid
      cross-entropy of each class; or None.
  """
  kind: str = 'softmax'
  label_smoothing: float = 0.0
  focal_gamma: float = 2.0
  class_weights: Optional[np.ndarray] = None
  multi_label: bool = False
  positive_weights: Optional[np.ndarray] = None

  def add(self, logits, labels, end_points) -> None:
    """See the function `add`."""
    add(logits, labels, end_points, self)

  def describe(self) -> List[str]:
    """See the function `describe`."""
    return describe(self)


def choose(kind: Optional[str], multi_label: bool) -> str:
  """Returns the loss to use.

  Args:
    kind: 'softmax', 'sigmoid', 'focal', or None for the default.
    multi_label: whether an image has any number of labels instead of one.

  Raises:
    ValueError: softmax, which needs one label per image, for several.
  """
  if kind == 'softmax' and multi_label:
    raise ValueError(
        '--loss=softmax needs one label per image, and images of this dataset '
        'have several: use --loss=sigmoid or --loss=focal.')
  return kind or ('sigmoid' if multi_label else 'softmax')


def describe(recipe) -> List[str]:
  """Returns lines about the loss for the start of a run."""
  if recipe.kind == 'softmax':
    return []
  text = recipe.kind
  if recipe.kind == 'focal':
    text += ' with gamma %g' % recipe.focal_gamma
  if recipe.multi_label or recipe.kind == 'sigmoid':
    text += ', one binary loss per class'
  return ['Loss: %s.' % text]


def add(logits, labels, end_points, recipe=Recipe()) -> None:
  """Adds the loss of the logits, and of the auxiliary head if there is one.

  Args:
    logits: float32 [batch, num_classes].
    labels: int64 [batch], each in [0, num_classes); or float32
      [batch, num_classes], the fraction of each class in a mixed example, or
      1 and 0 for the classes that an image has and has not.
    end_points: dict of the network's tensors; the weight of its 'AuxLogits', if
      present, is 0.4.
    recipe: a Recipe.
  """
  targets = labels if labels.dtype.is_floating else (
      tf.one_hot(labels, logits.shape[-1]))
  if 'AuxLogits' in end_points:
    _add(end_points['AuxLogits'], targets, recipe, _AUXILIARY_WEIGHT,
         'aux_loss')
  kind = 'focal' if recipe.kind == 'focal' else recipe.kind + '_cross_entropy'
  _add(logits, targets, recipe, 1.0, kind + '_loss')


def softmax(logits, targets, label_smoothing=0.0):
  """Computes the cross-entropy of one class out of several.

  With smoothing e the target of the right class is 1 - e + e / classes and
  that of every other class e / classes.

  Args:
    logits: float32 [batch, num_classes].
    targets: float32 [batch, num_classes], whose rows sum to 1.
    label_smoothing: the e above, in [0, 1].

  Returns:
    float32 [batch].
  """
  targets = targets * (1 - label_smoothing) + (
      label_smoothing / targets.shape.as_list()[-1])
  return tf.nn.softmax_cross_entropy_with_logits_v2(
      labels=tf.stop_gradient(targets), logits=logits)


def sigmoid(logits, targets, label_smoothing=0.0, positive_weights=None):
  """Computes the binary cross-entropy of each class.

  With smoothing e the targets 1 and 0 become 1 - e / 2 and e / 2.

  Args:
    logits: float32 [batch, num_classes].
    targets: float32 [batch, num_classes], in [0, 1].
    label_smoothing: the e above, in [0, 1].
    positive_weights: floats [num_classes], factors of the loss of the target
      1; None for 1.

  Returns:
    float32 [batch, num_classes].
  """
  targets = targets * (1 - label_smoothing) + label_smoothing / 2
  if positive_weights is None:
    return tf.nn.sigmoid_cross_entropy_with_logits(
        labels=targets, logits=logits)
  return tf.nn.weighted_cross_entropy_with_logits(
      targets, logits, pos_weight=positive_weights)


def focal(logits, targets, label_smoothing=0.0, gamma=2.0):
  """Computes a cross-entropy that gives well-classified examples less weight.

  The term of each class is multiplied by (1 - p) ^ gamma, where p is the
  softmax probability of the class (Lin et al., Focal Loss for Dense Object
  Detection, 2017; arXiv:1708.02002).

  Args:
    logits, targets, label_smoothing: as for `softmax`.
    gamma: at least 0; 0 gives the cross-entropy.

  Returns:
    float32 [batch].
  """
  targets = targets * (1 - label_smoothing) + (
      label_smoothing / targets.shape.as_list()[-1])
  log_probability = tf.nn.log_softmax(logits)
  return -tf.reduce_sum(
      targets * _focus(log_probability, gamma) * log_probability, axis=-1)


def focal_sigmoid(logits, targets, label_smoothing=0.0, gamma=2.0):
  """Computes the binary focal loss of each class, as in the paper.

  Args:
    logits, targets, label_smoothing: as for `sigmoid`.
    gamma: as for `focal`.

  Returns:
    float32 [batch, num_classes].
  """
  targets = targets * (1 - label_smoothing) + label_smoothing / 2
  log_yes = tf.log_sigmoid(logits)
  log_no = tf.log_sigmoid(-logits)
  return -(targets * _focus(log_yes, gamma) * log_yes +
           (1 - targets) * _focus(log_no, gamma) * log_no)


def _focus(log_probability, gamma):
  """Returns (1 - p) ^ gamma of log p, with a finite gradient where p is 1."""
  if not gamma:
    return tf.ones_like(log_probability)
  return tf.pow(tf.maximum(-tf.expm1(log_probability), 1e-12), gamma)


_PER_EXAMPLE = {
    'softmax': lambda logits, targets, recipe: softmax(
        logits, targets, recipe.label_smoothing),
    'sigmoid': lambda logits, targets, recipe: sigmoid(
        logits, targets, recipe.label_smoothing, recipe.positive_weights),
    'focal': lambda logits, targets, recipe: (
        focal_sigmoid if recipe.multi_label else focal)(
            logits, targets, recipe.label_smoothing, recipe.focal_gamma)}


def _add(logits, targets, recipe, weight, scope):
  """Registers the mean loss of one head."""
  with tf.name_scope(scope) as scope:
    losses = _PER_EXAMPLE[recipe.kind](logits, targets, recipe)
    weights = tf.constant(weight)
    if recipe.class_weights is not None:
      weights *= _example_weights(losses, targets, recipe.class_weights)
    tf.losses.compute_weighted_loss(losses, weights, scope=scope)


def _example_weights(losses, targets, class_weights):
  """Returns the weight of each of `losses`, in a shape that fits them."""
  class_weights = tf.constant(class_weights, tf.float32)
  if losses.shape.rank == targets.shape.rank:
    return tf.ones_like(losses) * class_weights
  return tf.reduce_sum(targets * class_weights, axis=-1)
