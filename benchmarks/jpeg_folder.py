"""The part of `benchmarks.convert` that converts a directory of JPEGs.

Two other times are measured for comparison, in one process: reading the files,
and decoding them at an eighth of their size, the minimum that verifies a JPEG:
the entropy code has to be read to its end, and nearly nothing else is left to
do. Whatever other libraries are installed do the same in turns with Pillow.
"""
import contextlib
import io
import os
import statistics
import time

import numpy as np
from PIL import Image
import tensorflow.compat.v1 as tf

from benchmarks import common
from datasets import dataset_info
from datasets import download_and_convert_image_folder

_CLASSES, _DIFFERENT = 10, 50
_WIDTH, _HEIGHT, _QUALITY = 500, 375, 90
_DECODED, _ROUNDS = 100, 7


def make_source(directory, count):
  """Writes `count` JPEGs of 500 x 375 pixels, 60 kB each, in ten classes."""
  random = np.random.RandomState(0)
  contents = []
  for _ in range(_DIFFERENT):
    coarse = random.randint(0, 256, [47, 63, 3]).astype(np.uint8)
    target = io.BytesIO()
    Image.fromarray(coarse).resize((_WIDTH, _HEIGHT), Image.BICUBIC).save(
        target, 'JPEG', quality=_QUALITY)
    contents.append(target.getvalue())
  for index in range(count):
    parent = os.path.join(directory, 'class %d' % (index % _CLASSES))
    os.makedirs(parent, exist_ok=True)
    with open(os.path.join(parent, '%06d.jpg' % index), 'wb') as target:
      target.write(contents[index % _DIFFERENT])


def _paths(directory):
  return [os.path.join(parent, name)
          for parent, _, names in os.walk(directory) for name in names]


def _contents(directory):
  """Yields the content of each file."""
  for path in _paths(directory):
    with open(path, 'rb') as source:
      yield source.read()


def time_reading(directory):
  """Returns the seconds that reading the files takes one process."""
  start = time.time()
  for _ in _contents(directory):
    pass
  return time.time() - start


def time_decoding(directory):
  """Returns the seconds that the smallest decode takes one process."""
  contents = list(_contents(directory))
  start = time.time()
  for content in contents:
    _decode_with_pillow(content)
  return time.time() - start


def _decode_with_pillow(content):
  image = Image.open(io.BytesIO(content), formats=('JPEG',))
  image.draft('L', (_WIDTH // 8, _HEIGHT // 8))
  image.load()


def _decoders():
  """Returns {library: function that decodes at an eighth}, of those here."""
  found = {'Pillow': _decode_with_pillow}
  with contextlib.suppress(ImportError):
    import cv2
    found['OpenCV'] = lambda content: cv2.imdecode(
        np.frombuffer(content, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8)
  with contextlib.suppress(ImportError):
    import simplejpeg
    found['simplejpeg'] = lambda content: simplejpeg.decode_jpeg(
        content, 'GRAY', fastdct=True, fastupsample=True, min_factor=8,
        min_height=1, min_width=1)
  return found


def compare_decoders(directory):
  """Returns {library: milliseconds of CPU time per image}, medians."""
  contents = list(_contents(directory))[:_DECODED]
  taken = {name: [] for name in _decoders()}
  for _ in range(_ROUNDS):
    for name, decode in _decoders().items():
      start = time.process_time()
      for content in contents:
        decode(content)
      taken[name].append(time.process_time() - start)
  return {name: 1e3 * statistics.median(seconds) / len(contents)
          for name, seconds in taken.items()}


def time_converting(source, directory, num_workers,
                    run_converter=download_and_convert_image_folder.run):
  """Returns the wall-clock and CPU seconds to the published dataset."""
  start = common.now()
  with contextlib.redirect_stdout(io.StringIO()):
    run_converter(directory, source, overwrite=True, num_workers=num_workers)
  return common.since(start)


def verify(source, directory):
  """Compares every record with its file; returns the number of records.

  Raises:
    ValueError: a record differs, or one is missing.
  """
  path = os.path.join(directory, dataset_info.INFO_FILENAME)
  with open(path, encoding='utf-8') as described:
    splits = dataset_info.parse_info(described.read(), path)['splits']
  verified = {_verify_record(source, record)
              for split in splits.values() for name in split['files']
              for record in tf.python_io.tf_record_iterator(
                  os.path.join(directory, name))}
  if len(verified) != len(_paths(source)):
    raise ValueError('%d records of %d' % (len(verified), len(_paths(source))))
  return len(verified)


def _verify_record(source, record):
  """Compares a record with its file and returns the file's name."""
  features = tf.train.Example.FromString(record).features.feature
  name = features['image/filename'].bytes_list.value[0].decode()
  with open(os.path.join(source, name), 'rb') as original:
    if original.read() != features['image/encoded'].bytes_list.value[0]:
      raise ValueError('%s: its record differs' % name)
  return name


def run(work, count, num_workers):
  """Makes a directory of JPEGs, converts it and prints the speed.

  Args:
    work: directory to write to.
    count: number of images.
    num_workers: processes of the second conversion; the first has one.
  """
  source, directory = os.path.join(work, 'jpegs'), os.path.join(work, 'records')
  make_source(source, count)
  print('%d JPEGs of %d x %d pixels, %.0f kB each' % (
      count, _WIDTH, _HEIGHT,
      sum(map(os.path.getsize, _paths(source))) / count / 1e3))
  print('reading alone: %d images/s' % (count / time_reading(source)))
  for workers in sorted({1, num_workers}):
    decoding = count / time_decoding(source)
    seconds, cpu = time_converting(source, directory, workers)
    print('%d worker%s: %d images/s (%.1f s, CPU %.2f ms per image), every '
          'one verified; decoding alone: %d/s per core, %.2f ms' % (
              workers, 's' if workers > 1 else '', count / seconds, seconds,
              1e3 * cpu / count, decoding, 1e3 / decoding))
  print('CPU time of decoding at an eighth: ' + ', '.join(
      '%s %.2f ms' % item for item in compare_decoders(source).items()))
  print('%d records hold their files byte for byte' % verify(source, directory))
