"""Converts the user's own images: directories of classes, or a list of labels.

`image_lists` says which forms a source can have, and `image_checks` what
becomes of each image. The originals are only read.
"""
import array
import collections
import functools
import os
import random

from datasets.conversion import archives
from datasets.conversion import dataset_writer
from datasets.conversion import downloads
from datasets.conversion import engine
from datasets.conversion import image_checks
from datasets.conversion import image_lists
from datasets.conversion import list_files
from datasets.conversion import provenance

NUM_SHARDS = 5
VALIDATION_FRACTION = 0.1
_NAME = 'image_folder'
_FILES = 'image_folder_%s_%05d-of-%05d.tfrecord'
_OTHER_LISTS = ('.txt', '.tsv', '.json', '.lst', '.xml', '.yaml', '.yml',
                '.xls', '.xlsx', '.ods', '.parquet')


def run(dataset_dir, source=None, overwrite=False, num_workers=None,
        validation_fraction=None, num_validation=None, seed=0,
        num_shards=NUM_SHARDS, on_bad_image='fail',
        max_pixels=image_checks.MAX_PIXELS, background='white', keep=False):
  """Writes `image_folder_<split>_*.tfrecord`, labels.txt, dataset_info.json.

  And `bad_images.csv`, if bad images were skipped.

  Args:
    dataset_dir: directory for them, not inside `source`. An existing dataset
      is kept.
    source: a directory, an archive of one, or a list; see `image_lists`.
    overwrite: whether an existing dataset is replaced.
    num_workers: number of processes; None for one per core. The files do not
      depend on it.
    validation_fraction: fraction of each class to validate with, from 0 to
      below 1; 0.1 if neither this nor `num_validation` is given.
    num_validation: number of images to validate with, each class in
      proportion.
    seed: seed of the choice of the validation images and of the order, an
      integer.
    num_shards: maximum number of files per split.
    on_bad_image: 'fail' (nothing is published) or 'skip'.
    max_pixels: maximum height times width; larger images are bad.
    background: color shown through transparency: a name or #rrggbb.
    keep: whether a dataset of another source or of other options is kept; else
      it is an error.

  Raises:
    ValueError: an argument, the source, or an image is bad.
    OSError: a file cannot be read or written.
  """
  _check_arguments(dataset_dir, source, validation_fraction, num_validation,
                   num_shards)
  policy = image_checks.Policy(
      max_pixels, image_checks.parse_background(background))
  with dataset_writer.DatasetWriter(dataset_dir, _NAME, num_workers) as writer:
    origin = provenance.Origin([source], {
        'validation_fraction': validation_fraction,
        'num_validation': num_validation, 'seed': seed,
        'num_shards': num_shards, 'on_bad_image': on_bad_image,
        'max_pixels': max_pixels, 'background': background}, lists_count=True)
    if writer.keep_existing([], overwrite, origin, keep):
      return
    listing = _list(source, writer)
    if (validation_fraction, num_validation) != (None, None) and (
        'validation' in listing.splits):
      raise ValueError(
          '%s has a split for validation: leave out '
          '--validation_fraction and --num_validation' % source)
    plan = functools.partial(_plan, validation_fraction, num_validation, seed,
                             num_shards)
    engine.convert_listing(writer, listing, plan, policy, on_bad_image)


def _plan(validation_fraction, num_validation, seed, num_shards, splits):
  """Returns a dict of split to (file names, images in their order)."""
  splits = collections.OrderedDict(splits)
  if 'validation' not in splits:
    if (validation_fraction, num_validation) == (None, None):
      validation_fraction = VALIDATION_FRACTION
    splits['train'], splits['validation'] = _split_validation(
        splits['train'], validation_fraction, num_validation, seed)
  planned = collections.OrderedDict()
  for split in [split for split in splits if splits[split]]:
    planned[split] = engine.shard_names(
        _FILES, split, len(splits[split]), num_shards), splits[split].shuffled(
            seed)
  return planned


def _check_arguments(dataset_dir, source, validation_fraction, num_validation,
                     num_shards):
  if not source:
    raise ValueError('--dataset_name=image_folder needs --source: the '
                     'directory of your images, one subdirectory per class')
  if not os.path.exists(source) and '://' not in source:
    raise FileNotFoundError('there is no %s: --source takes a directory, '
                            'an archive or a list' % source)
  if validation_fraction is not None and num_validation is not None:
    raise ValueError('give --validation_fraction or --num_validation, not both')
  if validation_fraction is not None and not 0 <= validation_fraction < 1:
    raise ValueError('--validation_fraction=%g must be at least 0 and less '
                     'than 1' % validation_fraction)
  if num_validation is not None and num_validation < 0:
    raise ValueError('--num_validation=%d must be at least 0' % num_validation)
  if num_shards < 1:
    raise ValueError('--num_shards=%d must be at least 1' % num_shards)
  root = os.path.realpath(source)
  if os.path.isdir(root) and (
      os.path.commonpath([root, os.path.realpath(dataset_dir)]) == root):
    raise ValueError('--dataset_dir=%s is in the source %s, whose directories '
                     'are classes: give another' % (dataset_dir, source))


def _list(source, writer):
  """Returns the Listing of a source."""
  suffix = os.path.splitext(source)[1].lower()
  if '://' not in source and os.path.isfile(source):
    if suffix in list_files.SUFFIXES:
      return image_lists.from_list(source)
    if suffix in _OTHER_LISTS:
      raise ValueError(
          '--source=%s: a list is a .csv file of path,label on each line, or a '
          '.jsonl file of {"path": "a.jpg", "label": "cat"}: save it as one '
          'of them' % source)
  if '://' in source and not source.lower().endswith(archives.SUFFIXES):
    raise ValueError('--source=%s: a URL must be that of an archive (%s)'
                     % (source, ', '.join(archives.SUFFIXES)))
  return image_lists.from_directory(downloads.obtain(
      source, None, writer.download_dir, writer.unpack_dir), source)


def _split_validation(images, fraction, number, seed):
  """Splits images at random, each class in the same proportion.

  An image of several classes counts for the rarest of them, and images of no
  class are a group of their own. At least one image of each class stays to
  train on.

  Args:
    images: `source_images.Images`.
    fraction: fraction to validate with, 0 <= fraction < 1; or None.
    number: number to validate with; or None. One of the two is given.
    seed: seed of the random generator, an integer.

  Returns:
    (images to train on, images to validate with), two `source_images.Images`.

  Raises:
    ValueError: `number` is too large.
  """
  groups = _by_rarest_class(images)
  shuffler = random.Random(seed)
  covered = set()
  train, free = array.array('I'), {}
  for name, group in groups.items():
    shuffler.shuffle(group)
    free[name] = array.array('I')
    for index in group:
      names = images.class_names(index)
      is_needed = not covered.issuperset(names)
      (train if is_needed else free[name]).append(index)
      covered.update(names)
  limit = sum(map(len, free.values()))
  if number is None:
    number = min(int(fraction * len(images) + 0.5), limit)
  if number > limit:
    raise ValueError(
        '--num_validation=%d of %d images leaves a class without one to train '
        'on: give %d or fewer' % (number, len(images), limit))
  counts = _proportional({name: len(groups[name]) for name in groups},
                         {name: len(free[name]) for name in free}, number)
  validation = array.array('I')
  for name in groups:
    validation += free[name][:counts[name]]
    train += free[name][counts[name]:]
  return images.select(train), images.select(validation)


def _by_rarest_class(images):
  """Returns a dict of class name, the rarest first, to indices of images.

  The key of the images of no class is ''.
  """
  frequencies = collections.Counter(
      name for k in range(len(images)) for name in images.class_names(k))

  def rareness(name):
    return frequencies[name], name

  groups = {}
  for index in range(len(images)):
    name = min(images.class_names(index), key=rareness, default='')
    groups.setdefault(name, array.array('I')).append(index)
  return collections.OrderedDict(
      (name, groups[name]) for name in sorted(groups, key=rareness))


def _proportional(sizes, limits, number):
  """Divides `number` in proportion to `sizes`, each part at most its limit.

  Parts are rounded down; the rest goes to the largest remainders.
  """
  total = sum(sizes.values())
  counts = {name: min(number * sizes[name] // total, limits[name])
            for name in sizes}
  by_remainder = sorted(
      sizes, key=lambda name: (-(number * sizes[name] % total), name))
  while sum(counts.values()) < number:
    for name in by_remainder:
      if counts[name] < limits[name] and sum(counts.values()) < number:
        counts[name] += 1
  return counts
