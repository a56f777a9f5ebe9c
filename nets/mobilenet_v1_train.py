r"""Trains MobileNet V1 on ImageNet, with the flags and the recipe of slim.

  python nets/mobilenet_v1_train.py --dataset_dir=IMAGENET \
      --checkpoint_dir=TRAIN_DIR
  python nets/mobilenet_v1_train.py --dataset_dir=IMAGENET --quantize \
      --fine_tune_checkpoint=FLOAT/model.ckpt-1 --checkpoint_dir=TRAIN_DIR

Gradient descent at a rate of 0.045 (fine-tuning: 0.0001) times 0.94 every 2.5
epochs. It is train_image_classifier.py with these options, which has many more;
--quantize needs TensorFlow 1.15.
"""
import dataclasses
import functools
import os
import sys
from typing import Optional

if __name__ == '__main__':
  # Started as a file, the directory of the file is first on the path.
  sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from image_classifier import options as program_options
from slim_common import flags
from slim_common import runtime
from slim_common.flags import flag

_NAME = 'mobilenet_v1'
# By the multiplier of the channels.
_NAMES = {1.0: _NAME, 0.75: _NAME + '_075', 0.5: _NAME + '_050',
          0.25: _NAME + '_025'}
# Not the 1,281,167 of ImageNet: the published schedule counts so.
_EXAMPLES_OF_SCHEDULE = 1271167
_EPOCHS_PER_DECAY = 2.5
_RATE, _FINE_TUNING_RATE = 0.045, 1e-4
_FIRST_QUANTIZED_STEP = 250000


@dataclasses.dataclass(frozen=True)
class MobilenetV1Train:
  """Options of mobilenet_v1_train.py."""
  dataset_dir: str = flag(
      '', 'Directory of the TFRecord files of ImageNet.', required=True)
  checkpoint_dir: str = flag(
      '', 'Directory of the checkpoints, summaries and logs.', required=True)
  fine_tune_checkpoint: str = flag(
      '', 'Checkpoint that initializes the weights. Variables that it lacks '
      'are initialized as in training from scratch.')
  batch_size: int = flag(64, 'Number of images in a batch.', at_least=1)
  num_classes: int = flag(
      1001, 'Number of classes: that of the dataset, 1001 for ImageNet with '
      'its background, or one less, without it.', at_least=2)
  number_of_steps: Optional[int] = flag(
      None, 'Number of training steps. Default: no limit.', at_least=1)
  image_size: int = flag(
      224, 'Height and width of the images, in pixels.', at_least=1)
  depth_multiplier: float = flag(
      1.0, 'Multiplier of the number of channels.', above=0)
  quantize: bool = flag(
      False, 'Whether to insert fake quantization: from step %d on, or from '
      'the start in fine-tuning.' % _FIRST_QUANTIZED_STEP)
  log_every_n_steps: int = flag(
      100, 'Number of steps between two lines of progress.', at_least=1)
  save_summaries_secs: int = flag(
      100, 'Time between two summaries, in seconds.', at_least=1)
  save_interval_secs: int = flag(
      100, 'Time between two checkpoints, in seconds.', at_least=1)
  master: str = flag(
      '', 'Address of a TensorFlow server that already runs. Default: this '
      'process.')
  task: int = flag(
      0, 'Index of this worker. Worker 0 is the chief, which saves checkpoints '
      'and writes the logs.', at_least=0)
  ps_tasks: int = flag(0, 'Number of parameter servers.', at_least=0)


def network_name(depth_multiplier: float) -> str:
  """Returns the name of MobileNet V1 of a width, in the factory of networks.

  A width without a published name gets one, in this process.
  """
  from nets import mobilenet_v1
  from nets import nets_factory
  if depth_multiplier not in _NAMES:
    name = '%s_depth_%g' % (_NAME, depth_multiplier)
    network = functools.partial(
        mobilenet_v1.mobilenet_v1, depth_multiplier=depth_multiplier)
    functools.update_wrapper(network, mobilenet_v1.mobilenet_v1)
    nets_factory.networks_map[name] = network
    nets_factory.arg_scopes_map[name] = nets_factory.arg_scopes_map[_NAME]
    return name
  return _NAMES[depth_multiplier]


def labels_offset(num_classes: int, dataset) -> int:
  """Returns the offset of labels for a number of classes.

  Raises:
    ValueError: the dataset has neither so many classes nor one more.
  """
  if not 0 <= dataset.num_classes - num_classes <= 1:
    raise ValueError(
        '--num_classes=%d: the dataset has %d classes; give --num_classes=%d, '
        'or one less for a network without its first class' % (
            num_classes, dataset.num_classes, dataset.num_classes))
  return dataset.num_classes - num_classes


def training(config: MobilenetV1Train) -> program_options.Train:
  """Returns the options of train_image_classifier.py for those of this program.

  Raises:
    ValueError: the number of classes does not fit the dataset.
  """
  from datasets import dataset_factory
  dataset = dataset_factory.get_dataset('imagenet', 'train', config.dataset_dir)
  decay_steps = int(
      _EXAMPLES_OF_SCHEDULE / config.batch_size * _EPOCHS_PER_DECAY)
  tuning = bool(config.fine_tune_checkpoint)
  values = {
      'model_name': network_name(config.depth_multiplier),
      'preprocessing_name': _NAME,
      'labels_offset': labels_offset(config.num_classes, dataset),
      'train_image_size': config.image_size,
      'train_dir': config.checkpoint_dir,
      'max_number_of_steps': config.number_of_steps,
      'optimizer': 'sgd',
      'learning_rate': _FINE_TUNING_RATE if tuning else _RATE,
      # The half keeps the rounding down of a quotient from losing a step.
      'num_epochs_per_decay': (
          (decay_steps + 0.5) * config.batch_size / dataset.num_samples),
      'checkpoint_path': config.fine_tune_checkpoint or None,
      'ignore_missing_vars': tuning,
      'worker_replicas': config.task + 1,
      'num_ps_tasks': config.ps_tasks}
  if config.quantize:
    values['quantize_delay'] = 0 if tuning else _FIRST_QUANTIZED_STEP
  same = flags.as_dict(config)
  return flags.replace(program_options.Train(), dict(same, **values))


def main(config):
  runtime.start()
  from image_classifier.train import loop
  return loop.train(training(config))


if __name__ == '__main__':
  flags.run(main, MobilenetV1Train, __doc__)
