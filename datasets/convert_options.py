"""What the user may say to a conversion, and which converter does it.

A field of `ConvertOptions` is the flag of the same name, and its metadata the
flag's help and rules. Nothing but the standard library is imported, so that
--help answers at once.
"""
import dataclasses
import difflib
import importlib
from typing import Optional

# A module with `run(dataset_dir, source, overwrite, num_workers)` for each
# dataset that can be converted; imported when it is asked for.
_CONVERTERS = {
    'cifar10': 'download_and_convert_cifar10',
    'fashion_mnist': 'download_and_convert_fashion_mnist',
    'mnist': 'download_and_convert_mnist',
}
# Datasets that can be read, and whose converters are not here yet.
_WITHOUT_CONVERTER = ('flowers', 'imagenet', 'visualwakewords')
_ONLY_VISUALWAKEWORDS = {'only_with': ('dataset_name', ('visualwakewords',))}


def _flag(default, text, **rules):
  return dataclasses.field(default=default, metadata=dict(rules, help=text))


@dataclasses.dataclass(frozen=True)
class ConvertOptions:
  """Conversion."""
  dataset_name: Optional[str] = _flag(
      None, 'The dataset to convert: %s.' % ', '.join(_CONVERTERS),
      required=True)
  dataset_dir: Optional[str] = _flag(
      None, 'The folder for the TFRecord files and labels.txt.',
      required=True)
  source: Optional[str] = _flag(
      None, 'Where the original files are: a folder, an archive or a URL '
      '(http, https, file). Left out, they are downloaded.')
  overwrite: bool = _flag(
      False, 'Convert anew a dataset that stands there; it is replaced when '
      'the new one is complete.')
  num_workers: Optional[int] = _flag(
      None, 'How many processes work on it; left out, one a core. The files '
      'do not depend on it.', at_least=1)
  small_object_area_threshold: float = _flag(
      0.005, 'Boxes that cover at most this share of the picture are ignored.',
      **_ONLY_VISUALWAKEWORDS)
  foreground_class_of_interest: str = _flag(
      'person', 'The COCO class that makes the label 1.',
      **_ONLY_VISUALWAKEWORDS)
  coco_dirname: str = _flag(
      'coco_dataset', 'The folder for COCO, in dataset_dir.',
      **_ONLY_VISUALWAKEWORDS)
  coco_train_url: str = _flag(
      'http://images.cocodataset.org/zips/train2014.zip',
      'Where the COCO pictures to train on are.', **_ONLY_VISUALWAKEWORDS)
  coco_validation_url: str = _flag(
      'http://images.cocodataset.org/zips/val2014.zip',
      'Where the COCO pictures to validate with are.', **_ONLY_VISUALWAKEWORDS)
  coco_annotations_url: str = _flag(
      'http://images.cocodataset.org/annotations/'
      'annotations_trainval2014.zip',
      'Where the COCO annotations are.', **_ONLY_VISUALWAKEWORDS)


def convert(options):
  """Converts a dataset.

  Args:
    options: a `ConvertOptions`.

  Raises:
    ValueError: there is no such converter, or the source is damaged.
    OSError: a file or a mirror cannot be reached, or the disk is full.
  """
  name, known = options.dataset_name, ', '.join(_CONVERTERS)
  if name in _WITHOUT_CONVERTER:
    raise ValueError('the converter of %s is not here yet; there are those '
                     'of: %s' % (name, known))
  if name not in _CONVERTERS:
    near = difflib.get_close_matches(name, _CONVERTERS, n=1)
    raise ValueError('--dataset_name=%s is not known%s; it is one of: %s' % (
        name, ', did you mean %s?' % near[0] if near else '', known))
  converter = importlib.import_module('datasets.' + _CONVERTERS[name])
  converter.run(options.dataset_dir, options.source, options.overwrite,
                options.num_workers)
