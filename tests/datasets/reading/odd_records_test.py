"""Unusual images in records of other programs, through the whole pipeline."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from datasets.reading import input_pipeline
from preprocessing import preprocessing_factory
from tests.datasets.conversion import odd_images
from tests.datasets.conversion.odd_images import encoded
from tests.datasets.conversion.odd_images import photo
from tests.datasets.reading import pipeline_files

_SIZE = 16
_JPEG = encoded(photo(), 'JPEG')
_GOOD = {
    'one pixel': encoded(photo(width=1, height=1), 'JPEG'),
    'one pixel as png': encoded(photo(width=1, height=1), 'PNG'),
    'a row': encoded(photo(width=30, height=1), 'JPEG'),
    'a row as png': encoded(photo(width=30, height=1), 'PNG'),
    'a column': encoded(photo(width=1, height=30), 'JPEG'),
    'four inks': encoded(photo('CMYK'), 'JPEG'),
    'gray': encoded(photo('L'), 'JPEG'),
    'progressive': encoded(photo(), 'JPEG', progressive=True),
    'large': encoded(photo(width=500, height=400), 'JPEG'),
    '16 bits': odd_images.png_of_16_bits(3)[0],
    '16 bits gray': odd_images.png_of_16_bits(1)[0],
    'transparent': encoded(photo('RGBA'), 'PNG'),
    'palette': encoded(photo('P'), 'PNG'),
    'one bit': encoded(photo('1'), 'PNG'),
    'gif': encoded(photo('P'), 'GIF'),
    'bmp': encoded(photo(), 'BMP'),
}
_BAD = {
    'nothing': b'', 'text': b'no image', 'webp': encoded(photo(), 'WEBP'),
    'a header alone': _JPEG[:200], 'damaged png': encoded(
        photo(), 'PNG')[:400],
}
# Minimum and maximum of each family.
_RANGES = {'inception': (-1, 1), 'vgg': (-123.69, 151.07),
           'cifarnet': (-30, 30), 'lenet': (-1, 0.9922)}


def _write(directory, images):
  pipeline_files.write_records(directory / 'data_train_00000.tfrecord', [
      pipeline_files.example({
          'image/encoded': [image], 'image/class/label': [label],
          'image/filename': [name.encode()]})
      for label, (name, image) in enumerate(images.items())])
  return pipeline_files.dataset(
      directory, len(images), num_classes=len(images), shape=None, channels=3)


def _training(dataset, name):
  arguments = dict(is_training=True)
  preprocess = preprocessing_factory.get_preprocessing(name, **arguments)
  preprocess_jpeg = preprocessing_factory.get_jpeg_preprocessing(
      name, **arguments)
  return input_pipeline.training_batches(
      dataset, lambda image, **seed: preprocess(image, _SIZE, _SIZE, **seed),
      1, seed=1, deterministic=True, num_threads=2,
      preprocess_jpeg=preprocess_jpeg and (
          lambda image, channels, **seed: preprocess_jpeg(
              image, channels, _SIZE, _SIZE, **seed)))


def _evaluation(dataset, name, **kwargs):
  preprocess = preprocessing_factory.get_preprocessing(name)
  return input_pipeline.evaluation_batches(
      dataset, lambda image: preprocess(image, _SIZE, _SIZE), 1, **kwargs)


@pytest.mark.parametrize('make', [_training, _evaluation])
@pytest.mark.parametrize('name', sorted(_RANGES))
def test_odd_images_become_what_the_network_takes(tmp_path, name, make):
  dataset = _write(tmp_path, _GOOD)
  batches = pipeline_files.run(
      lambda: make(dataset, name), steps=len(_GOOD))
  # Each once.
  assert sorted(batch.labels[0] for batch in batches) == list(
      range(len(_GOOD)))
  low, high = _RANGES[name]
  for batch in batches:
    assert batch.images.shape == (1, _SIZE, _SIZE, 3)
    assert batch.images.dtype == np.float32
    assert low <= batch.images.min() and batch.images.max() <= high


def test_pixels_of_16_bits_keep_their_upper_ones(tmp_path):
  content, values = odd_images.png_of_16_bits(3)
  batch, = pipeline_files.run(lambda: input_pipeline.evaluation_batches(
      _write(tmp_path, {'16 bits': content}),
      lambda image: tf.cast(image, tf.float32), 1))
  np.testing.assert_allclose(batch.images[0], values / 257.0, atol=1.01)


def test_four_inks_become_red_green_and_blue(tmp_path):
  """As Pillow converts them."""
  quarters = odd_images.quarters().convert('CMYK')
  batch, = pipeline_files.run(lambda: input_pipeline.evaluation_batches(
      _write(tmp_path, {'inks': encoded(quarters, 'JPEG', quality=95)}),
      lambda image: tf.cast(image, tf.float32), 1))
  corners = [[4, 4], [4, -4], [-4, 4], [-4, -4]]
  for row, column in corners:
    np.testing.assert_allclose(
        batch.images[0][row, column],
        np.float32(quarters.convert('RGB'))[row, column],
        atol=12)


def test_each_image_that_cannot_be_read_is_named(tmp_path, capfd):
  dataset = _write(tmp_path, dict(_BAD, good=_JPEG))
  batch, = pipeline_files.run(lambda: _evaluation(
      dataset, 'inception', max_bad_records=len(_BAD)))
  assert batch.names.tolist() == [b'good']
  printed = capfd.readouterr().err
  assert all('(%s, ' % name in printed for name in _BAD), printed
