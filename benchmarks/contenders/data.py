"""Writes what the contenders read: JPEGs as files and records, digits.

  python -m benchmarks.contenders.data DIRECTORY

DIRECTORY/jpegs has a directory per class, DIRECTORY/jpeg their records,
DIRECTORY/digits those of the bundled digits and DIRECTORY/MNIST/raw the digits
as torchvision reads them.
"""
import contextlib
import glob
import gzip
import io
import os
import shutil
import sys

import numpy as np

from benchmarks import common
from benchmarks.contenders import inputs
from slim_common import runtime

_NUM_IMAGES, _CLASSES = 256, 10
_HEIGHT, _WIDTH = 375, 500


def write(directory):
  """Writes all of it."""
  from datasets import download_and_convert_image_folder
  from datasets import download_and_convert_mnist
  jpegs, raw = (os.path.join(directory, name)
                for name in ('jpegs', os.path.join('MNIST', 'raw')))
  random = np.random.RandomState(0)
  for index in range(_NUM_IMAGES):
    parent = os.path.join(jpegs, 'class %d' % (index % _CLASSES))
    os.makedirs(parent, exist_ok=True)
    with open(os.path.join(parent, '%04d.jpg' % index), 'wb') as target:
      target.write(inputs.encode(random, _HEIGHT, _WIDTH, 'jpeg'))
  os.makedirs(raw)
  for path in glob.glob(os.path.join(common.DIGITS, '*.gz')):
    name = os.path.basename(path)[:-len('.gz')]
    with gzip.open(path) as source, open(
        os.path.join(raw, name), 'wb') as target:
      shutil.copyfileobj(source, target)
  with contextlib.redirect_stdout(io.StringIO()):
    download_and_convert_mnist.run(
        os.path.join(directory, 'digits'), source=common.DIGITS)
    download_and_convert_image_folder.run(
        os.path.join(directory, 'jpeg'), jpegs, num_validation=0)


if __name__ == '__main__':
  runtime.start()
  write(sys.argv[1])
