r"""Turns the pictures of ImageNet (ILSVRC 2012) into TFRecord files.

  python datasets/build_imagenet_data.py --train_directory=TRAIN \
      --validation_directory=VALIDATION --output_directory=OUT \
      --bounding_box_file=BOXES.csv

TRAIN holds a folder a synset, VALIDATION the same or the 50,000 pictures as
their archive has them. Both stay as they are. OUT gets train-00000-of-01024
and so on, validation-00000-of-00128 and so on, labels.txt and
dataset_info.json, all at once, when the last shard is whole. Label 0 is the
background, the synsets of --labels_file are 1 and up. JPEGs are stored byte
for byte; the PNG and the CMYK files among them, which the content tells,
become RGB JPEGs.

The same command goes on where it was stopped, even by kill -9: shards that are
complete are kept in OUT/.imagenet.building as long as pictures and options
stay the same.
"""
import collections
import dataclasses
import os
import random
import sys
import warnings

if __name__ == '__main__':
  # Started as a file, it has its own folder where the project's should be.
  sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from datasets.conversion import dataset_writer
from datasets.conversion import image_checks
from datasets.conversion import image_files
from datasets.conversion import resumable_dataset
from datasets.imagenet_tools import synset_images
from datasets.imagenet_tools import synsets
from slim_common import flags
from slim_common.flags import flag

_NAME = 'imagenet'
_FILES = '%s-%05d-of-%05d'
_SIZES = {'train': 1281167, 'validation': 50000}
_SEED = 12345


@dataclasses.dataclass(frozen=True)
class BuildOptions:
  """Options of build_imagenet_data.py."""
  train_directory: str = flag(
      '/tmp/', 'The folder of the pictures to train on; empty for none.')
  validation_directory: str = flag(
      '/tmp/', 'The folder of the pictures to validate with; empty for none.')
  output_directory: str = flag(
      '/tmp/', 'The folder for the TFRecord files.', required=True)
  train_shards: int = flag(
      1024, 'Into how many files the split train goes.', at_least=1)
  validation_shards: int = flag(
      128, 'Into how many files the split validation goes.', at_least=1)
  num_threads: int = flag(
      8, 'How many processes work on it. The files do not depend on it.',
      at_least=1)
  labels_file: str = flag(
      synsets.CLASSES_FILENAME, 'A synset a line; the first is label 1. The '
      'default is a file of this project.')
  imagenet_metadata_file: str = flag(
      synsets.NAMES_FILENAME, 'Synset, tab, words. The default is a file of '
      'this project.')
  bounding_box_file: str = flag(
      './imagenet_2012_bounding_boxes.csv', 'Lines of filename,xmin,ymin,xmax,'
      'ymax, as process_bounding_boxes.py writes them; empty for none.')
  allow_subset: bool = flag(
      False, 'Convert what is there, where it is not all of the 1,281,167 and '
      '50,000 pictures.')
  on_bad_image: str = flag(
      'fail', 'What truncated, damaged and other files that are no pictures '
      'do: fail (all are named, nothing is published) or skip '
      '(bad_pictures.csv names them).',
      choices=image_files.BAD_IMAGE_CHOICES)
  overwrite: bool = flag(
      False, 'Convert anew a dataset that stands there; it is replaced when '
      'the new one is complete.')


def run(options):
  """Converts ImageNet.

  Args:
    options: a `BuildOptions`.

  Raises:
    ValueError: a picture, a list or the number of pictures is wrong.
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
    if not options.overwrite:
      _check_splits(options.output_directory, num_shards)
    if writer.keep_existing(
        sum((_shard_names(*item) for item in num_shards.items()), []),
        options.overwrite):
      return
    classes = synsets.read_classes(synsets.find(options.labels_file))
    names = synsets.class_names(classes, synsets.read_names(
        synsets.find(options.imagenet_metadata_file)))
    boxes = _read_boxes(options.bounding_box_file)
    splits = collections.OrderedDict(
        (split, _split(_find(options, split, classes, boxes, count), split,
                       count, classes, names, boxes))
        for split, count in num_shards.items())
    resumable_dataset.convert(
        writer, options.output_directory, _NAME, splits, names,
        synset_images.features_of, image_checks.Policy(turn=False),
        options.on_bad_image, options.num_threads)


def _check_splits(folder, splits):
  """Raises ValueError if a dataset of other splits stands there."""
  info = resumable_dataset.standing_info(folder, _NAME)
  if info and set(info['splits']) != set(splits):
    raise ValueError(
        '%s holds %s with %s, not %s: give --overwrite or another '
        '--output_directory' % (folder, _NAME, ' and '.join(info['splits']),
                                ' and '.join(splits)))


def _read_boxes(path):
  """Returns a dict of file name to boxes; an empty one where no file is."""
  if not path:
    return {}
  if not os.path.exists(path):
    raise FileNotFoundError(
        'there is no %s: make it by process_bounding_boxes.py, or give '
        '--bounding_box_file= for records without boxes' % path)
  return synset_images.read_boxes(path)


def _find(options, split, classes, boxes, num_shards):
  """Returns the Pictures of a split after checking their number."""
  found = synset_images.find(
      getattr(options, split + '_directory'), classes)
  for words, count in sorted(found.skipped.items()):
    if count:
      print('%s: %d entries skipped: %s' % (split, count, words))
  synset_images.check_counts(
      split, found, classes, _SIZES[split], options.allow_subset)
  if num_shards > len(found.files):
    raise ValueError('--%s_shards=%d is more than the %d pictures: give at '
                     'most as many' % (split, num_shards, len(found.files)))
  boxed = sum(os.path.basename(name) in boxes for name, _ in found.files)
  print('%s: %d pictures, %d of them with boxes' % (
      split, len(found.files), boxed))
  return found


def _shard_names(split, count):
  return [_FILES % (split, shard, count) for shard in range(count)]


def _split(found, split, num_shards, classes, names, boxes):
  """Returns the `resumable_dataset.Split` of Pictures, in shuffled order."""
  labels = {synset: label for label, synset in enumerate(classes, 1)}
  files = list(found.files)
  random.Random(_SEED).shuffle(files)

  def pictures_of(shard):
    start, end = (len(files) * k // num_shards for k in (shard, shard + 1))
    return [synset_images.Picture(
        os.path.join(found.folder, name), name, labels[synset], synset,
        names[labels[synset]], boxes.get(os.path.basename(name), []))
            for name, synset in files[start:end]]

  return resumable_dataset.Split(
      _shard_names(split, num_shards), len(files), pictures_of)


def main(config):
  # The workers import TensorFlow: let it do so in silence.
  os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
  warnings.filterwarnings('ignore', category=FutureWarning)
  run(config)


if __name__ == '__main__':
  flags.run(main, BuildOptions, __doc__)
