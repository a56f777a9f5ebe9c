"""Tests of slim's public helpers."""
import contextlib
import os
import zipfile

import pytest
import tensorflow.compat.v1 as tf

from datasets import dataset_utils
from tests.datasets.conversion import odd_images
from tests.datasets.conversion import raw_files


def _values(feature):
  kind = feature.WhichOneof('kind')
  return kind, list(getattr(feature, kind).value)


@pytest.mark.parametrize('made,expected', [
    (dataset_utils.int64_feature(3), ('int64_list', [3])),
    (dataset_utils.int64_feature([1, 2]), ('int64_list', [1, 2])),
    (dataset_utils.int64_feature((1, 2)), ('int64_list', [1, 2])),
    (dataset_utils.int64_list_feature([4]), ('int64_list', [4])),
    (dataset_utils.bytes_feature(b'a'), ('bytes_list', [b'a'])),
    (dataset_utils.bytes_list_feature([b'a', b'b']),
     ('bytes_list', [b'a', b'b'])),
    (dataset_utils.float_feature(1.5), ('float_list', [1.5])),
    (dataset_utils.float_feature([1.5, 2]), ('float_list', [1.5, 2.0])),
    (dataset_utils.float_list_feature([1, 2]), ('float_list', [1.0, 2.0]))])
def test_features(made, expected):
  assert _values(made) == expected


def test_image_reader():
  content = odd_images.encoded(odd_images.photo('L', 7, 5), 'JPEG')
  with tf.Graph().as_default(), tf.Session() as session:
    reader = dataset_utils.ImageReader()
    assert reader.read_image_dims(session, content) == (5, 7)
    image = reader.decode_jpeg(session, content)
    assert (image.shape, image.dtype) == ((5, 7, 3), 'uint8')
    with pytest.raises(tf.errors.InvalidArgumentError):
      reader.read_image_dims(session, b'no image')


def test_image_to_tfexample():
  example = dataset_utils.image_to_tfexample(b'abc', b'jpg', 4, 5, 6)
  features = {key: _values(feature)
              for key, feature in example.features.feature.items()}
  assert features == {
      'image/encoded': ('bytes_list', [b'abc']),
      'image/format': ('bytes_list', [b'jpg']),
      'image/class/label': ('int64_list', [6]),
      'image/height': ('int64_list', [4]),
      'image/width': ('int64_list', [5])}


def test_label_file(tmp_path):
  directory = str(tmp_path)
  assert not dataset_utils.has_labels(directory)
  dataset_utils.write_label_file({0: 'a', 1: 'b: c'}, directory)
  assert dataset_utils.has_labels(directory)
  assert (tmp_path / 'labels.txt').read_text() == '0:a\n1:b: c\n'
  assert dataset_utils.read_label_file(directory) == {0: 'a', 1: 'b: c'}
  dataset_utils.write_label_file({3: 'x'}, directory, 'other.txt')
  assert dataset_utils.has_labels(directory, 'other.txt')
  assert dataset_utils.read_label_file(directory, 'other.txt') == {3: 'x'}
  assert dataset_utils.LABELS_FILENAME == 'labels.txt'


def test_sharded_output(tmp_path):
  with contextlib.ExitStack() as exit_stack:
    writers = dataset_utils.open_sharded_output_tfrecords(
        exit_stack, str(tmp_path / 'b.record'), 3)
    for k, writer in enumerate(writers):
      writer.write(b'%d' % k)
  assert sorted(os.listdir(tmp_path)) == [
      'b.record-%05d-of-00003' % k for k in range(3)]
  assert list(tf.python_io.tf_record_iterator(
      str(tmp_path / 'b.record-00001-of-00003'))) == [b'1']


def test_download_and_uncompress_tarball(tmp_path):
  (tmp_path / 'photos').mkdir()
  (tmp_path / 'photos' / 'one').write_text('1')
  raw_files.pack(str(tmp_path / 'photos'), str(tmp_path / 'photos.tgz'))
  target = tmp_path / 'target'
  dataset_utils.download_and_uncompress_tarball(
      'file://%s/photos.tgz' % tmp_path, str(target))
  assert sorted(os.listdir(target)) == ['photos', 'photos.tgz']
  assert (target / 'photos' / 'one').read_text() == '1'


def test_download_and_uncompress_zipfile(tmp_path):
  with zipfile.ZipFile(str(tmp_path / 'a.zip'), 'w') as archive:
    archive.writestr('one', '1')
  dataset_utils.download_and_uncompress_zipfile(
      'file://%s/a.zip' % tmp_path, str(tmp_path / 'target'))
  assert (tmp_path / 'target' / 'one').read_text() == '1'


def test_download_url(tmp_path):
  (tmp_path / 'one').write_text('1')
  path = dataset_utils.download_url(
      'file://%s/one' % tmp_path, str(tmp_path / 'target'))
  assert path == str(tmp_path / 'target' / 'one')
  (tmp_path / 'one').write_text('2')
  dataset_utils.download_url(
      'file://%s/one' % tmp_path, str(tmp_path / 'target'))
  assert (tmp_path / 'target' / 'one').read_text() == '1'
  with pytest.raises(OSError, match='cannot download two; .* and save it as '
                     '%s$' % (tmp_path / 'two')):
    dataset_utils.download_url('file://%s/two' % tmp_path, str(tmp_path))
