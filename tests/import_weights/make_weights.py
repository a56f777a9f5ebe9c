"""Makes random weights with another framework, and its logits for them.

  python -m tests.import_weights.make_weights SOURCE NETWORK DIRECTORY

Runs in the environment of requirements/peers.txt, without this library. Writes
DIRECTORY/weights.EXTENSION and expected.npz: the images as uint8 and the logits
for their pixels from -1 to 1. Batch normalization gets random statistics, so
that each of them counts.
"""
import os
import sys

import numpy as np

# Network here to its name in timm.
_TIMM = {
    'vgg_16': 'vgg16', 'vgg_19': 'vgg19', 'resnet_v1_50': 'resnet50',
    'resnet_v1_101': 'resnet101', 'resnet_v1_152': 'resnet152',
    'mobilenet_v2': 'mobilenetv2_100', 'mobilenet_v2_140': 'mobilenetv2_140',
    'mobilenet_v3_large': 'tf_mobilenetv3_large_100',
    'mobilenet_v3_large_minimalistic': 'tf_mobilenetv3_large_minimal_100',
    'mobilenet_v3_small': 'tf_mobilenetv3_small_100',
    'mobilenet_v3_small_minimalistic': 'tf_mobilenetv3_small_minimal_100',
    'inception_v3': 'inception_v3', 'inception_v4': 'inception_v4',
    'inception_resnet_v2': 'inception_resnet_v2'}
_TORCHVISION = {
    'vgg_16': 'vgg16', 'vgg_19': 'vgg19', 'resnet_v1_50': 'resnet50',
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
    'mobilenet_v3_small_minimalistic': ('MobileNetV3Small', {'minimalistic': True}, 'h5')}
# These take the images of Caffe, BGR.
_CAFFE = ('vgg_', 'resnet_v1_')


def main(source, network, directory):
  """Runs the program on its three arguments."""
  makers = {'torchvision': _torchvision, 'timm': _timm, 'keras': _keras}
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
  import keras
  function, arguments, extension = _KERAS[network]
  keras.utils.set_random_seed(1)
  model = getattr(keras.applications, function)(
      weights=None, classifier_activation=None, **arguments)
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
  images = _images(model.input_shape[1] or 224)
  inputs = _pixels(images)
  if network.startswith('mobilenet_v3'):  # It has its own preprocessing.
    inputs = images.astype(np.float32)
  if network.startswith(_CAFFE):
    inputs = inputs[..., ::-1]
  logits = np.array(model(inputs, training=False))
  np.savez(os.path.join(directory, 'expected.npz'), images=images,
           logits=logits)
  path = os.path.join(directory, 'weights.' + extension)
  (model.save_weights if extension == 'weights.h5' else model.save)(path)


if __name__ == '__main__':
  main(*sys.argv[1:])
