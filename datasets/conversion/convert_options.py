"""What the user may say to a conversion, and which converter does it.

A field of `ConvertOptions` is the flag of the same name, and its metadata the
flag's help and rules. Nothing but the standard library is loaded, so that
--help answers at once.
"""
import dataclasses
import importlib
from typing import Optional

from slim_common import suggest
from slim_common.flags import flag

# A module with `run(dataset_dir, ...)` for each dataset that can be converted;
# imported when it is asked for.
_CONVERTERS = {
    'cifar10': 'download_and_convert_cifar10',
    'fashion_mnist': 'download_and_convert_fashion_mnist',
    'flowers': 'download_and_convert_flowers',
    'image_folder': 'download_and_convert_image_folder',
    'mnist': 'download_and_convert_mnist',
    'visualwakewords': 'download_and_convert_visualwakewords',
}
# What `run` of all converters takes, and what that of some takes besides.
_OPTIONS = ('source', 'overwrite', 'num_workers')
_PICTURE_OPTIONS = ('on_bad_image', 'max_pixels', 'background')
_OPTIONS_OF = {
    'flowers': _PICTURE_OPTIONS,
    'image_folder': _PICTURE_OPTIONS + (
        'validation_fraction', 'num_validation', 'seed', 'num_shards'),
    'visualwakewords': _PICTURE_OPTIONS + (
        'small_object_area_threshold', 'foreground_class_of_interest',
        'coco_dirname', 'coco_train_url', 'coco_validation_url',
        'coco_annotations_url'),
}
_IMAGENET = (
    'imagenet has programs of its own, as its archives are given only to those '
    'who sign up at https://image-net.org. With the archives, or what they '
    'hold, in SOURCE: datasets/download_and_convert_imagenet.sh %s SOURCE')
_ONLY_PICTURES = {'only_if': (
    'dataset_name', ('image_folder', 'flowers', 'visualwakewords'))}
_ONLY_IMAGE_FOLDER = {'only_if': ('dataset_name', ('image_folder',))}
_ONLY_VISUALWAKEWORDS = {'only_if': ('dataset_name', ('visualwakewords',))}


@dataclasses.dataclass(frozen=True)
class ConvertOptions:
  """Conversion."""
  dataset_name: Optional[str] = flag(
      None, 'The dataset to convert: %s.' % ', '.join(_CONVERTERS),
      required=True)
  dataset_dir: Optional[str] = flag(
      None, 'The folder for the TFRecord files and labels.txt.',
      required=True)
  source: Optional[str] = flag(
      None, 'Where the original files are: a folder, an archive or a URL '
      '(http, https, file). Left out, they are downloaded. For image_folder: '
      'a folder of a sub-folder a class, or of train/ and validation/ with '
      'such, or a .csv or .jsonl list of path,label (several labels as cat|dog '
      'or, in a jsonl file, as a list; an empty one for no class). For '
      "visualwakewords: a folder of COCO's archives or of what they hold.")
  check: bool = flag(
      False, 'Convert nothing: read every record of the dataset in '
      '--dataset_dir and say what is wrong with it.', standalone=True)
  histogram: Optional[str] = flag(
      None, 'The PNG file for a drawing of the examples a class.',
      only_if=('check', (True,)))
  overwrite: bool = flag(
      False, 'Convert anew a dataset that stands there; it is replaced when '
      'the new one is complete.')
  num_workers: Optional[int] = flag(
      None, 'How many processes work on it; left out, one a core. The files '
      'do not depend on it.', at_least=1)
  on_bad_image: str = flag(
      'fail', 'What truncated, damaged and too large pictures and files that '
      'are none do: fail (all are named, nothing is published) or skip '
      '(bad_pictures.csv names them).', choices=('fail', 'skip'),
      **_ONLY_PICTURES)
  max_pixels: int = flag(
      100000000, 'A picture with more pixels is a bad one.', at_least=1,
      **_ONLY_PICTURES)
  background: str = flag(
      'white', 'What shows through transparency: a colour name or #rrggbb.',
      **_ONLY_PICTURES)
  validation_fraction: Optional[float] = flag(
      None, 'The share of each class to validate with, where the source has no '
      'folder for it; 0.1 if neither this nor --num_validation is given.',
      at_least=0, **_ONLY_IMAGE_FOLDER)
  num_validation: Optional[int] = flag(
      None, 'How many pictures to validate with, each class in proportion.',
      at_least=0, **_ONLY_IMAGE_FOLDER)
  seed: int = flag(
      0, 'Of the draw of the validation pictures and of the order.',
      **_ONLY_IMAGE_FOLDER)
  num_shards: int = flag(
      5, 'Into how many files a split goes.', at_least=1, **_ONLY_IMAGE_FOLDER)
  small_object_area_threshold: float = flag(
      0.005, "Objects whose area is at most this share of the picture's are "
      'ignored.', at_least=0, at_most=1, **_ONLY_VISUALWAKEWORDS)
  foreground_class_of_interest: str = flag(
      'person', 'The COCO class that makes the label 1.',
      **_ONLY_VISUALWAKEWORDS)
  coco_dirname: str = flag(
      'coco_dataset', 'The folder, in dataset_dir, for what is downloaded and '
      'unpacked of COCO; it stays there.',
      **_ONLY_VISUALWAKEWORDS)
  coco_train_url: str = flag(
      'http://images.cocodataset.org/zips/train2014.zip',
      'Where the COCO pictures to train on are.', **_ONLY_VISUALWAKEWORDS)
  coco_validation_url: str = flag(
      'http://images.cocodataset.org/zips/val2014.zip',
      'Where the COCO pictures to validate with are.', **_ONLY_VISUALWAKEWORDS)
  coco_annotations_url: str = flag(
      'http://images.cocodataset.org/annotations/'
      'annotations_trainval2014.zip',
      'Where the COCO annotations are.', **_ONLY_VISUALWAKEWORDS)


def convert(options):
  """Converts a dataset, or checks one.

  Args:
    options: a `ConvertOptions`.

  Raises:
    ValueError: there is no such converter, the source is damaged, or the
      dataset that is checked.
    OSError: a file or a mirror cannot be reached, or the disk is full.
  """
  if options.check:
    if not options.dataset_dir:
      raise ValueError('--check needs --dataset_dir: the folder to check')
    importlib.import_module('datasets.doctor').check(
        options.dataset_dir, options.num_workers, options.histogram)
    return
  name, known = options.dataset_name, ', '.join(_CONVERTERS)
  if name == 'imagenet':
    raise ValueError(_IMAGENET % options.dataset_dir)
  if name not in _CONVERTERS:
    raise ValueError('--dataset_name=%s is not known%s It is one of: %s' % (
        name, suggest.hint(name, _CONVERTERS), known))
  converter = importlib.import_module('datasets.' + _CONVERTERS[name])
  converter.run(options.dataset_dir, **{
      option: getattr(options, option)
      for option in _OPTIONS + _OPTIONS_OF.get(name, ())})
