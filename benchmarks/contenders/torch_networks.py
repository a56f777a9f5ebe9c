"""PyTorch as its users write it: DataLoader, training step, inference."""
import json
import os
import random
import sys
import tempfile

import numpy as np
import torch
from torch import nn
from torch.nn import functional
import torchvision
from torchvision import transforms

from benchmarks.contenders import turns

_CLASSES = 10
_MOMENTUM, _RATE, _WEIGHT_DECAY = 0.9, 0.01, 4e-5
_HALF = [0.5] * 3
_IMAGENET_MEAN = [0.485, 0.456, 0.406]
# Outputs and stride of the blocks of MobileNet V1.
_MOBILENET_BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2),
                     (512, 1), (512, 1), (512, 1), (512, 1), (512, 1),
                     (1024, 2), (1024, 1))


def _lenet(classes):
  return nn.Sequential(
      nn.Conv2d(1, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
      nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
      nn.Flatten(), nn.Linear(7 * 7 * 64, 1024), nn.ReLU(), nn.Dropout(0.5),
      nn.Linear(1024, classes))


def _normalized(inputs, outputs, kernel, stride, groups=1):
  return [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2,
                    groups=groups, bias=False),
          nn.BatchNorm2d(outputs, eps=1e-3), nn.ReLU6()]


def _mobilenet_v1(classes, multiplier=1.0):
  width = int(32 * multiplier)
  layers = _normalized(3, width, 3, 2)
  for outputs, stride in _MOBILENET_BLOCKS:
    outputs = int(outputs * multiplier)
    layers += _normalized(width, width, 3, stride, groups=width)
    layers += _normalized(width, outputs, 1, 1)
    width = outputs
  return nn.Sequential(
      *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.001),
      nn.Linear(width, classes))


_NETWORKS = {
    'lenet': _lenet,
    'mobilenet_v1': _mobilenet_v1,
    'mobilenet_v1_025': lambda classes: _mobilenet_v1(classes, 0.25),
    'mobilenet_v2': lambda classes: torchvision.models.mobilenet_v2(
        num_classes=classes),
    'resnet_v1_50': lambda classes: torchvision.models.resnet50(
        num_classes=classes),
    'inception_v3': lambda classes: torchvision.models.inception_v3(
        num_classes=classes, aux_logits=False, init_weights=False),
}


def _network(name, classes):
  return _NETWORKS[name](classes).to(memory_format=torch.channels_last)


class _Trainer:
  """A training step as in PyTorch's tutorials."""

  def __init__(self, name):
    self._network = _network(name, _CLASSES).train()
    self._optimizer = torch.optim.SGD(
        self._network.parameters(), _RATE, _MOMENTUM,
        weight_decay=_WEIGHT_DECAY)

  def step(self, images, labels):
    self._optimizer.zero_grad()
    loss = functional.cross_entropy(self._network(images), labels)
    loss.backward()
    self._optimizer.step()


def _vgg_resize(image):
  return transforms.functional.resize(image, random.randint(256, 512))


def _evaluation_recipe(name, size):
  """Returns the transforms of an evaluation."""
  if name == 'lenet':
    return _recipe(name, size)
  mean, first = _IMAGENET_MEAN, [transforms.Resize(256)]
  if name != 'vgg':
    # Seven eighths of 500 x 375 pixels.
    mean, first = _HALF, [transforms.CenterCrop([328, 437]),
                          transforms.Resize([size, size])]
  return transforms.Compose(first + [
      transforms.CenterCrop(size), transforms.ToTensor(),
      transforms.Normalize(mean, _HALF)])


def _recipe(name, size):
  """Returns the transforms that do what a preprocessing does."""
  if name == 'lenet':
    return transforms.Compose([
        transforms.ToTensor(), transforms.Normalize([0.5], [0.5])])
  if name == 'vgg':
    first, last = [transforms.Lambda(_vgg_resize),
                   transforms.RandomCrop(size)], _IMAGENET_MEAN
  else:
    first, last = [transforms.RandomResizedCrop(size, (0.05, 1))], _HALF
  if name == 'inception':
    first.append(transforms.ColorJitter(32 / 255, 0.5, 0.5, 0.2))
  return transforms.Compose(first + [
      transforms.RandomHorizontalFlip(), transforms.ToTensor(),
      transforms.Normalize(last, _HALF)])


def _batches(work, size, training=True):
  """Yields batches for ever, from as many processes as there are threads."""
  recipe = (_recipe if training else _evaluation_recipe)(
      work['preprocessing'], size)
  if work['preprocessing'] == 'lenet':
    dataset = torchvision.datasets.MNIST(work['data'], training, recipe)
  else:
    dataset = torchvision.datasets.ImageFolder(
        os.path.join(work['data'], 'jpegs'), recipe)
  loader = torch.utils.data.DataLoader(
      dataset, work['batch'], shuffle=training, num_workers=work['threads'],
      drop_last=training, persistent_workers=True)
  while True:
    yield from loader


def input_pipeline(work):
  """Serves batches of the DataLoader."""
  batches = _batches(work, work['size'])
  # Each process holds two batches ready.
  turns.serve(lambda: next(batches), work['batch'], 2 * work['threads'] + 1)


def step(work):
  """Serves the training step on a batch in memory."""
  trainer = _Trainer(work['network'])
  images = torch.rand(work['batch'], work['channels'], work['size'],
                      work['size']).contiguous(
                          memory_format=torch.channels_last)
  labels = torch.randint(_CLASSES, [work['batch']])
  turns.serve(lambda: trainer.step(images, labels), work['batch'])


def end_to_end(work):
  """Serves the training step on batches of the DataLoader."""
  trainer, batches = _Trainer(work['network']), _batches(
      work, work['size'])

  def train():
    images, labels = next(batches)
    trainer.step(images.contiguous(memory_format=torch.channels_last), labels)

  turns.serve(train, work['batch'], warm=2)


def evaluation(work):
  """Serves the accuracy of batches of the DataLoader."""
  network = _network(work['network'], _CLASSES).eval()
  batches = _batches(work, work['size'], training=False)

  def evaluate():
    images, labels = next(batches)
    images = images.contiguous(memory_format=torch.channels_last)
    return (network(images).argmax(1) == labels).sum().item()

  with torch.inference_mode():
    turns.serve(evaluate, work['batch'], warm=2)


def inference(work):
  """Serves the network on one batch, as it is, compiled or by ONNX Runtime."""
  network = _network(work['network'], work['classes']).eval()
  images = torch.from_numpy(np.random.RandomState(0).uniform(
      -1, 1, [work['batch'], 3, work['size'], work['size']]).astype(np.float32))
  run = {'eager': lambda: network, 'compiled': lambda: torch.compile(network),
         'onnx': lambda: _in_onnx_runtime(network, images)}[work['form']]()
  if work['form'] != 'onnx':
    images = images.contiguous(memory_format=torch.channels_last)
  with torch.inference_mode():
    turns.serve(lambda: run(images), work['batch'])


def _in_onnx_runtime(network, images):
  import onnxruntime
  with tempfile.TemporaryDirectory() as directory:
    path = os.path.join(directory, 'network.onnx')
    torch.onnx.export(network.to(memory_format=torch.contiguous_format),
                      images, path, dynamo=False, input_names=['images'])
    session = onnxruntime.InferenceSession(
        path, providers=['CPUExecutionProvider'])
  return lambda images: session.run(None, {'images': images.numpy()})


if __name__ == '__main__':
  _work = json.loads(sys.argv[1])
  {'input': input_pipeline, 'step': step, 'end_to_end': end_to_end,
   'evaluation': evaluation, 'inference': inference}[_work['work']](_work)
