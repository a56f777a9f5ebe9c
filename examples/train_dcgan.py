"""Trains DCGAN to generate digits.

  python examples/train_dcgan.py --steps=200

A generator maps noise to digits; a discriminator learns to distinguish them
from the bundled ones, and the generator learns to deceive it.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# pylint: disable=wrong-import-position
from examples import command_line

if __name__ == '__main__':
  # --help needs no TensorFlow, which loads here.
  flags_ = command_line.start(command_line.gan(__doc__, batch_size=32))

import tensorflow.compat.v1 as tf
import tf_slim as slim

from examples import gan_training
from nets import dcgan

_NOISE = 64
_SHEET = (8, 8)


def build(flags, generator_depth=32, discriminator_depth=16):
  """Builds the `gan_training.Gan` of both networks.

  Args:
    flags: result of `command_line.gan`.
    generator_depth: channels of the generator's last layer before the logits.
    discriminator_depth: channels of the discriminator's first layer.
  """

  def generate(number, is_training):
    logits, _ = dcgan.generator(
        tf.random_normal([number, _NOISE]), generator_depth, num_outputs=1,
        is_training=is_training, reuse=tf.AUTO_REUSE)
    return tf.tanh(logits)

  def discriminate(images, is_training):
    return dcgan.discriminator(
        images, discriminator_depth, is_training=is_training,
        reuse=tf.AUTO_REUSE)[0]

  real = gan_training.digit_batches('train', flags)
  held_out = gan_training.digit_batches('t10k', flags)
  # Moving averages over about ten steps instead of a thousand: the run is
  # short, and the samples and scores at its end use them.
  with slim.arg_scope([slim.batch_norm], decay=0.9):
    # One batch of both: if they were normalized separately, real and generated
    # digits would have the same statistics in the discriminator.
    both = tf.concat([real, generate(flags.batch_size, True)], 0)
    discriminator_loss, generator_loss = gan_training.cross_entropy_losses(
        *tf.split(discriminate(both, True), 2))
    updates = gan_training.updates(
        discriminator_loss, generator_loss, generator_loss, generator_times=2)
    generated = generate(flags.batch_size, False)
    scores = {'discriminator': (
        discriminate(held_out, False), discriminate(generated, False))}
    sheet = generate(_SHEET[0] * _SHEET[1], False)
  sheet = tf.reshape(sheet, _SHEET + tuple(sheet.shape.as_list()[1:]))
  return gan_training.Gan(updates, scores, sheet, ['generated'])


if __name__ == '__main__':
  gan_training.main(build, flags_)
