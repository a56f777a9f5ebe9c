"""Images of a dataset outside of batches: their shape, and one to look at."""
import tensorflow.compat.v1 as tf

from datasets.reading import decode
from datasets.reading import input_pipeline
from datasets.reading import record_files


def static_shape(dataset):
  """Returns the static shape of a dataset's decoded images, a TensorShape.

  No record is read.

  Args:
    dataset: a `slim.dataset.Dataset`.

  Raises:
    ValueError: no file matches, or there are no examples.
  """
  record_files.find_files(dataset)
  return decode.Reader(dataset).static_shape()


@tf.autograph.experimental.do_not_convert
def next_image(dataset):
  """Returns the next image of a dataset, for display.

  Images come in file order, without end, and are read only when fetched; those
  that cannot be read are skipped.

  Args:
    dataset: a `slim.dataset.Dataset`.

  Returns:
    uint8 [height, width, channels].

  Raises:
    ValueError: no file matches, or there are no examples.
  """
  reader = decode.Reader(dataset)
  images = tf.data.TFRecordDataset(record_files.find_files(dataset)).map(
      lambda example: reader.decode(reader.parse(example).encoded))
  return input_pipeline.next_batch(
      images.apply(tf.data.experimental.ignore_errors()).repeat())[0]
