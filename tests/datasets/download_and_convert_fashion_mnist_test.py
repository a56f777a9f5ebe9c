"""Tests of the conversion of Fashion-MNIST."""
import os

import numpy as np

from datasets import dataset_factory
from datasets import download_and_convert_fashion_mnist
from tests.datasets import records
from tests.datasets.conversion import raw_files


def test_conversion(tmp_path):
  splits = raw_files.write_mnist(tmp_path / 'source')
  out = tmp_path / 'out'
  download_and_convert_fashion_mnist.run(str(out), str(tmp_path / 'source'))
  assert sorted(os.listdir(out)) == [
      'dataset_info.json', 'fashion_mnist_test.tfrecord',
      'fashion_mnist_train.tfrecord', 'labels.txt']
  for split in splits:
    images, labels = records.pictures(
        out / ('fashion_mnist_%s.tfrecord' % split))
    np.testing.assert_array_equal(images, splits[split][0])
    assert labels == splits[split][1].tolist()
  dataset = dataset_factory.get_dataset('fashion_mnist', 'test', str(out))
  assert dataset.num_samples == 20
  assert dataset.labels_to_names[0] == 'T-shirt/top'
  assert dataset.labels_to_names[9] == 'Ankle boot'
