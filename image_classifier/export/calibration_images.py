"""Pictures as a network takes them, to calibrate and verify exports with."""
import numpy as np
import tensorflow.compat.v1 as tf

from datasets import dataset_factory
from datasets.reading import input_pipeline
from preprocessing import preprocessing_factory

_BATCH = 20


def from_split(options, name, size, labels_offset, number):
  """Returns the first pictures of a split, preprocessed for evaluation.

  Args:
    options: an `options.Export`.
    name: of the preprocessing.
    size: side of the pictures.
    labels_offset: subtracted from the labels.
    number: pictures to read; fewer if the split holds fewer.

  Returns:
    float32 [number, size, size, channels].

  Raises:
    ValueError: the split is not there, or holds no picture.
  """
  with tf.Graph().as_default():
    dataset = dataset_factory.get_dataset(
        options.dataset_name, options.calibration_split, options.dataset_dir)
    preprocess = preprocessing_factory.get_preprocessing(
        name, is_training=False, use_grayscale=options.use_grayscale)
    batch, _ = input_pipeline.next_batch(input_pipeline.evaluation_batches(
        dataset, lambda image: preprocess(image, size, size), _BATCH,
        labels_offset=labels_offset))
    pictures = []
    with tf.Session() as session:
      session.run(tf.tables_initializer())
      # The end of the files decides: the published size may not be there.
      while sum(map(len, pictures)) < number:
        try:
          pictures.append(session.run(batch.images))
        except tf.errors.OutOfRangeError:
          break
  if not pictures:
    raise ValueError('The split %s in %s holds no picture. Choose another '
                     '--calibration_split.' % (
                         options.calibration_split, options.dataset_dir))
  return np.concatenate(pictures)[:number]


def random(shape, number):
  """Returns random pictures, the same every time: blurred noise in [-1, 1].

  Args:
    shape: of one picture or video, [..., height, width, channels].
    number: pictures to make.

  Returns:
    float32 [number] + shape.
  """
  draws = np.random.RandomState(0)
  small = [number] + list(shape[:-3]) + [
      -(-side // 8) for side in shape[-3:-1]] + [shape[-1]]
  noise = draws.uniform(-1, 1, small).astype(np.float32)
  for axis in (-3, -2):
    noise = noise.repeat(8, axis=axis)
  return noise[..., :shape[-3], :shape[-2], :]


def batches(pictures, batch_size):
  """Divides pictures into batches of one size, repeating some to fill up.

  Args:
    pictures: float32 [number, ...].
    batch_size: size of a batch.

  Returns:
    A list of float32 [batch_size, ...].
  """
  count = -(-len(pictures) // batch_size)
  places = np.arange(count * batch_size) % len(pictures)
  return list(pictures[places].reshape(
      (count, batch_size) + pictures.shape[1:]))
