r"""Evaluates a MobileNet V1 on the validation images of ImageNet.

  python nets/mobilenet_v1_eval.py --dataset_dir=IMAGENET \
      --checkpoint_dir=TRAIN_DIR --eval_dir=EVAL_DIR

It has slim's flags and is eval_image_classifier.py with these options: each
image counts once. --quantize needs TensorFlow 1.15.
"""
import dataclasses
import os
import sys

if __name__ == '__main__':
  # Started as a file, the directory of the file is first on the path.
  sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from image_classifier import options as program_options
from nets import mobilenet_v1_train
from slim_common import flags
from slim_common import runtime
from slim_common.flags import flag


@dataclasses.dataclass(frozen=True)
class MobilenetV1Eval:
  """Options of mobilenet_v1_eval.py."""
  dataset_dir: str = flag(
      '', 'Directory of the TFRecord files of ImageNet.', required=True)
  checkpoint_dir: str = flag(
      '', 'Directory of the checkpoints, of which the latest is evaluated, or '
      'a checkpoint.', required=True)
  eval_dir: str = flag(
      '', 'Directory of the summaries. An empty value writes none.')
  batch_size: int = flag(250, 'Number of images in a batch.', at_least=1)
  num_classes: int = flag(
      1001, 'Number of classes: that of the dataset, 1001 for ImageNet with '
      'its background, or one less, without it.', at_least=2)
  num_examples: int = flag(
      50000, 'Number of examples to evaluate, rounded up to whole batches; '
      'each once at most.', at_least=1)
  image_size: int = flag(
      224, 'Height and width of the images, in pixels.', at_least=1)
  depth_multiplier: float = flag(
      1.0, 'Multiplier of the number of channels.', above=0)
  quantize: bool = flag(
      False, 'Whether the network was trained with --quantize.')
  master: str = flag(
      '', 'Address of a TensorFlow server that already runs. Default: this '
      'process.')


def evaluation(config: MobilenetV1Eval) -> program_options.Evaluate:
  """Returns the options of eval_image_classifier.py for those of this program.

  Raises:
    ValueError: the number of classes does not fit the dataset.
  """
  from datasets import dataset_factory
  dataset = dataset_factory.get_dataset(
      'imagenet', 'validation', config.dataset_dir)
  values = {
      'model_name': mobilenet_v1_train.network_name(config.depth_multiplier),
      'preprocessing_name': 'mobilenet_v1',
      'labels_offset': mobilenet_v1_train.labels_offset(
          config.num_classes, dataset),
      'eval_image_size': config.image_size,
      'dataset_split_name': 'validation',
      'checkpoint_path': config.checkpoint_dir}
  if config.num_examples < dataset.num_samples:
    values['max_num_batches'] = -(-config.num_examples // config.batch_size)
  same = flags.as_dict(config)
  return flags.remember(
      flags.replace(program_options.Evaluate(), dict(same, **values)),
      [*same, *values])


def main(config):
  runtime.start()
  from image_classifier.evaluate import evaluation as evaluations
  evaluations.evaluate(evaluation(config))


if __name__ == '__main__':
  flags.run(main, MobilenetV1Eval, __doc__)
