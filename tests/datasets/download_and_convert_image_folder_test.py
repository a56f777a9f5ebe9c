"""Tests of the conversion of the user's own pictures."""
import csv
import json
import os

import numpy as np
from PIL import Image
import pytest

from datasets import dataset_factory
from datasets import download_and_convert_image_folder
from datasets.conversion import image_files
from tests.datasets import records
from tests.datasets.conversion import image_folders
from tests.datasets.conversion import odd_images
from tests.datasets.conversion import raw_files


def test_folder_of_classes(tmp_path, capsys):
  source = tmp_path / 'source'
  image_folders.write_classes(source)
  raw_files.write(source, '.DS_Store', b'x')
  raw_files.write(source, 'README.txt', b'x')
  raw_files.write(source / 'z', '.DS_Store', b'x')
  raw_files.write(source / 'z', 'notes.txt', b'Some notes.')
  image_folders.write_class(source / 'z' / 'nested', 2)
  before = records.snapshot(source)
  image_folders.run(tmp_path)
  assert records.snapshot(source) == before
  info = image_folders.info(tmp_path)
  assert info['class_names'] == ['a blank', 'tomates', 'z', 'Äpfel']
  train, validation = (info['splits'][s] for s in ('train', 'validation'))
  assert validation['examples_per_class'] == [1, 2, 0, 3]
  assert train['examples_per_class'] == [9, 18, 4, 27]
  assert train['files'] == ['image_folder_train_%05d-of-00005.tfrecord' % k
                            for k in range(5)]
  stored = dict(image_folders.examples(tmp_path, 'train'))
  stored.update(image_folders.examples(tmp_path, 'validation'))
  pictures = {name: content for name, content in before.items()
              if name.endswith('.jpg') and 'nested' not in name}
  assert {name: records.values(example, 'image/encoded')[0]
          for name, example in stored.items()} == pictures
  for name, example in stored.items():
    label = records.values(example, 'image/class/label')[0]
    assert info['class_names'][label] == name.split('/')[0]
    assert records.values(example, 'image/format') == [b'jpg']
    assert records.values(example, 'image/height') == [odd_images.HEIGHT]
    assert records.values(example, 'image/width') == [odd_images.WIDTH]
  output = capsys.readouterr().out
  assert ('skipped: 2 hidden, 1 nested folders, 1 no pictures by name or '
          'content, 1 outside the class folders\n') in output
  assert 'image_folder: 58 train, 6 validation, 4 classes' in output


def test_files_do_not_depend_on_the_workers_but_on_the_seed(tmp_path):
  image_folders.write_classes(tmp_path / 'source')
  contents = []
  for options in ({'num_workers': 1}, {'num_workers': 2}, {'seed': 1}):
    image_folders.run(tmp_path, overwrite=True, **options)
    contents.append(records.snapshot(tmp_path / 'out'))
  assert contents[0] == contents[1] != contents[2]


def test_classes_are_mixed_over_the_shards(tmp_path):
  image_folders.write_classes(tmp_path / 'source', (20, 20, 20, 20))
  image_folders.run(tmp_path, num_shards=2, num_validation=0)
  assert list(image_folders.info(tmp_path)['splits']) == ['train']
  for name in image_folders.info(tmp_path)['splits']['train']['files']:
    labels = {records.values(e, 'image/class/label')[0]
              for e in records.read(tmp_path / 'out' / name)}
    assert labels == {0, 1, 2, 3}


@pytest.mark.parametrize('options,counts', [
    ({'num_validation': 16}, [2, 5, 1, 8]),
    ({'validation_fraction': 0.5}, [5, 10, 2, 15]),
    ({'num_validation': 60}, [9, 19, 3, 29]),
    ({'validation_fraction': 0.99}, [9, 19, 3, 29])])
def test_stratified_split(tmp_path, options, counts):
  image_folders.write_classes(tmp_path / 'source')
  image_folders.run(tmp_path, **options)
  splits = image_folders.info(tmp_path)['splits']
  drawn = splits['validation']['examples_per_class']
  assert sum(drawn) == sum(counts)
  assert all(abs(a - b) <= 1 for a, b in zip(drawn, counts))
  assert [a + b for a, b in zip(
      drawn, splits['train']['examples_per_class'])] == [10, 20, 4, 30]


def test_a_large_file_is_stored_whole(tmp_path):
  image_folders.write_classes(tmp_path / 'source', (2, 2, 1, 1))
  pixels = np.random.RandomState(0).randint(0, 256, [900, 900, 3])
  content = odd_images.encoded(
      Image.fromarray(pixels.astype(np.uint8)), 'JPEG', quality=100)
  assert len(content) > 1 << 20
  raw_files.write(tmp_path / 'source' / 'z', 'large.jpg', content)
  image_folders.run(tmp_path, num_validation=0)
  example = image_folders.examples(tmp_path, 'train')['z/large.jpg']
  assert records.values(example, 'image/encoded') == [content]


def test_no_empty_shards(tmp_path):
  image_folders.write_classes(tmp_path / 'source', (2, 2, 1, 1))
  image_folders.run(tmp_path, num_validation=2)
  splits = image_folders.info(tmp_path)['splits']
  assert splits['train']['examples_per_file'] == [1, 1, 1, 1]
  assert splits['validation']['examples_per_file'] == [1, 1]


@pytest.mark.parametrize('name', ['validation', 'val'])
def test_train_and_validation_folders(tmp_path, name):
  image_folders.write_classes(tmp_path / 'source' / 'train')
  image_folders.write_classes(tmp_path / 'source' / name, (1, 2, 3, 1))
  image_folders.write_classes(tmp_path / 'source' / 'test', (1, 1))
  image_folders.run(tmp_path)
  splits = image_folders.info(tmp_path)['splits']
  assert {s: splits[s]['examples_per_class'] for s in splits} == {
      'train': [10, 20, 4, 30], 'validation': [1, 2, 1, 3],
      'test': [1, 1, 0, 0]}
  assert 'train/z/bild 0 ü.jpg' in image_folders.examples(tmp_path, 'train')
  dataset = dataset_factory.get_dataset(
      'image_folder', 'test', str(tmp_path / 'out'))
  assert (dataset.num_samples, dataset.num_classes) == (2, 4)
  assert dataset.labels_to_names == {
      0: 'a blank', 1: 'tomates', 2: 'z', 3: 'Äpfel'}


def test_archive_with_one_folder_above(tmp_path):
  image_folders.write_classes(tmp_path / 'photos')
  raw_files.pack(str(tmp_path / 'photos'), str(tmp_path / 'photos.tar.gz'))
  image_folders.run(tmp_path, 'photos.tar.gz')
  assert image_folders.info(tmp_path)['splits']['train']['num_examples'] == 58
  assert not [n for n in os.listdir(tmp_path / 'out') if n.startswith('.')]


def test_what_a_list_names_is_never_passed_over(tmp_path):
  image_folders.write_class(tmp_path / 'pool', 2)
  raw_files.write(tmp_path / 'pool', 'notes.txt', b'Some notes.')
  rows = [['pool/bild 0 ü.jpg', 'a'], ['pool/bild 1 ü.jpg', 'b'],
          ['pool/notes.txt', 'a'], ['pool/gone.jpg', 'b']]
  with pytest.raises(ValueError, match='2 bad pictures') as error:
    image_folders.run(
        tmp_path, image_folders.write_list(tmp_path, '.csv', rows))
  assert 'pool/notes.txt: not a picture' in str(error.value)
  assert 'pool/gone.jpg: cannot be read: No such file' in str(error.value)


def _write_corpus(tmp_path):
  source = tmp_path / 'source'
  image_folders.write_class(source / 'fine', 5)
  pictures = odd_images.write(source / 'odd')
  return pictures, {p.name for p in pictures
                    if p.fate == odd_images.REJECTED}


def test_fail_names_all_bad_pictures_and_publishes_nothing(tmp_path):
  _, bad = _write_corpus(tmp_path)
  before = records.snapshot(tmp_path / 'source')
  with pytest.raises(ValueError, match='%d bad pictures; nothing was '
                     'published. --on_bad_image=skip' % len(bad)) as error:
    image_folders.run(tmp_path, max_pixels=odd_images.MAX_PIXELS)
  named = [line.split(':')[0].strip().split('odd/')[1]
           for line in str(error.value).splitlines()[1:]]
  assert sorted(named) == sorted(bad)
  assert not (tmp_path / 'out').exists()
  assert records.snapshot(tmp_path / 'source') == before


def test_skip_goes_on_and_reports(tmp_path, capsys):
  pictures, bad = _write_corpus(tmp_path)
  before = records.snapshot(tmp_path / 'source')
  image_folders.run(tmp_path, max_pixels=odd_images.MAX_PIXELS,
                      on_bad_image='skip')
  assert records.snapshot(tmp_path / 'source') == before
  with open(tmp_path / 'out' / 'bad_images.csv', newline='') as report:
    rows = list(csv.reader(report))
  assert rows[0] == ['path', 'reason']
  assert {name for name, _ in rows[1:]} == {'odd/' + name for name in bad}
  assert dict(rows[1:])['odd/empty.jpg'] == 'empty file'
  stored = dict(image_folders.examples(tmp_path, 'train'))
  stored.update(image_folders.examples(tmp_path, 'validation'))
  assert len(stored) == 5 + len(pictures) - len(bad)
  for picture in pictures:
    if picture.fate == odd_images.KEPT:
      example = stored['odd/' + picture.name]
      assert records.values(example, 'image/encoded') == [picture.content]
  output = capsys.readouterr().out
  assert '8 turned by EXIF' in output and '%d bad pictures' % len(bad) in output


def test_a_report_goes_when_nothing_is_bad_any_more(tmp_path):
  image_folders.write_classes(tmp_path / 'source')
  bad = raw_files.write(tmp_path / 'source' / 'z', 'bad.jpg', b'')
  image_folders.run(tmp_path, on_bad_image='skip')
  assert (tmp_path / 'out' / 'bad_images.csv').exists()
  os.remove(bad)
  image_folders.run(tmp_path, overwrite=True)
  assert not (tmp_path / 'out' / 'bad_images.csv').exists()


def test_a_failure_leaves_the_dataset_that_stands(tmp_path):
  image_folders.write_classes(tmp_path / 'source')
  image_folders.run(tmp_path)
  before = records.snapshot(tmp_path / 'out')
  raw_files.write(tmp_path / 'source' / 'z', 'bad.jpg', b'')
  with pytest.raises(ValueError, match='z/bad.jpg: empty file'):
    image_folders.run(tmp_path, overwrite=True)
  assert records.snapshot(tmp_path / 'out') == before


def test_a_class_without_a_good_picture(tmp_path):
  image_folders.write_classes(tmp_path / 'source', (3, 3, 0, 0))
  for name in image_folders.CLASSES[2:]:
    raw_files.write(tmp_path / 'source' / name, 'bad.jpg', b'x')
  with pytest.raises(ValueError, match='no good picture to train on is left '
                     'in the classes: z, Äpfel'):
    image_folders.run(tmp_path, on_bad_image='skip')


@pytest.mark.parametrize('options,other', [
    ({}, 'more.jpg'), ({'on_bad_image': 'skip'}, 'bad.jpg')])
def test_a_picture_that_changes_meanwhile(tmp_path, monkeypatch, options,
                                          other):
  """In the first pass, and in the second, which a bad one leads to."""
  image_folders.write_classes(tmp_path / 'source')
  raw_files.write(tmp_path / 'source' / 'z', other, (
      b'' if other == 'bad.jpg' else
      odd_images.encoded(odd_images.photo(), 'JPEG')))
  check_file = image_files._check_file
  path = tmp_path / 'source' / 'z' / 'bild 0 ü.jpg'

  def _check_and_change(name, *arguments):
    finding = check_file(name, *arguments)
    if name == str(path):
      path.write_bytes(path.read_bytes() + b' ')
    return finding

  monkeypatch.setattr(image_files, '_check_file', _check_and_change)
  with pytest.raises(ValueError, match='bild 0 ü.jpg has changed since'):
    image_folders.run(tmp_path, **options)
  assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('num_workers', [1, 2])
def test_bad_ones_leave_the_same_records_as_if_they_were_not_there(
    tmp_path, num_workers):
  """Wherever they are found: what was written until then is dropped."""
  image_folders.write_classes(tmp_path / 'source')
  for picture in odd_images.corpus():
    if picture.fate == odd_images.CONVERTED:
      raw_files.write(tmp_path / 'source' / 'z', picture.name, picture.content)
  image_folders.run(tmp_path)
  good = records.snapshot(tmp_path / 'out')
  for name in image_folders.CLASSES:
    raw_files.write(tmp_path / 'source' / name, 'bad.jpg', b'')
  image_folders.run(tmp_path, on_bad_image='skip', overwrite=True,
                      num_workers=num_workers)
  skipped = records.snapshot(tmp_path / 'out')
  assert len(skipped.pop('bad_images.csv').splitlines()) == 5
  info = json.loads(skipped.pop('dataset_info.json').decode('utf-8'))
  assert info.pop('side_files') == ['bad_images.csv']
  assert info == json.loads(good.pop('dataset_info.json').decode('utf-8'))
  assert skipped == good


@pytest.mark.parametrize('options,message', [
    ({'validation_fraction': 0.1, 'num_validation': 1}, 'not both'),
    ({'validation_fraction': 1.0}, '=1 must be at least 0 and less than 1'),
    ({'num_validation': -1}, 'num_validation=-1 must be at least 0'),
    ({'num_validation': 61}, 'num_validation=61 of 64 pictures .* 60 or fewer'),
    ({'num_shards': 0}, 'num_shards=0 must be at least 1'),
    ({'on_bad_image': 'ignore'}, "'ignore'; it is one of: fail, skip"),
    ({'background': 'invisible'}, '--background=invisible is no colour')])
def test_wrong_options(tmp_path, options, message):
  image_folders.write_classes(tmp_path / 'source')
  with pytest.raises(ValueError, match=message):
    image_folders.run(tmp_path, **options)
  assert not (tmp_path / 'out').exists()


def test_wrong_sources(tmp_path):
  image_folders.write_classes(tmp_path / 'split' / 'train')
  image_folders.write_classes(tmp_path / 'split' / 'validation')
  with pytest.raises(ValueError, match='has a folder for validation: leave'):
    image_folders.run(tmp_path, 'split', num_validation=3)
  image_folders.write_class(tmp_path / 'split' / 'validation' / 'new', 1)
  with pytest.raises(ValueError, match='validation has the classes new, which'):
    image_folders.run(tmp_path, 'split')
  image_folders.write_class(tmp_path / 'one' / 'class', 3)
  with pytest.raises(ValueError, match='holds 1 classes; 2 or more'):
    image_folders.run(tmp_path, 'one')
  (tmp_path / 'one' / 'empty').mkdir()
  with pytest.raises(ValueError, match='one/empty holds no pictures'):
    image_folders.run(tmp_path, 'one')
  with pytest.raises(FileNotFoundError, match='there is no .*/nothing'):
    image_folders.run(tmp_path, 'nothing')
  with pytest.raises(ValueError, match='needs --source'):
    download_and_convert_image_folder.run(str(tmp_path / 'out'))
  with pytest.raises(ValueError, match='of URLs, those of archives'):
    download_and_convert_image_folder.run(
        str(tmp_path / 'out'), 'http://localhost/pictures')
  with pytest.raises(ValueError, match='lies in the source'):
    download_and_convert_image_folder.run(
        str(tmp_path / 'split' / 'out'), str(tmp_path / 'split'))
  assert not (tmp_path / 'out').exists()


def test_a_class_name_with_a_line_end(tmp_path):
  image_folders.write_class(tmp_path / 'source' / 'two\nlines', 1)
  image_folders.write_class(tmp_path / 'source' / 'one', 1)
  with pytest.raises(ValueError, match='has a line end: rename it'):
    image_folders.run(tmp_path)


def test_pipes_and_dangling_links(tmp_path):
  image_folders.write_classes(tmp_path / 'source')
  os.mkfifo(str(tmp_path / 'source' / 'z' / 'pipe.jpg'))
  os.symlink('/nowhere/at/all', str(tmp_path / 'source' / 'z' / 'link.jpg'))
  with pytest.raises(ValueError, match='1 bad pictures') as error:
    image_folders.run(tmp_path)
  assert 'z/link.jpg: cannot be read' in str(error.value)


@pytest.mark.parametrize('folder', ['', '/no/such'])
def test_reading_what_was_not_converted(folder):
  with pytest.raises(ValueError, match='holds no dataset_info.json: make it '
                     'of your pictures with download_and_convert_data.py'):
    dataset_factory.get_dataset('image_folder', 'train', folder)
