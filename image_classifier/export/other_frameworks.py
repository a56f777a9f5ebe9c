"""Writes the weights of a trained network for other frameworks."""
import numpy as np
import tf_slim as slim

from image_classifier.import_weights import keras_names
from image_classifier.import_weights import name_rules
from image_classifier.import_weights import network as networks
from image_classifier.import_weights import safetensors_files

KERAS, SAFETENSORS = 'keras_weights.h5', 'model.safetensors'
# Layers that are convolutions here and fully connected in Keras.
_DENSE = ('fc1', 'fc2', 'predictions')


def check_keras(model_name: str, variant: str):
  """Raises ValueError if Keras applications do not compute like a network."""
  if model_name in keras_names.EXPORTED and variant == 'slim':
    return
  raise ValueError(
      '--keras: Keras applications do not have %s as it is here. Those that '
      'agree are %s; --safetensors writes the weights of any network.' % (
          model_name, ', '.join(keras_names.EXPORTED)))


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

  `model.load_weights('keras_weights.h5', by_name=True)` loads them.

  Raises:
    ImportError: h5py is not installed.
  """
  import h5py  # pylint: disable=g-import-not-at-top
  row = keras_names.ROWS[model_name]
  values = _values(session)
  root = next(iter(values)).split('/')[0]
  layers = networks.layers_of(
      {name: list(value.shape) for name, value in values.items()}, root)
  with h5py.File(path, 'w') as file:
    file.attrs['backend'] = b'tensorflow'
    file.attrs['keras_version'] = b'2.15.0'
    written = []
    for layer in layers:
      names = name_rules.find(layer.scope, row.rules)
      for name, weights in (
          (names.conv, _conv(values, root, layer, names.conv)),
          (names.norm, _norm(values, root, layer))):
        if not weights:
          continue
        if layer is layers[0] and name == names.conv and row.swap_colors:
          weights[0] = weights[0][0], weights[0][1][:, :, ::-1]
        _write_layer(file, name, weights)
        written.append(name)
    file.attrs['layer_names'] = [name.encode() for name in written]


def _values(session):
  variables = slim.get_model_variables()
  return dict(zip([variable.op.name for variable in variables],
                  session.run(variables)))


def _conv(values, root, layer, name):
  """Returns [(name of a weight, array)] of a convolution."""
  weights = []
  for last, known in (('weights', 'kernel'),
                      ('depthwise_weights', 'depthwise_kernel'),
                      ('biases', 'bias')):
    if last in layer.conv:
      value = values['%s/%s/%s' % (root, layer.scope, last)]
      if name in _DENSE and value.ndim == 4:
        value = value.reshape([-1, value.shape[-1]])
      weights.append((known, value))
  return weights


def _norm(values, root, layer):
  return [(last, values['%s/%s/%s' % (root, layer.norm_scope, last)])
          for last in ('gamma', 'beta', 'moving_mean', 'moving_variance')
          if last in layer.norm]


def _write_layer(file, name, weights):
  group = file.create_group(name)
  group.attrs['weight_names'] = [
      ('%s/%s:0' % (name, kind)).encode() for kind, _ in weights]
  for kind, value in weights:
    group['%s/%s:0' % (name, kind)] = value
