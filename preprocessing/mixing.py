"""Mixup and cutmix: batches whose images are combined in pairs.

H. Zhang et al.: mixup: Beyond empirical risk minimization, arXiv:1710.09412.
S. Yun et al.: CutMix: Regularization strategy to train strong classifiers with
localizable features, arXiv:1905.04899.

The batch is shuffled already, so each image is mixed with the one at the same
position from the end of the batch. All of a batch is mixed by one fraction.
"""
import tensorflow.compat.v1 as tf

from preprocessing import image_ops
from preprocessing import random_numbers

# Of sampling from a beta distribution; with the maximum alpha all of them fail
# once in 10 ** 10.
_MAX_ATTEMPTS = 128
_MAX_ALPHA = 2.0


def mix(images, labels, num_classes, mixup_alpha=0.0, cutmix_alpha=0.0):
  """Applies mixup or cutmix to a batch, at random if both are on.

  Args:
    images: float32 [batch, height, width, channels].
    labels: int64 [batch], each in [0, num_classes), or float32
      [batch, num_classes], the probability of each class.
    num_classes: number of classes.
    mixup_alpha: the fraction for mixup is sampled from Beta(alpha, alpha); from
      0 (no mixup) to 2.
    cutmix_alpha: the same for cutmix.

  Returns:
    The images, and float32 [batch, num_classes], the probability of each class.

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
    return mixup(images, targets, sample_beta(mixup_alpha))
  if not mixup_alpha:
    return cutmix(images, targets, sample_beta(cutmix_alpha))
  shapes = images.shape, targets.shape
  images, targets = tf.cond(
      random_numbers.bernoulli(0.5),
      lambda: mixup(images, targets, sample_beta(mixup_alpha)),
      lambda: cutmix(images, targets, sample_beta(cutmix_alpha)))
  for tensor, shape in zip((images, targets), shapes):
    tensor.set_shape(shape)
  return images, targets


def mixup(images, targets, fraction):
  """Averages pairs of images and their targets.

  Args:
    images: float32 [batch, height, width, channels].
    targets: float32 [batch, num_classes].
    fraction: float32 scalar, weight of the image itself.

  Returns:
    The images and the targets, averaged.
  """
  return (fraction * images + (1 - fraction) * images[::-1],
          fraction * targets + (1 - fraction) * targets[::-1])


def cutmix(images, targets, fraction):
  """Pastes a random rectangle of the other image of a pair into each image.

  Args:
    images, targets: as for `mixup`.
    fraction: float32 scalar, fraction of the area that stays. The rectangle may
      extend beyond the image; more stays then.

  Returns:
    The images, and the targets averaged by the areas.
  """
  size = tf.cast(tf.shape(images)[1:3], tf.float32)
  center = tf.floor(random_numbers.uniform(0.0, 1.0, shape=[2]) * size)
  half = tf.floor(size * tf.sqrt(1 - fraction)) / 2
  begin = tf.floor(tf.maximum(center - half, 0.0))
  end = tf.floor(tf.minimum(center + half, size))
  mask = tf.cast(image_ops.rectangle_mask(
      size, begin, end), tf.float32)[:, :, tf.newaxis]
  stays = 1 - tf.reduce_mean(mask)
  return (images * (1 - mask) + images[::-1] * mask,
          stays * targets + (1 - stays) * targets[::-1])


def sample_beta(alpha):
  """Samples a float32 scalar from Beta(alpha, alpha).

  After M. D. Johnk (1964): of pairs u, v from [0, 1), x = u^(1/alpha) and
  y = v^(1/alpha), the first with x + y <= 1 gives x / (x + y).
  """
  logs = tf.log(random_numbers.uniform(
      1e-12, 1.0, shape=[2, _MAX_ATTEMPTS])) / alpha
  # In logarithms: for a small alpha both powers are 0 in float32.
  total = tf.reduce_logsumexp(logs, 0)
  first = tf.argmax(tf.cast(total <= 0, tf.int32))
  return tf.exp(logs[0, first] - total[first])
