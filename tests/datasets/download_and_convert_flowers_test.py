"""Tests of the conversion of the flower photographs."""
import os

import pytest

from datasets import dataset_factory
from datasets import dataset_utils
from datasets import download_and_convert_flowers
from tests.datasets import records
from tests.datasets.conversion import odd_images
from tests.datasets.conversion import raw_files

_NAMES = ['daisy', 'dandelion', 'roses', 'sunflowers', 'tulips']


def _write(folder, count):
  """Writes tiny JPEGs, all different, and a turned one among them."""
  contents = [odd_images.encoded(
      odd_images.photo(width=4, height=4, seed=seed), 'JPEG',
      exif=odd_images.exif(6 if seed == 3 else 1)) for seed in range(40)]
  for name in _NAMES:
    os.makedirs(str(folder / name))
  for index in range(count):
    raw_files.write(folder / _NAMES[index % 5], '%d_%s.jpg' % (index, 'n'),
                    contents[index % 40] + b'%d' % index)
  raw_files.write(folder, 'LICENSE.txt', b'CC-BY')


def _run(tmp_path, source='source', **options):
  download_and_convert_flowers.run(
      str(tmp_path / 'out'), str(tmp_path / source), num_workers=1, **options)


def _examples(tmp_path, split):
  return {records.values(example, 'image/filename')[0].decode(): example
          for shard in range(5) for example in records.read(
              tmp_path / 'out' / ('flowers_%s_%05d-of-00005.tfrecord' % (
                  split, shard)))}


def test_published_numbers_from_an_archive(tmp_path, capsys):
  _write(tmp_path / 'flower_photos', 3670)
  before = records.snapshot(tmp_path / 'flower_photos')
  archive = raw_files.pack(
      str(tmp_path / 'flower_photos'), str(tmp_path / 'flower_photos.tgz'))
  _run(tmp_path, archive)
  assert 'Note' not in capsys.readouterr().out
  out = tmp_path / 'out'
  assert len(os.listdir(out)) == 12
  train, validation = (_examples(tmp_path, s) for s in ('train', 'validation'))
  assert (len(train), len(validation)) == (3320, 350)
  stored = dict(train, **validation)
  assert sorted(stored) == sorted(n for n in before if n != 'LICENSE.txt')
  for name, example in stored.items():
    assert records.values(example, 'image/encoded') == [before[name]]
    assert records.values(example, 'image/format') == [b'jpg']
    label = records.values(example, 'image/class/label')[0]
    assert _NAMES[label] == name.split('/')[0]
  assert list(dataset_utils.read_label_file(str(out)).values()) == _NAMES
  for split, size in (('train', 3320), ('validation', 350)):
    dataset = dataset_factory.get_dataset('flowers', split, str(out))
    assert (dataset.num_samples, dataset.num_classes) == (size, 5)
  for shard in range(5):
    assert len(records.read(
        out / ('flowers_train_%05d-of-00005.tfrecord' % shard))) == 664


def test_folder_stays_untouched_and_the_split_is_the_same(tmp_path, capsys):
  _write(tmp_path / 'source', 360)
  before = records.snapshot(tmp_path / 'source')
  _run(tmp_path)
  assert records.snapshot(tmp_path / 'source') == before
  assert 'Note: 360 images, not the 3670' in capsys.readouterr().out
  first = records.snapshot(tmp_path / 'out')
  _run(tmp_path)
  assert 'nothing to do' in capsys.readouterr().out
  _run(tmp_path, overwrite=True)
  assert records.snapshot(tmp_path / 'out') == first


def test_too_few_images(tmp_path):
  _write(tmp_path / 'source', 350)
  with pytest.raises(ValueError, match='has 350 images; 350 are needed to '
                     'validate with, and more to train on'):
    _run(tmp_path)


def test_bad_images(tmp_path):
  _write(tmp_path / 'source', 360)
  raw_files.write(tmp_path / 'source' / 'roses', 'bad.jpg', b'\xff\xd8\xff')
  with pytest.raises(ValueError, match='roses/bad.jpg: truncated JPEG'):
    _run(tmp_path)
  assert os.listdir(tmp_path / 'out') == ['.flowers.building']
  _run(tmp_path, on_bad_image='skip')
  assert (tmp_path / 'out' / 'bad_images.csv').exists()
