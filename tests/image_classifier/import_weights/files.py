"""Files of weights as other frameworks write them, made without these."""
import contextlib
import io
import pickle
import sys
import types
import zipfile

import numpy as np

from image_classifier.import_weights import flat_buffer
from image_classifier.import_weights import formats
from image_classifier.import_weights import importing
from image_classifier.import_weights import name_rules
from image_classifier.import_weights import network as networks


def tensors_of(source, model_name, num_classes=1000):
  """Returns random weights of a network, {name: array}, as a source has them.

  Convolutions are of the standard deviation that keeps that of their input.
  """
  row = importing.module_of(source).ROWS[model_name]
  network = networks.describe(model_name, num_classes, row.variant)
  is_keras = source.startswith('keras')
  random = np.random.RandomState(0)
  tensors = {}
  for layer, names in name_rules.of_layers(network.layers, row.rules):
    for last, shape in layer.conv.items():
      value = random.normal(0, np.prod(shape[:3]) ** -0.5, shape)
      if source == 'tflite':
        last = 'bias' if last == 'biases' else 'kernel'
        tensors['%s/%s' % (names.conv, last)] = value
      else:
        tensors.update(_conv(names.conv, last, value, is_keras))
    if source == 'tflite' and layer.norm:
      tensors[names.conv + '/bias'] = random.uniform(
          -0.5, 0.5, layer.norm['beta'])
      continue
    for last, shape in layer.norm.items():
      value = random.uniform(0.5, 1.5, shape)
      tensors['%s%s' % (names.norm, _NORM[is_keras][last])] = value
  return {name: value.astype(np.float32) for name, value in tensors.items()}


_NORM = {
    True: {'gamma': '/gamma', 'beta': '/beta', 'moving_mean': '/moving_mean',
           'moving_variance': '/moving_variance'},
    False: {'gamma': '.weight', 'beta': '.bias', 'moving_mean': '.running_mean',
            'moving_variance': '.running_var'}}


def _conv(name, last, value, is_keras):
  """Returns {name there: array} of a variable of a convolution."""
  if last == 'biases':
    return {name + ('/bias' if is_keras else '.bias'): value}
  if is_keras:
    kind = '/kernel' if last == 'weights' else '/depthwise_kernel'
    return {name + kind: value}
  axes = (3, 2, 0, 1) if last == 'weights' else (2, 3, 0, 1)
  return {name + '.weight': value.transpose(axes)}


def write_h5(path, tensors):
  """Writes weights as Keras 2 does."""
  import h5py
  layers = {}
  for name in tensors:
    layers.setdefault(name.rsplit('/', 1)[0], []).append(name)
  with h5py.File(str(path), 'w') as file:
    file.attrs['layer_names'] = [name.encode() for name in layers]
    for layer, names in layers.items():
      group = file.create_group(layer)
      group.attrs['weight_names'] = [(name + ':0').encode() for name in names]
      for name in names:
        group[name + ':0'] = tensors[name]


def write_keras_3(file, layers):
  """Writes {(class, name): list of arrays} as Keras 3 does."""
  import h5py
  with h5py.File(file, 'w') as content:
    for index, ((kind, name), values) in enumerate(layers.items()):
      group = content.create_group('layers/%s%s/vars' % (
          kind, '_%d' % index if index else ''))
      if name:
        group.attrs['name'] = name
      for number, value in enumerate(values):
        group[str(number)] = value


def write_tflite(path, tensors, types=None, activations=None):
  """Writes weights in the order of their layers, as TensorFlow Lite does.

  Args:
    path: path of the file.
    tensors: {'layer_NUMBER/kernel' or '.../bias': array}.
    types: {name: number of another type of tensors}, for those of one byte.
    activations: {name of a kernel: number of the activation behind it}.
  """
  names, operations = list(tensors), []
  for index, name in enumerate(names):
    if name.endswith('/kernel'):
      value = tensors[name]
      # Kernels of a single output channel for each input are depthwise.
      is_depthwise = value.ndim == 4 and value.shape[3] == 1
      bias = name.replace('/kernel', '/bias')
      bias = names.index(bias) if bias in tensors else -1
      operations.append({
          0: flat_buffer.Scalar('I', int(is_depthwise)),
          1: flat_buffer.Numbers('i', (-1, index, bias)),
          # The activation of a depthwise convolution is a field further.
          4: {3 + is_depthwise: flat_buffer.Scalar(
              'b', (activations or {}).get(name, 0))}})
  there = {name: value.transpose(3, 0, 1, 2) if value.ndim == 4 else value
           for name, value in tensors.items()}
  root = {
      1: [{0: flat_buffer.Scalar('b', code)} for code in (3, 4)],
      2: [{0: [{0: flat_buffer.Numbers('i', there[name].shape),
                1: flat_buffer.Scalar('b', (types or {}).get(name, 0)),
                2: flat_buffer.Scalar('I', index), 3: name}
               for index, name in enumerate(names)], 3: operations}],
      4: [{0: there[name].tobytes()} for name in names]}
  path.write_bytes(flat_buffer.build(root, b'TFL3'))


class _Storage:
  """Stands for the bytes of a tensor, which torch.save puts elsewhere."""

  def __init__(self, value):
    self.value = value


class _Tensor:
  """Is pickled like a tensor of torch."""

  def __init__(self, value, rebuild):
    self.value, self.rebuild = value, rebuild

  def __reduce__(self):
    value = self.value
    strides = tuple(stride // value.itemsize for stride in value.strides)
    return self.rebuild, (
        _Storage(value), 0, value.shape, strides, False, {})


def write_pth(path, tensors, extra=None):
  """Writes tensors as torch.save does since PyTorch 1.6."""
  stored, content = [], io.BytesIO()
  with _stand_in_for_torch() as torch:

    class Pickler(pickle.Pickler):

      def persistent_id(self, obj):
        if not isinstance(obj, _Storage):
          return None
        stored.append(obj.value)
        return ('storage', torch.FloatStorage, str(len(stored) - 1), 'cpu',
                obj.value.size)

    Pickler(content, protocol=2).dump(dict({
        name: _Tensor(np.ascontiguousarray(value),
                      torch._utils._rebuild_tensor_v2)
        for name, value in tensors.items()}, **(extra or {})))
  with zipfile.ZipFile(str(path), 'w') as archive:
    archive.writestr('archive/data.pkl', content.getvalue())
    for index, value in enumerate(stored):
      archive.writestr('archive/data/%d' % index, value.tobytes())


@contextlib.contextmanager
def _stand_in_for_torch():
  """Yields a module `torch` with the names that a pickle of tensors needs."""
  torch, utilities = map(types.ModuleType, ('torch', 'torch._utils'))

  def _rebuild_tensor_v2():
    pass

  class FloatStorage:
    pass

  for value, module in ((_rebuild_tensor_v2, utilities), (FloatStorage, torch)):
    # Pickle finds them by these names.
    value.__module__, value.__qualname__ = module.__name__, value.__name__
    setattr(module, value.__name__, value)
  torch._utils = utilities
  saved = {name: sys.modules.get(name) for name in ('torch', 'torch._utils')}
  sys.modules.update({'torch': torch, 'torch._utils': utilities})
  try:
    yield torch
  finally:
    for name, module in saved.items():
      sys.modules.pop(name)
      if module is not None:
        sys.modules[name] = module


def read(path):
  """Returns the tensors of a file."""
  return formats.read(str(path))[1]
