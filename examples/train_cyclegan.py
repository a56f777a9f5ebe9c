"""Trains CycleGAN to turn chalk digits into ink digits and back.

  python examples/train_cyclegan.py --steps=200 --output_dir=/tmp/cyclegan

One generator turns white digits on black into blue digits on yellow paper,
another turns them back. No chalk digit has its ink twin among what is learnt
from: discriminators of both kinds, and the wish to get the same digit back
after both turns, must do.
"""
import functools
import os
import sys

import numpy as np
import tensorflow.compat.v1 as tf
import tf_slim as slim

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# pylint: disable=wrong-import-position
from examples import gan_training
from nets import cyclegan
from nets import pix2pix

# Weight of the distance between a picture and itself after both turns, from
# the paper.
_CYCLE_WEIGHT = 10
_SHEET_COLUMNS = 8
_OTHER = {'chalk': 'ink', 'ink': 'chalk'}
# Colours of what is black and of what is white in the digits, in -1..1.
_COLOURS = {
    'chalk': ((-1, -1, -1), (1, 1, 1)),
    'ink': ((0.9, 0.8, 0.4), (-0.8, -0.6, 0.4)),
}


def colour(digits, kind):
  """Colours digits.

  Args:
    digits: float32 [batch, height, width, 1] in -1..1.
    kind: 'chalk' or 'ink'.

  Returns:
    float32 [batch, height, width, 3] in -1..1.
  """
  paper, stroke = np.array(_COLOURS[kind], np.float32)
  share = (digits + 1) / 2
  return (1 - share) * paper + share * stroke


def build(flags, generator_width=16, discriminator_width=8,
          num_resnet_blocks=2):
  """Builds the four networks, their losses and what is measured in the end.

  Args:
    flags: what `gan_training.parse_flags` returns.
    generator_width: channels of the generators' first layers.
    discriminator_width: channels of the discriminators' first layers.
    num_resnet_blocks: residual blocks of each generator.

  Returns:
    A `gan_training.Gan`.
  """
  turn = functools.partial(
      _turn, width=generator_width, num_resnet_blocks=num_resnet_blocks)
  judge = functools.partial(_judge, width=discriminator_width)
  real = _unpaired('train', flags)
  made = turn(real)
  back = turn(made)
  real_logits, made_logits = judge(real), judge(made)
  losses = [gan_training.least_squares_losses(
      real_logits[kind], made_logits[kind]) for kind in _OTHER]
  discriminator_loss, generator_loss = [sum(each) for each in zip(*losses)]
  cycle_loss = sum(
      tf.reduce_mean(tf.abs(real[kind] - back[kind])) for kind in _OTHER)
  updates = {
      'discriminators': gan_training.Update(
          gan_training.minimise(discriminator_loss, 'Discriminator'),
          discriminator_loss, times=1),
      'generators': gan_training.Update(
          gan_training.minimise(
              generator_loss + _CYCLE_WEIGHT * cycle_loss, 'Generator'),
          generator_loss, times=2)}
  real = _unpaired('t10k', flags)
  made = turn(real)
  back = turn(made)
  real_logits, made_logits = judge(real), judge(made)
  scores = {kind: (real_logits[kind], made_logits[kind]) for kind in _OTHER}
  sheet = tf.stack([real['chalk'], made['ink'], back['chalk'],
                    real['ink'], made['chalk'], back['ink']])
  return gan_training.Gan(updates, scores, sheet[:, :_SHEET_COLUMNS], [
      'chalk', 'made ink', 'and back', 'ink', 'made chalk', 'and back'])


def _turn(pictures, width, num_resnet_blocks):
  """Returns a dict of each kind, made of the other kind in `pictures`."""
  # Nearest neighbour leaves no chequered pattern, which few steps would not
  # unlearn.
  upsample = functools.partial(
      cyclegan.cyclegan_upsample, method='nn_upsample_conv')
  made = {}
  for kind, other in _OTHER.items():
    with tf.variable_scope('Generator/' + kind, reuse=tf.AUTO_REUSE):
      made[kind], _ = cyclegan.cyclegan_generator_resnet(
          pictures[other], num_resnet_blocks=num_resnet_blocks,
          num_filters=width, upsample_fn=upsample)
  return made


def _judge(pictures, width):
  """Returns a dict of logits, each kind's by its own discriminator."""
  logits = {}
  for kind in _OTHER:
    with tf.variable_scope('Discriminator/' + kind, reuse=tf.AUTO_REUSE):
      with slim.arg_scope(pix2pix.pix2pix_arg_scope()):
        logits[kind], _ = pix2pix.pix2pix_discriminator(
            pictures[kind], [width, 2 * width, 4 * width])
  return logits


def _unpaired(split, flags):
  """Returns batches of both kinds, each of another half of the digits."""
  digits = gan_training.read_digits(split)
  half = len(digits) // 2
  # Seeds differ: in the same order both kinds would show the same numerals.
  chalk = gan_training.batches(digits[:half], flags.batch_size, flags.seed)
  ink = gan_training.batches(digits[half:], flags.batch_size, flags.seed + 1)
  return {'chalk': colour(chalk, 'chalk'), 'ink': colour(ink, 'ink')}


if __name__ == '__main__':
  gan_training.main(build, __doc__, batch_size=8)
