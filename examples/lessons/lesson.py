"""What all lessons share: flags, digits, batches and pictures."""
import argparse
import gzip
import os

import numpy as np
from PIL import Image
from PIL import ImageDraw
import tensorflow.compat.v1 as tf

from slim_common import atomic_files
from slim_common import runtime

_DIGITS = os.path.join(
    os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(
        __file__)))), 'datasets', 'samples', 'mnist')
_COLORS = ('#1f77b4', '#ff7f0e', '#2ca02c', '#d62728', '#9467bd', '#8c564b',
           '#e377c2', '#7f7f7f', '#bcbd22', '#17becf')
# In pixels.
_SIZE, _MARGIN, _LINE = 640, 40, 14


def main(run, description, steps):
  """Runs a lesson from the command line and prints what it returns.

  Args:
    run: function of the flags (steps, seed, output_dir) that returns a dict of
      results, `picture` among them, the path of one.
    description: docstring of the lesson, which --help shows.
    steps: default of --steps.
  """
  parser = argparse.ArgumentParser(
      description=description,
      formatter_class=argparse.RawDescriptionHelpFormatter)
  name = parser.prog.split('.')[-2] if parser.prog.endswith('.py') else 'lesson'
  parser.add_argument('--steps', type=_positive, default=steps,
                      help='number of training steps (default: %(default)s)')
  parser.add_argument('--seed', type=int, default=0,
                      help='seed of weights and batches (default: %(default)s)')
  parser.add_argument('--output_dir', default=name + '-output',
                      help='directory of the files (default: %(default)s)')
  flags = parser.parse_args()
  runtime.start()
  for key, value in start(run, flags).items():
    print('%s: %s' % (key.replace('_', ' '), '%.4f' % value if isinstance(
        value, float) else value))


def start(run, flags):
  """Runs a lesson in a fresh graph with its seed; returns its results."""
  os.makedirs(flags.output_dir, exist_ok=True)
  with tf.Graph().as_default():
    tf.set_random_seed(flags.seed)
    return run(flags)


def _positive(text):
  if not text.isdecimal() or not int(text):
    raise argparse.ArgumentTypeError(
        'must be a whole number, 1 or more; got %s' % text)
  return int(text)


def digits(split='train', count=None):
  """Returns bundled digits.

  Args:
    split: 'train' (4,000 digits) or 't10k' (1,000, never trained on).
    count: number of the first digits; None for all.

  Returns:
    (images, labels): float32 [n, 28, 28, 1] in [0, 1], and int64 [n].
  """
  with gzip.open(os.path.join(
      _DIGITS, split + '-images-idx3-ubyte.gz')) as file:
    images = np.frombuffer(file.read(), np.uint8, offset=16)
  with gzip.open(os.path.join(
      _DIGITS, split + '-labels-idx1-ubyte.gz')) as file:
    labels = np.frombuffer(file.read(), np.uint8, offset=8).astype(np.int64)
  images = images.reshape(-1, 28, 28, 1).astype(np.float32) / 255
  return images[:count], labels[:count]


def batches(size, count, seed):
  """Yields, without end, indices of batches, each index once in every epoch.

  Args:
    size: number of indices in a batch.
    count: number of indices.
    seed: seed of the order.
  """
  random = np.random.RandomState(seed)
  while True:
    order = random.permutation(count)
    for start in range(0, count - size + 1, size):
      yield order[start:start + size]


def path(flags, name):
  """Returns the path of a file in the output directory."""
  return os.path.join(flags.output_dir, name)


def nearest_accuracy(known, known_labels, queries, labels):
  """Returns the fraction of queries whose nearest known one has their label.

  Args:
    known, queries: floats [n, size], [m, size].
    known_labels, labels: integers [n], [m].
  """
  squares = (known ** 2).sum(axis=1) - 2 * queries @ known.T
  return float(np.mean(known_labels[squares.argmin(axis=1)] == labels))


def draw_points(file, points, images, labels):
  """Draws images where their points are, in the colors of their labels.

  Args:
    file: path of the PNG file.
    points: floats [n, 2].
    images: floats [n, 28, 28, 1] in [0, 1].
    labels: integers [n] in [0, 10).
  """
  canvas = Image.new('RGB', (_SIZE, _SIZE), 'white')
  low, high = points.min(axis=0), points.max(axis=0)
  places = _MARGIN + (points - low) / np.maximum(high - low, 1e-9) * (
      _SIZE - 3 * _MARGIN)
  for place, image, label in zip(places, images, labels):
    ink = Image.fromarray((image[..., 0] * 255).astype(np.uint8))
    canvas.paste(_COLORS[label], tuple(int(x) for x in place), ink)
  _save(canvas, file)


def draw_curves(file, curves, title):
  """Draws curves over the steps, on one vertical axis.

  Args:
    file: path of the PNG file.
    curves: dict {name: list of numbers}, one a step or every few steps.
    title: text above the drawing.
  """
  canvas = Image.new('RGB', (_SIZE, _SIZE * 2 // 3), 'white')
  pen = ImageDraw.Draw(canvas)
  values = [value for curve in curves.values() for value in curve]
  low, high = min(values), max(values)
  width, height = _SIZE - 2 * _MARGIN, _SIZE * 2 // 3 - 2 * _MARGIN
  pen.rectangle([_MARGIN, _MARGIN, _MARGIN + width, _MARGIN + height],
                outline='lightgray')
  pen.text((_MARGIN, 8), title, fill='black')
  pen.text((2, _MARGIN), '%.3g' % high, fill='black')
  pen.text((2, _MARGIN + height - _LINE), '%.3g' % low, fill='black')
  for number, (name, curve) in enumerate(curves.items()):
    color = _COLORS[number % len(_COLORS)]
    across = width / max(1, len(curve) - 1)
    places = [(_MARGIN + i * across, _MARGIN + height * (
        high - value) / max(high - low, 1e-9)) for i, value in enumerate(curve)]
    pen.line(places, fill=color, width=2)
    pen.text((_MARGIN + width - 200, _MARGIN + 6 + number * _LINE), name,
             fill=color)
  _save(canvas, file)


def draw_rows(file, rows, scale=2):
  """Draws rows of images.

  Args:
    file: path of the PNG file.
    rows: list of (caption, list of floats [height, width, 1 or 3] in [0, 1]).
    scale: enlargement.
  """
  size = max(image.shape[0] for _, images in rows for image in images) * scale
  columns = max(len(images) for _, images in rows)
  canvas = Image.new(
      'RGB', (columns * (size + 4) + 4, len(rows) * (size + _LINE + 6)),
      'white')
  pen = ImageDraw.Draw(canvas)
  for row, (caption, images) in enumerate(rows):
    top = row * (size + _LINE + 6)
    pen.text((4, top + 1), caption, fill='black')
    for column, image in enumerate(images):
      pixels = (np.clip(image, 0, 1) * 255).astype(np.uint8)
      tile = Image.fromarray(
          pixels[..., 0] if pixels.shape[-1] == 1 else pixels).convert('RGB')
      canvas.paste(tile.resize((size, size)), (
          4 + column * (size + 4), top + _LINE + 2))
  _save(canvas, file)


def _save(canvas, file):
  with atomic_files.publish(file, 'wb') as output:
    canvas.save(output, 'PNG')
