"""Writes the weights of a trained network for other frameworks."""
import collections
import re

import numpy as np
import tf_slim as slim

from image_classifier.import_weights import name_rules
from image_classifier.import_weights import network as networks
from image_classifier.import_weights import safetensors_files
from image_classifier.import_weights.tables import keras_names
from nets import variants

KERAS, SAFETENSORS = 'keras_weights.h5', 'model.safetensors'
# Layers that are convolutions here and fully connected in Keras.
_DENSE = ('fc1', 'fc2', 'predictions')
# The first layer that Keras numbers has no number.
_FIRST = re.compile(r'(?<=^conv2d)_0$|(?<=^batch_normalization)_0$')


def check_keras(model_name: str, variant: str):
  """Raises ValueError if Keras applications do not compute like a network."""
  row = keras_names.ROWS.get(model_name)
  if row is None:
    raise ValueError(
        '--keras: Keras applications do not have %s. They have %s; '
        '--safetensors writes the weights of any network.' % (
            model_name, ', '.join(keras_names.ROWS)))
  if row.variant != variant:
    raise ValueError(
        '--keras: %s was trained as --network_variant=%s, and Keras '
        'applications compute as %s; the difference: %s. --safetensors writes '
        'the weights of any network.' % (
            model_name, variant, row.variant, variants.VARIANTS[
                variant if row.variant == variants.SLIM else row.variant
            ].differences))


def write_safetensors(path, session, model_name):
  """Writes all weights, under their names with dots instead of slashes.

  Kernels keep the layout of TensorFlow, [height, width, in, out].
  """
  values = _values(session)
  safetensors_files.write(path, {
      name.replace('/', '.'): np.asarray(value, np.float32)
      for name, value in values.items()}, {
          'format': 'tf', 'model_name': model_name, 'kernels': 'HWIO'})


def write_keras(path, session, model_name):
  """Writes the weights of a network of Keras applications as .h5.

  `model.load_weights('keras_weights.h5', by_name=True)` loads them. Layers that
  Keras itself numbers are called as in the first model of a process.

  Raises:
    ImportError: h5py is not installed.
    ValueError: there is a layer that Keras' network does not have.
  """
  row = keras_names.ROWS[model_name]
  values = _values(session)
  root = networks.root_of(values)
  layers = networks.layers_of(
      {name: list(value.shape) for name, value in values.items()}, root)
  shift = networks.epsilon_of(session.graph) - row.epsilon
  # The two parts of a separable convolution are one layer.
  found = collections.OrderedDict()
  for layer, names in name_rules.of_layers(layers, row.rules):
    if names is None and name_rules.is_auxiliary(layer.scope):
      continue
    if names is None:
      raise ValueError(
          '--keras: the network of Keras applications has no layer for %s%s. '
          '--safetensors writes the weights of any network.' % (
              root, layer.scope))
    if layer.conv:
      weights = _conv(values, root, layer, names.conv)
      if layer is layers[0] and row.swap_colors:
        weights[0] = weights[0][0], weights[0][1][:, :, ::-1]
      if row.has_biases and len(weights) == 1:
        weights.append(('bias', np.zeros(weights[0][1].shape[-1], np.float32)))
      found.setdefault(names.conv, []).extend(weights)
    if layer.norm:
      found[names.norm] = _norm(values, root, layer, shift)
  _write_h5(path, found)


def _write_h5(path, layers):
  """Writes {layer: [(name of a weight, array)]}."""
  import h5py  # pylint: disable=g-import-not-at-top
  layers = collections.OrderedDict(
      (_FIRST.sub('', name), weights) for name, weights in layers.items())
  with h5py.File(path, 'w') as file:
    file.attrs['backend'] = b'tensorflow'
    file.attrs['keras_version'] = b'2.15.0'
    for name, weights in layers.items():
      _write_layer(file, name, weights)
    file.attrs['layer_names'] = [name.encode() for name in layers]


def _values(session):
  variables = slim.get_model_variables()
  return dict(zip([variable.op.name for variable in variables],
                  session.run(variables)))


def _conv(values, root, layer, name):
  """Returns [(name of a weight, array)] of a convolution."""
  weights = []
  for last, known in (('weights', 'kernel'),
                      ('depthwise_weights', 'depthwise_kernel'),
                      ('pointwise_weights', 'pointwise_kernel'),
                      ('biases', 'bias')):
    if last in layer.conv:
      value = values['%s%s/%s' % (root, layer.scope, last)]
      if name in _DENSE and value.ndim == 4:
        value = value.reshape([-1, value.shape[-1]])
      weights.append((known, value))
  return weights


def _norm(values, root, layer, shift):
  """Returns the same of a batch normalization of another epsilon."""
  return [(last, values['%s%s/%s' % (root, layer.norm_scope, last)] + (
      np.float32(shift) if last == 'moving_variance' else 0))
          for last in ('gamma', 'beta', 'moving_mean', 'moving_variance')
          if last in layer.norm]


def _write_layer(file, name, weights):
  group = file.create_group(name)
  group.attrs['weight_names'] = [
      ('%s/%s:0' % (name, kind)).encode() for kind, _ in weights]
  for kind, value in weights:
    group['%s/%s:0' % (name, kind)] = value
