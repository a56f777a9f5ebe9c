"""Options of the dataset and of the input pipeline."""
import dataclasses
import functools
from typing import Optional, Union

from slim_common.flags import flag

# Losses of embeddings, whose distances are trained; not of classes.
METRIC_LOSSES = ('contrastive', 'triplet_batch_all', 'triplet_batch_hard',
                 'triplet_semihard')
_LABELS_OFFSET = (
    'Offset subtracted from every label and from the number of classes. Use 1 '
    'for VGG and ResNet V1 on ImageNet, whose checkpoints have no background '
    'class; auto infers it from the checkpoint.')


@dataclasses.dataclass(frozen=True)
class Data:
  """Data."""
  dataset_name: str = flag(
      'imagenet', 'Name of the dataset, such as flowers, imagenet, mnist or '
      'image_folder.')
  dataset_split_name: str = flag(
      'train', 'Split to read, such as train.', metavar='SPLIT')
  dataset_dir: Optional[str] = flag(
      None, 'Directory of the TFRecord files of the dataset.', required=True)
  batch_size: int = flag(
      32, 'Number of images in a batch, per clone.', at_least=1)
  labels_offset: Union[int, str] = flag(
      0, _LABELS_OFFSET, at_least=0, or_literal='auto')
  preprocessing_name: Optional[str] = flag(
      None, "Name of the preprocessing. Default: the network's own.")
  use_grayscale: bool = flag(
      False, 'Whether to convert images to grayscale, one channel.')
  num_preprocessing_threads: int = flag(
      4, 'Number of images decoded and preprocessed in parallel.', at_least=1)
  on_bad_record: str = flag(
      'fail', 'Action on a record that cannot be read: stop the program, or '
      'report the record and skip it.', choices=('fail', 'skip'))
  max_bad_records: int = flag(
      100, 'Maximum number of records skipped; one more stops the program.',
      at_least=1, only_if=('on_bad_record', ('skip',)))

  @property
  def bad_records_allowed(self) -> int:
    return self.max_bad_records if self.on_bad_record == 'skip' else 0


_augmentation = functools.partial(
    flag, group='Data augmentation', only_if=('augmentation', ('recipe',)))


@dataclasses.dataclass(frozen=True)
class TrainingData(Data):
  """Data."""
  num_readers: int = flag(
      4, 'Number of record files read in parallel.', at_least=1)
  shuffle_buffer: int = flag(
      4096, 'Size of the shuffle buffer, in records. The order of the files is '
      'shuffled too.', at_least=1)
  seed: Optional[int] = flag(
      None, 'Seed of all random operations: order of the examples, '
      'augmentation, initial weights and dropout. Default: another one in each '
      'run.')
  deterministic: bool = flag(
      False, 'Whether a run with --seed is reproducible: the same images with '
      'any number of threads, and the same dropout after an interruption; to '
      'the last bit with --cpu_threads=1.')
  shard_by_worker: bool = flag(
      False, 'Whether each worker reads a different part of the dataset: a '
      'subset of the record files or, if they cannot be divided equally, of '
      'the records. Otherwise each worker reads all, in a different order. '
      'Without parameter servers it is always so.',
      only_if_set=('worker_hosts', 'worker_replicas'))
  class_sampling: str = flag(
      'none', 'Proportion of the classes in training: each class as often as '
      'any other (balanced), in proportion to the square root of its number of '
      'images (sqrt), or as in the dataset (none).',
      choices=('balanced', 'sqrt', 'none'))
  classes_per_batch: Optional[int] = flag(
      None, 'Number of classes in a batch of a loss of embeddings. Default: '
      '--batch_size / --samples_per_class, or all classes, if there are fewer.',
      at_least=2, group='Embeddings', only_if=('loss', METRIC_LOSSES))
  samples_per_class: Optional[int] = flag(
      None, 'Number of images of each class in a batch of a loss of '
      'embeddings. Default: 4; --batch_size / --classes_per_batch, if that is '
      'given.', at_least=2, group='Embeddings',
      only_if=('loss', METRIC_LOSSES))
  augmentation: str = flag(
      'recipe', 'Augmentation of training images: that of the preprocessing '
      'and of the flags below, or none.', choices=('recipe', 'none'),
      group='Data augmentation')
  crop_min_area: Optional[float] = _augmentation(
      None, 'Minimum area of a random crop, as a fraction of the image. '
      'Default: that of the preprocessing (0.1 for inception; vgg crops from a '
      'randomly resized image).', above=0, at_most=1)
  crop_max_aspect: Optional[float] = _augmentation(
      None, 'Maximum aspect ratio of a random crop; the minimum is its '
      'inverse. Default: about 4/3.', at_least=1)
  color_jitter: float = _augmentation(
      0.0, 'Maximum change of brightness, contrast and saturation, as a '
      'fraction: each is multiplied by a random factor from 1 - x to 1 + x.',
      at_least=0)
  randaugment_steps: int = _augmentation(
      0, 'Number of RandAugment operations per image.', at_least=0)
  randaugment_magnitude: float = _augmentation(
      9.0, 'Magnitude of the RandAugment operations.', at_least=0, at_most=10)
  random_erasing: float = _augmentation(
      0.0, 'Probability that a random rectangle of an image is erased.',
      at_least=0, at_most=1)
  mixup_alpha: float = _augmentation(
      0.0, 'Alpha of mixup, which blends pairs of images and their labels with '
      'weights sampled from Beta(alpha, alpha). 0 disables mixup.',
      at_least=0, at_most=2)
  cutmix_alpha: float = _augmentation(
      0.0, 'Alpha of CutMix, which replaces a rectangle of an image by that of '
      'another; its area is sampled from Beta(alpha, alpha). 0 disables '
      'CutMix. If mixup is enabled too, each batch uses one of the two.',
      at_least=0, at_most=2)


@dataclasses.dataclass(frozen=True)
class EvaluationData(Data):
  """Data."""
  dataset_split_name: str = flag('test', 'Split to evaluate.', metavar='SPLIT')
  dataset_dir: Optional[str] = flag(
      None, 'Directory of the TFRecord files of the dataset. Default: that of '
      'the training (its run.json).')
  labels_offset: Union[int, str] = flag(
      0, _LABELS_OFFSET + ' The run.json of a training replaces the default.',
      at_least=0, or_literal='auto')
  preprocessing_name: Optional[str] = flag(
      None, 'Name of the preprocessing. Default: that of the training (its '
      "run.json); otherwise the network's own.")
  batch_size: int = flag(
      100, 'Number of images in a batch, per clone.', at_least=1)
