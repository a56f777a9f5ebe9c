"""Visual Wake Words: is there a person in the picture? From COCO.

The records are `<split>.record-<shard>-of-<shards>`. Label 1 is given where an
object of the class takes enough of the picture. The numbers below are those of
COCO 2014; a converted dataset, of 2017 too, brings its own.

A. Chowdhery et al., "Visual Wake Words Dataset", arXiv:1906.05721.
"""
from datasets import image_dataset

SPLITS_TO_SIZES = {'train': 82783, 'val': 40504}

_VISUALWAKEWORDS = image_dataset.ImageDataset(
    name='visualwakewords',
    file_pattern='%s.record-*',
    splits_to_sizes=SPLITS_TO_SIZES,
    num_classes=2,
    items_to_descriptions={
        'image': 'A colour picture of any size.',
        'label': '1 if it shows the class looked for, else 0.',
        'object/bbox': 'The boxes of the class: [ymin, xmin, ymax, xmax] as '
                       'shares of height and width.',
    },
    image_format='jpeg',
    default_label=-1,
    extra_features=image_dataset.BOX_FEATURES,
    extra_items={'object/bbox': image_dataset.BOX_ITEM})


def get_split(split_name, dataset_dir, file_pattern=None, reader=None):
  """Describes the split 'train' or 'val'; see `image_dataset.get_split`."""
  return image_dataset.get_split(
      _VISUALWAKEWORDS, split_name, dataset_dir, file_pattern, reader)
