"""Flowers: color photographs of various sizes, five classes.

The record files are `flowers_<split>_<shard>-of-<shards>.tfrecord`.
"""
from datasets import image_dataset

SPLITS_TO_SIZES = {'train': 3320, 'validation': 350}

_FLOWERS = image_dataset.ImageDataset(
    name='flowers', file_pattern='flowers_%s_*.tfrecord',
    splits_to_sizes=SPLITS_TO_SIZES, num_classes=5,
    items_to_descriptions={
        'image': 'RGB image, uint8 [height, width, 3].',
        'label': 'Class id of the flower, 0 to 4.',
    })

get_split = _FLOWERS.get_split
