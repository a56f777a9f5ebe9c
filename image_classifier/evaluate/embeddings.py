"""Values of end points over a split, for NumPy and TensorBoard's projector.

DIR/embeddings.npz has the arrays `files`, `labels` and one per end point, as it
is: [examples, ...]. DIR is also a log directory for `tensorboard --logdir=DIR`,
whose projector shows the same points with their images: maps [height, width,
channels] by their means over height and width.
"""
import json
import os

import numpy as np
from PIL import Image

from image_classifier.graphs import pixels
from slim_common import atomic_files

ARRAYS = 'embeddings.npz'
_CONFIG, _METADATA = 'projector_config.pbtxt', 'metadata.tsv'
_SPRITE = 'sprite.png'
# In pixels: of an image in the sprite, and the largest that browsers show.
_TILE, _MAX_SPRITE = 32, 8192


class Embeddings:
  """Collects the values.

  Args:
    directory: the directory, which exists.
    end_points: names of the end points.
    classes: list of (id, name) of the network's classes.
    preprocessing: see `pixels.to_pixels`.
  """
  needs_images = True

  def __init__(self, directory, end_points, classes, preprocessing):
    self._directory, self._end_points = directory, end_points
    self._names = np.array([name for _, name in classes])
    self._preprocessing = preprocessing
    self._values = {name: [] for name in end_points}
    self._files, self._labels, self._rows, self._tiles = [], [], [], []

  def add(self, names, labels, probabilities, shown):
    """Adds a batch; the arguments are those of `mistakes.Mistakes.add`.

    `shown` also has the values of the end points by their names.
    """
    for name, values in self._values.items():
      values.append(shown[name])
    predicted = self._names[probabilities.argmax(axis=1)]
    self._labels.append(labels)
    for file, label, guess, image in zip(
        names, labels, predicted, shown['images']):
      self._files.append(file.decode('utf-8', 'replace'))
      true = self._names[label > 0.5] if np.ndim(label) else [
          self._names[label]]
      self._rows.append((';'.join(true), guess, self._files[-1]))
      self._tiles.append(np.asarray(Image.fromarray(pixels.to_pixels(
          image, self._preprocessing)).resize((_TILE, _TILE), Image.BILINEAR)))

  def write(self):
    """Writes the files; returns lines that name their directory."""
    values = {name: np.concatenate(parts)
              for name, parts in self._values.items()}
    with self._open(ARRAYS, 'wb') as output:
      np.savez(output, files=np.array(self._files),
               labels=np.concatenate(self._labels), **values)
    tables = {name: '%s.tsv' % name.replace('/', '_') for name in values}
    for name, file in tables.items():
      with self._open(file) as output:
        np.savetxt(output, _as_points(values[name]), '%.6g', '\t')
    with self._open(_METADATA, encoding='utf-8') as output:
      for row in [('label', 'predicted', 'file')] + self._rows:
        output.write('\t'.join(' '.join(cell.split()) for cell in row) + '\n')
    size = self._write_sprite()
    with self._open(_CONFIG, encoding='utf-8') as output:
      output.write(''.join(
          'embeddings {\n  tensor_name: %s\n  tensor_path: %s\n'
          '  metadata_path: %s\n  sprite {\n    image_path: %s\n'
          '    single_image_dim: %d\n    single_image_dim: %d\n  }\n}\n' % (
              *map(json.dumps, (name, file, _METADATA, _SPRITE)), size, size)
          for name, file in tables.items()))
    return ['Embeddings: %s of %s' % (self._directory, ', '.join(values))]

  def _open(self, name, mode='w', **arguments):
    return atomic_files.publish(
        os.path.join(self._directory, name), mode, **arguments)

  def _write_sprite(self):
    """Writes all images as squares of one; returns their size in pixels."""
    columns = int(np.ceil(len(self._tiles) ** 0.5))
    size = max(1, min(_TILE, _MAX_SPRITE // columns))
    sprite = Image.new('RGB', (columns * size, columns * size), 'white')
    for k, tile in enumerate(self._tiles):
      sprite.paste(Image.fromarray(tile).resize((size, size), Image.BILINEAR),
                   (k % columns * size, k // columns * size))
    with self._open(_SPRITE, 'wb') as output:
      sprite.save(output, 'PNG')
    return size


def _as_points(values):
  """Returns values [n, ...] as [n, channels]."""
  return values.reshape(len(values), -1, values.shape[-1]).mean(axis=1)
