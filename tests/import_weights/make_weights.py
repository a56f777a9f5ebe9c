"""Makes random weights with another framework, and its logits for them.

  python -m tests.import_weights.make_weights make SOURCE NETWORK DIRECTORY
  python -m tests.import_weights.make_weights back keras NETWORK DIRECTORY

Runs in the environment of requirements/peers.txt, without this library. `make`
writes DIRECTORY/weights.EXTENSION and expected.npz: the images as uint8 and the
logits for their pixels from -1 to 1. Batch normalization gets random
statistics, so that each of them counts. `back` loads DIRECTORY/back.h5 and
writes the logits for the same images to back.npy.
"""
import os
import sys

import numpy as np

# Network here to its name in timm.
_TIMM = {
    'vgg_a': 'vgg11', 'vgg_16': 'vgg16', 'vgg_19': 'vgg19', 'resnet_v1_50': 'resnet50',
    'resnet_v1_101': 'resnet101', 'resnet_v1_152': 'resnet152',
    'mobilenet_v2': 'mobilenetv2_100', 'mobilenet_v2_140': 'mobilenetv2_140',
    'mobilenet_v3_large': 'tf_mobilenetv3_large_100',
    'mobilenet_v3_large_minimalistic': 'tf_mobilenetv3_large_minimal_100',
    'mobilenet_v3_small': 'tf_mobilenetv3_small_100',
    'mobilenet_v3_small_minimalistic': 'tf_mobilenetv3_small_minimal_100',
    'inception_v3': 'inception_v3', 'inception_v4': 'inception_v4',
    'inception_resnet_v2': 'inception_resnet_v2',
    'nasnet_large': 'nasnetalarge', 'pnasnet_large': 'pnasnet5large'}
_TORCHVISION = {
    'vgg_a': 'vgg11', 'vgg_16': 'vgg16', 'vgg_19': 'vgg19', 'resnet_v1_50': 'resnet50',
    'resnet_v1_101': 'resnet101', 'resnet_v1_152': 'resnet152',
    'mobilenet_v2': 'mobilenet_v2', 'inception_v3': 'inception_v3'}
# Network here to (function of keras.applications, arguments, kind of file).
_KERAS = {
    'vgg_16': ('VGG16', {}, 'h5'), 'vgg_19': ('VGG19', {}, 'keras'),
    'resnet_v1_50': ('ResNet50', {}, 'h5'),
    'resnet_v1_101': ('ResNet101', {}, 'weights.h5'),
    'resnet_v1_152': ('ResNet152', {}, 'keras'),
    'resnet_v2_50': ('ResNet50V2', {}, 'keras'),
    'resnet_v2_101': ('ResNet101V2', {}, 'h5'),
    'resnet_v2_152': ('ResNet152V2', {}, 'weights.h5'),
    'inception_v3': ('InceptionV3', {}, 'weights.h5'),
    'inception_resnet_v2': ('InceptionResNetV2', {}, 'h5'),
    'mobilenet_v1': ('MobileNet', {}, 'keras'),
    'mobilenet_v1_075': ('MobileNet', {'alpha': 0.75}, 'weights.h5'),
    'mobilenet_v1_050': ('MobileNet', {'alpha': 0.5}, 'keras'),
    'mobilenet_v1_025': ('MobileNet', {'alpha': 0.25}, 'h5'),
    'mobilenet_v2': ('MobileNetV2', {}, 'weights.h5'),
    'mobilenet_v2_140': ('MobileNetV2', {'alpha': 1.4}, 'keras'),
    'mobilenet_v2_035': ('MobileNetV2', {'alpha': 0.35}, 'h5'),
    'mobilenet_v3_large': ('MobileNetV3Large', {}, 'h5'),
    'mobilenet_v3_large_minimalistic': ('MobileNetV3Large', {'minimalistic': True}, 'keras'),
    'mobilenet_v3_small': ('MobileNetV3Small', {}, 'keras'),
    'mobilenet_v3_small_minimalistic': ('MobileNetV3Small', {'minimalistic': True}, 'h5'),
    'nasnet_mobile': ('NASNetMobile', {}, 'h5'), 'nasnet_large': ('NASNetLarge', {}, 'keras')}
# Network here to (module of keras_applications 1.0, function, arguments).
_KERAS_2018 = {
    'resnet_v1_50': ('resnet50', 'ResNet50', {}),
    'mobilenet_v2': ('mobilenet_v2', 'MobileNetV2', {}),
    'mobilenet_v2_140': ('mobilenet_v2', 'MobileNetV2', {'alpha': 1.4}),
    'mobilenet_v2_035': ('mobilenet_v2', 'MobileNetV2', {'alpha': 0.35})}
# These take the images of Caffe, BGR.
_CAFFE = ('vgg_', 'resnet_v1_')


# The networks that can be made for each source.
NETWORKS = {'torchvision': _TORCHVISION, 'timm': _TIMM, 'keras': _KERAS,
            'keras_2018': _KERAS_2018,
            'tflite': [name for name in _KERAS if name.startswith('mobilenet')]}


def main(task, source, network, directory):
  """Runs the program on its four arguments."""
  if task == 'back':
    _back(network, directory)
    return
  makers = {'torchvision': _torchvision, 'timm': _timm, 'keras': _keras,
            'keras_2018': _keras_2018, 'tflite': _tflite}
  makers[source](network, directory)


def _images(size):
  return np.random.RandomState(0).randint(
      0, 256, [2, size, size, 3]).astype(np.uint8)


def _pixels(images):
  return (images / 127.5 - 1.0).astype(np.float32)


def _torchvision(network, directory):
  import torch
  import torchvision
  is_inception = network == 'inception_v3'
  options = {'transform_input': False, 'init_weights': False}
  torch.manual_seed(1)
  model = getattr(torchvision.models, _TORCHVISION[network])(
      weights=None, **(options if is_inception else {}))
  _write_torch(model, 299 if is_inception else 224, directory)
  torch.save(model.state_dict(), os.path.join(directory, 'weights.pth'))


def _timm(network, directory):
  import safetensors.torch
  import timm
  import torch
  torch.manual_seed(1)
  model = timm.create_model(_TIMM[network], pretrained=False)
  _write_torch(model, model.default_cfg['input_size'][1], directory)
  safetensors.torch.save_file(
      model.state_dict(), os.path.join(directory, 'weights.safetensors'))


def _write_torch(model, size, directory):
  """Gives a model random statistics, and writes images and logits."""
  import torch
  model.eval()
  random = torch.Generator().manual_seed(2)
  with torch.no_grad():
    for module in model.modules():
      if 'BatchNorm' in type(module).__name__:
        module.weight.uniform_(0.5, 1.5, generator=random)
        module.running_var.uniform_(0.5, 1.5, generator=random)
        for values in module.bias, module.running_mean:
          values.normal_(0.0, 0.1, generator=random)
    images = _images(size)
    logits = model(torch.from_numpy(
        _pixels(images).transpose(0, 3, 1, 2).copy())).numpy()
  np.savez(os.path.join(directory, 'expected.npz'), images=images,
           logits=logits)


def _keras(network, directory):
  extension = _KERAS[network][-1]
  model = _model_of_keras(network)
  _randomize(model)
  _write_expected(model, network, directory)
  path = os.path.join(directory, 'weights.' + extension)
  (model.save_weights if extension == 'weights.h5' else model.save)(path)


def _model_of_keras(network):
  import keras
  keras.utils.set_random_seed(1)
  function, arguments, _ = _KERAS[network]
  return getattr(keras.applications, function)(
      weights=None, classifier_activation=None, **arguments)


def _back(network, directory):
  model = _model_of_keras(network)
  model.load_weights(os.path.join(directory, 'back.h5'), by_name=True)
  images = np.load(os.path.join(directory, 'expected.npz'))['images']
  np.save(os.path.join(directory, 'back.npy'),
          np.array(model(_inputs(network, images), training=False)))


def _keras_2018(network, directory):
  """Builds a network of keras_applications, which Keras had until 2018."""
  import importlib

  import keras
  keras.utils.set_random_seed(1)
  # Keras 3 has no such function.
  keras.backend.int_shape = lambda tensor: tuple(tensor.shape)
  module, function, arguments = _KERAS_2018[network]
  module = importlib.import_module('keras_applications.' + module)
  model = getattr(module, function)(
      weights=None, backend=keras.backend, layers=keras.layers,
      models=keras.models, utils=keras.utils, **arguments)
  # They all end with a softmax.
  model.layers[-1].activation = keras.activations.linear
  _randomize(model)
  _write_expected(model, network, directory)
  model.save(os.path.join(directory, 'weights.h5'))


def _tflite(network, directory):
  """Converts a network of Keras with TensorFlow's own converter."""
  import tensorflow as tf
  model = _model_of_keras(network)
  _randomize(model)
  _write_expected(model, network, directory)
  with open(os.path.join(directory, 'weights.tflite'), 'wb') as file:
    file.write(tf.lite.TFLiteConverter.from_keras_model(model).convert())


def _randomize(model):
  """Gives a model of Keras random statistics and biases."""
  random = np.random.RandomState(2)
  for layer in model.layers:
    values = layer.get_weights()
    if type(layer).__name__ == 'BatchNormalization':
      values = [random.normal(0.0, 0.1, value.shape) for value in values]
      values[-1] = random.uniform(0.5, 1.5, values[-1].shape)
      if layer.scale:
        values[0] = random.uniform(0.5, 1.5, values[0].shape)
    elif getattr(layer, 'use_bias', False) and values:
      values[-1] = random.normal(0.0, 0.1, values[-1].shape)
    layer.set_weights(values)


def _write_expected(model, network, directory):
  images = _images(model.input_shape[1] or 224)
  logits = np.array(model(_inputs(network, images), training=False))
  np.savez(os.path.join(directory, 'expected.npz'), images=images,
           logits=logits)


def _inputs(network, images):
  """Returns what a network of Keras gets for images."""
  if network.startswith('mobilenet_v3'):  # It has its own preprocessing.
    return images.astype(np.float32)
  inputs = _pixels(images)
  return inputs[..., ::-1] if network.startswith(_CAFFE) else inputs


if __name__ == '__main__':
  main(*sys.argv[1:])
