"""Converts the user's own pictures: folders of classes, or a list of labels.

`image_lists` says which forms a source may have, and `image_checks` what
becomes of each picture. The originals are only read.
"""
import collections
import functools
import os
import random

from datasets.conversion import archives
from datasets.conversion import dataset_writer
from datasets.conversion import downloads
from datasets.conversion import image_checks
from datasets.conversion import image_files
from datasets.conversion import image_lists
from datasets.conversion import worker_pool

NUM_SHARDS = 5
VALIDATION_FRACTION = 0.1
_NAME = 'image_folder'
_FILES = 'image_folder_%s_%05d-of-%05d.tfrecord'


def run(dataset_dir, source=None, overwrite=False, num_workers=None,
        validation_fraction=None, num_validation=None, seed=0,
        num_shards=NUM_SHARDS, on_bad_image='fail',
        max_pixels=image_checks.MAX_PIXELS, background='white'):
  """Writes `image_folder_<split>_*.tfrecord`, labels.txt, dataset_info.json.

  And `bad_pictures.csv`, where bad ones were skipped.

  Args:
    dataset_dir: the folder for them, not inside `source`. A dataset that
      stands there is kept.
    source: a folder, an archive of one, or a list; see `image_lists`.
    overwrite: whether a dataset that stands there is replaced.
    num_workers: how many processes work on it; None for one a core. The files
      do not depend on it.
    validation_fraction: the share of each class to validate with, from 0 to
      below 1. 0.1 if neither this nor `num_validation` is given.
    num_validation: how many pictures to validate with; shares as above.
    seed: of the draw and the order, an integer.
    num_shards: how many files a split has at most.
    on_bad_image: 'fail' (nothing is published) or 'skip'.
    max_pixels: larger pictures are bad ones.
    background: what shows through transparency: a colour name or #rrggbb.

  Raises:
    ValueError: an argument, the source, or a picture is bad.
    OSError: a file cannot be read or written.
  """
  _check_arguments(dataset_dir, source, validation_fraction, num_validation,
                   num_shards)
  policy = image_checks.Policy(
      max_pixels, image_checks.parse_background(background))
  with worker_pool.WorkerPool(num_workers) as workers, \
      dataset_writer.DatasetWriter(dataset_dir, _NAME, num_workers) as writer:
    if writer.keep_existing([], overwrite):
      return
    listing = _list(source, writer)
    if (validation_fraction, num_validation) != (None, None) and (
        'validation' in listing.splits):
      raise ValueError(
          '%s has a folder for validation: leave out --validation_fraction '
          'and --num_validation' % source)
    plan = functools.partial(_plan, validation_fraction, num_validation, seed,
                             num_shards)
    image_files.convert(writer, _NAME, listing, plan, policy, on_bad_image,
                        workers)
    writer.publish(listing.class_names, multi_label=listing.multi_label)


def _plan(validation_fraction, num_validation, seed, num_shards, splits):
  """Returns a dict of split to (file names, Pictures in their order)."""
  splits = collections.OrderedDict(splits)
  if 'validation' not in splits:
    if (validation_fraction, num_validation) == (None, None):
      validation_fraction = VALIDATION_FRACTION
    splits['train'], splits['validation'] = image_lists.draw_validation(
        splits['train'], validation_fraction, num_validation, seed)
  planned = collections.OrderedDict()
  for split in [split for split in splits if splits[split]]:
    pictures = list(splits[split])
    random.Random(seed).shuffle(pictures)
    planned[split] = image_files.shard_names(
        _FILES, split, len(pictures), num_shards), pictures
  return planned


def _check_arguments(dataset_dir, source, validation_fraction, num_validation,
                     num_shards):
  if not source:
    raise ValueError('--dataset_name=image_folder needs --source: the folder '
                     'of your pictures, one sub-folder a class')
  if not os.path.exists(source) and '://' not in source:
    raise FileNotFoundError('there is no %s: --source takes a folder, an '
                            'archive or a list' % source)
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
    raise ValueError('--dataset_dir=%s lies in the source %s, whose folders '
                     'are classes: give another' % (dataset_dir, source))


def _list(source, writer):
  """Returns the Listing of a source."""
  if source.lower().endswith(image_lists.LIST_SUFFIXES) and (
      os.path.isfile(source)):
    return image_lists.from_list(source)
  if '://' in source and not source.lower().endswith(archives.SUFFIXES):
    raise ValueError('--source=%s: of URLs, those of archives can be used (%s)'
                     % (source, ', '.join(archives.SUFFIXES)))
  return image_lists.from_folder(downloads.obtain(
      source, None, writer.download_dir, writer.unpack_dir))
