"""Tests of examples/train_{dcgan,pix2pix,cyclegan}.py, made small."""
import argparse
import json
import os
import subprocess
import sys

import numpy as np
from PIL import Image
import pytest
import tensorflow.compat.v1 as tf

from examples import command_line
from examples import gan_training
from examples import train_cyclegan
from examples import train_dcgan
from examples import train_pix2pix

pytestmark = pytest.mark.slow

# Separations of seeds 0 to 4 measured with these sizes and 30 steps:
#   dcgan     1.000 1.000 0.993 1.000 0.991
#   pix2pix   1.000 1.000 1.000 1.000 1.000
#   cyclegan  1.000 0.970 1.000 1.000 0.992 (chalk)
#             1.000 1.000 1.000 0.991 1.000 (ink)
# and with TensorFlow 2.21:
#   dcgan     0.893 1.000 1.000 1.000 1.000
#   pix2pix   1.000 1.000 1.000 1.000 1.000
#   cyclegan  1.000 1.000 1.000 1.000 1.000 (chalk)
#             0.985 1.000 0.999 0.993 1.000 (ink)
_STEPS = 30
_MIN_SEPARATION = 0.8
_EXAMPLES = {
    'dcgan': (
        train_dcgan, 8, {'generator_depth': 4, 'discriminator_depth': 4},
        {'discriminator'}, (8 * 32, 8 * 32), 'L'),
    'pix2pix': (
        train_pix2pix, 4, {'generator_width': 4, 'discriminator_width': 8},
        {'discriminator'}, (4 * 32, 3 * 32), 'L'),
    'cyclegan': (
        train_cyclegan, 4, {
            'generator_width': 4, 'discriminator_width': 8,
            'num_resnet_blocks': 1},
        {'chalk', 'ink'}, (4 * 32, 6 * 32), 'RGB'),
}


def flags(directory, steps=1, batch_size=2):
  return argparse.Namespace(
      steps=steps, batch_size=batch_size, seed=0, output_dir=str(directory))


@pytest.mark.parametrize('name', sorted(_EXAMPLES))
def test_discriminator_separates_held_out_digits(name, tmp_path, capsys):
  example, batch_size, sizes, discriminators, pixels, mode = _EXAMPLES[name]
  tf.set_random_seed(0)
  given = flags(tmp_path / 'new', _STEPS, batch_size)
  result = gan_training.run(example.build(given, **sizes), given)

  assert np.isfinite(list(result['losses'].values())).all()
  assert set(result['separation']) == discriminators
  for separation in result['separation'].values():
    assert _MIN_SEPARATION < separation <= 1

  assert sorted(os.listdir(given.output_dir)) == ['result.json', 'samples.png']
  with open(os.path.join(given.output_dir, 'result.json')) as f:
    assert json.load(f) == result
  sheet = Image.open(result['sheet'])
  assert (sheet.size, sheet.mode) == (tuple(2 * size for size in pixels), mode)
  assert pixels[1] // 32 % len(result['rows']) == 0

  output = capsys.readouterr().out
  assert output.count(' s left\n') == 10
  assert 'step 30 of 30' in output
  assert result['sheet'] in output


def test_runs_in_another_directory(tmp_path):
  result = subprocess.run(
      [sys.executable, os.path.abspath(train_dcgan.__file__), '--steps=1',
       '--batch_size=2'],
      cwd=str(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
  assert (result.returncode, result.stderr) == (0, b'')
  output = result.stdout.decode()
  sheet = os.path.join('train_dcgan-output', 'samples.png')
  assert 'Samples: ' + sheet in output
  assert (tmp_path / sheet).exists()


@pytest.mark.parametrize('arguments, message', [
    (['--stepps=3'], 'unrecognized arguments: --stepps=3'),
    (['--steps=0'], '--steps: must be a whole number, 1 or more; got 0'),
    (['--batch_size=two'], '--batch_size: must be a whole number, 1 or more; '
     'got two'),
    (['--seed=x'], "--seed: invalid int value: 'x'")])
def test_wrong_flags_are_refused(arguments, message, capsys):
  with pytest.raises(SystemExit) as stopped:
    command_line.gan('An example.', 8, arguments)
  assert stopped.value.code == 2
  assert message in capsys.readouterr().err


def test_default_flags():
  given = command_line.gan('An example.', 8, [])
  assert (given.steps, given.batch_size, given.seed) == (200, 8, 0)
  assert given.output_dir.endswith('-output')


@pytest.mark.parametrize('real, fake, fraction', [
    ([1, 2], [-1, 0], 1), ([-1, 0], [1, 2], 0), ([1, 1], [1, 1], 0.5),
    ([0, 2], [1], 0.5), ([0, 1, 2, 3], [0.5, 1.5], 0.625)])
def test_separation(real, fake, fraction):
  assert gan_training.separation(np.array(real), np.array(fake)) == fraction


def test_losses(graph):
  real, fake = tf.constant([2., 0.]), tf.constant([-1., 0.])
  with tf.Session(graph=graph) as session:
    entropy = session.run(gan_training.cross_entropy_losses(real, fake))
    squares = session.run(gan_training.least_squares_losses(real, fake))
  real_odds, fake_odds = np.exp([2, 0]), np.exp([-1, 0])
  taken_for_real = fake_odds / (1 + fake_odds)
  np.testing.assert_allclose(entropy, [
      -np.log(real_odds / (1 + real_odds)).mean()
      - np.log(1 - taken_for_real).mean(),
      -np.log(taken_for_real).mean()], rtol=1e-6)
  np.testing.assert_allclose(squares, [1 + 0.5, (4 + 1) / 2])


def test_infinite_losses_stop_the_training(tmp_path):
  loss = tf.constant(np.inf)
  gan = gan_training.Gan(
      {'discriminator': gan_training.Update(tf.no_op(), loss, 1)}, {},
      tf.zeros([1, 1, 4, 4, 1]), ['generated'])
  with pytest.raises(
      FloatingPointError, match='losses of step 1 are not finite: .*inf'):
    gan_training.run(gan, flags(tmp_path))
  assert not os.listdir(str(tmp_path))


def test_minimize_touches_its_scope_alone(graph):
  with tf.variable_scope('Discriminator'):
    one = tf.get_variable('weights', initializer=1.0)
  with tf.variable_scope('Generator'):
    other = tf.get_variable('weights', initializer=1.0)
  step = gan_training.minimize(one * other, 'Generator')
  with tf.Session(graph=graph) as session:
    session.run(tf.global_variables_initializer())
    session.run(step)
    values = session.run([one, other])
  assert values[0] == 1
  np.testing.assert_allclose(values[1], 1 - 2e-4, rtol=1e-6)


def test_digits(graph):
  digits = gan_training.read_digits('t10k')
  assert digits.shape == (1000, 32, 32, 1)
  assert digits[:, :2].max() == digits[:, :, -2:].max() == 0
  batch = gan_training.batches(digits, 500, seed=0)
  with tf.Session(graph=graph) as session:
    epoch = np.concatenate([session.run(batch) for _ in range(2)])
  assert (epoch.min(), epoch.max()) == (-1, 1)
  # Every digit once, in another order.
  sums = digits.sum(axis=(1, 2, 3), dtype=np.int64)
  shuffled = ((epoch + 1) * 127.5).sum(axis=(1, 2, 3)).round().astype(int)
  assert (shuffled != sums).any()
  np.testing.assert_array_equal(np.sort(shuffled), np.sort(sums))


def test_sheet_keeps_rows_columns_and_colors(tmp_path):
  sheet = np.full([2, 3, 4, 5, 3], -1, np.float32)
  sheet[1, 2, 3, 4] = [1, 0, -1]
  gan = gan_training.Gan({'loss': gan_training.Update(
      tf.no_op(), tf.constant(0.), 1)}, {}, tf.constant(sheet), ['a', 'b'])
  result = gan_training.run(gan, flags(tmp_path))
  image = np.array(Image.open(result['sheet']))
  assert image.shape == (2 * 2 * 4, 2 * 3 * 5, 3)
  np.testing.assert_array_equal(image[-2:, -2:], [[[255, 128, 0]] * 2] * 2)
  assert image.sum() == 4 * (255 + 128)


def test_outline_surrounds_the_ink(graph):
  digit = -np.ones([1, 6, 6, 1], np.float32)
  digit[0, 2, 2:4] = 1
  digit[0, 5, 5] = -0.1
  expected = -np.ones([6, 6])
  expected[1:4, 1:5] = 1
  expected[2, 2:4] = -1
  with tf.Session(graph=graph) as session:
    drawn = session.run(train_pix2pix.outline(tf.constant(digit)))
  np.testing.assert_array_equal(drawn[0, :, :, 0], expected)


def test_colors():
  black_and_white = np.array([-1, 1], np.float32).reshape([1, 1, 2, 1])
  chalk = train_cyclegan.colorize(black_and_white, 'chalk')
  ink = train_cyclegan.colorize(black_and_white, 'ink')
  np.testing.assert_array_equal(chalk[0, 0], [[-1] * 3, [1] * 3])
  np.testing.assert_allclose(
      ink[0, 0], [[0.9, 0.8, 0.4], [-0.8, -0.6, 0.4]], rtol=1e-6)
