"""Tests of every dataset of the table, and of looking one up."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from datasets import dataset_factory
from datasets import dataset_utils
from datasets.conversion import encoding

_BOXED = {'image/object/bbox/' + edge for edge in
          ('xmin', 'ymin', 'xmax', 'ymax')}
_COMMON = {'image/encoded', 'image/format', 'image/class/label'}

# All but image_folder, for which nothing is published:
# files, {split: size}, classes, items, default format, label shape and default
_PUBLISHED = {
    'cifar10': ('cifar10_%s.tfrecord', {'train': 50000, 'test': 10000}, 10,
                ['image', 'label'], 'png', (), 0),
    'fashion_mnist': ('fashion_mnist_%s.tfrecord',
                      {'train': 60000, 'test': 10000}, 10,
                      ['image', 'label'], 'png', (), 0),
    'flowers': ('flowers_%s_*.tfrecord', {'train': 3320, 'validation': 350}, 5,
                ['image', 'label'], 'png', (), 0),
    'imagenet': ('%s-*', {'train': 1281167, 'validation': 50000}, 1001,
                 ['image', 'label', 'label_text', 'object/bbox',
                  'object/label'], 'jpeg', (), -1),
    'mnist': ('mnist_%s.tfrecord', {'train': 60000, 'test': 10000}, 10,
              ['image', 'label'], 'raw', (1,), [0]),
    'visualwakewords': ('%s.record-*', {'train': 82783, 'val': 40504}, 2,
                        ['image', 'label', 'object/bbox'], 'jpeg', (), -1),
}
_EXTRA_KEYS = {
    'imagenet': _BOXED | {'image/class/text', 'image/object/class/label'},
    'visualwakewords': _BOXED,
}


def test_every_dataset_has_its_published_numbers_here():
  assert sorted(dataset_factory.datasets_map) == sorted(
      list(_PUBLISHED) + ['image_folder'])


@pytest.mark.parametrize('name', sorted(_PUBLISHED))
def test_published_numbers(name):
  files, sizes, num_classes, items, image_format, shape, label = (
      _PUBLISHED[name])
  assert dataset_factory.datasets_map[name].SPLITS_TO_SIZES == sizes
  for split in sizes:
    dataset = dataset_factory.get_dataset(name, split, '/dir')
    assert isinstance(dataset, slim.dataset.Dataset)
    assert dataset.data_sources == '/dir/' + files % split
    assert dataset.num_samples == sizes[split]
    assert dataset.num_classes == num_classes
    assert sorted(dataset.items_to_descriptions) == items
    assert sorted(dataset.decoder.list_items()) == items
    features = dataset.decoder._keys_to_features
    assert set(features) == _COMMON | _EXTRA_KEYS.get(name, set())
    assert features['image/format'].default_value == image_format
    assert tuple(features['image/class/label'].shape) == shape
    assert features['image/class/label'].default_value == label


@pytest.mark.parametrize('name', sorted(_PUBLISHED))
def test_decodes_an_example_of_all_keys(name):
  image = np.arange(32 * 32 * 3, dtype=np.uint8).reshape([1, 32, 32, 3])
  if 'mnist' in name:
    image = image[:, :28, :28, :1]
  features = {'image/encoded': next(encoding.encode_pngs(image)),
              'image/format': b'png', 'image/class/label': 3,
              'image/class/text': b'some text',
              'image/object/class/label': [3, 4]}
  for k, edge in enumerate(('xmin', 'ymin', 'xmax', 'ymax')):
    features['image/object/bbox/' + edge] = [k / 8, (k + 4) / 8]
  split = next(iter(_PUBLISHED[name][1]))
  decoder = dataset_factory.get_dataset(name, split, '').decoder
  items = decoder.list_items()
  record = encoding.serialize_example(features)
  with tf.Session() as session:
    decoded = session.run(dict(zip(items, decoder.decode(record, items))))
  np.testing.assert_array_equal(decoded['image'], image[0])
  assert decoded['label'].shape == () and decoded['label'] == 3
  if 'object/bbox' in items:
    np.testing.assert_allclose(
        decoded['object/bbox'],
        [[.125, 0, .375, .25], [.625, .5, .875, .75]])
  if name == 'imagenet':
    assert decoded['label_text'] == b'some text'
    assert decoded['object/label'].tolist() == [3, 4]


@pytest.mark.parametrize('name', sorted(_PUBLISHED))
def test_default_label(name):
  image = next(encoding.encode_pngs(np.zeros([1, 28, 28, 1], np.uint8)))
  split = next(iter(_PUBLISHED[name][1]))
  decoder = dataset_factory.get_dataset(name, split, '').decoder
  label, = decoder.decode(encoding.serialize_example(
      {'image/encoded': image, 'image/format': b'png'}), ['label'])
  with tf.Session() as session:
    assert session.run(label) == np.ravel(_PUBLISHED[name][6])


@pytest.mark.parametrize('name', sorted(_PUBLISHED))
@pytest.mark.parametrize('split', ['dev', 'Train', ''])
def test_unknown_split(name, split):
  with pytest.raises(ValueError, match='%s has no split' % name):
    dataset_factory.get_dataset(name, split, '/dir')


@pytest.mark.parametrize('name', sorted(_PUBLISHED))
def test_file_pattern_reader_and_labels(name, tmp_path):
  dataset_utils.write_label_file({0: 'a', 1: 'b'}, str(tmp_path))
  dataset = dataset_factory.get_dataset(
      name, 'train', str(tmp_path), 'x_%s_y', tf.TextLineReader)
  assert dataset.data_sources == str(tmp_path / 'x_train_y')
  assert dataset.reader is tf.TextLineReader
  assert dataset.labels_to_names == {0: 'a', 1: 'b'}


@pytest.mark.parametrize('name,hint', [
    ('mnst', 'Name of dataset unknown mnst; did you mean mnist'),
    ('CIFAR', 'Known are: cifar10, fashion_mnist'), (None, 'unknown None')])
def test_unknown_dataset(name, hint):
  with pytest.raises(ValueError, match=hint):
    dataset_factory.get_dataset(name, 'train', '/dir')


def test_own_entry(monkeypatch):
  monkeypatch.setitem(dataset_factory.datasets_map, 'mine',
                      dataset_factory.datasets_map['mnist'])
  assert dataset_factory.get_dataset('mine', 'test', '').num_samples == 10000
