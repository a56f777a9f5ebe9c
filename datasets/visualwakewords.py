"""Visual Wake Words: whether there is a person in an image of COCO.

The record files are `<split>.record-<shard>-of-<shards>`. The label is 1 if an
object of the class covers enough of the image. The sizes below are those of
COCO 2014; a converted dataset, such as one of 2017, records its sizes.

A. Chowdhery et al., "Visual Wake Words Dataset", arXiv:1906.05721.
"""
from datasets import image_dataset

SPLITS_TO_SIZES = {'train': 82783, 'val': 40504}

_VISUALWAKEWORDS = image_dataset.ImageDataset(
    name='visualwakewords', file_pattern='%s.record-*',
    splits_to_sizes=SPLITS_TO_SIZES, num_classes=2,
    items_to_descriptions={
        'image': 'RGB image, uint8 [height, width, 3].',
        'label': '1 if the image shows the class of interest, else 0.',
        'object/bbox': 'Bounding boxes of objects of the class, float32 '
                       '[number of boxes, 4]: ymin, xmin, ymax, xmax, as '
                       'fractions of height and width.',
    },
    image_format='jpeg', default_label=-1,
    extra_features=image_dataset.BOX_FEATURES,
    extra_items={'object/bbox': image_dataset.BOX_ITEM})

get_split = _VISUALWAKEWORDS.get_split
