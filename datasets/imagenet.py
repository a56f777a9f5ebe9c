"""ImageNet, ILSVRC 2012: colour photographs, 1,000 classes and a background.

The records are `<split>-<shard>-of-<shards>`. Label 0 is the background, which
no picture shows; the synsets, sorted, are 1 to 1000. Networks without a
background have 1,000 outputs: for them, --labels_offset=1 takes 1 off.

O. Russakovsky et al., "ImageNet Large Scale Visual Recognition Challenge",
arXiv:1409.0575.
"""
import tensorflow.compat.v1 as tf
import tf_slim as slim

from datasets import image_dataset
from datasets.imagenet_tools import synsets

# Whether a split without a `labels.txt` gets its names from this project.
LOAD_READABLE_NAMES = True

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


def create_readable_names_for_imagenet_labels():
  """Returns a dict of label, 0 to 1000, to its English words.

  They are read from the project's own files; 0 is 'background'. A bird and a
  machine share the name 'crane': labels 135 and 518.
  """
  names = synsets.class_names(
      synsets.read_classes(synsets.bundled(synsets.CLASSES_FILENAME)),
      synsets.read_names(synsets.bundled(synsets.NAMES_FILENAME)))
  return dict(enumerate(names))


def get_split(split_name, dataset_dir, file_pattern=None, reader=None):
  """Describes 'train' or 'validation'; see `image_dataset.get_split`.

  Where the folder says no names, those of the 1,000 classes are given; not if
  `LOAD_READABLE_NAMES` is False.
  """
  dataset = image_dataset.get_split(
      _IMAGENET, split_name, dataset_dir, file_pattern, reader)
  if LOAD_READABLE_NAMES and dataset.labels_to_names is None:
    dataset.labels_to_names = create_readable_names_for_imagenet_labels()
  return dataset
