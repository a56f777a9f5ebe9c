"""Slim's helpers for converters and dataset modules."""
import os

import tensorflow.compat.v1 as tf

from datasets import dataset_info
from datasets.conversion import archives
from slim_common import transfer

LABELS_FILENAME = dataset_info.LABELS_FILENAME


def int64_feature(values):
  """Returns a tf.train.Feature of one integer or of a list of them."""
  return int64_list_feature(_as_list(values))


def int64_list_feature(values):
  """Returns a tf.train.Feature of a list of integers."""
  return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


def bytes_feature(value):
  """Returns a tf.train.Feature of one bytes value."""
  return bytes_list_feature([value])


def bytes_list_feature(values):
  """Returns a tf.train.Feature of a list of bytes values."""
  return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))


def float_feature(values):
  """Returns a tf.train.Feature of one number or of a list of them."""
  return float_list_feature(_as_list(values))


def float_list_feature(values):
  """Returns a tf.train.Feature of a list of numbers, kept as float32."""
  return tf.train.Feature(float_list=tf.train.FloatList(value=values))


def _as_list(values):
  return values if isinstance(values, (list, tuple)) else [values]


def image_to_tfexample(image_data, image_format, height, width, class_id):
  """Returns the tf.train.Example of one labeled image.

  Args:
    image_data: encoded image, bytes.
    image_format: format of the image, bytes such as b'png'.
    height, width: size in pixels.
    class_id: label, an integer.
  """
  return tf.train.Example(features=tf.train.Features(feature={
      'image/encoded': bytes_feature(image_data),
      'image/format': bytes_feature(image_format),
      'image/class/label': int64_feature(class_id),
      'image/height': int64_feature(height),
      'image/width': int64_feature(width)}))


class ImageReader:
  """Decodes JPEGs to RGB, by operations of the default graph."""

  def __init__(self):
    self._encoded = tf.placeholder(tf.string, [])
    self._image = tf.image.decode_jpeg(self._encoded, channels=3)

  def read_image_dims(self, sess, image_data):
    """Returns (height, width) of a JPEG, in pixels.

    Args:
      sess: session of the graph in which this object was made.
      image_data: bytes of the file.

    Raises:
      tf.errors.InvalidArgumentError: it is damaged.
    """
    height, width, _ = self.decode_jpeg(sess, image_data).shape
    return height, width

  def decode_jpeg(self, sess, image_data):
    """Returns the pixels of a JPEG, uint8 [height, width, 3].

    The arguments and errors are those of `read_image_dims`.
    """
    return sess.run(self._image, {self._encoded: image_data})


def download_url(url, dataset_dir):
  """Downloads a file into `dataset_dir` unless it exists; returns its path.

  Raises:
    OSError: it cannot be downloaded.
  """
  path = os.path.join(dataset_dir, url.rstrip('/').split('/')[-1])
  return path if os.path.exists(path) else transfer.fetch(
      [url], path, advice='Download it by other means and save it as %s' % path)


def download_and_uncompress_tarball(tarball_url, dataset_dir):
  """Downloads a tar archive into `dataset_dir` and unpacks it there.

  Raises:
    ValueError: the archive is damaged or has paths outside the directory.
    OSError: it cannot be downloaded.
  """
  archives.unpack(download_url(tarball_url, dataset_dir), dataset_dir)


def download_and_uncompress_zipfile(zip_url, dataset_dir):
  """Downloads a zip archive into `dataset_dir` and unpacks it there.

  Raises:
    ValueError, OSError: as `download_and_uncompress_tarball` does.
  """
  archives.unpack(download_url(zip_url, dataset_dir), dataset_dir)


def write_label_file(labels_to_class_names, dataset_dir,
                     filename=LABELS_FILENAME):
  """Writes a file of lines `id:name`.

  Args:
    labels_to_class_names: dict of class id to name.
    dataset_dir: directory of the file.
    filename: name of the file.
  """
  with tf.io.gfile.GFile(os.path.join(dataset_dir, filename), 'w') as target:
    target.write(dataset_info.labels_text(labels_to_class_names))


def has_labels(dataset_dir, filename=LABELS_FILENAME):
  """Whether the directory has a file of class names."""
  return tf.io.gfile.exists(os.path.join(dataset_dir, filename))


def read_label_file(dataset_dir, filename=LABELS_FILENAME):
  """Returns the dict of class id to name in a file of lines `id:name`.

  Raises:
    ValueError: a line has another form.
  """
  path = os.path.join(dataset_dir, filename)
  with tf.io.gfile.GFile(path, 'rb') as source:
    return dataset_info.parse_labels(source.read(), path)


def open_sharded_output_tfrecords(exit_stack, base_path, num_shards):
  """Opens the files `<base_path>-00000-of-<num_shards>` and so on.

  Args:
    exit_stack: a `contextlib.ExitStack` that closes the files.
    base_path: path of the files without the shard suffix.
    num_shards: number of files.

  Returns:
    A list of `num_shards` TFRecordWriters.
  """
  return [exit_stack.enter_context(tf.io.TFRecordWriter(
      '%s-%05d-of-%05d' % (base_path, shard, num_shards)))
          for shard in range(num_shards)]
