"""Records decoded in blocks give what each gives alone."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from datasets.reading import example_maker
from datasets.reading import input_pipeline
from datasets.reading import record_files
from preprocessing import preprocessing_factory
from tests.datasets.reading import pipeline_files

_RANDOM = np.random.RandomState(0)
_IMAGES = [_RANDOM.randint(0, 256, (6, 8, 3), np.uint8) for _ in range(5)]
_GRAY = _IMAGES[0][:, :, 0]
_FORMATS = {
    'png': [pipeline_files.encoded_image(pixels) for pixels in _IMAGES],
    'mixed': [pipeline_files.encoded_image(_IMAGES[0]),
              pipeline_files.encoded_image(_IMAGES[1], 'JPEG'),
              pipeline_files.encoded_image(_IMAGES[2], 'BMP'),
              pipeline_files.encoded_image(_GRAY, 'GIF'),
              _IMAGES[3].tobytes()],
}


def _records(directory, images):
  pipeline_files.write_records(directory / 'data_train_00000.tfrecord', [
      pipeline_files.example({'image/encoded': [image],
                              'image/filename': [b'%d.png' % number],
                              'image/class/label': [number % 4]})
      for number, image in enumerate(images)])


def _made(directory, images, shape, in_blocks, **preprocess):
  """Returns the Example of all images, numbered from 7 on, in NumPy."""
  _records(directory, images)
  maker = example_maker.ExampleMaker(
      pipeline_files.dataset(directory, len(images), shape=shape, channels=3),
      example_maker.Preprocessing(**dict(
          dict(jpeg=None, batch=None), **preprocess)), 0, 3)
  path = str(directory / 'data_train_00000.tfrecord')
  records = record_files.read(tf.constant(path), tf.constant(0, tf.int64))
  numbered = tf.data.Dataset.zip((records, tf.data.Dataset.range(7, 99)))
  if in_blocks:
    made = numbered.batch(len(images), drop_remainder=True).map(
        maker.make_block)
  else:
    made = numbered.map(maker.make).batch(len(images))
  iterator = tf.data.make_initializable_iterator(made)
  batch = iterator.get_next()
  with tf.Session() as session:
    session.run(iterator.initializer)
    return session.run(batch)


def _noisy(image, seed):
  """Takes any size; random by the seed alone."""
  image = tf.image.resize_image_with_crop_or_pad(image, 6, 8)
  return tf.cast(image, tf.float32) + tf.random.stateless_uniform([], seed)


def _jpeg(encoded, channels, seed):
  return _noisy(tf.image.decode_jpeg(encoded, channels=channels), seed) + 1000


@pytest.mark.parametrize('shape', [None, (6, 8, 3)])
@pytest.mark.parametrize('jpeg', [None, _jpeg])
@pytest.mark.parametrize('kind', _FORMATS)
def test_blocks_are_equal_to_single_records(tmp_path, shape, jpeg, kind):
  images = _FORMATS[kind][:4 if shape is None else 5]
  block, single = [
      _made(tmp_path, images, shape, in_blocks, one=_noisy, jpeg=jpeg)
      for in_blocks in (True, False)]
  for part, other in zip(block, single):
    np.testing.assert_array_equal(part, other)
  assert block.number.tolist() == list(range(7, 7 + len(images)))
  assert block.filename[1] == b'1.png'
  assert (block.image.max() > 900) == (kind == 'mixed' and jpeg is not None)


@pytest.mark.parametrize('kind', _FORMATS)
@pytest.mark.parametrize('use_grayscale', [True, False])
def test_a_batch_is_preprocessed_like_its_images(
    tmp_path, kind, use_grayscale):
  """LeNet's preprocessing, to another size."""
  one = preprocessing_factory.get_preprocessing(
      'lenet', is_training=True, use_grayscale=use_grayscale)
  batch = preprocessing_factory.get_batch_preprocessing(
      'lenet', is_training=True, use_grayscale=use_grayscale)
  block, single = [_made(
      tmp_path, _FORMATS[kind], (6, 8, 3), in_blocks,
      one=lambda image, seed: one(image, 5, 10),
      batch=lambda images: batch(images, 5, 10))
                   for in_blocks in (True, False)]
  assert block.image.shape == (5, 5, 10, 1 if use_grayscale else 3)
  np.testing.assert_array_equal(block.image, single.image)


def test_of_another_size_than_the_dataset_says(tmp_path):
  _records(tmp_path, [pipeline_files.encoded_image(_GRAY[:, :7])])
  with pytest.raises(tf.errors.InvalidArgumentError, match=(
      r'record 0 of .*\(0.png, starts like a PNG')):
    pipeline_files.run(lambda: input_pipeline.training_batches(
        pipeline_files.dataset(tmp_path, 1, shape=(6, 8, 1)),
        pipeline_files.preprocess, 2), 1)


@pytest.mark.parametrize('batch_size', [1, 4, 30])
@pytest.mark.parametrize('block_bytes', [300, 10 ** 6])
@pytest.mark.slow
def test_batches_do_not_depend_on_blocks(
    tmp_path, monkeypatch, batch_size, block_bytes):
  pipeline_files.write(tmp_path, [9, 4, 7])

  def run(block_bytes):
    monkeypatch.setattr(input_pipeline, '_BLOCK_BYTES', block_bytes)
    return pipeline_files.run(lambda: input_pipeline.training_batches(
        pipeline_files.dataset(tmp_path, 20),
        lambda image, seed: pipeline_files.preprocess(image) +
        0.1 * tf.random.stateless_uniform([], seed),
        batch_size, seed=2, deterministic=True, first_batch=1), 3)

  for batch, other in zip(run(block_bytes), run(1)):
    np.testing.assert_array_equal(batch.images, other.images)
    np.testing.assert_array_equal(batch.labels, other.labels)


@pytest.mark.parametrize('batch_size, limit, block_size', [
    (12, 100, 12), (12, 5, 4), (7, 5, 5), (12, 1, None)])
def test_blocks_have_few_operations(
    tmp_path, monkeypatch, batch_size, limit, block_size):
  """Whole blocks make a batch where they are not much smaller for it."""
  pipeline_files.write(tmp_path, [20])
  made = []
  make_block = example_maker.ExampleMaker.make_block

  def spy(self, records, numbers):
    made.append(numbers.shape.as_list())
    return make_block(self, records, numbers)

  monkeypatch.setattr(example_maker.ExampleMaker, 'make_block', spy)
  monkeypatch.setattr(
      example_maker.ExampleMaker, 'operations_per_image', lambda self: 10)
  monkeypatch.setattr(input_pipeline, '_BLOCK_OPERATIONS', 10 * limit)
  batches = pipeline_files.run(lambda: input_pipeline.training_batches(
      pipeline_files.dataset(tmp_path, 20), pipeline_files.preprocess,
      batch_size), 1)
  assert len(set(pipeline_files.numbers(batches))) == batch_size
  assert made[:1] == ([[block_size]] if block_size else [])


def test_large_images_are_not_built_twice(tmp_path, monkeypatch):
  """Nothing is counted where a block cannot hold two images."""
  pipeline_files.write(tmp_path, [20])
  monkeypatch.setattr(input_pipeline, '_BLOCK_BYTES', 1)
  monkeypatch.delattr(example_maker.ExampleMaker, 'operations_per_image')
  batches = pipeline_files.run(lambda: input_pipeline.training_batches(
      pipeline_files.dataset(tmp_path, 20), pipeline_files.preprocess, 4), 1)
  assert len(set(pipeline_files.numbers(batches))) == 4


def test_operations_of_an_image(tmp_path):
  pipeline_files.write(tmp_path, [1])
  dataset = pipeline_files.dataset(tmp_path, 1, shape=(6, 8, 1))

  def operations(preprocess, preprocess_batch=None):
    return example_maker.ExampleMaker(
        dataset, example_maker.Preprocessing(
            preprocess, None, preprocess_batch), 0, None).operations_per_image()

  plain = operations(lambda image: image)
  assert operations(lambda image: image + 1) > plain
  # Those of functions that are called, as in tf.switch_case, count too.
  def many(image):
    return tf.switch_case(tf.constant(0), [
        lambda: image, lambda: sum([image] * 500)])

  assert operations(many) > plain + 400
  assert operations(many, lambda images: images) == 1
