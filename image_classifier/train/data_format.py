"""Checks whether this machine computes with channels first."""
import tensorflow.compat.v1 as tf


def check(data_format):
  """Raises ValueError unless this machine has convolutions for NHWC or NCHW.

  Without a GPU they are tried, as it depends on how TensorFlow was built.
  """
  if data_format == 'NHWC' or tf.config.experimental.list_physical_devices(
      'GPU'):
    return
  try:
    _try_convolutions(data_format)
  except (tf.errors.UnimplementedError, tf.errors.InvalidArgumentError):
    raise ValueError(
        '--data_format=%s: TensorFlow %s has no such convolutions on a CPU, '
        'and sees no GPU. --data_format=NHWC runs on both.' % (
            data_format, tf.__version__))


def _try_convolutions(data_format):
  """Computes gradients of a convolution and a depthwise convolution."""
  strides = [1, 1, 1, 1]
  with tf.Graph().as_default(), tf.Session() as session:
    ones = tf.placeholder_with_default(tf.ones([1, 2, 4, 4]), [1, 2, 4, 4])
    kernel = tf.placeholder_with_default(tf.ones([3, 3, 2, 1]), [3, 3, 2, 1])
    plain = tf.nn.conv2d(
        ones, tf.tile(kernel, [1, 1, 1, 2]), strides, 'SAME',
        data_format=data_format)
    depthwise = tf.nn.depthwise_conv2d(
        plain, kernel, strides, 'SAME', data_format=data_format)
    session.run(tf.gradients(depthwise, [ones, kernel]))
