"""ImageNet, ILSVRC 2012: colour photographs, 1,000 classes and a background.

The records are `<split>-<shard>-of-<shards>`. Label 0 is the background, which
no picture shows; the synsets, sorted, are 1 to 1000.

O. Russakovsky et al., "ImageNet Large Scale Visual Recognition Challenge",
arXiv:1409.0575.
"""
import tensorflow.compat.v1 as tf
import tf_slim as slim

from datasets import image_dataset

SPLITS_TO_SIZES = {'train': 1281167, 'validation': 50000}

_IMAGENET = image_dataset.ImageDataset(
    name='imagenet',
    file_pattern='%s-*',
    splits_to_sizes=SPLITS_TO_SIZES,
    num_classes=1001,
    items_to_descriptions={
        'image': 'A colour picture of any size.',
        'label': 'The class, 1 to 1000.',
        'label_text': 'The class in words.',
        'object/bbox': 'The boxes of the objects: [ymin, xmin, ymax, xmax] as '
                       'shares of height and width.',
        'object/label': 'The class of the object in each box.',
    },
    image_format='jpeg',
    default_label=-1,
    extra_features={
        'image/class/text': tf.FixedLenFeature((), tf.string, ''),
        'image/object/class/label': tf.VarLenFeature(tf.int64),
        **image_dataset.BOX_FEATURES,
    },
    extra_items={
        'label_text': slim.tfexample_decoder.Tensor('image/class/text'),
        'object/bbox': image_dataset.BOX_ITEM,
        'object/label': slim.tfexample_decoder.Tensor(
            'image/object/class/label'),
    })


def get_split(split_name, dataset_dir, file_pattern=None, reader=None):
  """Describes 'train' or 'validation'; see `image_dataset.get_split`."""
  return image_dataset.get_split(
      _IMAGENET, split_name, dataset_dir, file_pattern, reader)
