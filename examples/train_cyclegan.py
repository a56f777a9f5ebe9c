"""Trains CycleGAN to translate chalk digits to ink digits and back.

  python examples/train_cyclegan.py --steps=200

One generator translates white digits on black to blue digits on yellow paper,
another one translates back. The training data are unpaired: the generators
learn from one discriminator per domain and from the cycle loss, the distance
between a digit and its translation there and back.
"""
import functools
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# pylint: disable=wrong-import-position
from examples import command_line

if __name__ == '__main__':
  # --help needs no TensorFlow, which loads here.
  flags_ = command_line.start(command_line.gan(__doc__, batch_size=8))

import numpy as np
import tensorflow.compat.v1 as tf
import tf_slim as slim

from examples import gan_training
from nets import cyclegan
from nets import pix2pix

# Weight of the cycle loss, from the paper.
_CYCLE_WEIGHT = 10
_SHEET_COLUMNS = 8
_OTHER = {'chalk': 'ink', 'ink': 'chalk'}
# Colors of the black and of the white pixels of the digits, in [-1, 1].
_COLORS = {
    'chalk': ((-1, -1, -1), (1, 1, 1)),
    'ink': ((0.9, 0.8, 0.4), (-0.8, -0.6, 0.4)),
}


def colorize(digits, domain):
  """Colors digits.

  Args:
    digits: float32 [batch, height, width, 1] tensor in [-1, 1].
    domain: 'chalk' or 'ink'.

  Returns:
    A float32 [batch, height, width, 3] tensor in [-1, 1].
  """
  paper, stroke = np.array(_COLORS[domain], np.float32)
  weight = (digits + 1) / 2
  return (1 - weight) * paper + weight * stroke


def build(flags, generator_width=16, discriminator_width=8,
          num_resnet_blocks=2):
  """Builds the `gan_training.Gan` of the four networks.

  Args:
    flags: result of `command_line.gan`.
    generator_width, discriminator_width: channels of the first layers.
    num_resnet_blocks: residual blocks of each generator.
  """
  translate = functools.partial(
      _translate, width=generator_width, num_resnet_blocks=num_resnet_blocks)
  discriminate = functools.partial(_discriminate, width=discriminator_width)
  real = _unpaired('train', flags)
  fake = translate(real)
  back = translate(fake)
  real_logits, fake_logits = discriminate(real), discriminate(fake)
  losses = [gan_training.least_squares_losses(
      real_logits[domain], fake_logits[domain]) for domain in _OTHER]
  discriminator_loss, generator_loss = [sum(each) for each in zip(*losses)]
  cycle_loss = sum(
      tf.reduce_mean(tf.abs(real[domain] - back[domain])) for domain in _OTHER)
  updates = gan_training.updates(
      discriminator_loss, generator_loss,
      generator_loss + _CYCLE_WEIGHT * cycle_loss, generator_times=2,
      names=('discriminators', 'generators'))
  real = _unpaired('t10k', flags)
  fake = translate(real)
  back = translate(fake)
  real_logits, fake_logits = discriminate(real), discriminate(fake)
  scores = {domain: (real_logits[domain], fake_logits[domain])
            for domain in _OTHER}
  sheet = tf.stack([real['chalk'], fake['ink'], back['chalk'],
                    real['ink'], fake['chalk'], back['ink']])
  return gan_training.Gan(updates, scores, sheet[:, :_SHEET_COLUMNS], [
      'chalk', 'translated to ink', 'and back',
      'ink', 'translated to chalk', 'and back'])


def _translate(images, width, num_resnet_blocks):
  """Returns a dict of domain to images translated from the other domain."""
  # Nearest-neighbor upsampling avoids checkerboard patterns, which a short
  # training would not unlearn.
  upsample = functools.partial(
      cyclegan.cyclegan_upsample, method='nn_upsample_conv')
  fake = {}
  for domain, other in _OTHER.items():
    with tf.variable_scope('Generator/' + domain, reuse=tf.AUTO_REUSE):
      fake[domain], _ = cyclegan.cyclegan_generator_resnet(
          images[other], num_resnet_blocks=num_resnet_blocks,
          num_filters=width, upsample_fn=upsample)
  return fake


def _discriminate(images, width):
  """Returns a dict of domain to the logits of its discriminator."""
  logits = {}
  for domain in _OTHER:
    with tf.variable_scope('Discriminator/' + domain, reuse=tf.AUTO_REUSE):
      with slim.arg_scope(pix2pix.pix2pix_arg_scope()):
        logits[domain], _ = pix2pix.pix2pix_discriminator(
            images[domain], [width, 2 * width, 4 * width])
  return logits


def _unpaired(split, flags):
  """Returns a dict of domain to a batch, each of another half of the digits."""
  digits = gan_training.read_digits(split)
  half = len(digits) // 2
  # Different seeds: with the same one, batches of both domains would hold the
  # same numerals.
  chalk = gan_training.batches(digits[:half], flags.batch_size, flags.seed)
  ink = gan_training.batches(digits[half:], flags.batch_size, flags.seed + 1)
  return {'chalk': colorize(chalk, 'chalk'), 'ink': colorize(ink, 'ink')}


if __name__ == '__main__':
  gan_training.main(build, flags_)
