"""Prints how many images per second are converted to TFRecord files.

  python -m benchmarks.convert [--source=DIR] [--dataset_dir=DIR]

It converts a directory of IDX files (MNIST's or Fashion-MNIST's), or, without
one, 70,000 images made of the bundled digits, with one process and with one per
core. Then every record is decoded and compared with its source. `converting`
is from reading the source to the published dataset; `in all` is the whole run
of the program, the start of Python and TensorFlow included; `CPU` is the CPU
time of its processes, which other programs disturb little. Then a directory of
JPEGs is converted (--jpegs=0 leaves that out).
"""
import argparse
import gzip
import io
import os
import shutil
import subprocess
import sys
import tempfile

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')

# pylint: disable=wrong-import-position
import numpy as np
from PIL import Image
import tensorflow.compat.v1 as tf

from benchmarks import common
from benchmarks import jpeg_folder
from datasets import download_and_convert_mnist
from datasets.conversion import idx

_IMAGE_SIZE, _CLASSES = (28, 28), 10
_STEMS = {'train': ('train', 60000), 'test': ('t10k', 10000)}


def make_source(directory):
  """Writes 70,000 images in MNIST's format: the bundled digits repeated."""
  sample = idx.read_splits(common.DIGITS, _IMAGE_SIZE, _CLASSES)
  for split, (stem, count) in _STEMS.items():
    for kind, values in zip(('images-idx3', 'labels-idx1'), sample[split]):
      values = np.resize(values, (count,) + values.shape[1:3])
      header = bytes([0, 0, 8, values.ndim]) + np.array(
          values.shape, '>u4').tobytes()
      path = os.path.join(directory, '%s-%s-ubyte.gz' % (stem, kind))
      with gzip.open(path, 'wb', 1) as target:
        target.write(header + values.tobytes())


def time_converting(source, directory, num_workers):
  """Returns the wall-clock and CPU seconds of a conversion in this process."""
  return jpeg_folder.time_converting(
      source, directory, num_workers, download_and_convert_mnist.run)


def time_program(source, directory, num_workers):
  """Returns the wall-clock and CPU seconds of a run of the program."""
  start = common.now()
  subprocess.check_call([
      sys.executable, os.path.join(common.ROOT, 'download_and_convert_data.py'),
      '--dataset_name=mnist', '--overwrite', '--dataset_dir=' + directory,
      '--source=' + source, '--num_workers=%d' % num_workers],
                        stdout=subprocess.DEVNULL)
  return common.since(start)


def verify(source, directory):
  """Compares every record with its source; returns the number of records.

  Raises:
    ValueError: an image or a label differs, or one is missing.
  """
  verified = 0
  for split, (images, labels) in idx.read_splits(
      source, _IMAGE_SIZE, _CLASSES).items():
    path = os.path.join(directory, 'mnist_%s.tfrecord' % split)
    count = 0
    for record in tf.python_io.tf_record_iterator(path):
      features = tf.train.Example.FromString(record).features.feature
      png = features['image/encoded'].bytes_list.value[0]
      label = features['image/class/label'].int64_list.value[0]
      pixels = np.asarray(Image.open(io.BytesIO(png)))
      if label != labels[count] or not np.array_equal(
          pixels, images[count, ..., 0]):
        raise ValueError('%s: record %d is not its source' % (path, count))
      count += 1
    if count != len(labels):
      raise ValueError('%s: %d records of %d' % (path, count, len(labels)))
    verified += count
  return verified


def main():
  cores = os.cpu_count()
  parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
  parser.add_argument('--source', help='directory of IDX files')
  parser.add_argument('--dataset_dir', type=common.directory,
                      help='where to write temporary files')
  parser.add_argument(
      '--num_workers', type=int, default=cores,
      help='processes of the second run; left out, one per core, %d' % cores)
  parser.add_argument('--jpegs', type=int, default=6000, help='number of JPEGs')
  arguments = parser.parse_args()
  tf.logging.set_verbosity(tf.logging.ERROR)
  work = tempfile.mkdtemp(dir=arguments.dataset_dir)
  try:
    source, directory = arguments.source or work, os.path.join(
        work, 'converted')
    if source == work:
      make_source(source)
    total = sum(len(labels) for _, labels in idx.read_splits(
        source, _IMAGE_SIZE, _CLASSES).values())
    print('%d images' % total)
    for num_workers in sorted({1, arguments.num_workers}):
      for title, measure in (('converting', time_converting),
                             ('in all', time_program)):
        seconds, cpu = measure(source, directory, num_workers)
        print('%d worker%s, %-10s %6d images/s (%.1f s, CPU %.1f s)' % (
            num_workers, 's' if num_workers > 1 else '', title,
            total / seconds, seconds, cpu))
    print('%d records decoded: all equal their source' % verify(
        source, directory))
    if arguments.jpegs:
      jpeg_folder.run(work, arguments.jpegs, arguments.num_workers)
  finally:
    shutil.rmtree(work)


if __name__ == '__main__':
  main()
