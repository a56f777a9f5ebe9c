"""What all lessons share: digits, batches and pictures."""
import gzip
import os

import numpy as np
from PIL import Image
from PIL import ImageDraw
import tensorflow.compat.v1 as tf

from slim_common import atomic_files

_DIGITS = os.path.join(
    os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(
        __file__)))), 'datasets', 'samples', 'mnist')
_COLORS = ('#1f77b4', '#ff7f0e', '#2ca02c', '#d62728', '#9467bd', '#8c564b',
           '#e377c2', '#7f7f7f', '#bcbd22', '#17becf')
# In pixels.
_SIZE, _MARGIN, _LINE, _LETTER = 640, 40, 14, 6
_WIDTH, _HEIGHT = _SIZE - 2 * _MARGIN, 346
# How many times larger curves are drawn than they are saved.
_FINE = 3


def main(run, flags):
  """Runs a lesson and prints what it returns.

  Args:
    run: function of the flags that returns a dict of results, `picture` among
      them, the path of one.
    flags: result of `command_line.lesson`.
  """
  for key, value in start(run, flags).items():
    print('%s: %s' % (key.replace('_', ' '), '%.4f' % value if isinstance(
        value, float) else value))


def start(run, flags):
  """Runs a lesson in a fresh graph with its seed; returns its results."""
  os.makedirs(flags.output_dir, exist_ok=True)
  with tf.Graph().as_default():
    tf.set_random_seed(flags.seed)
    return run(flags)


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


def wide_digits(count=None, classes=10):
  """Returns (images, labels) for networks of photographs.

  The images are float32 [n, 32, 32, 3] in [-1, 1], the digits below `classes`
  among the first `count`.
  """
  images, labels = digits(count=count)
  images, labels = images[labels < classes], labels[labels < classes]
  images = np.pad(images, [[0, 0], [2, 2], [2, 2], [0, 0]], 'constant')
  return np.repeat(images, 3, axis=3) * 2 - 1, labels


def save_network(file, build):
  """Saves a network of random weights, as if it had been trained.

  Args:
    file: prefix of the checkpoint.
    build: function of images that builds the network in training mode, with 0
      as the decay of its batch normalization: the statistics that are saved
      are those of 64 digits, so that features are neither tiny nor huge.

  Returns:
    The prefix.
  """
  with tf.Graph().as_default(), tf.Session() as session:
    tf.set_random_seed(1)
    build(tf.constant(wide_digits(64)[0]))
    session.run(tf.global_variables_initializer())
    session.run(tf.get_collection(tf.GraphKeys.UPDATE_OPS))
    return tf.train.Saver().save(session, file, write_meta_graph=False)


def colors(count):
  """Returns the first colors of the drawings, floats [count, 3] in [0, 1]."""
  return np.array([[int(color[i:i + 2], 16) / 255 for i in (1, 3, 5)]
                   for color in _COLORS[:count]])


def draw_points(file, points, images, labels, axes=('', '')):
  """Draws images where their points are, in the colors of their labels.

  Args:
    file: path of the PNG file.
    points: floats [n, 2]; what is far from the others is drawn at the border.
    images: floats [n, 28, 28, 1] in [0, 1].
    labels: integers [n] in [0, 10).
    axes: what the first and the second number of a point are.
  """
  canvas = Image.new('RGB', (_SIZE, _SIZE), 'white')
  pen = ImageDraw.Draw(canvas)
  pen.text(((_SIZE - _LETTER * len(axes[0])) // 2, _SIZE - _LINE), axes[0],
           fill='black')
  pen.text((4, 4), axes[1], fill='black')
  low, high = np.percentile(points, [1, 99], axis=0)
  places = np.clip((points - low) / np.maximum(high - low, 1e-9), 0, 1)
  places = _MARGIN / 2 + places * (_SIZE - 2 * _MARGIN - 8)
  for place, image, label in zip(places, images, labels):
    ink = Image.fromarray((image[..., 0] * 255).astype(np.uint8))
    canvas.paste(_COLORS[label], tuple(int(x) for x in place), ink)
  _save(canvas, file)


def averaged(values, decay=0.9):
  """Returns the moving average of a list of numbers."""
  averages = values[:1]
  for value in values[1:]:
    averages.append(decay * averages[-1] + (1 - decay) * value)
  return averages


def draw_spread(file, values, title):
  """Draws rows of marks on one horizontal axis, and a longer one at the mean.

  Args:
    file: path of the PNG file.
    values: dict {name of the row: list of numbers}.
    title: text above the drawing.
  """
  numbers = [value for row in values.values() for value in row]
  low, high = min(numbers), max(numbers)
  canvas = Image.new('RGB', (_SIZE, 4 * _LINE * (len(values) + 1)), 'white')
  pen = ImageDraw.Draw(canvas)
  pen.text((_MARGIN, 8), title, fill='black')
  for number, (name, row) in enumerate(values.items()):
    middle = 4 * _LINE * (number + 1) + _LINE
    pen.text((_MARGIN, middle - 2 * _LINE), '%s: %.3f to %.3f, mean %.3f' % (
        name, min(row), max(row), np.mean(row)), fill=_COLORS[number])
    pen.line([_MARGIN, middle, _MARGIN + _WIDTH, middle], fill='lightgray')
    for value, length in [(value, 6) for value in row] + [(np.mean(row), 14)]:
      across = _MARGIN + _WIDTH * (value - low) / max(high - low, 1e-9)
      pen.line([across, middle - length, across, middle + length], width=3,
               fill=_COLORS[number])
  _save(canvas, file)


def draw_curves(file, curves, title, are_equal=False):
  """Draws curves over the steps, on one vertical axis.

  Args:
    file: path of the PNG file.
    curves: dict {name: list of numbers}, one a step or every few steps.
    title: text above the drawing.
    are_equal: whether the first is the broadest, so that curves one above the
      other can be told apart.
  """
  canvas, low, high = _lines(curves, 3 * are_equal)
  pen = ImageDraw.Draw(canvas)
  last = str(max(len(curve) for curve in curves.values()) - 1)
  for place, text in (
      ((_MARGIN, 16), title), ((2, _MARGIN), '%.3g' % high),
      ((2, _MARGIN + _HEIGHT - _LINE), '%.3g' % low),
      ((_MARGIN, _MARGIN + _HEIGHT + 6), 'step 0'),
      ((_MARGIN + _WIDTH - _LETTER * len(last), _MARGIN + _HEIGHT + 6),
       last)):
    pen.text(place, text, fill='black')
  widest = _LETTER * max(len(name) for name in curves)
  for number, name in enumerate(curves):
    pen.text((_MARGIN + _WIDTH - widest - 10, _MARGIN + 6 + number * _LINE),
             name, fill=_COLORS[number])
  _save(canvas, file)


def _lines(curves, broader):
  """Returns (canvas with the curves, lowest and highest value)."""
  values = [value for curve in curves.values() for value in curve]
  low, high = min(values), max(values)
  # Lines are drawn large, so that they are smooth when made smaller.
  canvas = Image.new('RGB', (
      _FINE * _SIZE, _FINE * (_HEIGHT + 2 * _MARGIN)), 'white')
  pen = ImageDraw.Draw(canvas)
  pen.rectangle([_FINE * x for x in (
      _MARGIN, _MARGIN, _MARGIN + _WIDTH, _MARGIN + _HEIGHT)], outline='gray')
  for number, curve in enumerate(curves.values()):
    across = _WIDTH / max(1, len(curve) - 1)
    pen.line([(_FINE * (_MARGIN + i * across), _FINE * (_MARGIN + _HEIGHT * (
        high - value) / max(high - low, 1e-9)))
              for i, value in enumerate(curve)], fill=_COLORS[number],
             width=_FINE * (2 + broader * (len(curves) - 1 - number)))
  return canvas.resize((canvas.width // _FINE, canvas.height // _FINE),
                       Image.BICUBIC), low, high


def draw_rows(file, rows, scale=2):
  """Draws rows of images.

  Args:
    file: path of the PNG file.
    rows: list of (caption, list of floats [height, width, 1 or 3] in [0, 1]);
      the caption is one of the row, or a list of one for each image.
    scale: enlargement.
  """
  size = max(image.shape[0] for _, images in rows for image in images) * scale
  columns = max(len(images) for _, images in rows)
  widest = max(_LETTER * len(caption) if isinstance(caption, str) else 0
               for caption, _ in rows)
  # Captions of single images must not run into each other.
  width = max([size] + [_LETTER * (len(text) + 1) for caption, _ in rows
                        if not isinstance(caption, str) for text in caption])
  canvas = Image.new(
      'RGB', (max(columns * (width + 4), widest) + 4,
              len(rows) * (size + _LINE + 6)), 'white')
  pen = ImageDraw.Draw(canvas)
  for row, (caption, images) in enumerate(rows):
    top = row * (size + _LINE + 6)
    captions = [caption] if isinstance(caption, str) else caption
    for column, text in enumerate(captions):
      pen.text((4 + column * (width + 4), top + 1), text, fill='black')
    for column, image in enumerate(images):
      pixels = (np.clip(image, 0, 1) * 255).astype(np.uint8)
      tile = Image.fromarray(
          pixels[..., 0] if pixels.shape[-1] == 1 else pixels).convert('RGB')
      canvas.paste(tile.resize((size, size), Image.BICUBIC), (
          4 + column * (width + 4), top + _LINE + 2))
  _save(canvas, file)


def _save(canvas, file):
  with atomic_files.publish(file, 'wb') as output:
    canvas.save(output, 'PNG')
