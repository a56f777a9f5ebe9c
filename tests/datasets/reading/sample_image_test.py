"""Tests of the images outside of batches."""
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from datasets.reading import sample_image
from tests.datasets.reading import pipeline_files


def test_next_image(tmp_path):
  pipeline_files.write(tmp_path, [3], bad=[1])
  image = sample_image.next_image(pipeline_files.dataset(tmp_path, 3))
  with tf.Session() as session:
    session.run(tf.tables_initializer())
    images = [session.run(image) for _ in range(3)]
  assert [image[0, 0, 0] for image in images] == [0, 2, 0]


class _OtherImage(slim.tfexample_decoder.Image):
  """A decoder that may do anything."""


@pytest.mark.parametrize('form,expected', [
    ({}, [2, 3, 1]), ({'shape': None}, [None, None, 1]),
    ({'shape': None, 'channels': 3}, [None, None, 3])])
@pytest.mark.parametrize('decoder', [slim.tfexample_decoder.Image, _OtherImage])
def test_static_shape_is_that_of_the_next_image(
    tmp_path, form, expected, decoder):
  pipeline_files.write(tmp_path, [3])
  dataset = pipeline_files.dataset(tmp_path, 3, **form)
  dataset.decoder._items_to_handlers['image'].__class__ = decoder
  assert sample_image.next_image(dataset).shape.as_list() == expected
  assert sample_image.static_shape(dataset).as_list() == expected


def test_no_files(tmp_path):
  with pytest.raises(ValueError, match='No record file matches'):
    sample_image.static_shape(pipeline_files.dataset(tmp_path, 3))
