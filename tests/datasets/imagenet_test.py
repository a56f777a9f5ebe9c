"""Tests of the names of ImageNet's labels."""
from datasets import dataset_factory
from datasets import dataset_utils
from datasets import imagenet


def test_readable_names():
  names = imagenet.create_readable_names_for_imagenet_labels()
  assert list(names) == list(range(1001))
  assert names[0] == 'background'
  assert names[1] == 'tench, Tinca tinca'
  assert names[135] == names[518] == 'crane'
  assert names[1000] == 'toilet tissue, toilet paper, bathroom tissue'


def test_split_without_labels_file_has_names(tmp_path):
  for directory in (str(tmp_path), '/no/such', ''):
    dataset = dataset_factory.get_dataset('imagenet', 'validation', directory)
    assert dataset.num_classes == len(dataset.labels_to_names) == 1001
    assert dataset.labels_to_names[1] == 'tench, Tinca tinca'
  assert not list(tmp_path.iterdir())


def test_labels_file_takes_precedence(tmp_path):
  dataset_utils.write_label_file({0: 'nothing', 1: 'a fish'}, str(tmp_path))
  dataset = dataset_factory.get_dataset('imagenet', 'train', str(tmp_path))
  assert dataset.labels_to_names == {0: 'nothing', 1: 'a fish'}


def test_names_can_be_switched_off(monkeypatch):
  monkeypatch.setattr(imagenet, 'LOAD_READABLE_NAMES', False)
  assert imagenet.get_split('train', '').labels_to_names is None
