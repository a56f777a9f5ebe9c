r"""Trains an image classifier, from scratch or from a checkpoint.

  python train_image_classifier.py --dataset_name=mnist --dataset_dir=DIR \
      --model_name=lenet --train_dir=DIR --max_number_of_steps=1000
"""
from training import flags
from training import options
from training import runtime


def main(config):
  # TensorFlow loads here, once the command line is known to be right.
  runtime.start()
  from training import loops
  return loops.train(config)


if __name__ == '__main__':
  flags.run(main, options.Train, __doc__)
