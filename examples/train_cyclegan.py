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
# Leaves no chequered pattern, which few steps do not unlearn.
_UPSAMPLE_METHOD = 'nn_upsample_conv'
_SHEET_COLUMNS = 8
# Colours of what is black and of what is white in the digits, in -1..1.
_COLOURS = {
    'chalk': ((-1, -1, -1), (1, 1, 1)),
    'ink': ((0.9, 0.8, 0.4), (-0.8, -0.6, 0.4)),
}


def colour(digits, kind):
  """Colours digits.

  Args:
    digits: float32 [n, side, side, 1] in -1..1.
    kind: 'chalk' or 'ink'.

  Returns:
    float32 [n, side, side, 3] in -1..1.
  """
  paper, stroke = np.array(_COLOURS[kind], np.float32)
  share = (digits + 1) / 2
  return (1 - share) * paper + share * stroke


def build(flags, width=16, num_resnet_blocks=2):
  """Builds the four networks, their losses and what is measured in the end.

  Args:
    flags: what `gan_training.parse_flags` returns.
    width: channels of the networks' first layers.
    num_resnet_blocks: residual blocks of each generator.

  Returns:
    A `gan_training.Gan`.
  """

  def turn(pictures, kind):
    with tf.variable_scope('Generator/' + kind, reuse=tf.AUTO_REUSE):
      return cyclegan.cyclegan_generator_resnet(
          pictures, num_resnet_blocks=num_resnet_blocks, num_filters=width,
          upsample_fn=functools.partial(
              cyclegan.cyclegan_upsample, method=_UPSAMPLE_METHOD))[0]

  def judge(pictures, kind):
    with tf.variable_scope('Discriminator/' + kind, reuse=tf.AUTO_REUSE):
      with slim.arg_scope(pix2pix.pix2pix_arg_scope()):
        return pix2pix.pix2pix_discriminator(
            pictures, [width // 2, width, 2 * width])[0]

  tf.set_random_seed(flags.seed)
  real = _unpaired('train', flags)
  made = {'ink': turn(real['chalk'], 'ink'), 'chalk': turn(real['ink'], 'chalk')}
  back = {'ink': turn(made['chalk'], 'ink'), 'chalk': turn(made['ink'], 'chalk')}
  losses = [gan_training.least_squares_losses(
      judge(real[kind], kind), judge(made[kind], kind)) for kind in _COLOURS]
  discriminator_loss, generator_loss = [sum(each) for each in zip(*losses)]
  cycle_loss = sum(
      tf.reduce_mean(tf.abs(real[kind] - back[kind])) for kind in _COLOURS)
  updates = {
      'discriminators': gan_training.Update(
          gan_training.minimise(discriminator_loss, 'Discriminator'),
          discriminator_loss, times=1),
      'generators': gan_training.Update(
          gan_training.minimise(
              generator_loss + _CYCLE_WEIGHT * cycle_loss, 'Generator'),
          generator_loss, times=2)}
  held_out = _unpaired('t10k', flags)
  made = {'ink': turn(held_out['chalk'], 'ink'),
          'chalk': turn(held_out['ink'], 'chalk')}
  scores = {kind: (judge(held_out[kind], kind), judge(made[kind], kind))
            for kind in _COLOURS}
  sheet = tf.stack([
      held_out['chalk'], made['ink'], turn(made['ink'], 'chalk'),
      held_out['ink'], made['chalk'], turn(made['chalk'], 'ink')])
  return gan_training.Gan(updates, scores, sheet[:, :_SHEET_COLUMNS], [
      'chalk', 'chalk to ink', 'and back', 'ink', 'ink to chalk', 'and back'])


def _unpaired(split, flags):
  """Returns batches of both kinds, each of another half of the digits."""
  digits = gan_training.read_digits(split)
  half = len(digits) // 2
  return {
      kind: gan_training.batches(
          colour(part, kind), flags.batch_size, flags.seed)
      for kind, part in (('chalk', digits[:half]), ('ink', digits[half:]))}


def main(argv=None):
  flags = gan_training.parse_flags(
      __doc__.splitlines()[0], argv, batch_size=8)
  tf.disable_v2_behavior()
  with tf.Graph().as_default():
    return gan_training.run(build(flags), flags)


if __name__ == '__main__':
  main()
