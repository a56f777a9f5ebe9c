r"""Evaluates a trained image classifier; counts every example once.

  python eval_image_classifier.py --dataset_name=mnist --dataset_dir=DIR \
      --dataset_split_name=test --model_name=lenet --checkpoint_path=TRAIN_DIR
"""
from training import flags
from training import options
from training import runtime


def main(config):
  # TensorFlow loads here, once the command line is known to be right.
  runtime.start()
  from training import loops
  loops.evaluate(config)


if __name__ == '__main__':
  flags.run(main, options.Evaluate, __doc__)
