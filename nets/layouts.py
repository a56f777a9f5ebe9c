"""The layout of images inside networks: NHWC, or NCHW by an argument scope.

GPUs compute mixed precision fastest in NCHW. The scope reaches every layer:

  with layouts.scope('NCHW'), slim.arg_scope(resnet_v1.resnet_arg_scope()):
    logits, end_points = resnet_v1.resnet_v1_50(layouts.to_nchw(images), 1000)

Variables, and so checkpoints, are those of NHWC. End points are NCHW;
`nets_factory.in_layout` transposes the images. Networks without this form, such
as LeNet, call `layer_utils.check_nhwc`.
"""
import tensorflow.compat.v1 as tf
import tf_slim as slim
from tf_slim.ops import arg_scope as slim_scopes

_NHWC_TO_NCHW = (0, 3, 1, 2)
_NCHW_TO_NHWC = (0, 2, 3, 1)
_LAYERS = (slim.conv2d, slim.max_pool2d, slim.avg_pool2d, slim.batch_norm,
           slim.separable_conv2d)


def scope(data_format):
  """Returns an argument scope of a layout.

  Args:
    data_format: 'NHWC' or 'NCHW'.

  Raises:
    ValueError: the layout is unknown.
  """
  if data_format not in ('NHWC', 'NCHW'):
    raise ValueError("data_format must be 'NHWC' or 'NCHW', not %r." % (
        data_format,))
  return slim.arg_scope(_LAYERS, data_format=data_format)


def to_nchw(images):
  """Transposes [batch, height, width, channels] to NCHW."""
  return tf.transpose(images, _NHWC_TO_NCHW)


def current():
  """Returns the layout in force for `slim.conv2d`, 'NHWC' or 'NCHW'."""
  return _of(slim.conv2d)


def check(network):
  """Raises ValueError if argument scopes give the layers several layouts."""
  others = [layer for layer in _LAYERS if _of(layer) != current()]
  if others:
    raise ValueError(
        '%s: an arg scope sets data_format=%s for slim.conv2d, but slim.%s has '
        '%s. Set it for all layers: with nets.layouts.scope(%r).' % (
            network, current(), others[0].__name__, _of(others[0]), current()))


def channels(net):
  """Returns the number of channels of a tensor, an int."""
  return net.shape.as_list()[channels_axis()]


def channels_axis():
  """Returns the index of the channels, 3 or 1."""
  return current().index('C')


def spatial_axes():
  """Returns the indices of height and width, [1, 2] or [2, 3]."""
  return [current().index('H'), current().index('W')]


def size(net):
  """Returns the list [height, width] of a tensor; None where unknown."""
  return [net.shape.as_list()[axis] for axis in spatial_axes()]


def average(net, name=None):
  """Returns the mean over height and width, which become 1."""
  return tf.reduce_mean(net, spatial_axes(), keepdims=True, name=name)


def resize_bilinear(net, height_and_width, **options):
  """Calls `tf.image.resize_bilinear`, which knows NHWC only."""
  if current() == 'NHWC':
    return tf.image.resize_bilinear(net, height_and_width, **options)
  net = tf.transpose(net, _NCHW_TO_NHWC)
  return to_nchw(
      tf.image.resize_bilinear(net, height_and_width, **options))


def _of(layer):
  arguments = slim.current_arg_scope().get(
      slim_scopes.arg_scope_func_key(layer), {})
  return arguments.get('data_format') or 'NHWC'
