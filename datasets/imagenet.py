"""ImageNet, ILSVRC 2012: color photographs, 1,000 classes and a background.

The record files are `<split>-<shard>-of-<shards>`. Label 0 is the background,
of which there is no image; the sorted synsets are 1 to 1000. Networks without a
background class have 1,000 outputs: --labels_offset=1 subtracts 1 for them.

O. Russakovsky et al., "ImageNet Large Scale Visual Recognition Challenge",
arXiv:1409.0575.
"""
import tensorflow.compat.v1 as tf
import tf_slim as slim

from datasets import image_dataset
from datasets.imagenet_tools import synsets

# Whether class names missing from a dataset are taken from this project.
LOAD_READABLE_NAMES = True

SPLITS_TO_SIZES = {'train': 1281167, 'validation': 50000}

_IMAGENET = image_dataset.ImageDataset(
    name='imagenet', file_pattern='%s-*',
    splits_to_sizes=SPLITS_TO_SIZES, num_classes=1001,
    items_to_descriptions={
        'image': 'RGB image, uint8 [height, width, 3].',
        'label': 'Class id, 1 to 1000.',
        'label_text': 'Name of the class.',
        'object/bbox': 'Bounding boxes of objects, float32 [number of boxes, '
                       '4]: ymin, xmin, ymax, xmax, as fractions of height '
                       'and width.',
        'object/label': 'Class id of the object in each bounding box.',
    },
    image_format='jpeg', default_label=-1,
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
  """Returns a dict of label, 0 to 1000, to its English name.

  The names come from files of this project; 0 is 'background'. Two labels, 135
  (a bird) and 518 (a machine), are named 'crane'.
  """
  names = synsets.class_names(
      synsets.read_classes(synsets.bundled(synsets.CLASSES_FILENAME)),
      synsets.read_names(synsets.bundled(synsets.NAMES_FILENAME)))
  return dict(enumerate(names))


def get_split(split_name, dataset_dir, file_pattern=None, reader=None):
  """Describes 'train' or 'validation'; see `ImageDataset.get_split`.

  If the directory has no class names, those of the 1,000 classes are set,
  unless `LOAD_READABLE_NAMES` is False.
  """
  dataset = _IMAGENET.get_split(split_name, dataset_dir, file_pattern, reader)
  if LOAD_READABLE_NAMES and dataset.labels_to_names is None:
    dataset.labels_to_names = create_readable_names_for_imagenet_labels()
  return dataset
