"""Tests of PNG encoding and of the serialisation of examples."""
import array
import io

import numpy as np
from PIL import Image
import pytest
import tensorflow.compat.v1 as tf

from datasets import dataset_utils
from datasets.conversion import encoding


@pytest.mark.parametrize('shape', [(28, 28, 1), (5, 7, 3), (1, 1, 3)])
def test_png_decodes_to_the_same_pixels(shape):
  random = np.random.RandomState(0)
  images = random.randint(0, 256, (3,) + shape).astype(np.uint8)
  for image, png in zip(images, encoding.encode_pngs(images)):
    decoded = np.asarray(Image.open(io.BytesIO(png))).reshape(shape)
    np.testing.assert_array_equal(decoded, image)


def test_tensorflow_decodes_the_png():
  images = np.arange(2 * 4 * 6 * 3, dtype=np.uint8).reshape([2, 4, 6, 3])
  pngs = list(encoding.encode_pngs(images))
  with tf.Session() as session:
    for image, png in zip(images, pngs):
      np.testing.assert_array_equal(
          session.run(tf.image.decode_png(png)), image)


@pytest.mark.parametrize('value', [
    b'', b'abc', b'x' * 70000, 0, 1, 127, 128, -1, 2**63 - 1, -2**63, 0.0, 1.5,
    [1, 2, 300], [b'a', b'', b'ccc'], [0.25, -1e10], array.array('f', [0.25]),
    array.array('q', [-1, 2**40])])
def test_example_is_read_as_what_was_given(value):
  example = tf.train.Example.FromString(
      encoding.serialize_example({'a key': value}))
  expected = (list(value) if isinstance(value, (list, array.array)) else
              [value])
  feature = example.features.feature['a key']
  assert list(getattr(feature, feature.WhichOneof('kind')).value) == expected


def test_kinds_of_features():
  example = tf.train.Example.FromString(encoding.serialize_example(
      {'i': 3, 'b': b'3', 'f': 3.0, 'none': [], 'ü': 1,
       'floats': array.array('f'), 'integers': array.array('q')}))
  kinds = {name: feature.WhichOneof('kind')
           for name, feature in example.features.feature.items()}
  assert kinds == {'i': 'int64_list', 'b': 'bytes_list', 'f': 'float_list',
                   'none': None, 'ü': 'int64_list', 'floats': 'float_list',
                   'integers': 'int64_list'}


@pytest.mark.parametrize('boxes', [[], array.array('f')])
def test_empty_feature_parses_as_missing(boxes):
  record = encoding.serialize_example({'boxes': boxes, 'label': 2})
  features = tf.parse_single_example(record, {
      'boxes': tf.VarLenFeature(tf.float32),
      'label': tf.FixedLenFeature((), tf.int64)})
  with tf.Session() as session:
    parsed = session.run(features)
  assert parsed['boxes'].values.size == 0 and parsed['label'] == 2


def test_images_are_examples_of_the_published_keys():
  images = np.zeros([2, 28, 20, 1], np.uint8)
  encoded = encoding.encode_images(images, np.array([3, 9], np.uint8))
  assert [label for _, label in encoded] == [3, 9]
  png = next(encoding.encode_pngs(images[:1]))
  assert tf.train.Example.FromString(encoded[1][0]) == (
      dataset_utils.image_to_tfexample(png, b'png', 28, 20, 9))
