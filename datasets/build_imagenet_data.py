r"""Converts the images of ImageNet (ILSVRC 2012) to TFRecord files.

  python datasets/build_imagenet_data.py --train_directory=TRAIN \
      --validation_directory=VALIDATION --output_directory=OUT \
      --bounding_box_file=BOXES.csv

TRAIN holds one directory per synset, VALIDATION the same or the 50,000 images
as in their archive. Both stay as they are. OUT gets train-00000-of-01024 and so
on, validation-00000-of-00128 and so on, labels.txt and dataset_info.json, all
at once, when the last shard is complete. Label 0 is the background, the synsets
of --labels_file are 1 and up. JPEGs are stored byte for byte; PNG and CMYK
files among them, known by their content, become RGB JPEGs.

The same command resumes a run that was stopped, even by kill -9: complete
shards are kept in OUT/.imagenet.building as long as images and options stay the
same.
"""
import collections
import dataclasses
import os
import random
import sys

if __name__ == '__main__':
  # Started as a file, the directory of the file is first on the path.
  sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from datasets.conversion import dataset_writer
from datasets.conversion import engine
from datasets.conversion import image_checks
from datasets.conversion import provenance
from datasets.imagenet_tools import synset_images
from datasets.imagenet_tools import synsets
from slim_common import flags
from slim_common import runtime
from slim_common.flags import flag

_NAME = 'imagenet'
_FILES = '%s-%05d-of-%05d'
_SIZES = {'train': 1281167, 'validation': 50000}
_SEED = 12345


@dataclasses.dataclass(frozen=True)
class BuildOptions:
  """Options of build_imagenet_data.py."""
  train_directory: str = flag(
      '/tmp/', 'Directory of the training images; empty for none.')
  validation_directory: str = flag(
      '/tmp/', 'Directory of the validation images; empty for none.')
  output_directory: str = flag(
      '/tmp/', 'Directory for the TFRecord files.', required=True)
  train_shards: int = flag(
      1024, 'Number of files of the training split.', at_least=1)
  validation_shards: int = flag(
      128, 'Number of files of the validation split.', at_least=1)
  num_threads: int = flag(
      8, 'Number of processes. The files do not depend on it.',
      at_least=1)
  labels_file: str = flag(
      synsets.CLASSES_FILENAME, 'File of one synset per line; the first is '
      'label 1. The default is a file of this project.')
  imagenet_metadata_file: str = flag(
      synsets.NAMES_FILENAME, 'File of lines of synset, tab, class name. The '
      'default is a file of this project.')
  bounding_box_file: str = flag(
      './imagenet_2012_bounding_boxes.csv', 'File of lines of filename,xmin,'
      'ymin,xmax,ymax, as written by process_bounding_boxes.py; empty for '
      'none.')
  allow_subset: bool = flag(
      False, 'Accept other numbers of images than 1,281,167 and 50,000.')
  on_bad_image: str = flag(
      'fail', 'Treatment of truncated and damaged images and of other files: '
      'fail (all are named, nothing is published) or skip (bad_images.csv '
      'names them).', choices=engine.BAD_IMAGE_CHOICES)
  overwrite: bool = flag(
      False, 'Convert again if the dataset exists; it is replaced when the new '
      'one is complete.')
  keep: bool = flag(
      False, 'Keep an existing dataset, even if it was made of other images or '
      'with other options.')


def run(options):
  """Converts ImageNet.

  Args:
    options: a `BuildOptions`.

  Raises:
    ValueError: an image, a list or the number of images is wrong.
    OSError: a file cannot be read, or the disk is full.
  """
  if not options.train_directory and not options.validation_directory:
    raise ValueError('--train_directory and --validation_directory are both '
                     'empty: give one or both')
  num_shards = collections.OrderedDict(
      (split, getattr(options, split + '_shards')) for split in _SIZES
      if getattr(options, split + '_directory'))
  with dataset_writer.DatasetWriter(
      options.output_directory, _NAME, options.num_threads) as writer:
    if not (options.overwrite or options.keep):
      _check_splits(writer, options.output_directory, num_shards)
    if writer.keep_existing(
        sum((_shard_names(*item) for item in num_shards.items()), []),
        options.overwrite, _origin(options, num_shards), options.keep):
      return
    classes = synsets.read_classes(synsets.find(options.labels_file))
    names = synsets.class_names(classes, synsets.read_names(
        synsets.find(options.imagenet_metadata_file)))
    boxes = _read_boxes(options.bounding_box_file)
    splits = collections.OrderedDict(
        (split, _split(_find(options, split, classes, boxes, count), split,
                       count, classes, names, boxes))
        for split, count in num_shards.items())
    engine.convert(
        writer, splits, names, synset_images.features_of,
        image_checks.Policy(turn=False, only_jpeg=True), options.on_bad_image)


def _origin(options, num_shards):
  """Returns what the dataset is made of; the images are not read for it."""
  sources = [getattr(options, split + '_directory') for split in num_shards]
  sources += [synsets.find(options.labels_file),
              synsets.find(options.imagenet_metadata_file)]
  settings = {split + '_shards': count for split, count in num_shards.items()}
  return provenance.Origin(
      sources + [path for path in [options.bounding_box_file] if path],
      dict(settings, on_bad_image=options.on_bad_image), read=False,
      directory_flag='output_directory')


def _check_splits(writer, directory, splits):
  """Raises ValueError if the existing dataset has other splits."""
  info = writer.existing_info()
  if info and set(info['splits']) != set(splits):
    raise ValueError(
        '%s holds %s with %s, not %s: give --overwrite or another '
        '--output_directory' % (directory, _NAME, ' and '.join(info['splits']),
                                ' and '.join(splits)))


def _read_boxes(path):
  """Returns a dict of file name to boxes; empty if there is no file."""
  if not path:
    return {}
  if not os.path.exists(path):
    raise FileNotFoundError(
        'there is no %s: make it with process_bounding_boxes.py, or give '
        '--bounding_box_file= for records without boxes' % path)
  return synset_images.read_boxes(path)


def _find(options, split, classes, boxes, num_shards):
  """Returns the SourceImages of a split; checks their number."""
  found = synset_images.find(
      getattr(options, split + '_directory'), classes)
  for reason, count in sorted(found.skipped.items()):
    if count:
      print('%s: %d entries skipped: %s' % (split, count, reason))
  synset_images.check_counts(
      split, found, classes, _SIZES[split], options.allow_subset)
  if num_shards > len(found.files):
    raise ValueError('--%s_shards=%d is more than the %d images: give at most '
                     'that number' % (split, num_shards, len(found.files)))
  boxed = sum(os.path.basename(name) in boxes for name, _ in found.files)
  print('%s: %d images, %d of them with boxes' % (
      split, len(found.files), boxed))
  return found


def _shard_names(split, count):
  return [_FILES % (split, shard, count) for shard in range(count)]


def _split(found, split, num_shards, classes, names, boxes):
  """Returns the `engine.Split` of SourceImages, in shuffled order."""
  labels = {synset: label for label, synset in enumerate(classes, 1)}
  files = list(found.files)
  random.Random(_SEED).shuffle(files)

  def images_of(shard):
    start, end = (len(files) * k // num_shards for k in (shard, shard + 1))
    return [synset_images.LabeledImage(
        os.path.join(found.directory, name), name, labels[synset], synset,
        names[labels[synset]], boxes.get(os.path.basename(name), []))
            for name, synset in files[start:end]]

  return engine.Split(_shard_names(split, num_shards), len(files), images_of)


def main(config):
  runtime.hide_remarks()
  run(config)


if __name__ == '__main__':
  flags.run(main, BuildOptions, __doc__)
