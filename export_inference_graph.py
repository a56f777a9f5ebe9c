r"""Exports a trained network for inference, or the architecture of a network.

  python export_inference_graph.py --model_name=lenet --dataset_name=mnist \
      --dataset_dir=DATA --checkpoint_path=TRAIN_DIR --output_dir=EXPORT_DIR
  python export_inference_graph.py --model_name=lenet --output_file=lenet.pb

The first command writes frozen_inference_graph.pb, saved_model/, labels.txt and
model.json to EXPORT_DIR; --tflite and --int8 add TensorFlow Lite models, and
--verify compares all of them with the checkpoint. The second writes the graph
without weights.
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
