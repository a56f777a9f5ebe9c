r"""Classifies pictures with an exported network.

  python classify_image.py --graph=EXPORT_DIR/frozen_inference_graph.pb \
      picture.jpg folder_of_pictures
"""
from training import flags
from training import options
from training import runtime


def main(config):
  # TensorFlow loads here, once the command line is known to be right.
  runtime.start()
  from training import classification
  return classification.classify(config)


if __name__ == '__main__':
  flags.run(main, options.Classify, __doc__)
