"""CIFAR-10: color images of vehicles and animals, 32 x 32, ten classes.

`download_and_convert_cifar10` writes the records.
"""
from datasets import image_dataset

SPLITS_TO_SIZES = {'train': 50000, 'test': 10000}

_CIFAR10 = image_dataset.ImageDataset(
    name='cifar10', file_pattern='cifar10_%s.tfrecord',
    splits_to_sizes=SPLITS_TO_SIZES, num_classes=10,
    items_to_descriptions={
        'image': 'RGB image, uint8 [32, 32, 3].',
        'label': 'Class id of the object, 0 to 9.',
    },
    image_shape=(32, 32, 3))

get_split = _CIFAR10.get_split
