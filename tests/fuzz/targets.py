"""What is fuzzed: files of all kinds, and the code that reads them."""
import bz2
import collections
import contextlib
import functools
import gzip
import io
import json
import lzma
import os
import shutil
import struct
import tarfile
import tempfile
import zipfile
import zlib

import numpy as np
from PIL import Image
import tensorflow.compat.v1 as tf

from datasets import dataset_factory
from datasets import doctor
from datasets import download_and_convert_cifar10
from datasets import download_and_convert_image_folder
from datasets import download_and_convert_mnist
from datasets.conversion import archives
from datasets.conversion import dataset_writer
from datasets.conversion import encoding
from datasets.conversion import image_checks
from datasets.conversion import restricted_pickle
from datasets.reading import input_pipeline
from tests.datasets.conversion import odd_images
from tests.datasets.conversion import raw_files
from tests.fuzz import mutations
from tests.fuzz import sources


class Seed(collections.namedtuple('Seed', 'name content wrap')):
  """A file to damage.

  Attributes:
    name: name of the file.
    content: bytes, which are damaged, or else what `wrap` returns.
    wrap: function of `content` that returns the bytes of the file.
  """


class Target(collections.namedtuple('Target', 'name weight seeds write run')):
  """Code that reads files.

  Attributes:
    name: name in the summary.
    weight: number of inputs per round.
    seeds: function that returns a list of `Seed`s.
    write: function of (directory, name, content) that writes the file and all
      that belongs to it to an empty directory.
    run: function of (source directory, directory to write to, name) that
      returns if the file was read, and raises a documented error if it was
      refused.
  """


_MAX_PIXELS = 1000000


class Wrong(Exception):
  """Something was accepted, or left behind, that should not be."""


def _as_it_is(content):
  return content


def _write_alone(directory, name, content):
  raw_files.write(directory, name, content)


def _image_seeds():
  return [Seed(image.name, image.content,
               _with_checksums if image.content.startswith(b'\x89PNG') else
               _as_it_is)
          for image in odd_images.corpus()
          if image.fate != odd_images.REJECTED]


def _with_checksums(png):
  """Returns a PNG with correct checksums, as far as chunks are found."""
  parts, at = [png[:8]], 8
  while at + 12 <= len(png):
    length = struct.unpack_from('>I', png, at)[0]
    end = at + 8 + length
    if end + 4 > len(png):
      break
    parts += [png[at:end], struct.pack('>I', zlib.crc32(png[at + 4:end]))]
    at = end + 4
  return b''.join(parts) + png[at:]


def _check_image(source, unused_out, name):
  """Checks an image; Pillow and TensorFlow must decode what is stored."""
  with open(os.path.join(source, name), 'rb') as opened:
    verdict = image_checks.check(
        opened.read(), image_checks.Policy(max_pixels=_MAX_PIXELS))
  if verdict.fault:
    raise ValueError('%s: %s' % (name, verdict.fault))
  image = Image.open(io.BytesIO(verdict.content))
  image.load()
  if image.size != (verdict.width, verdict.height) or (
      image.mode not in ('L', 'RGB')):
    raise Wrong('stored is an image of %s, %s' % (image.size, image.mode))
  shape = _decode_by_tensorflow(verdict.content).shape
  if shape != (verdict.height, verdict.width, 3):
    raise Wrong('TensorFlow decodes it to %s' % (shape,))


@functools.lru_cache()
def _tensorflow_decoder():
  with tf.Graph().as_default():
    content = tf.placeholder(tf.string)
    return tf.Session().make_callable(
        tf.image.decode_image(content, channels=3), [content])


def _decode_by_tensorflow(content):
  try:
    return _tensorflow_decoder()(content)
  except tf.errors.OpError as error:
    raise Wrong('TensorFlow does not decode what is stored: %s' %
                error.message.splitlines()[0])


def _write_classes(directory, name, content):
  for label in ('a', 'b'):
    os.makedirs(os.path.join(directory, label))
    raw_files.write(os.path.join(directory, label), 'good.jpg',
                    odd_images.encoded(odd_images.photo(), 'JPEG'))
  raw_files.write(os.path.join(directory, 'b'), name, content)


def _convert_classes(source, out, unused_name):
  """Converts it; the doctor must find no error in what is published."""
  download_and_convert_image_folder.run(
      out, source, num_workers=1, num_validation=0, max_pixels=_MAX_PIXELS)
  try:
    doctor.check(out, num_workers=1)
  except ValueError as error:
    raise Wrong('the doctor finds an error in what was published: %s' % error)


def _gzipped(content):
  target = io.BytesIO()
  with gzip.GzipFile(fileobj=target, mode='wb', mtime=0) as packed:
    packed.write(content)
  return target.getvalue()


def _mnist_seeds():
  with tempfile.TemporaryDirectory() as directory:
    raw_files.write_mnist(directory, 10, 6)
    seeds = []
    for name in sorted(os.listdir(directory)):
      with gzip.open(os.path.join(directory, name)) as source:
        content = source.read()
      seeds += [Seed(name, content, _gzipped),
                Seed(name[:-len('.gz')], content, _as_it_is)]
  return seeds


def _write_mnist(directory, name, content):
  raw_files.write_mnist(directory, 10, 6)
  for suffix in ('', '.gz'):
    with contextlib.suppress(FileNotFoundError):
      os.remove(os.path.join(directory, name.split('.')[0] + suffix))
  raw_files.write(directory, name, content)


def _convert_mnist(source, out, unused_name):
  download_and_convert_mnist.run(out, source, num_workers=1)


def _cifar_seeds():
  seeds = []
  with tempfile.TemporaryDirectory() as directory:
    for form in ('python', 'binary'):
      path = os.path.join(directory, form)
      raw_files.write_cifar10(path, form, batch_size=2)
      for name in sorted(os.listdir(path)):
        with open(os.path.join(path, name), 'rb') as source:
          seeds.append(Seed(name, source.read(), _as_it_is))
  return seeds


def _write_cifar(directory, name, content):
  is_binary = name.endswith(('.bin', '.txt'))
  raw_files.write_cifar10(directory, 'binary' if is_binary else 'python',
                          batch_size=2)
  raw_files.write(directory, name, content)


def _convert_cifar(source, out, name):
  if not name.endswith(('.bin', '.txt')):
    restricted_pickle.load(os.path.join(source, name))
  download_and_convert_cifar10.run(out, source, num_workers=1)


def _texts():
  return [('top/a.txt', b'Some words. ' * 100),
          ('top/%s/%s/b.txt' % ('ü' * 60, 'n' * 60), b'Some words. ' * 100)]


def _cifar_files():
  with tempfile.TemporaryDirectory() as directory:
    raw_files.write_cifar10(directory, 'python', batch_size=2)
    for name in sorted(os.listdir(directory)):
      with open(os.path.join(directory, name), 'rb') as source:
        yield 'cifar-10-batches-py/' + name, source.read()


def _tar(files):
  """Returns a tar archive of (name, content), always the same."""
  target = io.BytesIO()
  with tarfile.open(fileobj=target, mode='w') as archive:
    for name, content in files:
      member = tarfile.TarInfo(name)
      member.size = len(content)
      archive.addfile(member, io.BytesIO(content))
  return target.getvalue()


def _zip(files, compression):
  """Returns a zip archive of (name, content), always the same."""
  target = io.BytesIO()
  with zipfile.ZipFile(target, 'w') as archive:
    for name, content in files:
      archive.writestr(zipfile.ZipInfo(name), content, compression)
  return target.getvalue()


def _archive_seeds():
  tar, cifar = _tar(_texts()), _tar(_cifar_files())
  return [
      Seed('a.tar', tar, _as_it_is), Seed('a.tar.gz', tar, _gzipped),
      Seed('a.tar.bz2', tar, bz2.compress),
      Seed('a.tar.xz', tar, lzma.compress),
      Seed('cifar-10-python.tar.gz', cifar, _gzipped),
      Seed('stored.zip', _zip(_texts(), zipfile.ZIP_STORED), _as_it_is),
      Seed('packed.zip', _zip(_texts(), zipfile.ZIP_DEFLATED), _as_it_is)]


def _unpack(source, out, name):
  path = os.path.join(source, name)
  if name.startswith('cifar'):
    download_and_convert_cifar10.run(out, path, num_workers=1)
  else:
    archives.unpack(path, out)


@functools.lru_cache(maxsize=None)
def _record_seeds():
  seeds = []
  for image in odd_images.corpus():
    if image.fate == odd_images.KEPT:
      example = encoding.serialize_example({
          'image/encoded': image.content, 'image/class/label': 1,
          'image/format': image.image_format.encode(),
          'image/height': odd_images.HEIGHT})
      seeds.append(Seed('train.tfrecord', example, _records_with))
  return seeds


def _records_with(example):
  """Returns a record file of three records, the second as given."""
  good = _record_seeds()[0].content
  with tempfile.TemporaryDirectory() as directory:
    path = os.path.join(directory, 'records')
    with tf.io.TFRecordWriter(path) as writer:
      for record in (good, example, good):
        writer.write(record)
    with open(path, 'rb') as source:
      return source.read()


def _write_dataset(directory, name, content):
  with dataset_writer.DatasetWriter(directory, 'image_folder', 1) as writer:
    writer.write_split('train', ['image_folder_train_0.tfrecord'], 3,
                       [[(seed.content, 1) for seed in _record_seeds()[:3]]])
    writer.publish(['a', 'b'])
  if name == 'train.tfrecord':
    name = 'image_folder_train_0.tfrecord'
  raw_files.write(directory, name, content)


def _examine(source, unused_out, unused_name):
  doctor.check(source, num_workers=1)


def _read_dataset(source, unused_out, unused_name):
  """Reads it as an evaluation does."""
  dataset = dataset_factory.get_dataset('image_folder', 'train', source)
  with tf.Graph().as_default(), tf.Session() as session:
    batches = input_pipeline.evaluation_batches(
        dataset, lambda image: tf.image.resize_images(image, [8, 8]), 2)
    batch, _ = input_pipeline.next_batch(batches)
    try:
      session.run(tf.tables_initializer())
      while True:
        session.run(batch)
    except tf.errors.OutOfRangeError:
      pass
    except tf.errors.OpError as error:
      raise ValueError(error.message)


def _description_seeds():
  with tempfile.TemporaryDirectory() as directory:
    _write_dataset(directory, 'x', b'')
    seeds = []
    for name in ('dataset_info.json', 'labels.txt'):
      with open(os.path.join(directory, name), 'rb') as source:
        content = source.read()
      seeds.append(Seed(name, content, _as_it_is))
  info = json.loads(seeds[0].content.decode())
  info.update(multi_label=True, side_files=['bad_images.csv'])
  return seeds + [Seed('dataset_info.json', json.dumps(info).encode(),
                       _as_it_is)]


def _read_description(source, unused_out, unused_name):
  dataset = dataset_factory.get_dataset('image_folder', 'train', source)
  if not isinstance(dataset.num_samples, int):
    raise Wrong('num_samples is %r' % dataset.num_samples)
  doctor.check(source, num_workers=1)


def _seeds_in(files):
  """Returns the Seeds of what a function returns: a dict of name to bytes."""
  return lambda: [Seed(name, content, _as_it_is)
                  for name, content in sorted(files().items())]


TARGETS = (
    Target('images', 12, _image_seeds, _write_alone, _check_image),
    Target('image folder', 4, _image_seeds, _write_classes, _convert_classes),
    Target('MNIST files', 4, _mnist_seeds, _write_mnist, _convert_mnist),
    Target('CIFAR-10 files', 4, _cifar_seeds, _write_cifar, _convert_cifar),
    Target('archives', 4, _archive_seeds, _write_alone, _unpack),
    Target('archives of images', 2, _seeds_in(sources.archives), _write_alone,
           sources.read_archive),
    Target('lists', 2, _seeds_in(sources.lists), _write_alone, sources.read_list),
    Target('COCO json', 2, _seeds_in(sources.coco_files), _write_alone, sources.read_coco),
    Target('records, doctor', 4, _record_seeds, _write_dataset, _examine),
    Target('records, pipeline', 1, _record_seeds, _write_dataset, _read_dataset),
    Target('description', 2, _description_seeds, _write_dataset, _read_description),
)


def prepare(directory):
  """Makes an empty directory; returns its paths for source and results."""
  shutil.rmtree(directory, ignore_errors=True)
  paths = [os.path.join(directory, name) for name in ('source', 'out')]
  os.makedirs(paths[0])
  return paths


def target_of(index):
  """Returns the Target of an input."""
  schedule = [target for target in TARGETS for _ in range(target.weight)]
  return schedule[index % len(schedule)]


def make_input(index, seed):
  """Returns (target, file name, content) of an input.

  Args:
    index: index of the input, from 0.
    seed: seed of the random generator; another one gives other inputs.
  """
  target = target_of(index)
  return (target,) + sample(target, np.random.RandomState([seed, index]))


def sample(target, random):
  """Returns (file name, content) of a damaged file for a target."""
  seeds = _seeds_of(target)
  chosen = seeds[random.randint(len(seeds))]
  if random.randint(2):
    others = [seed.content for seed in seeds]
    return chosen.name, chosen.wrap(
        mutations.mutate(chosen.content, random, others))
  others = [seed.wrap(seed.content) for seed in seeds]
  return chosen.name, mutations.mutate(
      chosen.wrap(chosen.content), random, others)


@functools.lru_cache(maxsize=None)
def _seeds_of(target):
  with contextlib.redirect_stdout(io.StringIO()):
    return target.seeds()
