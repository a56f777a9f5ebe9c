"""Record files for the tests of the input pipeline, and runs of it."""
import io

import numpy as np
from PIL import Image
import tensorflow.compat.v1 as tf
import tf_slim as slim

from datasets.reading import input_pipeline

CLASSES = 4


def encoded_image(pixels, kind='PNG', **kwargs):
  """Returns the bytes of an image file; pixels are uint8."""
  file = io.BytesIO()
  Image.fromarray(pixels).save(file, kind, **kwargs)
  return file.getvalue()


def example(features):
  """Returns a serialized tf.train.Example of {key: list of bytes or ints}."""
  message = tf.train.Example()
  for key, values in features.items():
    feature = message.features.feature[key]
    if values and isinstance(values[0], bytes):
      feature.bytes_list.value.extend(values)
    elif values and isinstance(values[0], float):
      feature.float_list.value.extend(values)
    else:
      feature.int64_list.value.extend(values)
  return message.SerializeToString()


def numbered(number, label):
  """Returns an example: a 2 x 3 gray PNG whose pixels all are `number`."""
  return example({
      'image/encoded': [encoded_image(np.full([2, 3], number, np.uint8))],
      'image/format': [b'png'], 'image/class/label': [label]})


def write_records(path, records):
  with tf.python_io.TFRecordWriter(str(path)) as writer:
    for record in records:
      writer.write(record)


def write(directory, sizes, label=lambda number: number % CLASSES, bad=()):
  """Writes shards of the given sizes; images are numbered from 0 on.

  Those whose numbers are in `bad` cannot be decoded.
  """
  number = 0
  for shard, size in enumerate(sizes):
    records = []
    for _ in range(size):
      records.append(numbered(number, label(number)) if number not in bad else
                     example({'image/encoded': [b'\xff\xd8\xff broken'],
                              'image/class/label': [0],
                              'image/filename': [b'p%d.jpg' % number]}))
      number += 1
    write_records(directory / ('data_train_%05d.tfrecord' % shard), records)


def dataset(directory, num_samples, num_classes=CLASSES, shape=(2, 3, 1),
            channels=1, multi_label=False):
  """Returns a dataset of the files that `write` writes."""
  label = (tf.VarLenFeature(tf.int64) if multi_label else
           tf.FixedLenFeature([], tf.int64, 0))
  decoder = slim.tfexample_decoder.TFExampleDecoder(
      {'image/encoded': tf.FixedLenFeature([], tf.string, ''),
       'image/format': tf.FixedLenFeature([], tf.string, 'png'),
       'image/class/label': label},
      {'image': slim.tfexample_decoder.Image(shape=shape, channels=channels),
       'label': slim.tfexample_decoder.Tensor('image/class/label')})
  return slim.dataset.Dataset(
      data_sources=str(directory / 'data_train_*.tfrecord'),
      reader=tf.TFRecordReader, decoder=decoder, num_samples=num_samples,
      items_to_descriptions={}, num_classes=num_classes,
      multi_label=multi_label)


def preprocess(image):
  return tf.cast(image, tf.float32) - 0.5


def run(make_batches, steps=None):
  """Returns the batches as NumPy arrays.

  Args:
    make_batches: function without arguments, called in a new graph.
    steps: number of batches; None for all.
  """
  results = []
  with tf.Graph().as_default(), tf.Session() as session:
    batch, _ = input_pipeline.next_batch(make_batches())
    session.run(tf.tables_initializer())
    try:
      while steps is None or len(results) < steps:
        results.append(session.run(batch))
    except tf.errors.OutOfRangeError:
      pass
  return results


def numbers(results):
  """Returns the numbers of the images in batches."""
  return [int(image[0, 0, 0] + 0.5) for batch in results
          for image in batch.images]
