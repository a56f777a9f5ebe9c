"""Tests of the dataset doctor."""
import collections
import gzip
import json
import sys
from unittest import mock
import warnings
import zlib

from matplotlib import font_manager
from PIL import Image
import pytest
import tensorflow.compat.v1 as tf

from datasets import doctor
from datasets.conversion import convert_options
from datasets.conversion import dataset_writer
from datasets.conversion import encoding
from datasets.reading import record_files
from tests.datasets.conversion import metadata_images
from tests.datasets.conversion import odd_images
from tests.datasets.conversion import raw_files

_NAMES = ['one', 'zwei ü']
_BLUE, _ORANGE = (0x1f, 0x77, 0xb4), (0xff, 0x7f, 0x0e)


def _record(label=0, seed=0, content=None):
  return encoding.serialize_example({
      'image/encoded': odd_images.encoded(
          odd_images.photo(seed=seed, width=20 + seed), 'JPEG')
                       if content is None else content,
      'image/class/label': label})


def _write(tmp_path, **splits):
  """Writes a dataset with one file of serialized records per split."""
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
                'All records are valid.'.split()):
    assert words in lines
  assert 'Wrote %s' % histogram == ' '.join(lines[-1])
  assert {_BLUE, _ORANGE} <= _colors(histogram)


def _colors(path):
  return {color for _, color in
          Image.open(str(path)).convert('RGB').getcolors(100000)}


def _chart(tmp_path, names, **splits):
  """Draws counts by class of some splits; returns the size of the image."""
  counts = {split: collections.Counter(dict(enumerate(values)))
            for split, values in splits.items()}
  path = tmp_path / 'chart.png'
  doctor.draw_histogram(
      doctor.Report(names, False, counts, *[None] * 8), str(path))
  assert [path] == list(tmp_path.iterdir())
  return Image.open(str(path)).size


def test_histogram_of_names_in_any_letters(tmp_path):
  """Missing letters, for which there is no font, would be a warning."""
  names = ['собака', 'ψάρι', 'סוס', '$x', '猫', 'two\nlines', '', '\u231a']
  with warnings.catch_warnings():
    warnings.simplefilter('error')
    _chart(tmp_path, names, train=range(8), test=[1] * 8)
  assert {_BLUE, _ORANGE} <= _colors(tmp_path / 'chart.png')


def test_each_name_gets_a_font_that_has_its_letters(monkeypatch):
  fonts = {}
  for text in 'a', 'ж', '\u231a', '猫':
    axes = mock.Mock()
    doctor._write_class(axes, 7, text, 0.5, 9)
    (_, _, fonts[text]), arguments = axes.text.call_args
    if text == '\u231a':
      assert arguments['fontproperties'].get_file() != (
          font_manager.findfont('DejaVu Sans'))
  assert fonts == {'a': '7:a', 'ж': '7:ж', '\u231a': '7:\u231a', '猫': mock.ANY}


def test_histogram_grows_with_the_classes(tmp_path):
  few, many = [_chart(tmp_path, ['name'] * number, train=[3] * number)[1]
               for number in (2, 40)]
  assert many > few + 38 * 25


def test_histogram_without_matplotlib(tmp_path, monkeypatch, capsys):
  """The error comes before the records are read."""
  _write(tmp_path, train=[_record()])
  capsys.readouterr()
  monkeypatch.setitem(sys.modules, 'matplotlib.figure', None)
  with pytest.raises(ValueError, match=r'pip install -e \.\[plot\]'):
    doctor.check(str(tmp_path), 1, str(tmp_path / 'chart.png'))
  assert not capsys.readouterr().out


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
    (_record(content=odd_images.encoded(odd_images.photo(), 'WEBP')),
     'TensorFlow does not decode it: WEBP'),
    (_record(content=odd_images.encoded(odd_images.photo('RGBA'), 'BMP')),
     'TensorFlow does not decode it: a BMP of 32 bits'),
    (_record(content=odd_images.encoded(odd_images.photo('P'), 'BMP')),
     'TensorFlow does not decode it: a BMP of 8 bits, with a palette'),
    (_record(content=odd_images.encoded(
        odd_images.photo('P'), 'GIF', save_all=True,
        append_images=[odd_images.photo('P', seed=1)])),
     'TensorFlow does not decode it: an animated GIF'),
    (_record(content=metadata_images.with_chunks(odd_images.chunk(
        b'eXIf', b'M\0*\0'))),
     'TensorFlow does not decode it: PNG with damaged EXIF'),
    (_record(label=b'cat'), 'image/class/label holds bytes; it must hold an'),
    (_record(label=1.0), 'image/class/label holds floating-point numbers')])
def test_bad_records_are_named_by_file_and_index(
    tmp_path, capsys, record, problem):
  _write(tmp_path, train=[_record(seed=1), _record(seed=2), record])
  with pytest.raises(ValueError, match='1 problems in .*, listed above. Con'):
    doctor.check(str(tmp_path), 1)
  assert 'train.tfrecord, record 2: ' + problem in capsys.readouterr().out


_OF_OTHERS = (('RGB', 'BMP'), ('P', 'GIF'), ('CMYK', 'JPEG'))


def test_what_training_reads_passes(tmp_path):
  """A BMP of 24 bits, a GIF of one frame, four inks in others' records."""
  _write(tmp_path, train=[
      _record(content=odd_images.encoded(odd_images.photo(mode), kind))
      for mode, kind in _OF_OTHERS])
  assert not doctor.examine(str(tmp_path), 1).problems


def test_what_has_no_grayscale_form_is_named(tmp_path):
  _write(tmp_path, train=[
      _record(content=odd_images.encoded(odd_images.photo(mode), kind))
      for mode, kind in _OF_OTHERS + (('RGB', 'PNG'),)])
  path = tmp_path / 'dataset_info.json'
  info = json.loads(path.read_text())
  path.write_text(json.dumps(dict(
      info, image={'height': 32, 'width': 48, 'channels': 1})))
  assert [problem.split(': ', 2)[2] for problem in doctor.examine(
      str(tmp_path), 1).problems] == [
          'a BMP, which is not decoded to one channel',
          'a GIF, which is not decoded to one channel',
          'JPEG of four inks (CMYK)']


def test_max_pixels_of_the_conversion_holds(tmp_path):
  _write(tmp_path, train=[_record()])
  path = tmp_path / 'dataset_info.json'
  info = json.loads(path.read_text())
  path.write_text(json.dumps(dict(info, max_pixels=10)))
  assert 'more than --max_pixels=10' in (
      doctor.examine(str(tmp_path), 1).problems[0])


@pytest.mark.parametrize('compress', [gzip.compress, zlib.compress])
def test_compressed_record_files_are_named(tmp_path, compress):
  _write(tmp_path, train=[_record()])
  path = tmp_path / 'train.tfrecord'
  path.write_bytes(compress(path.read_bytes()))
  assert doctor.examine(str(tmp_path), 1).problems == [
      'train.tfrecord: a compressed (GZIP or ZLIB) record file, which training '
      'does not read: write it again without compression']
  dataset = mock.Mock(data_sources=[str(path)], num_samples=1)
  with pytest.raises(ValueError, match='tfrecord is a compressed .* file'):
    record_files.find_files(dataset)


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
                ['no', 'class', '1'], ['all', '4']):
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


def test_images_in_both_splits(tmp_path):
  _write(tmp_path, train=[_record(seed=k) for k in (1, 2, 3, 3)],
         validation=[_record(1, seed=2), _record(seed=4)])
  report = doctor.examine(str(tmp_path), 2)
  assert report.duplicates == [
      ('train.tfrecord, record 1', 'validation.tfrecord, record 0')]
  assert report.num_duplicates == {'validation': 1}
  assert report.num_repeated == {'train': 1}
  assert not report.problems
  lines = doctor.report_lines(report)
  assert '1 images are in several splits:' in lines
  assert 'train: 1 images are duplicates within it' in lines


def test_many_images_in_both_splits(tmp_path):
  _write(tmp_path, train=[_record(seed=k) for k in range(25)], validation=[
      _record(1, seed=k) for k in reversed(range(25))] + [_record(seed=7)])
  lines = doctor.report_lines(doctor.examine(str(tmp_path), 2))
  start = lines.index('26 images are in several splits:')
  assert lines[start + 1] == (
      '  train.tfrecord, record 24 = validation.tfrecord, record 0')
  assert lines[start + 20:start + 22] == [
      '  train.tfrecord, record 5 = validation.tfrecord, record 19',
      '  and 6 more']


@pytest.mark.parametrize('sizes,median', [
    ({5: 1}, 5), ({5: 1, 3: 1}, 5), ({9: 1, 4: 3, 6: 1}, 4),
    ({4: 2, 6: 2, 1: 1}, 4), ({4: 2, 6: 3, 1: 1}, 6)])
def test_median_of_counted_sizes(sizes, median):
  listed = sorted(size for size in sizes for _ in range(sizes[size]))
  assert doctor.median(sizes) == median == listed[len(listed) // 2]


def test_directory_without_a_dataset(tmp_path):
  with pytest.raises(ValueError, match='has no dataset_info.json: give the'):
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
