"""Training and evaluation of the examples of adversarial training.

Each example builds a `Gan`; `run` trains it and writes samples and metrics.
"""
import collections
import gzip
import json
import os
import time

import numpy as np
from PIL import Image
import tensorflow.compat.v1 as tf
from tensorflow.core.protobuf import rewriter_config_pb2

from slim_common import atomic_files

_DIGITS = os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
    'datasets', 'samples', 'mnist')
_IDX_HEADER_BYTES = 16
# Real and generated images that the discriminators are evaluated on.
_NUM_EVALUATED = 256
_REPORTS, _MAGNIFICATION = 10, 2

Gan = collections.namedtuple('Gan', ['updates', 'scores', 'sheet', 'rows'])
Gan.__doc__ = """An example's graph.

Attributes:
  updates: dict of the name of a loss to its `Update`; each training step runs
    all of them, in this order.
  scores: dict of the name of a discriminator to a pair of float32 [batch, ...]
    tensors, its logits of real and of generated images that are not used in
    training.
  sheet: float32 [rows, columns, height, width, 1 or 3], samples in [-1, 1].
  rows: list of str, the contents of the rows, from the top; repeats if there
    are more rows.
"""

Update = collections.namedtuple('Update', ['train_op', 'loss', 'times'])
Update.__doc__ = """The update of one loss in a training step.

Attributes:
  train_op: operation that lowers the loss.
  loss: float32 scalar to print.
  times: number of runs of `train_op` per step; more than one for a generator
    that would fall behind its discriminator.
"""


def main(build, flags):
  """Builds, trains and reports an example.

  Args:
    build: function of the flags that returns a `Gan`.
    flags: result of `command_line.gan`.

  Returns:
    What `run` returns.
  """
  with tf.Graph().as_default():
    tf.set_random_seed(flags.seed)
    return run(build(flags), flags)


def read_digits(split):
  """Reads the bundled digits.

  Args:
    split: 'train' (4,000 digits) or 't10k' (1,000).

  Returns:
    uint8 [digits, 32, 32, 1] array: 28x28 pixels and a black margin.
  """
  path = os.path.join(_DIGITS, '%s-images-idx3-ubyte.gz' % split)
  with gzip.open(path) as f:
    pixels = np.frombuffer(f.read(), np.uint8, offset=_IDX_HEADER_BYTES)
  return np.pad(pixels.reshape([-1, 28, 28, 1]),
                [[0, 0], [2, 2], [2, 2], [0, 0]], 'constant')


def batches(digits, batch_size, seed):
  """Returns a tensor that holds another batch of digits in every run.

  Args:
    digits: uint8 [n, height, width, 1] array.
    batch_size: number of digits in a batch.
    seed: int, seed of their order.

  Returns:
    A float32 [batch_size, height, width, 1] tensor in [-1, 1].
  """
  dataset = tf.data.Dataset.from_tensor_slices(digits)
  dataset = dataset.shuffle(len(digits), seed=seed).repeat()
  dataset = dataset.batch(batch_size, drop_remainder=True)
  pixels = tf.data.make_one_shot_iterator(dataset).get_next()
  return tf.cast(pixels, tf.float32) / 127.5 - 1


def digit_batches(split, flags):
  """Returns `batches` of the bundled digits; see `read_digits`."""
  return batches(read_digits(split), flags.batch_size, flags.seed)


def cross_entropy_losses(real_logits, fake_logits):
  """Returns the (discriminator, generator) losses of the original GAN.

  The loss of the generator is the non-saturating one, -log D instead of
  log(1 - D). Goodfellow et al. (2014), https://arxiv.org/abs/1406.2661
  """
  return (tf.reduce_mean(tf.nn.softplus(-real_logits))
          + tf.reduce_mean(tf.nn.softplus(fake_logits)),
          tf.reduce_mean(tf.nn.softplus(-fake_logits)))


def least_squares_losses(real_logits, fake_logits):
  """Returns the (discriminator, generator) losses of a least-squares GAN.

  Mao et al. (2016), https://arxiv.org/abs/1611.04076
  """
  return (tf.reduce_mean(tf.square(real_logits - 1))
          + tf.reduce_mean(tf.square(fake_logits)),
          tf.reduce_mean(tf.square(fake_logits - 1)))


def minimize(loss, scope):
  """Returns an op that makes one step of Adam on the variables in `scope`."""
  optimizer = tf.train.AdamOptimizer(learning_rate=2e-4, beta1=0.5)
  with tf.control_dependencies(
      tf.get_collection(tf.GraphKeys.UPDATE_OPS, scope)):
    return optimizer.minimize(loss, var_list=tf.trainable_variables(scope))


def updates(discriminator_loss, generator_loss, objective, generator_times,
            names=('discriminator', 'generator')):
  """Returns the `updates` of a `Gan`.

  Args:
    discriminator_loss, generator_loss: float32 scalars to print.
    objective: float32 scalar that the generator minimizes.
    generator_times: number of updates of the generator per step.
    names: names of the two losses.
  """
  return dict(zip(names, (
      Update(minimize(discriminator_loss, 'Discriminator'), discriminator_loss,
             times=1),
      Update(minimize(objective, 'Generator'), generator_loss,
             generator_times))))


def separation(real_scores, fake_scores):
  """Returns the fraction of (real, generated) pairs that are ranked correctly.

  Args:
    real_scores: [n] array, scores of real images.
    fake_scores: [m] array, scores of generated images.

  Returns:
    A float: 1 if every real image scores higher than every generated one, 0.5
    for random scores. Ties count half.
  """
  difference = real_scores[:, np.newaxis] - fake_scores[np.newaxis, :]
  return float(np.mean((np.sign(difference) + 1) / 2))


def run(gan, flags):
  """Trains, writes samples.png and result.json and prints their paths.

  Args:
    gan: a `Gan` built in the default graph.
    flags: result of `command_line.gan`.

  Returns:
    The dict in result.json: 'losses' (means over the last tenth of the steps),
    'separation' of each discriminator, and the facts of the run.

  Raises:
    FloatingPointError: a loss is not finite.
  """
  os.makedirs(flags.output_dir, exist_ok=True)
  started = time.time()
  with tf.Session(config=_session_config()) as session:
    session.run(tf.global_variables_initializer())
    losses = _train(session, gan.updates, flags.steps)
    separations = collections.OrderedDict(
        (name, separation(*_score(session, pair)))
        for name, pair in gan.scores.items())
    sheet = session.run(gan.sheet)
  sheet_path, result_path = (os.path.join(flags.output_dir, name)
                             for name in ('samples.png', 'result.json'))
  result = collections.OrderedDict([
      ('steps', flags.steps), ('batch_size', flags.batch_size),
      ('seed', flags.seed), ('seconds', round(time.time() - started, 1)),
      ('losses', losses), ('separation', separations),
      ('sheet', sheet_path), ('rows', gan.rows)])
  with atomic_files.publish(sheet_path, 'wb') as output:
    _image(sheet).save(output, 'PNG')
  with atomic_files.publish(result_path) as output:
    output.write(json.dumps(result, indent=2) + '\n')
  for name, value in separations.items():
    print('%s: %.1f %% of the pairs real/generated ranked correctly' % (
        name, 100 * value))
  print('Samples: %s (rows: %s)' % (sheet_path, ', '.join(gan.rows)))
  print('Metrics: %s' % result_path)
  return result


def _session_config():
  """Returns a configuration without TensorFlow's fusing of operations.

  That of 2.21 fails for the gradients of leaky_relu after a bias, says so on
  standard error in every run, and leaves the graph as it was.
  """
  config = tf.ConfigProto()
  config.graph_options.rewrite_options.remapping = (
      rewriter_config_pb2.RewriterConfig.OFF)
  return config


def _train(session, updates, steps):
  """Trains; returns the mean losses over the last tenth of the steps."""
  interval = max(1, steps // _REPORTS)
  recent = collections.deque(maxlen=interval)
  started = time.time()
  for step in range(1, steps + 1):
    recent.append([_update(session, update) for update in updates.values()])
    if not np.isfinite(recent[-1]).all():
      raise FloatingPointError('The losses of step %d are not finite: %s' % (
          step, dict(zip(updates, recent[-1]))))
    if step % interval == 0 or step == steps:
      means = collections.OrderedDict(
          zip(updates, np.mean(recent, axis=0, dtype=np.float64)))
      left = (time.time() - started) / step * (steps - step)
      print('step %d of %d  %s  %d s left' % (
          step, steps, '  '.join('%s %.3f' % mean for mean in means.items()),
          round(left)), flush=True)
  return means


def _update(session, update):
  """Lowers a loss `update.times` times; returns its last value."""
  for _ in range(update.times):
    _, loss = session.run([update.train_op, update.loss])
  return loss


def _score(session, pair):
  """Returns two arrays: mean logit of each real and each generated image."""
  scores = ([], [])
  while sum(len(batch) for batch in scores[0]) < _NUM_EVALUATED:
    for so_far, logits in zip(scores, session.run(pair)):
      so_far.append(logits.reshape([len(logits), -1]).mean(axis=1))
  return [np.concatenate(batches_of_scores)[:_NUM_EVALUATED]
          for batches_of_scores in scores]


def _image(sheet):
  """Makes one image of [rows, columns, height, width, channels] samples."""
  rows, columns, height, width, channels = sheet.shape
  pixels = np.transpose(sheet, [0, 2, 1, 3, 4]).reshape(
      [rows * height, columns * width, channels])
  pixels = np.clip((pixels + 1) * 127.5, 0, 255).round().astype(np.uint8)
  image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
  return image.resize(
      [size * _MAGNIFICATION for size in image.size], Image.NEAREST)
