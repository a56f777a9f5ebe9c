"""Tests of lists of images and of the draw of those to validate with."""
import pytest
import tensorflow.compat.v1 as tf

from datasets import dataset_factory
from tests.datasets import records
from tests.datasets.conversion import image_folders
from tests.datasets.conversion import odd_images

_MULTI_LABEL_ROWS = [
    ['pool/bild %d ü.jpg' % k, names] for k, names in enumerate(
        [['dog', 'cat, tame']] * 8 + [['cat, tame']] * 8 + [['Äpfel']] * 3 +
        [['Äpfel', 'cat, tame', 'dog']] + [[]] * 4)]


def _convert(tmp_path, suffix, rows, **options):
  name = image_folders.write_list(tmp_path, suffix, rows)
  image_folders.run(tmp_path, name, **options)


@pytest.mark.parametrize('suffix,header', [
    ('.csv', []), ('.csv', [['Path', 'label']]), ('.jsonl', [])])
def test_list(tmp_path, suffix, header):
  image_folders.write_class(tmp_path / 'pool', 12)
  rows = [['pool/bild %d ü.jpg' % k, 'cat, tame' if k % 2 else 'dog']
          for k in range(12)]
  _convert(tmp_path, suffix, header + rows)
  assert image_folders.info(tmp_path)['class_names'] == ['cat, tame', 'dog']
  stored = dict(image_folders.examples(tmp_path, 'train'))
  stored.update(image_folders.examples(tmp_path, 'validation'))
  assert sorted(stored) == sorted(name for name, _ in rows)


@pytest.mark.parametrize('suffix,content,message', [
    ('.csv', 'a.jpg,cat\nb.jpg\n', 'line 2 has 1 columns, not 2'),
    ('.csv', 'a.jpg,cat\n,dog\n', "line 2: path is ''; a file name is needed"),
    ('.csv', 'a.jpg,cat\nb.jpg,\n',
     "line 2: the label is ''; the name of a class is needed, or several as "),
    ('.csv', 'a.jpg,cat\nb.jpg,cat||dog\n', "line 2: the label is .*'', 'dog'"),
    ('.csv', 'a.jpg,cat\na.jpg,dog\n', 'line 2 names a.jpg again, after'),
    ('.csv', '', 'holds 0 classes; 2 or more are needed'),
    ('.jsonl', '{"path": "a.jpg"}\n', 'line 1 is not an object with path and lab'),
    ('.jsonl', 'a.jpg\n', 'line 1 is not an object with path and label'),
    ('.jsonl', '{"path": 3, "label": "cat"}', 'line 1: path is 3; a file name'),
    ('.jsonl', '{"path": "a.jpg", "label": null}', 'line 1: the label is None'),
    ('.jsonl', '{"path": "a.jpg", "label": [["a"]]}', 'the label is .*a jsonl'),
    ('.jsonl', '{"path": "a.jpg", "label": []}', 'holds 0 classes')])
def test_wrong_list(tmp_path, suffix, content, message):
  (tmp_path / ('list' + suffix)).write_text(content)
  with pytest.raises(ValueError, match=message):
    image_folders.run(tmp_path, 'list' + suffix)
  assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('suffix', ['.csv', '.jsonl'])
def test_multi_label_list(tmp_path, suffix):
  image_folders.write_class(tmp_path / 'pool', 24)
  rows = _MULTI_LABEL_ROWS
  if suffix == '.csv':
    rows = [[name, ' | '.join(names)] for name, names in rows]
  before = records.snapshot(tmp_path / 'pool')
  _convert(tmp_path, suffix, rows, num_validation=6)
  assert records.snapshot(tmp_path / 'pool') == before
  info = image_folders.info(tmp_path)
  assert info['multi_label'] is True
  assert info['class_names'] == ['cat, tame', 'dog', 'Äpfel']
  splits = info['splits']
  # A quarter of each group: 9 or 8 with a rarest class each, 4 without one.
  assert splits['validation']['num_examples'] == 6
  assert splits['validation']['examples_per_class'][:2] == [4, 2]
  assert [sum(split['examples_per_class'][k] for split in splits.values())
          for k in range(3)] == [17, 9, 4]
  stored = dict(image_folders.examples(tmp_path, 'train'))
  stored.update(image_folders.examples(tmp_path, 'validation'))
  for name, names in _MULTI_LABEL_ROWS:
    label = stored[name].features.feature['image/class/label'].int64_list.value
    assert list(label) == sorted(map(info['class_names'].index, names))
  dataset = dataset_factory.get_dataset(
      'image_folder', 'train', str(tmp_path / 'out'))
  assert (dataset.multi_label, dataset.num_classes) == (True, 3)


def test_multi_label_records_decode(tmp_path):
  image_folders.write_class(tmp_path / 'pool', 24)
  _convert(tmp_path, '.jsonl', _MULTI_LABEL_ROWS)
  dataset = dataset_factory.get_dataset(
      'image_folder', 'train', str(tmp_path / 'out'))
  serialized = tf.placeholder(tf.string, [])
  image, label = dataset.decoder.decode(serialized, ['image', 'label'])
  assert label.dtype == tf.int64 and label.shape.as_list() == [None]
  with tf.Session() as session:
    for example in image_folders.examples(tmp_path, 'train').values():
      pixels, labels = session.run(
          [image, label], {serialized: example.SerializeToString()})
      assert pixels.shape == (odd_images.HEIGHT, odd_images.WIDTH, 3)
      assert labels.tolist() == list(
          example.features.feature['image/class/label'].int64_list.value)


def test_every_class_of_a_multi_label_list_stays_to_train_on(tmp_path):
  """'always with another' is never the rarest class of an image."""
  image_folders.write_class(tmp_path / 'pool', 12)
  rows = [['pool/bild %d ü.jpg' % k, ['rare %d' % (k // 2)] + (
      ['always with another'] if k < 4 else ['other'])] for k in range(12)]
  for seed in range(3):
    _convert(tmp_path, '.jsonl', rows, num_validation=6, seed=seed,
             overwrite=True)
    splits = image_folders.info(tmp_path)['splits']
    assert splits['validation']['num_examples'] == 6
    assert min(splits['train']['examples_per_class']) >= 1
  with pytest.raises(ValueError, match='give 6 or fewer'):
    _convert(tmp_path, '.jsonl', rows, num_validation=7, overwrite=True)


def test_one_label_per_image_is_no_multi_label_list(tmp_path):
  image_folders.write_class(tmp_path / 'pool', 2)
  rows = [['pool/bild 0 ü.jpg', 'cat'], ['pool/bild 1 ü.jpg', 'dog']]
  _convert(tmp_path, '.jsonl', rows, num_validation=0)
  assert 'multi_label' not in image_folders.info(tmp_path)
  assert not dataset_factory.get_dataset(
      'image_folder', 'train', str(tmp_path / 'out')).multi_label


def test_a_list_that_names_splits(tmp_path):
  image_folders.write_class(tmp_path / 'pool', 12)
  rows = [['image', 'class', 'split']] + [
      [' pool/bild %d ü.jpg' % k, ' cat' if k % 2 else 'dog',
       ('Train', 'valid', 'test')[k // 2 % 3]] for k in range(12)]
  name = image_folders.write_list(tmp_path, '.csv', rows)
  image_folders.run(tmp_path, name)
  info = image_folders.info(tmp_path)
  assert info['class_names'] == ['cat', 'dog']
  assert {split: info['splits'][split]['examples_per_class']
          for split in info['splits']} == {
              'train': [2, 2], 'validation': [2, 2], 'test': [2, 2]}
  with pytest.raises(ValueError, match='has a split for validation: leave out'):
    image_folders.run(tmp_path, name, num_validation=3, overwrite=True)
