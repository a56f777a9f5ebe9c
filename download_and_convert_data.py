r"""Turns the files that a dataset is published in into TFRecord files.

  python download_and_convert_data.py --dataset_name=mnist --dataset_dir=DIR
  python download_and_convert_data.py --dataset_name=mnist --dataset_dir=DIR \
      --source=datasets/samples/mnist
  python download_and_convert_data.py --dataset_name=image_folder \
      --dataset_dir=DIR --source=PICTURES
  python download_and_convert_data.py --check --dataset_dir=DIR
"""
from datasets.conversion import convert_options
from slim_common import flags
from slim_common import runtime


def main(config):
  # TensorFlow loads while the pictures are encoded.
  runtime.hide_remarks()
  convert_options.convert(config)


def run():
  flags.run(main, convert_options.ConvertOptions, __doc__)


if __name__ == '__main__':
  run()
