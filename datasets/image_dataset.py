"""How datasets of labeled images are described, and how their splits are read.

A dataset module has an `ImageDataset`, whose `get_split` is that of the module.
Sizes and classes are read from the files that a converter wrote beside the
records (see `dataset_info`); without them, the published numbers are used.
"""
import dataclasses
import fnmatch
import os
import time
from typing import Any, Mapping, Optional, Tuple

import tensorflow.compat.v1 as tf
import tf_slim as slim

from datasets import dataset_info
from slim_common import suggest

# The features and the item of bounding boxes, for datasets that have them.
BOX_FEATURES = {'image/object/bbox/' + edge: tf.VarLenFeature(tf.float32)
                for edge in ('xmin', 'ymin', 'xmax', 'ymax')}
BOX_ITEM = slim.tfexample_decoder.BoundingBox(
    ['ymin', 'xmin', 'ymax', 'xmax'], 'image/object/bbox/')

_MAX_WAIT_SECS = 5


@dataclasses.dataclass(frozen=True)
class ImageDataset:
  """A dataset of labeled images in TFRecord files of tf.train.Examples.

  Attributes:
    name: key in `dataset_factory.datasets_map`.
    file_pattern: pattern of a split's record files, with `%s` for the split.
    splits_to_sizes: published number of examples of each split.
    num_classes: published number of classes.
    items_to_descriptions: description of each decoded item.
    image_shape: (height, width, channels) if all images have it, else None.
    channels: 1 (grayscale) or 3 (RGB).
    image_format: format of an image whose record does not name it.
    label_shape: shape of the label in the records, () or (1,).
    default_label: label of a record that has none.
    extra_features: dict of record key to its parsing configuration, for
      features besides image and label.
    extra_items: dict of item name to its `slim.tfexample_decoder` handler.
  """
  name: str
  file_pattern: str
  splits_to_sizes: Mapping[str, int]
  num_classes: int
  items_to_descriptions: Mapping[str, str]
  image_shape: Optional[Tuple[int, int, int]] = None
  channels: int = 3
  image_format: str = 'png'
  label_shape: Tuple[int, ...] = ()
  default_label: int = 0
  extra_features: Mapping[str, Any] = dataclasses.field(default_factory=dict)
  extra_items: Mapping[str, Any] = dataclasses.field(default_factory=dict)

  def get_split(self, split_name, dataset_dir, file_pattern=None, reader=None):
    """Describes a split of the dataset, without opening the records.

    Args:
      split_name: name of the split, such as 'train'.
      dataset_dir: directory of the records. If it does not exist or has no
        `dataset_info.json`, the published numbers are returned.
      file_pattern: pattern of the record files instead of the dataset's, with
        `%s` for the split.
      reader: class of a TensorFlow reader; None for `tf.TFRecordReader`.

    Returns:
      A `slim.dataset.Dataset`: `data_sources` (a path, with wildcards if there
      are several files), `reader`, `decoder` (of the items `image`, uint8
      [height, width, channels], `label`, int64 [], and those of the dataset),
      `num_samples`, `items_to_descriptions`, `num_classes`, `labels_to_names`
      (a dict, or None if no names were found), `multi_label`: whether an
      image has any number of classes, so that `label` is int64 [n], and
      `tasks`: a dict of the name of each task to whether it is multi-label,
      empty if the classes, named TASK:CLASS then, are not of tasks.

    Raises:
      ValueError: there is no such split, or it is empty; the pattern has no
        `%s`; the directory has another dataset or one that is being replaced.
    """
    pattern = file_pattern or self.file_pattern
    if '%s' not in pattern:
      raise ValueError('file_pattern is %r: it must contain %%s for the split, '
                       'as in %r' % (pattern, self.file_pattern))
    dataset_dir = dataset_dir or ''
    info = _read_info(self, dataset_dir)
    sizes = self.splits_to_sizes
    if info:
      sizes = {split: _count(info['splits'][split], pattern % split,
                             self.splits_to_sizes.get(split))
               for split in info['splits']}
    _check_split(self.name, split_name, sizes, pattern, dataset_dir, info)
    multi_label = bool(info and info['multi_label'])
    return slim.dataset.Dataset(
        data_sources=os.path.join(dataset_dir, pattern % split_name),
        reader=reader or tf.TFRecordReader,
        decoder=_decoder(self, multi_label), num_samples=sizes[split_name],
        items_to_descriptions=dict(self.items_to_descriptions),
        num_classes=info['num_classes'] if info else self.num_classes,
        labels_to_names=_names(dataset_dir, info), multi_label=multi_label,
        tasks=info['tasks'] if info else {})


def _check_split(name, split_name, sizes, pattern, dataset_dir, info):
  if split_name not in sizes:
    raise ValueError('%s has no split %r%s Its splits are: %s (in %s)' % (
        name, split_name, suggest.hint(split_name, sizes), ', '.join(sizes),
        os.path.join(dataset_dir, dataset_info.INFO_FILENAME) if info else
        dataset_dir))
  if not sizes[split_name]:
    raise ValueError(
        'the split %r of %s is empty: %s counts no examples in files named %s' %
        (split_name, name, os.path.join(
            dataset_dir, dataset_info.INFO_FILENAME), pattern % split_name))


def _count(split, pattern, published):
  """Returns the number of examples in a split's files that match a pattern.

  If none matches, the pattern is for files that the converter did not write,
  and the published number is returned.
  """
  counts = [
      count for name, count in zip(split['files'], split['examples_per_file'])
      if fnmatch.fnmatch(name, pattern)]
  return sum(counts) if counts or published is None else published


def _read_info(spec, dataset_dir):
  """Returns the content of the directory's `dataset_info.json`, or None."""
  if not dataset_dir:
    return None
  _wait_for_publishing(spec, dataset_dir)
  path = os.path.join(dataset_dir, dataset_info.INFO_FILENAME)
  if not tf.io.gfile.exists(path):
    return None
  with tf.io.gfile.GFile(path, 'rb') as source:
    info = dataset_info.parse_info(source.read(), path)
  if info['name'] != spec.name:
    raise ValueError('%s describes the dataset %r, not %r: give another '
                     'dataset_dir, or dataset_name=%s' % (
                         path, info['name'], spec.name, info['name']))
  return info


def _wait_for_publishing(spec, dataset_dir):
  """Waits for a converter that is replacing the files at this moment."""
  marker = os.path.join(
      dataset_dir, dataset_info.publishing_directory(spec.name))
  deadline = time.time() + _MAX_WAIT_SECS
  while tf.io.gfile.exists(marker):
    if time.time() > deadline:
      raise ValueError(
          'the files in %s were being replaced when the converter was stopped: '
          'run it once more to finish' % dataset_dir)
    time.sleep(0.05)


def _names(dataset_dir, info):
  path = os.path.join(dataset_dir, dataset_info.LABELS_FILENAME)
  if dataset_dir and tf.io.gfile.exists(path):
    with tf.io.gfile.GFile(path, 'rb') as source:
      return dataset_info.parse_labels(source.read(), path)
  return dict(enumerate(info['class_names'])) if info else None


def _decoder(spec, multi_label):
  label = tf.VarLenFeature(tf.int64) if multi_label else tf.FixedLenFeature(
      spec.label_shape, tf.int64,
      [spec.default_label] * len(spec.label_shape) or spec.default_label)
  features = {
      'image/encoded': tf.FixedLenFeature((), tf.string, ''),
      'image/format': tf.FixedLenFeature((), tf.string, spec.image_format),
      'image/class/label': label,
      **spec.extra_features,
  }
  items = {
      'image': slim.tfexample_decoder.Image(
          shape=spec.image_shape, channels=spec.channels),
      'label': slim.tfexample_decoder.Tensor(
          'image/class/label',
          shape=[] if spec.label_shape and not multi_label else None),
      **spec.extra_items,
  }
  return slim.tfexample_decoder.TFExampleDecoder(features, items)
