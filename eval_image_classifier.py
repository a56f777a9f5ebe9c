r"""Evaluates a trained image classifier on each example of a split, once.

  python eval_image_classifier.py --dataset_name=mnist --dataset_dir=DATA \
      --dataset_split_name=test --model_name=lenet --checkpoint_path=TRAIN_DIR

  python eval_image_classifier.py --graph=EXPORT_DIR --dataset_dir=DATA \
      --compare

With --eval_interval_secs=60 it evaluates each checkpoint that a running
training writes. --results_file, --predictions_file and --confusion_matrix name
the files of the results.
"""
from image_classifier import options
from slim_common import flags
from slim_common import runtime


def main(config):
  # TensorFlow loads here, once the command line is known to be right.
  runtime.start()
  if config.exported.graph or config.exported.compare:
    from image_classifier.evaluate_export import export_evaluation
    export_evaluation.evaluate(config)
    return
  from image_classifier.evaluate import evaluation
  evaluation.evaluate(config)


def run():
  flags.run(main, options.Evaluate, __doc__)


if __name__ == '__main__':
  run()
