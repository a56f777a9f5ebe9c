"""Files of a converted dataset, to damage."""
import functools
import json
import os
import tempfile

import tensorflow.compat.v1 as tf

from datasets import dataset_factory
from datasets import doctor
from datasets.conversion import dataset_writer
from datasets.conversion import encoding
from datasets.reading import input_pipeline
from tests.datasets.conversion import odd_images
from tests.datasets.conversion import raw_files
from tests.fuzz import base


@functools.lru_cache(maxsize=None)
def record_seeds():
  seeds = []
  for image in odd_images.corpus():
    if image.fate == odd_images.KEPT:
      example = encoding.serialize_example({
          'image/encoded': image.content, 'image/class/label': 1,
          'image/format': image.image_format.encode(),
          'image/height': odd_images.HEIGHT})
      seeds.append(base.Seed('train.tfrecord', example, _records_with))
  return seeds


def _records_with(example):
  """Returns a record file of three records, the second as given."""
  good = record_seeds()[0].content
  with tempfile.TemporaryDirectory() as directory:
    path = os.path.join(directory, 'records')
    with tf.io.TFRecordWriter(path) as writer:
      for record in (good, example, good):
        writer.write(record)
    with open(path, 'rb') as source:
      return source.read()


def write_dataset(directory, name, content):
  with dataset_writer.DatasetWriter(directory, 'image_folder', 1) as writer:
    writer.write_split('train', ['image_folder_train_0.tfrecord'], 3,
                       [[(seed.content, 1) for seed in record_seeds()[:3]]])
    writer.publish(['a', 'b'])
  if name == 'train.tfrecord':
    name = 'image_folder_train_0.tfrecord'
  raw_files.write(directory, name, content)


def examine(source, unused_out, unused_name):
  doctor.check(source, num_workers=1)


def read_dataset(source, unused_out, unused_name):
  """Reads it as an evaluation does."""
  dataset = dataset_factory.get_dataset('image_folder', 'train', source)
  with tf.Graph().as_default(), tf.Session() as session:
    batches = input_pipeline.evaluation_batches(
        dataset, lambda image: tf.image.resize_images(image, [8, 8]), 2)
    batch, _ = input_pipeline.next_batch(batches)
    try:
      session.run(tf.tables_initializer())
      while True:
        session.run(batch)
    except tf.errors.OutOfRangeError:
      pass
    except tf.errors.OpError as error:
      raise ValueError(error.message)


def description_seeds():
  with tempfile.TemporaryDirectory() as directory:
    write_dataset(directory, 'x', b'')
    seeds = []
    for name in ('dataset_info.json', 'labels.txt'):
      with open(os.path.join(directory, name), 'rb') as source:
        content = source.read()
      seeds.append(base.Seed(name, content, base.as_it_is))
  info = json.loads(seeds[0].content.decode())
  info.update(multi_label=True, side_files=['bad_images.csv'])
  return seeds + [base.Seed('dataset_info.json', json.dumps(info).encode(),
                       base.as_it_is)]


def read_description(source, unused_out, unused_name):
  dataset = dataset_factory.get_dataset('image_folder', 'train', source)
  if not isinstance(dataset.num_samples, int):
    raise base.Wrong('num_samples is %r' % dataset.num_samples)
  doctor.check(source, num_workers=1)
