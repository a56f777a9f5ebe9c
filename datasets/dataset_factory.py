"""Finds a dataset by name: `datasets_map` maps it to the dataset's module."""

from datasets import cifar10
from datasets import fashion_mnist
from datasets import flowers
from datasets import image_folder
from datasets import imagenet
from datasets import mnist
from datasets import visualwakewords
from slim_common import suggest

datasets_map = {
    'cifar10': cifar10,
    'fashion_mnist': fashion_mnist,
    'flowers': flowers,
    'image_folder': image_folder,
    'imagenet': imagenet,
    'mnist': mnist,
    'visualwakewords': visualwakewords,
}


def get_dataset(name, split_name, dataset_dir, file_pattern=None, reader=None):
  """Describes a split of the dataset `name`.

  Args:
    name: a key of `datasets_map`.
    split_name: such as 'train'.
    dataset_dir: the folder of the records.
    file_pattern: names of the record files in place of the dataset's, with
      `%s` for the split.
    reader: class of a TensorFlow reader; None for `tf.TFRecordReader`.

  Returns:
    A `slim.dataset.Dataset`; see `image_dataset.get_split`.

  Raises:
    ValueError: `name` is not known, or as `image_dataset.get_split` says.
  """
  if name not in datasets_map:
    raise ValueError('Name of dataset unknown %s%s Known are: %s' % (
        name, suggest.hint(name, datasets_map), ', '.join(datasets_map)))
  return datasets_map[name].get_split(
      split_name, dataset_dir, file_pattern, reader)
