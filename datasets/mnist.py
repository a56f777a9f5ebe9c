"""MNIST: grayscale images of handwritten digits, 28 x 28, ten classes.

`download_and_convert_mnist` writes the records.
"""
from datasets import image_dataset

SPLITS_TO_SIZES = {'train': 60000, 'test': 10000}

_MNIST = image_dataset.ImageDataset(
    name='mnist', file_pattern='mnist_%s.tfrecord',
    splits_to_sizes=SPLITS_TO_SIZES, num_classes=10,
    items_to_descriptions={
        'image': 'Grayscale image, uint8 [28, 28, 1], white on black.',
        'label': 'Digit, 0 to 9.',
    },
    image_shape=(28, 28, 1), channels=1, image_format='raw', label_shape=(1,))

get_split = _MNIST.get_split
