"""Decoding of records with the keys and formats of slim's converters."""
import io
import pathlib

import numpy as np
from PIL import Image
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from datasets import dataset_factory
from datasets.reading import decode
from datasets.reading import input_pipeline
from slim_common import image_formats
from tests.datasets.conversion import odd_images
from tests.datasets.reading import pipeline_files

_NOWHERE = pathlib.Path('nowhere')
_PIXELS = np.random.RandomState(0).randint(0, 256, (6, 8, 3), np.uint8)
_GRAY = _PIXELS[:, :, 0]
_JPEG = pipeline_files.encoded_image(_PIXELS, 'JPEG', quality=95)
_PNG = pipeline_files.encoded_image(_PIXELS)

# What the original scripts wrote: a converter of small sets, that of
# VisualWakeWords, that of ImageNet.
_SMALL = {'image/encoded': [_PNG], 'image/format': [b'png'],
          'image/class/label': [1], 'image/height': [6], 'image/width': [8]}
_BOXES = {'image/object/bbox/' + edge: [0.25, 0.5]
          for edge in ('xmin', 'xmax', 'ymin', 'ymax')}
_WAKE_WORDS = dict(_BOXES, **{
    'image/height': [6], 'image/width': [8], 'image/class/label': [1],
    'image/filename': [b'COCO_1.jpg'], 'image/source_id': [b'1'],
    'image/key/sha256': [b'00ff'], 'image/encoded': [_JPEG],
    'image/format': [b'jpeg'], 'image/object/area': [0.5]})
_IMAGENET = dict(_BOXES, **{
    'image/height': [6], 'image/width': [8], 'image/channels': [3],
    'image/class/label': [1], 'image/object/bbox/label': [1, 1],
    'image/colorspace': [b'RGB'], 'image/class/synset': [b'n01440764'],
    'image/class/text': [b'tench'], 'image/format': [b'JPEG'],
    'image/filename': [b'n01440764_1.JPEG'], 'image/encoded': [_JPEG]})
_RECORDS = {
    'flowers': ('flowers_train_00000-of-00005.tfrecord', _SMALL),
    'cifar10': ('cifar10_train.tfrecord', dict(_SMALL, **{
        'image/encoded': [pipeline_files.encoded_image(
            np.resize(_PIXELS, (32, 32, 3)))]})),
    'mnist': ('mnist_train.tfrecord', dict(_SMALL, **{
        'image/encoded': [pipeline_files.encoded_image(
            np.resize(_GRAY, (28, 28)))]})),
    'visualwakewords': ('train.record-00000-of-00100', _WAKE_WORDS),
    'imagenet': ('train-00000-of-01024', _IMAGENET),
}


def _without_optional(record):
  """Keeps the required features: the image and its label."""
  return {key: record[key] for key in ('image/encoded', 'image/class/label')}


def _one_pixel(image):
  return tf.cast(image[:1, :1], tf.float32)


@pytest.mark.parametrize('is_bare', [False, True])
@pytest.mark.parametrize('name', _RECORDS)
def test_records_of_the_original_scripts(tmp_path, name, is_bare):
  file_name, record = _RECORDS[name]
  record = _without_optional(record) if is_bare else record
  pipeline_files.write_records(
      tmp_path / file_name, [pipeline_files.example(record)])
  dataset = dataset_factory.get_dataset(name, 'train', str(tmp_path))
  batch, = pipeline_files.run(lambda: input_pipeline.evaluation_batches(
      dataset, _one_pixel, 2))
  assert batch.labels.tolist() == [1]
  assert batch.images.shape == (1, 1, 1, 1 if name == 'mnist' else 3)
  assert batch.names[0].endswith(record.get(
      'image/filename', [file_name.encode() + b':0'])[0])
  with tf.Session() as session:
    whole = decode.Reader(dataset).decode(record['image/encoded'][0])
    theirs, = dataset.decoder.decode(
        pipeline_files.example(_RECORDS[name][1]), ['image'])
    np.testing.assert_array_equal(*session.run([whole, theirs]))


_FILES = {
    'jpeg': (_JPEG, 3), 'png': (_PNG, 0),
    'gray jpeg': (pipeline_files.encoded_image(_GRAY, 'JPEG', quality=95), 3),
    'gray png': (pipeline_files.encoded_image(_GRAY), 0),
    'gif': (pipeline_files.encoded_image(_GRAY, 'GIF'), 0),
    'bmp': (pipeline_files.encoded_image(_PIXELS, 'BMP'), 0),
}


@pytest.mark.parametrize('image_format', [
    b'JPEG', b'jpg', b'jpeg', b'PNG', b'png', b'raw', b'', None])
@pytest.mark.parametrize('kind', ['jpeg', 'png'])
def test_the_format_is_detected_from_the_bytes(kind, image_format):
  encoded, tolerance = _FILES[kind]
  features = {'image/encoded': [encoded]}
  if image_format is not None:
    features['image/format'] = [image_format]
  _check_pixels(features, 3, _PIXELS, tolerance)


@pytest.mark.parametrize('kind, channels', [
    ('gray jpeg', 3), ('gray jpeg', 1), ('jpeg', 1), ('gray png', 3),
    ('png', 1), ('gif', 3), ('bmp', 3)])
def test_channels_are_converted(kind, channels):
  encoded, tolerance = _FILES[kind]
  is_gray = kind.startswith('gray') or kind == 'gif'
  expected = np.stack([_GRAY] * 3, 2) if is_gray else _PIXELS
  if channels == 1:
    expected = expected.dot([0.299, 0.587, 0.114])[:, :, np.newaxis]
  _check_pixels({'image/encoded': [encoded]}, channels, expected,
                tolerance + 1)


def _check_pixels(features, channels, expected, tolerance):
  reader = decode.Reader(pipeline_files.dataset(
      _NOWHERE, 1, shape=None, channels=channels))
  example = reader.parse(pipeline_files.example(
      dict(features, **{'image/class/label': [1]})))
  image = reader.decode(example.encoded)
  assert image.shape.as_list() == [None, None, channels]
  with tf.Session() as session:
    pixels = np.float32(session.run(image))
  # JPEG blurs the colors of this image, which is noise.
  difference = np.abs(pixels - expected)
  assert difference.max() <= tolerance if tolerance < 3 else (
      np.corrcoef(pixels.mean(2).ravel(),
                  np.mean(expected, 2).ravel())[0, 1] > 0.9)


def test_raw_pixels():
  reader = decode.Reader(
      pipeline_files.dataset(_NOWHERE, 1, shape=(6, 8, 3), channels=3))
  for encoded in (_PIXELS.tobytes(), _PNG):
    with tf.Session() as session:
      np.testing.assert_array_equal(
          session.run(reader.decode(tf.constant(encoded))), _PIXELS)


class _Doubled(slim.tfexample_decoder.Image):
  """A custom handler."""

  def tensors_to_item(self, keys_to_tensors):
    return tf.concat([super().tensors_to_item(keys_to_tensors)] * 2, 0)


def test_a_decoder_of_another_kind(tmp_path):
  pipeline_files.write_records(
      tmp_path / 'data_train_00000.tfrecord', [pipeline_files.example(_SMALL)])
  dataset = pipeline_files.dataset(tmp_path, 1, shape=None, channels=3)
  dataset.decoder._items_to_handlers['image'] = _Doubled(channels=3)

  def preprocess(image):
    return tf.cast(tf.reshape(image, [12, 8, 3]), tf.float32)

  batch, = pipeline_files.run(lambda: input_pipeline.training_batches(
      dataset, preprocess, 1, preprocess_jpeg=lambda *_: 1 / 0), 1)
  assert batch.labels.tolist() == [1]
  np.testing.assert_array_equal(
      batch.images[0], np.concatenate([_PIXELS, _PIXELS]))


def _odd(mode, kind, **kwargs):
  return odd_images.encoded(odd_images.photo(mode), kind, **kwargs)


_ODD_FILES = {
    'JPEG of four inks': _odd('CMYK', 'JPEG'),
    'BMP of 24 bits': _odd('RGB', 'BMP'), 'BMP of 32 bits': _odd('RGBA', 'BMP'),
    'BMP of a palette': _odd('P', 'BMP'), 'BMP of 1 bit': _odd('1', 'BMP'),
    'PNG of a palette': _odd('P', 'PNG'), 'GIF': _odd('P', 'GIF'),
    'GIF of two frames': _odd(
        'P', 'GIF', save_all=True,
        append_images=[odd_images.photo('P', seed=1)]),
    'WEBP': _odd('RGB', 'WEBP')}
_READ_BY_2_ONLY = ('BMP of 32 bits',)


@pytest.mark.parametrize('mode, kind, fault', [
    ('L', 'PNG', None), ('RGB', 'JPEG', None),
    ('L', 'GIF', 'a GIF, which is not decoded to one channel'),
    ('RGB', 'BMP', 'a BMP, which is not decoded to one channel')])
def test_what_is_not_decoded_to_one_channel_is_named(mode, kind, fault):
  reader = decode.Reader(
      pipeline_files.dataset(_NOWHERE, 1, shape=None, channels=1))
  with tf.Graph().as_default(), tf.Session() as session:
    image = reader.decode(tf.constant(_odd(mode, kind)))
    if fault:
      with pytest.raises(tf.errors.InvalidArgumentError):
        session.run(image)
    else:
      session.run(image)
  example = tf.train.Example()
  features = example.features.feature
  features['image/encoded'].bytes_list.value.append(_odd(mode, kind))
  features['image/class/label'].int64_list.value.append(1)
  assert reader.record_fault(features) == fault


@pytest.mark.parametrize('name', _ODD_FILES)
def test_only_what_is_not_decoded_is_refused(name):
  """TensorFlow 2 decodes BMPs of a palette, but without its colors."""
  content = _ODD_FILES[name]
  pixels = np.array(Image.open(io.BytesIO(content)).convert('RGB'))
  with tf.Graph().as_default(), tf.Session() as session:
    reader = decode.Reader(
        pipeline_files.dataset(_NOWHERE, 1, shape=None, channels=3))
    image = reader.decode(tf.constant(content))
    try:
      decoded = session.run(image).astype(int)
      # Decoders of JPEG differ a little.
      is_read = decoded.shape == pixels.shape and (
          abs(decoded - pixels).max() <= 2 * name.startswith('JPEG'))
    except tf.errors.InvalidArgumentError:
      is_read = False
  is_refused = image_formats.why_not_decoded(content) is not None
  if name in _READ_BY_2_ONLY:
    assert is_refused and is_read == (tf.__version__ >= '2')
  else:
    assert is_refused != is_read
