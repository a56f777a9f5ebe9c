"""Input pipelines of TensorFlow: ours, slim's, plain ones; what they read."""
import functools
import io
import json
import sys
import warnings

import numpy as np
from PIL import Image
import tensorflow.compat.v1 as tf
import tf_slim as slim

from benchmarks.contenders import turns
from datasets import dataset_utils
from datasets.reading import decode
from datasets.reading import input_pipeline
from datasets.reading import record_files
from preprocessing import image_ops
from preprocessing import preprocessing_factory
from preprocessing import vgg_preprocessing
from preprocessing.fast import jpeg
from slim_common import memory

_CLASSES = 10
_READERS, _FILES, _SHUFFLED = 4, 4, 256
# At the start of a turn that many batches may lie in queues.
_BUFFERED_BATCHES = 10
# Up to this size, images are recorded in the size of the network.
_TINY = 32
# Slim's capacities, in batches.
_QUEUE_CAPACITY, _QUEUE_MIN, _BATCH_CAPACITY = 20, 10, 5


def start(kind, preprocessing, size, threads, batch, records, channels):
  """Builds a contender in the default graph.

  Args:
    kind: one of `KINDS`.
    preprocessing: name of the preprocessing.
    size: height and width of the images it returns.
    threads: number of images processed in parallel.
    batch: number of examples in a batch.
    records: pattern of the record files.
    channels: 1 or 3.

  Returns:
    A function that makes one batch.
  """
  tf.logging.set_verbosity(tf.logging.ERROR)
  tf.disable_v2_behavior()
  if kind not in ('whole', 'queue'):
    # As the programs do, for what is measured of this project.
    memory.keep_freed_memory()
  dataset = _dataset(records, channels, size if size <= _TINY else None)
  images = KINDS[kind](dataset, preprocessing, size, threads, batch)
  session = tf.Session()
  session.run([tf.global_variables_initializer(),
               tf.local_variables_initializer(), tf.tables_initializer()])
  tf.train.start_queue_runners(session)
  return lambda: session.run(images.op)


def _pipeline(dataset, preprocessing, size, threads, batch, use_compiled=None):
  preprocess = preprocessing_factory.get_preprocessing(
      preprocessing, is_training=True)
  preprocess_jpeg = preprocessing_factory.get_jpeg_preprocessing(
      preprocessing, is_training=True, use_compiled=use_compiled)
  preprocess_batch = preprocessing_factory.get_batch_preprocessing(
      preprocessing, is_training=True)
  return _training_images(
      dataset, lambda image: preprocess(image, size, size), threads, batch,
      preprocess_jpeg=preprocess_jpeg and (
          lambda encoded, channels: preprocess_jpeg(
              encoded, channels, size, size)),
      preprocess_batch=preprocess_batch and (
          lambda images: preprocess_batch(images, size, size)))


def _training_images(dataset, preprocess, threads, batch, **functions):
  batches = input_pipeline.training_batches(
      dataset, preprocess, batch, num_readers=_READERS, num_threads=threads,
      shuffle_buffer=_SHUFFLED, **functions)
  return input_pipeline.next_batch(batches)[0].images


def _window(dataset, preprocessing, size, threads, batch):
  """Decodes the recipe's window, or without one all, and keeps one pixel."""
  draw = _WINDOWS.get(preprocessing)

  def one_pixel(encoded, channels):
    begin, extent = draw(tf.image.extract_jpeg_shape(encoded), size)
    return _one_pixel(jpeg.decode_crop_to_resize(
        encoded, begin, extent, channels, size, size))

  return _training_images(dataset, _one_pixel, threads, batch,
                          preprocess_jpeg=draw and one_pixel)


def _one_pixel(image):
  return tf.to_float(image[:1, :1])


def _inception_window(shape, unused_size):
  return image_ops.sample_distorted_box(
      shape, image_ops.WHOLE_IMAGE, min_object_covered=0.1,
      aspect_ratio_range=(0.75, 1.33), area_range=(0.05, 1.0))[:2]


_WINDOWS = {
    'inception': _inception_window,
    'vgg': lambda shape, size: vgg_preprocessing.random_scaled_crop_box(
        shape, size, size),
}


def _whole(dataset, preprocessing, size, threads, batch):
  """A plain tf.data pipeline of whole images, without checks or tuning."""
  preprocess = preprocessing_factory.get_preprocessing(
      preprocessing, is_training=True)
  reader = decode.Reader(dataset)

  def make_example(record):
    example = reader.parse(record)
    image = reader.decode(example.encoded)
    return preprocess(image, size, size), example.labels[0]

  records = tf.data.Dataset.from_tensor_slices(
      tf.gfile.Glob(dataset.data_sources))
  records = records.shuffle(_FILES).apply(
      tf.data.experimental.parallel_interleave(
          tf.data.TFRecordDataset, cycle_length=_READERS, sloppy=True))
  batches = records.shuffle(_SHUFFLED).repeat().map(
      make_example, num_parallel_calls=threads).batch(batch).prefetch(2)
  return tf.data.make_one_shot_iterator(batches).get_next()[0]


def _queue(dataset, preprocessing, size, threads, batch):
  preprocess = preprocessing_factory.get_preprocessing(
      preprocessing, is_training=True)
  provider = slim.dataset_data_provider.DatasetDataProvider(
      dataset, num_readers=_READERS,
      common_queue_capacity=_QUEUE_CAPACITY * batch,
      common_queue_min=_QUEUE_MIN * batch)
  image, label = provider.get(['image', 'label'])
  images, labels = tf.train.batch(
      [preprocess(image, size, size), label], batch_size=batch,
      num_threads=threads, capacity=_BATCH_CAPACITY * batch)
  return slim.prefetch_queue.prefetch_queue(
      [images, labels], capacity=2).dequeue()[0]


KINDS = {
    'pipeline': _pipeline,
    'operations': functools.partial(_pipeline, use_compiled=False),
    'window': _window,
    'decode': lambda dataset, _, *rest: _window(dataset, None, *rest),
    'whole': _whole,
    'queue': _queue,
}


def _dataset(records, channels, size):
  """Describes the records; all images have the given size, if any."""
  decoder = slim.tfexample_decoder
  shape = size and (size, size, channels)
  return slim.dataset.Dataset(
      data_sources=records, reader=tf.TFRecordReader,
      decoder=decoder.TFExampleDecoder(
          {'image/encoded': tf.FixedLenFeature([], tf.string, ''),
           'image/format': tf.FixedLenFeature([], tf.string, 'jpeg'),
           'image/class/label': tf.FixedLenFeature([], tf.int64, 0)},
          {'image': decoder.Image(shape=shape, channels=channels),
           'label': decoder.Tensor('image/class/label')}),
      num_samples=sum(map(record_files.count_records, tf.gfile.Glob(records))),
      items_to_descriptions={}, num_classes=_CLASSES)


def write_records(path, kind, random):
  """Writes images to the files `path`-0, `path`-1 and so on.

  Args:
    path: start of the files' paths.
    kind: jpeg (500 x 375), png32 (32 x 32) or png28 (28 x 28, one channel).
    random: a np.random.RandomState.

  Returns:
    The sizes of the images in bytes.
  """
  height, width, count = {
      'jpeg': (375, 500, 128), 'png32': (32, 32, 512),
      'png28': (28, 28, 512)}[kind]
  sizes = []
  writers = [tf.python_io.TFRecordWriter('%s-%d' % (path, index))
             for index in range(_FILES)]
  for number in range(count):
    encoded = encode(random, height, width, kind)
    sizes.append(len(encoded))
    writers[number % _FILES].write(_example(
        encoded, kind, number % _CLASSES).SerializeToString())
  for writer in writers:
    writer.close()
  return sizes


def encode(random, height, width, kind):
  """Returns the bytes of an image as random as a photograph."""
  drawn = _pixels(random, height, width)
  image = Image.fromarray(drawn[:, :, 0] if kind == 'png28' else drawn)
  encoded = io.BytesIO()
  image.save(encoded, 'JPEG' if kind == 'jpeg' else 'PNG', quality=90)
  return encoded.getvalue()


def _example(encoded, kind, label):
  return tf.train.Example(features=tf.train.Features(feature={
      'image/encoded': dataset_utils.bytes_feature(encoded),
      'image/format': dataset_utils.bytes_feature(kind[:4].encode()),
      'image/class/label': dataset_utils.int64_feature(label)}))


def _pixels(random, height, width):
  """Returns uint8 [height, width, 3] with the spectrum of a photograph."""
  steepness = random.uniform(1.0, 1.4)
  luminance = _waves(random, height, width, steepness) * random.uniform(35, 60)
  planes = [luminance + 12 * _waves(random, height, width, 1.5) +
            random.uniform(90, 150) for _ in range(3)]
  return np.uint8(np.clip(np.stack(planes, 2), 0, 255))


def _waves(random, height, width, steepness):
  """Returns a random field of mean 0 and standard deviation 1."""
  frequency = np.hypot(np.fft.fftfreq(height)[:, None],
                       np.fft.rfftfreq(width))
  frequency[0, 0] = np.inf
  spectrum = random.randn(2, *frequency.shape) / frequency ** steepness
  field = np.fft.irfft2(spectrum[0] + 1j * spectrum[1], (height, width))
  return field / field.std()


if __name__ == '__main__':
  warnings.filterwarnings('ignore')
  _work = json.loads(sys.argv[1])
  turns.serve(start(**_work), _work['batch'], _BUFFERED_BATCHES)
