"""What is fuzzed: files of all kinds, and the code that reads them."""
import contextlib
import functools
import io
import os
import shutil
import struct
import zlib

import numpy as np
from PIL import Image
import tensorflow.compat.v1 as tf

from datasets import doctor
from datasets import download_and_convert_image_folder
from datasets.conversion import image_checks
from datasets.conversion import image_integrity
from tests.datasets.conversion import odd_images
from tests.datasets.conversion import raw_files
from tests.fuzz import base
from tests.fuzz import converted
from tests.fuzz import mutations
from tests.fuzz import published
from tests.fuzz import sources
from tests.fuzz import trained

_MAX_PIXELS = 1000000


def _image_seeds():
  return [base.Seed(image.name, image.content,
                    _with_checksums if image.content.startswith(b'\x89PNG')
                    else base.as_it_is)
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
  # TensorFlow passes over damaged metadata; Pillow does not.
  readable = verdict.content if verdict.image_format == 'jpg' else (
      image_integrity.png_without_metadata(
          image_integrity.png_chunks(verdict.content)))
  image = Image.open(io.BytesIO(readable))
  image.load()
  if image.size != (verdict.width, verdict.height) or (
      image.mode not in ('L', 'RGB')):
    raise base.Wrong('stored is an image of %s, %s' % (image.size, image.mode))
  shape = _decode_by_tensorflow(verdict.content).shape
  if shape != (verdict.height, verdict.width, 3):
    raise base.Wrong('TensorFlow decodes it to %s' % (shape,))


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
    raise base.Wrong('TensorFlow does not decode what is stored: %s' %
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
    raise base.Wrong(
        'the doctor finds an error in what was published: %s' % error)


def _seeds_in(files):
  """Returns the Seeds of what a function returns: a dict of name to bytes."""
  return lambda: [base.Seed(name, content, base.as_it_is)
                  for name, content in sorted(files().items())]


TARGETS = (
    base.Target('images', 12, _image_seeds, base.write_alone, _check_image),
    base.Target('image folder', 4, _image_seeds, _write_classes, _convert_classes),
    base.Target('MNIST files', 4, published.mnist_seeds, published.write_mnist,
                published.convert_mnist),
    base.Target('CIFAR-10 files', 4, published.cifar_seeds, published.write_cifar,
                published.convert_cifar),
    base.Target('archives', 4, published.archive_seeds, base.write_alone, published.unpack),
    base.Target('archives of images', 2, _seeds_in(sources.archives), base.write_alone,
                sources.read_archive),
    base.Target('lists', 2, _seeds_in(sources.lists), base.write_alone, sources.read_list),
    base.Target('COCO json', 2, _seeds_in(sources.coco_files), base.write_alone,
                sources.read_coco),
    base.Target('records, doctor', 4, converted.record_seeds, converted.write_dataset,
                converted.examine),
    base.Target('records, pipeline', 1, converted.record_seeds, converted.write_dataset,
                converted.read_dataset),
    base.Target('description', 2, converted.description_seeds, converted.write_dataset,
                converted.read_description),
    base.Target('run.json', 2, _seeds_in(trained.records), base.write_alone, trained.read_record),
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
