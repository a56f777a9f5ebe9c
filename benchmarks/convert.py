"""Prints how many pictures a second are converted to TFRecord files.

  python -m benchmarks.convert [--source=FOLDER] [--dataset_dir=FOLDER]

It converts a folder of IDX files (MNIST's or Fashion-MNIST's), or, without
one, 70,000 pictures made of the bundled digits, with one process and with one
a core. Then every record is decoded and compared with its source. `converting`
is from reading the source to the published dataset; `in all` is the program's
whole run as a user starts it, Python's and TensorFlow's start included; `CPU`
are the seconds that its processes were at work, which other programs disturb
little. Then a folder of JPEGs becomes a dataset (--jpegs=0 leaves that out).
"""
import argparse
import contextlib
import gzip
import io
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')

# pylint: disable=wrong-import-position
import numpy as np
from PIL import Image
import tensorflow.compat.v1 as tf

from benchmarks import jpeg_folder
from datasets import download_and_convert_mnist
from datasets.conversion import idx

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_SAMPLE = os.path.join(_ROOT, 'datasets', 'samples', 'mnist')
_IMAGE_SIZE, _CLASSES = (28, 28), 10
_STEMS = {'train': ('train', 60000), 'test': ('t10k', 10000)}


def make_source(folder):
  """Writes 70,000 pictures in MNIST's form: the bundled digits repeated."""
  sample = idx.read_splits(_SAMPLE, _IMAGE_SIZE, _CLASSES)
  for split, (stem, count) in _STEMS.items():
    for kind, values in zip(('images-idx3', 'labels-idx1'), sample[split]):
      values = np.resize(values, (count,) + values.shape[1:3])
      header = bytes([0, 0, 8, values.ndim]) + np.array(
          values.shape, '>u4').tobytes()
      path = os.path.join(folder, '%s-%s-ubyte.gz' % (stem, kind))
      with gzip.open(path, 'wb', 1) as target:
        target.write(header + values.tobytes())


def time_converting(source, folder, num_workers):
  """Returns the wall-clock and CPU seconds of a conversion from here."""
  start, cpu_before = time.time(), _cpu_seconds()
  with contextlib.redirect_stdout(io.StringIO()):
    download_and_convert_mnist.run(
        folder, source, overwrite=True, num_workers=num_workers)
  return time.time() - start, _cpu_seconds() - cpu_before


def time_program(source, folder, num_workers):
  """Returns the wall-clock and CPU seconds of the program's run."""
  command = [
      sys.executable, os.path.join(_ROOT, 'download_and_convert_data.py'),
      '--dataset_name=mnist', '--overwrite', '--dataset_dir=' + folder,
      '--source=' + source, '--num_workers=%d' % num_workers]
  start, cpu_before = time.time(), _cpu_seconds()
  subprocess.check_call(command, stdout=subprocess.DEVNULL)
  return time.time() - start, _cpu_seconds() - cpu_before


def _cpu_seconds():
  """Returns what this process and its ended children have used so far."""
  usages = [resource.getrusage(who)
            for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
  return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def verify(source, folder):
  """Compares every record with its source; returns how many there are.

  Raises:
    ValueError: a picture or a label differs, or one is missing.
  """
  verified = 0
  for split, (images, labels) in idx.read_splits(
      source, _IMAGE_SIZE, _CLASSES).items():
    path = os.path.join(folder, 'mnist_%s.tfrecord' % split)
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
  parser.add_argument('--source', help='folder of IDX files')
  parser.add_argument('--dataset_dir', help='parent of the folder to write to')
  parser.add_argument(
      '--num_workers', type=int, default=cores,
      help='processes of the second run; one a core, %d, if left out' % cores)
  parser.add_argument('--jpegs', type=int, default=6000,
                      help='pictures in the folder of JPEGs')
  arguments = parser.parse_args()
  tf.logging.set_verbosity(tf.logging.ERROR)
  work = tempfile.mkdtemp(dir=arguments.dataset_dir)
  try:
    source, folder = arguments.source, os.path.join(work, 'converted')
    if not source:
      source = work
      make_source(source)
    total = sum(len(labels) for _, labels in idx.read_splits(
        source, _IMAGE_SIZE, _CLASSES).values())
    print('%d pictures' % total)
    for num_workers in sorted({1, arguments.num_workers}):
      for title, measure in (('converting', time_converting),
                             ('in all', time_program)):
        seconds, cpu = measure(source, folder, num_workers)
        print('%d worker%s, %-10s %6d pictures/s (%.1f s, CPU %.1f s)' % (
            num_workers, 's' if num_workers > 1 else '', title,
            total / seconds, seconds, cpu))
    print('%d records decoded: all are their source' % verify(source, folder))
    if arguments.jpegs:
      jpeg_folder.run(work, arguments.jpegs, arguments.num_workers)
  finally:
    shutil.rmtree(work)


if __name__ == '__main__':
  main()
