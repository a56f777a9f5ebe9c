"""Converts datasets whose images are files: one engine for all converters.

The shards are built in a hidden directory, which outlasts a run that is
stopped, even by `kill -9`: the next run keeps those that are complete. Each
image file is read once. When the last shard is complete, the dataset is
published by its `dataset_writer`: readers see the old dataset or the new one.

Bad images are found on the way. Where the splits depend on which images are
good, they are planned again without the bad ones, and the records, which are
complete by then, are copied to where they belong.
"""
import collections
import csv
import io
import os

import numpy as np

from datasets.conversion import image_lists
from datasets.conversion import shards
from slim_common import atomic_files
from slim_common import progress

REPORT_FILENAME = 'bad_images.csv'
BAD_IMAGE_CHOICES = ('fail', 'skip')

# Shards are built in parts if there are fewer shards than this.
_TASKS_PER_FURTHER_WORKER = 32
# Where the record of an image is: index of the file, offset and size in bytes.
_RECORD = [('file', np.uint32), ('offset', np.uint64), ('size', np.uint64)]


class Split(collections.namedtuple('Split', 'files num_images images_of')):
  """Which images go to which record files.

  Attributes:
    files: list of the names of the record files.
    num_images: number of images in all files.
    images_of: function of the index of a file that returns the sequence of its
      images, as `shards` describes them. It is called when they are needed.
  """


def _consecutive_split(files, images):
  """Returns the Split whose files take consecutive parts of the images."""
  per_file = _rounded_up(len(images), len(files))
  return Split(files, len(images), lambda shard: images[
      shard * per_file:(shard + 1) * per_file])


def shard_names(pattern, split, num_examples, num_shards):
  """Returns names of record files, as many as each get an example.

  Args:
    pattern: with %s for the split, and %05d for index and number of files.
    split: name of the split.
    num_examples: number of examples.
    num_shards: maximum number of files.
  """
  per_file = _rounded_up(num_examples, num_shards)
  used = _rounded_up(num_examples, per_file)
  return [pattern % (split, shard, used) for shard in range(used)]


def convert_listing(writer, listing, plan, policy, on_bad_image):
  """Converts the images of a directory of classes or of a list.

  Args:
    writer: the entered `dataset_writer.DatasetWriter`.
    listing: an `image_lists.Listing`.
    plan: function of a dict of split name to `source_images.Images`. It returns
      a dict of split name to (names of the record files, images in the order of
      their records), and is called again if images are bad.
    policy: an `image_checks.Policy`.
    on_bad_image: as for `convert`.

  Raises:
    ValueError: there are bad images and `on_bad_image` is 'fail', or a class
      has no good image to train on.
    OSError: the disk is full, or a worker was killed.
  """
  listing = image_lists.without_other_files(listing)
  _print_counts('skipped', listing.skipped)

  def splits_without(bad):
    good = collections.OrderedDict(
        (split, images.select(
            k for k, image in enumerate(images) if image.name not in bad)
         if bad else images)
        for split, images in listing.splits.items())
    image_lists.check_classes(listing.class_names, good['train'])
    return collections.OrderedDict(
        (split, _consecutive_split(files, images))
        for split, (files, images) in plan(good).items())

  convert(writer, splits_without(()), listing.class_names,
          image_lists.features_of, policy, on_bad_image, splits_without,
          listing.multi_label)


def convert(writer, splits, class_names, features_of, policy, on_bad_image,
            plan_without=None, multi_label=False):
  """Builds the shards of a dataset and publishes them.

  Args:
    writer: the entered `dataset_writer.DatasetWriter`.
    splits: dict of split name to `Split`.
    class_names: list of the name of each class id from 0.
    features_of: function that returns the features of a record, see `shards`;
      at the top level of a module.
    policy: an `image_checks.Policy`.
    on_bad_image: 'fail' (nothing is published) or 'skip' (a report of the bad
      images becomes a file of the dataset).
    plan_without: function of a set of names of bad images that returns
      `splits` for the others, which share the tables of all
      (`source_images.Images`); None if bad images leave all others in place.
    multi_label: whether an example has any number of classes, not one.

  Raises:
    ValueError: there are bad images and `on_bad_image` is 'fail' (the message
      names them all), or a split has no good one.
    OSError: the disk is full, or a worker was killed.
  """
  if on_bad_image not in BAD_IMAGE_CHOICES:
    raise ValueError('on_bad_image is %r; it is one of: %s' % (
        on_bad_image, ', '.join(BAD_IMAGE_CHOICES)))
  # Imported once, before the workers are forked.
  import tensorflow.compat.v1  # noqa: F401  pylint: disable=g-import-not-at-top
  reports = collections.OrderedDict(
      (split, _build(writer, split, splits[split], (features_of, policy)))
      for split in splits)
  bad, warned, conversions = [], [], collections.Counter()
  for report in sum(reports.values(), []):
    bad += report.bad
    warned += report.warnings
    conversions.update(report.conversions)
  bad.sort()
  _print_counts('converted', conversions)
  if warned:
    print('Warning: %d images to look at:\n%s' % (
        len(warned), described(sorted(warned))))
  if bad and on_bad_image == 'fail':
    raise ValueError(
        '%d bad images; nothing was published. --on_bad_image=skip leaves them '
        'out.\n%s' % (len(bad), described(bad)))
  if bad and plan_without:
    names = {name for name, _ in bad}
    _rearrange(writer, splits, plan_without(names), names)
  else:
    for split in splits:
      _add_split(writer, split, splits[split], reports[split])
  if bad:
    writer.add_file(REPORT_FILENAME, _csv_of(bad))
    print('%d bad images are left out; %s has their paths and the reasons'
          % (len(bad), REPORT_FILENAME))
  writer.publish(class_names, multi_label=multi_label,
                 max_pixels=policy.max_pixels)


def _build(writer, name, split, recipe):
  """Returns the Reports of the shards of a split, kept or built.

  Args:
    writer: a `dataset_writer.DatasetWriter`.
    name: name of the split.
    split: a `Split`.
    recipe: (features_of, policy) as for `convert`.
  """
  paths = [writer.path(file_name) for file_name in split.files]
  existing = [k for k, path in enumerate(paths) if os.path.exists(path)]
  found = dict(zip(existing, writer.workers.map(shards.find, (
      (paths[k], split.images_of(k)) + recipe for k in existing))))
  reports = {k: found[k] for k in found if found[k]}
  title = '%s %s' % (writer.name, name)
  if existing:
    print('%s: %d complete files of an earlier run; %d are of the same images '
          'and options and are kept' % (title, len(existing), len(reports)))
  missing = [k for k in range(len(paths)) if k not in reports]
  num_tasks = 1 + _TASKS_PER_FURTHER_WORKER * (writer.workers.num_workers - 1)
  per_part = max(_rounded_up(split.num_images, num_tasks), 1)
  num_parts = {}

  def tasks():
    for k in missing:
      images = split.images_of(k)
      num_parts[k] = max(_rounded_up(len(images), per_part), 1)
      size = max(_rounded_up(len(images), num_parts[k]), 1)
      for part in range(num_parts[k]):
        yield (atomic_files.unfinished('%s.%d' % (paths[k], part)),
               images[part * size:(part + 1) * size]) + recipe

  written = writer.workers.map(shards.write_part, tasks())
  joined = {}
  with progress.Progress(title, split.num_images, 'images') as shown:
    shown.start_from(sum(_images_in(report) for report in reports.values()))
    for k in missing:
      parts = []
      while not parts or len(parts) < num_parts[k]:
        parts.append(next(written))
        shown.add(_images_in(parts[-1]))
      joined[k] = writer.submit(shards.join, paths[k], parts, *recipe)
  reports.update({k: joined[k].result() for k in joined})
  return [reports[k] for k in range(len(paths))]


def _rounded_up(number, divisor):
  return -(-number // divisor)


def _images_in(report):
  return report.num_examples + len(report.bad)


def _add_split(writer, name, split, reports):
  """Adds built shards to a dataset."""
  counts = collections.Counter()
  for report in reports:
    counts.update(report.examples_per_class)
  if not any(report.num_examples for report in reports):
    raise ValueError('%s has no good image' % name)
  writer.add_split(
      name, split.files, [report.num_examples for report in reports], counts)


def _rearrange(writer, splits, good_splits, bad):
  """Copies the records of good images to the shards they belong to.

  Args:
    writer: a `dataset_writer.DatasetWriter`.
    splits: dict of split name to `Split`, as built.
    good_splits: dict of split name to `Split` of the good images.
    bad: set of names of images.
  """
  paths = [writer.path(file_name) for split in splits.values()
           for file_name in split.files]
  built = [split.images_of(k) for split in splits.values()
           for k in range(len(split.files))]
  records = np.zeros(
      1 + max(max(images.numbers, default=0) for images in built), _RECORD)
  for k, images in enumerate(built):
    good = (number for number, image in zip(images.numbers, images)
            if image.name not in bad)
    for number, (offset, size) in zip(good, shards.locate_records(paths[k])):
      records[number] = k, offset, size
  new_files = []
  for name, split in good_splits.items():
    counts, sizes = collections.Counter(), []
    for k, file_name in enumerate(split.files):
      images = split.images_of(k)
      shards.copy_records(
          atomic_files.unfinished(writer.path(file_name)), paths,
          records[images.numbers])
      sizes.append(len(images))
      for image in images:
        counts.update(shards.class_ids(image.label))
    writer.add_split(name, split.files, sizes, counts)
    new_files += split.files
  writer.replace_shards(new_files)


def printable(name):
  """Returns a file name that can be printed, whatever its bytes."""
  return name.encode('utf-8', 'backslashreplace').decode('utf-8')


def described(bad):
  """Returns one line for each (name, reason) of a bad image."""
  return '\n'.join(
      '  %s: %s' % (printable(name), reason) for name, reason in bad)


def _csv_of(bad):
  """Returns a csv text of the (name, reason) of bad images."""
  target = io.StringIO(newline='')
  rows = csv.writer(target, lineterminator='\n')
  rows.writerow(['path', 'reason'])
  rows.writerows([printable(name), reason] for name, reason in bad)
  return target.getvalue()


def _print_counts(title, counts):
  if any(counts.values()):
    print('%s: %s' % (title, ', '.join(
        '%d %s' % (counts[word], word) for word in sorted(counts))))
