"""Tests of the dataset doctor."""
import json

from PIL import Image
import pytest
import tensorflow.compat.v1 as tf

from datasets import doctor
from datasets.conversion import convert_options
from datasets.conversion import dataset_writer
from datasets.conversion import encoding
from tests.datasets.conversion import odd_images
from tests.datasets.conversion import raw_files

_NAMES = ['one', 'zwei ü']


def _record(label=0, seed=0, content=None):
  return encoding.serialize_example({
      'image/encoded': odd_images.encoded(
          odd_images.photo(seed=seed, width=20 + seed), 'JPEG')
                       if content is None else content,
      'image/class/label': label})


def _write(tmp_path, **splits):
  """Writes a dataset of splits of serialised records, a file each."""
  with dataset_writer.DatasetWriter(str(tmp_path), 'image_folder', 1) as writer:
    for split, serialized in splits.items():
      writer.write_split(split, [split + '.tfrecord'], len(serialized),
                         [[(record, 0) for record in serialized]])
    writer.publish(_NAMES)


def test_whole_dataset(tmp_path, capsys):
  _write(tmp_path, train=[_record(k % 2, k) for k in range(5)],
         validation=[_record(1, 7)])
  histogram = tmp_path / 'histogram.png'
  doctor.check(str(tmp_path), 1, str(histogram))
  lines = [line.split() for line in capsys.readouterr().out.splitlines()]
  for words in (['class', 'train', 'validation'], ['0:one', '3', '0'],
                ['1:zwei', 'ü', '2', '1'], ['all', '5', '1'],
                'height: 32 to 32 pixels, median 32'.split(),
                'width: 20 to 27 pixels, median 23'.split(),
                'All records are whole.'.split()):
    assert words in lines
  colours = {colour for _, colour in Image.open(
      str(histogram)).convert('RGB').getcolors(100000)}
  assert {(0x1f, 0x77, 0xb4), (0xff, 0x7f, 0x0e)} <= colours


@pytest.mark.parametrize('record,problem', [
    (b'no example at all', 'no tf.train.Example'),
    (_record(content=b''), 'no image/encoded'),
    (encoding.serialize_example({'image/class/label': 1}), 'no image/encoded'),
    (_record(label=2), 'label 2; labels go from 0 to 1'),
    (_record(label=-1), 'label -1; labels go from 0 to 1'),
    (encoding.serialize_example({'image/encoded': odd_images.encoded(
        odd_images.photo(), 'PNG')}), 'no image/class/label'),
    (_record(label=[0, 1]), '2 labels in image/class/label, not one'),
    (_record(content=b'GIF89a'), 'damaged GIF'),
    (_record(content=odd_images.with_gray_bar(odd_images.encoded(
        odd_images.photo(), 'JPEG'))), 'truncated JPEG'),
    (_record(content=odd_images.encoded(
        odd_images.photo('CMYK'), 'JPEG')),
     'TensorFlow does not decode it: JPEG of four inks'),
    (_record(content=odd_images.encoded(odd_images.photo(), 'WEBP')),
     'TensorFlow does not decode it: WEBP')])
def test_bad_records_are_named_by_file_and_index(
    tmp_path, capsys, record, problem):
  _write(tmp_path, train=[_record(seed=1), _record(seed=2), record])
  with pytest.raises(ValueError, match='1 problems in .* they stand above'):
    doctor.check(str(tmp_path), 1)
  assert 'train.tfrecord, record 2: ' + problem in capsys.readouterr().out


def test_multi_label_dataset(tmp_path, capsys):
  with dataset_writer.DatasetWriter(str(tmp_path), 'image_folder', 1) as writer:
    writer.write_split('train', ['train.tfrecord'], 4, [
        [(_record([0, 1], 1), ()), (_record([1], 2), ()), (_record([], 3), ()),
         (_record([1, 2], 4), ())]])
    writer.publish(_NAMES, multi_label=True)
  with pytest.raises(ValueError, match='1 problems'):
    doctor.check(str(tmp_path), 1)
  output = capsys.readouterr().out
  assert 'record 3: label 2; labels go from 0 to 1' in output
  lines = [line.split() for line in output.splitlines()]
  for words in (['0:one', '1'], ['1:zwei', 'ü', '3'],
                ['none', 'of', 'them', '1'], ['all', '4']):
    assert words in lines


def test_damaged_file(tmp_path, capsys):
  _write(tmp_path, train=[_record(seed=k) for k in range(4)])
  path = tmp_path / 'train.tfrecord'
  content = bytearray(path.read_bytes())
  content[len(content) * 5 // 8] ^= 255
  path.write_bytes(bytes(content))
  with pytest.raises(ValueError, match='1 problems'):
    doctor.check(str(tmp_path), 1)
  assert 'train.tfrecord, record 2: damaged (' in capsys.readouterr().out


def test_missing_files_and_wrong_numbers(tmp_path, capsys):
  _write(tmp_path, train=[_record(seed=k) for k in range(4)],
         validation=[_record(seed=9)])
  (tmp_path / 'validation.tfrecord').unlink()
  with tf.io.TFRecordWriter(str(tmp_path / 'train.tfrecord')) as target:
    target.write(_record())
  with pytest.raises(ValueError, match='2 problems'):
    doctor.check(str(tmp_path), 1)
  output = capsys.readouterr().out
  assert 'validation.tfrecord: the file is missing' in output
  assert 'train.tfrecord: 1 records, not 4 as dataset_info.json' in output


def test_pictures_in_both_splits(tmp_path):
  _write(tmp_path, train=[_record(seed=k) for k in (1, 2, 3, 3)],
         validation=[_record(1, seed=2), _record(seed=4)])
  report = doctor.examine(str(tmp_path), 2)
  assert report.duplicates == [
      ('train.tfrecord, record 1', 'validation.tfrecord, record 0')]
  assert report.num_repeated == {'train': 1}
  assert not report.problems
  lines = doctor.lines_of(report)
  assert '1 pictures stand in several splits:' in lines
  assert 'train: 1 pictures stand there more than once' in lines


def test_folder_without_a_dataset(tmp_path):
  with pytest.raises(ValueError, match='holds no dataset_info.json: give the'):
    doctor.check(str(tmp_path))
  (tmp_path / 'dataset_info.json').write_text(json.dumps({'name': 1}))
  with pytest.raises(ValueError, match='cannot be read'):
    doctor.check(str(tmp_path))


@pytest.mark.parametrize('name', ['mnist', 'cifar10'])
def test_the_other_converters_write_whole_datasets(tmp_path, name):
  if name == 'mnist':
    raw_files.write_mnist(tmp_path / 'source')
  else:
    raw_files.write_cifar10(tmp_path / 'source', 'binary')
  convert_options.convert(convert_options.ConvertOptions(
      dataset_name=name, dataset_dir=str(tmp_path / 'out'),
      source=str(tmp_path / 'source'), num_workers=1))
  doctor.check(str(tmp_path / 'out'), 1)
