"""Finds a dataset by name: `datasets_map` maps names to dataset modules."""
from typing import Any, Optional

import tf_slim as slim

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


def get_dataset(name: str, split_name: str, dataset_dir: Optional[str],
                file_pattern: Optional[str] = None,
                reader: Any = None) -> slim.dataset.Dataset:
  """Describes a split of the dataset `name`.

  Args:
    name: a key of `datasets_map`.
    split_name: name of the split, such as 'train'.
    dataset_dir: directory of the records; None if there is none.
    file_pattern, reader: see `image_dataset.ImageDataset.get_split`.

  Returns:
    A `slim.dataset.Dataset`, which is described there.

  Raises:
    ValueError: `name` is unknown, or as there.
  """
  if name not in datasets_map:
    raise ValueError('Name of dataset unknown %s%s Known are: %s' % (
        name, suggest.hint(name, datasets_map), ', '.join(datasets_map)))
  return datasets_map[name].get_split(
      split_name, dataset_dir, file_pattern, reader)
