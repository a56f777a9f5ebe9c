r"""Converts a dataset, downloaded or from your own files, to TFRecord files.

  python download_and_convert_data.py --dataset_name=mnist --dataset_dir=DATA
  python download_and_convert_data.py --dataset_name=mnist --dataset_dir=DATA \
      --source=datasets/samples/mnist
  python download_and_convert_data.py --dataset_name=image_folder \
      --dataset_dir=DATA --source=IMAGES
  python download_and_convert_data.py --check --dataset_dir=DATA
"""
from datasets.conversion import convert_options
from slim_common import flags
from slim_common import runtime


def main(config):
  # TensorFlow loads while the images are encoded.
  runtime.hide_remarks()
  convert_options.convert(config)


def run():
  flags.run(main, convert_options.ConvertOptions, __doc__)


if __name__ == '__main__':
  run()
