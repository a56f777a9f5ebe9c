"""What an image dataset is to its readers, and how a split of one is found.

A dataset module is an `ImageDataset`, filled in, and a `get_split` that hands
it on. Sizes, classes and their names are read from the files that a converter
wrote beside the records (see `dataset_info`); the published numbers serve
where there are none.
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

# Boxes around objects, as the datasets that have them write and return them.
BOX_FEATURES = {'image/object/bbox/' + side: tf.VarLenFeature(tf.float32)
                for side in ('xmin', 'ymin', 'xmax', 'ymax')}
BOX_ITEM = slim.tfexample_decoder.BoundingBox(
    ['ymin', 'xmin', 'ymax', 'xmax'], 'image/object/bbox/')

_SECONDS_TO_WAIT_FOR_PUBLISHING = 5


@dataclasses.dataclass(frozen=True)
class ImageDataset:
  """A dataset of labelled images in TFRecord files of tf.train.Examples.

  Attributes:
    name: its key in `dataset_factory.datasets_map`.
    file_pattern: the names of a split's record files, `%s` for the split.
    splits_to_sizes: the published number of examples of each split.
    num_classes: the published number of classes.
    items_to_descriptions: what each decoded item is, in words.
    image_shape: [height, width, channels] where all images have it, else None.
    channels: 1 (grey) or 3 (red, green, blue).
    image_format: the format of an image whose record does not say it.
    label_shape: shape of the label in the records, () or (1,).
    default_label: the label of a record that has none.
    extra_features: a dict of record key to its parsing configuration, for
      what there is besides image and label.
    extra_items: a dict of item name to its `slim.tfexample_decoder` handler.
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


def get_split(spec, split_name, dataset_dir, file_pattern=None, reader=None):
  """Describes a split of a dataset; the records are not opened.

  Args:
    spec: the `ImageDataset`.
    split_name: such as 'train'.
    dataset_dir: the folder of the records. Where it does not stand or holds
      no `dataset_info.json`, the published numbers are given.
    file_pattern: names of the record files in place of the dataset's, with
      `%s` for the split.
    reader: class of a TensorFlow reader; None for `tf.TFRecordReader`.

  Returns:
    A `slim.dataset.Dataset`: `data_sources` (a path, with wildcards where
    there are several files), `reader`, `decoder` (of the items `image`, uint8
    [height, width, channels], `label`, int64 [], and what the dataset has
    besides), `num_samples`, `items_to_descriptions`, `num_classes`,
    `labels_to_names` (a dict, or None if no names were found) and
    `multi_label`: whether a picture has any number of classes, so that `label`
    is a list of their ids, int64 [any length].

  Raises:
    ValueError: there is no such split, or it is empty; the pattern has no
      `%s`; the folder holds another dataset or one that is being replaced.
  """
  pattern = file_pattern or spec.file_pattern
  if '%s' not in pattern:
    raise ValueError('file_pattern is %r: it must hold %%s, which stands for '
                     'the split, as %r does' % (pattern, spec.file_pattern))
  dataset_dir = dataset_dir or ''
  info = _read_info(spec, dataset_dir)
  sizes = spec.splits_to_sizes
  if info:
    sizes = {split: _count(info['splits'][split], pattern % split,
                           spec.splits_to_sizes.get(split))
             for split in info['splits']}
  _check_split(spec.name, split_name, sizes, pattern, dataset_dir)
  multi_label = bool(info and info['multi_label'])
  return slim.dataset.Dataset(
      data_sources=os.path.join(dataset_dir, pattern % split_name),
      reader=reader or tf.TFRecordReader,
      decoder=_decoder(spec, multi_label),
      num_samples=sizes[split_name],
      items_to_descriptions=dict(spec.items_to_descriptions),
      num_classes=info['num_classes'] if info else spec.num_classes,
      labels_to_names=_names(dataset_dir, info),
      multi_label=multi_label)


def _check_split(name, split_name, sizes, pattern, dataset_dir):
  if split_name not in sizes:
    raise ValueError('%s has no split %r%s Its splits are: %s' % (
        name, split_name, suggest.hint(split_name, sizes),
        ', '.join(sizes)))
  if not sizes[split_name]:
    raise ValueError(
        'the split %r of %s is empty: %s counts no example in files named %s' %
        (split_name, name,
         os.path.join(dataset_dir, dataset_info.INFO_FILENAME),
         pattern % split_name))


def _count(split, pattern, published):
  """Returns the number of examples in those of a split's files that match.

  A pattern may name a part of them. If it names none, they are files that
  the converter did not write, and only the published number is left.
  """
  counts = [count for file_name, count in zip(split['files'],
                                              split['examples_per_file'])
            if fnmatch.fnmatch(file_name, pattern)]
  if counts or published is None:
    return sum(counts)
  return published


def _read_info(spec, dataset_dir):
  """Returns the content of the folder's `dataset_info.json`, or None."""
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
  """Waits for a converter that is just moving its files into place."""
  folder = os.path.join(dataset_dir, dataset_info.publishing_folder(spec.name))
  deadline = time.time() + _SECONDS_TO_WAIT_FOR_PUBLISHING
  while tf.io.gfile.exists(folder):
    if time.time() > deadline:
      raise ValueError(
          'the files in %s were being replaced when their converter was '
          'stopped: run it once more, it will finish' % dataset_dir)
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
  }
  features.update(spec.extra_features)
  items = {
      'image': slim.tfexample_decoder.Image(
          shape=spec.image_shape, channels=spec.channels),
      'label': slim.tfexample_decoder.Tensor(
          'image/class/label',
          shape=[] if spec.label_shape and not multi_label else None),
  }
  items.update(spec.extra_items)
  return slim.tfexample_decoder.TFExampleDecoder(features, items)
