"""The user's own pictures, as `download_and_convert_image_folder` writes them.

All there is to know of them - splits and their sizes, classes and their names -
stands in the `dataset_info.json` beside the records, which are
`image_folder_<split>_<shard>-of-<shards>.tfrecord`.
"""
import os

import tensorflow.compat.v1 as tf

from datasets import dataset_info
from datasets import image_dataset

# No published numbers: each folder has its own.
SPLITS_TO_SIZES = {}

_IMAGE_FOLDER = image_dataset.ImageDataset(
    name='image_folder',
    file_pattern='image_folder_%s_*.tfrecord',
    splits_to_sizes=SPLITS_TO_SIZES,
    num_classes=0,
    items_to_descriptions={
        'image': 'A colour picture of any size.',
        'label': 'The class, by the sorted names of the classes; of a '
                 'multi-label dataset, a list of any number of them.',
    },
    image_format='jpg')


def get_split(split_name, dataset_dir, file_pattern=None, reader=None):
  """Describes a split; see `image_dataset.get_split`.

  Raises:
    ValueError: as there, or the folder has no `dataset_info.json`.
  """
  folder = dataset_dir or ''
  if not any(tf.io.gfile.exists(os.path.join(folder, name)) for name in (
      dataset_info.INFO_FILENAME,
      dataset_info.publishing_folder(_IMAGE_FOLDER.name))):
    raise ValueError(
        '%s holds no %s: make it of your pictures with '
        'download_and_convert_data.py --dataset_name=image_folder '
        '--source=PICTURES --dataset_dir=%s' % (
            folder or 'dataset_dir (not given)', dataset_info.INFO_FILENAME,
            folder or 'FOLDER'))
  return image_dataset.get_split(
      _IMAGE_FOLDER, split_name, dataset_dir, file_pattern, reader)
