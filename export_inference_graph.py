r"""Exports a network: its architecture, or a trained one ready for use.

  python export_inference_graph.py --model_name=lenet --dataset_name=mnist \
      --dataset_dir=DIR --checkpoint_path=TRAIN_DIR --output_dir=EXPORT_DIR

writes frozen_inference_graph.pb, saved_model/, labels.txt and model.json to
EXPORT_DIR; --tflite and --int8 add TensorFlow Lite models, --verify compares
all with the checkpoint. Without --checkpoint_path, --output_file receives the
graph alone.
"""
from image_classifier import options
from slim_common import flags
from slim_common import runtime


def main(config):
  # TensorFlow loads here, once the command line is known to be right.
  runtime.start()
  from image_classifier.export import export
  for path in export.export(config):
    print('Wrote %s' % path)


def run():
  flags.run(main, options.Export, __doc__)


if __name__ == '__main__':
  run()
