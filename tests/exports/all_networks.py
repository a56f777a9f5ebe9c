"""Exports every network in every form and compares it with its checkpoint.

  python -m tests.exports.all_networks [NETWORK ...]

Weights are random, classes 10, image sizes those of _SIZES. Each network runs
in a new process and gets a row: the largest difference of the logits from those
of the checkpoint's graph, as a fraction of the largest logit, for

  frozen, folded     the frozen graph, with batch normalization and folded
  saved, saved_fold  the SavedModel of each
  tflite             TensorFlow Lite
  batch              the frozen graph on a batch of 3, against one by one

and whether the network takes images of any size (free) or of one (fixed). The
nodes of each architecture are checked, too. A network that fails does not stop
the others: the error is printed below its row, the last line has the command to
run it again, and the exit status is 1. The tolerances are verify.TOLERANCES; a
batch has that of the frozen graph.
"""
import dataclasses
import os
import re
import subprocess
import sys
import tempfile
import time

# The name of a form in the output of the export, and the title of its column.
_FORMS = (('frozen', 'frozen'), ('folded', 'folded'), ('saved_model', 'saved'),
          ('saved_model_folded', 'saved_fold'), ('tflite', 'tflite'),
          ('batch', 'batch'))
_VERIFIED = re.compile(r'^Verified (\w+): largest difference (\S+) ', re.M)
_SIZE_LINES = re.compile(r'^Sizes: (\w+)$', re.M)
_WIDTHS = '%-32s %4s ' + ' '.join(['%10s'] * len(_FORMS)) + ' %6s %7s'
# Height and width of the images, by the first prefix of the network's name.
# Other networks end in layers of a fixed size, and get their default size.
_SIZES = (
    ('inception_v1', 224),
    ('inception', 107),
    ('resnet', 65),
    ('mobilenet', 64),
    ('nasnet_cifar', 32),
    ('nasnet', 64),
    ('pnasnet', 64),
    ('i3d', 64),
    ('s3dg', 64),
)
_FRAMES = 16
_CLASSES = 10
# TensorFlow Lite of 1.15 has no convolution over time.
_NOT_IN_TFLITE = ('i3d', 's3dg')


def main(names):
  """Runs the networks named, all if none is, and returns the exit status."""
  from nets import nets_factory
  names = list(names or nets_factory.networks_map)
  left = list(names)
  try:
    print(_WIDTHS % (('network', 'size') + tuple(
        title for _, title in _FORMS) + ('sizes', 'seconds')))
    for name in names:
      if _run(name):
        left.remove(name)
  except KeyboardInterrupt:
    print('Interrupted.')
  print("Again: make test-exports NETWORKS='%s'" % ' '.join(left) if left
        else 'All networks agree with their checkpoints.')
  return 1 if left else 0


def _run(name):
  """Runs one network in a new process; returns whether it succeeds."""
  started = time.time()
  result = subprocess.run(
      [sys.executable, '-W', 'ignore', '-m', 'tests.exports.all_networks',
       '--one', name], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
      universal_newlines=True)
  found = dict(_VERIFIED.findall(result.stdout))
  sizes = _SIZE_LINES.findall(result.stdout) or ['-']
  print(_WIDTHS % ((name, _image_size(name)) + tuple(
      found.get(form, '-') for form, _ in _FORMS) + (
          sizes[0], '%.0f' % (time.time() - started))), flush=True)
  if result.returncode:
    print('  status %d: %s' % (result.returncode, '\n  '.join(
        result.stderr.strip().splitlines()[-3:])), flush=True)
  return not result.returncode


def _image_size(name):
  from nets import nets_factory
  sizes = [size for prefix, size in _SIZES if name.startswith(prefix)]
  return sizes[0] if sizes else (
      nets_factory.networks_map[name].default_image_size)


def _one(name):
  """Exports one network; the export prints the comparisons."""
  import tensorflow.compat.v1 as tf

  from benchmarks.contenders import random_checkpoint
  from image_classifier import options
  from image_classifier.export import export
  from nets import nets_factory
  tf.disable_v2_behavior()
  frames = _FRAMES if nets_factory.takes_video(name) else None
  with tempfile.TemporaryDirectory() as directory:
    asked = dataclasses.replace(
        options.Export(), model_name=name, num_classes=_CLASSES,
        image_size=_image_size(name), is_video_model=bool(frames),
        num_frames=frames)
    _check_architecture(asked, os.path.join(directory, 'graph.pb'))
    trained = dataclasses.replace(
        asked, verify=True, overwrite=True,
        checkpoint_path=random_checkpoint.save(
            name, asked.image_size, directory, _CLASSES, frames),
        output_dir=os.path.join(directory, 'export'),
        tflite=name not in _NOT_IN_TFLITE)
    export.export(trained)
    _check_frozen(asked, trained.output_dir)
    export.export(dataclasses.replace(
        trained, fold_batch_norm=True, tflite=False))


def _check_architecture(asked, path):
  """Writes the architecture, for any size if that is possible; checks it."""
  import tensorflow.compat.v1 as tf

  from image_classifier.export import export
  from tests.nets import manifests
  try:
    export.export(dataclasses.replace(
        asked, output_file=path, free_image_size=True))
    size = [-1, -1]
  except ValueError as error:
    if 'one size only' not in str(error):
      raise
    export.export(dataclasses.replace(asked, output_file=path))
    size = [asked.image_size] * 2
  print('Sizes: %s' % ('free' if size == [-1, -1] else 'fixed'))
  definition = tf.GraphDef()
  with open(path, 'rb') as file:
    definition.ParseFromString(file.read())
  nodes = {node.name: node for node in definition.node}
  historic = manifests.read(asked.model_name)['evaluation']
  for node in ('input', 'logits', 'predictions', historic['net'],
               historic['predictions']):
    if node and node not in nodes:
      raise ValueError('The architecture has no node %s.' % node)
  shape = [dim.size for dim in nodes['input'].attr['shape'].shape.dim]
  expected = [-1] + [asked.num_frames] * asked.is_video_model + size + [3]
  if nodes['input'].op != 'Placeholder' or shape != expected:
    raise ValueError('The input is %s %s, expected %s.' % (
        nodes['input'].op, shape, expected))


def _check_frozen(asked, directory):
  """Checks batches and predictions of the frozen graph."""
  import numpy as np

  from image_classifier.export import calibration_images
  from image_classifier.export import verify
  from image_classifier.inference import backends
  backend = backends.load(
      os.path.join(directory, 'frozen_inference_graph.pb'))
  images = calibration_images.random_images(
      [asked.num_frames] * asked.is_video_model + [asked.image_size] * 2 + [3],
      3)
  logits, predictions = backend.run(images)
  alone = np.concatenate(
      [backend.run(image[None])[0] for image in images])
  difference = np.abs(logits - alone).max() / np.abs(alone).max()
  tolerance = verify.TOLERANCES['frozen']
  print('Verified batch: largest difference %.1e ' % difference)
  if not difference <= tolerance:
    raise ValueError('A batch of 3 differs from one by one by %.1e, tolerance '
                     '%.0e.' % (difference, tolerance))
  powers = np.exp(logits - logits.max(axis=1, keepdims=True))
  np.testing.assert_allclose(
      predictions, powers / powers.sum(axis=1, keepdims=True), atol=1e-5)


if __name__ == '__main__':
  if sys.argv[1:2] == ['--one']:
    _one(sys.argv[2])
  else:
    sys.exit(main(sys.argv[1:]))
