"""Trains pix2pix to fill in outlines of digits.

  python examples/train_pix2pix.py --steps=200

A generator maps an outline to a digit; a discriminator learns to distinguish
pairs of outline and generated digit from pairs of outline and real digit.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# pylint: disable=wrong-import-position
from examples import command_line

if __name__ == '__main__':
  # --help needs no TensorFlow, which loads here.
  flags_ = command_line.start(command_line.gan(__doc__, batch_size=16))

import tensorflow.compat.v1 as tf
import tf_slim as slim

from examples import gan_training
from nets import pix2pix

# Weight of the distance between generated and real digits, from the paper.
_L1_WEIGHT = 100
_SHEET_COLUMNS = 8


def outline(digits):
  """Returns the outlines of digits: white right beside the ink, else black.

  Args:
    digits: float32 [batch, height, width, 1] tensor in [-1, 1].

  Returns:
    A float32 tensor of the same shape, of values -1 and 1.
  """
  ink = tf.cast(digits > 0, tf.float32)
  return 2 * (tf.nn.max_pool2d(ink, 3, 1, 'SAME') - ink) - 1


def build(flags, generator_width=32, discriminator_width=16):
  """Builds the `gan_training.Gan` of both networks.

  Args:
    flags: result of `command_line.gan`.
    generator_width, discriminator_width: channels of the first layers.
  """
  # Four halvings: 32x32 pixels to 2x2.
  blocks = [pix2pix.Block(generator_width * factor, keep_prob)
            for factor, keep_prob in ((1, 0), (2, 0.5), (4, 0.5), (4, 0))]
  filters = [discriminator_width * factor for factor in (1, 2, 4)]

  def generate(outlines):
    with tf.variable_scope('Generator', reuse=tf.AUTO_REUSE):
      _, end_points = pix2pix.pix2pix_generator(
          outlines, 1, blocks, upsample_method='conv2d_transpose')
    return end_points['predictions']

  def discriminate(outlines, digits):
    with tf.variable_scope('Discriminator', reuse=tf.AUTO_REUSE):
      return pix2pix.pix2pix_discriminator(
          tf.concat([outlines, digits], 3), filters)[0]

  real = gan_training.digit_batches('train', flags)
  held_out = gan_training.digit_batches('t10k', flags)
  with slim.arg_scope(pix2pix.pix2pix_arg_scope()):
    outlines = outline(real)
    generated = generate(outlines)
    discriminator_loss, generator_loss = gan_training.cross_entropy_losses(
        discriminate(outlines, real), discriminate(outlines, generated))
    distance = tf.reduce_mean(tf.abs(real - generated))
    updates = gan_training.updates(
        discriminator_loss, generator_loss,
        generator_loss + _L1_WEIGHT * distance, generator_times=3)
    outlines = outline(held_out)
    generated = generate(outlines)
    scores = {'discriminator': (
        discriminate(outlines, held_out), discriminate(outlines, generated))}
  sheet = tf.stack([outlines, generated, held_out])[:, :_SHEET_COLUMNS]
  return gan_training.Gan(
      updates, scores, sheet, ['outline', 'generated', 'real'])


if __name__ == '__main__':
  gan_training.main(build, flags_)
