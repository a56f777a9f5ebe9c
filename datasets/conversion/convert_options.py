"""The flags of download_and_convert_data.py, and the converter they select.

A field of `ConvertOptions` is the flag of the same name, its metadata the help
and rules of the flag. Only the standard library is loaded, so that --help
answers at once.
"""
import dataclasses
import importlib
from typing import Optional

from slim_common import suggest
from slim_common.flags import flag

# The module of `run(dataset_dir, ...)` of each dataset, imported on demand.
_CONVERTERS = {
    'cifar10': 'download_and_convert_cifar10',
    'fashion_mnist': 'download_and_convert_fashion_mnist',
    'flowers': 'download_and_convert_flowers',
    'image_folder': 'download_and_convert_image_folder',
    'mnist': 'download_and_convert_mnist',
    'visualwakewords': 'download_and_convert_visualwakewords',
}
# The options of all converters. Other fields are options of those that
# `only_if` names.
_OPTIONS = ('source', 'overwrite', 'num_workers', 'keep')
_IMAGENET = (
    'imagenet has separate programs, as its archives are given only to those '
    'who sign up at https://image-net.org. With the archives, or their '
    'content, in SOURCE: datasets/download_and_convert_imagenet.sh %s SOURCE')
_ONLY_IMAGES = {'only_if': (
    'dataset_name', ('image_folder', 'flowers', 'visualwakewords'))}
_ONLY_IMAGE_FOLDER = {'only_if': ('dataset_name', ('image_folder',))}
_ONLY_VISUALWAKEWORDS = {'only_if': ('dataset_name', ('visualwakewords',))}


@dataclasses.dataclass(frozen=True)
class ConvertOptions:
  """Conversion."""
  dataset_name: Optional[str] = flag(
      None, 'Dataset to convert: %s.' % ', '.join(_CONVERTERS),
      required=True)
  dataset_dir: Optional[str] = flag(
      None, 'Directory for the TFRecord files and labels.txt.',
      required=True)
  source: Optional[str] = flag(
      None, 'Directory, archive or URL (http, https, file) of the original '
      'files; left out, they are downloaded. For image_folder: a directory of '
      'one subdirectory per class, or of train/, validation/ (or valid/, val/) '
      'and test/ with such, or a .csv or .jsonl list of path, label and maybe '
      'split (several labels as cat|dog or, in a jsonl file, as a list; an '
      'empty label for no class). For '
      "visualwakewords: a directory of COCO's archives or of their content.")
  check: bool = flag(
      False, 'Check the dataset in --dataset_dir, and convert nothing: read '
      'every record and report errors.', standalone=True)
  histogram: Optional[str] = flag(
      None, 'PNG file for a chart of the number of examples per class.',
      only_if=('check', (True,)))
  overwrite: bool = flag(
      False, 'Convert again if the dataset exists; it is replaced when the new '
      'one is complete.')
  keep: bool = flag(
      False, 'Keep an existing dataset, even if it was made of another source, '
      'of files that have changed, or with other options; otherwise that is an '
      'error.')
  num_workers: Optional[int] = flag(
      None, 'Number of processes; left out, one per core. The files do not '
      'depend on it.', at_least=1)
  on_bad_image: str = flag(
      'fail', 'Treatment of truncated, damaged and too large images and of '
      'other files: fail (all are named, nothing is published) or skip '
      '(bad_images.csv names them).', choices=('fail', 'skip'),
      **_ONLY_IMAGES)
  max_pixels: int = flag(
      100000000, 'Maximum number of pixels of an image; a larger one is bad.',
      at_least=1,
      **_ONLY_IMAGES)
  background: str = flag(
      'white', 'Color shown through transparency: a name or #rrggbb.',
      **_ONLY_IMAGES)
  validation_fraction: Optional[float] = flag(
      None, 'Fraction of each class to validate with, from 0 to below 1, if '
      'the source has no directory for it; 0.1 if neither this nor '
      '--num_validation is given.',
      at_least=0, **_ONLY_IMAGE_FOLDER)
  num_validation: Optional[int] = flag(
      None, 'Number of images to validate with, each class in proportion.',
      at_least=0, **_ONLY_IMAGE_FOLDER)
  seed: int = flag(
      0, 'Seed of the choice of the validation images and of the order.',
      **_ONLY_IMAGE_FOLDER)
  num_shards: int = flag(
      5, 'Maximum number of files per split.', at_least=1,
      **_ONLY_IMAGE_FOLDER)
  small_object_area_threshold: float = flag(
      0.005, 'Minimum object area, as a fraction of the image area, from 0 to '
      '1; objects of this area or less are ignored.', at_least=0, at_most=1,
      **_ONLY_VISUALWAKEWORDS)
  foreground_class_of_interest: str = flag(
      'person', 'COCO class that makes the label 1.',
      **_ONLY_VISUALWAKEWORDS)
  coco_dirname: str = flag(
      'coco_dataset', 'Name of the directory, in --dataset_dir, for the files '
      'of COCO that are downloaded and unpacked; they stay there.',
      **_ONLY_VISUALWAKEWORDS)
  coco_train_url: str = flag(
      'http://images.cocodataset.org/zips/train2014.zip',
      'URL of the COCO training images.', **_ONLY_VISUALWAKEWORDS)
  coco_validation_url: str = flag(
      'http://images.cocodataset.org/zips/val2014.zip',
      'URL of the COCO validation images.', **_ONLY_VISUALWAKEWORDS)
  coco_annotations_url: str = flag(
      'http://images.cocodataset.org/annotations/'
      'annotations_trainval2014.zip',
      'URL of the COCO annotations.', **_ONLY_VISUALWAKEWORDS)


def convert(options):
  """Converts a dataset, or checks one.

  Args:
    options: a `ConvertOptions`.

  Raises:
    ValueError: there is no such converter, or the source or the checked
      dataset is damaged.
    OSError: a file or a mirror cannot be reached, or the disk is full.
  """
  if options.check:
    if not options.dataset_dir:
      raise ValueError('--check needs --dataset_dir: the directory to check')
    importlib.import_module('datasets.doctor').check(
        options.dataset_dir, options.num_workers, options.histogram)
    return
  if options.overwrite and options.keep:
    raise ValueError('--overwrite replaces an existing dataset and --keep '
                     'keeps it: give one of the two')
  name, known = options.dataset_name, ', '.join(_CONVERTERS)
  if name == 'imagenet':
    raise ValueError(_IMAGENET % options.dataset_dir)
  if name not in _CONVERTERS:
    raise ValueError('--dataset_name=%s is not known%s It is one of: %s' % (
        name, suggest.hint(name, _CONVERTERS), known))
  converter = importlib.import_module('datasets.' + _CONVERTERS[name])
  converter.run(options.dataset_dir, **{
      field.name: getattr(options, field.name)
      for field in dataclasses.fields(options) if field.name in _OPTIONS or
      name in field.metadata.get('only_if', ('', ()))[1]})
