r"""Classifies images with an exported network or with a checkpoint.

  python classify_image.py --graph=EXPORT_DIR image.jpg directory_of_images
  python classify_image.py --checkpoint_path=TRAIN_DIR --model_name=lenet \
      --dataset_name=mnist --dataset_dir=DATA 'images/*.png'
"""
from image_classifier import options
from slim_common import flags
from slim_common import runtime


def main(config):
  # TensorFlow loads here, once the command line is known to be right.
  runtime.start()
  from image_classifier.classify import classify
  return classify.classify(config)


def run():
  flags.run(main, options.Classify, __doc__)


if __name__ == '__main__':
  run()
