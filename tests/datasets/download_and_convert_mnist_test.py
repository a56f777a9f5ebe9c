"""Tests of the conversion of MNIST, from files to read examples."""
import hashlib
import json
import os

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import datasets
from datasets import dataset_factory
from datasets import dataset_utils
from datasets import download_and_convert_mnist
from datasets.conversion import downloads
from slim_common import transfer
from tests.datasets import records
from tests.datasets.conversion import raw_files

_SAMPLE = os.path.join(list(datasets.__path__)[0], 'samples', 'mnist')
_NAMES = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven',
          'eight', 'nine']


def test_converted_images_are_the_sources(tmp_path):
  splits = raw_files.write_mnist(tmp_path / 'source')
  before = records.snapshot(tmp_path / 'source')
  out = tmp_path / 'out'
  download_and_convert_mnist.run(str(out), str(tmp_path / 'source'))
  assert sorted(os.listdir(out)) == [
      'dataset_info.json', 'labels.txt', 'mnist_test.tfrecord',
      'mnist_train.tfrecord']
  for split, (expected_images, expected_labels) in splits.items():
    images, labels = records.pictures(out / ('mnist_%s.tfrecord' % split))
    np.testing.assert_array_equal(images, expected_images)
    assert labels == expected_labels.tolist()
  assert dataset_utils.read_label_file(str(out)) == dict(enumerate(_NAMES))
  assert records.snapshot(tmp_path / 'source') == before


def test_record_keys(tmp_path):
  raw_files.write_mnist(tmp_path / 'source')
  download_and_convert_mnist.run(str(tmp_path), str(tmp_path / 'source'))
  example = records.read(tmp_path / 'mnist_test.tfrecord')[3]
  assert sorted(example.features.feature) == [
      'image/class/label', 'image/encoded', 'image/format', 'image/height',
      'image/width']
  assert records.values(example, 'image/format') == [b'png']
  assert records.values(example, 'image/class/label') == [3]
  assert records.values(example, 'image/height') == [28]
  assert records.values(example, 'image/width') == [28]


def test_bundled_sample(tmp_path):
  """The sample is announced as what it is, and read back through a split."""
  before = records.snapshot(_SAMPLE)
  download_and_convert_mnist.run(str(tmp_path), _SAMPLE)
  assert records.snapshot(_SAMPLE) == before
  info = json.loads((tmp_path / 'dataset_info.json').read_text())
  assert info['splits']['train']['examples_per_class'] == [400] * 10
  assert info['splits']['test']['examples_per_class'] == [100] * 10
  dataset = dataset_factory.get_dataset('mnist', 'train', str(tmp_path))
  assert (dataset.num_samples, dataset.num_classes) == (4000, 10)
  assert list(dataset.labels_to_names.values()) == _NAMES
  record = next(tf.python_io.tf_record_iterator(dataset.data_sources))
  image, label = dataset.decoder.decode(record, ['image', 'label'])
  with tf.Session() as session:
    image, label = session.run([image, label])
  assert image.shape == (28, 28, 1) and image.dtype == np.uint8
  assert label == 0 and image.max() > 200


def test_second_run_changes_nothing(tmp_path, capsys):
  raw_files.write_mnist(tmp_path / 'source')
  raw_files.write_mnist(tmp_path / 'other', seed=1)
  out = tmp_path / 'out'
  download_and_convert_mnist.run(str(out), str(tmp_path / 'source'))
  before = records.snapshot(out)
  download_and_convert_mnist.run(str(out), str(tmp_path / 'other'), keep=True)
  assert 'nothing to do' in capsys.readouterr().out
  assert records.snapshot(out) == before
  download_and_convert_mnist.run(
      str(out), str(tmp_path / 'other'), overwrite=True)
  assert records.snapshot(out) != before


def test_damaged_source_leaves_no_dataset(tmp_path):
  raw_files.write_mnist(tmp_path / 'source')
  path = tmp_path / 'source' / 't10k-images-idx3-ubyte.gz'
  path.write_bytes(path.read_bytes()[:-9])
  with pytest.raises(ValueError, match='t10k-images.*damaged gzip'):
    download_and_convert_mnist.run(
        str(tmp_path / 'out'), str(tmp_path / 'source'))
  assert not (tmp_path / 'out').exists()


def test_missing_source_folder(tmp_path):
  with pytest.raises(FileNotFoundError, match='there is no .*/nowhere'):
    download_and_convert_mnist.run(
        str(tmp_path / 'out'), str(tmp_path / 'nowhere'))
  assert not (tmp_path / 'out').exists()


def _publish(monkeypatch, folder):
  """Lets the published files be those of a folder."""
  files = []
  for name in sorted(os.listdir(folder)):
    content = (folder / name).read_bytes()
    files.append(downloads.RemoteFile(
        name, len(content), hashlib.sha256(content).hexdigest()))
  monkeypatch.setattr(
      download_and_convert_mnist, '_PUBLISHED', downloads.Published(
          ('file://%s/gone/' % folder, 'file://%s/' % folder), files))


def test_published_files_are_downloaded_and_removed(tmp_path, monkeypatch):
  splits = raw_files.write_mnist(tmp_path / 'mirror')
  _publish(monkeypatch, tmp_path / 'mirror')
  download_and_convert_mnist.run(str(tmp_path / 'out'))
  assert sorted(os.listdir(tmp_path / 'out')) == [
      'dataset_info.json', 'labels.txt', 'mnist_test.tfrecord',
      'mnist_train.tfrecord']
  images, _ = records.pictures(tmp_path / 'out' / 'mnist_test.tfrecord')
  np.testing.assert_array_equal(images, splits['test'][0])


def test_download_with_another_checksum(tmp_path, monkeypatch):
  raw_files.write_mnist(tmp_path / 'mirror')
  _publish(monkeypatch, tmp_path / 'mirror')
  changed = tmp_path / 'mirror' / 't10k-images-idx3-ubyte.gz'
  content = changed.read_bytes()
  changed.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
  monkeypatch.setattr(transfer, '_SECONDS_BETWEEN_ATTEMPTS', 0)
  with pytest.raises(OSError, match='t10k-images.*SHA-256 .* instead of'):
    download_and_convert_mnist.run(str(tmp_path / 'out'))


def test_failed_download_keeps_what_it_has(tmp_path, monkeypatch):
  raw_files.write_mnist(tmp_path / 'mirror')
  _publish(monkeypatch, tmp_path / 'mirror')
  last = tmp_path / 'mirror' / 'train-labels-idx1-ubyte.gz'
  aside = tmp_path / 'aside'
  os.rename(last, aside)
  with pytest.raises(OSError, match='cannot download train-labels'):
    download_and_convert_mnist.run(str(tmp_path / 'out'))
  assert os.listdir(tmp_path / 'out') == ['.mnist.downloads']
  assert len(os.listdir(tmp_path / 'out' / '.mnist.downloads')) == 3
  for name in os.listdir(tmp_path / 'mirror'):
    os.remove(tmp_path / 'mirror' / name)
  os.rename(aside, last)
  download_and_convert_mnist.run(str(tmp_path / 'out'))
  assert '.mnist.downloads' not in os.listdir(tmp_path / 'out')


def test_archive_as_source(tmp_path):
  splits = raw_files.write_mnist(tmp_path / 'MNIST')
  archive = raw_files.pack(str(tmp_path / 'MNIST'), str(tmp_path / 'm.tgz'))
  download_and_convert_mnist.run(str(tmp_path / 'out'), archive)
  images, _ = records.pictures(tmp_path / 'out' / 'mnist_test.tfrecord')
  np.testing.assert_array_equal(images, splits['test'][0])
  assert '.mnist.unpacked' not in os.listdir(tmp_path / 'out')
