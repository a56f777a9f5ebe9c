"""Preprocessed images to calibrate and verify exports with."""
import numpy as np
import tensorflow.compat.v1 as tf

from datasets import dataset_factory
from datasets.reading import input_pipeline
from preprocessing import preprocessing_factory

_BATCH = 20


def load_split(options, name, size, labels_offset, number):
  """Returns the first images of a split, preprocessed for evaluation.

  Args:
    options: an `options.Export`.
    name: name of the preprocessing.
    size: height and width of the images, in pixels.
    labels_offset: int to subtract from the labels.
    number: maximum number of images.

  Returns:
    float32 [number, size, size, channels].

  Raises:
    ValueError: the split does not exist, or has no images.
  """
  with tf.Graph().as_default():
    dataset = dataset_factory.get_dataset(
        options.dataset_name, options.calibration_split, options.dataset_dir)
    preprocess = preprocessing_factory.get_preprocessing(
        name, use_grayscale=options.use_grayscale)
    batch, _ = input_pipeline.next_batch(input_pipeline.evaluation_batches(
        dataset, lambda image: preprocess(image, size, size), _BATCH,
        labels_offset=labels_offset))
    images = []
    with tf.Session() as session:
      session.run(tf.tables_initializer())
      # The files may have fewer images than the dataset declares.
      while sum(map(len, images)) < number:
        try:
          images.append(session.run(batch.images))
        except tf.errors.OutOfRangeError:
          break
  if not images:
    raise ValueError(
        'The split %s in %s has no images. Choose another --calibration_split.'
        % (options.calibration_split, options.dataset_dir))
  return np.concatenate(images)[:number]


def random_images(shape, number):
  """Returns random images, the same ones at every call: noise in [-1, 1].

  Args:
    shape: shape of one image or video, [..., height, width, channels].
    number: number of images.

  Returns:
    float32 [number] + shape, constant over blocks of 8 x 8 pixels.
  """
  random = np.random.RandomState(0)
  small = [number] + list(shape[:-3]) + [
      -(-length // 8) for length in shape[-3:-1]] + [shape[-1]]
  noise = random.uniform(-1, 1, small).astype(np.float32)
  for axis in (-3, -2):
    noise = noise.repeat(8, axis=axis)
  return noise[..., :shape[-3], :shape[-2], :]


def split_into_batches(images, batch_size):
  """Splits images into batches of one size, repeating some to fill the last.

  From float32 [number, ...] to a list of float32 [batch_size, ...].
  """
  count = -(-len(images) // batch_size)
  indices = np.arange(count * batch_size) % len(images)
  return list(images[indices].reshape((count, batch_size) + images.shape[1:]))
