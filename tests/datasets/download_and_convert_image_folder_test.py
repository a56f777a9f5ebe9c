"""Tests of the conversion of the user's own images."""
import csv
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
from PIL import Image
import pytest

from datasets import dataset_factory
from datasets import download_and_convert_image_folder
from datasets.conversion import shards
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
  images = {name: content for name, content in before.items()
            if name.endswith('.jpg')}
  assert {name: records.values(example, 'image/encoded')[0]
          for name, example in stored.items()} == images
  for name, example in stored.items():
    label = records.values(example, 'image/class/label')[0]
    assert info['class_names'][label] == name.split('/')[0]
    assert records.values(example, 'image/format') == [b'jpg']
    assert records.values(example, 'image/height') == [odd_images.HEIGHT]
    assert records.values(example, 'image/width') == [odd_images.WIDTH]
  output = capsys.readouterr().out
  assert ('skipped: 2 hidden, 1 no images by name or content, such as '
          "'z/notes.txt', 1 "
          'outside the class directories\n') in output
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


def test_directories_below_those_of_the_classes(tmp_path, capsys):
  image_folders.write_classes(tmp_path / 'source')
  image_folders.write_class(tmp_path / 'source' / 'z' / 'nested' / 'deep', 12)
  os.symlink('loop.jpg', str(tmp_path / 'source' / 'z' / 'loop.jpg'))
  image_folders.run(tmp_path, on_bad_image='skip', num_validation=0)
  splits = image_folders.info(tmp_path)['splits']
  assert splits['train']['examples_per_class'] == [10, 20, 16, 30]
  assert 'z/nested/deep/bild 0 ü.jpg' in image_folders.examples(
      tmp_path, 'train')
  assert ('12 files are in directories below those of the classes and belong '
          "to the class above, such as 'z/nested/deep/bild 0 ü.jpg'") in (
              capsys.readouterr().out)
  report = (tmp_path / 'out' / 'bad_images.csv').read_text()
  assert report.splitlines()[1:] == [
      'z/loop.jpg,cannot be read: Too many levels of symbolic links']


def test_what_a_list_names_is_never_passed_over(tmp_path):
  image_folders.write_class(tmp_path / 'pool', 2)
  raw_files.write(tmp_path / 'pool', 'notes.txt', b'Some notes.')
  rows = [['pool/bild 0 ü.jpg', 'a'], ['pool/bild 1 ü.jpg', 'b'],
          ['pool/notes.txt', 'a'], ['pool/gone.jpg', 'b']]
  with pytest.raises(ValueError, match='2 bad images') as error:
    image_folders.run(
        tmp_path, image_folders.write_list(tmp_path, '.csv', rows))
  assert 'pool/notes.txt: not an image' in str(error.value)
  assert 'pool/gone.jpg: cannot be read: No such file' in str(error.value)


def _write_corpus(tmp_path):
  source = tmp_path / 'source'
  image_folders.write_class(source / 'fine', 5)
  images = odd_images.write(source / 'odd')
  return images, {p.name for p in images
                    if p.fate == odd_images.REJECTED}


def test_fail_names_all_bad_images_and_publishes_nothing(tmp_path):
  _, bad = _write_corpus(tmp_path)
  before = records.snapshot(tmp_path / 'source')
  with pytest.raises(ValueError, match='%d bad images; nothing was '
                     'published. --on_bad_image=skip' % len(bad)) as error:
    image_folders.run(tmp_path, max_pixels=odd_images.MAX_PIXELS)
  named = [line.split(':')[0].strip().split('odd/')[1]
           for line in str(error.value).splitlines()[1:]]
  assert sorted(named) == sorted(bad)
  assert os.listdir(tmp_path / 'out') == ['.image_folder.building']
  assert records.snapshot(tmp_path / 'source') == before


def test_skip_goes_on_and_reports(tmp_path, capsys):
  images, bad = _write_corpus(tmp_path)
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
  assert len(stored) == 5 + len(images) - len(bad)
  for image in images:
    if image.fate == odd_images.KEPT:
      example = stored['odd/' + image.name]
      assert records.values(example, 'image/encoded') == [image.content]
  output = capsys.readouterr().out
  assert '7 turned by EXIF, 1 turned by EXIF or XMP' in output
  assert '%d bad images' % len(bad) in output


def test_a_report_goes_when_nothing_is_bad_any_more(tmp_path):
  image_folders.write_classes(tmp_path / 'source')
  bad = raw_files.write(tmp_path / 'source' / 'z', 'bad.jpg', b'')
  image_folders.run(tmp_path, on_bad_image='skip')
  assert (tmp_path / 'out' / 'bad_images.csv').exists()
  os.remove(bad)
  image_folders.run(tmp_path, overwrite=True)
  assert not (tmp_path / 'out' / 'bad_images.csv').exists()


def test_a_failure_leaves_the_existing_dataset(tmp_path):
  image_folders.write_classes(tmp_path / 'source')
  image_folders.run(tmp_path)
  before = records.snapshot(tmp_path / 'out')
  raw_files.write(tmp_path / 'source' / 'z', 'bad.jpg', b'')
  with pytest.raises(ValueError, match='z/bad.jpg: empty file'):
    image_folders.run(tmp_path, overwrite=True)
  shutil.rmtree(tmp_path / 'out' / '.image_folder.building')
  assert records.snapshot(tmp_path / 'out') == before


def test_a_class_without_a_good_image(tmp_path):
  image_folders.write_classes(tmp_path / 'source', (3, 3, 0, 0))
  for name in image_folders.CLASSES[2:]:
    raw_files.write(tmp_path / 'source' / name, 'bad.jpg', b'x')
  with pytest.raises(ValueError, match='no good image to train on is left '
                     'in the classes: z, Äpfel'):
    image_folders.run(tmp_path, on_bad_image='skip')


_KILLED = """
import os, signal, sys, time
from datasets import download_and_convert_image_folder
from datasets.conversion import shards
write_part = shards.write_part
def write_or_die(path, *arguments):
  directory = os.path.dirname(path)
  if 'train_00002' in path:
    while not os.path.exists(os.path.join(
        directory, 'image_folder_train_00001-of-00005.tfrecord.json')):
      time.sleep(0.1)
    write_part(path, *arguments)
    os.kill(os.getpid() if sys.argv[3] == '1' else os.getppid(), signal.SIGKILL)
  return write_part(path, *arguments)
shards.write_part = write_or_die
download_and_convert_image_folder.run(
    sys.argv[1], sys.argv[2], num_workers=int(sys.argv[3]),
    on_bad_image=sys.argv[4])
"""


@pytest.mark.parametrize('num_workers', [1, 2])
@pytest.mark.parametrize('on_bad_image', ['fail', 'skip'])
def test_killed_run_is_resumed(tmp_path, capsys, num_workers, on_bad_image):
  image_folders.write_classes(tmp_path / 'source')
  if on_bad_image == 'skip':
    raw_files.write(tmp_path / 'source' / 'z', 'bad.jpg', b'')
  image_folders.run(tmp_path, on_bad_image=on_bad_image)
  whole = records.snapshot(tmp_path / 'out')
  shutil.rmtree(tmp_path / 'out')
  before = records.snapshot(tmp_path / 'source')
  root = os.path.dirname(os.path.dirname(
      download_and_convert_image_folder.__file__))
  process = subprocess.Popen(
      [sys.executable, '-W', 'ignore', '-c', _KILLED, str(tmp_path / 'out'),
       str(tmp_path / 'source'), str(num_workers), on_bad_image], cwd=root,
      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
  assert process.wait() == -signal.SIGKILL
  assert os.listdir(tmp_path / 'out') == ['.image_folder.building']
  building = tmp_path / 'out' / '.image_folder.building'
  name = 'image_folder_train_00000-of-00005.tfrecord'
  kept = (building / name).stat()
  capsys.readouterr()
  image_folders.run(tmp_path, on_bad_image=on_bad_image)
  assert '2 complete files of an earlier run; 2 are of the same images' in (
      capsys.readouterr().out)
  if on_bad_image == 'fail':
    assert (tmp_path / 'out' / name).stat().st_ino == kept.st_ino
  assert records.snapshot(tmp_path / 'out') == whole
  assert records.snapshot(tmp_path / 'source') == before


def test_skip_after_fail_reads_no_image_again(tmp_path, monkeypatch, capsys):
  image_folders.write_classes(tmp_path / 'source')
  raw_files.write(tmp_path / 'source' / 'z', 'bad.jpg', b'')
  with pytest.raises(ValueError, match='1 bad images; nothing was published'):
    image_folders.run(tmp_path)
  assert '9 complete files stay in' in capsys.readouterr().out
  monkeypatch.setattr(shards, 'write_part', None)
  image_folders.run(tmp_path, on_bad_image='skip')
  assert sum(split['num_examples'] for split in
             image_folders.info(tmp_path)['splits'].values()) == 64


@pytest.mark.parametrize('num_workers', [1, 2])
def test_bad_ones_leave_the_same_records_as_if_they_were_not_there(
    tmp_path, num_workers):
  """Wherever they are found: what was written until then is dropped."""
  image_folders.write_classes(tmp_path / 'source')
  for image in odd_images.corpus():
    if image.fate == odd_images.CONVERTED:
      raw_files.write(tmp_path / 'source' / 'z', image.name, image.content)
  image_folders.run(tmp_path)
  good = records.without_origin(tmp_path / 'out')
  for name in image_folders.CLASSES:
    raw_files.write(tmp_path / 'source' / name, 'bad.jpg', b'')
  image_folders.run(tmp_path, on_bad_image='skip', overwrite=True,
                      num_workers=num_workers)
  skipped = records.without_origin(tmp_path / 'out')
  assert len(skipped.pop('bad_images.csv').splitlines()) == 5
  assert skipped['dataset_info.json'].pop('side_files') == ['bad_images.csv']
  assert skipped == good


@pytest.mark.parametrize('options,message', [
    ({'validation_fraction': 0.1, 'num_validation': 1}, 'not both'),
    ({'validation_fraction': 1.0}, '=1 must be at least 0 and less than 1'),
    ({'num_validation': -1}, 'num_validation=-1 must be at least 0'),
    ({'num_validation': 61}, 'num_validation=61 of 64 images .* 60 or fewer'),
    ({'num_shards': 0}, 'num_shards=0 must be at least 1'),
    ({'on_bad_image': 'ignore'}, "'ignore'; it is one of: fail, skip"),
    ({'background': 'invisible'}, '--background=invisible is not a color')])
def test_wrong_options(tmp_path, options, message):
  image_folders.write_classes(tmp_path / 'source')
  with pytest.raises(ValueError, match=message):
    image_folders.run(tmp_path, **options)
  assert not (tmp_path / 'out').exists()


def test_wrong_sources(tmp_path):
  image_folders.write_classes(tmp_path / 'split' / 'train')
  image_folders.write_classes(tmp_path / 'split' / 'validation')
  with pytest.raises(ValueError, match='has a split for validation: leave'):
    image_folders.run(tmp_path, 'split', num_validation=3)
  image_folders.write_class(tmp_path / 'split' / 'validation' / 'new', 1)
  with pytest.raises(ValueError, match='validation has the classes new, which'):
    image_folders.run(tmp_path, 'split')
  image_folders.write_class(tmp_path / 'one' / 'class', 3)
  with pytest.raises(ValueError, match='holds 1 classes; 2 or more'):
    image_folders.run(tmp_path, 'one')
  (tmp_path / 'one' / 'empty').mkdir()
  with pytest.raises(ValueError, match='one/empty holds no images'):
    image_folders.run(tmp_path, 'one')
  with pytest.raises(FileNotFoundError, match='there is no .*/nothing'):
    image_folders.run(tmp_path, 'nothing')
  for name in ('list.txt', 'list.TSV', 'list.json', 'list.xlsx'):
    raw_files.write(tmp_path, name, b'a.jpg cat')
    with pytest.raises(ValueError, match='%s: a list is a .csv file of path,la'
                       'bel on each line, or a .jsonl file' % name):
      image_folders.run(tmp_path, name)
  with pytest.raises(ValueError, match='needs --source'):
    download_and_convert_image_folder.run(str(tmp_path / 'out'))
  with pytest.raises(ValueError, match='a URL must be that of an archive'):
    download_and_convert_image_folder.run(
        str(tmp_path / 'out'), 'http://localhost/images')
  with pytest.raises(ValueError, match='is in the source'):
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
  with pytest.raises(ValueError, match='1 bad images') as error:
    image_folders.run(tmp_path)
  assert 'z/link.jpg: cannot be read' in str(error.value)


@pytest.mark.parametrize('folder', ['', '/no/such'])
def test_reading_what_was_not_converted(folder):
  with pytest.raises(ValueError, match='has no dataset_info.json: convert your '
                     'images with download_and_convert_data.py'):
    dataset_factory.get_dataset('image_folder', 'train', folder)
