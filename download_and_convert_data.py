r"""Converts a dataset, downloaded or from your own files, to TFRecord files.

  python download_and_convert_data.py --dataset_name=mnist --dataset_dir=DATA
  python download_and_convert_data.py --dataset_name=mnist --dataset_dir=DATA \
      --source=datasets/samples/mnist
  python download_and_convert_data.py --dataset_name=image_folder \
      --dataset_dir=DATA --source=IMAGES
  python download_and_convert_data.py --check --dataset_dir=DATA
"""
import os
import warnings

from datasets.conversion import convert_options
from slim_common import flags


def main(config):
  # TensorFlow loads while the images are encoded; its messages are of no use.
  os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
  warnings.filterwarnings('ignore', category=FutureWarning)
  convert_options.convert(config)


if __name__ == '__main__':
  flags.run(main, convert_options.ConvertOptions, __doc__)
