"""Fashion-MNIST: grey pictures of clothes, 28 x 28, ten classes.

The records are those of `download_and_convert_fashion_mnist`.
"""
from datasets import image_dataset

SPLITS_TO_SIZES = {'train': 60000, 'test': 10000}

_FASHION_MNIST = image_dataset.ImageDataset(
    name='fashion_mnist',
    file_pattern='fashion_mnist_%s.tfrecord',
    splits_to_sizes=SPLITS_TO_SIZES,
    num_classes=10,
    items_to_descriptions={
        'image': 'A grey picture of 28 x 28 pixels, white on black.',
        'label': 'The kind of garment, 0 to 9.',
    },
    image_shape=(28, 28, 1),
    channels=1)


def get_split(split_name, dataset_dir, file_pattern=None, reader=None):
  """Describes the split 'train' or 'test'; see `image_dataset.get_split`."""
  return image_dataset.get_split(
      _FASHION_MNIST, split_name, dataset_dir, file_pattern, reader)
