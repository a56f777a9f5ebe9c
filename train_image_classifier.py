r"""Trains an image classifier, from scratch or from a checkpoint.

  python train_image_classifier.py --dataset_name=mnist --dataset_dir=DATA \
      --model_name=lenet --train_dir=TRAIN_DIR --max_number_of_steps=1000
  python train_image_classifier.py --preset=finetune --source=IMAGES \
      --checkpoint_path=mobilenet_v1 --train_dir=TRAIN_DIR
  python train_image_classifier.py --list_models
  python train_image_classifier.py --describe_model=inception_v3
"""
from image_classifier import options
from image_classifier.options import presets
from slim_common import flags
from slim_common import runtime


def main(config):
  # TensorFlow loads here, once the command line is known to be right.
  runtime.start()
  from image_classifier.inference import model_card
  from image_classifier.train import loop
  if config.catalogue.list_models:
    print('\n'.join(model_card.list_models()))
    return 0
  if config.catalogue.describe_model:
    card = model_card.describe(config.catalogue.describe_model)
    print('\n'.join(model_card.lines(card)))
    return 0
  for line in presets.describe(config):
    print(line)
  if config.warm_start.source:
    from image_classifier.own_images import from_images
    return from_images.run(config)
  return loop.train(config)


def run():
  flags.run(main, options.Train, __doc__)


if __name__ == '__main__':
  run()
