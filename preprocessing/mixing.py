"""Mixup and cutmix: batches of which each image is made of two.

H. Zhang et al.: mixup: Beyond empirical risk minimization, arXiv:1710.09412.
S. Yun et al.: CutMix: Regularization strategy to train strong classifiers with
localizable features, arXiv:1905.04899.

An image is mixed with its counterpart from the other end of the batch, which
is shuffled already. One share is drawn for the whole batch.
"""
import tensorflow.compat.v1 as tf

from preprocessing import random_numbers

# Tries to draw from a beta distribution; with the largest alpha all of them
# fail once in 10 ** 10.
_TRIES = 128
_MAX_ALPHA = 2.0


def mix(images, labels, num_classes, mixup_alpha=0.0, cutmix_alpha=0.0):
  """Mixes a batch by mixup or cutmix; by either, drawn evenly, if both are on.

  Args:
    images: float32 [batch, height, width, channels].
    labels: int64 [batch], each in [0, num_classes), or float32
      [batch, num_classes], the share of each class.
    num_classes: number of classes.
    mixup_alpha: the share is drawn from Beta(alpha, alpha); at most 2, 0 for
      no mixup.
    cutmix_alpha: the same for cutmix.

  Returns:
    The images, and float32 [batch, num_classes], the share of each class.

  Raises:
    ValueError: both are off, or one is not from 0 to 2.
  """
  alphas = mixup_alpha, cutmix_alpha
  if min(alphas) < 0 or max(alphas) > _MAX_ALPHA or not any(alphas):
    raise ValueError(
        'mixup_alpha is %g and cutmix_alpha %g; they must be from 0 to %g, and '
        'one of them more than 0.' % (alphas + (_MAX_ALPHA,)))
  targets = labels if labels.dtype.is_floating else (
      tf.one_hot(labels, num_classes))
  if not cutmix_alpha:
    return mixup(images, targets, draw_share(mixup_alpha))
  if not mixup_alpha:
    return cutmix(images, targets, draw_share(cutmix_alpha))
  shapes = images.shape, targets.shape
  images, targets = tf.cond(
      random_numbers.chance(0.5),
      lambda: mixup(images, targets, draw_share(mixup_alpha)),
      lambda: cutmix(images, targets, draw_share(cutmix_alpha)))
  images.set_shape(shapes[0])
  targets.set_shape(shapes[1])
  return images, targets


def mixup(images, targets, share):
  """Averages every image with its counterpart, and their targets likewise.

  Args:
    images: float32 [batch, height, width, channels].
    targets: float32 [batch, num_classes].
    share: weight of the image itself, a float32 scalar.
  """
  return (share * images + (1 - share) * images[::-1],
          share * targets + (1 - share) * targets[::-1])


def cutmix(images, targets, share):
  """Puts a window of its counterpart into every image.

  Args:
    images: float32 [batch, height, width, channels].
    targets: float32 [batch, num_classes].
    share: share of the area that stays, a float32 scalar. The window's middle
      is drawn anywhere; where the window leaves the image, more stays.

  Returns:
    The images, and the targets, mixed by the areas.
  """
  sides = tf.cast(tf.shape(images)[1:3], tf.float32)
  middle = tf.floor(random_numbers.uniform(0.0, 1.0, shape=[2]) * sides)
  half = tf.floor(sides * tf.sqrt(1 - share)) / 2
  begin = tf.floor(tf.maximum(middle - half, 0.0))
  end = tf.floor(tf.minimum(middle + half, sides))
  rows, columns = [
      (tf.range(sides[i]) >= begin[i]) & (tf.range(sides[i]) < end[i])
      for i in (0, 1)]
  window = tf.cast(rows[:, tf.newaxis] & columns, tf.float32)
  stays = 1 - tf.reduce_mean(window)
  window = window[:, :, tf.newaxis]
  return (images * (1 - window) + images[::-1] * window,
          stays * targets + (1 - stays) * targets[::-1])


def draw_share(alpha):
  """Draws a float32 scalar from Beta(alpha, alpha).

  By M. D. Johnk (1964): of pairs u, v from [0, 1), x = u^(1/alpha) and
  y = v^(1/alpha), the first with x + y <= 1 gives x / (x + y).
  """
  logs = tf.log(random_numbers.uniform(1e-12, 1.0, shape=[2, _TRIES])) / alpha
  # By logarithms: for a small alpha both powers are 0 in float32.
  total = tf.reduce_logsumexp(logs, 0)
  first = tf.argmax(tf.cast(total <= 0, tf.int32))
  return tf.exp(logs[0, first] - total[first])
