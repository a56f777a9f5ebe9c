"""Reads the weights in Keras files: .h5 of all years, .weights.h5, .keras."""
import io
import re
from typing import Dict
import zipfile

import numpy as np

# The file of the weights in a .keras archive.
WEIGHTS = 'model.weights.h5'
# Keras 3 numbers the weights of a layer; here are their names, by the layer's
# class and how many there are.
_CONV, _DEPTHWISE = ('kernel', 'bias'), ('depthwise_kernel', 'bias')
_NAMES = {
    'conv2d': _CONV, 'dense': _CONV, 'depthwise_conv2d': _DEPTHWISE,
    'separable_conv2d': ('depthwise_kernel', 'pointwise_kernel', 'bias')}
_NORM = ('gamma', 'beta', 'moving_mean', 'moving_variance')
# Names of weights in files of Keras 1, at the end of that of the layer.
_KERAS_1 = (
    (re.compile(r'_W(_\d+)?$'), 'kernel'), (re.compile(r'_b(_\d+)?$'), 'bias'),
    (re.compile(r'_gamma(_\d+)?$'), 'gamma'),
    (re.compile(r'_beta(_\d+)?$'), 'beta'),
    (re.compile(r'_running_mean(_\d+)?$'), 'moving_mean'),
    # It holds the variance all the same.
    (re.compile(r'_running_std(_\d+)?$'), 'moving_variance'))
# Layers that nobody named: their numbers depend on what was built before.
_AUTOMATIC = re.compile(r'^(conv2d|batch_normalization)(?:_(\d+))?$')


def read_archive(path: str) -> Dict[str, np.ndarray]:
  """Returns the weights of a .keras file; see `read_h5`."""
  try:
    with zipfile.ZipFile(path) as archive:
      content = archive.read(WEIGHTS)
  except zipfile.BadZipFile as error:
    raise ValueError('%s is no complete .keras file: %s.' % (path, error))
  return read_h5(io.BytesIO(content), path)


def read_h5(file, path: str = '') -> Dict[str, np.ndarray]:
  """Returns the weights of a file, {layer/weight: array}.

  Names of layers are in lower case, with _ for / and bn for batchnorm, as
  versions of Keras differ in these. Unnamed layers are numbered from 0 in the
  order of their creation: conv2d_0, batch_normalization_0.

  Args:
    file: path of the file, or an open file.
    path: path for messages, if `file` is open.

  Raises:
    ValueError: the file is damaged, or lacks the names of the layers.
    ImportError: h5py is not installed.
  """
  import h5py  # pylint: disable=g-import-not-at-top
  path = path or file
  try:
    with h5py.File(file, 'r') as content:
      root = content.get('model_weights', content)
      if 'layers' in root:
        layers = _of_keras_3(root['layers'], path)
      elif 'layer_names' in root.attrs:
        layers = _of_keras_2(root)
      else:
        raise ValueError('it has no layers of Keras')
  except (OSError, KeyError, ValueError, RuntimeError) as error:
    raise ValueError('%s is refused: %s.' % (path, str(error).rstrip('.')))
  numbers = _renumbered(layers)
  return {'%s/%s' % (numbers.get(layer, _normal(layer)), name): value
          for layer, weights in layers.items()
          for name, value in weights.items()}


def _text(value):
  return value.decode('utf-8') if isinstance(value, bytes) else str(value)


def _of_keras_2(root):
  layers = {}
  for layer in map(_text, root.attrs['layer_names']):
    group = root[layer]
    weights = {}
    for name in map(_text, group.attrs['weight_names']):
      last = name.split(':')[0].split('/')[-1]
      for pattern, kind in _KERAS_1:
        last = kind if pattern.search(last) else last
      weights[last] = np.array(group[name])
    if weights:
      layers[layer] = weights
  return layers


def _of_keras_3(root, path):
  layers = {}
  for group_name in root:
    group = root[group_name].get('vars')
    if not group:
      continue
    if 'name' not in group.attrs:
      raise ValueError('it has numbers instead of names of layers, as Keras '
                       '3.0 wrote; save %s with a later Keras 3' % path)
    values = [np.array(group[str(index)]) for index in range(len(group))]
    kind = re.sub(r'_\d+$', '', group_name)
    if kind == 'batch_normalization':
      names = _NORM if len(values) == 4 else _NORM[4 - len(values):]
    else:
      names = _NAMES.get(kind, ())
    layers[_text(group.attrs['name'])] = dict(zip(names, values))
  return layers


def _normal(layer):
  return layer.lower().replace('/', '_').replace('batchnorm', 'bn')


def _renumbered(layers):
  """Returns {name of an unnamed layer: its name from 0}."""
  found = {}
  for layer in layers:
    match = _AUTOMATIC.match(layer)
    if match:
      found.setdefault(match.group(1), []).append(
          (int(match.group(2) or 0), layer))
  return {layer: '%s_%d' % (kind, index) for kind, numbered in found.items()
          for index, (_, layer) in enumerate(sorted(numbered))}
