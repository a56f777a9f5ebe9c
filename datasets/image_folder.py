"""Images of the user, converted by `download_and_convert_image_folder`.

Splits, their sizes and class names are read from the `dataset_info.json` beside
the record files, `image_folder_<split>_<shard>-of-<shards>.tfrecord`.
"""
import os

import tensorflow.compat.v1 as tf

from datasets import dataset_info
from datasets import image_dataset

# There are no published sizes.
SPLITS_TO_SIZES = {}

_IMAGE_FOLDER = image_dataset.ImageDataset(
    name='image_folder', file_pattern='image_folder_%s_*.tfrecord',
    splits_to_sizes=SPLITS_TO_SIZES, num_classes=0,
    items_to_descriptions={
        'image': 'RGB image, uint8 [height, width, 3].',
        'label': 'Class id, in the order of the sorted class names; a list of '
                 'class ids if the dataset is multi-label.',
    },
    image_format='jpg')


def get_split(split_name, dataset_dir, file_pattern=None, reader=None):
  """Describes a split; see `ImageDataset.get_split`.

  Raises:
    ValueError: as there, or the directory has no `dataset_info.json`.
  """
  directory = dataset_dir or ''
  if not any(tf.io.gfile.exists(os.path.join(directory, name)) for name in (
      dataset_info.INFO_FILENAME,
      dataset_info.publishing_directory(_IMAGE_FOLDER.name))):
    raise ValueError(
        '%s has no %s: convert your images with download_and_convert_data.py '
        '--dataset_name=image_folder --source=IMAGES --dataset_dir=%s' % (
            directory or 'dataset_dir (not given)', dataset_info.INFO_FILENAME,
            directory or 'DIR'))
  return _IMAGE_FOLDER.get_split(split_name, dataset_dir, file_pattern, reader)
