"""Tests of the conversion of Visual Wake Words."""
import hashlib
import os
import pathlib
import shutil

import pytest
import tensorflow.compat.v1 as tf

from datasets import dataset_factory
from datasets import download_and_convert_visualwakewords as visualwakewords
from datasets.conversion import archives
from slim_common import transfer
from tests.datasets import records
from tests.datasets.conversion import coco_files
from tests.datasets.imagenet_tools import imagenet_files


def _run(tmp_path, source, **options):
  visualwakewords.run(
      str(tmp_path / 'out'), source=source, num_workers=1, **options)


def _examples(folder, split, count):
  """Returns the list of examples of each record file."""
  return [records.read(folder / ('%s.record-%05d-of-%05d' % (
      split, shard, count))) for shard in range(count)]


@pytest.mark.parametrize('year', ['2014', '2017'])
def test_folders_of_a_year(tmp_path, year):
  source = imagenet_files.write(
      tmp_path / 'source', coco_files.contents(year))
  before = records.snapshot(source)
  _run(tmp_path, source)
  assert records.snapshot(source) == before
  out = tmp_path / 'out'
  assert sorted(os.listdir(str(out))) == ['dataset_info.json', 'labels.txt'] + [
      'train.record-%05d-of-00007' % k for k in range(7)] + [
          'val.record-%05d-of-00004' % k for k in range(4)]
  assert (out / 'labels.txt').read_text() == '0:background\n1:person\n'
  for number, (example,) in enumerate(_examples(out, 'val', 4)):
    name = coco_files.image_name(year, 'val', number)
    content = before['val%s/%s' % (year, name)]
    expected = {
        'image/height': [12], 'image/width': [16],
        'image/class/label': [number % 2], 'image/filename': [name.encode()],
        'image/source_id': [b'%d' % number], 'image/format': [b'jpeg'],
        'image/encoded': [content], 'image/key/sha256': [
            hashlib.sha256(content).hexdigest().encode()]}
    # Lists of floats even where no person is.
    expected.update({
        key: [value] * (number % 2) for key, value in (
            ('image/object/bbox/xmin', .25), ('image/object/bbox/xmax', .75),
            ('image/object/bbox/ymin', .25), ('image/object/bbox/ymax', .75),
            ('image/object/area', 48.))})
    assert sorted(example.features.feature) == sorted(expected)
    assert {key: records.values(example, key) for key in expected} == expected


def test_get_split_reads_it(tmp_path):
  _run(tmp_path, imagenet_files.write(
      tmp_path / 'source', coco_files.contents()))
  dataset = dataset_factory.get_dataset(
      'visualwakewords', 'val', str(tmp_path / 'out'))
  assert (dataset.num_samples, dataset.num_classes) == (4, 2)
  example = _examples(tmp_path / 'out', 'val', 4)[1][0]
  items = ['image', 'label', 'object/bbox']
  decoded = dataset.decoder.decode(example.SerializeToString(), items)
  with tf.Session() as session:
    image, label, boxes = session.run(decoded)
  assert image.shape == (12, 16, 3) and label == 1
  assert boxes.tolist() == [[.25, .25, .75, .75]]


def test_images_go_to_the_files_in_turn(tmp_path, monkeypatch):
  monkeypatch.setitem(visualwakewords._NUM_SHARDS, 'train', 3)
  _run(tmp_path, imagenet_files.write(
      tmp_path / 'source', coco_files.contents()))
  assert [[int(records.values(example, 'image/source_id')[0])
           for example in shard]
          for shard in _examples(tmp_path / 'out', 'train', 3)] == [
              [0, 3, 6], [1, 4], [2, 5]]


def test_published_numbers_of_files():
  assert dict(visualwakewords._NUM_SHARDS) == {'train': 100, 'val': 10}


def test_other_class_and_threshold(tmp_path):
  source = imagenet_files.write(tmp_path / 'source', coco_files.contents())
  _run(tmp_path, source, foreground_class_of_interest='dog',
       small_object_area_threshold=.124)
  assert [records.values(shard[0], 'image/class/label')[0] for shard in
          _examples(tmp_path / 'out', 'val', 4)] == [1, 0, 1, 0]
  with pytest.raises(ValueError, match='train2014: no image shows dog: give ano'
                     'ther --foreground_class_of_interest or a smaller --small_'
                     'object_area_threshold'):
    _run(tmp_path, source, overwrite=True, foreground_class_of_interest='dog',
         small_object_area_threshold=.125)
  with pytest.raises(ValueError, match='holds visualwakewords for the class '
                     'dog, not person: give --overwrite or another'):
    _run(tmp_path, source)


def test_second_run_has_nothing_to_do(tmp_path, capsys):
  source = imagenet_files.write(tmp_path / 'source', coco_files.contents())
  _run(tmp_path, source)
  output = capsys.readouterr().out
  assert 'train2014: 7 images, 3 of them with person' in output
  assert 'Note: not the 82783 that were published' in output
  before = records.snapshot(tmp_path / 'out')
  _run(tmp_path, source)
  assert 'nothing to do' in capsys.readouterr().out
  assert records.snapshot(tmp_path / 'out') == before


def test_archives(tmp_path):
  source = coco_files.write_archives(tmp_path / 'source', '2017')
  before = records.snapshot(source)
  _run(tmp_path, source)
  assert records.snapshot(source) == before
  assert len(_examples(tmp_path / 'out', 'train', 7)) == 7
  assert sorted(os.listdir(str(tmp_path / 'out' / 'coco_dataset'))) == [
      'annotations_trainval2017', 'train2017', 'val2017']


def test_both_years_in_one_folder(tmp_path, capsys):
  for year in ('2014', '2017'):
    _run(tmp_path, coco_files.write_archives(tmp_path / year, year),
         overwrite=True)
    assert 'train%s: 7 images' % year in capsys.readouterr().out
  example, = _examples(tmp_path / 'out', 'val', 4)[0]
  assert records.values(example, 'image/filename') == [b'000000000000.jpg']


def test_folder_as_slim_left_it(tmp_path):
  imagenet_files.write(tmp_path / 'out' / 'coco_dataset',
                       coco_files.contents())
  before = records.snapshot(tmp_path / 'out')
  _run(tmp_path, None)
  after = records.snapshot(tmp_path / 'out')
  assert {name: after[name] for name in before} == before
  assert len(_examples(tmp_path / 'out', 'train', 7)) == 7


def test_address_with_or_without_the_folders_of_coco(tmp_path):
  flat = coco_files.write_archives(tmp_path / 'flat')
  for name in os.listdir(flat):
    folder = 'annotations' if name.startswith('ann') else 'zips'
    imagenet_files.write(tmp_path / 'deep', {folder + '/x': b''})
    shutil.copy(os.path.join(flat, name), str(tmp_path / 'deep' / folder))
  snapshots = []
  for place in ('flat', 'deep'):
    _run(tmp_path, (tmp_path / place).as_uri())
    shutil.rmtree(str(tmp_path / 'out' / 'coco_dataset'))
    snapshots.append(records.without_origin(tmp_path / 'out'))
    shutil.rmtree(str(tmp_path / 'out'))
  assert snapshots[0] == snapshots[1]


def test_downloads_what_the_flags_name(tmp_path):
  source = pathlib.Path(coco_files.write_archives(tmp_path / 'mine')).as_uri()
  _run(tmp_path, None, coco_dirname='c', coco_train_url=source +
       '/train2014.zip', coco_validation_url=source + '/val2014.zip',
       coco_annotations_url=source + '/annotations_trainval2014.zip')
  assert len(_examples(tmp_path / 'out', 'train', 7)) == 7
  assert 'train2014.zip' in os.listdir(str(tmp_path / 'out' / 'c'))


def test_published_files_are_checked(tmp_path, monkeypatch):
  mirror = pathlib.Path(coco_files.write_archives(
      tmp_path / 'm' / 'zips')).parent.as_uri() + '/'
  monkeypatch.setattr(visualwakewords, '_MIRRORS', (mirror,))
  with pytest.raises(OSError, match='cannot download train2014.zip; .* bytes '
                     'instead of 13510573713'):
    _run(tmp_path, None, coco_train_url=mirror + 'zips/train2014.zip')
  assert not (tmp_path / 'out').exists()


def test_default_addresses_have_two_mirrors_and_checksums(monkeypatch):
  asked = []
  monkeypatch.setattr(
      transfer, 'fetch', lambda *arguments: asked.append(arguments))
  for url in visualwakewords._YEARS[0] + visualwakewords._YEARS[1]:
    visualwakewords._fetch(None, url, 'p/x.zip')
  for urls, _, size, sha256, _ in asked:
    assert len(urls) == 2 and size > 1e8 and len(sha256) == 64
  assert asked[0][0] == [
      'http://images.cocodataset.org/zips/train2014.zip',
      'https://s3.amazonaws.com/images.cocodataset.org/zips/train2014.zip']


def test_stopped_run_is_resumed(tmp_path, monkeypatch, capsys):
  source = coco_files.write_archives(tmp_path / 'source')
  real = archives.unpack

  def unpack(archive, folder):
    real(archive, folder)
    if 'val2014' in archive:
      raise KeyboardInterrupt

  monkeypatch.setattr(archives, 'unpack', unpack)
  with pytest.raises(KeyboardInterrupt):
    _run(tmp_path, source)
  assert os.listdir(str(tmp_path / 'out' / 'coco_dataset')) == ['train2014']
  monkeypatch.undo()
  capsys.readouterr()
  _run(tmp_path, source)
  assert 'unpacking train2014' not in capsys.readouterr().out
  assert len(_examples(tmp_path / 'out', 'val', 4)) == 4


def test_bad_images(tmp_path, capsys):
  contents = coco_files.contents()
  bad = 'train2014/' + coco_files.image_name('2014', 'train', 2)
  contents[bad] = contents[bad][:200]
  gone = 'val2014/' + coco_files.image_name('2014', 'val', 1)
  del contents[gone]
  source = imagenet_files.write(tmp_path / 'source', contents)
  with pytest.raises(ValueError) as caught:
    _run(tmp_path, source)
  assert '2 bad images; nothing was published' in str(caught.value)
  assert os.path.basename(bad) + ': truncated JPEG' in str(caught.value)
  assert os.path.basename(gone) + ': cannot be read: No such file' in str(
      caught.value)
  capsys.readouterr()
  _run(tmp_path, source, on_bad_image='skip')
  output = capsys.readouterr().out
  assert 'train: 7 complete files of an earlier run; 7 are of the' in output
  dataset = dataset_factory.get_dataset(
      'visualwakewords', 'train', str(tmp_path / 'out'))
  assert dataset.num_samples == 6
  assert len((tmp_path / 'out' / 'bad_images.csv').read_text()
             .splitlines()) == 3


def _without(name):
  return lambda contents: {key: content for key, content in contents.items()
                           if not key.startswith(name)}


@pytest.mark.parametrize('change,message', [
    (_without('val2014'), 'there is neither the directory val2014 nor the '
     'archive val2014.zip in'),
    (_without('annotations/'), 'neither the directory annotations nor the archive '
     'annotations_trainval2014.zip in'),
    (_without('annotations/instances_val'), 'instances_val2014.json'),
    (lambda contents: dict(contents, **{
        'annotations/instances_val2014.json': b'{}'}),
     'instances_val2014.json is no file of COCO instances'),
    (lambda contents: dict(contents, **{
        'annotations/instances_val2014.json': b'{"images": [], "annotations": '
        b'[], "categories": [{"id": {}, "name": "person"}]}'}),
     r'instances_val2014.json is no .*TypeError: an id is \{\}'),
    (lambda contents: dict(_without('val2014/')(contents), **{
        'val2014.zip': b'text'}), 'val2014.zip is no tar or zip archive'),
    (lambda contents: dict(contents, **{
        'annotations/instances_val2014.json': b'{"images": [], "annotations": '
        b'[], "categories": [{"id": 1, "name": "person"}]}'}),
     'val2014: the annotations name no image'),
])
def test_one_thing_wrong(tmp_path, change, message):
  source = imagenet_files.write(
      tmp_path / 'source', change(coco_files.contents()))
  before = records.snapshot(source)
  with pytest.raises((ValueError, OSError), match=message):
    _run(tmp_path, source)
  assert records.snapshot(source) == before
  assert not (tmp_path / 'out' / 'dataset_info.json').exists()


@pytest.mark.parametrize('options,message', [
    ({'background': 'nn'}, '--background=nn is not a color'),
    ({'foreground_class_of_interest': 'persn'}, 'did you mean person')])
def test_wrong_options(tmp_path, options, message):
  source = imagenet_files.write(tmp_path / 'source', coco_files.contents())
  with pytest.raises(ValueError, match=message):
    _run(tmp_path, source, **options)
  assert not (tmp_path / 'out').exists()


def test_source_that_is_no_directory(tmp_path):
  with pytest.raises(FileNotFoundError, match='there is no directory /no/such: '
                     '--source takes the directory of the COCO archives'):
    _run(tmp_path, '/no/such')
