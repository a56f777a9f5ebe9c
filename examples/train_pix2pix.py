"""Trains pix2pix to fill in outlines of digits.

  python examples/train_pix2pix.py --steps=200 --output_dir=/tmp/pix2pix

A generator makes a digit of its outline, a discriminator learns to tell the
pair outline and made digit from the pair outline and real digit.
"""
import os
import sys

import numpy as np
import tensorflow.compat.v1 as tf
import tf_slim as slim

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# pylint: disable=wrong-import-position
from examples import gan_training
from nets import pix2pix

# Weight of the distance between made and real digits, from the paper.
_L1_WEIGHT = 100
_SHEET_COLUMNS = 8


def outline(digits):
  """Returns the outlines of digits, both float32 [n, side, side, 1] in -1..1.

  The outline is white on the pixels just beside the ink, black elsewhere.
  """
  ink = digits > 0
  around = np.zeros_like(ink)
  for down in (-1, 0, 1):
    for right in (-1, 0, 1):
      around |= np.roll(ink, (down, right), axis=(1, 2))
  return np.where(around & ~ink, 1, -1).astype(np.float32)


def build(flags, width=32):
  """Builds both networks, their losses and what is measured in the end.

  Args:
    flags: what `gan_training.parse_flags` returns.
    width: channels of the networks' first layers.

  Returns:
    A `gan_training.Gan`.
  """
  # Four halvings: 32x32 pixels to 2x2.
  blocks = [pix2pix.Block(width, 0), pix2pix.Block(2 * width, 0.5),
            pix2pix.Block(4 * width, 0.5), pix2pix.Block(4 * width, 0)]

  def generate(outlines):
    with tf.variable_scope('Generator', reuse=tf.AUTO_REUSE):
      return pix2pix.pix2pix_generator(
          outlines, 1, blocks)[1]['predictions']

  def judge(outlines, digits):
    with tf.variable_scope('Discriminator', reuse=tf.AUTO_REUSE):
      return pix2pix.pix2pix_discriminator(
          tf.concat([outlines, digits], 3), [width // 2, width, 2 * width])[0]

  tf.set_random_seed(flags.seed)
  pairs = []
  for split in ('train', 't10k'):
    digits = gan_training.read_digits(split)
    pairs.append(gan_training.batches(
        (outline(digits), digits), flags.batch_size, flags.seed))
  with slim.arg_scope(pix2pix.pix2pix_arg_scope()):
    outlines, digits = pairs[0]
    made = generate(outlines)
    discriminator_loss, generator_loss = gan_training.cross_entropy_losses(
        judge(outlines, digits), judge(outlines, made))
    distance = tf.reduce_mean(tf.abs(digits - made))
    updates = {
        'discriminator': gan_training.Update(
            gan_training.minimise(discriminator_loss, 'Discriminator'),
            discriminator_loss, times=1),
        'generator': gan_training.Update(
            gan_training.minimise(
                generator_loss + _L1_WEIGHT * distance, 'Generator'),
            generator_loss, times=2)}
    outlines, digits = pairs[1]
    made = generate(outlines)
    scores = {
        'discriminator': (judge(outlines, digits), judge(outlines, made))}
  sheet = tf.stack([outlines, made, digits])[:, :_SHEET_COLUMNS]
  return gan_training.Gan(updates, scores, sheet, ['outline', 'made', 'real'])


def main(argv=None):
  flags = gan_training.parse_flags(
      __doc__.splitlines()[0], argv, batch_size=16)
  tf.disable_v2_behavior()
  with tf.Graph().as_default():
    return gan_training.run(build(flags), flags)


if __name__ == '__main__':
  main()
