"""Options of what is read: datasets and the input pipeline."""
import dataclasses
from typing import Optional, Union

from slim_common.flags import flag


@dataclasses.dataclass(frozen=True)
class Data:
  """Data."""
  dataset_name: str = flag('imagenet', 'Name of the dataset.')
  dataset_split_name: str = flag('train', 'Split to read.')
  dataset_dir: Optional[str] = flag(
      None, 'Directory of the converted records.', required=True)
  batch_size: int = flag(32, 'Examples a clone and step.', at_least=1)
  labels_offset: Union[int, str] = flag(
      0, 'Subtracted from every label and from the number of classes; 1 for '
      'VGG and ResNet V1 on ImageNet, whose checkpoints have no background '
      'class. auto asks the checkpoint how many classes it knows.', at_least=0,
      or_word='auto')
  preprocessing_name: Optional[str] = flag(
      None, 'Preprocessing to use; the one of the network if not given.')
  use_grayscale: bool = flag(False, 'Turn pictures to one grey channel.')
  num_preprocessing_threads: int = flag(
      4, 'Pictures decoded and preprocessed at the same time.', at_least=1)
  on_bad_record: str = flag(
      'fail', 'What a record that cannot be read does: stop the program, or '
      'be named and passed over.', choices=('fail', 'skip'))
  max_bad_records: int = flag(
      100, 'Records that may be passed over; one more stops the program.',
      at_least=1, only_with=('on_bad_record', ('skip',)))

  @property
  def bad_records_allowed(self):
    return self.max_bad_records if self.on_bad_record == 'skip' else 0


@dataclasses.dataclass(frozen=True)
class TrainingData(Data):
  """Data."""
  num_readers: int = flag(4, 'Record files read at the same time.', at_least=1)
  shuffle_buffer: int = flag(
      4096, 'Records held in memory to draw from at random; the files are '
      'shuffled too.', at_least=1)
  seed: Optional[int] = flag(
      None, 'Seed of everything random: order, preprocessing, initial weights '
      'and dropout. Not set: another order and other weights every time.')
  deterministic: bool = flag(
      False, 'With a seed, give the same pictures on any number of threads; '
      'without this they are the same on one thread.')
  shard_by_worker: bool = flag(
      False, 'Each worker reads record files of its own, or records where '
      'there are fewer files than workers. Otherwise each reads all, in an '
      'order of its own.', only_beside=('worker_hosts', 'worker_replicas'))
  augmentation: str = flag(
      'recipe', 'How training pictures are distorted: as the preprocessing of '
      'the network does it, with what the flags below add, or not at all.',
      choices=('recipe', 'none'))
  crop_min_area: Optional[float] = flag(
      None, 'Least share of the picture that a random crop covers; that of '
      'the preprocessing if not given (0.1 for inception; vgg crops from a '
      'random size).', above=0, at_most=1,
      only_with=('augmentation', ('recipe',)))
  crop_max_aspect: Optional[float] = flag(
      None, 'Largest aspect ratio of a random crop, its inverse being the '
      'least; about 4/3 if not given.', at_least=1,
      only_with=('augmentation', ('recipe',)))
  color_jitter: float = flag(
      0.0, 'Brightness, contrast and saturation are scaled by up to this '
      'share.', at_least=0, only_with=('augmentation', ('recipe',)))
  randaugment_steps: int = flag(
      0, 'Changes by RandAugment to each picture.', at_least=0,
      only_with=('augmentation', ('recipe',)))
  randaugment_magnitude: float = flag(
      9.0, 'Strength of these changes, 0 to 10.', at_least=0, at_most=10,
      only_with=('augmentation', ('recipe',)))
  random_erasing: float = flag(
      0.0, 'Share of the pictures in which a rectangle is erased.', at_least=0,
      at_most=1, only_with=('augmentation', ('recipe',)))
  mixup_alpha: float = flag(
      0.0, 'Mixes pairs of pictures and their labels by shares from '
      'Beta(alpha, alpha); 0 for no mixup.', at_least=0, at_most=2,
      only_with=('augmentation', ('recipe',)))
  cutmix_alpha: float = flag(
      0.0, 'Puts a window of one picture into another by such shares of the '
      'area; with mixup, each batch draws one of the two.', at_least=0,
      at_most=2, only_with=('augmentation', ('recipe',)))


@dataclasses.dataclass(frozen=True)
class EvaluationData(Data):
  """Data."""
  dataset_split_name: str = flag('test', 'Split to evaluate.')
  batch_size: int = flag(100, 'Examples a clone and step.', at_least=1)
